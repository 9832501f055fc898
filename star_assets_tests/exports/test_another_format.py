"""A source format that another package brings: found by the ending of a file's name, with nothing changed here."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from star_assets.exports.columns import require_columns
from star_assets.exports.erasing import Erased, Erasure
from star_assets.exports.formats import opening
from star_assets.exports.formats.format import Hindrance, Inspected, Layout, RawProfile
from star_assets.exports.records import Records, text_table
from star_assets.model import Settled, Source, Star
from star_assets.pipeline.warehouse import Warehouse
from star_assets.settings import Settings

DAY = "2023-07-01"

STORES = Source(
    "stores",
    key="store_id",
    whole=Settled(0),
    max_rejects=0.5,
    columns={"store_id": "int64", "city": "string", "rent": "decimal(18,4)", "opened_on": "date"},
)

# What a package's metadata says of the format that it brings.
ENTRY_POINTS = """
[star_assets.formats]
parquet = star_assets_tests.exports.test_another_format:ParquetFormat
"""


class ParquetFormat:
    """Exports that are Parquet already: their values become text, and are then held to the same grammar as all."""

    endings = (".parquet",)

    def inspect(self, path: Path, name: str, source: Source) -> RawProfile:
        found = pq.ParquetFile(path)
        header = tuple(column.lower() for column in found.schema_arrow.names)
        require_columns(source, name, header)
        rows = found.metadata.num_rows
        return RawProfile(hashlib.sha256(path.read_bytes()).hexdigest(), "parquet", False, header, rows, rows)

    def read(self, path: Path, name: str, source: Source, profile: RawProfile) -> Iterator[Records]:
        line = 0
        for batch in pq.ParquetFile(path).iter_batches(2):
            texts = [pc.cast(column, pa.string()).to_pylist() for column in batch.columns]
            rows = [(line + number, repr(row)) for number, row in enumerate(batch.to_pylist(), start=1)]
            yield Records(text_table(profile.header, texts, rows), [])
            line += batch.num_rows

    def layout(self, source: Source, files: Sequence[Inspected]) -> Layout:
        raise Hindrance("it is Parquet, and the table over raw exports is of text")

    def erase(self, path: Path, name: str, source: Source, profile: RawProfile, erasure: Erasure, out: Path) -> Erased:
        raise NotImplementedError("no test here erases")


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package that brings the format."""
    metadata = tmp_path / "parquet_exports-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: parquet-exports\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.syspath_prepend(str(tmp_path))
    opening.endings.cache_clear()
    yield
    monkeypatch.undo()
    opening.endings.cache_clear()


@pytest.mark.usefixtures("installed")
def test_a_day_may_mix_formats_of_ours_and_of_others(tmp_path: Path) -> None:
    """Whoever has exports of another kind writes one class; rules, rejects and counts are the same for all."""
    folder = tmp_path / "lake" / "oltp" / "stores" / f"date={DAY}"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text("store_id,city,rent,opened_on\n1,Miami,10.5,2020-01-01\n")
    table = pa.table(
        {
            "store_id": [2, 3, None],
            "CITY": ["Tampa", None, "Nowhere"],
            "rent": [Decimal("99.2500"), None, None],
            "opened_on": [date(2021, 2, 3), None, None],
        }
    )
    pq.write_table(table, folder / "b.parquet")
    warehouse = Warehouse(Star([STORES], [], []), Settings(lake=str(tmp_path / "lake"), start_date=date(2023, 7, 1)))
    (outcome,) = warehouse.refresh("stores", [DAY])
    assert outcome.status == "published", outcome.error
    assert outcome.manifest is not None
    assert [outcome.manifest.facts[fact] for fact in ("rows_in", "rejected")] == [4, 1]
    assert outcome.manifest.facts["first_rejects"] == [
        f"oltp/stores/date={DAY}/b.parquet, line 3: column store_id: no value, and the key of stores needs one"
    ]
    staged = warehouse.sample("stores", DAY).to_pylist()
    assert [(row["store_id"], row["city"], row["rent"], row["opened_on"]) for row in staged] == [
        (1, "Miami", Decimal("10.5000"), date(2020, 1, 1)),
        (2, "Tampa", Decimal("99.2500"), date(2021, 2, 3)),
        (3, None, None, None),
    ]


def test_a_file_of_an_ending_that_no_format_has_is_csv(tmp_path: Path) -> None:
    """Exports are often named `.txt`, `.dat` or by nothing."""
    assert [opening.format_of(name, STORES) for name in ("orders.txt", "orders", "ORDERS.JSONL.GZ")] == [
        "csv",
        "csv",
        "json",
    ]
