"""What a user sees when input is bad: the message, word for word; that nothing is lost; that what was live stays.

Each case spoils a lake with two published days and runs the real command line
in a process of its own.
"""

from __future__ import annotations

import ctypes
import gzip
import hashlib
import re
import resource
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from star_assets.pipeline.fold import source_state

from .conftest import STAR_ASSETS

DAY = "2023-07-02"
RUN = ("run", "orders", "--from", DAY, "--to", DAY)
HEADER = "order_id,customer_id,store_id,ordered_at,status,updated_at"
ROW = "{},1,1,2023-07-02 10:00:00,{},2023-07-02 10:00:00"
TWO_ROWS = [ROW.format(1, "placed"), ROW.format(2, "shipped")]

# What is asked before and after: what is live must answer the same.
LIVE = (
    "SELECT date, count(*) AS lines, sum(revenue) AS revenue FROM fact_sales GROUP BY date ORDER BY date",
    "SELECT date, order_id, status FROM staging.orders ORDER BY date, order_id, status",
)

Spoil = Callable[[Any], None]


@dataclass(frozen=True)
class Case:
    """What is bad, what is typed, and what comes of it.

    `message` is all of standard error, with the lake's path as LAKE and version
    ids as VERSION. `kept` is the raw text of the rows in the rejects' file.
    `live` is how many rows of the day are live where the day was published all
    the same; None: the live versions must be as before.
    """

    name: str
    spoil: Spoil
    message: str
    command: tuple[str, ...] = RUN
    exit_code: int = 1
    kept: list[str] = field(default_factory=list)
    live: int | None = None
    options: dict[str, Any] = field(default_factory=dict)
    processes: int = 1


def orders(*lines: str, end: str = "\n") -> Spoil:
    """The day's export of orders holds these lines instead."""
    return raw("orders", "orders.csv", "\n".join(lines).encode() + end.encode())


def raw(source: str, name: str, content: bytes) -> Spoil:
    def spoil(lake: Any) -> None:
        (lake.export(source, DAY) / name).write_bytes(content)

    return spoil


def nothing(_: Any) -> None:
    """The input is good; what is asked is not."""


def parquet() -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"order_id": [1]}), sink)
    return sink.getvalue().to_pybytes()


def without_rights(lake: Any) -> None:
    """A changed export, in a lake that may only be read."""
    orders(HEADER, *TWO_ROWS)(lake)
    for path in [lake.root, *lake.root.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)


def as_anybody() -> None:
    """Root may write where it has no right to; without this capability it is like anybody else."""
    drop_from_bounding_set, dac_override = 24, 1
    ctypes.CDLL(None).prctl(drop_from_bounding_set, dac_override, 0, 0, 0)


