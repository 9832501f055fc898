"""Mistakes in rights: what this user may not read, write or list."""

from __future__ import annotations

from pathlib import Path

from .case import DAY, Mistake, Spoil

ORDERS = f"oltp/orders/date={DAY}"
TYPED = ("run", "orders", "--from", DAY, "--to", DAY)


def _without(path: str, mode: int, touch: str = "") -> Spoil:
    """The path gets another mode; a file is changed before, so that there is something to do."""

    def spoil(lake: Path) -> None:
        if touch:
            file = lake / touch
            file.write_text("".join(file.read_text().splitlines(keepends=True)[:-1]))
        (lake / path).chmod(mode)

    return spoil


def _denied(done: str, says: str, spoil: Spoil, types: tuple[str, ...] = TYPED, code: int = 1) -> Mistake:
    changed = ("oltp",) if "sample" in types else ("_catalog", "staging")
    return Mistake(done, types, says, code, spoil=spoil, powerless=True, changed=changed)


FILE = f"{ORDERS}/orders.csv"

MISTAKES = [
    _denied(
        "a file that may not be read",
        (
            "orders               1 failed\n"
            "Error: oltp/orders/date=2023-07-02/orders.csv: Permission denied. The live versions stay. "
            "Give this user read and write rights to the lake, or set STAR_LAKE to another place.\n"
        ),
        _without(FILE, 0o000),
    ),
    _denied(
        "a day that may not be listed",
        (
            "orders               1 failed\n"
            "Error: oltp/orders/date=2023-07-02/: expected a folder, found Permission denied. Nothing of this day was "
            "staged; the live version stays. Put a folder there that this user may read, or remove it.\n"
        ),
        _without(ORDERS, 0o000),
    ),
    _denied(
        "a source that may not be listed",
        (
            "Error: LAKE/oltp/orders: Permission denied. The live versions stay. Give this user read and "
            "write rights to the lake, or set STAR_LAKE to another place.\n"
        ),
        _without("oltp/orders", 0o000),
    ),
    _denied(
        "exports that may not be listed",
        (
            "Error: LAKE/oltp/orders: Permission denied. The live versions stay. Give this user read and "
            "write rights to the lake, or set STAR_LAKE to another place.\n"
        ),
        _without("oltp", 0o000),
    ),
    _denied(
        "a lake that may not be entered",
        (
            "Error: LAKE/staging/orders/_pointers/: Permission denied. The live versions stay. Give this user read "
            "and write rights to the lake, or set STAR_LAKE to another place.\n"
        ),
        _without("", 0o000),
    ),
    _denied(
        "staging that may not be written",
        (
            "orders               1 failed\n"
            "Error: LAKE/staging/orders/_pointers/2023-07.json: Permission denied. The live versions stay. "
            "Give this user read and write rights to the lake, or set STAR_LAKE to another place.\n"
        ),
        _without("staging/orders/_pointers", 0o555, FILE),
    ),
    _denied(
        "scratch that may not be written",
        (
            "orders               1 failed\n"
            "Error: LAKE/_scratch/SCRATCH: Permission denied. The live versions stay. Give this user read "
            "and write rights to the lake, or set STAR_LAKE to another place.\n"
        ),
        _without("_scratch", 0o555, FILE),
    ),
    _denied(
        "a ledger that may not be read",
        (
            "Error: LAKE/olap/fact_sales/_pointers/2023-07.json: Permission denied. The live versions "
            "stay. Give this user read and write rights to the lake, or set STAR_LAKE to another place.\n"
        ),
        _without("olap/fact_sales/_pointers/2023-07.json", 0o000),
        ("status",),
    ),
    _denied(
        "a catalog that may not be read",
        (
            "Error: LAKE/_catalog/catalog.sqlite: unable to open database file. The live versions stay. "
            "Give this user read and write rights to the lake, or set STAR_LAKE to another place.\n"
        ),
        _without("_catalog/catalog.sqlite", 0o000),
        ("query", "SELECT 1 FROM dim_store"),
    ),
    _denied(
        "a table that may not be read",
        (
            "Error: A file that the catalog names is gone. Run the query again; if it fails again, "
            "run `star-assets verify`.\n"
        ),
        _without("olap/dim_store", 0o000),
        ("query", "SELECT city FROM dim_store"),
    ),
    _denied(
        "samples where nothing may be written",
        (
            "Error: LAKE/oltp/orders/date=2023-07-03/orders.csv: Permission denied. The live versions "
            "stay. Give this user read and write rights to the lake, or set STAR_LAKE to another place.\n"
        ),
        _without("oltp/orders", 0o555),
        ("sample", "--days", "3"),
    ),
    _denied(
        "vacuum where nothing may be deleted",
        "Nothing to remove.\n",
        _without("olap/fact_sales/_pointers", 0o555),
        ("vacuum", "--retention-days", "0"),
        0,
    ),
]
