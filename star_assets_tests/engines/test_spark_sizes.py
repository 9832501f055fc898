"""Spark on what is lopsided: one key with half of all lines, a day of many small files. Sizes are small here.

`bench/ours/spark_sizes.py` does the same with ten thousand files and millions of lines.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from ..spark import needs_spark
from .hard_cases import DAYS, hard
from .pairs import Pair, require_same
from .sizes import write_sizes

pytestmark = [*needs_spark, pytest.mark.long]

FILES, LINES = 60, 4000


@pytest.fixture(scope="module")
def lopsided(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    root = tmp_path_factory.mktemp("lopsided")
    write_sizes(root, DAYS[0], files=FILES, lines=LINES)
    pair = Pair(hard, root, start_date=date.fromisoformat(DAYS[0]))
    assert pair.run([DAYS[0]], ["tickets", "lines", "things", "dim_thing", "dim_thing_history", "fact_lines"]) == {}
    return pair


@pytest.mark.parametrize("table", ["tickets", "lines", "fact_lines"])
def test_lopsided_days_are_the_same(lopsided: Pair, table: str) -> None:
    """One ticket has half of all lines; the lines lie in as many files as there are tickets."""
    require_same(lopsided, table, DAYS[0], in_order=table == "fact_lines")
    (rows,) = {pq.read_metadata(file).num_rows for file in lopsided.files(table, DAYS[0]).values()}
    assert rows == (FILES if table == "tickets" else LINES)


def test_many_small_files_become_one(lopsided: Pair) -> None:
    """Athena pays for each file that it opens."""
    folder: Path = lopsided.files("lines", DAYS[0])["spark"].parent
    assert len(list(folder.glob("*.parquet"))) == 1
