"""The output of `star-assets run` and `pull`: progress bars, a line for each table, notes and failures.

All of it goes to standard error, as plain lines if that is no terminal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from star_assets.model.errors.exports import kept_rejects, visible_names
from star_assets.pipeline.outcome import Outcome
from star_assets.pipeline.stage import REJECTS_FILE

# So many messages of a table are shown; of more, their number.
MOST_MESSAGES = 3

# The most ranges of failed days that are named.
MOST_SPANS = 10

T = TypeVar("T")


def shown(console: Console, label: str, days: int, outcomes: Iterable[T]) -> list[T]:
    """Show a bar while the outcomes of `days` days arrive. Returns the outcomes."""
    if not console.is_terminal or not days:
        return list(outcomes)
    columns = (TextColumn(label), BarColumn(), MofNCompleteColumn(), TextColumn("days"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        return list(progress.track(outcomes, total=days))


def shown_progress(console: Console, table: str, days: int, outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Show a bar while the outcomes of a table arrive, then a line that sums them up. Returns the outcomes."""
    found = shown(console, f"{table:<20}", days, outcomes)
    console.print(summary(table, found), highlight=False, soft_wrap=True)
    return found


def summary(table: str, outcomes: Sequence[Outcome]) -> str:
    """One line: the number of a table's days by outcome, and the live rows of those that did not fail."""
    if not outcomes:
        return f"{table:<20} up to date"
    counts = {status: sum(o.status == status for o in outcomes) for status in ("published", "unchanged", "failed")}
    counted = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    # A dimension's days share one version.
    manifests = {o.manifest.version: o.manifest for o in outcomes if o.manifest}
    rows = f"{sum(manifest.rows for manifest in manifests.values()):>12,} rows" if manifests else ""
    return f"{table:<20} {counted:<30} {rows}".rstrip()


def notes(outcomes: Sequence[Outcome]) -> list[str]:
    """Notes on one table's days that did not fail: rejected rows, new columns, repeated keys."""
    published = [outcome for outcome in outcomes if outcome.status == "published"]
    found = [note for outcome in published for note in _notes_of_day(outcome)]
    return first_messages(found + [outcome.note for outcome in outcomes if outcome.note], "more such notes")


def failures(outcomes: Iterable[Outcome]) -> list[str]:
    """The messages of one table's failed days."""
    failed = [outcome for outcome in outcomes if outcome.error]
    if len(failed) <= MOST_MESSAGES:
        return [str(outcome.error) for outcome in failed]
    table, beyond = failed[0].table, [outcome.day for outcome in failed[MOST_MESSAGES:]]
    listed = spans(beyond)
    more = f" and {len(listed) - MOST_SPANS:,} more such spans" if len(listed) > MOST_SPANS else ""
    others = f"{len(beyond):,} more days of {table} failed: {', '.join(listed[:MOST_SPANS])}{more}."
    how = f"`star-assets run {table} --from {beyond[0]} --to {beyond[0]}` shows why one did."
    return [*(str(outcome.error) for outcome in failed[:MOST_MESSAGES]), f"{others} {how}"]


def spans(days: Iterable[str]) -> list[str]:
    """Days in order, consecutive ones as `2023-07-01 … 2023-07-05`."""

    def begin(numbered: tuple[int, str]) -> date:
        return date.fromisoformat(numbered[1]) - timedelta(days=numbered[0])

    found = [[day for _, day in group] for _, group in groupby(enumerate(sorted(days)), begin)]
    return [span[0] if len(span) == 1 else f"{span[0]} … {span[-1]}" for span in found]


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
        yield f"{where}: {what} carried along as text: {visible_names(new)}."
    if repeated := facts.get("repeated_keys"):
        keys = "1 key has" if repeated == 1 else f"{repeated:,} keys have"
        yield f"{where}: {keys} different rows of one version in this export; the row with the greatest content wins."
    if identical := facts.get("identical_rows"):
        rows = "1 row is" if identical == 1 else f"{identical:,} rows are"
        yield (
            f"{where}: {rows} identical to another one of this export, and left out as duplicates; "
            "`star-assets reconcile` shows their sums, and key=None in the Source keeps them."
        )


def merged_notes(texts: Iterable[str]) -> list[str]:
    """Notes of the form `table: text`, merged: each text once, after the names of all its tables."""
    tables: dict[str, list[str]] = {}
    for text in texts:
        name, _, what = text.partition(": ")
        tables.setdefault(what, []).append(name)
    return [f"{', '.join(names)}: {what}" for what, names in tables.items()]


def first_messages(messages: Sequence[str], more: str) -> list[str]:
    """The first MOST_MESSAGES messages, and a line with the number of the others."""
    beyond = len(messages) - MOST_MESSAGES
    return [*messages[:MOST_MESSAGES], f"{beyond:,} {more}."] if beyond > 0 else list(messages)
