"""Athena on this machine: moto's, which executes nothing, with outcomes that a test decides.

A POST to CONTROL says what becomes of the next statements, in order: an object
with any of `state`, `reason`, `error`, `scanned`, `queued`, `engine`, `reused`;
other statements succeed. Rows are injected through moto's own API. A GET tells
the requests that came, a DELETE forgets everything. Where moto is laxer than
Athena, it is made as strict here: workgroups, places for results, pages.
"""

from __future__ import annotations

import json
from collections import deque
from typing import Any

from moto.athena.models import AthenaBackend
from moto.athena.responses import AthenaResponse
from moto.core.exceptions import JsonRESTError

CONTROL = "/test/athena"

# As Athena words them.
NO_OUTPUT = (
    "No output location provided. An output location is required either through the Workgroup result configuration "
    "setting or as an API input."
)
NOT_AUTHORIZED = (
    "You are not authorized to perform: athena:{} on the resource. After your AWS administrator or you have updated "
    "your permissions, please try again."
)
TOO_MANY = (
    "You have exceeded the limit for the number of queries you can run concurrently. Please reduce the number of "
    "concurrent queries submitted by this account. Contact customer support to request a concurrent query limit "
    "increase."
)
WORDS = {"AccessDeniedException": NOT_AUTHORIZED, "TooManyRequestsException": TOO_MANY}

OPERATIONS = ("StartQueryExecution", "GetQueryExecution", "GetQueryResults", "StopQueryExecution", "GetWorkGroup")

DECIDED: deque[dict[str, Any]] = deque()
OUTCOMES: dict[str, dict[str, Any]] = {}
REQUESTS: list[dict[str, Any]] = []


def control(method: str, content: bytes) -> bytes:
    """What a test asks or decides."""
    if method == "DELETE":
        DECIDED.clear()
        REQUESTS.clear()
    if method == "POST":
        DECIDED.extend(json.loads(content))
    return json.dumps(REQUESTS).encode()


def make_strict() -> None:
    """Athena's refusals, outcomes and pages."""
    start, status, results = (
        AthenaResponse.start_query_execution,
        AthenaResponse.get_query_execution,
        AthenaResponse.get_query_results,
    )
    stop = AthenaResponse.stop_query_execution

    def start_query_execution(self: AthenaResponse) -> Any:
        given = json.loads(self.body)
        REQUESTS.append({name: value for name, value in given.items() if name != "ClientRequestToken"})
        require_place(self.athena_backend, given)
        reply = start(self)
        OUTCOMES[json.loads(str(reply))["QueryExecutionId"]] = DECIDED.popleft() if DECIDED else {}
        return reply

    def get_query_execution(self: AthenaResponse) -> str:
        found = json.loads(status(self))
        decide(found["QueryExecution"])
        return json.dumps(found)

    def get_query_results(self: AthenaResponse) -> str:
        """In pages of MaxResults, as Athena gives them."""
        found = json.loads(results(self))
        given, rows = json.loads(self.body), found["ResultSet"]["Rows"]
        first, most = int(given.get("NextToken") or 0), given.get("MaxResults", 1000)
        found["ResultSet"]["Rows"] = rows[first : first + most]
        return json.dumps({**found, **({"NextToken": str(first + most)} if len(rows) > first + most else {})})

    def stop_query_execution(self: AthenaResponse) -> str:
        given = json.loads(self.body)
        REQUESTS.append({"Stopped": given["QueryExecutionId"]})
        OUTCOMES[given["QueryExecutionId"]]["state"] = "CANCELLED"
        return stop(self)

    AthenaResponse.start_query_execution = start_query_execution
    AthenaResponse.get_query_execution = get_query_execution
    AthenaResponse.get_query_results = get_query_results
    AthenaResponse.stop_query_execution = stop_query_execution


def require_place(backend: AthenaBackend, given: dict[str, Any]) -> None:
    """There is such a workgroup, and it or the request says where results are kept."""
    workgroup = backend.work_groups.get(given["WorkGroup"])
    if workgroup is None:
        raise JsonRESTError("InvalidRequestException", f"WorkGroup {given['WorkGroup']} is not found.")
    kept = workgroup.configuration.get("ResultConfiguration", {}).get("OutputLocation")
    if not kept and not given.get("ResultConfiguration", {}).get("OutputLocation"):
        raise JsonRESTError("InvalidRequestException", NO_OUTPUT)


def decide(execution: dict[str, Any]) -> None:
    """Make an execution, as moto tells of it, what the test decided."""
    outcome, status, statistics = OUTCOMES[execution["QueryExecutionId"]], execution["Status"], execution["Statistics"]
    status["State"] = outcome.get("state", status["State"])
    status |= {name: outcome[key] for name, key in REASONS.items() if key in outcome}
    statistics |= {name: outcome[key] for name, key in STATISTICS.items() if key in outcome}
    statistics["ResultReuseInformation"] = {"ReusedPreviousResult": outcome.get("reused", False)}


REASONS = {"StateChangeReason": "reason", "AthenaError": "error"}
STATISTICS = {
    "DataScannedInBytes": "scanned",
    "QueryQueueTimeInMillis": "queued",
    "EngineExecutionTimeInMillis": "engine",
}
