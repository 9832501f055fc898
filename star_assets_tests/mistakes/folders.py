"""Mistakes in the lake's folders: what is gone, what is in the way, what is another thing."""

from __future__ import annotations

import os

from .case import DAY, Mistake, Spoil, export

TYPED = ("run", "orders", "--from", DAY, "--to", DAY)


def _refused(done: str, says: str, spoil: Spoil, types: tuple[str, ...] = TYPED, code: int = 1) -> Mistake:
    return Mistake(done, types, says, code, spoil=spoil, changed=("_catalog", "staging"))


MISTAKES = [
    _refused(
        "a file whose name steers the terminal",
        (
            "orders               1 failed\n"
            "Error: oltp/orders/date=2023-07-02/\\x1b[31m.csv, line 1: expected a header with the columns "
            "order_id, customer_id, store_id, ordered_at, status, …, found 'x'. Nothing of this day was "
            "staged; the live version stays. Export the file with its header.\n"
        ),
        export("orders", "\x1b[31m.csv", "x"),
    ),
    _refused(
        "a file whose name is no text",
        (
            "orders               1 failed\n"
            "Error: oltp/orders/date=2023-07-02/\\udcff.csv, line 1: expected a header with the columns "
            "order_id, customer_id, store_id, ordered_at, status, …, found 'x'. Nothing of this day was "
            "staged; the live version stays. Export the file with its header.\n"
        ),
        export("orders", os.fsdecode(b"\xff.csv"), "x"),
    ),
    _refused(
        "a workbook",
        (
            "orders               1 failed\n"
            "Error: oltp/orders/date=2023-07-02/orders.xlsx: expected text, found a zip archive or an Excel "
            "workbook. Nothing of this day was staged; the live version stays. Save its sheet as CSV UTF-8, or unpack "
            "the archive.\n"
        ),
        export("orders", "orders.xlsx", b"PK\x03\x04" + bytes(40)),
    ),
    _refused(
        "an archive",
        (
            "orders               1 failed\n"
            "Error: oltp/orders/date=2023-07-02/orders.tar: expected text, found NUL bytes in the first "
            "line. Nothing of this day was staged; the live version stays. Export the file again.\n"
        ),
        export("orders", "orders.tar", b"orders.csv" + bytes(512)),
    ),
]
