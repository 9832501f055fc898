"""The Athena partition sensor: what a tick registers, mends, tells Dagster, and costs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.sensor_definition import SensorExecutionData

from star_assets.lake.ledger import read_day
from star_assets.lake.publish import Commit, commit, write_version
from star_assets.lake.versions import Identity, Partition
from star_assets.model.errors import CatalogBusy
from star_assets.orchestration import catalog_sync
from star_assets.orchestration.build import build_definitions
from star_assets.orchestration.catalog_sync import CatalogSync, Tick
from star_assets.pipeline.warehouse import Warehouse
from star_assets.samples.lake import export_samples
from star_assets.settings import Settings
from star_assets.star import retail

from .conftest import DAYS, exported, materialize

NEVER = float("inf")

# One worker makes the lake that most of these tests share.
pytestmark = pytest.mark.xdist_group("athena_partitions")


class Sensor:
    """The sensor in one process: it remembers what it saw. Dagster stores its cursor and its events."""

    def __init__(self, lake: Warehouse, instance: dg.DagsterInstance, cursor: str | None = None) -> None:
        self.lake, self.instance, self.cursor = lake, instance, cursor
        definitions = build_definitions(retail, lake.settings, lake)
        self.repository = definitions.get_repository_def()
        self.sensor = definitions.resolve_sensor_def("athena_partitions")

    def tick(self) -> SensorExecutionData:
        context = dg.build_sensor_context(
            self.instance,
            cursor=self.cursor,
            resources={"warehouse": self.lake},
            repository_def=self.repository,
        )
        found = self.sensor.evaluate_tick(context)
        self.cursor = found.cursor
        for event in found.asset_events:
            self.instance.report_runless_asset_event(event)
        return found

    def events(self) -> set[tuple[str, str | None]]:
        return {(event.asset_key.to_user_string(), event.partition) for event in self.tick().asset_events}

    def reason(self) -> str:
        return self.tick().skip_message or ""


@pytest.fixture
def published(lake: Warehouse, instance: dg.DagsterInstance) -> Sensor:
    """A sensor over days that Dagster has materialized."""
    assert materialize(lake, instance, DAYS).success
    return Sensor(lake, instance)


@pytest.fixture(scope="module")
def materialized(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, dg.DagsterInstance]]:
    """The same lake and its instance, for tests that leave them as they were."""
    settings = Settings(lake=str(tmp_path_factory.mktemp("materialized") / "lake"), threads=2)
    with dg.DagsterInstance.ephemeral() as instance:
        lake = exported(settings)
        assert materialize(lake, instance, DAYS).success
        assert Sensor(lake, instance).reason() == NOTHING
        yield settings, instance


@pytest.fixture
def kept(materialized: tuple[Settings, dg.DagsterInstance]) -> Iterator[Sensor]:
    """A new sensor over them. What it was to mend must be mended."""
    settings, instance = materialized
    yield Sensor(Warehouse(retail, settings), instance)
    assert Sensor(Warehouse(retail, settings), instance).reason() == NOTHING, "the next test would fail"


NOTHING = "The catalog serves what is live; nothing to mend."


# The catalog


def test_nothing_to_mend_is_said(kept: Sensor) -> None:
    assert kept.reason() == NOTHING
    assert kept.reason() == NOTHING


@pytest.mark.parametrize("restarted", [True, False])
def test_a_partition_that_somebody_dropped_is_registered_by_the_next_pass(
    kept: Sensor, restarted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No pointer tells of it, so a look does not find it; the pass over everything does."""
    kept.tick()
    kept.lake.catalog.drop_partitions("olap", "fact_sales", [(DAYS[1],)])
    assert kept.reason() == NOTHING
    if restarted:
        kept = Sensor(kept.lake, kept.instance, kept.cursor)
    else:
        later = time.monotonic() + catalog_sync.PASS_SECONDS
        monkeypatch.setattr(catalog_sync.time, "monotonic", lambda: later)
    assert kept.reason().startswith(f"Mended: olap.fact_sales date={DAYS[1]}: registered.")
    assert [entry.values[0] for entry in kept.lake.catalog.partitions("olap", "fact_sales")] == DAYS


