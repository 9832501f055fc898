"""The errors of dashboards: unknown names, numbers too large for a browser, viewers without rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from star_assets.model.errors.tree import Permanent


@dataclass(eq=False)
class UnknownDashboard(Permanent):
    """No such dashboard in the star."""

    name: str
    known: Sequence[str]

    def __str__(self) -> str:
        declared = f"The star declares {', '.join(self.known)}." if self.known else "The star declares none."
        return f"There is no dashboard {self.name!r}. {declared} See docs/dashboard.md."


@dataclass(eq=False)
class NumberTooLarge(Permanent):
    """A dashboard's number that a browser cannot count exactly; `total` is the sum of absolute values."""

    dashboard: str
    fact: str
    column: str
    total: str

    def __str__(self) -> str:
        return (
            f"dashboard {self.dashboard}: the sizes of {self.fact}.{self.column} add up to {self.total}, and a browser "
            "counts exactly only below 2^53 of the least unit that occurs. No page was written. Show a measure with "
            "fewer decimals."
        )


@dataclass(eq=False)
class NobodysPage(Permanent):
    """A page for an address that may see no member."""

    dashboard: str
    address: str
    column: str

    def __str__(self) -> str:
        return (
            f"dashboard {self.dashboard}: {self.address} sees nothing, because no {self.column} is that address. "
            "No page was written. Is the address right, and is the dimension up to date?"
        )
