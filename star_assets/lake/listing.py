"""The data files of what the catalog serves: as its parameters name them, or as a listing finds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from star_assets.lake.publish import FILES, VERSION
from star_assets.lake.storage import Storage
from star_assets.model.errors import BadQuery


@dataclass(frozen=True)
class Files:
    """The data files of a location: paths in the lake, and their bytes together."""

    paths: tuple[str, ...]
    size: int


class Listing:
    """The files of locations: what the catalog says, or a listing where it does not."""

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
