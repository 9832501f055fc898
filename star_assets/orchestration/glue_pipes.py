"""What Dagster Pipes and a Glue job tell each other, in a folder of the lake's bucket.

Dagster's own reader and injector for S3 write at the root of the bucket, where
nobody may have rights, and leave what they wrote.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg

from star_assets.lake.storage import Storage

# Where it lies; the `_` hides it from readers.
FOLDER = "staging/_pipes"

# Seconds between looks for new messages.
INTERVAL = 5.0


class LakeContext(dg.PipesContextInjector):
    """Passes what a job is to know as an object of the lake."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    @contextmanager
    def inject_context(self, context: Any) -> Iterator[dict[str, Any]]:
        """Write it for the time of the job."""
        path = f"{FOLDER}/{uuid.uuid4().hex}/context.json"
        self.storage.write(path, json.dumps(context).encode())
        try:
            bucket, key = _in_bucket(self.storage.uri(path))
            yield {"bucket": bucket, "key": key}
        finally:
            self.storage.delete([path])

    def no_messages_debug_text(self) -> str:
        """Where it was."""
        return f"The job was to read {self.storage.uri(FOLDER)}."


class LakeMessages(dg.PipesBlobStoreMessageReader):
    """Reads a job's messages off the lake while it runs."""

    def __init__(self, storage: Storage, interval: float = INTERVAL) -> None:
        super().__init__(interval=interval)
        self.storage = storage

    @contextmanager
    def get_params(self) -> Iterator[dict[str, Any]]:
        """Where the job is to write them; they go once they are read."""
        folder = f"{FOLDER}/{uuid.uuid4().hex}"
        try:
            bucket, key = _in_bucket(self.storage.uri(folder))
            yield {"bucket": bucket, "key_prefix": key, "folder": folder}
        finally:
            self.storage.delete([found.path for found in self.storage.walk(folder)])

    def messages_are_readable(self, params: Any) -> bool:
        """Whether there are any."""
        return self.download_messages_chunk(1, params) is not None

    def download_messages_chunk(self, index: int, params: Any) -> str | None:
        """The messages with that number, if they are there."""
        try:
            content, _ = self.storage.read(f"{params['folder']}/{index}.json")
        except FileNotFoundError:
            return None
        return content.decode()

    def no_messages_debug_text(self) -> str:
        """Where they would be."""
        return f"The job was to write to {self.storage.uri(FOLDER)}."


def _in_bucket(uri: str) -> tuple[str, str]:
    """`s3://bucket/key` → the bucket, the key."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key
