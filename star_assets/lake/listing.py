"""The data files of a catalog entry: those that the entry's parameters name, or else those that a listing finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from star_assets.lake.publish import FILES, VERSION
from star_assets.lake.storage import Storage
from star_assets.model.errors import BadQuery


@dataclass(frozen=True)
class Files:
    """The data files of a location: their paths in the lake, and the sum of their bytes."""

    paths: tuple[str, ...]
    size: int


class Listing:
    """Finds the data files of catalog entries; lists a folder only if the entry does not name its files."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    def files(self, location: str, parameters: Mapping[str, str]) -> Files:
        """The visible files below a location. Raises BadQuery for one outside the lake."""
        folder = self.storage.path(location)
        if folder is None:
            moved = "If the lake was moved or copied, `star-assets repair` mends that."
            raise BadQuery(f"LOCATION {location} lies outside the lake {self.storage.uri('')}. {moved}", "")
        if VERSION in parameters and FILES in parameters:
            names = parameters[FILES].split()
            return Files(tuple(f"{folder}/{name}" for name in names), int(parameters["size"]))
        stored = [entry for entry in self.storage.walk(folder) if _is_visible(entry.path[len(folder) :])]
        return Files(tuple(entry.path for entry in stored), sum(entry.size for entry in stored))


def _is_visible(path: str) -> bool:
    return not any(part.startswith(("_", ".")) for part in path.split("/"))
