"""The errors of Power BI: an unreadable file of a project, and a refresh that failed or did not end."""

from __future__ import annotations

from dataclasses import dataclass

from star_assets.model.errors.tree import Permanent, Transient


@dataclass(eq=False)
class UnreadableProject(Permanent):
    """A file of a report's project, which people may have edited, cannot be read."""

    file: str
    expected: str
    found: str

    def __str__(self) -> str:
        difference = f"{self.file}: expected {self.expected}, found {self.found}."
        return f"{difference} Nothing was written. Mend the file, or delete it."


@dataclass(eq=False)
class RefreshFailed(Permanent):
    """A refresh of a model in Power BI was refused, or did not complete."""

    model: str
    status: str
    detail: str

    def __str__(self) -> str:
        detail = f" Power BI says: {self.detail}" if self.detail else ""
        return (
            f"Power BI model {self.model}: expected a refresh that completes, found {self.status}.{detail} "
            "Its copy of the dimensions is that of the last refresh. See docs/power-bi.md, and materialize "
            "powerbi_refresh again."
        )


@dataclass(eq=False)
class RefreshUnfinished(Transient):
    """A refresh of a model in Power BI takes too long, or Power BI cannot be reached."""

    model: str
    reason: str

    def __str__(self) -> str:
        return (
            f"Power BI model {self.model}: whether it was refreshed is unknown, because {self.reason}. "
            "Materialize powerbi_refresh again later."
        )
