"""DuckDB's reader, where it is trusted with a file, and the exact reader: the same rows, whatever the file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from star_assets.engines.duckdb.engine import DuckDBEngine
from star_assets.engines.engine import ExportInput, RawInput, StagedDay
from star_assets.model import Column, Csv, Source, Star
from star_assets.settings import Settings
from star_assets.staging.formats.opening import inspect_file

from ..workplaces import workplace

DAY = "2023-07-01"
ANY = Column("string", optional=True)

TEXTS = [
    "x",
    "y z",
    "NULL",
    "\\N",
    "\\",
    '"',
    "'",
    "é",
    "\ufeff",
    "#",
    "0",
    "\u2028",
    "\x0b",
    "\x1a",
    " ",
    "\t",
    ",",
    ";",
]


@pytest.fixture(scope="module")
def engine() -> Iterator[DuckDBEngine]:
    with tempfile.TemporaryDirectory() as lake:
        yield DuckDBEngine(workplace(Star([], [], []), Settings(lake=lake, threads=2)))


@st.composite
def exports(draw: st.DrawFn) -> tuple[Csv, bytes]:
    """A file in some dialect: most fields as they should be written, some rows torn."""
    csv = Csv(
        delimiter=draw(st.sampled_from(",;\t|")),
        quote=draw(st.sampled_from("\"'")),
        null=draw(st.sampled_from([("",), (), ("\\N",), ("", "NULL")])),
    )
    special = [csv.quote, csv.quote * 2, csv.delimiter, "\n", "\r", csv.quote + csv.delimiter + csv.quote]
    torn = st.lists(st.sampled_from([*special, *TEXTS]), max_size=5).map("".join)
    text = st.lists(st.sampled_from([*TEXTS, "\n", csv.quote]), max_size=3).map("".join)
    quoted = text.map(lambda found: csv.quote + found.replace(csv.quote, csv.quote * 2) + csv.quote)
    bare = st.sampled_from([found for found in TEXTS if found not in (csv.quote, csv.delimiter)])
    row = st.lists(quoted | bare | st.just(""), min_size=3, max_size=3).map(csv.delimiter.join)
    rows = draw(st.lists(row, max_size=4)) + draw(st.lists(row | torn, max_size=2))
    lines = [csv.delimiter.join("abc"), *rows]
    line_end = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    return csv, ("\n".join(lines) + draw(st.sampled_from(["", "\n"]))).replace("\n", line_end).encode()


@settings(deadline=None, max_examples=150)
@given(export=exports())
def test_both_readers_find_the_same_rows(engine: DuckDBEngine, export: tuple[Csv, bytes]) -> None:
    """The quick one knows no lines and no rejects: a file that it reads otherwise must not get to it."""
    csv, content = export
    source = Source("notes", key="a", columns=dict.fromkeys("abc", ANY), csv=csv, max_rejects=1.0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "notes.csv"
        path.write_bytes(content)
        profile = inspect_file(path, path.name, source)
        found, exact = (
            staged(engine, source, RawInput(path, path.name, taken), Path(folder))
            for taken in (profile, replace(profile, plain=False))
        )
    assert found == exact


def staged(engine: DuckDBEngine, source: Source, raw: RawInput, folder: Path) -> tuple[Any, ...]:
    """The rows, and the account of them."""
    (day,) = engine.stage(source, [ExportInput(DAY, (raw,))], folder)
    assert isinstance(day, StagedDay)
    return pq.read_table(day.file).to_pylist(), day.counts, day.first_rejects
