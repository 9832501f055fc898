"""A bill that a test decides, and a lake whose costs are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from star_assets.settings import Settings

from .cost_explorer import Bill, cost_explorer


@pytest.fixture
def bill(aws: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch) -> Iterator[Bill]:
    """What the mock of Cost Explorer answers; all else on AWS is moto's."""
    with cost_explorer() as (address, bill):
        monkeypatch.setenv("AWS_ENDPOINT_URL_COST_EXPLORER", address)
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
        yield bill