def test_what_a_job_elsewhere_committed_is_served_and_told(published: Sensor) -> None:
    """A Glue job changes the ledger; the catalog, and Dagster, learn of it from the sensor."""
    published.tick()
    lake, partition = published.lake, Partition("olap", "fact_sales", DAYS[0])
    before = lake.live_manifest("fact_sales", DAYS[0])
    assert before
    seen = read_day(lake.storage, partition).live
    folder = lake.storage.scratch()
    (local,) = lake.storage.local([f"{partition.version_folder(before.version)}/part-00000.parquet"])
    (folder / "part-00000.parquet").write_bytes(Path(local).read_bytes())
    manifest = type(before)(
        **{**vars(before), "version": "20990101T000000000000-0badcafe", "identity": Identity("another")}
    )
    write_version(lake.storage, partition, manifest, [folder / "part-00000.parquet"])
    commit(lake.storage, [Commit(partition, manifest, seen)])
    assert published.events() == {("fact_sales", DAYS[0])}
    (entry,) = lake.catalog.some_partitions("olap", "fact_sales", [(DAYS[0],)])
    assert entry.parameters["version"] == manifest.version
    assert published.reason() == NOTHING


def test_exports_that_another_system_dropped_are_registered(lake: Warehouse, instance: dg.DagsterInstance) -> None:
    """Nobody has staged them; an analyst can look at them all the same."""
    assert Sensor(lake, instance).reason().startswith("Mended: ")
    assert [entry.values[0] for entry in lake.catalog.partitions("oltp", "orders")] == DAYS


