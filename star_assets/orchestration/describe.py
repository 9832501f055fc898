"""Dagster metadata of tables, of each published day, and of checks.

Dagster's UI renders Markdown, and every check's description, as HTML with links and
images. So values from data go only into text and table metadata, which the UI shows
without rendering. Not here: running steps and checks (assets, checks).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import dagster as dg

from star_assets.model import Dimension, Fact, Source, Star
from star_assets.model.errors.exports import visible_names
from star_assets.model.schema import AnyTable
from star_assets.orchestration.keys import asset_key
from star_assets.pipeline.account import MOVED_IN, MOVED_OUT, UNEXPLAINED
from star_assets.pipeline.outcome import CheckResult, Outcome
from star_assets.pipeline.publishing import USED
from star_assets.prices import used
from star_assets.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa

    from star_assets.athena.client import Result
    from star_assets.lake.versions import Manifest
    from star_assets.pipeline.warehouse import Warehouse

Metadata = dict[str, Any]

# The one blocking check of every asset.
AUDIT = "audit"

# Facts of a manifest that are not shown: they serve the pipeline, or are shown as check evaluations.
INTERNAL = {"checks", "audited_against", "exports_read_in_pass", USED}

# The number of days in a bar chart of text, and the characters of its bars.
DAYS_SHOWN, STEPS = 30, "▁▂▃▄▅▆▇█"

# A sample has at most so many columns, and cells of so many characters, to fit on a page.
COLUMNS, CELL = 50, 40


def database(table: AnyTable) -> str:
    """The database that holds a table."""
    return "staging" if isinstance(table, Source) else "olap"


def definition_metadata(star: Star, table: AnyTable, settings: Settings) -> Metadata:
    """Metadata from a table's declaration: its name, its columns, and the lineage of each."""
    columns = [
        dg.TableColumn(field.name, str(field.type), description=field.description or None)
        for field in star.fields(table)
    ]
    metadata: Metadata = {
        "dagster/table_name": f"{database(table)}.{table.name}",
        "dagster/column_schema": dg.TableSchema(columns),
    }
    if isinstance(table, Fact):
        metadata["rows sorted by"] = ", ".join(table.row_order)
    if not isinstance(table, Source):
        lineage = column_lineage(star, table, settings)
        metadata["dagster/column_lineage"] = lineage
        # The open-source UI has no view of column lineage, so a table shows it too.
        metadata["lineage"] = lineage_table(lineage)
    return metadata


def column_lineage(star: Star, table: Any, settings: Settings) -> dg.TableColumnLineage:
    """The source columns of each column; those computed from none are left out."""
    deps = {
        column: [
            dg.TableColumnDep(asset_key(settings, source), origin)
            for source, origin in sorted(origins)
            if source in star.sources
        ]
        for column, origins in star.lineage(table).items()
    }
    return dg.TableColumnLineage({column: found for column, found in deps.items() if found})


def lineage_table(lineage: dg.TableColumnLineage) -> dg.MetadataValue:
    """Each column and what it comes from, as a table."""
    origins = {
        column: ", ".join(f"{dep.asset_key.to_user_string()}.{dep.column_name}" for dep in deps)
        for column, deps in lineage.deps_by_column.items()
    }
    return _table(["column", "comes from"], origins.items())


def outcome_metadata(table: AnyTable, outcome: Outcome) -> Metadata:
    """Metadata of one published or unchanged day: numbers, which Dagster plots by day, then texts."""
    manifest = outcome.manifest
    assert manifest is not None
    rows = "dagster/row_count" if isinstance(table, Dimension) else "dagster/partition_row_count"
    facts = {name.replace("_", " "): value for name, value in manifest.facts.items() if name not in INTERNAL}
    sums, layout = facts.pop("sums", {}), facts.pop("raw layout", None) or {}
    if problem := layout.get("problem"):
        facts["raw layout"] = problem
    return {
        rows: manifest.rows,
        **{f"total {measure}": _number(amount) for measure, amount in sums.items() if amount is not None},
        "bytes": manifest.size,
        "seconds": round(outcome.seconds, 3),
        **(lag_metadata(table, outcome.day, manifest) if isinstance(table, Source) and table.is_stream else {}),
        **(usage_metadata(manifest.facts.get(USED, {})) if _published_on_aws(outcome) else {}),
        **{name: _shown(value) for name, value in facts.items()},
        "location": dg.MetadataValue.path(outcome.location or ""),
        "version": manifest.version,
        "status": outcome.status,
    }


def _published_on_aws(outcome: Outcome) -> bool:
    """Whether this run published the version on AWS."""
    return outcome.status == "published" and (outcome.location or "").startswith("s3://")


def included_metadata(outcome: Outcome) -> Metadata:
    """Metadata of a day that a dimension includes, in a run of other days."""
    assert outcome.manifest is not None
    return {"version": outcome.manifest.version, "status": "included", "dagster/row_count": outcome.manifest.rows}


def lag_metadata(stream: Source, day: str, manifest: Manifest) -> Metadata:
    """The age in minutes of the newest event when it was staged; nothing for days that were past by then."""
    newest = manifest.statistics.get(str(stream.event_time), {}).get("max")
    if newest is None:
        return {}
    staged = datetime.fromisoformat(manifest.created_at).astimezone(UTC)
    if day < str(staged.date() - timedelta(days=1)):
        return {}
    return {"lag_minutes": round((staged - utc(newest)).total_seconds() / 60, 1)}


def utc(moment: str) -> datetime:
    """A staged timestamp of the statistics, which have no zone, as UTC."""
    return datetime.fromisoformat(moment).replace(tzinfo=UTC)


