"""The asset `powerbi_refresh`, which refreshes the published Power BI model after the dimensions have changed.

It exists if STAR_POWERBI_MODEL names a model. dagster-powerbi's own `trigger_and_poll_refresh`
is not used: it stops waiting after five minutes, takes the newest refresh in the list for its
own, and goes on waiting after a refresh was cancelled. Here a refresh is recognized by its id,
every final status ends the wait, and a refresh that somebody else began may finish first. Not
here: which tables are dual (reports/powerbi).
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import dagster as dg

from star_assets.model import Star
from star_assets.model.errors import BadSetting, RefreshFailed, RefreshUnfinished, StarError
from star_assets.orchestration.failures import as_failure
from star_assets.orchestration.keys import asset_key
from star_assets.settings import Settings

if TYPE_CHECKING:
    from dagster_powerbi import PowerBIWorkspace

NAME, WORKSPACE = "powerbi_refresh", "powerbi_workspace"

# Power BI's statuses of a refresh that is under way, and of one that succeeded.
RUNNING, DONE = "Unknown", "Completed"

# Seconds between two polls, and until the wait ends. Dual tables take minutes; a token is valid for an hour.
EVERY, AT_MOST = 10.0, 3000.0


def build_powerbi_refresh(star: Star, settings: Settings) -> list[dg.AssetsDefinition]:
    """The asset; none if the settings name no model."""
    if not settings.powerbi_model:
        return []
    model = settings.powerbi_model.partition("/")[2]

    @dg.asset(
        key=asset_key(settings, NAME),
        description="A finished refresh of the published model's copies of the dimensions.",
        owners=[star.default_owner],
        group_name="bi",
        kinds={"powerbi"},
        deps=[asset_key(settings, name) for name in star.dimensions],
        backfill_policy=dg.BackfillPolicy.single_run(),
        required_resource_keys={WORKSPACE},
    )
    def step(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        began = time.monotonic()
        try:
            found = refreshed(getattr(context.resources, WORKSPACE), model)
        except StarError as error:
            raise as_failure(error) from None
        return dg.MaterializeResult(
            metadata={"refresh": found["requestId"], "seconds": round(time.monotonic() - began, 1)}
        )

    return [step]


def workspace_resource(settings: Settings) -> Any:
    """dagster-powerbi's workspace. Its principal comes from POWERBI_TENANT_ID, _CLIENT_ID and _CLIENT_SECRET."""
    assert settings.powerbi_model is not None
    try:
        from dagster_powerbi import PowerBIServicePrincipal, PowerBIWorkspace
    except ImportError as error:
        expected = "dagster-powerbi too: pip install 'star_assets[powerbi]'"
        raise BadSetting("STAR_POWERBI_MODEL", settings.powerbi_model, expected) from error
    principal = PowerBIServicePrincipal(
        tenant_id=dg.EnvVar("POWERBI_TENANT_ID"),
        client_id=dg.EnvVar("POWERBI_CLIENT_ID"),
        client_secret=dg.EnvVar("POWERBI_CLIENT_SECRET"),
    )
    return PowerBIWorkspace(credentials=principal, workspace_id=settings.powerbi_model.partition("/")[0])


def refreshed(
    workspace: "PowerBIWorkspace", model: str, every: float = EVERY, at_most: float = AT_MOST
) -> dict[str, Any]:
    """Refresh a model. Returns Power BI's record of the refresh. Raises RefreshFailed, RefreshUnfinished."""
    until = time.monotonic() + at_most
    with _http_errors(model):
        known = _refreshes(workspace, model)
        # A refresh that is under way may have read the dimensions before they changed.
        while any(one["status"] == RUNNING for one in known):
            _wait(model, until, every)
            known = _refreshes(workspace, model)
        workspace.trigger_refresh(model)
        while not (own := _begun_since(known, workspace, model)) or own["status"] == RUNNING:
            _wait(model, until, every)
    if own["status"] != DONE:
        raise RefreshFailed(model, own["status"], str(own.get("serviceExceptionJson", "")))
    return own


def _begun_since(known: list[dict[str, Any]], workspace: "PowerBIWorkspace", model: str) -> dict[str, Any] | None:
    """The first refresh that was begun after `known` was listed: our own, since any other can only have begun later."""
    before = {one["requestId"] for one in known}
    newest_first = [one for one in _refreshes(workspace, model) if one["requestId"] not in before]
    return newest_first[-1] if newest_first else None


def _refreshes(workspace: "PowerBIWorkspace", model: str) -> list[dict[str, Any]]:
    """The refreshes of a model, the newest first. dagster-powerbi has no public call for them."""
    found: list[dict[str, Any]] = workspace._fetch_json(f"datasets/{model}/refreshes")["value"]
    return found


def _wait(model: str, until: float, every: float) -> None:
    if time.monotonic() > until:
        raise RefreshUnfinished(model, "it takes too long")
    time.sleep(every)


@contextmanager
def _http_errors(model: str) -> Iterator[None]:
    """Raise HTTP errors as RefreshFailed, or as RefreshUnfinished where a retry may succeed."""
    import requests

    try:
        yield
    except requests.HTTPError as error:
        assert error.response is not None, "it is an answer of Power BI's"
        code, text = error.response.status_code, error.response.text[:500]
        if code == 429 or code >= 500:
            raise RefreshUnfinished(model, f"Power BI answered {code}") from error
        raise RefreshFailed(model, f"refused ({code})", text) from error
    except requests.RequestException as error:
        raise RefreshUnfinished(model, f"Power BI cannot be reached ({type(error).__name__})") from error
