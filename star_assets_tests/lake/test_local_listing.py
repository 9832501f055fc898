"""What a folder of a local lake may hold beside files: links, pipes, folders without rights, nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from star_assets.lake.local_storage import LocalStorage
from star_assets.model.errors import LakeRefused

from .test_storages import as_nobody

NOT_FOLLOWED = "a link to a folder, which is not followed"


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    storage = LocalStorage(tmp_path / "lake")
    storage.write("t/a/x.csv", b"rows")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret.csv").write_bytes(b"secret")
    return storage


def problems(storage: LocalStorage, folder: str = "t") -> dict[str, str]:
    return {stored.path: stored.problem for stored in storage.survey(folder)}


def test_what_is_no_file_of_the_lake_is_told_and_stops_nothing(storage: LocalStorage, tmp_path: Path) -> None:
    """A pipe would be waited for without end, and a link could give away a file that nobody exported."""
    folder = storage.root / "t"
    os.mkfifo(folder / "pipe")
    (folder / "empty").mkdir()
    (folder / "gone.csv").symlink_to("nowhere")
    (folder / "inside.csv").symlink_to("a/x.csv")
    (folder / "itself").symlink_to("itself")
    (folder / "loop").symlink_to(folder)
    (folder / "out").symlink_to(tmp_path / "outside")
    (folder / "out.csv").symlink_to(tmp_path / "outside/secret.csv")
    assert problems(storage) == {
        "t/a/x.csv": "",
        "t/empty/": "",
        "t/gone.csv": "a link to nothing",
        "t/inside.csv": "",
        "t/itself": "Too many levels of symbolic links",
        "t/loop/": NOT_FOLLOWED,
        "t/out/": NOT_FOLLOWED,
        "t/out.csv": "a link that leads out of the lake",
        "t/pipe": "a named pipe",
    }
    assert storage.names("t") == [
        "a/",
        "empty/",
        "gone.csv",
        "inside.csv",
        "itself",
        "loop/",
        "out.csv",
        "out/",
        "pipe",
    ]
    with pytest.raises(LakeRefused, match=r"t/gone\.csv: a link to nothing"):
        storage.walk("t")


def test_a_folder_without_rights_hides_no_other(fork: Callable) -> None:
    # Of pytest's own folders, nobody else may list any.
    with TemporaryDirectory() as folder:
        storage = LocalStorage(Path(folder))
        storage.write("t/a/x.csv", b"rows")
        storage.write("t/closed/y.csv", b"rows")
        (storage.root / "t/closed").chmod(0)

        def denied() -> None:
            as_nobody(storage.root)
            assert problems(storage) == {"t/a/x.csv": "", "t/closed/": "Permission denied"}
            assert problems(storage, "t/closed") == {"t/closed/": "Permission denied"}

        assert fork(denied)() == 0


def test_a_folder_that_is_a_link_is_the_same_from_above_and_from_within(storage: LocalStorage, tmp_path: Path) -> None:
    (storage.root / "t/out").symlink_to(tmp_path / "outside")
    assert problems(storage, "t/out") == {"t/out/": NOT_FOLLOWED}
    assert problems(storage, "t/out/deeper") == {"t/out/deeper/": NOT_FOLLOWED}
    assert problems(storage, "t/a/x.csv") == {}


def test_a_top_folder_may_lie_elsewhere(storage: LocalStorage, tmp_path: Path) -> None:
    """Exports are often dropped on a disk of their own."""
    (storage.root / "oltp").symlink_to(tmp_path / "outside")
    assert problems(storage, "oltp") == {"oltp/secret.csv": ""}
    assert [stored.path for stored in storage.walk("")] == ["oltp/secret.csv", "t/a/x.csv"]
    storage.delete(["oltp/secret.csv"])
    assert list((tmp_path / "outside").iterdir()) == []


@pytest.mark.parametrize("delete", ["delete", "delete_if"])
def test_nothing_is_deleted_through_a_link(storage: LocalStorage, tmp_path: Path, delete: str) -> None:
    """A link that somebody put into the lake must not cost them what it leads to."""
    (storage.root / "t/out").symlink_to(tmp_path / "outside")
    with pytest.raises(LakeRefused, match="behind a link"):
        if delete == "delete":
            storage.delete(["t/out/secret.csv"])
        else:
            storage.delete_if("t/out/secret.csv", storage.read("t/out/secret.csv")[1])
    assert (tmp_path / "outside/secret.csv").read_bytes() == b"secret"
