"""Lakes that were moved, copied, or may only be read, asked through the command line."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from star_assets import cli

from ..conftest import Fork

NOBODY = 65534

QUESTIONS = [
    [
        "query",
        "--format",
        "csv",
        "SELECT count(*) AS n, sum(revenue) AS revenue FROM fact_sales JOIN dim_store USING (store_id)",
    ],
    ["query", "SHOW PARTITIONS fact_sales"],
    ["status", "--format", "json"],
    ["reconcile", "--format", "csv"],
    ["rejects"],
    ["verify"],
    ["ddl", "--partitions", "fact_sales"],
]


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that every account of this machine reaches, as pytest's own is not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def lose_rights(lake: Path) -> None:
    """Go on as an account that may read the lake and change nothing. Root, who may change anything, becomes nobody."""
    for path in [lake, *lake.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    os.environ["HOME"] = "/nonexistent"
    with pytest.raises(PermissionError):
        (lake / "new").touch()


def asked(lake: Path, monkeypatch: pytest.MonkeyPatch, commands: list[list[str]]) -> list[Any]:
    """What commands say here."""
    monkeypatch.setenv("STAR_LAKE", str(lake))
    found = [CliRunner().invoke(cli.main, words) for words in commands]
    return [[one.exit_code, one.stdout, one.stderr] for one in found]


def test_a_lake_that_may_only_be_read_is_asked_as_any_other(
    small_lake: Any, shared: Path, monkeypatch: pytest.MonkeyPatch, fork: Fork
) -> None:
    """Analysts have no more rights; and nothing is written, not even beside the catalog."""
    lake = shared / "lake"
    shutil.copytree(small_lake.root, lake)
    before = sorted(lake.rglob("*"))

    def ask() -> None:
        # With rights first: what is imported late lies where nobody may not read.
        wanted = asked(lake, monkeypatch, QUESTIONS)
        lose_rights(lake)
        *found, refused = asked(lake, monkeypatch, [*QUESTIONS, ["run", "orders", "--to", "2023-07-01"]])
        # The time that a query took is all that may differ.
        assert [one[:2] for one in found] == [one[:2] for one in wanted]
        assert [code for code, *_ in found] == [0] * len(QUESTIONS)
        assert refused[0] == 1
        assert "Give this user read and write rights to the lake" in refused[2]

    assert fork(ask)() == 0
    assert sorted(lake.rglob("*")) == before


def test_a_copied_and_a_moved_lake_work_at_once(
    small_lake: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing in it says where it was, so nothing is read of, or written to, the lake that it is a copy of."""
    wanted = asked(small_lake.root, monkeypatch, QUESTIONS)
    copy = tmp_path / "elsewhere" / "copy"
    shutil.copytree(small_lake.root, copy)
    small_lake.root.rename(tmp_path / "moved")
    for lake in (copy, tmp_path / "moved"):
        found = asked(lake, monkeypatch, [*QUESTIONS, ["repair"]])
        told = [[code, out.replace(str(lake), str(small_lake.root))] for code, out, _ in found[:-1]]
        assert told == [one[:2] for one in wanted]
        # What was copied has other inodes, so raw exports are looked at once more.
        assert [line for line in found[-1][2].splitlines() if not line.startswith(("oltp.", "Nothing"))] == []


def test_a_lake_whose_catalog_names_another_place_says_how_to_mend_it(
    small_lake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catalogs of earlier versions hold full paths, and answers from the lake that was copied would be wrong."""
    catalog, question = small_lake.warehouse.catalog, ["query", "--format", "csv", "SELECT count(*) FROM fact_sales"]
    (wanted,) = asked(small_lake.root, monkeypatch, [question])
    with catalog._writing() as connection:
        connection.execute("UPDATE partitions SET location = '/before/' || substr(location, 3)")
    (refused, _, answered) = asked(small_lake.root, monkeypatch, [question, ["repair"], question])
    assert refused[0] == 1
    assert "star-assets repair" in refused[2]
    assert answered == wanted
