"""How exports look to Athena: the same rows as staging finds, or a reason."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from star_assets.exports.columns import longer
from star_assets.exports.formats.counting import ESCAPE
from star_assets.exports.formats.format import Layout
from star_assets.exports.formats.opening import inspect_file
from star_assets.exports.layout import layout_of, unreadable
from star_assets.model import Csv, Source
from star_assets.model.errors import BrokenFile, ColumnMissing

from .conftest import read_all

ORDERS = Source("orders", key="a", columns={"a": "string"})

Look = Callable[..., Layout]


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """`look({name: content}, markers=…, source=…)`: the layout of an export of these files."""

    def find(files: Mapping[str, bytes], markers: tuple[str, ...] = ("_SUCCESS",), source: Source = ORDERS) -> Layout:
        inspected = []
        for name, content in files.items():
            (tmp_path / name).write_bytes(content)
            inspected.append((tmp_path / name, name, inspect_file(tmp_path / name, name, source)))
        return layout_of(source, inspected, markers)

    return find


def opencsv(content: bytes, csv_: Csv) -> list[list[str]]:
    """The rows that OpenCSVSerDe gives: a line each, split by its parser, which knows no line ends."""
    lines = re.split("\r\n|\r|\n", content.decode("utf-8", "replace"))
    lines = lines[:-1] if lines[-1] == "" else lines
    return [opencsv_fields(line, csv_.delimiter[0], csv_.quote, ESCAPE.decode()) for line in lines[1:]]


def opencsv_fields(line: str, separator: str, quote: str, escape: str) -> list[str]:
    fields, field, quoted, position = [], "", False, 0
    while position < len(line):
        character, after = line[position], line[position + 1 : position + 2]
        if character == escape:
            if quoted and after and after in (quote, escape):
                field, position = field + after, position + 1
        elif character == quote:
            if quoted and after == quote:
                field, position = field + quote, position + 1
            else:
                if position > 2 and line[position - 1] != separator and after not in ("", separator):
                    field = field + quote if field.strip() or not field else ""
                quoted = not quoted
        elif character == separator and not quoted:
            fields.append(field)
            field = ""
        else:
            field += character
        position += 1
    return [*fields, field]


DIALECTS = (Csv(), Csv(delimiter=";", quote="'"), Csv(delimiter="\t"), Csv(encoding="latin-1"))
FIELD = st.text(alphabet="ab ,;\t\"'\\é\n\r\x01", max_size=5)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None)
@given(st.lists(st.lists(FIELD, min_size=2, max_size=2), max_size=5), st.sampled_from(DIALECTS), st.booleans())
@example([["a\\b", 'say "hi"']], Csv(), True)
@example([["", '"'], ["", "b"]], Csv(), True)
def test_what_athena_may_read_it_reads_as_staging_does(
    tmp_path: Path, rows: list[list[str]], dialect: Csv, quoted: bool
) -> None:
    """Another order of fields, or half of one, in an analyst's query would be a lie of ours."""
    source = Source("orders", key="a", columns={"a": "string", "b": "string"}, csv=dialect)
    text = io.StringIO(newline="")
    quoting = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    writer = csv.writer(text, delimiter=dialect.delimiter, quotechar=dialect.quote, quoting=quoting)
    writer.writerows([["a", "b"], *rows])
    file = tmp_path / "orders.csv"
    file.write_bytes(text.getvalue().encode(dialect.encoding))
    found = read_all(file, source)
    layout = layout_of(source, [(file, file.name, found.profile)], [])
    if layout.problem is None:
        assert opencsv(file.read_bytes(), dialect) == [[value or "" for value in row] for row in found.rows]
        assert layout.rows == len(found.rows)
    else:
        awkward = {"\n", "\r", "\x01", *("é" if dialect.encoding == "latin-1" else "")}
        # A field of spaces, or none in a row, makes a line that some take for blank.
        assert awkward.intersection("".join(map("".join, rows)))


