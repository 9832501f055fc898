"""`star-assets pull`, and `star-assets run` where there is a database: what is told, and how it ends."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from star_assets import cli
from star_assets.settings import Settings
from star_assets.star import retail
from star_assets_tests.shop import Shop

from .test_whole_days import ROWS

DAYS = ("--from", "2023-07-01", "--to", "2023-07-02")
NOWHERE = "postgresql://star_export:choose-one@127.0.0.1:9/shop"

Star = Callable[..., Result]


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    return tmp_path / "lake"


@pytest.fixture
def star(shop: Shop, lake: Path, monkeypatch: pytest.MonkeyPatch) -> Star:
    """`star-assets …` on an empty lake with a shop's database, in this process."""
    shop.execute(ROWS)
    monkeypatch.setenv("STAR_LAKE", str(lake))
    monkeypatch.setenv("STAR_SOURCE_DSN", shop.url)

    def invoke(*words: str, **settings: Any) -> Result:
        return CliRunner().invoke(cli.main, words, env=settings)

    return invoke


def exported(lake: Path) -> set[str]:
    return {file.parent.name for file in lake.glob("oltp/*/*/pulled-*")}


def test_days_are_pulled_once(star: Star, lake: Path) -> None:
    first = star("pull", *DAYS)
    assert (first.exit_code, first.stderr) == (0, f"{'pulled':<20} {'2 exported':<30} {6:>12} rows\n")
    again = star("pull", *DAYS)
    assert (again.exit_code, again.stderr) == (0, f"Nothing to pull: {lake}/oltp has an export of every day.\n")
    assert star("pull", *DAYS, "--again").stderr == first.stderr


def test_without_dates_every_day_up_to_yesterday_is_pulled(star: Star, lake: Path) -> None:
    """Today is not over: what it will be is not known yet."""
    today = datetime.now(UTC).date()
    days = [str(today - timedelta(days=number)) for number in (1, 2, 3)]
    # Though somebody has exported it already.
    (lake / "oltp" / "stores" / f"date={today}").mkdir(parents=True)
    (lake / "oltp" / "stores" / f"date={today}" / "_SUCCESS").touch()
    assert star("pull", STAR_START_DATE=days[-1]).exit_code == 0
    assert exported(lake) == {f"date={day}" for day in days}
    told = star("run", STAR_START_DATE=days[-1]).stderr
    assert "orders               3 published" in told and "stores               4 published" in told


def test_a_run_pulls_stages_and_builds(star: Star, lake: Path) -> None:
    told = star("run", *DAYS).stderr.splitlines()
    assert told[0].split() == ["pulled", "2", "exported", "6", "rows"]
    assert [line.split()[0] for line in told[1:]] == list(retail.tables)
    assert told[-1].split()[1:] == ["2", "published", "2", "rows"]
    assert "pulled" not in star("run", *DAYS).stderr


def test_what_cannot_be_pulled_is_told_once_and_what_is_there_is_built(star: Star, shop: Shop) -> None:
    """Five sources would tell of the same day, and wait for the same server."""
    star("pull", "--from", "2023-07-01", "--to", "2023-07-01")
    done = star("run", *DAYS, STAR_SOURCE_DSN=NOWHERE)
    assert done.stderr.count("Connection refused") == 1
    assert "pulled               1 failed" in done.stderr
    assert "orders               1 published" in done.stderr
    shop.execute("DROP TABLE shop.stores")
    assert star("run", "orders", *DAYS).exit_code == 1


def test_what_is_there_needs_no_database(star: Star) -> None:
    star("pull", *DAYS)
    assert star("run", *DAYS, STAR_SOURCE_DSN=NOWHERE).exit_code == 0


def test_a_source_whose_export_is_there_does_not_wait_for_the_others(star: Star, lake: Path) -> None:
    folder = lake / "oltp" / "stores" / "date=2023-07-01"
    folder.mkdir(parents=True)
    (folder / "stores.json").write_text("[]")
    (folder / "_SUCCESS").touch()
    done = star("run", "stores", "orders", *DAYS[:2], "--to", "2023-07-01", STAR_SOURCE_DSN=NOWHERE)
    assert done.exit_code == 75
    assert "stores               1 published" in done.stderr
    assert "\norders " not in done.stderr


def test_exports_that_were_not_pulled_are_named_when_days_are_pulled_again(star: Star, lake: Path) -> None:
    (lake / "oltp" / "stores" / "date=2023-07-01").mkdir(parents=True)
    (lake / "oltp" / "stores" / "date=2023-07-01" / "stores.json").write_text("[]")
    done = star("pull", *DAYS, "--again")
    assert done.exit_code == 0
    assert "Note: stores 2023-07-01: it was not pulled, and is left as it is.\n" in done.stderr


@pytest.mark.parametrize(
    ("words", "dsn", "problem"),
    [
        (["pull"], "", "There is no database to pull from: set STAR_SOURCE_DSN"),
        (["pull", "--again"], None, "Name the days to pull again: --from and --to."),
        (["pull", "--from", "2023-07-02", "--to", "2023-07-01"], None, "is before the first"),
    ],
)
def test_a_wrong_call_is_told(star: Star, words: list[str], dsn: str | None, problem: str) -> None:
    done = star(*words) if dsn is None else star(*words, STAR_SOURCE_DSN=dsn)
    assert (done.exit_code, problem in done.stderr) == (2, True)


def test_a_driver_that_lacks_is_told(star: Star, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    done = star("pull", *DAYS)
    assert (done.exit_code, "pip install 'star_assets[postgres]'" in done.stderr) == (1, True)


def test_a_day_before_the_first_is_no_day(star: Star) -> None:
    done = star("pull", "--from", "2020-01-01", "--to", "2020-01-01")
    assert (done.exit_code, "from 2023-07-01 (STAR_START_DATE) on" in done.stderr) == (1, True)


def test_a_password_is_in_no_traceback_of_a_wrong_setting(tmp_path: Path) -> None:
    """Dagster shows the traceback of a code location that does not load."""
    environment = {**os.environ, "STAR_SOURCE_DSN": "mysql://star_export:s3cret@db/shop"}
    command = [sys.executable, "-c", "import star_assets.definitions"]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, "STAR_SOURCE_DSN='…'" in done.stderr, "s3cret" in done.stderr) == (1, True, False)


def test_a_password_is_in_no_picture_of_the_settings() -> None:
    """Dagster logs what it is configured with."""
    settings = Settings(source_dsn="postgresql://star_export:s3cret@db/shop")
    assert "s3cret" not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
