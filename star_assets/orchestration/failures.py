"""From our errors to Dagster's: the one place where a StarError becomes a Failure."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from star_assets.model.errors import StarError, Transient
from star_assets.pipeline.outcome import Outcome
from star_assets.visible import visible

# Days whose message is shown; the rest are named.
SHOWN = 10


def as_failure(error: StarError) -> dg.Failure:
    """A failure that says what the error says.

    `allow_retries` binds a RetryPolicy: what is permanent fails at once.
    """
    return dg.Failure(visible(str(error)), allow_retries=isinstance(error, Transient))


def failed_days(table: str, outcomes: Sequence[Outcome]) -> dg.Failure:
    """A failure that names the bad days among a step's outcomes, each with its message."""
    errors = {outcome.day: outcome.error for outcome in outcomes if outcome.error}
    if len(errors) == len(outcomes) == 1:
        return as_failure(*errors.values())
    days = list(errors)
    good = "; the others are published" if len(days) < len(outcomes) else ""
    lines = [f"{table}: {len(days)} of {len(outcomes)} days failed{good}.\n"]
    lines += [f"{day}: {errors[day]}\n" for day in days[:SHOWN]]
    if days[SHOWN:]:
        lines.append(f"Also failed: {', '.join(days[SHOWN:])}.")
    return dg.Failure(
        visible("\n".join(lines)),
        metadata={"failed days": days},
        allow_retries=any(isinstance(error, Transient) for error in errors.values()),
    )
