"""A crawler of Glue over one source's raw exports: made, started, awaited.

Here: what it is told, what each of its states means. Not here: which sources are
left to one (model), when it runs (pipeline).
"""

from __future__ import annotations

import json
import time
from typing import Any

from star_assets.lake.aws import Client, code, refused, told
from star_assets.model.errors import AwsBusy, AwsRefused, CrawlFailed, CrawlUnfinished

# A crawl takes minutes: it is asked about less and less often, and given up after half an hour.
FIRST_PAUSE, LONGEST_PAUSE, PATIENCE = 5.0, 60.0, 1800.0

# Somebody else may start it, or make it, between two calls.
ROUNDS = 5

# By these words a crawler is known for ours. Any other of its name is left alone.
MADE = "Made by star_assets. "

POLICY: dict[str, Any] = {
    # New columns reach the table, and nothing that a crawl does not find is dropped. With
    # CRAWL_NEW_FOLDERS_ONLY, Glue allows LOG alone, and a day that is exported again is not seen.
    "SchemaChangePolicy": {"UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": "LOG"},
    "RecrawlPolicy": {"RecrawlBehavior": "CRAWL_EVERYTHING"},
    "Configuration": json.dumps(
        {
            "Version": 1.0,
            "CrawlerOutput": {
                # A partition that keeps columns of its own cannot be queried once the table's have changed.
                "Partitions": {"AddOrUpdateBehavior": "InheritFromTable"},
                "Tables": {"AddOrUpdateBehavior": "MergeNewColumns"},
            },
            # Days whose columns differ belong to one table all the same.
            "Grouping": {"TableGroupingPolicy": "CombineCompatibleSchemas"},
        }
    ),
}

# Markers, and what is being written, are no data.
EXCLUDED = ["**/_*", "**/.*"]


class _Absent(Exception):
    """There is no such crawler."""


class _Running(Exception):
    """It is at work."""


class _Exists(Exception):
    """Somebody else made it just now."""


_ANSWERS = {
    "EntityNotFoundException": _Absent,
    "CrawlerRunningException": _Running,
    "AlreadyExistsException": _Exists,
}


class Crawler:
    """The crawler `name`: it looks at `location` as `role`, and keeps a table in `database`. Names are Glue's own."""

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
        """Start a crawl, and wait for nothing. Whether it was not at work already."""
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
        """Crawl what lies there now, and wait for the end.

        A crawl that is under way may have passed by what is new, so another one
        follows it. Raises CrawlFailed, CrawlUnfinished.
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
        """Wait until it is at rest."""
        pause = FIRST_PAUSE
        while self._found()["State"] != "READY":
            if time.monotonic() + pause > deadline:
                raise CrawlUnfinished(self.name, f"it did not end within {PATIENCE / 60:g} minutes")
            time.sleep(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE)

    def _ensure(self) -> None:
        """Make it, or change it to what is wanted. Raises AwsRefused, _Running, _Exists."""
        try:
            found = self._found()
        except _Absent:
            self._call("create_crawler", Name=self.name, **self.wanted)
            return
        if not found.get("Description", "").startswith(MADE):
            raise AwsRefused(
                self._what, "somebody else made it", "Delete it, or set STAR_GLUE_PREFIX to another prefix"
            )
        # Glue adds members of its own to a target, and a path to a role's name.
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
        """One call. Raises _Absent, _Running, _Exists, and what `aws.told` makes of the rest."""
        from botocore.exceptions import ClientError

        action = "glue:" + operation.title().replace("_", "")
        try:
            with told(self._what, action):
                reply: dict[str, Any] = getattr(self.client(), operation)(**given)
                return reply
        except ClientError as error:
            answer = _ANSWERS.get(code(error))
            raise (answer() if answer else refused(error, self._what, action)) from error


def _log(last: dict[str, Any]) -> str:
    return f"{last.get('LogGroup', '')} {last.get('LogStream', '')}".strip()
