"""How Spark's workers read and write this machine's files: through the lake's bucket.

If a local file is a copy of an object of the lake, workers read that object, by S3A. Other
local files are uploaded to a scratch folder in the lake. What workers upload to the
scratch folder is downloaded. Not here: what Spark does with the files (engines).
"""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from star_assets.lake.aws import Client, make_client
from star_assets.lake.s3_objects import S3Objects
from star_assets.lake.storage import each
from star_assets.lake.worker_files import Place
from star_assets.model.errors import BrokenFile

# The folder of files that machines exchange during a job; the `_` hides it from readers.
SCRATCH = "staging/_spark"

# boto3's names for credentials that AWS gives to a machine; Spark's workers get theirs in the same way.
GIVEN_BY_AWS = {"iam-role", "container-role"}


# The argument of a boto3 client for each setting of S3A that says where the bucket is, and who asks.
ARGUMENTS = {
    "fs.s3a.endpoint": "endpoint_url",
    "fs.s3a.endpoint.region": "region_name",
    "fs.s3a.access.key": "aws_access_key_id",
    "fs.s3a.secret.key": "aws_secret_access_key",
    "fs.s3a.session.token": "aws_session_token",
}


@dataclass(frozen=True)
class BucketPlace:
    """The implementation of Place for a folder of a bucket, to which workers upload."""

    objects: S3Objects
    folder: str

    @contextmanager
    def writing(self, name: str) -> Iterator[Path]:
        """A temporary file, which is uploaded at the end."""
        with tempfile.TemporaryDirectory(prefix="star_assets_") as local:
            yield (file := Path(local, name))
            self.objects.upload(file, f"{self.folder}/{name}")


class BucketFiles:
    """The implementation of WorkerFiles for a lake in a bucket.

    `copied_from` finds the object that a local file is a copy of, and its ETag ("" if it never changes); None if the
    file is no copy.
    """

    shared = False

    def __init__(self, objects: S3Objects, copied_from: Callable[[str], tuple[str, str] | None]) -> None:
        self.objects, self.copied_from = objects, copied_from
        self._folder = f"{SCRATCH}/{uuid.uuid4().hex}"
        self._seen: dict[str, str] = {}

    @cached_property
    def options(self) -> Mapping[str, str]:
        """S3A's settings: the endpoint, region and credentials that boto3 uses here."""
        import boto3

        session = boto3.Session()
        found = {"fs.s3a.path.style.access": "true"} if endpoint() else {}
        found |= {"fs.s3a.endpoint": endpoint()} if endpoint() else {}
        found |= {"fs.s3a.endpoint.region": session.region_name} if session.region_name else {}
        if self.objects.kms_key:
            found |= {"fs.s3a.encryption.algorithm": "SSE-KMS", "fs.s3a.encryption.key": self.objects.kms_key}
        credentials = session.get_credentials()
        if credentials is None or credentials.method in GIVEN_BY_AWS:
            return found
        keys = credentials.get_frozen_credentials()
        found |= {"fs.s3a.access.key": keys.access_key, "fs.s3a.secret.key": keys.secret_key}
        provider = "SimpleAWSCredentialsProvider"
        if keys.token:
            provider, found["fs.s3a.session.token"] = "TemporaryAWSCredentialsProvider", keys.token
        return {**found, "fs.s3a.aws.credentials.provider": f"org.apache.hadoop.fs.s3a.{provider}"}

    def visible(self, files: Sequence[str]) -> list[str]:
        """The S3A URL of each local file: of the object that it is a copy of, or of a new upload."""
        fresh = [file for file in dict.fromkeys(files) if file not in self._seen]
        self._seen.update(zip(fresh, each(self.objects, self._see, fresh), strict=True))
        return [self._seen[file] for file in files]

    def _see(self, file: str) -> str:
        if found := self.copied_from(file):
            return self._url(found[0])
        path = f"{self._folder}/{uuid.uuid4().hex}/{Path(file).name}"
        self.objects.upload(Path(file), path)
        return self._url(path)

    def place(self, folder: Path) -> BucketPlace:
        """A new scratch folder."""
        arguments = {ARGUMENTS[key]: value for key, value in self.options.items() if key in ARGUMENTS}
        client = Client("s3", partial(make_client, "s3", **arguments))
        objects = S3Objects(self.objects.bucket, self.objects.prefix, self.objects.kms_key, client)
        return BucketPlace(objects, f"{self._folder}/{uuid.uuid4().hex}")

    def fetch(self, place: Place, files: Mapping[str, Path]) -> None:
        """Download the files. Raises FileNotFoundError."""
        assert isinstance(place, BucketPlace)
        each(self.objects, lambda name: self.objects.download(f"{place.folder}/{name}", files[name]), files)

    def require_unchanged(self, files: Sequence[str]) -> None:
        """Raises BrokenFile if an object changed since its local copy was made."""
        found = [copied for file in files if (copied := self.copied_from(file))]
        for path, etag in found:
            if etag and self.objects.etag(path) != etag:
                raise BrokenFile(self.objects.uri(path), None, "it changed while it was read")

    def clear(self) -> None:
        """Remove the scratch folder."""
        self.objects.delete([found.path for found in self.objects.walk(self._folder)])
        self._seen = {file: url for file, url in self._seen.items() if f"/{self._folder}/" not in url}

    def _url(self, path: str) -> str:
        return "s3a" + self.objects.uri(path).removeprefix("s3")


def endpoint() -> str:
    """The URL of S3 that AWS's variables name, which botocore reads too; empty for AWS's own address."""
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL", "")
