"""A Glue crawler over one source's raw exports: making it, starting it, waiting for its end.

Here: the crawler's settings, what each of its states means. Not here: which sources have a
crawler (model), when it runs (pipeline).
"""

from __future__ import annotations

import json
import time
from typing import Any

from star_assets.lake.aws import Client, aws_errors, code, refused
from star_assets.model.errors import AwsBusy, AwsRefused, CrawlFailed, CrawlUnfinished

# A crawl takes minutes. The pauses between two questions grow from 5 s to 60 s; after 1,800 s it has failed.
FIRST_PAUSE, LONGEST_PAUSE, PATIENCE = 5.0, 60.0, 1800.0

# How often a start is tried, because another process may make or delete the crawler between two calls.
ROUNDS = 5

# The description of our crawlers begins with these words. A crawler without them is never changed.
MADE = "Made by star_assets. "

POLICY: dict[str, Any] = {
    # New columns are added to the table; columns and partitions that a crawl does not find are kept. (With
    # CRAWL_NEW_FOLDERS_ONLY, Glue allows LOG alone, and a day that is exported again is not crawled.)
    "SchemaChangePolicy": {"UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": "LOG"},
    "RecrawlPolicy": {"RecrawlBehavior": "CRAWL_EVERYTHING"},
    "Configuration": json.dumps(
        {
            "Version": 1.0,
            "CrawlerOutput": {
                # Partitions with columns of their own cannot be queried once the table's columns have changed.
                "Partitions": {"AddOrUpdateBehavior": "InheritFromTable"},
                "Tables": {"AddOrUpdateBehavior": "MergeNewColumns"},
            },
            # Days whose columns differ belong to one table all the same.
            "Grouping": {"TableGroupingPolicy": "CombineCompatibleSchemas"},
        }
    ),
}

# Markers such as `_SUCCESS`, and files that are still being written, are no data.
EXCLUDED = ["**/_*", "**/.*"]


class _Absent(Exception):
    """There is no such crawler."""


class _Running(Exception):
    """The crawler is running."""


class _Exists(Exception):
    """Another process has just made the crawler."""


_ANSWERS = {
    "EntityNotFoundException": _Absent,
    "CrawlerRunningException": _Running,
    "AlreadyExistsException": _Exists,
}


class Crawler:
    """The crawler `name`, which crawls `location` as `role` and keeps a table in `database`. Names are as in Glue."""

    def __init__(self, name: str, database: str, location: str, role: str) -> None:
        self.name = name
        self.wanted = {
            "Role": role,
            "DatabaseName": database,
            "Description": f"{MADE}Raw exports in {location}.",
            "Targets": {"S3Targets": [{"Path": f"{location.rstrip('/')}/", "Exclusions": EXCLUDED}]},
            **POLICY,
        }
        self.client = Client("glue")

    def start(self) -> bool:
        """Start a crawl without waiting for its end. False if a crawl is running already."""
        for _ in range(ROUNDS):
            try:
                self._ensure()
                self._call("start_crawler", Name=self.name)
                return True
            except _Running:
                return False
            except (_Absent, _Exists):
                continue
        raise AwsBusy(self._what, "others made and deleted the crawler each time that it was started")

    def run(self) -> None:
        """Crawl all exports that are there now, and wait for the end.

        A crawl that is already running may have missed the newest files, so another
        crawl follows it. Raises CrawlFailed, CrawlUnfinished.
        """
        deadline = time.monotonic() + PATIENCE
        while not self.start():
            self._wait(deadline)
        self._wait(deadline)
        last = self._found().get("LastCrawl", {})
        if last.get("Status") == "FAILED":
            raise CrawlFailed(self.name, str(last.get("ErrorMessage", "")), _log(last))
        if last.get("Status") != "SUCCEEDED":
            raise CrawlUnfinished(self.name, "somebody cancelled it")

    def _wait(self, deadline: float) -> None:
        """Wait until the crawler is ready. Raises CrawlUnfinished."""
        pause = FIRST_PAUSE
        while self._found()["State"] != "READY":
            if time.monotonic() + pause > deadline:
                raise CrawlUnfinished(self.name, f"it did not end within {PATIENCE / 60:g} minutes")
            time.sleep(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE)

    def _ensure(self) -> None:
        """Make the crawler, or bring its settings up to date. Raises AwsRefused, _Running, _Exists."""
        try:
            found = self._found()
        except _Absent:
            self._call("create_crawler", Name=self.name, **self.wanted)
            return
        if not found.get("Description", "").startswith(MADE):
            raise AwsRefused(
                self._what, "somebody else made it", "Delete it, or set STAR_GLUE_PREFIX to another prefix"
            )
        # Glue adds further members to a target, and a path to a role's name.
        target = {key: found["Targets"]["S3Targets"][0].get(key) for key in ("Path", "Exclusions")}
        differs = any(found.get(key) != self.wanted[key] for key in ("DatabaseName", "Description", "Configuration"))
        differs = differs or any(found.get(key) != POLICY[key] for key in ("SchemaChangePolicy", "RecrawlPolicy"))
        differs = differs or found["Role"].rpartition("/")[2] != self.wanted["Role"].rpartition("/")[2]
        if differs or target != self.wanted["Targets"]["S3Targets"][0]:
            self._call("update_crawler", Name=self.name, **self.wanted)

    def _found(self) -> dict[str, Any]:
        found: dict[str, Any] = self._call("get_crawler", Name=self.name)["Crawler"]
        return found

    @property
    def _what(self) -> str:
        return f"Glue crawler {self.name}"

    def _call(self, operation: str, **given: Any) -> dict[str, Any]:
        """The reply to one call. Raises _Absent, _Running, _Exists, and for other errors those of `aws.refused`."""
        from botocore.exceptions import ClientError

        action = "glue:" + operation.title().replace("_", "")
        try:
            with aws_errors(self._what, action):
                reply: dict[str, Any] = getattr(self.client(), operation)(**given)
                return reply
        except ClientError as error:
            answer = _ANSWERS.get(code(error))
            raise (answer() if answer else refused(error, self._what, action)) from error


def _log(last: dict[str, Any]) -> str:
    return f"{last.get('LogGroup', '')} {last.get('LogStream', '')}".strip()
