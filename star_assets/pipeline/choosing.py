"""`STAR_ENGINE=auto`: the choice of an engine for a run, by the bytes of its inputs.

The bytes of staged inputs are in their manifests; those of a source are its raw
files' sizes. Not here: the engines, and the steps that use them (stage, dimensions, facts).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, Protocol

from rich.filesize import decimal as file_size

from star_assets.lake.catalog import TableEntry
from star_assets.lake.versions import Partition
from star_assets.pipeline.context import Context
from star_assets.pipeline.glue.step import GlueStep, Launch
from star_assets.pipeline.outcome import Outcome
from star_assets.pipeline.publishing import Audited, Built, L, Plan, Step, W, Written
from star_assets.settings import Settings


class SizedStep(Step[L, W], Protocol[L, W]):
    """A Step whose engine can be chosen once it is known what there is to do."""

    engine_name: str | None

    def input_bytes(self, look: L, plans: Sequence[Plan[W]]) -> int:
        """Bytes of the distinct inputs of these plans."""
        ...


@dataclass(frozen=True)
class Choice:
    """The name of an engine, and the reason for choosing it, for people."""

    engine: str
    reason: str


def choose(settings: Settings, size: int) -> Choice:
    """DuckDB up to `auto_above` bytes; above, a Glue job if one is configured, or else Spark."""
    limit = settings.auto_above
    found, bound = f"{file_size(size)} of input", f"STAR_AUTO_ABOVE ({file_size(limit)})"
    if size > limit:
        return Choice("glue" if settings.glue_job else "spark", f"{found}, above {bound}")
    return Choice("duckdb", f"{found}, within {bound}")


class ChoosingStep(Generic[L, W]):
    """A Step that chooses its engine once per run, and adds the choice and its reason to each manifest."""

    def __init__(self, context: Context, step: SizedStep[L, W], launch: Launch | None) -> None:
        self.context = context
        self.step = step
        self.on_glue = GlueStep(context, step, launch) if launch else None
        self.chosen: Step[L, W] = step
        self.entry: TableEntry = step.entry
        self.choice = Choice("", "")

    def look(self, days: Sequence[str], keep: bool) -> L:
        """Delegates to the step."""
        return self.step.look(days, keep)

    def plan(self, look: L, days: Sequence[str]) -> Iterator[Plan[W] | Outcome]:
        """Delegates to the step."""
        return self.step.plan(look, days)

    def batches(self, look: L, plans: Sequence[Plan[W]]) -> Iterator[Sequence[Plan[W]]]:
        """Chooses the engine for all plans together, then delegates to the chosen step."""
        if plans:
            self.choice = choose(self.context.settings, self.step.input_bytes(look, plans))
            if self.choice.engine == "glue" and self.on_glue:
                self.chosen = self.on_glue
            else:
                self.chosen, self.step.engine_name = self.step, self.choice.engine
        return self.chosen.batches(look, plans)

    def build(self, look: L, plans: Sequence[Plan[W]], folder: Path) -> Iterator[Sequence[Built[W]]]:
        """Delegates to the chosen step, and adds the choice to the facts of each manifest."""
        chosen = {"engine": self.choice.engine, "engine_chosen_for": self.choice.reason}
        for group in self.chosen.build(look, plans, folder):
            yield [
                replace(
                    built,
                    facts={**built.facts, **chosen},
                    manifest=built.manifest and replace(built.manifest, facts={**built.manifest.facts, **chosen}),
                )
                for built in group
            ]

    def audit(self, look: L, built: Sequence[Built[W]]) -> Iterator[Audited[W]]:
        """Delegates to the chosen step."""
        return self.chosen.audit(look, built)

    def commit(self, look: L, written: Sequence[Written[W]]) -> Mapping[Partition, bool]:
        """Delegates to the step."""
        return self.step.commit(look, written)
