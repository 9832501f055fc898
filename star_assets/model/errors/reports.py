"""The error of report projects: a file that people work on too cannot be read, so the report is not written."""

from __future__ import annotations

from dataclasses import dataclass

from star_assets.model.errors.tree import Permanent


@dataclass(eq=False)
class UnreadableProject(Permanent):
    """A file of a report's project, which people work on too, cannot be read."""

    file: str
    expected: str
    found: str

    def __str__(self) -> str:
        told = f"{self.file}: expected {self.expected}, found {self.found}."
        return f"{told} Nothing was written. Mend the file, or delete it."
