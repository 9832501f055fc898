"""The pages of a dashboard's viewers, and their names.

A page's name cannot be guessed from its viewer's address: it is an HMAC of the address, with a
secret that is created once for a lake. This protects pages on a web server that lists no folders.
It does not protect them from people who can read or list `reports/` in the lake.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from contextlib import suppress

from star_assets.lake.storage import Storage
from star_assets.model import Dashboard, Star
from star_assets.model.errors import BadDeclaration, LostRace, NobodysPage
from star_assets.reports.dashboard.answers import Answers, address
from star_assets.reports.dashboard.measured import restricted, viewer

# Outside of the pages' folder, so that copying that folder elsewhere does not copy the secret.
SECRET = "reports/_secret"

# Hexadecimal digits of a page's name: 128 bits.
DIGITS = 32


def own_page(star: Star, dashboard: Dashboard, answers: Answers, who: str) -> Answers:
    """The answers for one address. Raises NobodysPage; BadDeclaration if the fact has no `visible_to`."""
    column, known = viewer(star, dashboard), address(who)
    if column is None:
        raise BadDeclaration(
            f"dashboard {dashboard.name}",
            f"{dashboard.fact} refers to no dimension with visible_to",
            "Write the page with everybody's rows instead",
        )
    if known is None or known not in answers.viewers:
        raise NobodysPage(dashboard.name, who, f"{column.column} of {column.table.name}")
    return answers.seen_by(known)


def pages(star: Star, dashboard: Dashboard, answers: Answers, secret: bytes) -> dict[str, tuple[str | None, Answers]]:
    """The viewer and the answers of each page, by file name. Without restrictions, there is one page for all.

    If the star restricts other facts, but not this one, it has no page.
    """
    if not restricted(star):
        return {"index.html": (None, answers)}
    return {f"{opaque(secret, dashboard, who)}.html": (who, answers.seen_by(who)) for who in answers.viewers}


def opaque(secret: bytes, dashboard: Dashboard, who: str) -> str:
    """The name of a viewer's page, the same as long as the lake keeps its secret."""
    return hmac.new(secret, f"{dashboard.name}\n{who}".encode(), hashlib.sha256).hexdigest()[:DIGITS]


def lake_secret(storage: Storage) -> bytes:
    """The lake's secret, which is created if there is none."""
    with suppress(FileNotFoundError):
        return storage.read(SECRET)[0]
    # If two processes create it at the same time, the first one's is used by both.
    with suppress(LostRace):
        storage.swap(SECRET, secrets.token_hex(32).encode(), None)
    return storage.read(SECRET)[0]