def test_a_table_that_cannot_be_looked_at_does_not_keep_the_others(
    kept: Sensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A right that is missing for one table must not stop ten."""
    kept.lake.catalog.drop_partitions("olap", "fact_sales", [(DAYS[1],)])
    table = kept.lake.catalog.table

    def busy(database: str, name: str) -> object:
        if name == "orders":
            raise CatalogBusy(f"Glue {database}", 60)
        return table(database, name)

    monkeypatch.setattr(kept.lake.catalog, "table", busy)
    reason = kept.reason()
    assert f"Mended: olap.fact_sales date={DAYS[1]}: registered." in reason
    assert "staging.orders: Glue staging: other processes kept the catalog locked" in reason
    monkeypatch.undo()
    assert kept.reason() == NOTHING


# Time


def test_a_pass_that_has_no_time_goes_on_with_the_next_tick(kept: Sensor) -> None:
    """Dagster ends a tick after a minute, however large the lake."""
    keeper, at, parts = CatalogSync(), "", []
    for _ in range(100):
        tick = keeper.tick(kept.lake, at, time.monotonic() - 1)
        at = tick.at
        parts.append(at)
        if not at:
            break
    assert list(dict.fromkeys(parts))[:2] == ["staging.orders", "staging.order_items"]
    assert "oltp.stores" in parts
    assert parts[-1] == ""


def test_a_restarted_pass_begins_where_the_last_one_was(kept: Sensor) -> None:
    """With little time and many restarts, the last tables would never have a turn."""
    tick = CatalogSync().tick(kept.lake, "olap.fact_sales", time.monotonic() - 1)
    assert tick.at == "olap.fact_sales"
    assert CatalogSync().tick(kept.lake, "olap.fact_sales", NEVER) == Tick()
    assert CatalogSync().tick(kept.lake, "olap.gone", NEVER) == Tick()


def test_tables_take_turns_where_looking_at_all_takes_too_long(kept: Sensor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise those at the end would be served an hour late."""
    keeper = CatalogSync()
    assert keeper.tick(kept.lake, "", NEVER).drifts == []
    looked: list[str] = []
    for follower in keeper.followers.values():
        monkeypatch.setattr(follower, "look", lambda name=follower.name: looked.append(name) or iter([[]]))
    clock = iter(range(10_000))
    monkeypatch.setattr(catalog_sync.time, "monotonic", lambda: next(clock))
    first = next(clock)
    keeper.tick(kept.lake, "", first + 4)
    keeper.tick(kept.lake, "", next(clock) + 4)
    assert looked[:3] == [follower.name for follower in keeper.followers.values()][:3]
    assert len(set(looked)) == len(looked)


def test_a_cursor_of_an_earlier_form_costs_a_longer_look_and_nothing_else(kept: Sensor) -> None:
    kept.cursor = "2023-07-01T00:00:00.000000Z"
    assert kept.reason() == NOTHING


# What Dagster is told


def test_what_was_published_outside_dagster_is_recorded_once(lake: Warehouse, instance: dg.DagsterInstance) -> None:
    """`star-assets run` publishes too; the UI should show what is live."""
    for table in retail.tables:
        assert all(not outcome.error for outcome in lake.refresh(table, DAYS))
    sensor = Sensor(lake, instance)
    recorded = sensor.events()
    assert {("fact_sales", day) for day in DAYS} <= recorded
    assert ("dim_product", None) in recorded
    assert sensor.events() == set()
    assert Sensor(lake, instance, sensor.cursor).events() == set()


def test_what_dagster_recorded_itself_is_not_recorded_again(published: Sensor) -> None:
    assert published.events() == set()


def test_a_day_published_again_outside_dagster_is_recorded(published: Sensor) -> None:
    published.tick()
    lake = published.lake
    folder = Path(lake.settings.lake) / "oltp" / "products" / f"date={DAYS[1]}"
    (file,) = folder.glob("[!_]*")
    file.write_bytes(file.read_bytes() + b"\n")
    assert {o.day: o.status for o in lake.refresh("products", DAYS)}[DAYS[1]] == "published"
    (event,) = published.tick().asset_events
    assert (event.asset_key.to_user_string(), event.partition) == ("products", DAYS[1])
    live = lake.live_manifest("products", DAYS[1])
    assert live and event.metadata["version"].value == live.version


def test_nothing_is_recorded_while_a_run_is_under_way(lake: Warehouse, instance: dg.DagsterInstance) -> None:
    """A run publishes before it records; both would record the same day."""
    assert all(not outcome.error for outcome in lake.refresh("orders", DAYS))
    job = build_definitions(retail, lake.settings, lake).resolve_job_def("all_tables")
    run = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    sensor = Sensor(lake, instance)
    assert "Runs are under way" in sensor.reason()
    instance.delete_run(run.run_id)
    assert sensor.events() == {("orders", day) for day in DAYS}


def test_many_events_are_told_over_several_ticks(
    lake: Warehouse, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dagster stores them one by one; a lake of ten years must not end a tick by its time."""
    monkeypatch.setattr("star_assets.orchestration.published_elsewhere.MOST_EVENTS", 2)
    monkeypatch.setattr("star_assets.orchestration.published_elsewhere.AT_A_TIME", 2)
    for source in ("orders", "stores"):
        assert all(not outcome.error for outcome in lake.refresh(source, DAYS))
    sensor = Sensor(lake, instance)
    told = [sensor.events() for _ in range(5)]
    assert [len(events) for events in told] == [2, 3, 1, 0, 0]
    assert set().union(*told) == {(source, day) for source in ("orders", "stores") for day in DAYS}
    assert json.loads(sensor.cursor or "")["until"] > 0


# On AWS


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What is asked of AWS: `list`, `get` and `put` of S3, the operations of Glue."""
    from botocore.httpsession import URLLib3Session

    asked: list[str] = []
    send = URLLib3Session.send

    def noted(self: Any, request: Any) -> Any:
        target = request.headers.get("X-Amz-Target")
        listing = "list-type=2" in request.url
        name = target.decode() if isinstance(target, bytes) else target
        asked.append(name.rpartition(".")[2] if name else "list" if listing else request.method.lower())
        return send(self, request)

    monkeypatch.setattr(URLLib3Session, "send", noted)
    yield asked


def test_an_idle_tick_on_aws_costs_one_listing_per_table(
    aws: Callable[..., Settings], instance: dg.DagsterInstance, requests: list[str]
) -> None:
    """And a pass after a restart reads no ledger again: listings, tables and their partitions, nothing else."""
    lake = Warehouse(retail, aws())
    export_samples(lake.storage, lake.settings.start_date, len(DAYS), orders_per_day=5)
    assert materialize(lake, instance, DAYS).success
    sensor = Sensor(lake, instance)
    assert sensor.reason() == NOTHING
    requests.clear()
    assert sensor.reason() == NOTHING
    assert requests == ["list"] * len(retail.tables)
    # A day later, in a new process on this machine, whose copies of ledgers and manifests are at hand.
    tomorrow = json.dumps({"until": time.time() + 86_400, "at": ""})
    requests.clear()
    assert Sensor(Warehouse(retail, lake.settings), instance, tomorrow).reason() == NOTHING
    assert set(requests) == {"list", "GetTable", "GetPartitions"}
    # A page of each table's partitions, two raw tables are none; of its ledgers; of a source's exports.
    assert requests.count("GetPartitions") == len(retail.sources) + len(retail.facts) + len(retail.sources) - 2
    assert requests.count("list") == len(retail.tables) + len(retail.sources)
    # Ten years are 120 ledgers of each table: a page of them.
    paged = "before-parameter-build.s3.ListObjectsV2"
    lake.storage.client().meta.events.register(paged, lambda params, **_: params.update(MaxKeys=120))
    requests.clear()
    assert sensor.reason() == NOTHING
    assert requests == ["list"] * len(retail.tables)
