"""`star-assets dashboard`: which file it writes, for whom, and what it says instead."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from star_assets import cli

Star = Callable[..., Result]


@pytest.fixture
def star(small_lake: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Star:
    """`star-assets …` on the small lake, in a folder of its own."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("STAR_LAKE", str(small_lake.root))

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(cli.main, arguments)

    return invoke


def test_the_page_of_all_is_written_if_it_is_asked_for_by_name(star: Star) -> None:
    done = star("dashboard", "--all")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == "store_managers.html shows Store Sales until 2023-07-02.\n"
    assert "Atlanta Midtown" in Path("store_managers.html").read_text()
    refused = star("dashboard", "sales.html")
    assert refused.exit_code == 2
    assert "sales.html would show everybody's rows." in refused.stderr
    assert not Path("sales.html").exists()


def test_the_page_of_one_manager(star: Star) -> None:
    done = star("dashboard", "--as", "Store-1@Example.com", "pages/miami.html")
    assert done.exit_code == 0
    page = Path("pages/miami.html").read_text()
    assert "Miami Brickell" in page
    assert "Atlanta Midtown" not in page
    nobody = star("dashboard", "--as", "nobody@example.com")
    assert nobody.exit_code == 1
    assert "nobody@example.com sees nothing" in nobody.stderr
    assert star("dashboard", "--as", "a@b", "--all").exit_code == 2


def test_a_page_for_each_manager_and_a_list_of_who_gets_which(star: Star) -> None:
    done = star("dashboard", "pages")
    assert done.exit_code == 0
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert {str(path) for path in Path("pages").iterdir()} == {row["file"] for row in rows}
    assert "store-4@example.com" in {row["viewer"] for row in rows}
    for row in rows:
        assert row["viewer"] in Path(row["file"]).read_text()
        assert row["viewer"] not in row["file"]


def test_an_empty_lake_and_a_dashboard_that_is_not_there(
    star: Star, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = star("dashboard", "--all", "--name", "store_manager")
    assert unknown.exit_code == 1
    assert "There is no dashboard 'store_manager'. The star declares store_managers." in unknown.stderr
    monkeypatch.setenv("STAR_LAKE", str(tmp_path / "empty"))
    empty = star("dashboard", "--all")
    assert empty.exit_code == 0
    assert "nothing of fact_sales is published in" in empty.stderr
    assert "nobody sees a row of fact_sales" in star("dashboard").stderr


def test_of_several_dashboards_one_is_named(star: Star, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))
    monkeypatch.setenv("STAR_MODEL", "examples.jaffle.jaffle:jaffle")
    assert "Name one with --name: menu, till." in star("dashboard").stderr
