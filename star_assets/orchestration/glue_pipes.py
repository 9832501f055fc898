"""The Dagster Pipes context and messages of a Glue job, as objects in a folder of the lake.

Dagster's own injector and reader for S3 write at the root of the bucket, where the
roles have no rights, and leave their objects behind.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg

from star_assets.lake.storage import Storage

# The `_` hides the folder from Athena and Spark.
FOLDER = "staging/_pipes"

# Seconds between two polls for new messages.
INTERVAL = 5.0


class LakeContext(dg.PipesContextInjector):
    """Passes the Pipes context to a job as an object of the lake."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    @contextmanager
    def inject_context(self, context: Any) -> Iterator[dict[str, Any]]:
        """Write the context, and delete it once the job has ended. Yields its bucket and key."""
        path = f"{FOLDER}/{uuid.uuid4().hex}/context.json"
        self.storage.write(path, json.dumps(context).encode())
        try:
            bucket, key = _in_bucket(self.storage.uri(path))
            yield {"bucket": bucket, "key": key}
        finally:
            self.storage.delete([path])

    def no_messages_debug_text(self) -> str:
        """Dagster's hint if no message came: where the context was."""
        return f"The job was to read {self.storage.uri(FOLDER)}."


class LakeMessages(dg.PipesBlobStoreMessageReader):
    """Reads a job's Pipes messages from the lake while it runs."""

    def __init__(self, storage: Storage, interval: float = INTERVAL) -> None:
        super().__init__(interval=interval)
        self.storage = storage

    @contextmanager
    def get_params(self) -> Iterator[dict[str, Any]]:
        """Yields where the job should write messages, and deletes them once the job has ended."""
        folder = f"{FOLDER}/{uuid.uuid4().hex}"
        try:
            bucket, key = _in_bucket(self.storage.uri(folder))
            yield {"bucket": bucket, "key_prefix": key, "folder": folder}
        finally:
            self.storage.delete([found.path for found in self.storage.walk(folder)])

    def messages_are_readable(self, params: Any) -> bool:
        """Whether the first message is there."""
        return self.download_messages_chunk(1, params) is not None

    def download_messages_chunk(self, index: int, params: Any) -> str | None:
        """The text of messages number `index`; None if the job has not written it yet."""
        try:
            content, _ = self.storage.read(f"{params['folder']}/{index}.json")
        except FileNotFoundError:
            return None
        return content.decode()

    def no_messages_debug_text(self) -> str:
        """Dagster's hint if no message came: where messages are expected."""
        return f"The job was to write to {self.storage.uri(FOLDER)}."


def _in_bucket(uri: str) -> tuple[str, str]:
    """`s3://bucket/key` → the bucket, the key."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key
