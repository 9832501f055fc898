"""The history that `dagster dev`, `dagster asset materialize` and `star-assets demo` share."""

from __future__ import annotations

import threading
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.storage.event_log import ConsolidatedSqliteEventLogStorage
from dagster._core.test_utils import instance_for_test

from star_assets.orchestration.event_log import EventLog

from .conftest import DAYS, DecidedWarehouse, materialize

REPOSITORY = Path(__file__).parents[2]
ORDERS = dg.AssetKey("orders")


def event_log(base_dir: Path) -> dict[str, object]:
    module, name = EventLog.__module__, EventLog.__qualname__
    return {"event_log_storage": {"module": module, "class": name, "config": {"base_dir": str(base_dir)}}}


def test_dagsters_own_log_can_read_and_continue_what_ours_wrote(tmp_path: Path, decided: DecidedWarehouse) -> None:
    """Whoever drops our class from dagster.yaml keeps the history."""
    with instance_for_test(temp_dir=str(tmp_path), overrides=event_log(tmp_path / "events")) as instance:
        assert materialize(decided, instance, DAYS[:2], "orders").success
    theirs = event_log(tmp_path / "events")["event_log_storage"]
    assert isinstance(theirs, dict)
    theirs |= {
        "module": ConsolidatedSqliteEventLogStorage.__module__,
        "class": ConsolidatedSqliteEventLogStorage.__qualname__,
    }
    with instance_for_test(temp_dir=str(tmp_path), overrides={"event_log_storage": theirs}) as instance:
        assert instance.get_materialized_partitions(ORDERS) == set(DAYS[:2])
        assert materialize(decided, instance, DAYS[2:], "orders").success
        assert instance.get_materialized_partitions(ORDERS) == set(DAYS)


def test_another_process_sees_events_at_once(tmp_path: Path, decided: DecidedWarehouse) -> None:
    """The UI's process reads while a run's process holds its connections open."""
    with instance_for_test(temp_dir=str(tmp_path), overrides=event_log(tmp_path / "events")) as instance:
        materialize(decided, instance, DAYS, "orders")
        reader = EventLog(str(tmp_path / "events"))
        assert reader.get_materialized_partitions(ORDERS) == set(DAYS)
        reader.dispose()


def test_a_watched_run_calls_back_for_each_event(tmp_path: Path, decided: DecidedWarehouse) -> None:
    """A run's page in the UI would stand still otherwise."""
    with instance_for_test(temp_dir=str(tmp_path), overrides=event_log(tmp_path / "events")) as instance:
        run_id = materialize(decided, instance, DAYS, "orders").run_id
        seen, ended = [], threading.Event()

        def callback(event: dg.EventLogEntry, cursor: str) -> None:
            seen.append(event)
            if len(seen) == len(instance.all_logs(run_id)):
                ended.set()

        instance.watch_event_logs(run_id, None, callback)
        assert ended.wait(30)
        instance.end_watch_event_logs(run_id, callback)


def test_a_table_that_is_not_there_is_not_remembered_as_there(tmp_path: Path) -> None:
    log = EventLog(str(tmp_path))
    assert log.has_table("event_logs")
    assert not log.has_table("no_such_table")
    log.dispose()


@pytest.mark.parametrize("key", ["event_log_storage", "run_storage", "schedule_storage", "compute_logs"])
def test_the_history_lies_beside_dagster_yaml(key: str) -> None:
    """All three commands find it, from a fresh clone and with no variable set."""
    config = yaml.safe_load((REPOSITORY / "dagster.yaml").read_text())
    assert config[key]["config"]["base_dir"].startswith(".dagster/")
    assert config["telemetry"] == {"enabled": False}
