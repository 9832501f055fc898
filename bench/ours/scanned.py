"""The bytes that the reference query needs: of this star, and of the raw exports as plain Parquet.

Counted from the files' own metadata: the compressed column chunks of the columns
that the query names, in the row groups that its dates leave. Row groups go
where the least and greatest value of their date say so; no engine is asked.
The plain Parquet is what a first attempt on Athena has: a file per source, typed
by DuckDB's reader, Snappy, in the order of the exports.

python -m bench.ours.scanned LAKE EXPORTS FOLDER
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from bench.ours.lakes import live_files

FIRST, LAST = datetime(2023, 7, 1), datetime(2023, 9, 30, 23, 59, 59)

# The columns that the query reads; a fact's date is its partition.
STAR = {
    "fact_sales": ["product_id", "store_id", "revenue"],
    "dim_product": ["product_id", "product_name"],
    "dim_store": ["store_id", "city"],
}

# The same question of the raw tables: revenue has to be computed, and the winning row of an order to be found.
RAW = {
    "orders": ["order_id", "store_id", "ordered_at", "status", "updated_at", "op"],
    "order_items": ["order_id", "line_number", "product_id", "quantity", "unit_price", "discount"],
    "products": ["product_id", "product_name", "updated_at"],
    "stores": ["store_id", "city", "updated_at"],
}


def needed(file: str, columns: list[str], by_date: str | None = None) -> int:
    """Bytes of columns of a Parquet file, in the row groups that hold dates of the quarter."""
    metadata, total = pq.read_metadata(file), 0
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        chunks = {chunk.path_in_schema: chunk for chunk in map(group.column, range(group.num_columns))}
        dates = chunks[by_date].statistics if by_date else None
        if dates is None or (dates.min <= LAST and dates.max >= FIRST):
            total += sum(chunks[column].total_compressed_size for column in columns)
    return total


def in_quarter(files: Mapping[str, list[str]]) -> Iterator[tuple[str, str]]:
    """The star's files that the query reads, each with its table."""
    for table in STAR:
        for file in files[table]:
            day = next((part.removeprefix("date=") for part in Path(file).parts if part.startswith("date=")), None)
            if day is None or str(FIRST.date()) <= day <= str(LAST.date()):
                yield table, file


def write_raw(exports: Path, folder: Path) -> None:
    """Each source's exports as one Parquet file."""
    folder.mkdir(parents=True, exist_ok=True)
    for source in RAW:
        rows = f"read_csv('{exports}/{source}/*/*.csv', hive_partitioning = false)"
        duckdb.sql(f"COPY (FROM {rows}) TO '{folder}/{source}.parquet' (FORMAT parquet, COMPRESSION snappy)")


def main() -> None:
    lake, exports, folder = (Path(argument) for argument in sys.argv[1:])
    write_raw(exports, folder)
    ours = sum(needed(file, STAR[table]) for table, file in in_quarter(live_files(lake)))
    dates = {"orders": "ordered_at"}
    raw = sum(needed(f"{folder}/{source}.parquet", columns, dates.get(source)) for source, columns in RAW.items())
    print(json.dumps({"ours": ours, "raw": raw}))


if __name__ == "__main__":
    main()
