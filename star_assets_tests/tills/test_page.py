"""docs/streams.md: its program sends an event, and the columns that it asks for are those that are declared."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from star_assets.samples.tills import PosEvent
from star_assets.tills.server import serving

from .conftest import Place

PAGE = (Path(__file__).parents[2] / "docs" / "streams.md").read_text()


def test_the_program_of_the_page_sends_an_event(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    with serving(place.firehose()) as address:
        for name, value in {
            "AWS_ENDPOINT_URL_FIREHOSE": address,
            "AWS_ACCESS_KEY_ID": "any",
            "AWS_SECRET_ACCESS_KEY": "any",
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():
            monkeypatch.setenv(name, value)
        exec(program, {})
    ((event,),) = place.objects().values()
    assert tuple(event) == PosEvent._fields


def test_the_page_names_every_column_of_an_event() -> None:
    rows = PAGE.partition("| column | what it is |")[2].partition("\n\n")[0]
    named = [name for row in rows.splitlines() for name in re.findall(r"`(\w+)`", row.partition(" | ")[0])]
    assert named == list(PosEvent._fields)
