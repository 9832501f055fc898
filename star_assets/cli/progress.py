"""What `star-assets run` tells while it works and when it is done: progress, a line per table, notes, failures.

All of it goes to standard error; where that is no terminal, as plain lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from star_assets.model.errors.exports import kept_rejects
from star_assets.pipeline.outcome import Outcome
from star_assets.pipeline.stage import REJECTS_FILE

# Messages that are told one by one for a table; of more, only their number.
TOLD = 3

T = TypeVar("T")


def shown(console: Console, label: str, days: int, outcomes: Iterable[T]) -> list[T]:
    """Show a bar while the outcomes of some days come. Returns them."""
    if not console.is_terminal or not days:
        return list(outcomes)
    columns = (TextColumn(label), BarColumn(), MofNCompleteColumn(), TextColumn("days"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        return list(progress.track(outcomes, total=days))


def shown_progress(console: Console, table: str, days: int, outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Show one table's outcomes as they come, then a line that sums them up. Returns them."""
    found = shown(console, f"{table:<20}", days, outcomes)
    console.print(summary(table, found), highlight=False, soft_wrap=True)
    return found


def summary(table: str, outcomes: Sequence[Outcome]) -> str:
    """One line: what became of a table's days, and the live rows of those that did not fail."""
    if not outcomes:
        return f"{table:<20} up to date"
    counts = {status: sum(o.status == status for o in outcomes) for status in ("published", "unchanged", "failed")}
    told = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    # A dimension's days share one version.
    manifests = {o.manifest.version: o.manifest for o in outcomes if o.manifest}
    rows = f"{sum(manifest.rows for manifest in manifests.values()):>12,} rows" if manifests else ""
    return f"{table:<20} {told:<30} {rows}".rstrip()


def notes(outcomes: Sequence[Outcome]) -> list[str]:
    """What a user should know of one table's days, although none failed."""
    published = [outcome for outcome in outcomes if outcome.status == "published"]
    found = [note for outcome in published for note in _notes_of_day(outcome)]
    return first_told(found + [outcome.note for outcome in outcomes if outcome.note], "more such notes")


def failures(outcomes: Iterable[Outcome]) -> list[str]:
    """The messages of one table's failed days."""
    failed = [outcome for outcome in outcomes if outcome.error]
    days = f"days of {failed[-1].table} failed, up to {failed[-1].day}" if failed else ""
    return first_told([str(outcome.error) for outcome in failed], f"more {days}")


def _notes_of_day(outcome: Outcome) -> Iterator[str]:
    where, facts = f"{outcome.table} {outcome.day}", outcome.manifest.facts if outcome.manifest else {}
    if rejected := facts.get("rejected"):
        yield (
            f"{where}: {rejected:,} of {facts['rows_in']:,} rows rejected, which the source allows; "
            f"{kept_rejects(rejected)} are kept in "
            f"{outcome.location}/{REJECTS_FILE}, and `star-assets rejects {outcome.table}` lists them. "
            f"The first: {facts['first_rejects'][0]}."
        )
    if new := facts.get("new_columns"):
        what = "a new column, which is" if len(new) == 1 else f"{len(new)} new columns, which are"
        yield f"{where}: {what} carried along as text: {', '.join(new)}."
    if repeated := facts.get("repeated_keys"):
        keys = "1 key has" if repeated == 1 else f"{repeated:,} keys have"
        yield f"{where}: {keys} different rows of one version in this export; of each, the greatest by content counts."


def first_told(messages: Sequence[str], more: str) -> list[str]:
    """The first TOLD of many messages, and how many there are beyond."""
    beyond = len(messages) - TOLD
    return [*messages[:TOLD], f"{beyond:,} {more}."] if beyond > 0 else list(messages)
