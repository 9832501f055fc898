"""Where no browser is, tests that need one are skipped and say so; where the project itself is tested, they fail."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from .browser import browsing


@pytest.mark.parametrize(("is_ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_what_no_browser_looks_at_is_not_passed_over(monkeypatch: pytest.MonkeyPatch, is_ci: str, outcome: Any) -> None:
    """A page that nobody has looked at would be green for years."""
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setenv("CI", is_ci)
    with pytest.warns(UserWarning) if not is_ci else pytest.MonkeyPatch.context(), pytest.raises(outcome), browsing():
        pass
