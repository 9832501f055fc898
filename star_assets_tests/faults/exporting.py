"""A retailer that exports, replaces and withdraws days while others stage them, by the rules of a whole export.

Here: what it exports, and which files each export had, in order. Not here: what
its rows mean (pipeline.retailers), what the star should make of them (pipeline.oracle).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from random import Random
from typing import Any

from star_assets.lake.storage import Storage
from star_assets_tests.pipeline.retailers import DAYS, HEADERS, VERSIONS, Brand, Line, Order, Product, csv

ORDERS, LINES_OF_ORDER, PRODUCTS = 60, 3, 12

# How often a day is exported with rows that it had before, and how often it is withdrawn.
AGAIN, WITHDRAWN = 0.3, 0.05

# A file of an export, as a manifest names it: its path and its ETag.
Files = frozenset[tuple[str, str]]

# What is exported by the day. Events of tills have a storm of their own (tests of tills).
EXPORTED = ["orders", "order_items", "products", "brands"]


class Exporter:
    """Exports of a shop whose lines are `complete` with their headers, or exported as they `changed`."""

    def __init__(self, storage: Storage, lines: str, rng: Random) -> None:
        self.storage, self.lines, self.rng = storage, lines, rng
        # For each source and day, the files of each of its exports, in order; at first there is none.
        self.exported: dict[tuple[str, str], list[Files]] = defaultdict(lambda: [frozenset()])
        # For each source and day, the rows of its exports; the last are live, None where it was withdrawn.
        self._rows: dict[tuple[str, str], list[list[Any]]] = defaultdict(list)
        self._live: dict[tuple[str, str], list[Any]] = {}

    def export_all(self, days: list[str]) -> None:
        for source in EXPORTED:
            for day in days:
                self.export(source, day)

    def export_any(self) -> None:
        """Export, replace or withdraw one day of one source."""
        source, day = self.rng.choice(EXPORTED), self.rng.choice(DAYS)
        if self._live.get((source, day)) and self.rng.random() < WITHDRAWN:
            self.withdraw(source, day)
        else:
            self.export(source, day)

    def export(self, source: str, day: str) -> None:
        """Replace a day: its marker goes first, and comes back last."""
        known = self._rows[source, day]
        if known and self.rng.random() < AGAIN:
            rows = self.rng.choice(known)
        else:
            known.append(rows := self._new_rows(source, day))
        folder = f"oltp/{source}/date={day}"
        content = "\n".join([HEADERS[source], *map(csv, rows)]) + "\n"
        self.storage.delete([f"{folder}/_SUCCESS"])
        self.storage.write(f"{folder}/{source}.csv", content.encode())
        self.storage.write(f"{folder}/_SUCCESS", b"")
        self._live[source, day] = rows
        self._note(source, day)

    def withdraw(self, source: str, day: str) -> None:
        folder = f"oltp/{source}/date={day}"
        self.storage.delete([f"{folder}/_SUCCESS"])
        self.storage.delete([f"{folder}/{source}.csv"])
        self._live[source, day] = []
        self._note(source, day)

    def live(self) -> dict[str, list[Any]]:
        """The raw rows that are live, by source."""
        return {
            source: [row for (of, _), rows in sorted(self._live.items()) if of == source for row in rows]
            for source in HEADERS
        }

    def _note(self, source: str, day: str) -> None:
        found = self.storage.walk(f"oltp/{source}/date={day}")
        data = frozenset((stored.path, stored.etag) for stored in found if stored.path.endswith(".csv"))
        self.exported[source, day].append(data)

    def _new_rows(self, source: str, day: str) -> list[Any]:
        make: dict[str, Callable[[str], list[Any]]] = {
            "orders": self._orders,
            "order_items": self._lines,
            "products": self._products,
            "brands": self._brands,
        }
        return make[source](day)

    def _orders(self, day: str) -> list[Any]:
        pick = self.rng.choice
        return [
            Order(day, number, pick(DAYS), pick([None, "placed", "placed", "cancelled"]), pick(VERSIONS), pick("IUUUD"))
            for number in self.rng.sample(range(ORDERS), ORDERS // 3)
        ]

    def _lines(self, day: str) -> list[Any]:
        pick, complete = self.rng.choice, self.lines == "complete"
        products = [None, *range(PRODUCTS + 3)]
        return [
            Line(
                day,
                number,
                number // LINES_OF_ORDER if complete else pick(range(ORDERS)),
                pick(products),
                pick(range(-2, 4)),
                pick([0, 1, 999]),
                None if complete else pick(VERSIONS),
                "I" if complete else pick("IUUUD"),
            )
            for number in self.rng.sample(range(ORDERS * LINES_OF_ORDER), ORDERS)
        ]

    def _products(self, day: str) -> list[Any]:
        pick = self.rng.choice
        op = "I" if self.lines == "complete" else "IUUUD"
        return [
            Product(day, number, pick(["Tent", "Tnet"]), pick("abc"), pick([None, "x", "y"]), pick(VERSIONS), pick(op))
            for number in self.rng.sample(range(PRODUCTS), PRODUCTS // 2)
        ]

    def _brands(self, day: str) -> list[Any]:
        pick = self.rng.choice
        return [Brand(day, brand, pick(["US", "CA"]), pick(VERSIONS)) for brand in "xy"]
