"""Which engine computes a table's days where `STAR_ENGINE=auto`: by how many bytes they are made of.

The bytes are those of the manifests, and for a source those of its raw files. Not
here: the engines themselves, and what is to be computed (stage, dimensions, facts).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from rich.filesize import decimal as file_size

from star_assets.engines.engine import Engine
from star_assets.lake.catalog import TableEntry
from star_assets.pipeline.context import Context
from star_assets.pipeline.elsewhere import ElsewhereStep, JudgingStep, Launch
from star_assets.pipeline.outcome import Outcome
from star_assets.pipeline.publishing import Built, Plan, Step
from star_assets.settings import Settings


class SizedStep(JudgingStep, Protocol):
    """A Step whose engine can be chosen once it is known what there is to do."""

    engine: Engine

    def input_bytes(self, plans: Sequence[Plan]) -> int:
        """How many bytes of input these plans are made of, each counted once."""
        ...


@dataclass(frozen=True)
class Choice:
    """An engine, and why it was chosen."""

    engine: str
    reason: str


def choose(settings: Settings, size: int) -> Choice:
    """DuckDB up to a size; above it a job of Glue's, where there is one, or else Spark."""
    limit = settings.auto_above
    found, bound = f"{file_size(size)} of input", f"STAR_AUTO_ABOVE ({file_size(limit)})"
    if size > limit:
        return Choice("glue" if settings.glue_job else "spark", f"{found}, above {bound}")
    return Choice("duckdb", f"{found}, within {bound}")


class ChoosingStep:
    """A Step that chooses its engine for what a run has to do, and says so beside what it built."""

    def __init__(self, context: Context, step: SizedStep, launch: Launch | None) -> None:
        self.context = context
        self.step = step
        self.launch = launch
        self.chosen: Step = step
        self.entry: TableEntry = step.entry
        self.choice = Choice("", "")

    def plan(self, days: Sequence[str]) -> Iterator[Plan | Outcome]:
        """As the step plans."""
        return self.step.plan(days)

    def batches(self, plans: Sequence[Plan]) -> Iterator[Sequence[Plan]]:
        """The engine is chosen for all of them together; then as the step divides them for it."""
        if plans:
            self.choice = choose(self.context.settings, self.step.input_bytes(plans))
            if self.choice.engine == "glue" and self.launch:
                self.chosen = ElsewhereStep(self.context.storage, self.step, self.launch)
            else:
                self.chosen, self.step.engine = self.step, self.context.engine_named(self.choice.engine)
        return self.chosen.batches(plans)

    def build(self, plans: Sequence[Plan], folder: Path) -> Iterator[Built]:
        """As the step builds."""
        chosen = {"engine": self.choice.engine, "engine_chosen_for": self.choice.reason}
        for built in self.chosen.build(plans, folder):
            manifest = built.manifest and replace(built.manifest, facts={**built.manifest.facts, **chosen})
            yield replace(built, facts={**built.facts, **chosen}, manifest=manifest)

    def before_commit(self, built: Built) -> None:
        """As the step says."""
        self.step.before_commit(built)
