"""What S3 alone has: pages, parts, keys of KMS, other people's objects in the same bucket."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from copy import copy
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from star_assets.lake import s3_objects
from star_assets.lake.aws import Client, config
from star_assets.lake.places import open_storage
from star_assets.lake.s3_storage import S3Storage
from star_assets.model.errors import AwsRefused
from star_assets.settings import Settings

# The least that S3 takes for a part.
PART = 5 * 1024 * 1024


@pytest.fixture
def settings(aws: Callable[..., Settings]) -> Settings:
    return aws()


@pytest.fixture
def storage(settings: Settings) -> Any:
    return open_storage(settings)


def test_a_listing_goes_over_all_its_pages(storage: S3Storage) -> None:
    """After three years of days a table has a second page, and whoever forgets it loses the newest days."""
    names = [f"t/{number}.json" for number in range(7)]
    for name in names:
        storage.write(name, b"")
    small = "before-parameter-build.s3.ListObjectsV2"
    storage.client().meta.events.register(small, lambda params, **_: params.update(MaxKeys=3))
    assert [stored.path for stored in storage.walk("t")] == names
    for number in range(7):
        storage.write(f"u/{number}/x", b"")
    assert storage.folders("u") == [str(number) for number in range(7)]


def test_a_large_file_goes_and_comes_in_parts_and_is_never_held_whole(
    settings: Settings, storage: S3Storage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A day may be larger than memory."""
    monkeypatch.setattr(s3_objects, "PART", PART)
    parts, path = 16, "olap/t/v=20230701T000000000000-00000000/part-00000.parquet"
    file = storage.scratch() / "part"
    with file.open("wb") as content:
        for number in range(parts):
            content.write(bytes([number]) * PART)
    tracemalloc.start()
    storage.adopt(file, path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another machine"))
    (local,) = open_storage(settings).local([path])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    (stored,) = storage.walk("olap/t")
    assert (stored.size, stored.etag.rpartition("-")[2]) == (parts * PART, str(parts))
    with Path(local).open("rb") as content:
        assert all(content.read(PART) == bytes([number]) * PART for number in range(parts))
    # As many parts as are under way at the same time.
    assert peak < 14 * PART


def test_a_large_object_that_changes_while_it_is_copied_is_copied_anew(
    storage: S3Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its parts would be of two objects, and lie in the cache under the ETag of one."""
    monkeypatch.setattr(s3_objects, "PART", PART)
    path, before, after = "oltp/orders/date=2023-07-01/orders.csv", b"a" * 3 * PART, b"b" * 3 * PART
    storage.write(path, before)
    asked = []

    def replaced_midway(params: dict[str, Any], **_: Any) -> None:
        asked.append(params.get("Range"))
        if len(asked) == 2:
            storage.write(path, after)

    storage.client().meta.events.register("before-parameter-build.s3.GetObject", replaced_midway)
    (copied,) = storage.local([path])
    assert Path(copied).read_bytes() == after
    assert any(asked)
    with storage.client().get_object(Bucket=storage.bucket, Key=storage.key(path))["Body"] as body:
        assert body.read() == after


@pytest.mark.parametrize("key", [None, "alias/shop"])
def test_every_way_of_writing_uses_the_key_that_is_set(
    aws: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    """One object that is encrypted otherwise is one that an auditor finds."""
    monkeypatch.setattr(s3_objects, "PART", PART)
    settings = aws(kms_key=key)
    storage = open_storage(settings)
    storage.write("a", b"")
    storage.swap("b", b"", None)
    for name, size in {"c": 1, "d": PART + 1}.items():
        file = storage.scratch() / "file"
        file.write_bytes(b" " * size)
        storage.adopt(file, name)
    bucket, _, prefix = settings.lake.removeprefix("s3://").partition("/")
    client = boto3.client("s3")
    heads = [client.head_object(Bucket=bucket, Key=f"{prefix}/{name}") for name in "abcd"]
    found = {(head.get("ServerSideEncryption"), head.get("SSEKMSKeyId")) for head in heads}
    # Without one, the bucket decides.
    assert found == {("aws:kms", key) if key else (None, None)}


def faulty(storage: S3Storage, fault: str) -> S3Storage:
    """The same storage, whose calls fail as aws_server says of such a key."""
    other = copy(storage)
    keys = {"aws_access_key_id": fault, "aws_secret_access_key": "testing"}
    other.client = Client("s3", lambda: boto3.client("s3", **keys, config=config()))
    return other


@pytest.mark.parametrize("fault", ["LOST.InternalError.DELETE", "ONCE.ConditionalRequestConflict.DELETE"])
def test_a_conditional_delete_is_tried_again(storage: S3Storage, fault: str) -> None:
    """After a lost reply the second try finds nothing there; that is no other object."""
    storage.write("t/a.csv", b"old")
    (listed,) = storage.walk("t")
    assert faulty(storage, fault).delete_if("t/a.csv", listed.etag)
    assert list(storage.walk("t")) == []


@pytest.mark.parametrize("code", ["PreconditionFailed", "ConditionalRequestConflict"])
def test_a_conditional_delete_that_s3_declines_leaves_the_object(storage: S3Storage, code: str) -> None:
    """In a bucket that keeps versions, what is gone is a marker, which no ETag matches."""
    storage.write("t/a.csv", b"old")
    (listed,) = storage.walk("t")
    declined = faulty(storage, f"ALWAYS.{code}.DELETE")
    assert not declined.delete_if("t/a.csv", listed.etag)
    assert storage.read("t/a.csv")[0] == b"old"
    storage.delete(["t/a.csv"])
    if code == "PreconditionFailed":
        assert declined.delete_if("t/a.csv", listed.etag)


@pytest.mark.parametrize("code", ["AccessDenied", "MethodNotAllowed"])
def test_a_conditional_delete_that_s3_refuses_is_told_in_our_words(storage: S3Storage, code: str) -> None:
    with pytest.raises(AwsRefused, match=r"t/a\.csv: s3:DeleteObject (was denied|failed with MethodNotAllowed)"):
        faulty(storage, f"ALWAYS.{code}.DELETE").delete_if("t/a.csv", "any")


def test_a_conditional_delete_forgets_the_local_copy(storage: S3Storage) -> None:
    """Of what may have been a person's, no copy is to stay behind."""
    storage.write("t/a.csv", b"old")
    (local,) = storage.local(["t/a.csv"])
    (listed,) = storage.walk("t")
    assert storage.delete_if("t/a.csv", listed.etag)
    assert not Path(local).exists()


def test_what_others_keep_in_the_bucket_is_neither_seen_nor_touched(settings: Settings) -> None:
    """`retail/lake2` begins like `retail/lake`, and is somebody else's."""
    ours, theirs, root = (
        open_storage(settings.model_copy(update={"lake": f"{settings.lake.removesuffix('/retail/lake')}{place}"}))
        for place in ("/retail/lake", "/retail/lake2", "")
    )
    for storage in (ours, theirs, root):
        storage.write("t/x", b"theirs")
    ours.write("t/x", b"ours")
    assert [stored.path for stored in ours.walk("")] == ["t/x"]
    assert ours.folders("") == ["t"]
    ours.delete(["t/x"])
    assert [stored.path for stored in root.walk("")] == ["retail/lake2/t/x", "t/x"]
    assert ours.path(theirs.uri("t/x")) is None


def test_sweep_removes_what_killed_jobs_of_spark_left(storage: S3Storage) -> None:
    """A job removes its own files at its end; one that is killed cannot."""
    storage.write("staging/_spark/job/part.parquet", b"")
    storage.write("staging/orders/v=1/part.parquet", b"")
    storage.sweep(timedelta(days=1))
    assert len(list(storage.walk("staging"))) == 2
    storage.sweep(timedelta(0))
    assert [found.path for found in storage.walk("staging")] == ["staging/orders/v=1/part.parquet"]