def test_backslashes_survive(look: Look) -> None:
    """By default the SerDe drops them: C:\\temp would be C:temp."""
    assert opencsv(b"a,b\nC:\\temp,x\n", Csv()) == [["C:\\temp", "x"]]
    assert look({"orders.csv": b"a,b\nC:\\temp,x\n"}) == Layout("csv", ("a", "b"), rows=1)


READABLE: dict[str, tuple[dict[str, bytes], Layout]] = {
    "quotes and delimiters": ({"o.csv": b'a,b\n"x,""y""",2\n'}, Layout("csv", ("a", "b"), rows=1)),
    "CRLF": ({"o.csv": b"a,b\r\n1,2\r\n"}, Layout("csv", ("a", "b"), rows=1)),
    "mixed line ends": ({"o.csv": b"a,b\n1,2\r\n3,4\r"}, Layout("csv", ("a", "b"), rows=2)),
    "a BOM in the header, which is skipped": ({"o.csv": b"\xef\xbb\xbfa,b\n1,2\n"}, Layout("csv", ("a", "b"), rows=1)),
    "gzip by its name": ({"o.csv.gz": gzip.compress(b"a\n1\n")}, Layout("csv", ("a",), rows=1)),
    "a header alone": ({"o.csv": b"a,b\n"}, Layout("csv", ("a", "b"))),
    "an empty file": ({"o.csv": b""}, Layout()),
    "no file": ({}, Layout()),
    "names that no table takes": (
        {"o.csv": b"a,Unit Price,date\n1,2,3\n"},
        Layout("csv", ("a", "unit_price", "raw_date"), rows=1),
    ),
    "files of which one has more columns behind": (
        {"1.csv": b"a,b\n1,2\n", "2.csv": b"a,b,c\n1,2,3\n", "3.csv": b""},
        Layout("csv", ("a", "b", "c"), rows=2),
    ),
    "JSON lines": ({"o.jsonl": b'{"A": 1}\n{"b": {"x": [1]}, "a": 2}\n'}, Layout("json", ("a", "b"), rows=2)),
    "JSON keys that no table takes": (
        {"o.json": b'{"a": 1, "Unit Price": 2, "date": 3}\n'},
        Layout("json", ("a", "unit_price", "raw_date"), {"unit_price": "unit price", "raw_date": "date"}, 1),
    ),
}


@pytest.mark.parametrize(("files", "expected"), READABLE.values(), ids=READABLE)
def test_what_a_serde_reads_has_columns(look: Look, files: dict[str, bytes], expected: Layout) -> None:
    assert look(files) == expected
    assert Layout.from_json(json.loads(json.dumps(expected.to_json()))) == expected


