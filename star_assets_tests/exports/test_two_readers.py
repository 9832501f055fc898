"""DuckDB's reader, where it is trusted with a file, and the exact reader: the same rows, whatever the file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import randrange
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from star_assets.engines.duckdb.engine import DuckDBEngine
from star_assets.engines.engine import ExportInput, RawInput, StagedDay
from star_assets.exports.content import CHUNK
from star_assets.exports.formats.opening import inspect_file
from star_assets.model import Column, Csv, Source, Star
from star_assets.settings import Settings

from ..workplaces import workplace
from . import dirty_files

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
    # Files that were joined have their header once more.
    header = csv.delimiter.join(draw(st.sampled_from(["abc", "aBC", ("a", "Bb", "c c")])))
    row = st.lists(quoted | bare | st.just(""), min_size=3, max_size=3).map(csv.delimiter.join)
    rows = draw(st.lists(row | st.just(header), max_size=4)) + draw(st.lists(row | torn | st.just(header), max_size=2))
    lines = [header, *rows]
    line_end = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    return csv, ("\n".join(lines) + draw(st.sampled_from(["", "\n"]))).replace("\n", line_end).encode()


@settings(deadline=None, max_examples=150)
@given(export=exports(), key=st.sampled_from(["a", None]))
def test_both_readers_find_the_same_rows(engine: DuckDBEngine, export: tuple[Csv, bytes], key: str | None) -> None:
    """The quick one knows no lines and no rejects: a file that it reads otherwise must not get to it."""
    csv, content = export
    source = Source("notes", key=key, columns=dict.fromkeys("abc", ANY), csv=csv, max_rejects=1.0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "notes.csv"
        path.write_bytes(content)
        profile = inspect_file(path, path.name, source)
        found, exact = (
            staged(engine, source, RawInput(path, path.name, taken), Path(folder))
            for taken in (profile, replace(profile, plain=False))
        )
    assert found == exact


@pytest.mark.parametrize(
    "content", [b"Name,City\n%b\nJo,Rome\n", b"Name,City\r\nJo,Rome\r\n%b", b"Name,City\n%b\n,Rome\n"]
)
def test_a_header_amid_text_is_a_reject_on_both_readers(engine: DuckDBEngine, tmp_path: Path, content: bytes) -> None:
    """The quick reader looked for its lower-case name, so an invalid row decided whether it was a row."""
    path = tmp_path / "people.csv"
    path.write_bytes(content % b"Name,City")
    source = Source("people", key="name", columns={"name": "string", "city": "string"}, max_rejects=1.0)
    profile = inspect_file(path, path.name, source)
    rows, _, rejects = staged(engine, source, RawInput(path, path.name, profile), tmp_path)
    assert [row["name"] for row in rows if row["name"]] == (["Jo"] if b"Jo" in content else [])
    assert sum("found the header again" in reject for reject in rejects) == 1


def test_a_header_is_found_again_where_the_file_is_read_in_pieces(tmp_path: Path) -> None:
    """The line may begin in one piece and end in the next."""
    source = Source("people", key="name", columns={"name": "string", "city": "string"}, max_rejects=1.0)
    for padding in range(CHUNK - 24, CHUNK - 8):
        path = tmp_path / "people.csv"
        path.write_bytes(b"Name,City\nJo," + b"x" * padding + b"\nName,City\nJo,y\n")
        assert not inspect_file(path, path.name, source).plain
        path.write_bytes(b"Name,City\nJo," + b"x" * padding + b"\nName,Citz\nJo,y\n")
        assert inspect_file(path, path.name, source).plain


def staged(engine: DuckDBEngine, source: Source, raw: RawInput, folder: Path) -> tuple[Any, ...]:
    """The rows, and the account of them."""
    (day,) = engine.stage(source, [ExportInput(DAY, (raw,))], folder)
    assert isinstance(day, StagedDay)
    return pq.read_table(day.file).to_pylist(), day.counts, day.first_rejects


@pytest.mark.parametrize("files", [100, pytest.param(2_000, marks=pytest.mark.long)], ids="{} files".format)
def test_dirty_files_are_read_alike(engine: DuckDBEngine, tmp_path: Path, files: int) -> None:
    """Together or one by one, by the quick reader or by the exact one: the same rows, the same rejects."""
    first = randrange(10**9)
    found = dirty_files.exports(range(first, first + files), tmp_path)
    quick = 0
    for source in dirty_files.SOURCES:
        given = found.get(source.name, [])
        quick += sum(file.profile.plain for export in given for file in export.files)
        trusted = all_of(engine, source, given, tmp_path / f"{source.name}-quick")
        exact = all_of(engine, source, [dirty_files.exactly(export) for export in given], tmp_path / source.name)
        for export in given:
            assert trusted[export.day] == exact[export.day], f"seed {export.files[0].name}, source {source.name}"
    assert sum(map(len, found.values())) > files / 2
    assert quick > files / 8


def all_of(
    engine: Any, source: Source, exports: list[ExportInput], folder: Path
) -> dict[str, tuple[list[str], list[Any], list[Any]]]:
    """For each day its rows, the count of its records, and its rejects, as text."""
    folder.mkdir()
    found = {}
    for day in engine.stage(source, exports, folder) if exports else ():
        rejects = pq.read_table(day.rejects).to_pylist() if day.rejects else []
        kept = [(one["line"], one["reason"], one["raw"]) for one in rejects]
        counts = [*day.counts, day.extra, day.repeated_keys, day.identical_rows]
        found[day.day] = sorted(map(str, pq.read_table(day.file).to_pylist())), counts, sorted(kept)
    return found
