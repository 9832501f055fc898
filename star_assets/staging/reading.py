"""From a raw file to its records, whatever its format."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from star_assets.model.source import Source
from star_assets.staging.csv_records import read_csv
from star_assets.staging.files import RawProfile
from star_assets.staging.json_records import read_json
from star_assets.staging.records import Records


def read_records(path: Path, name: str, source: Source, profile: RawProfile) -> Iterator[Records]:
    """The file's records in batches of text rows and rejects. Raises BrokenFile, ColumnMissing, LakeRefused."""
    reader = read_csv if profile.format == "csv" else read_json
    return reader(path, name, source, profile)
