"""Crawlers of Glue that come to an end, which moto's do not.

Each look at a running crawler takes it a step on: RUNNING, STOPPING, READY. How
it ends is the last word of its role's name: `…-SUCCEEDED`, `…-FAILED`,
`…-CANCELLED`; with `…-ENDLESS` it runs on.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult, EmptyResult
from moto.glue.models import FakeCrawler, GlueBackend
from moto.glue.responses import GlueResponse

# The states that looks see after a start, until the end.
STATES = ["RUNNING", "RUNNING", "STOPPING"]


def make_crawl() -> None:
    """Let crawlers run, and be changed."""

    def start_crawler(self: GlueBackend, name: str) -> None:
        crawler = self.get_crawler(name)
        if _state(crawler) != "READY":
            raise JsonRESTError("CrawlerRunningException", f"Crawler with name {name} has already started")
        crawler.looks, crawler.starts = 0, getattr(crawler, "starts", 0) + 1

    def get_crawler(self: GlueResponse) -> ActionResult:
        crawler = self.glue_backend.get_crawler(self.parameters["Name"])
        if _state(crawler) != "READY" and not crawler.role.endswith("-ENDLESS"):
            crawler.looks += 1
        return ActionResult({"Crawler": _described(crawler)})

    def update_crawler(self: GlueResponse) -> ActionResult:
        crawler, given = self.glue_backend.get_crawler(self.parameters["Name"]), self.parameters
        if _state(crawler) != "READY":
            raise JsonRESTError("CrawlerRunningException", f"Crawler with name {crawler.name} is running")
        crawler.role, crawler.targets = given["Role"], given["Targets"]
        crawler.database_name, crawler.description = given["DatabaseName"], given["Description"]
        crawler.schema_change_policy, crawler.recrawl_policy = given["SchemaChangePolicy"], given["RecrawlPolicy"]
        crawler.configuration = given["Configuration"]
        crawler.version += 1
        return EmptyResult()

    GlueBackend.start_crawler = start_crawler
    GlueResponse.get_crawler = get_crawler
    GlueResponse.update_crawler = update_crawler


def _state(crawler: FakeCrawler) -> str:
    looks = getattr(crawler, "looks", len(STATES))
    return STATES[looks] if looks < len(STATES) else "READY"


def _described(crawler: FakeCrawler) -> dict[str, Any]:
    found = {**crawler.as_dict(), "State": _state(crawler)}
    ended = getattr(crawler, "starts", 0) - (_state(crawler) != "READY")
    if ended > 0:
        found["LastCrawl"] = {
            "Status": crawler.role.rpartition("-")[2],
            "ErrorMessage": "As the test wants." if crawler.role.endswith("-FAILED") else "",
            "LogGroup": "/aws-glue/crawlers",
            "LogStream": crawler.name,
            "StartTime": datetime(2023, 7, 1, tzinfo=UTC) + timedelta(minutes=ended),
        }
    return found
