"""Whether what was seen of a disturbed lake is right.

Here: pure judgements over what was written down (watching), in words. Not here:
what is held against the lake itself once it is quiet (settling).
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from star_assets.lake.versions import Partition
from star_assets.model import Star

from .exporting import Files
from .operations import RETENTION

Seen = Mapping[str, Any]


class Ledger:
    """Every version that was ever live, partition by partition, and in what order."""

    def __init__(self, seen: Iterable[Seen]) -> None:
        self.versions: dict[Partition, dict[str, Seen]] = defaultdict(dict)
        entries: dict[Partition, set[tuple[int, str]]] = defaultdict(set)
        for one in seen:
            partition = Partition(one["database"], one["table"], one["day"])
            if "version" in one:
                self.versions[partition][one["version"]] = one
            else:
                entries[partition] |= {(since, version) for since, version in one["entries"]}
        # By the swap that made each live; one that was gone back to is there twice.
        self.commits = {partition: [version for _, version in sorted(found)] for partition, found in entries.items()}

    def built(self, partition: Partition) -> Iterator[Seen]:
        """The versions in the order in which they became live, but for those that were gone back to."""
        seen: set[str] = set()
        for version in self.commits.get(partition, ()):
            found = self.versions[partition].get(version, {})
            if version not in seen and "inputs" in found:
                yield found
            seen.add(version)


def load(files: Iterable[Path]) -> Iterator[Seen]:
    """What processes wrote down, one after the other."""
    for file in files:
        with file.open() as lines:
            yield from map(json.loads, lines)


def torn_reads(ledger: Ledger, reads: Iterable[Seen]) -> Iterator[str]:
    """Answers of one reader, in order, that are those of no whole version that ever was live."""
    shown: dict[str, set[str]] = defaultdict(set)
    answers: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for partition, versions in ledger.versions.items():
        for version in versions.values():
            if "values" in version:
                answers[partition.table, partition.day or "live"].append(version["values"])
    for read in reads:
        table = read["table"]
        if "error" in read:
            if read["ended"] - read["began"] < RETENTION.total_seconds():
                yield f"a read of {table} failed: {read['error']}"
            continue
        for day, values in read["rows"].items():
            if values not in answers[table, day]:
                yield f"a read of {table} {day} got {values}, which no version has: {answers[table, day]}"
            if values[0] != values[1]:
                yield f"a read of {table} {day} got a key twice: {values}"
        for day in shown[table] - read["rows"].keys():
            if None not in answers[table, day]:
                yield f"a read of {table} got nothing of {day}, which an earlier one had shown"
        shown[table] |= read["rows"].keys()


def older_inputs(ledger: Ledger, star: Star, exported: Mapping[tuple[str, str], Sequence[Files]]) -> Iterator[str]:
    """Versions that were made of older inputs than those that they replaced."""
    for partition in ledger.commits:
        source, _, folded = partition.table.partition("/")
        if partition.database == "staging" and not folded:
            order: Mapping[Any, Sequence[Any]] = {"files": exported[source, partition.day or ""]}
            yield from _backwards(ledger, partition, order, _files)
        elif partition.database == "staging" and "_dates_" not in folded:
            days = {p.day: versions for p, versions in ledger.commits.items() if p.table == source}
            yield from _backwards(ledger, partition, days, lambda inputs: inputs["exports"])
        elif folded:
            continue
        elif partition.table in star.facts:
            versions = {(p.table, p.day): found for p, found in ledger.commits.items() if p.database == "staging"}
            yield from _backwards(ledger, partition, versions, _exports)
        else:
            yield from _backwards(ledger, partition, _contents(ledger), _states)


def _backwards(
    ledger: Ledger,
    partition: Partition,
    order: Mapping[Any, Sequence[Any]],
    named: Callable[[Mapping[str, Any]], Mapping[Any, Any]],
) -> Iterator[str]:
    """Go through a partition's versions: of each input, a version names the same or a later state than the one before.

    `order` has the states of each input as they came; `named` those of one version. A state may come again.
    """
    reached: dict[Any, int] = {}
    before: Seen = {}
    where = f"{partition.table} {partition.name}"
    for version in ledger.built(partition):
        for key, state in named(version["inputs"]).items():
            states = order.get(key, ())
            if state not in states:
                if key == "files":
                    yield f"{where}: {version['version']} was made of {state}, which was never exported"
                continue  # it came and went between two looks
            places = [place for place, one in enumerate(states) if one == state]
            later = [place for place in places if place >= reached.get(key, 0)]
            if not later:
                replaced = before["version"]
                yield f"{where}: {version['version']} was made of an older {key} than {replaced}, which it replaced"
            reached[key] = min(later, default=places[-1])
        before = version


def _files(inputs: Mapping[str, Any]) -> Mapping[str, Files]:
    return {"files": frozenset((file["path"], file["etag"]) for file in inputs["files"])}


def _exports(inputs: Mapping[str, Any]) -> Mapping[tuple[str, str], str]:
    return {(source, day): version for source, found in inputs["exports"].items() for day, version in found.items()}


def _contents(ledger: Ledger) -> Mapping[str, Sequence[str]]:
    """For each folded state, its contents as they came."""
    return {p.table: [one["content"] for one in ledger.built(p)] for p in ledger.commits if "/" in p.table}


def _states(inputs: Mapping[str, Any]) -> Mapping[str, str]:
    states = {f"{source}/_state": content for source, content in inputs["states"].items()}
    lines, tills = inputs["used"]
    versions = {"products/_versions": inputs["versions"]} if "versions" in inputs else {}
    used = {"order_items/_used_product_id": lines, "tills/_used_product_id": tills}
    return {**states, **used, **versions}


def counted(problems: Collection[str], most: int = 20) -> list[str]:
    """The first problems, each once, with how often it was found."""
    found = Counter(problems)
    told = [f"{problem} ({times} times)" if times > 1 else problem for problem, times in found.items()]
    return told[:most] + ([f"and {len(told) - most} more"] if len(told) > most else [])
