"""The corpus: what analysts ask, by category, and what Trino answered.

A category is a file `corpus/<category>.sql`. Each of its queries has comment lines
above it: the first is its name, the others say what is known beyond it; a `;`
ends it. Trino's answers lie beside it in `<category>.json`, as `record` wrote them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CORPUS = Path(__file__).parent / "corpus"

_QUERY = re.compile(r"((?:^--.*\n)+)((?s:.*?));[ ]*$", re.MULTILINE)


@dataclass(frozen=True)
class Question:
    """One query of the corpus."""

    category: str
    name: str
    sql: str

    @property
    def is_ordered(self) -> bool:
        """Whether the order of the rows is part of the answer."""
        return re.search(r"\bORDER BY\b[^()]*(\([^()]*\)[^()]*)*$", self.sql, re.IGNORECASE) is not None


def categories() -> list[str]:
    """Their names, sorted."""
    return sorted(file.stem for file in CORPUS.glob("*.sql"))


def questions(category: str) -> list[Question]:
    """The queries of a category, in order."""
    return list(_read(category))


def _read(category: str) -> Iterator[Question]:
    text = (CORPUS / f"{category}.sql").read_text()
    for comment, sql in _QUERY.findall(text):
        name = comment.splitlines()[0].removeprefix("--").strip()
        yield Question(category, name, sql.strip())


def answers(category: str) -> dict[str, dict[str, Any]]:
    """What Trino said to each query: `sql`, and either `names`, `types` and `rows`, or the kind of `error`."""
    found: dict[str, dict[str, Any]] = json.loads((CORPUS / f"{category}.json").read_text())
    return found
