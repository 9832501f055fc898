"""From our errors to Dagster's: the one place where a StarError becomes a Failure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
from dagster._core.errors import DagsterUserCodeProcessError
from dagster_shared.error import SerializableErrorInfo

from star_assets.model.errors import StarError, Transient
from star_assets.pipeline.outcome import Outcome
from star_assets.visible import visible

# Days whose message is shown; the rest are named.
SHOWN = 10


class Told(dg.Failure, DagsterUserCodeProcessError):
    """A failure that no retry mends and that says all there is to say: Dagster shows its message and no stack trace.

    Of another process's error, Dagster shows what that process said of it. Of any other it
    shows the frames between itself and the step, which tell a person nothing here. Retry
    policies pass over such errors, so what may be tried again is a plain Failure.
    """

    def __init__(self, message: str, metadata: Mapping[str, Any] | None = None) -> None:
        said = SerializableErrorInfo(f"{message}\n", stack=[], cls_name="Failure")
        DagsterUserCodeProcessError.__init__(self, message, user_code_process_error_infos=[said])  # type: ignore[no-untyped-call]
        told = dg.Failure(message, metadata, allow_retries=False)
        self.description, self.metadata, self.allow_retries = told.description, told.metadata, told.allow_retries


def as_failure(error: StarError) -> dg.Failure:
    """A failure that says what the error says. Only what is transient may be tried again, by a RetryPolicy."""
    message = visible(str(error))
    return dg.Failure(message) if isinstance(error, Transient) else Told(message)


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
    message, metadata = visible("\n".join(lines)), {"failed days": days}
    return (
        dg.Failure(message, metadata)
        if any(isinstance(error, Transient) for error in errors.values())
        else Told(message, metadata)
    )
