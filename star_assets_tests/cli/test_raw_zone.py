"""What people put into the raw zone by mistake: named by whoever looks, and no harm to the rest."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result

from star_assets import cli
from star_assets.pipeline.warehouse import Warehouse
from star_assets.settings import Settings
from star_assets.star import retail

Star = Callable[..., Result]

DAY = "2023-07-02"


@pytest.fixture
def star(small_lake: Any, monkeypatch: pytest.MonkeyPatch) -> Star:
    """`star-assets …` on the small lake, in this process."""
    monkeypatch.setenv("STAR_LAKE", str(small_lake.root))
    return lambda *words, **settings: CliRunner().invoke(cli.main, words, env=settings)


def test_misplaced_exports_are_named_by_run_and_status(star: Star, small_lake: Any) -> None:
    """A run that exits with 0 and never mentions the day of sales beside it is believed."""
    (small_lake.root / "oltp/orders/2023-07-04").mkdir()
    (small_lake.root / "oltp/order").mkdir()
    run, status = star("run"), star("status")
    assert run.exit_code == status.exit_code == 0
    root = small_lake.root
    for told in (run.stderr, status.stderr):
        assert (
            f"Note: orders: 1 name is not understood in {root}/oltp/orders, and nothing of that is staged. "
            "oltp/orders/2023-07-04/: expected date=2023-07-04/, found a folder.\n"
        ) in told
        assert (
            f"Note: 1 name is not understood in {root}/oltp, and nothing of that is staged. "
            "oltp/order/: expected orders/, found a folder.\n"
        ) in told
    rows = {row["table"]: row for row in json.loads(star("status", "--format", "json").stdout)}
    assert rows["staging.orders"]["not_understood"] == ["oltp/orders/2023-07-04/"]
    assert rows["oltp"]["not_understood"] == ["oltp/order/"]
    assert rows["staging.stores"]["not_understood"] == []
    assert "oltp/orders/2023-07-04/" in star("status", "--format", "csv").stdout


def test_a_typing_error_in_a_year_makes_no_days(star: Star, small_lake: Any) -> None:
    """Each day up to 2032 would be an empty partition of five tables."""
    wrong = small_lake.export("orders", "2032-07-04")
    small_lake.export("orders", DAY).rename(wrong)
    told = star("run")
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    assert (
        f"oltp/orders/date=2032-07-04/: expected a day up to {tomorrow} (see STAR_DAYS_AHEAD, STAR_END_DATE), "
        "found a folder."
    ) in told.stderr
    rows = {row["table"]: row for row in json.loads(star("status", "--format", "json").stdout)}
    assert max(row["partitions"] for row in rows.values() if row["kind"] == "source") == 2
    refused = star("run", "orders", "--from", "2032-07-04", "--to", "2032-07-04")
    assert refused.exit_code == 1
    assert f"orders: no partition '2032-07-04'; expected a day up to {tomorrow}" in refused.stderr
    assert f"a day up to {tomorrow + timedelta(days=2)}" in star("run", STAR_DAYS_AHEAD="3").stderr


def test_one_bad_folder_stops_no_other_day(star: Star, small_lake: Any) -> None:
    """Nor is anything of what a link leads to told."""
    outside = small_lake.root.parent / "outside"
    outside.mkdir()
    (outside / "secret.csv").write_text("the secret")
    for source, day in (("orders", "2023-07-03"), ("order_items", "2023-07-03")):
        small_lake.export(source, day).symlink_to(outside)
    stores = small_lake.export("stores", DAY)
    os.mkfifo(stores / "pipe")
    told = star("run")
    assert told.exit_code == 1
    assert (
        "oltp/orders/date=2023-07-03/: expected a folder, found a link to a folder, which is not followed. Nothing of "
        "this day was staged; the live version stays. Put a folder there that this user may read, or remove it."
    ) in told.stderr
    assert f"oltp/stores/date={DAY}/pipe: expected a file, found a named pipe." in told.stderr
    assert "secret" not in told.output
    found = {row["table"]: row for row in json.loads(star("status", "--format", "json").stdout)}
    assert found["olap.fact_sales"]["partitions"] == 2
    assert found["staging.orders"]["out_of_date"] == 1


def test_what_lies_behind_a_link_is_not_deleted(star: Star, small_lake: Any) -> None:
    """Neither by `retire` nor by `vacuum`."""
    outside = small_lake.root.parent / "outside"
    days = {source: small_lake.export(source, DAY) for source in ("orders", "stores")}
    for source, folder in days.items():
        folder.rename(outside / source) if outside.is_dir() else (outside.mkdir(), folder.rename(outside / source))
        folder.symlink_to(outside / source)
    kept = {file: file.read_bytes() for file in outside.rglob("*") if file.is_file()}
    told = star("retire", "--older-than", "1", "--yes")
    assert "a link to a folder, which is not followed" in told.output
    live = small_lake.root / "olap/fact_sales" / f"date={DAY}"
    live.rename(outside / "fact")
    live.symlink_to(outside / "fact")
    kept |= {file: file.read_bytes() for file in (outside / "fact").rglob("*") if file.is_file()}
    told = star("vacuum", "--retention-days", "0")
    assert told.exit_code == 1
    assert "a link to a folder, which is not followed" in told.stderr
    assert {file: file.read_bytes() for file in outside.rglob("*") if file.is_file()} == kept


@pytest.mark.parametrize("days", [(), ("--from", DAY, "--to", DAY), ("--to", DAY)])
def test_a_mistyped_lake_is_one_error(star: Star, small_lake: Any, days: tuple[str, ...]) -> None:
    """It would be filled with fresh days of zero rows, green in every check."""
    typo = small_lake.root.parent / "typo"
    told = star("run", *days, STAR_LAKE=str(typo))
    assert told.exit_code == 2
    assert f"{typo}/oltp holds no exports from 2023-07-01 on. Is STAR_LAKE right?" in told.stderr
    assert not typo.exists()


@pytest.mark.parametrize("table", ["orders", "dim_store", "dim_time", "fact_sales"])
def test_nothing_is_built_of_a_lake_without_exports(small_lake: Any, table: str) -> None:
    """As Dagster would, for one table and a day."""
    typo = small_lake.root.parent / "typo"
    warehouse = Warehouse(retail, Settings(lake=str(typo)))
    (outcome,) = warehouse.refresh(table, [DAY])
    assert str(outcome.error) == (
        f"{typo}/oltp: expected exports of orders, order_items, customers, products, stores, "
        "found none at all. Nothing was built. Is STAR_LAKE right? `star-assets sample` writes some."
    )
    assert not typo.exists()
