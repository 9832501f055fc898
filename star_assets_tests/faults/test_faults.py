"""A storm of kills leaves every reader a whole version, and a lake that a run brings to the oracle's totals."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from star_assets.lake.versions import Partition

from ..pipeline.retailers import shop
from .judging import Ledger, older_inputs, torn_reads

ROOT = Path(__file__).parents[2]
KILLS = 40

FACT = Partition("olap", "fact_sales", "2023-07-01")
ORDERS = Partition("staging", "orders", "2023-07-01")
STATE = Partition("staging", "orders/_state")


@pytest.mark.long
def test_kills_at_random_points_of_random_operations_break_nothing() -> None:
    """Four writers, two readers, and a machine that goes away at any moment. `make faults` does it 500 times."""
    command = [sys.executable, "-m", "star_assets_tests.faults", "--kills", str(KILLS), "--seed", "7"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = re.search(r"(\d+) kills, (\d+) operations that ended, (\d+) versions, (\d+) reads", done.stdout)
    assert found, done.stdout
    kills, ended, versions, reads = map(int, found.groups())
    assert kills >= KILLS
    assert min(ended, versions, reads) > KILLS / 4


# What a harness that sees nothing would not tell.


def day(partition: Partition, *versions: str) -> dict[str, Any]:
    """A day as it was seen in its ledger: its versions, the live one first, each live since its own number."""
    return {**vars(partition), "entries": [(version[1:], version) for version in versions]}


def version(partition: Partition, name: str, inputs: object = None, values: object = None) -> dict[str, Any]:
    return {**vars(partition), "version": name, "inputs": inputs, "values": values, "content": None}


def read(*values: str, day: str = "2023-07-01") -> dict[str, Any]:
    return {"table": "fact_sales", "began": 0.0, "ended": 0.1, "rows": {day: list(values)} if values else {}}


SALES = Ledger(
    [
        day(FACT, "v2", "v1"),
        version(FACT, "v1", values=["5", "5", "10"]),
        version(FACT, "v2", values=["6", "6", "12"]),
    ]
)


def test_a_read_of_a_whole_version_is_right() -> None:
    assert list(torn_reads(SALES, [read("5", "5", "10"), read("6", "6", "12"), read("5", "5", "10")])) == []


def test_a_read_of_no_version_is_told() -> None:
    (problem,) = torn_reads(SALES, [read("5", "5", "12")])
    assert "which no version has" in problem


def test_a_doubled_row_is_told() -> None:
    doubled = Ledger([day(FACT, "v1"), version(FACT, "v1", values=["6", "5", "12"])])
    (problem,) = torn_reads(doubled, [read("6", "5", "12")])
    assert "a key twice" in problem


def test_a_day_that_vanishes_is_told() -> None:
    (problem,) = torn_reads(SALES, [read("5", "5", "10"), read()])
    assert "got nothing of 2023-07-01" in problem


def test_a_read_that_fails_is_told_unless_vacuum_may_have_overtaken_it() -> None:
    failed = {"table": "fact_sales", "began": 0.0, "error": "IOException: no such file"}
    (problem,) = torn_reads(SALES, [{**failed, "ended": 1.0}, {**failed, "ended": 60.0}])
    assert "no such file" in problem


def made_of(etag: str) -> dict[str, Any]:
    return {"files": [{"path": "orders.csv", "etag": etag}]}


def exports(*etags: str) -> dict[tuple[str, str], list[frozenset[tuple[str, str]]]]:
    return {("orders", "2023-07-01"): [frozenset([("orders.csv", etag)]) for etag in etags]}


def test_a_version_of_an_older_export_is_told() -> None:
    old, new = version(ORDERS, "v1", made_of("a")), version(ORDERS, "v2", made_of("b"))
    ledger = Ledger([day(ORDERS, "v2", "v1"), old, new])
    star = shop("complete")
    assert list(older_inputs(ledger, star, exports("a", "b"))) == []
    assert list(older_inputs(ledger, star, exports("b", "a", "b"))) == []
    (problem,) = older_inputs(ledger, star, exports("b", "a"))
    assert "v2 was made of an older files than v1" in problem


def test_going_back_on_purpose_is_no_older_export() -> None:
    """`v1` is live again since 3; the next version must be as new as `v2`."""
    entries = [("3", "v1"), ("2", "v2"), ("1", "v1")]
    old, new = version(ORDERS, "v1", made_of("a")), version(ORDERS, "v2", made_of("b"))
    seen = [{**vars(ORDERS), "entries": entries}, old, new]
    star = shop("complete")
    assert list(older_inputs(Ledger(seen), star, exports("a", "b"))) == []
    after = [*seen, day(ORDERS, "v4"), version(ORDERS, "v4", made_of("a"))]
    (problem,) = older_inputs(Ledger(after), star, exports("a", "b"))
    assert "v4 was made of an older files than v2" in problem


def test_a_book_of_older_versions_is_told() -> None:
    seen = [
        day(ORDERS, "v1"),
        day(ORDERS, "v2", "v1"),
        day(STATE, "v4", "v3"),
        version(STATE, "v3", {"exports": {"2023-07-01": "v2"}}),
        version(STATE, "v4", {"exports": {"2023-07-01": "v1"}}),
    ]
    (problem,) = older_inputs(Ledger(seen), shop("complete"), exports())
    assert "v4 was made of an older 2023-07-01 than v3" in problem
