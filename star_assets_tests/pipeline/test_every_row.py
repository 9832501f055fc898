"""Every row of every raw file is staged, rejected, in a day that is refused, or in a file that `status` names."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from datetime import date
from pathlib import Path
from random import Random

import pytest

from star_assets.keeping.status import table_status
from star_assets.model import Settled, Source, Star
from star_assets.pipeline.warehouse import Warehouse
from star_assets.settings import Settings

DAYS = ["2023-07-01", "2023-07-02", "2023-07-03"]

COLUMNS = {"code": "int64", "name": "string", "price": "decimal(18,4)"}
SOURCES = [
    Source("sales", key=None, columns=COLUMNS, whole=Settled(0), max_rejects=1),
    Source("stock", key="code", columns=COLUMNS, whole=Settled(0), max_rejects=1),
]

# Records as CSV and as JSON, valid and not; the same one may come twice.
CSV = ["1,Tent,9.99", '2,"Cool, box",0.5', "3,,1", '4,"two\nlines",2', "x,Tent,1", "5,Tent", "6,Tent,1,more", ",Tent,1"]
CSV += ["code,name,price", "7,Tent,1e9", '8,"a ""quoted"" word",3']
JSON = ['{"code": 1, "name": "Tent", "price": 9.99}', '{"code": "x", "name": "Tent"}', "null", '"text"', "{broken"]
JSON += ['{"code": 2, "price": "0.5", "extra": true}', '{"name": "no code"}']

# Where people put a day's files by mistake: beside the sources, and in a source's folder.
MISPLACED = ["order", "Sales", "2023-07-01", "sales/2023-07-02", "sales/date=2023-7-3", "sales/Date=2023-07-01"]
MISPLACED += [
    "stock/date=20230701",
    "stock/dt=2023-07-01",
    "stock/date=2199-01-01",
    "stock/date=2023-02-30",
    "sales",
    "",
]


def write_file(random: Random, folder: Path, number: int) -> tuple[Path, int]:
    """A file of random records; returns it, and how many there are."""
    folder.mkdir(parents=True, exist_ok=True)
    kind = random.choice(["csv", "txt", "jsonl"])
    records = random.choices(JSON if kind == "jsonl" else CSV, k=random.randrange(8))
    end = random.choice(["\n", "\r\n"])
    lines = [*records] if kind == "jsonl" else ["code,name,price", *records]
    for _ in range(random.randrange(3)):
        lines.insert(random.randrange(1, len(lines) + 1) if lines else 0, "")
    content = end.join(lines).encode() + random.choice([b"", end.encode()])
    packed = random.random() < 0.2
    name = f"part-{number}.{kind}{'.gz' if packed else ''}"
    (folder / name).write_bytes(gzip.compress(content) if packed else content)
    return folder / name, len(records)


def write_tree(random: Random, oltp: Path) -> dict[str, int]:
    """Days of both sources, and misplaced files; the number of records of each file, by path in the lake."""
    folders = [f"{source.name}/date={day}" for source in SOURCES for day in DAYS if random.random() < 0.8]
    folders += random.sample(MISPLACED, random.randrange(4))
    folders += [f"sales/date={DAYS[0]}"] if f"sales/date={DAYS[0]}" not in folders else []
    written = [write_file(random, oltp / folder, n) for folder in folders for n in range(random.randrange(1, 4))]
    return {f"oltp/{file.relative_to(oltp)}": count for file, count in written}


@pytest.mark.parametrize("seeds", [range(20), pytest.param(range(20, 220), marks=pytest.mark.long)], ids=len)
def test_no_row_is_lost(tmp_path: Path, seeds: range) -> None:
    for seed in seeds:
        lake = tmp_path / str(seed)
        records = write_tree(Random(seed), lake / "oltp")
        settings = Settings(lake=str(lake), start_date=date.fromisoformat(DAYS[0]), threads=2)
        warehouse = Warehouse(Star(SOURCES, [], []), settings)
        accounted: Counter[str] = Counter()
        for source in SOURCES:
            for outcome in warehouse.refresh(source.name, DAYS):
                if outcome.error:
                    # A day that is refused whole says so by name.
                    assert outcome.day in str(outcome.error)
                    folder = f"oltp/{source.name}/date={outcome.day}/"
                    accounted["refused"] += sum(count for path, count in records.items() if path.startswith(folder))
                if outcome.manifest:
                    facts = outcome.manifest.facts
                    accounted["staged"] += outcome.manifest.rows
                    accounted["rejected"] += facts["rejected"]
                    assert facts["rows_in"] == outcome.manifest.rows + facts["rejected"]
        found_out = {source.name: warehouse.out_of_date(source.name) for source in SOURCES}
        status = table_status(warehouse, found_out).to_pylist()
        named = [path for row in status for path in row["not_understood"] or ()]
        strays = {path: count for path, count in records.items() if path.startswith(tuple(named))}
        found = accounted.total() + sum(strays.values())
        assert found == sum(records.values()), json.dumps({"seed": seed, **accounted, "strays": strays, "all": records})
        assert {path for path in records if "date=2023-07-0" not in path} <= strays.keys()
