"""What every storage promises. An adapter joins by one entry in STORAGES."""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import pkgutil
import resource
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import star_assets.lake
from star_assets.lake.local_storage import LocalStorage
from star_assets.lake.places import open_storage
from star_assets.lake.storage import Storage
from star_assets.model.errors import LakeFull, LakeRefused, LostRace

STORAGES: dict[str, Callable[[pytest.FixtureRequest, Path], Storage]] = {
    "local": lambda request, root: LocalStorage(root),
    "s3": lambda request, root: open_storage(request.getfixturevalue("aws")()),
}


@pytest.fixture(params=STORAGES)
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    return STORAGES[request.param](request, tmp_path / "lake")


def test_every_storage_is_tested(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Without it an adapter could promise what it does not keep."""
    for module in pkgutil.iter_modules(star_assets.lake.__path__):
        importlib.import_module(f"star_assets.lake.{module.name}")
    tested = {type(make(request, tmp_path)) for make in STORAGES.values()}
    assert tested == {one for one in Storage.__subclasses__() if one.__module__.startswith("star_assets.")}


def test_what_was_written_is_read_and_listed_with_the_same_etag(storage: Storage) -> None:
    """Ledgers are cached by the ETag of a listing; another one from `read` would read them all each time."""
    storage.write("olap/t/x.json", b"first")
    content, etag = storage.read("olap/t/x.json")
    (listed,) = storage.walk("olap/t")
    assert content == b"first"
    assert (listed.path, listed.size, listed.etag) == ("olap/t/x.json", 5, etag)


def test_what_is_not_there_is_not_found(storage: Storage) -> None:
    """Callers tell a first publish by it."""
    with pytest.raises(FileNotFoundError):
        storage.read("olap/t/_pointers/live.json")
    assert list(storage.walk("olap/t")) == []
    assert storage.folders("olap/t") == []
    storage.delete(["olap/t/gone.parquet"])


def test_walk_lists_by_path_and_leaves_out_hidden_names(storage: Storage) -> None:
    """The order is that of whole paths, as an object store lists them: `a-b/x` before `a/x`."""
    for path in ["r/b.csv", "r/a/z.csv", "r/a-b/x.csv", "r/a/.hidden", "r/.git/x", "r/ä.csv", "rest/c.csv"]:
        storage.write(path, b"")
    assert [stored.path for stored in storage.walk("r")] == ["r/a-b/x.csv", "r/a/z.csv", "r/b.csv", "r/ä.csv"]
    assert storage.folders("r") == ["a", "a-b"]
    assert storage.names("r") == ["a-b/", "a/", "b.csv", "ä.csv"]
    assert [stored.path for stored in storage.survey("r")] == [stored.path for stored in storage.walk("r")]


def test_swap_creates_only_what_is_not_there(storage: Storage) -> None:
    """Two first publishes must not both win."""
    storage.swap("t/_pointers/live.json", b"mine", None)
    with pytest.raises(LostRace, match=r"t/_pointers/live\.json"):
        storage.swap("t/_pointers/live.json", b"yours", None)
    assert storage.read("t/_pointers/live.json")[0] == b"mine"


def test_swap_replaces_only_what_the_caller_has_seen(storage: Storage) -> None:
    """Otherwise a slow run would take back what a faster one published."""
    first = storage.swap("t/p.json", b"1", None)
    second = storage.swap("t/p.json", b"2", first)
    with pytest.raises(LostRace):
        storage.swap("t/p.json", b"3", first)
    assert storage.read("t/p.json") == (b"2", second)
    with pytest.raises(LostRace):
        storage.swap("t/other.json", b"3", second)


def test_no_etag_comes_twice(storage: Storage) -> None:
    """Swaps in one tick of the clock, of one size, with inodes used again: each must be told from all before."""
    etags, etag = set(), None
    for number in range(500):
        etag = storage.swap("t/p.json", b"%03d" % number, etag)
        etags.add(etag)
    assert len(etags) == 500


def test_concurrent_writers_lose_no_update(storage: Storage, fork: Callable) -> None:
    """Four processes count to 200 together; any lost update would leave less."""

    def count() -> None:
        done = 0
        while done < 50:
            try:
                content, etag = storage.read("t/count.json")
            except FileNotFoundError:
                content, etag = b"[0, 0]", None
            try:
                storage.swap("t/count.json", json.dumps([json.loads(content)[0] + 1, os.getpid()]).encode(), etag)
                done += 1
            except LostRace:
                continue

    assert [wait() for wait in [fork(count) for _ in range(4)]] == [0, 0, 0, 0]
    assert json.loads(storage.read("t/count.json")[0])[0] == 200


def test_a_writer_killed_while_it_holds_the_lock_blocks_nobody(tmp_path: Path, fork: Callable) -> None:
    """A lock that outlives its process would stop every publish until somebody removed it."""
    storage = LocalStorage(tmp_path)

    def die_in_the_swap() -> None:
        # The time is set under the lock, right before the rename.
        sys.addaudithook(lambda event, _: os.kill(os.getpid(), signal.SIGKILL) if event == "os.utime" else None)
        storage.swap("t/p.json", b"1", None)

    assert fork(die_in_the_swap)() == -signal.SIGKILL
    storage.swap("t/p.json", b"2", None)
    assert storage.read("t/p.json")[0] == b"2"


def test_adopt_takes_a_file_of_scratch_as_it_is(storage: Storage) -> None:
    """A version's files are written in scratch and must arrive byte by byte."""
    folder = storage.scratch()
    (folder / "a.parquet").write_bytes(b"rows")
    storage.adopt(folder / "a.parquet", "olap/t/v=1/part-00000.parquet")
    assert storage.read("olap/t/v=1/part-00000.parquet")[0] == b"rows"
    (name,) = storage.local(["olap/t/v=1/part-00000.parquet"])
    assert Path(name).read_bytes() == b"rows"


def test_a_local_name_ends_with_the_path(storage: Storage) -> None:
    """Whoever reads it there finds the partition's value in its name."""
    path = "oltp/orders/date=2023-07-01/orders.csv"
    storage.write(path, b"content")
    (file,) = storage.local([path])
    assert file.endswith(f"/{path}")
    assert Path(file).read_bytes() == b"content"


def test_two_scratch_folders_are_two(storage: Storage) -> None:
    """Two runs that wrote into one would take each other's files."""
    assert storage.scratch() != storage.scratch()


def test_sweep_takes_only_what_nobody_touched_for_long(storage: Storage) -> None:
    """A run that is still writing must not lose its files."""
    dead, alive = storage.scratch(), storage.scratch()
    (dead / "a.parquet").write_bytes(b"")
    (alive / "b.parquet").write_bytes(b"")
    for path in (dead / "a.parquet", dead, alive):
        os.utime(path, (0, 0))
    storage.sweep(timedelta(days=1))
    assert not dead.exists()
    assert (alive / "b.parquet").exists()


def test_delete_removes_just_what_it_is_given(storage: Storage) -> None:
    """Vacuum must leave what lies beside."""
    for path in ["t/v=1/a.parquet", "t/v=1/notes.txt", "t/v=2/a.parquet"]:
        storage.write(path, b"")
    storage.delete(["t/v=1/a.parquet", "t/v=2/a.parquet"])
    assert [stored.path for stored in storage.walk("t")] == ["t/v=1/notes.txt"]
    assert storage.folders("t") == ["v=1"]


def test_delete_if_removes_what_is_as_it_was_listed(storage: Storage) -> None:
    for path in ["t/a.csv", "t/b.csv"]:
        storage.write(path, b"old")
    listed, kept = storage.walk("t")
    assert storage.delete_if(listed.path, listed.etag)
    assert list(storage.walk("t")) == [kept]
    assert storage.delete_if(listed.path, listed.etag), "gone is gone, whoever removed it"
    assert storage.delete_if(kept.path, kept.etag)
    assert "t" not in storage.folders("")


def test_delete_if_leaves_what_was_replaced_since(storage: Storage) -> None:
    """A correction of the same name is all that there is of it."""
    storage.write("t/a.csv", b"old")
    (listed,) = storage.walk("t")
    storage.write("t/a.csv", b"new")
    assert not storage.delete_if("t/a.csv", listed.etag)
    assert storage.read("t/a.csv")[0] == b"new"


def before_a_rename(storage: Storage, others: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Others do something right before the local storage takes a file from its place."""
    rename = Path.rename

    def late(self: Path, target: Path) -> Path:
        others()
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", late)


def before_a_request(storage: Any, others: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Others do something right before S3 is asked to delete."""
    storage.client().meta.events.register("before-call.s3.DeleteObject", lambda **_: others())


MEANWHILE: dict[str, Callable[[Any, Callable[[], object], pytest.MonkeyPatch], None]] = {
    "local": before_a_rename,
    "s3": before_a_request,
}


def test_every_storage_is_raced() -> None:
    assert MEANWHILE.keys() == STORAGES.keys()


@pytest.mark.parametrize("name", STORAGES)
def test_delete_if_leaves_what_is_put_while_it_works(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Between the last look and the removal there is always a moment."""
    storage = STORAGES[name](request, tmp_path / "lake")
    storage.write("t/a.csv", b"old")
    (listed,) = storage.walk("t")
    MEANWHILE[name](storage, lambda: storage.write("t/a.csv", b"new"), monkeypatch)
    assert not storage.delete_if("t/a.csv", listed.etag)
    assert storage.read("t/a.csv")[0] == b"new"
    assert [stored.path for stored in storage.walk("")] == ["t/a.csv"]


@pytest.mark.parametrize("name", STORAGES)
def test_delete_if_of_what_others_remove_while_it_works_is_done(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    storage = STORAGES[name](request, tmp_path / "lake")
    storage.write("t/a.csv", b"old")
    (listed,) = storage.walk("t")
    MEANWHILE[name](storage, lambda: storage.delete(["t/a.csv"]), monkeypatch)
    assert storage.delete_if("t/a.csv", listed.etag)
    assert list(storage.walk("")) == []


def test_a_file_that_is_put_while_a_replaced_one_is_compared_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two corrections within the moment: the later one would have replaced the earlier."""
    storage, rename = LocalStorage(tmp_path), Path.rename
    storage.write("t/a.csv", b"old")
    (listed,) = storage.walk("t")

    def between(self: Path, target: Path) -> Path:
        storage.write("t/a.csv", b"new")
        taken = rename(self, target)
        storage.write("t/a.csv", b"newest")
        return taken

    monkeypatch.setattr(Path, "rename", between)
    assert not storage.delete_if("t/a.csv", listed.etag)
    assert storage.read("t/a.csv")[0] == b"newest"
    assert [stored.path for stored in storage.walk("")] == ["t/a.csv"]


@pytest.mark.parametrize("settle", ["delete_if", "sweep"])
@pytest.mark.parametrize("replaced", [True, False])
def test_a_process_killed_while_it_compares_loses_nothing(
    tmp_path: Path, fork: Callable, settle: str, replaced: bool
) -> None:
    """What it had set aside is deleted by the next one, or, if it was put there meanwhile, back in its place."""
    storage = LocalStorage(tmp_path)
    storage.write("t/a.csv", b"old")
    storage.write("t/b.csv", b"other")
    listed, _ = storage.walk("t")

    def die_aside() -> None:
        state: list[str] = []

        def hook(event: str, _: Any) -> None:
            if event == "os.rename" and not state:
                state.append("renaming")
                if replaced:
                    (tmp_path / "t/a.csv").write_bytes(b"correction")
            elif state and event in ("os.listdir", "os.scandir"):
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        storage.delete_if(listed.path, listed.etag)

    assert fork(die_aside)() == -signal.SIGKILL
    assert [stored.path for stored in storage.walk("")] == ["t/b.csv"]
    if settle == "sweep":
        storage.sweep(timedelta(days=1))
    else:
        assert storage.delete_if("t/none.csv", "")
    left = {stored.path: storage.read(stored.path)[0] for stored in storage.walk("")}
    assert left == {"t/b.csv": b"other"} | ({"t/a.csv": b"correction"} if replaced else {})


def test_a_link_is_deleted_as_what_it_leads_to(tmp_path: Path) -> None:
    """Exports may be linked within the lake; where they lie, they stay."""
    storage = LocalStorage(tmp_path / "lake")
    (tmp_path / "lake/t").mkdir(parents=True)
    (tmp_path / "lake/.kept").write_bytes(b"rows")
    (tmp_path / "lake/t/a.csv").symlink_to("../.kept")
    (listed,) = storage.walk("t")
    assert not storage.delete_if("t/a.csv", "another")
    assert storage.delete_if(listed.path, listed.etag)
    assert list(storage.walk("")) == []
    assert (tmp_path / "lake/.kept").read_bytes() == b"rows"


def test_sha256_is_of_what_is_stored(storage: Storage) -> None:
    """A copy on this machine says nothing of an object that has been damaged, or lost, since."""
    path = "t/v=20230701T000000000000-00000000/part-00000.parquet"
    storage.write(path, b"rows")
    storage.local([path])
    assert storage.sha256(path) == hashlib.sha256(b"rows").hexdigest()
    storage.write(path, b"rows")
    assert storage.sha256(path) == hashlib.sha256(b"rows").hexdigest()
    storage.delete([path])
    with pytest.raises(FileNotFoundError):
        storage.sha256(path)


def test_path_is_the_inverse_of_uri(storage: Storage) -> None:
    """The catalog holds URIs; what is read back must name the same object."""
    assert storage.path(storage.uri("olap/t/v=1")) == "olap/t/v=1"
    assert storage.path(storage.uri("olap/t/v=1") + "/") == "olap/t/v=1"
    assert storage.path(storage.uri("")) == ""
    for outside in ["/elsewhere/olap", storage.uri("") + "2/olap", storage.uri("..") + "/x", "olap/t", "s3://b/k"]:
        assert storage.path(outside) is None


def as_nobody(root: Path) -> None:
    """Root may do anything, so a test as root goes on as a user who may not."""
    root.chmod(0o555)
    if os.geteuid() == 0:
        os.setuid(65534)


CHANGES: dict[str, Callable[[Storage, Path], object]] = {
    "write": lambda storage, file: storage.write("new/x", b""),
    "swap": lambda storage, file: storage.swap("new/x", b"", None),
    "adopt": lambda storage, file: storage.adopt(file, "new/x"),
    "delete_if": lambda storage, file: storage.delete_if("t/x", storage.read("t/x")[1]),
    "scratch": lambda storage, file: storage.scratch(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_lake_without_rights_is_refused_by_name(change: str, tmp_path: Path, fork: Callable) -> None:
    """The user has to learn which folder, and what the system said, not see a traceback."""
    root = tmp_path / "lake"
    storage = LocalStorage(root)
    storage.write("t/x", b"kept")
    file = storage.scratch() / "a"
    file.write_bytes(b"")

    def denied() -> None:
        as_nobody(root)
        with pytest.raises(LakeRefused, match=f"{root}.*Permission denied"):
            CHANGES[change](storage, file)

    assert fork(denied)() == 0
    assert storage.read("t/x")[0] == b"kept"


@pytest.mark.parametrize("change", CHANGES)
def test_a_lake_below_a_file_is_refused(change: str, tmp_path: Path) -> None:
    """A mistyped STAR_LAKE, which not even root can write to."""
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "a").write_bytes(b"")
    storage = LocalStorage(tmp_path / "file" / "lake")
    with pytest.raises(LakeRefused, match="Not a directory"):
        CHANGES[change](storage, tmp_path / "a")
    with pytest.raises(LakeRefused, match="Not a directory"):
        list(storage.walk("olap"))
    with pytest.raises(LakeRefused, match="Not a directory"):
        storage.read("olap/x")


def test_a_lake_that_cannot_be_made_is_refused() -> None:
    """/proc takes no folders, whoever asks."""
    with pytest.raises(LakeRefused, match="/proc/no_lake"):
        LocalStorage(Path("/proc/no_lake")).write("t/x", b"")


@pytest.mark.parametrize("change", ["write", "swap"])
def test_without_room_the_old_content_stays_and_nothing_is_left(change: str, tmp_path: Path, fork: Callable) -> None:
    """Half a pointer would take the partition from its readers."""
    storage = LocalStorage(tmp_path)
    storage.write("t/x", b"old")
    etag = storage.read("t/x")[1]

    def fill() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        with pytest.raises(LakeFull, match=r"vacuum"):
            if change == "write":
                storage.write("t/x", b"new" * 1000)
            else:
                storage.swap("t/x", b"new" * 1000, etag)

    assert fork(fill)() == 0
    assert storage.read("t/x") == (b"old", etag)
    assert list(storage.walk("_scratch")) == []
