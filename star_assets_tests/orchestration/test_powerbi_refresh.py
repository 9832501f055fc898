"""The asset `powerbi_refresh`, by the real dagster-powerbi, against a server that answers as Power BI's REST interface.

Power BI itself cannot be run here: the server has the two addresses and the login that
are used, and says of each refresh what a test decides.
"""

from __future__ import annotations

import http.server
import json
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
import pytest

from star_assets.model.errors import BadSetting, RefreshFailed, RefreshUnfinished
from star_assets.orchestration import powerbi_refresh
from star_assets.orchestration.build import build_definitions
from star_assets.orchestration.powerbi_refresh import NAME, refreshed, workspace_resource
from star_assets.settings import Settings
from star_assets.star import retail

from .conftest import DAYS, DecidedWarehouse, materialize

WORKSPACE, MODEL = "0f4c8e0a-1b7e-4a52-9d0c-6a2f7b3e5c11", "7d1e2f30-94ab-4c0d-8e2f-1a2b3c4d5e6f"


@dataclass
class PowerBI:
    """Refreshes, the newest first, and what becomes of those that are begun: the status at each look."""

    listed: list[dict[str, Any]] = field(default_factory=list)
    becomes: list[str] = field(default_factory=lambda: ["Unknown", "Completed"])
    refuses: int = 0
    begun: int = 0
    ends: dict[str, list[str]] = field(default_factory=dict)

    def add(self, name: str, *statuses: str) -> None:
        """Begin a refresh, as somebody does in the service."""
        self.listed.insert(0, {"requestId": name, "status": statuses[0]})
        self.ends[name] = list(statuses)

    def look(self) -> dict[str, Any]:
        for one in self.listed:
            statuses = self.ends[one["requestId"]]
            one["status"] = statuses.pop(0) if len(statuses) > 1 else statuses[0]
        return {"value": self.listed}

    def begin(self) -> int:
        if self.refuses:
            return self.refuses
        self.begun += 1
        self.add(f"ours-{self.begun}", *self.becomes)
        return 202


@pytest.fixture
def power_bi(monkeypatch: pytest.MonkeyPatch) -> Iterator[PowerBI]:
    service = PowerBI()
    refreshes = f"/groups/{WORKSPACE}/datasets/{MODEL}/refreshes"

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(200 if self.path == refreshes and self.is_known() else 404, service.look())

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"])).decode()
            if self.path == "/login":
                known = "client_id=c" in content and "client_secret=s" in content
                self.answer(200 if known else 401, {"access_token": "t"})
            else:
                self.answer(service.begin() if self.path == refreshes and self.is_known() else 404, {"error": "why"})

        def is_known(self) -> bool:
            return self.headers["Authorization"] == "Bearer t"

        def answer(self, code: int, content: Any) -> None:
            self.send_response(code)
            self.end_headers()
            self.wfile.write(json.dumps(content).encode())

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        url = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setattr("dagster_powerbi.resource.BASE_API_URL", url)
        monkeypatch.setattr("dagster_powerbi.resource.MICROSOFT_LOGIN_URL", f"{url}/login")
        for name, value in {"TENANT_ID": "here", "CLIENT_ID": "c", "CLIENT_SECRET": "s"}.items():
            monkeypatch.setenv(f"POWERBI_{name}", value)
        yield service
        server.shutdown()


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"powerbi_model": f"{WORKSPACE}/{MODEL}"})


def refresh(settings: Settings, at_most: float = 20) -> dict[str, Any]:
    with dg.build_resources({"workspace": workspace_resource(settings)}) as resources:
        return refreshed(resources.workspace, MODEL, every=0, at_most=at_most)


def test_a_refresh_is_waited_for(power_bi: PowerBI, settings: Settings) -> None:
    power_bi.becomes = ["Unknown"] * 5 + ["Completed"]
    power_bi.add("yesterday's", "Failed")
    assert refresh(settings)["requestId"] == "ours-1"
    assert power_bi.begun == 1


@pytest.mark.parametrize("status", ["Failed", "Cancelled", "Disabled"])
def test_every_end_but_one_is_a_failure(power_bi: PowerBI, settings: Settings, status: str) -> None:
    """dagster-powerbi waits on after a cancelled one until its time is over."""
    power_bi.becomes = ["Unknown", status]
    power_bi.add("yesterday's", "Completed")
    with pytest.raises(RefreshFailed, match=f"expected a refresh that completes, found {status}"):
        refresh(settings)


def test_what_runs_already_is_let_finish(power_bi: PowerBI, settings: Settings) -> None:
    """It may have read the dimensions before they were published, and Power BI refuses a second one beside it."""
    power_bi.add("somebody's", "Unknown", "Unknown", "Completed")
    assert refresh(settings)["requestId"] == "ours-1"


def test_somebody_else_s_newer_one_is_not_taken_for_ours(power_bi: PowerBI, settings: Settings) -> None:
    """Whoever presses the button meanwhile is the newest in the list."""
    power_bi.becomes = ["Unknown", "Failed"]
    begin = power_bi.begin

    def and_another() -> int:
        code = begin()
        power_bi.add("somebody's", "Completed")
        return code

    power_bi.begin = and_another
    with pytest.raises(RefreshFailed):
        refresh(settings)


@pytest.mark.parametrize(
    ("code", "error"), [(429, RefreshUnfinished), (503, RefreshUnfinished), (403, RefreshFailed), (400, RefreshFailed)]
)
def test_a_refusal_is_told_as_what_it_is(
    power_bi: PowerBI, settings: Settings, code: int, error: type[Exception]
) -> None:
    power_bi.refuses = code
    with pytest.raises(error, match=str(code)):
        refresh(settings)


def test_it_is_not_waited_for_for_ever(power_bi: PowerBI, settings: Settings) -> None:
    power_bi.becomes = ["Unknown"]
    with pytest.raises(RefreshUnfinished, match="it takes too long"):
        refresh(settings, at_most=0)


def test_without_a_model_there_is_no_asset() -> None:
    specs = build_definitions(retail, Settings()).resolve_all_asset_specs()
    assert NAME not in {spec.key.to_user_string() for spec in specs}
    assert len(specs) > len(retail.tables)


def test_it_runs_with_the_dimensions_and_tells_of_its_failure(
    power_bi: PowerBI, settings: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By Dagster, with the resource of its settings."""
    monkeypatch.setattr(powerbi_refresh, "refreshed", lambda space, model: refreshed(space, model, every=0))
    warehouse = DecidedWarehouse(retail, settings)
    done = materialize(warehouse, instance, DAYS[:1], "dim_store", NAME)
    assert done.success
    (event,) = done.asset_materializations_for_node(NAME)
    assert event.metadata["refresh"].value == "ours-1"
    power_bi.becomes = ["Cancelled"]
    failed = materialize(warehouse, instance, DAYS[:1], NAME)
    (step,) = [one for one in failed.all_events if one.is_step_failure]
    assert "found Cancelled" in (step.step_failure_data.user_failure_data.description or "")


def test_without_dagster_powerbi_the_setting_is_refused(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dagster_powerbi", None)
    with pytest.raises(BadSetting, match=r"pip install 'star_assets\[powerbi\]'"):
        build_definitions(retail, settings)
