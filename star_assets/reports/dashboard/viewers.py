"""Who sees which page, and what that page is called.

A page's name cannot be guessed from its viewer's address: it is an HMAC of it, by a secret
that is made once for a lake. It protects pages on a web server that lists no folders. It
protects from nobody who can read or list `reports/` in the lake.
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

# Beside the folder of the pages, so that who copies that folder elsewhere leaves the secret here.
SECRET = "reports/_secret"

# Hexadecimal digits of a page's name: 128 bits.
DIGITS = 32


def own_page(star: Star, dashboard: Dashboard, answers: Answers, who: str) -> Answers:
    """What one address sees. Raises NobodysPage, and BadDeclaration where the fact says nothing of who sees it."""
    column, known = viewer(star, dashboard), address(who)
    if column is None:
        raise BadDeclaration(
            f"dashboard {dashboard.name}",
            f"{dashboard.fact} refers to no dimension with visible_to",
            "Make the page of everybody instead",
        )
    if known is None or known not in answers.viewers:
        raise NobodysPage(dashboard.name, who, f"{column.column} of {column.table.name}")
    return answers.seen_by(known)


def pages(star: Star, dashboard: Dashboard, answers: Answers, secret: bytes) -> dict[str, tuple[str | None, Answers]]:
    """By file name, whose page it is and what is on it: one for each viewer; one for all where nobody is restricted.

    Of a fact that does not say who sees it, in a star that says it of others, there is no page for all.
    """
    if not restricted(star):
        return {"index.html": (None, answers)}
    return {f"{opaque(secret, dashboard, who)}.html": (who, answers.seen_by(who)) for who in answers.viewers}


def opaque(secret: bytes, dashboard: Dashboard, who: str) -> str:
    """The name of a viewer's page, the same as long as the lake keeps its secret."""
    return hmac.new(secret, f"{dashboard.name}\n{who}".encode(), hashlib.sha256).hexdigest()[:DIGITS]


def lake_secret(storage: Storage) -> bytes:
    """The lake's secret; made now if there is none."""
    with suppress(FileNotFoundError):
        return storage.read(SECRET)[0]
    # Whoever makes it at the same time makes one for both.
    with suppress(LostRace):
        storage.swap(SECRET, secrets.token_hex(32).encode(), None)
    return storage.read(SECRET)[0]
