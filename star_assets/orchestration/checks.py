"""Non-blocking asset checks of a whole table: freshness, volume, repeated keys, references, reconciliation.

`freshness` and `volume` read the catalog; `repeated_keys` and `identical_rows` read
what staging counted; `out_of_date` compares live versions with the staged exports;
`references` and `reconciliation` examine the days of a fact that the run built. Not
here: what the checks of streams and of provisional rows compute (stream_checks), the
blocking audit of each version, which is part of publishing it (pipeline).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from statistics import median
from typing import Any

import dagster as dg

from star_assets.model import Dimension, Fact, Source, Star
from star_assets.model.errors import StarError
from star_assets.model.schema import AnyTable
from star_assets.orchestration.describe import account_table, check_result, database
from star_assets.orchestration.failures import SHOWN, as_failure
from star_assets.orchestration.keys import asset_key
from star_assets.orchestration.resources import WAREHOUSE
from star_assets.orchestration.stream_checks import ALIVE, CLOSED, alive, receipts_closed
from star_assets.pipeline.account import UNEXPLAINED, Account
from star_assets.pipeline.outcome import CheckResult
from star_assets.settings import Settings

# The newest day is compared with the median of the DAYS_BEFORE days before it, if there
# are at least DAYS_NEEDED; less than half of it or more than double is unusual.
DAYS_BEFORE, DAYS_NEEDED = 14, 7
LEAST, MOST = 0.5, 2.0

DAYS_OF_A_YEAR = 366

# The counts of staging, which are also the names of the checks that read them.
REPEATED, IDENTICAL = "repeated_keys", "identical_rows"

_OF_SOURCE = ["freshness", "volume", REPEATED, IDENTICAL]

DESCRIPTIONS = {
    "freshness": "Yesterday is live, or the last day before it on which the source exports.",
    "volume": f"The newest day has {LEAST:.0%} to {MOST:.0%} of the median rows of the {DAYS_BEFORE} days before.",
    REPEATED: "No export has several different rows of one key and version.",
    IDENTICAL: "No export has a row twice.",
    "out_of_date": "Every business date is built from the staged exports of now, and every row has a partition.",
    "references": "An inner join with any dimension finds every row, and every cent.",
    "reconciliation": "Every exported line is a sale or has a cause not to be one, day by day, to the cent.",
    ALIVE: "Events arrived in the last hour, if they usually do in that hour.",
    CLOSED: "No receipt stays provisional for longer than it should: its order is exported, or it is voided.",
}


def build_checks(star: Star, settings: Settings) -> list[dg.AssetChecksDefinition]:
    """For each partitioned table one step that evaluates all its aggregated checks."""
    return [
        build_check(table, asset_key(settings, table.name))
        for table in star.tables.values()
        if not isinstance(table, Dimension)
    ]


def build_check(table: AnyTable, key: dg.AssetKey) -> dg.AssetChecksDefinition:
    """The aggregated checks of one source or fact; any of them can be run alone."""
    names = names_of(table)
    specs = [dg.AssetCheckSpec(name, asset=key, description=DESCRIPTIONS[name]) for name in names]

    source = table if isinstance(table, Source) else None

    @dg.multi_asset_check(name=f"{table.name}_checks", specs=specs, can_subset=True, required_resource_keys={WAREHOUSE})
    def evaluate(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        warehouse = context.resources.warehouse
        chosen = {key.name for key in context.selected_asset_check_keys}
        try:
            rows = live_rows(warehouse, table)
            today = warehouse.settings.last_day_over + timedelta(days=1)
            if "freshness" in chosen:
                yield check_result(freshness(rows, today, source), dg.AssetCheckSeverity.WARN)
            if "volume" in chosen:
                yield check_result(volume(rows), dg.AssetCheckSeverity.WARN)
            for name, judge in ((REPEATED, repeated_keys), (IDENTICAL, identical_rows)):
                if name in chosen:
                    days = days_of_run(context) or list(rows)[-DAYS_BEFORE:]
                    counts = counted(warehouse, table, days, name)
                    yield check_result(judge(counts), dg.AssetCheckSeverity.WARN)
            if ALIVE in chosen and source:
                yield check_result(alive(warehouse, source), dg.AssetCheckSeverity.WARN)
            if CLOSED in chosen and isinstance(table, Fact):
                yield check_result(receipts_closed(warehouse, table), dg.AssetCheckSeverity.WARN)
            if "out_of_date" in chosen:
                yield check_result(out_of_date(warehouse, table), dg.AssetCheckSeverity.WARN)
            if "references" in chosen:
                totals = warehouse.joined(table.name, days_of_run(context) or list(rows))
                yield check_result(references(totals), dg.AssetCheckSeverity.ERROR)
            if "reconciliation" in chosen:
                account = warehouse.reconcile(table.name, days_of_run(context) or list(rows))
                yield check_result(reconciliation(account), dg.AssetCheckSeverity.ERROR)
        except StarError as error:
            raise as_failure(error) from None

    return evaluate


def names_of(table: AnyTable) -> list[str]:
    """The checks that a source, a stream or a fact has."""
    if isinstance(table, Fact):
        closed = [CLOSED] if table.provisional else []
        return ["freshness", "volume", "out_of_date", "references", "reconciliation", *closed]
    # Events arrive at least once, and in no fixed number.
    return [ALIVE, REPEATED] if isinstance(table, Source) and table.is_stream else _OF_SOURCE


def days_of_run(context: dg.AssetCheckExecutionContext) -> list[str]:
    """The run's days; none if the check is evaluated alone."""
    partitioned = context.has_partition_key or context.has_partition_key_range
    return list(context.partition_keys) if partitioned else []


