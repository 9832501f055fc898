"""The Athena service's errors translated into messages for its users.

Athena refuses calls (`refusal`), and statements fail while it runs them (`failure`). Not here:
credentials, rights and throttling of any AWS service (lake/aws).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from star_assets.athena.parse import Statement, at_offset
from star_assets.lake.aws import GRANT, aws_errors, refused
from star_assets.model.errors import AwsRefused, BadQuery, QueryInterrupted, QueryStopped, StarError

# Patterns of a refused call's message → the problem, and what to do.
_REFUSALS = (
    (r"WorkGroup.*(not found|not exist)", "there is no such workgroup", "Create it, or correct STAR_ATHENA_WORKGROUP"),
    (r"WorkGroup.*disabled", "the workgroup is disabled", "Enable it, or set STAR_ATHENA_WORKGROUP to another"),
    (r"No output location", "it has no place for results", "Give the workgroup one, or set STAR_ATHENA_OUTPUT"),
)
_OUTPUT = r"output bucket|save your query results|writing (output )?to"
_OUTPUT_REMEDY = (
    "Create the bucket in this region, and allow s3:GetBucketLocation on it and s3:GetObject and s3:PutObject below "
    "the place for results; docs/aws.md lists what a lake needs"
)

# Patterns of the reason why a statement was stopped → what to do.
_STOPPED = (
    (
        r"[Ee]xhausted resources|EXCEEDED_\w+_LIMIT|EXCEEDED_MEMORY",
        "Read fewer dates or columns, or aggregate in steps",
    ),
    (r"[Qq]uery timeout|exceeded.*time limit", "Read fewer dates or columns, or aggregate in steps"),
)
_LIMIT = "Bytes scanned limit was exceeded"

_DENIED = r"(?i)access ?denied|not authorized|insufficient permissions|permission_denied|forbidden"
_ACTION = r"not authorized to perform: (?P<action>\w+:\w+)"

# Trino counts columns from 1; Hive, which parses DDL, from 0.
_PLACE = re.compile(r"^(?P<kind>.*?)line (?P<line>\d+):(?P<column>\d+):? ?(?P<problem>.*)$", re.DOTALL)

# The AthenaError.ErrorCategory of failures of Athena itself.
_SYSTEM = 1


@dataclass(frozen=True)
class Place:
    """Where a statement runs: the workgroup, the prefix of databases in Glue, and the query's id once it is known."""

    workgroup: str
    prefix: str = ""
    query_id: str | None = None

    def __str__(self) -> str:
        return f"Athena query {self.query_id}" if self.query_id else f"Athena workgroup {self.workgroup}"


def refusal(error: Any, statement: Statement, place: Place) -> StarError:
    """The error for a call that Athena refused with a ClientError."""
    from botocore.exceptions import ClientError

    what, action = str(place), f"athena:{error.operation_name}"
    message = str(error.response.get("Error", {}).get("Message", "")).rstrip(".")
    for pattern, problem, remedy in _REFUSALS:
        if re.search(pattern, message):
            return AwsRefused(what, problem, remedy)
    if re.search(_OUTPUT, message):
        return AwsRefused(what, f"results cannot be kept ({message})", _OUTPUT_REMEDY)
    try:
        with aws_errors(what, action):
            raise error
    except StarError as known:
        return known
    except ClientError:
        if action == "athena:StartQueryExecution":
            return _bad_query(message, statement, place)
        return refused(error, what, action)


def failure(
    execution: Mapping[str, Any], statement: Statement, place: Place, limit: Callable[[], int | None]
) -> StarError:
    """The error for a statement that failed. `limit` looks up the workgroup's limit of bytes scanned."""
    status = execution.get("Status", {})
    error, query_id = status.get("AthenaError", {}), str(place.query_id)
    reason = str(status.get("StateChangeReason") or error.get("ErrorMessage") or "no reason was given").rstrip(".")
    if _LIMIT in reason:
        return _over_limit(execution, place, limit())
    if re.search(_OUTPUT, reason):
        return AwsRefused(str(place), f"results cannot be kept ({reason})", _OUTPUT_REMEDY)
    if re.search(_DENIED, reason):
        return AwsRefused(str(place), f"{_denied_action(reason)} was denied ({reason})", GRANT)
    for pattern, remedy in _STOPPED:
        if re.search(pattern, reason):
            return QueryStopped(reason, query_id, remedy)
    if status.get("State") == "CANCELLED":
        return QueryStopped(f"it was cancelled ({reason})", query_id, "Run it again if nobody meant to")
    if error.get("ErrorCategory") == _SYSTEM or error.get("Retryable"):
        return QueryInterrupted(reason, query_id)
    return _bad_query(reason, statement, place)


def _over_limit(execution: Mapping[str, Any], place: Place, limit: int | None) -> QueryStopped:
    scanned = execution.get("Statistics", {}).get("DataScannedInBytes", 0)
    allowed = f", which is {limit:,} bytes" if limit else ""
    return QueryStopped(
        f"it was stopped at the limit of workgroup {place.workgroup}{allowed}, after {scanned:,} bytes",
        str(place.query_id),
        "Read fewer dates (WHERE date …) or columns, or raise the workgroup's limit of bytes scanned per query",
    )


def _denied_action(reason: str) -> str:
    if found := re.search(_ACTION, reason):
        return found["action"]
    if re.search(r"(?i)kms", reason):
        return "kms:Decrypt"
    return "s3:GetObject" if re.search(r"s3://|Amazon S3|HIVE_", reason) else "an action that the query needs"


def _bad_query(reason: str, statement: Statement, place: Place) -> BadQuery:
    """The error, with its position in the whole text if Athena gives one in the statement."""
    known = f" In Glue, names of this lake's databases begin with {place.prefix}." if place.prefix else ""
    hint = known if re.search(r"(Schema|Database) .*not (exist|found)", reason) else ""
    found = _PLACE.match(reason)
    if not found:
        return BadQuery(f"{reason}.{hint}", statement.sql)
    first = int(found["column"]) - (0 if "ParseException" in found["kind"] else 1)
    lines = statement.text.splitlines(keepends=True)
    offset = statement.tokens[0].start + sum(map(len, lines[: int(found["line"]) - 1])) + max(first, 0)
    problem = f"{found['kind'].removeprefix('FAILED: ')}{found['problem']}"
    return at_offset(f"{problem}.{hint}", statement.sql, min(offset, len(statement.sql)))
