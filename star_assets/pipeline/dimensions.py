"""Building a dimension: one table, one live version, folded from all live exports.

A dimension's day means: the live version includes that day's exports.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from star_assets.athena.derive import table_entry
from star_assets.engines.engine import DimensionInput
from star_assets.lake.versions import Partition, read_pointer
from star_assets.model.errors import NotStaged, StarError
from star_assets.model.source import SourceColumn
from star_assets.model.tables import CALENDAR, Dimension, History
from star_assets.pipeline.context import Context
from star_assets.pipeline.fold import Folded, content, source_state, source_versions, used_keys, years
from star_assets.pipeline.identity import digest
from star_assets.pipeline.key_index import KeyIndex
from star_assets.pipeline.outcome import CheckResult, Outcome
from star_assets.pipeline.publishing import Built, Plan, Step, Written, publish
from star_assets.pipeline.superseded import AND_SUPERSEDED, identity_with, keep_used, present_identity


def refresh_dimension(context: Context, dimension: Dimension, step: Step, days: Sequence[str]) -> Iterator[Outcome]:
    """Build the dimension once, by its step, for all the days; each day it includes shares the outcome."""
    partition = Partition("olap", dimension.name)
    sources = context.star.upstream_sources(dimension)
    staged = {source.name: context.staged_exports(source) for source in sources}
    missing = {day: [name for name, exports in staged.items() if day not in exports] for day in days}
    included = [day for day in days if not missing[day]]
    shared = None
    if included:
        shared = next(publish(context.storage, context.catalog, step, included[-1:]))
    for day in days:
        if missing[day] or shared is None:
            error = NotStaged(dimension.name, day, missing[day])
            yield Outcome(dimension.name, day, partition, "failed", error=error)
        else:
            yield replace(shared, day=day, seconds=shared.seconds / len(included))


@dataclass(frozen=True)
class _Upstream:
    """The folded states a dimension is built from, the calendar's years, and for a history all that was ever said."""

    states: Mapping[str, Folded]
    used: tuple[Folded, ...]
    years: tuple[int, int]
    versions: Folded | None

    @property
    def files(self) -> list[str]:
        """The files of all states."""
        return [folded.file for folded in (*self.states.values(), *self.used, self.versions) if folded]


