"""Tables and bar charts, as they look."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from rich.console import Console

from star_assets.cli.shell import fail, note
from star_assets.cli.terminal import MOST_DRAWN, bar_chart, table, write_rows
from star_assets.visible import visible


def drawn(what: Any, width: int = 60) -> list[str]:
    console = Console(width=width)
    with console.capture() as capture:
        console.print(what)
    return [line.rstrip() for line in capture.get().splitlines()]


def test_numbers_stand_to_the_right_and_null_is_no_text() -> None:
    rows = pa.table({"city": ["Miami", None], "revenue": [Decimal("1234.5000"), Decimal("-0.2500")]})
    assert drawn(table(rows, title="Sales")) == [
        "Sales",
        "┏━━━━━━━┳━━━━━━━━━━━━┓",
        "┃ city  ┃    revenue ┃",
        "┡━━━━━━━╇━━━━━━━━━━━━┩",
        "│ Miami │ 1,234.5000 │",
        "│ NULL  │    -0.2500 │",
        "└───────┴────────────┘",
    ]


def test_text_is_shown_as_it_is() -> None:
    """Square brackets are markup to the library that draws; a product's name must not colour the screen."""
    assert "[red]sale[/red]" in drawn(table(pa.table({"[bold]": ["[red]sale[/red]"]})))[3]


# Turns the screen red, clears it, names the window, writes backwards, and returns to the line's start.
STEERING, WRITTEN_OUT = "\x1b[31m\x9b2J\x1b]0;mine\x07\u202egpj\r", r"\x1b[31m\x9b2J\x1b]0;mine\x07\u202egpj\r"


def test_no_value_steers_the_terminal() -> None:
    """A product's name must not clear the screen, or stand for another line of it."""
    lines = drawn(table(pa.table({STEERING: [STEERING]})), width=90)
    assert [lines[1], lines[3]] == [f"┃ {WRITTEN_OUT} ┃", f"│ {WRITTEN_OUT} │"]
    assert drawn(bar_chart([STEERING], [Decimal(1)], 90), width=90)[0].startswith(WRITTEN_OUT)


def test_no_message_steers_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """A file's name and a rejected value are quoted in messages. Half a character is none that a terminal takes."""
    fail(f"{STEERING}\udcff\nsecond line")
    note(STEERING)
    assert capsys.readouterr().err == f"Error: {WRITTEN_OUT}\\udcff\nsecond line\nNote: {WRITTEN_OUT}\n"


def test_rows_for_programs_keep_every_character(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """JSON has a form for each; CSV has none, so only what a terminal gets differs."""
    rows = pa.table({"name": [STEERING]})
    write_rows(rows, "json")
    written = capsysbinary.readouterr().out.decode()
    assert json.loads(written) == [{"name": STEERING}]
    assert visible(written) == written
    write_rows(rows, "csv")
    assert capsysbinary.readouterr().out.decode() == f'"name"\n"{STEERING}"\n'


def test_csv_on_a_terminal_is_written_out(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    write_rows(pa.table({"name": [STEERING]}), "csv")
    assert capsys.readouterr().out == f'"name"\n"{WRITTEN_OUT}"\n'


def test_two_columns_of_one_name_are_both_shown(capsys: pytest.CaptureFixture[str]) -> None:
    rows = pa.table([pa.array([1]), pa.array([2])], names=["n", "n"])
    assert drawn(table(rows))[3] == "│ 1 │ 2 │"
    write_rows(rows, "json")
    assert capsys.readouterr().out == '[\n{"n": 1, "n": 2}\n]\n'


def test_a_long_table_is_cut_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    """Drawing a million rows takes minutes, and nobody reads them."""
    write_rows(pa.table({"n": list(range(MOST_DRAWN + 1))}), "table")
    told = capsys.readouterr().out
    assert told.count("│") == 2 * MOST_DRAWN
    assert told.endswith("… the first 1,000 of 1,001 rows; --format csv or json writes all.\n")


def test_a_long_table_keeps_its_sums(capsys: pytest.CaptureFixture[str]) -> None:
    """Three years of days are more than are drawn, and what they add up to is what was asked for."""
    write_rows(pa.table({"day": [*map(str, range(MOST_DRAWN + 100)), "all"]}), "table", last_are_sums=True)
    told = capsys.readouterr().out
    assert told.count("│") == 2 * MOST_DRAWN
    assert "│ all" in told and f"│ {MOST_DRAWN - 2} " in told and f"│ {MOST_DRAWN - 1} " not in told


def test_bars_are_as_long_as_their_values() -> None:
    values = [Decimal("80.00"), Decimal("40.00"), Decimal("5.00"), Decimal("0.00"), Decimal("-3.00")]
    assert drawn(bar_chart(["Tent", "Lamp", "Rope", "Gift", "Sack"], values, 19)) == [
        "Tent ████████ 80.00",
        "Lamp ████ 40.00",
        "Rope ▌ 5.00",
        "Gift  0.00",
        "Sack  -3.00",
    ]


def test_bars_stay_within_their_width() -> None:
    chart = drawn(bar_chart(["a" * 10, "b"], [Decimal("123456.78"), Decimal("1")], 60), width=200)
    assert max(map(len, chart)) == 60


def test_a_chart_of_nothing_is_empty() -> None:
    assert drawn(bar_chart([], [], 60)) == [""]
    assert drawn(bar_chart(["a"], [Decimal(0)], 60)) == ["a  0.00"]
