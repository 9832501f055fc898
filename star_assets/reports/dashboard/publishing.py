"""Publishing pages in the lake: below `reports/`, which the documented policies do not let analysts read.

A page is replaced by one compare-and-swap, unless somebody has replaced it since its numbers
were queried. So readers see the old page or the new one, and an older page never replaces a
newer one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from star_assets.model import Dashboard, Star
from star_assets.model.errors import UnknownDashboard
from star_assets.reports.dashboard.answers import Answers, ask
from star_assets.reports.dashboard.document import document
from star_assets.reports.dashboard.page import html
from star_assets.reports.dashboard.viewers import lake_secret, pages

if TYPE_CHECKING:
    from star_assets.athena.client import Athena
    from star_assets.pipeline.warehouse import Warehouse

FOLDER = "reports/dashboard"


@dataclass(frozen=True)
class Published:
    """The outcome of publishing: the pages' folder and sizes in bytes, the number of removed ones, and the answers."""

    folder: str
    sizes: list[int]
    removed: int
    answers: Answers


def find_dashboard(star: Star, name: str) -> Dashboard:
    """The dashboard of that name. Raises UnknownDashboard."""
    known = {dashboard.name: dashboard for dashboard in star.dashboards}
    if name not in known:
        raise UnknownDashboard(name, list(known))
    return known[name]


def rendered(star: Star, dashboard: Dashboard, answers: Answers, viewer: str | None = None) -> bytes:
    """The HTML file of a dashboard with these answers. Raises NumberTooLarge."""
    return html(document(star, dashboard, answers, viewer)).encode()


def publish(warehouse: Warehouse, athena: Athena, dashboard: Dashboard) -> Published:
    """Write a dashboard's pages into the lake, and remove the pages of former viewers.

    Raises NumberTooLarge, and LostRace if another process replaced a page meanwhile.
    """
    storage, folder = warehouse.storage, f"{FOLDER}/{dashboard.name}"
    before = {stored.path: stored.etag for stored in storage.walk(folder)}
    answers = ask(warehouse, athena, dashboard)
    made = {
        f"{folder}/{name}": rendered(warehouse.star, dashboard, seen, viewer)
        for name, (viewer, seen) in pages(warehouse.star, dashboard, answers, lake_secret(storage)).items()
    }
    for path, content in made.items():
        storage.swap(path, content, before.get(path))
    gone = [path for path in before if path not in made]
    for path in gone:
        storage.delete_if(path, before[path])
    return Published(storage.uri(folder), [len(content) for content in made.values()], len(gone), answers)