class DimensionStep:
    """The Step of one dimension; its only partition is the whole table."""

    def __init__(self, context: Context, dimension: Dimension) -> None:
        self.context = context
        self.dimension = dimension
        self.entry = table_entry(context.star, dimension, context.storage)
        self.code = context.code_identity(dimension.name)
        self.engine = context.engine

    def plan(self, days: Sequence[str]) -> Iterator[Plan | Outcome]:
        """Fold the sources; the states' identities are the dimension's inputs."""
        partition = Partition("olap", self.dimension.name)
        for day in days:
            try:
                pointer, etag = read_pointer(self.context.storage, partition)
                upstream = self._upstream()
            except StarError as error:
                yield Outcome(self.dimension.name, day, partition, "failed", error=error)
                continue
            inputs = {
                "states": {name: content(self.context, state) for name, state in upstream.states.items()},
                "used": [content(self.context, keys) for keys in upstream.used],
                "years": list(upstream.years) if CALENDAR in self.dimension.upstream else [],
            }
            if upstream.versions:
                inputs["versions"] = content(self.context, upstream.versions)
            identity = present_identity(self.context, self.dimension, pointer, digest(code=self.code, **inputs))
            yield Plan(day, partition, pointer, etag, identity, inputs, upstream)

    def input_bytes(self, plans: Sequence[Plan]) -> int:
        """Of the states that it is built from."""
        upstream: list[_Upstream] = [plan.work for plan in plans]
        files = {file for one in upstream for file in one.files}
        return sum(Path(file).stat().st_size for file in files)

    def batches(self, plans: Sequence[Plan]) -> Iterator[Sequence[Plan]]:
        """There is only ever one."""
        for plan in plans:
            yield [plan]

    def build(self, plans: Sequence[Plan], folder: Path) -> Iterator[Built]:
        """One file with every member."""
        for plan in plans:
            upstream: _Upstream = plan.work
            given = DimensionInput(
                {name: state.file for name, state in upstream.states.items()},
                tuple(keys.file for keys in upstream.used),
                upstream.years,
                upstream.versions.file if upstream.versions else None,
            )
            file = folder / f"{self.dimension.name}.parquet"
            if isinstance(self.dimension, History):
                self.engine.build_history(self.dimension, given, file)
            else:
                self.engine.build_dimension(self.dimension, given, file)
            with_superseded = folder / f"{self.dimension.name}_with_superseded.parquet"
            keys = keep_used(self.context, self.dimension, file, with_superseded)
            identity = identity_with(plan.identity.partition(AND_SUPERSEDED)[0], keys)
            file = with_superseded if keys else file
            facts = {"superseded": len(keys)} if keys else {}
            yield Built(replace(plan, identity=identity), (file,), facts, self._audit(file))

    def judge(self, plans: Sequence[Plan], written: Mapping[str, Written]) -> Iterator[Built]:
        """The file that was written elsewhere is held against the same rules."""
        for plan in plans:
            manifest, file = written[plan.day].manifest, written[plan.day].file
            as_written = replace(plan, identity=manifest.identity)
            yield Built(as_written, (file,), {}, self._audit(file), manifest=manifest)

    def before_commit(self, built: Built) -> None:
        """A dimension relies on nothing but its states."""

    def _upstream(self) -> _Upstream:
        star, dimension = self.context.star, self.dimension
        states = {
            name: source_state(self.context, star.sources[name]) for name in dimension.upstream if name in star.sources
        }
        member = dimension.of.key if isinstance(dimension, History) else dimension.key
        used = tuple(used_keys(self.context, column, member) for column in dimension.inferred_from)
        described = star.describing(dimension.of) if isinstance(dimension, History) else None
        versions = source_versions(self.context, described.source) if described else None
        return _Upstream(states, used, self._years() if CALENDAR in dimension.upstream else (1, 1), versions)

    def _years(self) -> tuple[int, int]:
        """Whole years: the start date's, and all that any fact reaches into, by any of its dates."""
        found = [self.context.settings.start_date.year]
        for column in self._dated():
            found += self._years_of(column) or ()
        return min(found), max(found)

    def _years_of(self, column: SourceColumn) -> tuple[int, int] | None:
        if column.source.declared[column.column].type == "timestamp":
            return KeyIndex(self.context, column).years()
        # An index of all keys by a date that no fact is posted on would be read for its years alone.
        key = self.dimension.key
        return years(self.context, [used_keys(self.context, column, key)], key)

    def _dated(self) -> dict[SourceColumn, None]:
        """The source columns whose days facts are posted on, or refer to the calendar by."""
        star = self.context.star
        found = dict.fromkeys(star.driving_column(fact) for fact in star.facts.values())
        for fact in star.facts.values():
            roles = [column for column, target in fact.references.items() if target is self.dimension]
            for source, column in (origin for role in roles for origin in sorted(star.lineage(fact)[role])):
                if source in star.sources and star.sources[source].declared[column].type in ("date", "timestamp"):
                    found[star.sources[source][column]] = None
        return found

    def _audit(self, file: Path) -> tuple[CheckResult, ...]:
        key, found = self.dimension.key, self.context.engine.audit_dimension(self.dimension, str(file))
        checks: tuple[CheckResult, ...] = (
            CheckResult("key not null", found["null_keys"] == 0, f"{key}: {found['null_keys']} rows without a key"),
            CheckResult(
                "key unique",
                found["repeated_keys"] == 0,
                f"{key}: expected {found['rows']} different keys, {found['repeated_keys']} occur again",
            ),
            CheckResult(
                "unknown member",
                found["unknown_members"] == 1,
                f"expected one Unknown member, found {found['unknown_members']}",
            ),
        )
        if isinstance(self.dimension, History):
            broken = self.context.engine.audit_history(self.dimension, str(file))
            problem = f"members whose intervals have gaps or overlaps: expected 0, found {broken}"
            checks += (CheckResult("intervals", broken == 0, problem),)
        return checks
