"""Shared by the tests of staging: raw files made of bytes, and what the readers find in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from star_assets.exports.formats.format import RawProfile
from star_assets.exports.formats.opening import inspect_file, read_records
from star_assets.exports.records import LINE, RAW, Reject
from star_assets.model import Source

Row = tuple[str | None, ...]


class Found(NamedTuple):
    """Everything that inspection and the exact reader say of a file."""

    profile: RawProfile
    columns: tuple[str, ...]
    rows: list[Row]
    lines: list[int]
    raws: list[str]
    rejects: list[Reject]

    @property
    def reasons(self) -> list[tuple[int, str, str]]:
        """Each reject as (line, raw text, reason)."""
        return [(reject.line, reject.raw, reject.reason) for reject in self.rejects]


def read_all(path: Path, source: Source) -> Found:
    """Inspect the file and read it to its end."""
    profile = inspect_file(path, path.name, source)
    columns: tuple[str, ...] = profile.header
    rows: list[Row] = []
    lines: list[int] = []
    raws: list[str] = []
    rejects: list[Reject] = []
    for batch in read_records(path, path.name, source, profile):
        columns = tuple(name for name in batch.table.column_names if name not in (LINE, RAW))
        rows += zip(*(batch.table[name].to_pylist() for name in columns), strict=True)
        lines += batch.table[LINE].to_pylist()
        raws += batch.table[RAW].to_pylist()
        rejects += batch.rejects
    return Found(profile, columns, rows, lines, raws, rejects)


@pytest.fixture
def look(tmp_path: Path) -> Callable[..., Found]:
    """`look(content, source, name)`: what is found in a file of this content."""

    def find(content: bytes, source: Source, name: str = "orders.csv") -> Found:
        path = tmp_path / name
        path.write_bytes(content)
        return read_all(path, source)

    return find
