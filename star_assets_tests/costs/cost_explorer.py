"""A mock of Cost Explorer over HTTP, in its real form: amounts as texts with exponents, pages, Estimated, and errors.

moto answers GetCostAndUsage with what it was given, and knows no forecast. Here the
bill is decided by day, and each request is checked and kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

S3, GLUE, KMS = "Amazon Simple Storage Service", "AWS Glue", "AWS Key Management Service"


@dataclass
class Bill:
    """What it answers.

    `lines` has, by day, (service, usage type, amount, quantity, unit) as texts, and `restated` those that a day has
    when it is asked for again, with later ones; `errors` what the next requests of an operation get instead:
    (operation, code, message). `forecast` None is too little history.
    """

    lines: dict[date, list[tuple[str, str, str, str, str]]] = field(default_factory=dict)
    restated: dict[date, list[tuple[str, str, str, str, str]]] = field(default_factory=dict)
    estimated: set[date] = field(default_factory=set)
    page: int = 3
    forecast: str | None = "12.5"
    untagged: str = "0.25"
    currency: str = "USD"
    errors: list[tuple[str, str, str]] = field(default_factory=list)
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def answer(self, operation: str, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.requests.append((operation, asked))
        for error in self.errors:
            if error[0] == operation:
                self.errors.remove(error)
                return 400, {"__type": error[1], "message": error[2]}
        if operation == "GetCostForecast":
            if self.forecast is None:
                return 400, {"__type": "DataUnavailableException", "message": "Insufficient amount of historical data"}
            return 200, {"Total": self._amount(self.forecast)}
        if asked["Granularity"] == "MONTHLY":
            period = asked["TimePeriod"]
            total = {"UnblendedCost": self._amount(self.untagged)}
            return 200, {"ResultsByTime": [{"TimePeriod": period, "Total": total, "Groups": [], "Estimated": True}]}
        return 200, self._usage(asked)

    def _usage(self, asked: dict[str, Any]) -> dict[str, Any]:
        """A page of groups, days in order; a day may go on with the next page."""
        first, end = (date.fromisoformat(asked["TimePeriod"][name]) for name in ("Start", "End"))
        assert asked["GroupBy"] == [{"Type": "DIMENSION", "Key": key} for key in ("SERVICE", "USAGE_TYPE")]
        days = [first + timedelta(days=n) for n in range((end - first).days)]
        known = {**self.lines, **{day: lines for day, lines in self.restated.items() if day < days[-1]}}
        groups = [(day, line) for day in days for line in known.get(day, [])]
        begin = int(asked.get("NextPageToken", 0))
        here = groups[begin : begin + self.page]
        # Days without any usage are told with the first page.
        shown = [day for day in days if any(d == day for d, _ in here) or (not begin and day not in dict(groups))]
        results = [
            {
                "TimePeriod": {"Start": f"{day}", "End": f"{day + timedelta(days=1)}"},
                "Total": {},
                "Groups": [self._group(line) for d, line in here if d == day],
                "Estimated": day in self.estimated,
            }
            for day in shown
        ]
        more = {"NextPageToken": str(begin + self.page)} if begin + self.page < len(groups) else {}
        return {"ResultsByTime": results, "DimensionValueAttributes": [], **more}

    def _group(self, line: tuple[str, str, str, str, str]) -> dict[str, Any]:
        service, usage_type, amount, quantity, unit = line
        metrics = {"UnblendedCost": self._amount(amount), "UsageQuantity": {"Amount": quantity, "Unit": unit}}
        return {"Keys": [service, usage_type], "Metrics": metrics}

    def _amount(self, amount: str) -> dict[str, str]:
        return {"Amount": amount, "Unit": self.currency}


@contextmanager
def cost_explorer() -> Iterator[tuple[str, Bill]]:
    """The address of a server, and what it answers."""
    bill = Bill()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            service, _, operation = self.headers["X-Amz-Target"].partition(".")
            assert service == "AWSInsightsIndexService"
            status, answer = bill.answer(operation, asked)
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", bill
    finally:
        server.shutdown()
        server.server_close()