UNREADABLE: dict[str, tuple[dict[str, bytes], str]] = {
    "a quoted line break": (
        {"o.csv": b'a,b\n1,"x\ny"\n'},
        "o.csv: a record goes over several lines, or a line is blank",
    ),
    "a blank line": ({"o.csv": b"a,b\n\n1,2\n"}, "o.csv: a record goes over several lines, or a line is blank"),
    "a blank line first": ({"o.csv": b"\na,b\n1,2\n"}, "o.csv: its header stands on line 2"),
    "no UTF-8": ({"o.csv": b"a,b\n1,\xe9\n"}, "o.csv: it is not in UTF-8 throughout (declared is utf-8)"),
    "a quote amid a field": ({"o.csv": b'a,b\n1,5" x\n'}, "o.csv: a quote stands amid a field, or is never closed"),
    "a short row": ({"o.csv": b"a,b\n1\n"}, "o.csv: a record has more or fewer fields than the header"),
    "files joined, each with a BOM": (
        {"o.csv": b"a,b\n1,2\n\xef\xbb\xbf3,4\n"},
        "o.csv: a byte order mark stands amid it",
    ),
    "the escape character": ({"o.csv": b"a,b\n1,\x01\n"}, "o.csv: it holds the byte 0 or 1"),
    "gzip without the name": ({"o.csv": gzip.compress(b"a\n1\n")}, "o.csv is compressed, and its name says otherwise"),
    "the name without gzip": ({"o.csv.gz": b"a\n1\n"}, "o.csv.gz is not compressed, and its name says otherwise"),
    "another order in another file": (
        {"1.csv": b"a,b\n1,2\n", "2.csv": b"b,a\n2,1\n"},
        "2.csv has other columns, or in another order, than the files before it",
    ),
    "CSV beside JSON": ({"1.csv": b"a\n1\n", "2.json": b'{"a":1}\n'}, "some files are CSV, others are JSON"),
    "a JSON array": ({"o.json": b'[{"a": 1}]'}, "o.json is a JSON array, and the SerDe reads an object a line"),
    "JSON objects in one line": ({"o.json": b'{"a":1}{"a":2}\n'}, "o.json: a line holds several objects, or none"),
    "a blank line among JSON": ({"o.json": b'{"a":1}\n\n{"a":2}\n'}, "o.json: a line holds several objects, or none"),
    "a line that is no JSON": ({"o.json": b'{"a":1}\n{"a":\n'}, "o.json, line 2 is no JSON object"),
    "a line that is no object": ({"o.json": b'{"a":1}\n7\n'}, "o.json, line 2 is no JSON object"),
    "JSON that is no UTF-8": ({"o.json": b'{"a":"\xe9"}\n'}, "o.json, line 1 is no JSON object"),
    "a BOM before JSON": ({"o.json": b'\xef\xbb\xbf{"a":1}\n'}, "o.json begins with a byte order mark"),
    "a JSON key twice": ({"o.json": b'{"a":1,"A":2}\n'}, "o.json: an object has one key twice"),
    "JSON keys with spaces around": ({"o.json": b'{"a":1}\n{" a":2}\n'}, "keys differ only in spaces around them"),
}


@pytest.mark.parametrize(("files", "problem"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_no_serde_reads_has_a_reason(look: Look, files: dict[str, bytes], problem: str) -> None:
    """Registered all the same, it would give wrong rows, or fail every query over its table."""
    assert look(files) == Layout(problem=problem)


def test_a_long_delimiter_and_another_encoding_are_told(look: Look) -> None:
    wide = Source("orders", key="a", columns={"a": "string"}, csv=Csv(delimiter="||"))
    assert look({"o.csv": b"a||b\n1||2\n"}, source=wide).problem == "o.csv: its delimiter '||' is longer than a byte"
    latin = Source("orders", key="a", columns={"a": "string"}, csv=Csv(encoding="latin-1"))
    assert look({"o.csv": b"a,b\n1,2\n"}, source=latin) == Layout("csv", ("a", "b"), rows=1)
    assert "declared is latin-1" in str(look({"o.csv": b"a,b\n1,\xe9\n"}, source=latin).problem)


def test_a_marker_that_athena_would_read_is_told(look: Look) -> None:
    """Hidden from us by its declaration, it is a file of data to everybody else."""
    assert look({"o.csv": b"a\n1\n"}, markers=("done.flag",)).problem == (
        "done.flag is no data, but Athena would read it: only names that begin with _ are hidden"
    )


def test_columns_go_together_where_one_list_begins_with_the_other() -> None:
    assert longer(("a", "b"), ("a",)) == longer(("a",), ("a", "b")) == ("a", "b")
    assert longer((), ("a",)) == ("a",)
    assert longer(("a", "b"), ("b",)) is None


def test_what_cannot_be_inspected_says_why() -> None:
    assert unreadable(ColumnMissing("o.csv", ["a", "b"], ["c"])).problem == "o.csv lacks a, b"
    assert unreadable(BrokenFile("o.csv", 3, "expected text")).problem == "o.csv: expected text"
