"""Errors as values: what they say survives pickling, as Spark's workers and jobs need."""

from __future__ import annotations

import dataclasses
import pickle

import pytest

from star_assets.model import errors
from star_assets.model.errors import ColumnMissing, StarError
from star_assets.pipeline.glue.step import as_error, as_report

NAMED = [getattr(errors, name) for name in errors.__all__]
KINDS = [kind for kind in NAMED if dataclasses.fields(kind)]

# A fact of each type that errors have.
FACTS = {"int": 3, "float": 0.5, "str": "x", "Sequence[str]": ["a", "b"], "Mapping[str, int]": {"a": 1}}
FACTS |= {"int | None": 3, "Mapping[str, str]": {"star_assets": "1"}}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_an_error_says_the_same_after_a_journey(kind: type[StarError]) -> None:
    """A worker's error reaches the person as the worker worded it."""
    error = kind(**{field.name: FACTS[str(field.type)] for field in dataclasses.fields(kind)})
    for arrived in (pickle.loads(pickle.dumps(error)), as_error(as_report(error))):
        assert (type(arrived), str(arrived)) == (kind, str(error))
    assert len(str(error)) > 5


def test_facts_given_by_name_are_kept() -> None:
    error = ColumnMissing(file="a.csv", missing=["b"], found=["c"])
    assert (error.undeclared, error.args) == ((), ("a.csv", ["b"], ["c"], ()))
