"""The storage of a lake in an S3 bucket, or below a prefix of one.

Here: reading and writing objects, swapping ledgers by conditional puts, local copies for
engines. Not here: what the bytes mean (versions), when copies are removed (file_cache),
credentials, retries and refusals (aws).
"""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from star_assets.lake.aws import GRANT, Client, aws_errors, code, in_batches, refused, region
from star_assets.lake.bucket_files import BucketFiles
from star_assets.lake.consoles import folder_page
from star_assets.lake.file_cache import FileCache, cache_folder
from star_assets.lake.storage import Storage, Stored, each
from star_assets.lake.versions import version_time
from star_assets.model.errors import AwsBusy, AwsRefused, LostRace

if TYPE_CHECKING:
    from star_assets.settings import Settings

# The most objects that one DeleteObjects call takes.
DELETE_BATCH = 1000

# Larger objects are moved in parts of this size, several at the same time.
PART = 16 * 1024 * 1024

# How often an object is requested if replies break off midway, which boto3 does not retry.
BROKEN_REPLIES = 3

# How often a conditional put is tried if S3 answers that it met another put of the same object;
# the next try then finds out which of the two won.
MEETINGS = 10

NOT_FOUND = {"404", "NoSuchKey"}
CHANGED = {"412", "PreconditionFailed"}
MET = {"409", "ConditionalRequestConflict", "OperationAborted"}

# The folder, in the cache, of copies of objects that may change, by ETag.
CHANGING = "_changing"


def _whole(reply: Any) -> bytes:
    return bytes(reply["Body"].read())


def _small(reply: Any) -> bytes | None:
    """The content, if it has no more bytes than a part; else None."""
    return _whole(reply) if reply["ContentLength"] <= PART else None


def _into(file: Path, first: int, reply: Any) -> None:
    """Write the content into a file, beginning at the offset `first`."""
    with file.open("r+b") as out:
        out.seek(first)
        for chunk in reply["Body"].iter_chunks(1 << 20):
            out.write(chunk)


def _checksum(reply: Any) -> str:
    digest = hashlib.sha256()
    for chunk in reply["Body"].iter_chunks(1 << 20):
        digest.update(chunk)
    return digest.hexdigest()


