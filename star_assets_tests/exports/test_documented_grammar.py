"""docs/own-tables.md says which text is a value of which type: the grammar agrees, example by example."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from star_assets.exports import grammar
from star_assets.model.types import Type

PAGE = Path(__file__).parents[2] / "docs" / "own-tables.md"

ROWS = re.findall(
    r"^\| (`(?:int|decimal|float|boolean|date|timestamp).*?) \| (.*?) \| (.*?) \|$", PAGE.read_text(), re.M
)


def texts(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


@pytest.mark.parametrize(("types", "taken", "refused"), ROWS, ids=lambda cell: cell[:20])
def test_the_examples_are_taken_and_refused(types: str, taken: str, refused: str) -> None:
    """A reader who declares a type by this table must not find his values among the rejects."""
    for name in texts(types):
        pattern = grammar.pattern(Type.parse(name))
        assert pattern is not None
        assert [text for text in texts(taken) if not re.fullmatch(pattern, text)] == []
        assert [text for text in texts(refused) if re.fullmatch(pattern, text)] == []


def test_every_type_but_text_is_in_the_table() -> None:
    listed = {re.sub(r"\(.*", "", name) for types, _, _ in ROWS for name in texts(types)}
    assert listed == {"int32", "int64", "decimal", "float64", "boolean", "date", "timestamp"}
