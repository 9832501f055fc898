"""The embedded Athena gives Trino's answers, or refuses by name: asked what analysts ask."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import Any

import pytest

from star_assets.athena.client import Result
from star_assets.athena.embedded import EmbeddedAthena
from star_assets.lake.local_catalog import LocalCatalog
from star_assets.lake.local_storage import LocalStorage
from star_assets.model.errors import BadQuery, Unfaithful
from star_assets_tests.athena.answers import as_trino, in_any_order
from star_assets_tests.athena.questions import Question, answers, categories, questions
from star_assets_tests.athena.shop import DATABASE, fill

QUESTIONS = [question for category in categories() for question in questions(category)]

# The least share of queries that are answered, and not refused.
IN_ALL, IN_EACH_CATEGORY = 0.95, 0.90


# They share what was answered: `refused` looks at every question.
pytestmark = pytest.mark.xdist_group("corpus")


class Shop:
    """The embedded Athena over the corpus's data, which is asked each question once."""

    def __init__(self, athena: EmbeddedAthena) -> None:
        self._athena = athena
        self._asked: dict[str, Result | Exception] = {}

    def query(self, sql: str) -> Result:
        """Raises Unfaithful and BadQuery."""
        if sql not in self._asked:
            try:
                self._asked[sql] = self._athena.query(sql)
            except (Unfaithful, BadQuery) as error:
                self._asked[sql] = error
        found = self._asked[sql]
        if isinstance(found, Exception):
            raise found
        return found


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    root = tmp_path_factory.mktemp("shop")
    storage, catalog = LocalStorage(root), LocalCatalog(root)
    fill(storage, catalog)
    return Shop(EmbeddedAthena(storage, catalog, database=DATABASE, threads=1))


@pytest.fixture(scope="module")
def refused(shop: Shop) -> dict[str, list[str]]:
    """The queries of each category that are refused, and what is refused in them."""
    found: dict[str, list[str]] = {category: [] for category in categories()}
    for question in QUESTIONS:
        try:
            shop.query(question.sql)
        except Unfaithful as refusal:
            found[question.category].append(f"{question.category}: {question.name}: {refusal.what}")
        except BadQuery:
            continue
    return found


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: f"{question.category}: {question.name}")
def test_an_answer_is_trino_s_or_refused(shop: Shop, question: Question) -> None:
    """A wrong answer is worse than none: nobody would see it."""
    expected = answers(question.category)[question.name]
    assert expected["sql"] == question.sql, "The query was changed: run `python -m star_assets_tests.athena.record`."
    try:
        found = as_trino(shop.query(question.sql))
    except Unfaithful:
        return
    except BadQuery as error:
        assert "error" in expected, error
        kind = re.match(r"[A-Z_]{4,}(?=:)", str(error))
        assert kind is None or kind[0] == expected["error"]
        return
    assert "error" not in expected, f"Trino says {expected['error']}, found {found.rows}"
    assert (found.names, found.types) == (expected["names"], expected["types"])
    rows = (found.rows, expected["rows"])
    assert alike(*(rows if question.is_ordered else map(in_any_order, rows)))


def alike(found: Any, expected: Any) -> bool:
    """Whether two values are the same; the last digits of a double depend on the order of its sum."""
    if isinstance(found, list) and isinstance(expected, list):
        return len(found) == len(expected) and all(map(alike, found, expected))
    if isinstance(found, dict) and isinstance(expected, dict):
        return found.keys() == expected.keys() and all(alike(found[key], expected[key]) for key in found)
    if isinstance(found, float) and isinstance(expected, float):
        return math.isclose(found, expected, rel_tol=1e-12)
    return type(found) is type(expected) and bool(found == expected)


def test_most_of_what_analysts_ask_is_answered(refused: dict[str, list[str]]) -> None:
    """To refuse everything would be faithful, and of no use."""
    asked = Counter(question.category for question in QUESTIONS)
    listed = [refusal for several in refused.values() for refusal in several]
    print(f"{len(listed)} of {len(QUESTIONS)} queries are refused:", *listed, sep="\n  ")
    assert len(QUESTIONS) >= 300
    assert 1 - len(listed) / len(QUESTIONS) >= IN_ALL, listed
    shares = {category: 1 - len(refused[category]) / count for category, count in asked.items()}
    assert {category: share for category, share in shares.items() if share < IN_EACH_CATEGORY} == {}, listed


@pytest.mark.parametrize("category", categories())
def test_every_answer_has_its_query(category: str) -> None:
    """An answer that nobody asks for holds nothing."""
    assert answers(category).keys() == {question.name for question in questions(category)}
