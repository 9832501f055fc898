"""Somebody is told when a run fails: what, which days, why."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import boto3
import dagster as dg
import pytest

from star_assets.model.errors import ColumnMissing
from star_assets.orchestration.build import build_definitions
from star_assets.orchestration.notify import build_notifier, build_success_counter, quoted
from star_assets.settings import Settings
from star_assets.star import retail

from .conftest import DAYS, DecidedWarehouse, materialize


@pytest.fixture
def webhook() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A server's URL, and the bodies that were posted to it."""
    posted: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """The test's output stays its own."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/hook", posted
        server.shutdown()


def test_a_failed_run_is_posted_with_the_table_the_day_and_the_reason(
    decided: DecidedWarehouse, instance: dg.DagsterInstance, webhook: tuple[str, list[dict[str, str]]]
) -> None:
    """Nobody watches the UI at two in the morning."""
    url, posted = webhook
    decided.errors["orders", DAYS[1]] = ColumnMissing("oltp/orders/x.csv", ["store_id"], ["order_id"])
    definitions = build_definitions(retail, decided.settings, decided)
    result = materialize(decided, instance, DAYS, "orders")
    events = instance.all_logs(result.run_id, of_type=dg.DagsterEventType.RUN_FAILURE)
    context = dg.build_run_status_sensor_context(
        sensor_name="failures",
        dagster_event=events[0].get_dagster_event(),
        dagster_instance=instance,
        dagster_run=result.dagster_run,
        repository_def=definitions.get_repository_def(),
    ).for_run_failure()
    build_notifier(url)(context)
    (body,) = posted
    assert f"of {DAYS[0]} to {DAYS[-1]} failed" in body["text"]
    assert (
        f"orders:\n```\norders: 1 of 3 days failed; the others are published.\n\n{DAYS[1]}: oltp/orders/x.csv"
        in body["text"]
    )


@pytest.mark.parametrize(("job", "told"), [("all_tables", 1), ("housekeeping", 0)])
def test_a_run_that_built_tables_is_told_to_cloudwatch(
    decided: DecidedWarehouse, instance: dg.DagsterInstance, aws: Callable[..., Settings], job: str, told: int
) -> None:
    """Its alarm is about the lack of such runs; a run that keeps house builds nothing."""
    namespace = f"star_assets/{uuid.uuid4().hex[:8]}"
    definitions = build_definitions(retail, decided.settings, decided)
    result = materialize(decided, instance, DAYS, "orders")
    events = instance.all_logs(result.run_id, of_type=dg.DagsterEventType.RUN_SUCCESS)
    context = dg.build_run_status_sensor_context(
        sensor_name="successes",
        dagster_event=events[0].get_dagster_event(),
        dagster_instance=instance,
        dagster_run=result.dagster_run._replace(job_name=job),
        repository_def=definitions.get_repository_def(),
    )
    build_success_counter(namespace)(context)
    found = boto3.client("cloudwatch").list_metrics(Namespace=namespace)["Metrics"]
    assert len(found) == told


def test_only_who_names_a_namespace_gets_the_sensor_of_successes(decided: DecidedWarehouse) -> None:
    settings = decided.settings.model_copy(update={"metrics_namespace": "star_assets/shop"})
    sensors = {one.name for one in build_definitions(retail, settings, decided).get_repository_def().sensor_defs}
    without = build_definitions(retail, decided.settings, decided).get_repository_def().sensor_defs
    assert sensors - {one.name for one in without} == {"successes"}


def test_what_an_export_says_is_no_markup_in_a_chat() -> None:
    """A value of `<http://…|Pay here>` would be a link that the data team seems to have posted."""
    told = quoted("'<http://x|Pay here>' ![i](http://x) @here ``` \x1b[31m is not a date")
    first, *lines, last = told.splitlines()
    assert (first, last) == ("```", "```")
    assert lines == ["'‹http://x|Pay here›' ![i](http://x) @here ˋˋˋ \\x1b[31m is not a date"]


def test_only_who_sets_a_webhook_gets_the_sensor(decided: DecidedWarehouse) -> None:
    """A sensor without anywhere to post to would fail every tick."""
    without = build_definitions(retail, decided.settings, decided).get_repository_def().sensor_defs
    settings = decided.settings.model_copy(update={"webhook": "http://127.0.0.1:1/"})
    with_one = build_definitions(retail, settings, decided).get_repository_def().sensor_defs
    assert {sensor.name for sensor in with_one} - {sensor.name for sensor in without} == {"failures"}


def test_the_documented_module_for_mail_is_a_code_location(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What a reader copies from the page must load."""
    monkeypatch.setenv("STAR_LAKE", str(tmp_path))
    page = (Path(__file__).parents[2] / "docs" / "operate.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names: dict[str, dg.Definitions] = {}
    exec(code, names)
    assert "email_on_run_failure" in {sensor.name for sensor in names["defs"].get_repository_def().sensor_defs}
