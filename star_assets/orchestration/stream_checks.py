"""Checks of streams: whether events still arrive, and whether provisional receipts are closed in time.

Not here: the other checks, and when they run (checks).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from star_assets.model import Fact, Source
from star_assets.model.days import day_of
from star_assets.orchestration.describe import utc
from star_assets.pipeline.outcome import CheckResult

if TYPE_CHECKING:
    from star_assets.lake.versions import Manifest
    from star_assets.pipeline.warehouse import Warehouse

ALIVE, CLOSED = "alive", "receipts_closed"

# Events are usual in an hour of a weekday if they arrived in it in USUAL of the WEEKS weeks before.
WEEKS, USUAL = 4, 2

# So many receipts are named in the check's description; the rest are counted.
NAMED = 10


def alive(warehouse: Warehouse, stream: Source, now: datetime | None = None) -> CheckResult:
    """Fails if no event arrived in the last whole hour, though events usually arrive in that hour of that weekday."""
    moment = (now or datetime.now(UTC)).astimezone(warehouse.settings.zone)
    hour = moment.replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    before = [_arrived(warehouse, stream, hour - timedelta(weeks=week)) for week in range(1, WEEKS + 1)]
    arrived = _arrived(warehouse, stream, hour) or _arrived(warehouse, stream, hour + timedelta(hours=1))
    live = warehouse.staged(stream)
    newest = _newest(warehouse.live_manifest(stream.name, day_of(max(live))), stream) if live else None
    latest = f"the newest event is of {newest:%Y-%m-%d %H:%M} UTC" if newest else "no event has ever arrived"
    usual = f"in {sum(before)} of {WEEKS} weeks before, events arrived in that hour"
    metadata: dict[str, Any] = {"hour": f"{hour:%Y-%m-%d %H}:00", "weeks with events": sum(before)}
    if newest:
        metadata["minutes since the newest event"] = round(((now or datetime.now(UTC)) - newest).total_seconds() / 60)
    passed = arrived or sum(before) < USUAL
    return CheckResult(ALIVE, passed, f"{hour:%Y-%m-%d %H}:00: {latest}; {usual}", metadata)


def receipts_closed(warehouse: Warehouse, fact: Fact, now: datetime | None = None) -> CheckResult:
    """Fails if receipts are provisional for longer than `closes_after`. Names them, with their keys and amounts."""
    assert fact.provisional is not None
    before = (now or datetime.now(UTC)) - fact.provisional.closes_after
    found = warehouse.provisional_receipts(fact.name, before)
    hours = fact.provisional.closes_after / timedelta(hours=1)
    sums = {column: sum(receipt[column] or 0 for receipt in found) for column in fact.summed}
    text = f"{len(found):,} receipts are provisional for longer than {hours:g} hours"
    if found:
        more = f"; and {len(found) - NAMED:,} more" if len(found) > NAMED else ""
        text += f", {_amounts(sums)}: {'; '.join(map(_receipt, found[:NAMED]))}{more}. Export "
        text += f"{fact.provisional.until.name} with them, or send events that void them"
    return CheckResult(CLOSED, not found, text, {"expected": 0, "actual": len(found), **_texts(sums)})


def _arrived(warehouse: Warehouse, stream: Source, hour: datetime) -> bool:
    """Whether files of that hour of the stream are staged."""
    manifest = warehouse.live_manifest(stream.name, f"{hour:%Y-%m-%d}")
    folder = f"/date={hour:%Y-%m-%d}/hour={hour:%H}/"
    return manifest is not None and any(folder in file["path"] for file in manifest.inputs.get("files", ()))


def _newest(manifest: Manifest | None, stream: Source) -> datetime | None:
    newest = manifest and manifest.statistics.get(str(stream.event_time), {}).get("max")
    return utc(newest) if newest else None


def _receipt(found: dict[str, Any]) -> str:
    since, rows = found["since"], found["rows"]
    named = ", ".join(
        f"{column} {value}" for column, value in found.items() if column not in ("since", "rows") and value is not None
    )
    return f"{named}, {rows} rows since {since:%Y-%m-%d %H:%M} UTC"


def _amounts(sums: dict[str, Any]) -> str:
    return ", ".join(f"{column} {amount:,}" for column, amount in sums.items())


def _texts(sums: dict[str, Any]) -> dict[str, str]:
    return {column: f"{amount:,}" for column, amount in sums.items()}
