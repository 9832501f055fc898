"""Turns the project's errors (StarError) into Dagster failures, with or without retries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
from dagster._core.errors import DagsterUserCodeProcessError
from dagster_shared.error import SerializableErrorInfo

from star_assets.model.errors import StarError, Transient
from star_assets.pipeline.outcome import Outcome
from star_assets.visible import visible

# So many days' messages are shown; the other failed days are only named.
SHOWN = 10


class PermanentFailure(dg.Failure, DagsterUserCodeProcessError):
    """A failure that no retry mends. Dagster shows its message and no stack trace.

    It is a DagsterUserCodeProcessError, of which Dagster shows the process's own text. Of any
    other error Dagster shows stack frames too, which do not help a person here. Retry policies
    ignore such errors, so errors that may be retried are plain Failures.
    """

    def __init__(self, message: str, metadata: Mapping[str, Any] | None = None) -> None:
        info = SerializableErrorInfo(f"{message}\n", stack=[], cls_name="Failure")
        DagsterUserCodeProcessError.__init__(self, message, user_code_process_error_infos=[info])  # type: ignore[no-untyped-call]
        plain = dg.Failure(message, metadata, allow_retries=False)
        self.description, self.metadata, self.allow_retries = plain.description, plain.metadata, plain.allow_retries


def as_failure(error: StarError) -> dg.Failure:
    """A failure with the error's message. A RetryPolicy may retry it only if the error is Transient."""
    message = visible(str(error))
    return dg.Failure(message) if isinstance(error, Transient) else PermanentFailure(message)


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
        else PermanentFailure(message, metadata)
    )
