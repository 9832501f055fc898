"""Settings that are right are taken; star_assets_tests/mistakes/settings.py has those that are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from star_assets.settings import load_settings


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MEMORY_LIMIT", "4GB"),
        ("MEMORY_LIMIT", "512 MiB"),
        ("MEMORY_LIMIT", "1.5tb"),
        ("MEMORY_LIMIT", "80%"),
        ("TIMEZONE", "America/Argentina/Buenos_Aires"),
        ("TIMEZONE", "Etc/GMT+5"),
        ("TIMEZONE", "CET"),
        ("WEBHOOK", "https://hooks.example.com/services/T0/B0/x?y=1"),
        ("WEBHOOK", "http://127.0.0.1:8065/hooks/abc"),
        ("START_DATE", "1970-01-01"),
        ("END_DATE", "2023-07-01"),
        ("LAKE", "s3://bucket"),
        ("LAKE", "a folder/[with] it's own % name*"),
    ],
)
def test_what_is_right_is_taken(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    """A check that refuses what worked costs more than it saves."""
    monkeypatch.setenv(f"STAR_{variable}", value)
    assert str(getattr(load_settings(), variable.lower())) == value


def test_the_home_folder_is_known_by_its_sign(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A shell replaces ~ only where it is not quoted; a lake in a folder called ~ is nobody's wish."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("STAR_LAKE", "~/lake")
    assert load_settings().lake == str(tmp_path / "lake")


def test_variables_of_others_may_begin_as_ours_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAR_WARS", "4")
    load_settings()


def test_a_size_is_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAR_CACHE_SIZE", "1.5GB")
    assert load_settings().cache_size == 1_500_000_000