def usage_metadata(amounts: Mapping[str, float]) -> Metadata:
    """The AWS resources that building a version used, and their estimated cost, as numbers that Dagster charts."""
    cost = sum(used(amounts).values())
    return {"estimated_cost_usd": float(cost), **{f"used {name.replace('_', ' ')}": n for name, n in amounts.items()}}


def console_metadata(warehouse: Warehouse, table: AnyTable, location: str) -> Metadata:
    """Links to the AWS console's pages of a table and of its folder, if the lake is on AWS."""
    pages = {
        "glue table": warehouse.catalog.page(database(table), table.name),
        "s3 folder": warehouse.storage.page(location),
    }
    return {name: dg.MetadataValue.url(page) for name, page in pages.items() if page}


def query_metadata(result: Result) -> Metadata:
    """The bytes, seconds and cost of a query, as numbers that Dagster charts, and a link to Athena's console.

    For assets of your own: `dg.MaterializeResult(metadata=query_metadata(athena.query(sql)))`.
    """
    metadata: Metadata = {"bytes_scanned": result.bytes_scanned, "seconds": round(result.seconds, 3)}
    if execution := result.execution:
        from star_assets.lake.aws import region
        from star_assets.lake.consoles import query_page

        metadata["estimated_cost_usd"] = float(execution.cost_usd)
        metadata["athena query"] = dg.MetadataValue.url(query_page(region(), execution.query_id))
    return metadata


def audit_evaluation(key: dg.AssetKey, outcome: Outcome) -> dg.AssetCheckEvaluation:
    """The evaluation of one day's audit: each rule by name, and the rules that were broken."""
    rules: Mapping[str, bool] = {check.name: check.passed for check in outcome.checks}
    if outcome.manifest and not rules:
        rules = outcome.manifest.facts.get("checks", {})
    broken = [name for name, passed in rules.items() if not passed]
    passed = outcome.error is None and not broken
    metadata: Metadata = {}
    if not passed:
        metadata["expected"] = f"{len(rules)} rules hold" if rules else "a version to audit"
        metadata["actual"] = f"broken: {', '.join(broken)}" if broken else "none"
    if outcome.error:
        metadata["message"] = str(outcome.error)
    described = {check.name: check.description for check in outcome.checks}
    metadata.update({name: described.get(name, "held when it was published") for name in rules})
    metadata["partition"] = outcome.partition.name
    return dg.AssetCheckEvaluation(
        asset_key=key,
        check_name=AUDIT,
        passed=passed,
        description=f"All {len(rules)} rules hold." if passed else "Nothing was published; `message` says why.",
        metadata=metadata,
        blocking=True,
        partition=outcome.day,
    )


def check_result(check: CheckResult, severity: dg.AssetCheckSeverity) -> dg.AssetCheckResult:
    """A CheckResult as Dagster's own type."""
    return dg.AssetCheckResult(
        check_name=check.name,
        passed=check.passed,
        description=check.description,
        severity=severity,
        metadata={name: _shown(value) for name, value in check.metadata.items()},
    )


def account_table(measures: Sequence[str], totals: Mapping[str, Mapping[str, Any]]) -> str:
    """The steps of an account with amounts other than zero, as a table in Markdown.

    Dagster shows the first ten lines or so of a check's description at once, and metadata only after a click. To save
    a line, rows that moved to and from other dates are one step here. Steps, measures and amounts contain no markup.
    """
    out, steps = totals.get(MOVED_OUT), {step: amounts for step, amounts in totals.items() if step != MOVED_OUT}
    if out:
        steps[MOVED_IN] = {measure: amount + out[measure] for measure, amount in totals[MOVED_IN].items()}
    rows = [
        ["moved" if step == MOVED_IN else step, *(f"{amounts[m]:,}" if m in amounts else "" for m in measures)]
        for step, amounts in steps.items()
        if any(amounts.values()) or step == UNEXPLAINED
    ]
    lines = [["step", *measures], ["---", *("--:" for _ in measures)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def bars(amounts: Mapping[str, Any]) -> str:
    """Amounts by day as a bar chart in one line of Markdown, from the first day to the last."""
    days, most = list(amounts), max(*amounts.values(), 1)
    heights = (max(0, int(amount / most * (len(STEPS) - 1))) for amount in amounts.values())
    return f"`{''.join(STEPS[height] for height in heights)}` {days[0]} … {days[-1]}"


def sample_table(rows: pa.Table) -> dg.MetadataValue:
    """Some rows as a table: the first COLUMNS columns, long values cut."""
    names = rows.column_names[:COLUMNS]
    return _table(names, ([_cell(row[name]) for name in names] for row in rows.to_pylist()))


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> dg.MetadataValue:
    records = [dg.TableRecord(dict(zip(names, cells, strict=True))) for cells in rows]
    return dg.MetadataValue.table(records, dg.TableSchema([dg.TableColumn(name) for name in names]))


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= CELL else text[: CELL - 1] + "…"


def _number(amount: Any) -> int | float:
    """A sum of a manifest as a number that Dagster plots, exact to 15 digits."""
    number = Decimal(str(amount))
    return int(number) if number == number.to_integral_value() else float(number)


def _shown(value: Any) -> Any:
    """A JSON value as metadata: a list of texts as one line, other nested values as JSON."""
    if isinstance(value, dg.MetadataValue):
        return value
    if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
        return visible_names(value) or "none"
    if isinstance(value, (dict, list, tuple)):
        return dg.MetadataValue.json(json.loads(json.dumps(value, default=str)))
    return "none" if value is None else value
