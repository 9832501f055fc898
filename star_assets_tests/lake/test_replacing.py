"""A dimension that loses members: announced, fenced, looked up, and only then replaced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from star_assets.lake.ledger import Announcement, read_ledger
from star_assets.lake.publish import Commit, commit, rollback, write_version
from star_assets.lake.replacing import replace_live
from star_assets.model.errors import LostRace, RollbackRefused


def dimension_sequence(lake) -> int:
    return read_ledger(lake.storage, lake.products.ledger)[0].sequence


def replaced(lake, number: int, require_unused: Callable[[], None] = lambda: None) -> str:
    """Replace the dimension by a version that lacks members. Returns its id."""
    seen, manifest = lake.day_of(lake.products).live, lake.write(lake.products, number)
    replace_live(
        lake.storage,
        lake.products,
        manifest.version,
        seen,
        [lake.day],
        require_unused,
        lambda ledger: ledger.committed({lake.products.key: (manifest, "")}),
    )
    return manifest.version


def test_a_fact_that_was_audited_before_a_member_was_dropped_cannot_commit(lake) -> None:
    """Its audit found the member; an inner join would not find it any more."""
    lake.publish(lake.products, 1)
    lake.publish(lake.day, 1)
    audited, seen = dimension_sequence(lake), lake.day_of(lake.day).live
    manifest = lake.write(lake.day, 2)
    replaced(lake, 2)
    assert commit(lake.storage, [Commit(lake.day, manifest, seen)], {"dim_product": audited}) == {lake.day: False}
    assert lake.live(lake.day) != manifest.version
    later = dimension_sequence(lake)
    assert commit(lake.storage, [Commit(lake.day, manifest, seen)], {"dim_product": later}) == {lake.day: True}


def test_what_is_used_is_looked_up_only_once_every_fact_is_fenced(lake) -> None:
    """Looked up before, a fact could commit in between."""
    lake.publish(lake.products, 1)
    lake.publish(lake.day, 1)
    audited, seen = dimension_sequence(lake), lake.day_of(lake.day).live
    found = []

    def look() -> None:
        ledger, _ = read_ledger(lake.storage, lake.products.ledger)
        assert isinstance(ledger.next, Announcement)
        late = lake.write(lake.day, 3)
        found.append(commit(lake.storage, [Commit(lake.day, late, seen)], {"dim_product": audited})[lake.day])

    assert replaced(lake, 2, look) == lake.live(lake.products)
    assert found == [False]
    assert read_ledger(lake.storage, lake.products.ledger)[0].next is None


def test_a_member_that_turns_out_to_be_used_stops_the_replacement(lake) -> None:
    """And nothing stays announced, or facts would be held against a version that never comes."""
    live = lake.publish(lake.products, 1).live.version
    lake.publish(lake.day, 1)

    def refuse() -> None:
        raise RollbackRefused("dim_product", "v", "fact_sales", ["7"])

    with pytest.raises(RollbackRefused):
        replaced(lake, 2, refuse)
    assert lake.live(lake.products) == live
    assert read_ledger(lake.storage, lake.products.ledger)[0].next is None


def test_an_announcement_of_the_same_version_by_another_process_is_another_one(lake) -> None:
    """What was fenced for the first does not protect the second."""
    lake.publish(lake.products, 1)
    lake.publish(lake.day, 1)
    manifest = lake.write(lake.products, 2)
    seen = lake.day_of(lake.products).live
    given = (lake.storage, lake.products, manifest.version, seen, [lake.day])

    def change(ledger):
        return ledger.committed({lake.products.key: (manifest, "")})

    def second() -> None:
        """Another process announces the same, and finds it used: it takes its own announcement back."""
        with pytest.raises(RollbackRefused):
            replace_live(*given, refuse, change)

    def refuse() -> None:
        raise RollbackRefused("dim_product", "v", "fact_sales", ["7"])

    with pytest.raises(LostRace):
        replace_live(*given, second, change)
    assert lake.live(lake.products) == seen.version


def test_a_month_that_begins_meanwhile_is_fenced_too(lake) -> None:
    """Whoever publishes into it makes its ledger first, before it reads any dimension."""
    lake.publish(lake.products, 1)
    lake.publish(lake.day, 1)
    lake.publish(replace(lake.day, day="2023-08-01"), 1)
    replaced(lake, 2)
    for day in ("2023-07-01", "2023-08-01"):
        ledger, _ = read_ledger(lake.storage, replace(lake.day, day=day).ledger)
        assert ledger.fence == {"dim_product": 2}


def test_the_order_of_versions_is_the_order_of_commits_not_of_clocks(lake) -> None:
    """A machine whose clock is an hour late makes ids that look old."""
    first = lake.publish(lake.day, 1).live.version
    manifest, files = lake.written(2)
    late = replace(manifest, version="20200101T000000000000-00000000")
    write_version(lake.storage, lake.day, late, files)
    lake.commit(lake.day, late, lake.day_of(lake.day).live)
    back = rollback(lake.storage, lake.catalog, lake.fact, lake.day)
    assert back.live.version == first
    assert back.left == (late.identity,), "what was rolled back from is remembered"
