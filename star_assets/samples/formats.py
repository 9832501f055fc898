"""Writes the sample's rows as files: CSV as PostgreSQL's COPY writes it, JSON, and whole exports.

Not here: the rows (orders, customers, catalogue, stores).
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

MARKER = "_SUCCESS"


def utc(moment: datetime) -> str:
    """A UTC timestamp as PostgreSQL's COPY writes it: `2023-07-01 10:00:00+00`."""
    return f"{moment}+00"


def dollars(cents: int) -> Decimal:
    """Cents as dollars with two decimals, exactly."""
    return Decimal(cents).scaleb(-2)


def as_csv(row: type[Any], rows: Iterable[tuple[object, ...]]) -> bytes:
    """A header and the rows; None is an empty field."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(row._fields)
    writer.writerows(rows)
    return text.getvalue().encode()


def as_gzip(content: bytes) -> bytes:
    """Compressed; the same content gives the same bytes."""
    return gzip.compress(content, compresslevel=6, mtime=0)


def as_json_lines(rows: Iterable[NamedTuple]) -> bytes:
    """One JSON object per line."""
    return "".join(json.dumps(row._asdict(), ensure_ascii=False) + "\n" for row in rows).encode()


def as_json_array(rows: Iterable[NamedTuple]) -> bytes:
    """One JSON array of objects."""
    return json.dumps([row._asdict() for row in rows], ensure_ascii=False, indent=2).encode()


def write_export(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write one day's export of one source; the marker comes last. An identical export is left untouched."""
    marker = folder / MARKER
    if marker.exists() and all(_holds(folder / name, content) for name, content in files.items()):
        return
    folder.mkdir(parents=True, exist_ok=True)
    marker.unlink(missing_ok=True)
    for name, content in {**files, MARKER: b""}.items():
        # A file has a hidden name until it is whole.
        unfinished = folder / f"_{name}.{os.getpid()}.tmp"
        unfinished.write_bytes(content)
        unfinished.replace(folder / name)


def _holds(file: Path, content: bytes) -> bool:
    return file.exists() and file.stat().st_size == len(content) and file.read_bytes() == content
