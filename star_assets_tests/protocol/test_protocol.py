"""The protocol holds in every scenario, and each shortcut breaks its invariant. `pytest -m long` leaves nothing out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from . import invariants
from .__main__ import main
from .ledger import MONTH
from .scenarios import SCENARIOS
from .shortcuts import SHORTCUTS, explored

PAGE = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text()
QUICK = [name for name, shortcut in SHORTCUTS.items() if not shortcut.long]
INVARIANTS = [
    value for name, value in vars(invariants).items() if name.isupper() and isinstance(value, str) and " " in value
]


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_protocol_holds(name: str) -> None:
    """With fewer faults than in the long run, and of three scenarios with fewer operations."""
    found = explored(name, short=True)
    assert found.broken is None, "\n".join(found.trace)
    assert found.states > 4000


@pytest.mark.long
@pytest.mark.parametrize("name", SCENARIOS)
def test_the_protocol_holds_whatever_fails(name: str) -> None:
    """All operations and all faults. The numbers are those of the page: a change of the protocol changes them."""
    found = explored(name)
    assert found.broken is None, "\n".join(found.trace)
    assert found.states == SCENARIOS[name].states


@pytest.mark.parametrize("name", QUICK)
def test_a_shortcut_breaks_its_invariant(name: str) -> None:
    """If it did not, nothing would say why the protocol has the step that the shortcut leaves out."""
    assert explored(name).broken == SHORTCUTS[name].breaks


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in SHORTCUTS if name not in QUICK])
def test_a_shortcut_breaks_its_invariant_after_many_states(name: str) -> None:
    assert explored(name).broken == SHORTCUTS[name].breaks


def test_every_shortcut_is_asked_for() -> None:
    """A switch that the operations do not have would hold like the protocol, and one without a test is a hole."""
    asked = set(re.findall(r"takes\(\"([\w-]+)\"\)", (Path(__file__).parent / "operations.py").read_text()))
    assert asked == SHORTCUTS.keys()


def test_every_invariant_can_be_broken() -> None:
    """One that nothing breaks may ask for nothing. Unnumbered swaps break the rule for numbers, and then another."""
    ledger = SCENARIOS["undone"].store[MONTH]
    unnumbered = invariants.rules().swap({}, MONTH, ledger, ledger._replace(fence=1), ("commit_dimension",))
    assert {shortcut.breaks for shortcut in SHORTCUTS.values()} | {unnumbered} == set(INVARIANTS)


def test_the_counterexample_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["month-at-commit"]) == 0
    summary, *trace = capsys.readouterr().out.splitlines()
    assert summary.endswith(f"steps until {invariants.MEMBERS}")
    assert len(trace) == 16
    assert trace[-1].startswith("1  commit_dimension     Swap dimension/_pointers/live ")


def test_the_page_has_every_scenario_shortcut_and_invariant() -> None:
    """The page is read by whoever changes the protocol, and these are what they change."""
    for name, scenario in SCENARIOS.items():
        assert re.search(rf"^\| `{name}` \|.*\| {scenario.faults} \| {scenario.states:,} \|$", PAGE, re.MULTILINE), name
    for name, shortcut in SHORTCUTS.items():
        assert f"| `{name}` | {shortcut.instead} | {shortcut.breaks} |" in PAGE
    for invariant in INVARIANTS:
        assert f"| {invariant} |" in PAGE