class S3Storage(Storage):
    """The objects of `bucket` below `prefix`. The bucket must exist.

    Objects are encrypted with `kms_key`, a key of KMS; without one, as is the bucket's default.
    """

    at_once = 16

    def __init__(self, bucket: str, prefix: str, cache: FileCache, kms_key: str | None = None) -> None:
        self.bucket, self.prefix = bucket, prefix.strip("/")
        self.cache = cache
        self.client = Client("s3")
        self.kms_key = kms_key
        self.encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {}

    def walk(self, prefix: str) -> Iterator[Stored]:
        """Every object below the folder `prefix`, by path; a name that begins with `.` is no object."""
        # S3's consoles mark an empty folder by an object whose name ends with a slash.
        return (stored for stored in self.survey(prefix) if not stored.path.endswith("/"))

    def survey(self, prefix: str) -> Iterator[Stored]:
        """The objects of `walk`, and the objects that mark empty folders."""
        for page in self._pages(prefix):
            for found in page.get("Contents", ()):
                path = self._path(found["Key"])
                below = path.removeprefix(f"{prefix}/") if prefix else path
                if not any(part.startswith(".") for part in below.split("/")):
                    yield Stored(path, found["Size"], _etag(found), found["LastModified"].timestamp())

    def names(self, prefix: str) -> list[str]:
        """The names directly in the folder `prefix`, sorted; those of folders end with `/`."""
        begin, found = f"{prefix}/" if prefix else "", list[str]()
        for page in self._pages(prefix, Delimiter="/"):
            found += [self._path(entry["Prefix"]) for entry in page.get("CommonPrefixes", ())]
            found += [self._path(entry["Key"]) for entry in page.get("Contents", ())]
        names = (path.removeprefix(begin) for path in found)
        return sorted(name for name in names if name and not name.startswith("."))

    def read(self, path: str) -> tuple[bytes, str]:
        """The content and its ETag. Raises FileNotFoundError."""
        reply = self._get(path)
        return reply["Content"], _etag(reply)

    def cached(self, path: str, etag: str = "") -> bytes:
        """The content, from a local copy if there is one. Raises FileNotFoundError, LostRace."""
        name, condition = self._copy(path), dict[str, str]()
        if etag:
            name, condition = self._copy(f"{CHANGING}/{etag}/{path}"), {"IfMatch": f'"{etag}"'}
        return Path(self._copied(name, path, condition)).read_bytes()

    def write(self, path: str, content: bytes) -> None:
        """Put a small object, whole or not at all. An object of a version is also kept as a local copy."""
        with aws_errors(self.uri(path), "s3:PutObject"):
            self._put(path, content)
        if _is_version(path):
            self.cache.add(self._copy(path), lambda file: file.write_bytes(content))

    def swap(self, path: str, content: bytes, expect: str | None) -> str:
        """Put `content` if the object's ETag is still `expect`. Returns the new ETag. Raises LostRace."""
        from botocore.exceptions import ClientError

        condition = {"IfMatch": f'"{expect}"'} if expect else {"IfNoneMatch": "*"}
        for _ in range(MEETINGS):
            try:
                with aws_errors(self.uri(path), "s3:PutObject"):
                    etag = _etag(self._put(path, content, **condition))
            except ClientError as error:
                if code(error) in MET:
                    continue
                if code(error) not in CHANGED | NOT_FOUND:
                    raise refused(error, self.uri(path), "s3:PutObject") from error
                # This very content may be there, if only the reply to an earlier try was lost. `ledger.swap`,
                # which reads again, recognises its own change.
                raise LostRace(path) from error
            # The next look on this machine need not download what was put from here.
            self.cache.add(self._copy(f"{CHANGING}/{etag}/{path}"), lambda file: file.write_bytes(content))
            return etag
        raise LostRace(path)

    def scratch(self) -> Path:
        """A new local folder."""
        return self.cache.scratch()

    def sweep(self, older_than: timedelta) -> None:
        """Remove this machine's scratch files that nobody touched for `older_than`: their processes have died."""
        self.cache.sweep(older_than)

    def adopt(self, file: Path, path: str) -> None:
        """Upload a scratch file, a large one in parallel parts. A file of a version is kept as the local copy."""
        self.upload(file, path)
        if _is_version(path):
            self.cache.take(self._copy(path), file)
        else:
            file.unlink()

    def upload(self, file: Path, path: str) -> None:
        """Make a local file's content the object `path`, a large one in parallel parts."""
        from boto3.s3.transfer import TransferConfig

        with aws_errors(self.uri(path), "s3:PutObject"), file.open("rb") as content:
            if file.stat().st_size <= PART:
                self._put(path, content)
            else:
                parts = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART)
                key, encryption = self.key(path), self.encryption
                self.client().upload_fileobj(content, self.bucket, key, ExtraArgs=encryption, Config=parts)

    def download(self, path: str, file: Path) -> None:
        """Write an object's content to a local file. Raises FileNotFoundError."""
        self._fetch(path, {}, file)

    def etag(self, path: str) -> str:
        """An object's ETag. Raises AwsRefused for one that is gone."""
        return self._head(path)

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
        for batch in in_batches(list(paths), DELETE_BATCH):
            keys = {"Objects": [{"Key": self.key(path)} for path in batch], "Quiet": True}
            with aws_errors(self.uri(""), "s3:DeleteObject"):
                reply = self.client().delete_objects(Bucket=self.bucket, Delete=keys)
            for failed in reply.get("Errors", ()):
                raise self._kept(failed)
            for path in batch:
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
                if code(error) in CHANGED and self._exists(path):
                    return False
                if code(error) not in CHANGED | NOT_FOUND:
                    raise refused(error, self.uri(path), "s3:DeleteObject") from error
            self.cache.forget(self._copy(f"{CHANGING}/{etag}/{path}"))
            return True
        return False

    def sha256(self, path: str) -> str:
        """The SHA-256 of the object's bytes, downloaded for this and not kept. Raises FileNotFoundError."""
        return str(self._get(path, _checksum)["Content"])

    def uri(self, path: str) -> str:
        """`s3://bucket/prefix/path`."""
        return "s3://" + "/".join(part for part in (self.bucket, self.prefix, path) if part)

    def path(self, uri: str) -> str | None:
        """The inverse of `uri`; None for what lies outside this lake."""
        scheme, _, place = uri.partition("://")
        if scheme not in ("s3", "s3a", "s3n"):
            return None
        place, root = posixpath.normpath(place), self.uri("").removeprefix("s3://")
        if place == root:
            return ""
        return place.removeprefix(f"{root}/") if place.startswith(f"{root}/") else None

    def worker_files(self) -> BucketFiles:
        """How Spark's workers see files: through the bucket, by S3A."""
        return BucketFiles(self)

    def page(self, uri: str) -> str:
        """The URL of the folder's page in S3's console."""
        return folder_page(region(), uri)

    @cached_property
    def place(self) -> str:
        """The name of this lake's folder of copies. It depends on the endpoint: two may have buckets of one name."""
        lake = f"{self.client().meta.endpoint_url} {self.uri('')}"
        return hashlib.sha256(lake.encode()).hexdigest()[:16]

    # Requests

    def _pages(self, folder: str, **options: str) -> Iterator[dict[str, Any]]:
        prefix = self.key(folder)
        with aws_errors(self.uri(folder), "s3:ListBucket"):
            pages = self.client().get_paginator("list_objects_v2")
            yield from pages.paginate(Bucket=self.bucket, Prefix=f"{prefix}/" if prefix else "", **options)

    def _put(self, path: str, content: bytes | BinaryIO, **condition: str) -> Any:
        return self.client().put_object(
            Bucket=self.bucket, Key=self.key(path), Body=content, **self.encryption, **condition
        )

    def _get(self, path: str, read: Callable[[Any], Any] = _whole, **condition: str) -> dict[str, Any]:
        """S3's reply with the object, plus `Content`: what `read` returns for the reply."""
        from botocore.exceptions import ClientError

        for attempt in range(1, BROKEN_REPLIES + 1):
            try:
                with aws_errors(self.uri(path), "s3:GetObject"):
                    reply: dict[str, Any] = self.client().get_object(
                        Bucket=self.bucket, Key=self.key(path), **condition
                    )
                    with reply["Body"]:
                        return {**reply, "Content": read(reply)}
            except AwsBusy:
                if attempt == BROKEN_REPLIES:
                    raise
            except ClientError as error:
                if code(error) in NOT_FOUND:
                    raise FileNotFoundError(self.uri(path)) from error
                if code(error) in CHANGED:
                    raise LostRace(path) from error
                raise refused(error, self.uri(path), "s3:GetObject") from error
        raise AssertionError("the last attempt returns or raises")

    def _local(self, path: str) -> str:
        """The file name of an object's copy. If the object may change, its ETag is asked first, and is in that name."""
        if _is_version(path):
            return self._copied(self._copy(path), path, {})
        for _ in range(MEETINGS):
            etag = self._head(path)
            # The object may change between the two requests; then ask again.
            with suppress(LostRace):
                return self._copied(self._copy(f"{CHANGING}/{etag}/{path}"), path, {"IfMatch": f'"{etag}"'})
        raise AwsBusy(self.uri(path), "it changed each time that it was about to be read")

    def _copied(self, name: str, path: str, condition: Mapping[str, str]) -> str:
        return str(self.cache.find(name) or self.cache.add(name, partial(self._fetch, path, condition)))

    def _copy(self, path: str) -> str:
        """The name, in the cache that all lakes share, of a path's copy."""
        return f"{self.place}/{path}"

    def _head(self, path: str) -> str:
        from botocore.exceptions import ClientError

        try:
            with aws_errors(self.uri(path), "s3:GetObject"):
                return _etag(self.client().head_object(Bucket=self.bucket, Key=self.key(path)))
        except ClientError as error:
            if code(error) in NOT_FOUND:
                raise FileNotFoundError(self.uri(path)) from error
            raise refused(error, self.uri(path), "s3:GetObject") from error

    def _exists(self, path: str) -> bool:
        try:
            self._head(path)
        except FileNotFoundError:
            return False
        return True

    def _fetch(self, path: str, condition: Mapping[str, str], file: Path) -> None:
        """Download an object; a large one in parallel parts, which must have the ETag of the first reply.

        Raises LostRace if the object changes meanwhile.
        """
        reply = self._get(path, _small, **condition)
        if reply["Content"] is not None:
            file.write_bytes(reply["Content"])
            return
        size, same = reply["ContentLength"], reply["ETag"]
        with file.open("wb") as whole:
            whole.truncate(size)

        def fetch_part(first: int) -> None:
            until = min(first + PART, size) - 1
            self._get(path, partial(_into, file, first), Range=f"bytes={first}-{until}", IfMatch=same)

        each(self, fetch_part, range(0, size, PART))

    def _kept(self, failed: dict[str, str]) -> Exception:
        what, problem = self.uri(self._path(failed["Key"])), failed.get("Message", "").rstrip(".")
        if failed.get("Code") == "AccessDenied":
            return AwsRefused(what, f"s3:DeleteObject was denied ({problem})", GRANT)
        return AwsBusy(what, f"s3:DeleteObject failed with {failed.get('Code')}: {problem}")

    def key(self, path: str) -> str:
        """The key of a path in the bucket."""
        return "/".join(part for part in (self.prefix, path) if part)

    def _path(self, key: str) -> str:
        return key.removeprefix(f"{self.prefix}/") if self.prefix else key


def open_s3(settings: Settings) -> S3Storage:
    """The storage at `STAR_LAKE=s3://bucket/prefix`."""
    bucket, _, prefix = settings.lake.partition("://")[2].partition("/")
    return S3Storage(bucket, prefix, FileCache(cache_folder(), settings.cache_size), settings.kms_key)


def _etag(found: Any) -> str:
    return str(found["ETag"]).strip('"')


def _is_version(path: str) -> bool:
    """Whether an object belongs to a version, and so never changes."""
    return any(part.startswith("v=") and version_time(part[2:]) for part in path.split("/"))