def live_rows(warehouse: Any, table: AnyTable) -> dict[str, int]:
    """The rows of every day that the catalog serves, in order."""
    served = warehouse.catalog.partitions(database(table), table.name)
    rows: dict[str, int] = {}
    for entry in served:
        rows[entry.values[0]] = rows.get(entry.values[0], 0) + int(entry.parameters.get("rows", 0))
    return rows


def freshness(rows: Mapping[str, int], today: date, source: Source | None = None) -> CheckResult:
    """Passes if the last past day is live; of a source, the last past day on which it exports."""
    over = (str(today - timedelta(days=ago)) for ago in range(1, DAYS_OF_A_YEAR))
    expected = next((day for day in over if source is None or source.expects(day)), str(today))
    newest = max(rows, default=None)
    passed = newest is not None and newest >= expected
    found = f"the newest live day is {newest}" if newest else "no day is live"
    return CheckResult(
        "freshness",
        passed,
        f"expected {expected} to be live; {found}",
        {"expected": expected, "actual": newest or "none"},
    )


def volume(rows: Mapping[str, int]) -> CheckResult:
    """Compares the rows of the newest day with the median of the days before it."""
    *before, newest = sorted(rows) or [""]
    compared = [rows[day] for day in before[-DAYS_BEFORE:]]
    if len(compared) < DAYS_NEEDED:
        return CheckResult(
            "volume", True, f"{len(compared)} days before the newest one; from {DAYS_NEEDED} on they are compared"
        )
    usual, found = median(compared), rows[newest]
    return CheckResult(
        "volume",
        LEAST * usual <= found <= MOST * usual,
        f"{newest}: expected {LEAST * usual:g} to {MOST * usual:g} rows, found {found}",
        {"expected": f"{LEAST * usual:g} to {MOST * usual:g}", "actual": found, "median before": usual},
    )


def counted(warehouse: Any, table: AnyTable, days: Sequence[str], what: str) -> dict[str, int]:
    """For each live day of a source, one of the counts of staging: `repeated_keys` or `identical_rows`."""
    manifests = {day: warehouse.live_manifest(table.name, day) for day in days}
    return {day: int(found.facts.get(what, 0)) for day, found in manifests.items() if found}


def repeated_keys(counts: Mapping[str, int]) -> CheckResult:
    """Fails if an export has different rows of one key and version, of which the greatest by content wins."""
    problem = "expected one row for each key and version; {total} keys of {days} days have several, "
    return _none_counted(REPEATED, counts, f"{problem}and the greatest by content counts")


def identical_rows(counts: Mapping[str, int]) -> CheckResult:
    """Fails if an export has identical rows: only its owner knows whether the same was sold twice."""
    problem = "expected each row once; {total:,} rows of {days} days are identical to another one and were left out: "
    remedy = "`star-assets reconcile` says what they are worth, and key=None keeps them"
    return _none_counted(IDENTICAL, counts, f"{problem}{remedy}")


def _none_counted(name: str, counts: Mapping[str, int], sentence: str) -> CheckResult:
    """The result of a check that expects a count of zero on each day."""
    days, total = [day for day, count in counts.items() if count], sum(counts.values())
    found = {"expected": 0, "actual": total, "days": days}
    return CheckResult(name, not days, sentence.format(total=total, days=len(days)), found)


def out_of_date(warehouse: Any, table: AnyTable) -> CheckResult:
    """Fails if business dates are out of date. Dagster cannot tell: an export of today may concern last week."""
    found = warehouse.out_of_date(table.name)
    days, waiting, outside = list(found.days), list(found.waiting), list(found.outside)
    lines = [f"{len(days)} business dates are out of date" + (f": {', '.join(days[:SHOWN])}" if days else "")]
    lines += warehouse.remarks(table.name, found)
    return CheckResult(
        "out_of_date",
        not days and len(lines) == 1,
        ". ".join(lines),
        {"expected": 0, "actual": len(days), "days": days, "waiting": waiting, "outside the partitions": outside},
    )


def references(totals: Mapping[str, Mapping[str, Any]]) -> CheckResult:
    """Fails if an inner join with a dimension changes the fact's number of rows or its sums."""
    whole = totals.get("", {})
    losing = {column: found for column, found in totals.items() if found != whole}
    return CheckResult(
        "references",
        not losing,
        f"{len(losing)} of {max(len(totals) - 1, 0)} inner joins lose or repeat rows"
        + (f": by {', '.join(losing)}" if losing else ""),
        {"expected": _added_up(whole), "actual": "; ".join(map(_added_up, losing.values())) or "the same by each join"},
    )


def reconciliation(account: Account) -> CheckResult:
    """Fails if a day of the fact differs from its sources. Shows what each step removed or added."""
    totals, days = account.totals(), account.differing
    found = totals.get(UNEXPLAINED, {})
    return CheckResult(
        "reconciliation",
        not days,
        (
            f"{len(days)} of {len(account.days)} days differ from their sources: {', '.join(days[:SHOWN])}."
            if days
            else f"Days: {len(account.days)}. Nothing is unexplained."
        )
        + f"\n\n{account_table(list(account.measures), totals)}",
        {
            "expected": "nothing unexplained",
            "actual": _added_up(found) if days else "nothing unexplained",
            "days": days,
        },
    )


def _added_up(totals: Mapping[str, Any]) -> str:
    return ", ".join(f"{measure} {amount:,}" for measure, amount in totals.items() if amount is not None) or "nothing"
