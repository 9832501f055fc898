"""Every mistake of the tables gets its one message, its exit code, and harms nothing.

What a mistake must not change is every file that was in the lake, but those in
the folders that its row names: a day that is refused is kept for inspection in
staging, and its raw partition leaves the catalog. Ledgers never change.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from star_assets.lake.drift import mend
from star_assets.pipeline.warehouse import Warehouse
from star_assets.settings import Settings
from star_assets.star import retail

from ..conftest import FIRST
from . import commands, declarations, files, folders, permissions, settings, sql
from .case import FOREIGN, MOST_LINES, Mistake, lake_files, nothing, restored_rights, run, told

TABLES = (settings, commands, sql, declarations, files, folders, permissions)
MISTAKES = [mistake for table in TABLES for mistake in table.MISTAKES]


@pytest.fixture(scope="module")
def place(published_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the lake lies in each test: its catalog holds full paths, and they are mended once."""
    lake = tmp_path_factory.mktemp("mistakes") / "lake"
    shutil.copytree(published_once, lake)
    warehouse = Warehouse(retail, Settings(lake=str(lake), start_date=FIRST))
    mend(warehouse.storage, warehouse.catalog, warehouse.entries())
    shutil.copytree(lake, lake.with_name("unharmed"))
    return lake


@pytest.fixture
def lake(place: Path) -> Iterator[Path]:
    """The lake, whole again after the test."""
    yield place
    shutil.rmtree(place)
    shutil.copytree(place.with_name("unharmed"), place)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.done.replace(" ", "_"))
def test_a_mistake_gets_its_message_and_harms_nothing(
    mistake: Mistake, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """A traceback tells its reader nothing, and a lake that a typing error changes is no lake to work with."""
    if mistake.spoil is not nothing or mistake.changed:
        request.getfixturevalue("lake")
    monkeypatch.chdir(tmp_path)
    mistake.spoil(place)
    # Whoever runs the tests may be root, and reads what the command may not.
    before = lake_files(place)
    with restored_rights(place):
        done = run(mistake, place, tmp_path)
    said = told(done.stderr, place)
    assert done.exception is None or isinstance(done.exception, SystemExit)
    assert (done.exit_code, said) == (mistake.code, mistake.says)
    assert not FOREIGN.search(said)
    assert said.count("\n") <= MOST_LINES
    after = lake_files(place)
    touched = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    assert {path for path in touched if "_pointers" in path or not path.startswith(mistake.changed or ("?",))} == set()


def test_every_mistake_is_another_one() -> None:
    assert len({mistake.done for mistake in MISTAKES}) == len(MISTAKES) > 300
