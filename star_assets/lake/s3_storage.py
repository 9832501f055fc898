"""The storage of a lake in an S3 bucket, or below a prefix of one.

Here: swapping ledgers by conditional puts, local copies for engines. Not here: single requests
(s3_objects), what the bytes mean (versions), when copies are removed (file_cache).
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from star_assets.lake.aws import aws_errors, code, refused, region
from star_assets.lake.bucket_files import SCRATCH, BucketFiles
from star_assets.lake.consoles import folder_page
from star_assets.lake.file_cache import FileCache, cache_folder
from star_assets.lake.s3_objects import CHANGED, NOT_FOUND, S3Objects, etag_of
from star_assets.lake.storage import Storage, each
from star_assets.lake.versions import version_time
from star_assets.model.errors import AwsBusy, AwsRefused, LostRace

if TYPE_CHECKING:
    from star_assets.settings import Settings

# How often a conditional put is tried if S3 answers that it met another put of the same object;
# the next try then finds out which of the two won.
MEETINGS = 10

MET = {"409", "ConditionalRequestConflict", "OperationAborted"}

# The folder, in the cache, of copies of objects that may change, by ETag.
CHANGING = "_changing"


class S3Storage(S3Objects, Storage):
    """The storage of the objects of a bucket, with local copies in `cache`."""

    def __init__(self, bucket: str, prefix: str, cache: FileCache, kms_key: str | None = None) -> None:
        super().__init__(bucket, prefix, kms_key)
        self.cache = cache

    def read(self, path: str) -> tuple[bytes, str]:
        """The content and its ETag. Raises FileNotFoundError."""
        reply = self.get(path)
        return reply["Content"], etag_of(reply)

    def cached(self, path: str, etag: str = "") -> bytes:
        """The content, from a local copy if there is one. Raises FileNotFoundError, LostRace."""
        return Path(self._copied(path, etag)).read_bytes()

    def write(self, path: str, content: bytes) -> None:
        """Put a small object, whole or not at all. An object of a version is also kept as a local copy."""
        with aws_errors(self.uri(path), "s3:PutObject"):
            self.put(path, content)
        if _is_version(path):
            self.cache.add(self._copy(path), lambda file: file.write_bytes(content))

    def swap(self, path: str, content: bytes, expect: str | None) -> str:
        """Put `content` if the object's ETag is still `expect`. Returns the new ETag. Raises LostRace."""
        from botocore.exceptions import ClientError

        condition = {"IfMatch": f'"{expect}"'} if expect else {"IfNoneMatch": "*"}
        for _ in range(MEETINGS):
            try:
                with aws_errors(self.uri(path), "s3:PutObject"):
                    etag = etag_of(self.put(path, content, **condition))
            except ClientError as error:
                if code(error) in MET:
                    continue
                if code(error) not in CHANGED | NOT_FOUND:
                    raise refused(error, self.uri(path), "s3:PutObject") from error
                # This very content may be there, if only the reply to an earlier try was lost. `ledger.swap`,
                # which reads again, recognises its own change.
                raise LostRace(path) from error
            # The next look on this machine need not download what was put from here.
            self.cache.add(self._copy(path, etag), lambda file: file.write_bytes(content))
            return etag
        raise LostRace(path)

    def scratch(self) -> Path:
        """A new local folder."""
        return self.cache.scratch()

    def sweep(self, older_than: timedelta) -> None:
        """Remove scratch files, here and in the bucket, that nobody touched for `older_than`: their processes died."""
        self.cache.sweep(older_than)
        limit = time.time() - older_than.total_seconds()
        self.delete([found.path for found in self.walk(SCRATCH) if found.modified < limit])

    def adopt(self, file: Path, path: str) -> None:
        """Upload a scratch file, a large one in parallel parts. A file of a version is kept as the local copy."""
        self.upload(file, path)
        if _is_version(path):
            self.cache.take(self._copy(path), file)
        else:
            file.unlink()

    def copied_from(self, file: str) -> tuple[str, str] | None:
        """The object that a local file is a copy of, and its ETag ("" if it never changes). None if it is no copy."""
        root = self.cache.root / self.place
        if not Path(file).is_relative_to(root):
            return None
        path = Path(file).relative_to(root).as_posix()
        if path.startswith(f"{CHANGING}/"):
            _, etag, path = path.split("/", 2)
            return path, etag
        return path, ""

    def local(self, paths: Sequence[str]) -> list[str]:
        """Local copies; missing ones are downloaded in parallel. Raises AwsRefused if an object is gone."""
        try:
            return each(self, self._local, paths)
        except FileNotFoundError as error:
            raise AwsRefused(str(error), "it is gone", "Restore it, or make it again") from error

    def delete(self, paths: Iterable[str]) -> None:
        """Remove objects, and their local copies."""
        removed = list(paths)
        try:
            super().delete(removed)
        finally:
            for path in removed:
                self.cache.forget(self._copy(path))

    def delete_if(self, path: str, etag: str) -> bool:
        """Remove an object if its ETag is still `etag`, and its local copy. Returns whether it is gone.

        S3 compares the ETags, for which it requires s3:GetObject beside s3:DeleteObject.
        """
        from botocore.exceptions import ClientError

        for _ in range(MEETINGS):
            try:
                with aws_errors(self.uri(path), "s3:DeleteObject"):
                    self.client().delete_object(Bucket=self.bucket, Key=self.key(path), IfMatch=f'"{etag}"')
            except ClientError as error:
                if code(error) in MET:
                    continue
                # In a bucket with versioning, a removed object has a delete marker, whose ETag never matches.
                if code(error) in CHANGED and self.exists(path):
                    return False
                if code(error) not in CHANGED | NOT_FOUND:
                    raise refused(error, self.uri(path), "s3:DeleteObject") from error
            self.cache.forget(self._copy(path, etag))
            return True
        return False

    def worker_files(self) -> BucketFiles:
        """How Spark's workers see files: through the bucket, by S3A."""
        return BucketFiles(self, self.copied_from)

    def page(self, uri: str) -> str:
        """The URL of the folder's page in S3's console."""
        return folder_page(region(), uri)

    @cached_property
    def place(self) -> str:
        """The name of this lake's folder of copies. It depends on the endpoint: two may have buckets of one name."""
        lake = f"{self.client().meta.endpoint_url} {self.uri('')}"
        return hashlib.sha256(lake.encode()).hexdigest()[:16]

    def _local(self, path: str) -> str:
        """The file name of an object's copy. If the object may change, its ETag is asked first, and is in that name."""
        if _is_version(path):
            return self._copied(path)
        for _ in range(MEETINGS):
            etag = self.etag(path)
            # The object may change between the two requests; then ask again.
            with suppress(LostRace):
                return self._copied(path, etag)
        raise AwsBusy(self.uri(path), "it changed each time that it was about to be read")

    def _copied(self, path: str, etag: str = "") -> str:
        """The file name of an object's copy, which is downloaded if it is missing. Raises LostRace."""
        name = self._copy(path, etag)
        return str(self.cache.find(name) or self.cache.add(name, partial(self.download, path, etag=etag)))

    def _copy(self, path: str, etag: str = "") -> str:
        """The name, in the cache that all lakes share, of an object's copy: of one that may change, with its ETag."""
        return f"{self.place}/{CHANGING}/{etag}/{path}" if etag else f"{self.place}/{path}"


def open_s3(settings: Settings) -> S3Storage:
    """The storage at `STAR_LAKE=s3://bucket/prefix`."""
    bucket, _, prefix = settings.lake.partition("://")[2].partition("/")
    return S3Storage(bucket, prefix, FileCache(cache_folder(), settings.cache_size), settings.kms_key)


def _is_version(path: str) -> bool:
    """Whether an object belongs to a version, and so never changes."""
    return any(part.startswith("v=") and version_time(part[2:]) for part in path.split("/"))
