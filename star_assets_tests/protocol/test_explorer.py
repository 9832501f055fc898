"""The explorer finds what can go wrong: an explorer that visits too little would call every protocol right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from .explorer import IDS, OK, Await, Explored, Explorer, Fail, Get, Put, Rules, Running, Steps, Swap


class Counter:
    """Ways to add one to a number."""

    def add_blindly(self) -> Steps:
        number = yield Get("number")
        yield Put("number", number + 1)
        return None

    def add(self) -> Steps:
        while (yield Swap("number", number := (yield Get("number")), number + 1)) != OK:
            pass
        return None

    def add_once(self) -> Steps:
        """Without a reply it is not tried again."""
        yield Swap("number", (yield Get("number")), 1)
        return None

    def look_after_retention(self) -> Steps:
        """Those that were adding have ended by then, so there is at least one."""
        running = yield Running()
        yield Await(running)
        if running and not (yield Get("number")):
            yield Fail("too early")
        return None

    def query(self) -> Steps:
        yield Get("number")
        yield Get("number")
        return None


def explored(*operations: str, faults: int = 0, most: int = 9, end: int | None = None) -> Explored:
    """What can become of zero, if more than `most` is wrong at any moment, and not `end` is wrong at the end."""

    def state(store: Mapping[str, Any]) -> str | None:
        return "too many" if store["number"] > most else None

    def at_end(store: Mapping[str, Any]) -> str | None:
        return "too few" if end is not None and store["number"] != end else None

    rules = Rules(lambda *_: None, state, at_end)
    return Explorer(Counter(), rules, ("add_blindly",)).explore(
        {"number": 0, IDS: 0}, [(name,) for name in operations], faults
    )


def test_every_order_of_steps_is_visited() -> None:
    """Two processes of two steps are at nine places; where one has ended, what the other has read may be two things."""
    assert explored("query", "query").states == 9
    assert explored("add_blindly", "add_blindly").states == 9 + 3


def test_an_update_that_is_lost_is_found() -> None:
    found = explored("add_blindly", "add_blindly", end=2)
    assert found.broken == "too few"
    assert [line.split()[:3] for line in found.trace] == [
        ["0", "add_blindly", "Get"],
        ["1", "add_blindly", "Get"],
        ["0", "add_blindly", "Put"],
        ["1", "add_blindly", "Put"],
    ]
    assert explored("add", "add", end=2).broken is None


def test_a_swap_is_done_though_its_reply_is_lost() -> None:
    """Who then swaps again without a look has added twice."""
    assert explored("add", most=1).broken is None
    assert explored("add", most=1, faults=1).broken == "too many"


@pytest.mark.parametrize("faults", [0, 1])
def test_a_swap_arrives_late(faults: int) -> None:
    """The process has ended without its swap done; that is the end if it never arrives."""
    found = explored("add_once", faults=faults, end=1)
    assert found.broken == (None if faults == 0 else "too few")
    if faults:
        assert "no reply" in found.trace[-1]
    # The same states and the one in which it has arrived, which holds.
    assert explored("add_once", faults=1).states > explored("add_once").states


def test_a_process_dies_and_is_started_again() -> None:
    """One that has died for good owes nothing at the end; one that is started again does its work twice."""
    assert explored("add_blindly", faults=1, end=1).broken is None
    assert explored("add_blindly", "query", faults=1, most=1).broken is None
    assert explored("add", faults=1, end=1).broken == "too few"  # a reply was lost: see above
    assert explored("add_blindly", faults=1).states > explored("add_blindly").states


def test_a_retention_lasts_until_those_have_ended_that_were_running() -> None:
    """There is no clock. Who has died runs no more."""
    assert explored("look_after_retention", "add_blindly").broken is None
    assert explored("look_after_retention", "add_blindly", faults=1).broken == "too early"
