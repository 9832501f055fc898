"""What a manifest says of a version's files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from star_assets.engines.description import Description, describe_files
from star_assets.lake.versions import DataFile


def describe(
    files: Sequence[Path], thoroughly: bool = False, known: Description | None = None
) -> tuple[tuple[DataFile, ...], tuple[tuple[str, str], ...], Mapping[str, Mapping[str, Any]]]:
    """The files, named part-00000.parquet and so on; their common schema, by column; the statistics of each column.

    `known` is what their engine said of them; without it, the files are read, `thoroughly` or not.
    """
    found = known or describe_files(files, thoroughly)
    named = [DataFile(f"part-{number:05}.parquet", **vars(file)) for number, file in enumerate(found.files)]
    return tuple(named), found.schema, found.statistics
