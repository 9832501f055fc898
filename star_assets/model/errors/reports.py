"""Errors of Power BI: a project's file that cannot be read, and a published model that is not refreshed."""

from __future__ import annotations

from dataclasses import dataclass

from star_assets.model.errors.tree import Permanent, Transient


@dataclass(eq=False)
class UnreadableProject(Permanent):
    """A file of a report's project, which people work on too, cannot be read."""

    file: str
    expected: str
    found: str

    def __str__(self) -> str:
        told = f"{self.file}: expected {self.expected}, found {self.found}."
        return f"{told} Nothing was written. Mend the file, or delete it."


@dataclass(eq=False)
class RefreshFailed(Permanent):
    """A refresh of a model in Power BI was refused, or ended otherwise than well."""

    model: str
    status: str
    told: str

    def __str__(self) -> str:
        said = f" Power BI says: {self.told}" if self.told else ""
        return (
            f"Power BI model {self.model}: expected a refresh that completes, found {self.status}.{said} "
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
            f"Power BI model {self.model}: it is not known whether it is refreshed, because {self.reason}. "
            "Materialize powerbi_refresh again later."
        )