def full_disk() -> None:
    """The process may write no file beyond a kilobyte: the system says so as it does for a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))


CASES = [
    Case(
        "a required column is missing",
        orders(HEADER.replace("customer_id", "client"), *TWO_ROWS),
        "orders               1 failed\n"
        "Error: oltp/orders/date=2023-07-02/orders.csv: expected column 'customer_id', found order_id, client, "
        "store_id, ordered_at, status, updated_at. Of these, client is not declared: a new name? The live version "
        "stays. Export again, or declare the new name, or mark the column optional in the Source.\n",
    ),
    Case(
        "a value is not of its column's type",
        orders(HEADER, ROW.format("twelve", "placed"), *TWO_ROWS),
        "orders               1 failed\n"
        "Error: orders 2023-07-02: 1 of 3 rows rejected (33.33%), allowed are 0.10%. The live version stays; the "
        "rejected rows are kept in LAKE/staging/orders/date=2023-07-02/v=VERSION/_rejects.parquet, and "
        "`star-assets rejects orders` lists them. Export the day again, or correct the Source: its types, its csv "
        "or its max_rejects. The first:\n"
        "  oltp/orders/date=2023-07-02/orders.csv, line 2: column order_id: 'twelve' is not a whole number up to "
        "9,223,372,036,854,775,807\n",
        kept=[ROW.format("twelve", "placed")],
    ),
    Case(
        "a column has become incompatible throughout",
        orders(HEADER, *(row.replace("2023-07-02 10:00:00", "July 2nd", 1) for row in TWO_ROWS)),
        "orders               1 failed\n"
        "Error: orders 2023-07-02: 2 of 2 rows rejected (100.00%), allowed are 0.10%. The live version stays; the "
        "rejected rows are kept in LAKE/staging/orders/date=2023-07-02/v=VERSION/_rejects.parquet, and "
        "`star-assets rejects orders` lists them. Export the day again, or correct the Source: its types, its csv "
        "or its max_rejects. The first:\n"
        "  oltp/orders/date=2023-07-02/orders.csv, line 2: column ordered_at: 'July 2nd' is not a timestamp such "
        "as 2023-07-01 10:00:00+02\n"
        "  oltp/orders/date=2023-07-02/orders.csv, line 3: column ordered_at: 'July 2nd' is not a timestamp such "
        "as 2023-07-01 10:00:00+02\n",
        kept=[row.replace("2023-07-02 10:00:00", "July 2nd", 1) for row in TWO_ROWS],
    ),
    Case(
        "a Parquet file is named .csv",
        raw("orders", "orders.csv", parquet()),
        "orders               1 failed\n"
        "Error: oltp/orders/date=2023-07-02/orders.csv: expected text, found Parquet. Nothing of this day was staged; "
        "the live version stays. Export the file again.\n",
    ),
    Case(
        "a zip archive is named .csv",
        raw("orders", "orders.csv", b"PK\x03\x04" + bytes(40)),
        "orders               1 failed\n"
        "Error: oltp/orders/date=2023-07-02/orders.csv: expected text, found a zip archive or an Excel workbook. "
        "Nothing of this day was staged; the live version stays. Save its sheet as CSV UTF-8, or unpack the archive.\n",
    ),
    Case(
        "a file that is not compressed is named .gz",
        lambda lake: (lake.export("orders", DAY) / "orders.csv").rename(lake.export("orders", DAY) / "orders.csv.gz"),
        "orders               1 published                              26 rows\n",
        exit_code=0,
        live=26,
    ),
    Case(
        "a gzip is truncated",
        raw("orders", "orders.csv", gzip.compress("\n".join([HEADER, *TWO_ROWS]).encode())[:-20]),
        "orders               1 failed\n"
        "Error: oltp/orders/date=2023-07-02/orders.csv: expected a whole gzip stream, found that the gzip stream ends "
        "early. Nothing of this day was staged; the live version stays. Export the file again.\n",
    ),
    Case(
        "a file is cut in mid-row",
        orders(HEADER, *TWO_ROWS, "3,1,1,2023-07-0", end=""),
        "orders               1 failed\n"
        "Error: orders 2023-07-02: 1 of 3 rows rejected (33.33%), allowed are 0.10%. The live version stays; the "
        "rejected rows are kept in LAKE/staging/orders/date=2023-07-02/v=VERSION/_rejects.parquet, and "
        "`star-assets rejects orders` lists them. Export the day again, or correct the Source: its types, its csv "
        "or its max_rejects. The first:\n"
        "  oltp/orders/date=2023-07-02/orders.csv, line 4: expected 6 fields, found 4\n",
        kept=["3,1,1,2023-07-0"],
    ),
    Case(
        "a key is repeated with other content",
        orders(HEADER, *TWO_ROWS, ROW.format(2, "cancelled")),
        "orders               1 published                               3 rows\n"
        "Note: orders 2023-07-02: 1 key has different rows of one version in this export; the row with the "
        "greatest content wins.\n",
        exit_code=0,
        live=3,
    ),
    Case(
        "an export is not whole",
        lambda lake: (lake.export("orders", DAY) / "_SUCCESS").unlink(),
        "orders               1 failed\n"
        "Error: orders 2023-07-02: the export is not whole: expected a file _SUCCESS, found 1 data file without it. "
        "It was not staged; it will be staged once the rest has arrived.\n",
        exit_code=75,
    ),
    Case(
        "the lake gives no rights",
        without_rights,
        "orders               1 failed\n"
        "Error: LAKE/_scratch/SCRATCH: Permission denied. The live versions stay. Give this user read and write "
        "rights to the lake, or set STAR_LAKE to another place.\n",
        options={"preexec_fn": as_anybody},
    ),
    Case(
        "the disk is full",
        orders(HEADER, *TWO_ROWS),
        "orders               1 failed\n"
        "Error: staging orders 2023-07-02: File too large. The live versions stay. Make room (`star-assets vacuum` "
        "frees what superseded versions hold) and run again.\n",
        exit_code=75,
        options={"preexec_fn": full_disk},
    ),
    Case(
        "a day is before the first",
        nothing,
        "Error: orders: no partition '2023-06-30'; expected a day YYYY-MM-DD from 2023-07-01 (STAR_START_DATE) on.\n",
        command=("run", "orders", "--from", "2023-06-30"),
    ),
    Case(
        "a partition was never published",
        nothing,
        "Error: fact_sales: no partition '2023-08-01'; expected one that was published.\n",
        command=("rollback", "fact_sales", "--day", "2023-08-01"),
    ),
    Case(
        "two runs are on one partition at once",
        orders(HEADER, *TWO_ROWS),
        "orders               1 published                               2 rows\n"
        "orders               1 unchanged                               2 rows\n",
        exit_code=0,
        live=2,
        processes=2,
    ),
    Case(
        "SQL that the embedded Athena cannot answer",
        nothing,
        "Error: The embedded Athena does not answer UNLOAD, because it could not do so faithfully. It answers SELECT "
        "and the DDL of tables, partitions and views.\n",
        command=("query", "UNLOAD (SELECT 1) TO 's3://bucket/' WITH (format = 'PARQUET')"),
    ),
    Case(
        "SQL that is wrong in itself",
        nothing,
        "Error: line 2:6: There is no table olap.fact_sale. Known, closest first: fact_sales, dim_store, dim_time, "
        "dim_customer, dim_product_history, dim_product, staging.pos_sales, staging.products, staging.order_items, "
        "staging.orders, staging.stores, staging.customers.\n  "
        "FROM fact_sale\n       "
        "^\n",
        command=("query", "SELECT 1\nFROM fact_sale"),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "_"))
def test_bad_input_is_told_and_harms_nothing(small_lake: Any, quick_star_assets: Path, case: Case) -> None:
    """A message that does not say what to do costs an evening; a lost row or a broken day costs trust."""
    live = [small_lake.rows(sql) for sql in LIVE]
    case.spoil(small_lake)
    exported = digests(small_lake.root / "oltp")

    # A process is given options before it begins; the quick one has begun.
    program = STAR_ASSETS if case.options else quick_star_assets
    started = [small_lake.start(*case.command, program=program, **case.options) for _ in range(case.processes)]
    ended = [(process.communicate(timeout=120)[1], process.returncode) for process in started]

    assert "".join(sorted(shown(message, small_lake.root) for message, _ in ended)) == case.message
    assert {code for _, code in ended} == {case.exit_code}
    assert digests(small_lake.root / "oltp") == exported, "raw files are never modified"
    assert rejected(small_lake.root) == case.kept
    if case.live is None:
        assert [small_lake.rows(sql) for sql in LIVE] == live
    else:
        (found,) = small_lake.rows(f"SELECT count(*) AS n FROM staging.orders WHERE date = '{DAY}'")
        assert found == {"n": case.live}
        assert small_lake.rows(LIVE[0]) == live[0]


def test_the_winner_among_repeated_keys_does_not_depend_on_their_order(small_lake: Any) -> None:
    """The note says that content decides; the place in the file must not."""
    rows = [ROW.format(2, status) for status in ("shipped", "cancelled", "placed")]
    found = []
    for lines in (rows, rows[::-1]):
        orders(HEADER, *lines)(small_lake)
        (outcome,) = small_lake.warehouse.refresh("orders", [DAY])
        warehouse = small_lake.warehouse
        state = source_state(warehouse, warehouse.star.sources["orders"], warehouse.look("staging", "orders"), True)
        won = [row for row in pq.read_table(warehouse.book_file(state)).to_pylist() if row["order_id"] == 2]
        found.append((outcome.status, won))
    assert found[0] == found[1]
    assert [row["status"] for row in found[0][1]] == ["shipped"]


def digests(folder: Path) -> dict[str, str]:
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.rglob("*") if file.is_file()}


def shown(message: str, lake: Path) -> str:
    """The message without what differs from run to run."""
    message = message.replace(str(lake), "LAKE")
    message = re.sub(r"\d{8}T\d{12}-[0-9a-f]{8}", "VERSION", message)
    return re.sub(r"_scratch/[0-9a-f]{32}", "_scratch/SCRATCH", message)


def rejected(lake: Path) -> list[str]:
    """The raw text of every rejected row that is kept."""
    files = (lake / "staging").rglob("_rejects.parquet")
    return [raw_text for file in files for raw_text in pq.read_table(file)["raw"].to_pylist()]
