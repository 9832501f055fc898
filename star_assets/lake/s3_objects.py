"""Requests for the objects of an S3 bucket below a prefix, whose errors become those of the model.

Here: listing, downloading, uploading and deleting whole objects; large ones go in parallel parts. Not here:
compare-and-swap and local copies (s3_storage), credentials and retries (aws).
"""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from star_assets.lake.aws import GRANT, Client, aws_errors, code, in_batches, refused
from star_assets.lake.storage import Stored, each
from star_assets.model.errors import AwsBusy, AwsRefused, LostRace

# The most objects that one DeleteObjects call takes.
DELETE_BATCH = 1000

# Larger objects are moved in parts of this size, several at the same time.
PART = 16 * 1024 * 1024

# How often an object is requested if replies break off midway, which boto3 does not retry.
BROKEN_REPLIES = 3

NOT_FOUND = {"404", "NoSuchKey"}
CHANGED = {"412", "PreconditionFailed"}


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


class S3Objects:
    """The objects of `bucket` below `prefix`. The bucket must exist.

    Objects are encrypted with `kms_key`, a key of KMS; without one, as is the bucket's default.
    """

    at_once = 16

    def __init__(self, bucket: str, prefix: str, kms_key: str | None = None, client: Client | None = None) -> None:
        self.bucket, self.prefix = bucket, prefix.strip("/")
        self.client = client or Client("s3")
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
                    yield Stored(path, found["Size"], etag_of(found), found["LastModified"].timestamp())

    def names(self, prefix: str) -> list[str]:
        """The names directly in the folder `prefix`, sorted; those of folders end with `/`."""
        begin, found = f"{prefix}/" if prefix else "", list[str]()
        for page in self._pages(prefix, Delimiter="/"):
            found += [self._path(entry["Prefix"]) for entry in page.get("CommonPrefixes", ())]
            found += [self._path(entry["Key"]) for entry in page.get("Contents", ())]
        names = (path.removeprefix(begin) for path in found)
        return sorted(name for name in names if name and not name.startswith("."))

    def upload(self, file: Path, path: str) -> None:
        """Make a local file's content the object `path`, a large one in parallel parts."""
        from boto3.s3.transfer import TransferConfig

        with aws_errors(self.uri(path), "s3:PutObject"), file.open("rb") as content:
            if file.stat().st_size <= PART:
                self.put(path, content)
            else:
                parts = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART)
                key, encryption = self.key(path), self.encryption
                self.client().upload_fileobj(content, self.bucket, key, ExtraArgs=encryption, Config=parts)

    def delete(self, paths: Iterable[str]) -> None:
        """Remove objects; one that is gone already is no error."""
        for batch in in_batches(list(paths), DELETE_BATCH):
            keys = {"Objects": [{"Key": self.key(path)} for path in batch], "Quiet": True}
            with aws_errors(self.uri(""), "s3:DeleteObject"):
                reply = self.client().delete_objects(Bucket=self.bucket, Delete=keys)
            for failed in reply.get("Errors", ()):
                raise self._not_removed(failed)

    def sha256(self, path: str) -> str:
        """The SHA-256 of the object's bytes, downloaded for this and not kept. Raises FileNotFoundError."""
        return str(self.get(path, _checksum)["Content"])

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

    # Requests

    def _pages(self, folder: str, **options: str) -> Iterator[dict[str, Any]]:
        prefix = self.key(folder)
        with aws_errors(self.uri(folder), "s3:ListBucket"):
            pages = self.client().get_paginator("list_objects_v2")
            yield from pages.paginate(Bucket=self.bucket, Prefix=f"{prefix}/" if prefix else "", **options)

    def put(self, path: str, content: bytes | BinaryIO, **condition: str) -> Any:
        """S3's reply to a put of a small object. Raises botocore's ClientError."""
        return self.client().put_object(
            Bucket=self.bucket, Key=self.key(path), Body=content, **self.encryption, **condition
        )

    def get(self, path: str, read: Callable[[Any], Any] = _whole, **condition: str) -> dict[str, Any]:
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

    def etag(self, path: str) -> str:
        """An object's ETag. Raises FileNotFoundError."""
        from botocore.exceptions import ClientError

        try:
            with aws_errors(self.uri(path), "s3:GetObject"):
                return etag_of(self.client().head_object(Bucket=self.bucket, Key=self.key(path)))
        except ClientError as error:
            if code(error) in NOT_FOUND:
                raise FileNotFoundError(self.uri(path)) from error
            raise refused(error, self.uri(path), "s3:GetObject") from error

    def exists(self, path: str) -> bool:
        """Whether there is such an object."""
        try:
            self.etag(path)
        except FileNotFoundError:
            return False
        return True

    def download(self, path: str, file: Path, etag: str = "") -> None:
        """Write an object's content to a local file, a large one in parallel parts of one and the same ETag.

        Raises FileNotFoundError, and LostRace if the object has another ETag than `etag` or changes meanwhile.
        """
        reply = self.get(path, _small, **({"IfMatch": f'"{etag}"'} if etag else {}))
        if reply["Content"] is not None:
            file.write_bytes(reply["Content"])
            return
        size, same = reply["ContentLength"], reply["ETag"]
        with file.open("wb") as whole:
            whole.truncate(size)

        def fetch_part(first: int) -> None:
            until = min(first + PART, size) - 1
            self.get(path, partial(_into, file, first), Range=f"bytes={first}-{until}", IfMatch=same)

        each(self, fetch_part, range(0, size, PART))

    def _not_removed(self, failed: dict[str, str]) -> Exception:
        what, problem = self.uri(self._path(failed["Key"])), failed.get("Message", "").rstrip(".")
        if failed.get("Code") == "AccessDenied":
            return AwsRefused(what, f"s3:DeleteObject was denied ({problem})", GRANT)
        return AwsBusy(what, f"s3:DeleteObject failed with {failed.get('Code')}: {problem}")

    def key(self, path: str) -> str:
        """The key of a path in the bucket."""
        return "/".join(part for part in (self.prefix, path) if part)

    def _path(self, key: str) -> str:
        return key.removeprefix(f"{self.prefix}/") if self.prefix else key


def etag_of(found: Any) -> str:
    """The ETag in a reply of S3, without its quotes."""
    return str(found["ETag"]).strip('"')
