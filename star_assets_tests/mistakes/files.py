"""Mistakes in exported files: what is in them, how they are written, what they are called."""

from __future__ import annotations

import gzip
import io
import json
import zipfile

from .case import DAY, Mistake, Spoil, both, export, lines

HEADER = "order_id,customer_id,store_id,ordered_at,status,updated_at"
ROW = "{},1,1,2023-07-02 10:00:00,{},2023-07-02 10:00:00"
GOOD = [ROW.format(number, "placed") for number in (1, 2)]


def _zip() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("orders.csv", lines(HEADER, *GOOD))
    return packed.getvalue()


def _refused(done: str, says: str, spoil: Spoil, source: str = "orders", code: int = 1) -> Mistake:
    """The day is not published; what is live stays, and so do the raw files."""
    types = ("run", source, "--from", DAY, "--to", DAY)
    return Mistake(done, types, says, code, spoil=spoil, changed=("_catalog", "staging"))


def _rejected(done: str, reason: str, row: str) -> Mistake:
    """A row before two good ones: the day has more rejects than its source allows."""
    says = (
        "orders               1 failed\n"
        f"Error: orders {DAY}: 1 of 3 rows rejected (33.33%), allowed are 0.10%. The live version stays; the rejected "
        f"rows are kept in LAKE/staging/orders/date={DAY}/v=VERSION/_rejects.parquet, and `star-assets rejects orders` "
        "lists them. Export the day again, or correct the Source: its types, its csv or its max_rejects. The first:\n"
        f"  oltp/orders/date={DAY}/orders.csv, line 2: {reason}\n"
    )
    return _refused(f"rejected: {done}", says, orders(lines(HEADER, row, *GOOD)))


def orders(content: str | bytes, name: str = "orders.csv") -> Spoil:
    return export("orders", name, content)


def products(content: str | bytes) -> Spoil:
    return export("products", "products.jsonl", content)


def stores(content: str | bytes) -> Spoil:
    return export("stores", "stores.json", content)


PRODUCT = {
    "product_id": 1,
    "product_name": "Tent",
    "category": "Outdoor",
    "list_price": 9.99,
    "brand": "T",
    "updated_at": "2023-07-02",
}

MISTAKES = [
    _refused(
        "a required column is missing",
        (
            "orders               1 failed\n"
            "Error: oltp/orders/date=2023-07-02/orders.csv: expected columns 'store_id', 'ordered_at', "
            "'status', 'updated_at', found order_id, customer_id. The live version stays. Export again, or "
            "mark the columns optional in the Source.\n"
        ),
        orders(lines("order_id,customer_id", "1,1")),
    ),
    _refused(
        "a column has another name",
        (
            "orders               1 failed\n"
            "Error: oltp/orders/date=2023-07-02/orders.csv: expected column 'customer_id', found order_id, "
            "client, store_id, ordered_at, status, updated_at. Of these, client is not declared: a new name? "
            "The live version stays. Export again, or declare the new name, or mark the column optional in "
            "the Source.\n"
        ),
        orders(lines(HEADER.replace("customer_id", "client"), *GOOD)),
    ),
    _refused(
        "a column comes twice",
        (
            "orders               1 failed\n"
            "Error: oltp/orders/date=2023-07-02/orders.csv, line 1: expected distinct columns, found "
            "'status' twice. Nothing of this day was staged; the live version stays. Export the file again.\n"
        ),
        orders(lines(f"{HEADER},status", *(f"{row},x" for row in GOOD))),
    ),
    _refused(
        "a column without a name",
        (
            "orders               1 failed\n"
            "Error: oltp/orders/date=2023-07-02/orders.csv, line 1: expected a name for column 7, found "
            "none. Nothing of this day was staged; the live version stays. Export the file again.\n"
        ),
        orders(lines(f"{HEADER},", *(f"{row},x" for row in GOOD))),
    ),
    _refused(
        "a header of spaces",
        (
            "orders               1 failed\n"
            "Error: oltp/orders/date=2023-07-02/orders.csv, line 1: expected a header with the columns "
            "order_id, customer_id, store_id, ordered_at, status, …, found '   '. Nothing of this day was "
            "staged; the live version stays. Export the file with its header.\n"
        ),
        orders(lines("   ", *GOOD)),
    ),
    _refused(
        "no header",
        (
            "orders               1 failed\n"
            "Error: oltp/orders/date=2023-07-02/orders.csv, line 1: expected a header with the columns "
            "order_id, customer_id, store_id, ordered_at, status, …, found '1,1,1,2023-07-02 "
            "10:00:00,placed,2023-07-02 10:00:00'. Nothing of this day was staged; the live version stays. "
            "Export the file with its header.\n"
        ),
        orders(lines(*GOOD)),
    ),
    _refused(
        "a line before the header",
        (
            "orders               1 failed\n"
            "Error: oltp/orders/date=2023-07-02/orders.csv, line 1: expected the header, found 'Orders of "
            "July 2'; the header is on line 2. Nothing of this day was staged; the live version stays. "
            "Export the file without the lines before its header.\n"
        ),
        orders(lines("Orders of July 2", HEADER, *GOOD)),
    ),
    _refused(
        "semicolons",
        (
            "orders               1 failed\n"
            "Error: oltp/orders/date=2023-07-02/orders.csv, line 1: expected the delimiter ',', found ';'. "
            "Nothing of this day was staged; the live version stays. Declare csv=Csv(delimiter=';') in the "
            "Source, or export the file again.\n"
        ),
        orders(lines(HEADER, *GOOD).replace(",", ";")),
    ),
    _refused(
        "commas with a space behind them",
        (
            "orders               1 failed\n"
            "Error: oltp/orders/date=2023-07-02/orders.csv, line 1: expected the delimiter ',', found ', '. Nothing of "
            "this day was staged; the live version stays. Declare csv=Csv(delimiter=', ') in the Source, or export the "
            "file again.\n"
        ),
        orders(lines(*('"' + line.replace(",", '", "') + '"' for line in (HEADER, *GOOD)))),
    ),
    _refused(
        "tabs",
        (
            "orders               1 failed\n"
            "Error: oltp/orders/date=2023-07-02/orders.csv, line 1: expected the delimiter ',', found '\\t'. "
            "Nothing of this day was staged; the live version stays. Declare csv=Csv(delimiter='\\t') in the "
            "Source, or export the file again.\n"
        ),
        orders(lines(HEADER, *GOOD).replace(",", "\t")),
    ),
    _refused(
        "bars",
        (
            "orders               1 failed\n"
            "Error: oltp/orders/date=2023-07-02/orders.csv, line 1: expected the delimiter ',', found '|'. "
            "Nothing of this day was staged; the live version stays. Declare csv=Csv(delimiter='|') in the "
            "Source, or export the file again.\n"
        ),
        orders(lines(HEADER, *GOOD).replace(",", "|")),
    ),
    _refused(
        "single quotes",
        (
            "orders               1 failed\n"
            "Error: oltp/orders/date=2023-07-02/orders.csv, line 1: expected the quote '\"', found \"'\". "
            'Nothing of this day was staged; the live version stays. Declare csv=Csv(quote="\'") in the '
            "Source, or export the file again.\n"
        ),
        orders(lines(HEADER, *GOOD).replace("order_id", "'order_id'")),
    ),
    _refused(
        "UTF-16",
        (
            "orders               1 failed\n"
            "Error: oltp/orders/date=2023-07-02/orders.csv: expected utf-8, found utf-16-le. Nothing of this "
            "day was staged; the live version stays. Declare encoding='utf-16-le' in the Source's Csv, or "
            "export the file again.\n"
        ),
        orders(lines(HEADER, *GOOD).encode("utf-16")),
    ),
    _refused(
        "a Parquet file",
        (
            "orders               1 failed\n"
            "Error: oltp/orders/date=2023-07-02/orders.csv: expected text, found Parquet. Nothing of this "
            "day was staged; the live version stays. Export the file again.\n"
        ),
        orders(b"PAR1" + bytes(100) + b"PAR1"),
    ),
    _refused(
        "a zip archive",
        (
            "orders               1 failed\n"
            "Error: oltp/orders/date=2023-07-02/orders.csv: expected text, found a zip archive or an Excel "
            "workbook. Nothing of this day was staged; the live version stays. Save its sheet as CSV UTF-8, or unpack "
            "the archive.\n"
        ),
        orders(_zip()),
    ),
    _refused(
        "a zip archive called .gz",
        (
            "orders               1 failed\n"
            "Error: oltp/orders/date=2023-07-02/more.csv.gz: expected text, found a zip archive or an Excel "
            "workbook. Nothing of this day was staged; the live version stays. Save its sheet as CSV UTF-8, or unpack "
            "the archive.\n"
        ),
        orders(_zip(), "more.csv.gz"),
    ),
    _refused(
        "a PDF",
        (
            "orders               1 failed\n"
            "Error: oltp/orders/date=2023-07-02/orders.csv: expected text, found a PDF. Nothing of this day "
            "was staged; the live version stays. Export the file again.\n"
        ),
        orders(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"),
    ),
    _refused(
        "a page of a web site",
        (
            "orders               1 failed\n"
            "Error: oltp/orders/date=2023-07-02/orders.csv: expected CSV, found HTML or XML. Nothing of this "
            "day was staged; the live version stays. Export the file again.\n"
        ),
        orders("<!DOCTYPE html>\n<html><body>Log in</body></html>\n"),
    ),
    _refused(
        "an error of a database",
        (
            "orders               1 failed\n"
            "Error: oltp/orders/date=2023-07-02/orders.csv, line 1: expected a header with the columns "
            'order_id, customer_id, store_id, ordered_at, status, …, found \'ERROR:  relation "orders" does '
            "not exist'. Nothing of this day was staged; the live version stays. Export the file with its "
            "header.\n"
        ),
        orders('ERROR:  relation "orders" does not exist\n'),
    ),
    _refused(
        "bytes of a program",
        (
            "orders               1 failed\n"
            "Error: oltp/orders/date=2023-07-02/orders.csv: expected text, found NUL bytes in the first "
            "line. Nothing of this day was staged; the live version stays. Export the file again.\n"
        ),
        orders(b"\x7fELF\x02\x01\x01" + bytes(64)),
    ),
    _refused(
        "zeros",
        (
            "orders               1 failed\n"
            "Error: oltp/orders/date=2023-07-02/orders.csv: expected text, found NUL bytes in the first "
            "line. Nothing of this day was staged; the live version stays. Export the file again.\n"
        ),
        orders(bytes(4096)),
    ),
    # As large as it takes, and no larger on the disk of whoever runs the tests.
    _refused(
        "a quote that is open over 70 MiB",
        (
            "orders               1 failed\n"
            "Error: oltp/orders/date=2023-07-02/orders.csv: expected records of 64 MiB at most, found one "
            "after 3 others that is longer. Nothing of this day was staged; the live version "
            "stays. Export the file again, with the lines ended and the quotes closed.\n"
        ),
        orders(gzip.compress(lines(HEADER, *GOOD, '3,"').encode() + b"x" * 70 * 2**20, 1)),
    ),
    _refused(
        "a field of 70 MiB without a line's end",
        (
            "orders               1 failed\n"
            "Error: oltp/orders/date=2023-07-02/orders.csv: expected records of 64 MiB at most, found one "
            "after 3 others that is longer. Nothing of this day was staged; the live version "
            "stays. Export the file again, with the lines ended and the quotes closed.\n"
        ),
        orders(gzip.compress(lines(HEADER, *GOOD).encode() + b"3," + b"x" * 70 * 2**20, 1)),
    ),
    _refused(
        "a JSON text of 70 MiB",
        (
            "products             1 failed\n"
            "Error: oltp/products/date=2023-07-02/products.jsonl: expected records of 64 MiB at most, found "
            "one after 0 others that is longer. Nothing of this day was staged; the live "
            "version stays. Export the file again, with the lines ended and the quotes closed.\n"
        ),
        export("products", "products.jsonl", gzip.compress(b'{"product_id": "' + b"x" * 70 * 2**20, 1)),
        "products",
    ),
    _refused(
        "a gzip that is cut",
        (
            "orders               1 failed\n"
            "Error: oltp/orders/date=2023-07-02/orders.csv: expected a whole gzip stream, found that the "
            "gzip stream ends early. Nothing of this day was staged; the live version stays. Export the file "
            "again.\n"
        ),
        orders(gzip.compress(lines(HEADER, *GOOD).encode())[:-20]),
    ),
    _refused(
        "a gzip with a flaw",
        (
            "orders               1 failed\n"
            "Error: oltp/orders/date=2023-07-02/orders.csv: expected a gzip stream, found a damaged one. "
            "Nothing of this day was staged; the live version stays. Export "
            "the file again.\n"
        ),
        orders(gzip.compress(lines(HEADER, *GOOD).encode())[:30] + b"\0" * 40),
    ),
    _refused(
        "a gzip in a gzip",
        (
            "orders               1 failed\n"
            "Error: oltp/orders/date=2023-07-02/orders.csv: expected text, found gzip within gzip. Nothing "
            "of this day was staged; the live version stays. Export the file again.\n"
        ),
        orders(gzip.compress(gzip.compress(lines(HEADER, *GOOD).encode()))),
    ),
    _refused(
        "a gzip and something behind it",
        (
            "orders               1 failed\n"
            "Error: oltp/orders/date=2023-07-02/orders.csv: expected a gzip stream, found a damaged one. "
            "Nothing of this day was staged; the live version stays. Export the "
            "file again.\n"
        ),
        orders(gzip.compress(lines(HEADER, *GOOD).encode()) + b"more"),
    ),
    _refused(
        "2,000 columns and none that is required",
        (
            "orders               1 failed\n"
            "Error: oltp/orders/date=2023-07-02/orders.csv, line 1: expected a header with the columns "
            "order_id, customer_id, store_id, ordered_at, status, …, found "
            "'c0,c1,c2,c3,c4,c5,c6,c7,c8,c9,c10,c11,c12,c13,c14,c15,c16,c…'. Nothing of this day was staged; "
            "the live version stays. Export the file with its header.\n"
        ),
        orders(lines(",".join(f"c{n}" for n in range(2000)))),
    ),
    _refused(
        "a header that steers the terminal",
        (
            "orders               1 failed\n"
            "Error: oltp/orders/date=2023-07-02/orders.csv, line 1: expected a header with the columns "
            "order_id, customer_id, store_id, ordered_at, status, …, found '\\x1b[31morder\\x1b[0m,b'. Nothing "
            "of this day was staged; the live version stays. Export the file with its header.\n"
        ),
        orders(lines("\x1b[31morder\x1b[0m,b")),
    ),
    _refused(
        "JSON called CSV",
        (
            "orders               1 failed\n"
            "Error: oltp/orders/date=2023-07-02/orders.csv: expected CSV, found JSON. Nothing of this day "
            "was staged; the live version stays. Name the file .json or .jsonl.\n"
        ),
        orders(json.dumps([{"order_id": 1}])),
    ),
    _refused(
        "CSV called JSON",
        (
            "stores               1 failed\n"
            "Error: stores 2023-07-02: 2 of 2 rows rejected (100.00%), allowed are 0.10%. The live version "
            "stays; the rejected rows are kept in "
            "LAKE/staging/stores/date=2023-07-02/v=VERSION/_rejects.parquet, and `star-assets rejects "
            "stores` lists them. Export the day again, or correct the Source: its types, its csv or its "
            "max_rejects. The first:\n"
            "  oltp/stores/date=2023-07-02/stores.json, line 1: expected a JSON object, found no JSON "
            "from character 1 on: 'store_id,city'\n"
            "  oltp/stores/date=2023-07-02/stores.json, line 2: expected a JSON object, found no JSON "
            "from character 2 on: ',Miami'\n"
        ),
        stores(lines("store_id,city", "1,Miami")),
        "stores",
    ),
    _refused(
        "JSON that is cut",
        (
            "stores               1 failed\n"
            "Error: oltp/stores/date=2023-07-02/stores.json, line 1: the JSON array cannot be read: "
            "expected an element, found '\"store_na'. Nothing of this day was staged; the live version stays. Export "
            "the file again.\n"
        ),
        stores('[{"store_id": 1, "store_na'),
        "stores",
    ),
    _refused(
        "JSON with a comma too many",
        (
            "stores               1 failed\n"
            "Error: oltp/stores/date=2023-07-02/stores.json, line 1: the JSON array cannot be read: "
            "expected an element, found ']'. Nothing of this day was staged; the live version stays. Export the "
            "file again.\n"
        ),
        stores('[{"store_id": 1},]'),
        "stores",
    ),
    _refused(
        "a JSON number",
        (
            "stores               1 failed\n"
            "Error: stores 2023-07-02: 1 of 1 rows rejected (100.00%), allowed are 0.10%. The live version "
            "stays; the rejected rows are kept in "
            "LAKE/staging/stores/date=2023-07-02/v=VERSION/_rejects.parquet, and `star-assets rejects "
            "stores` lists them. Export the day again, or correct the Source: its types, its csv or its "
            "max_rejects. The first:\n"
            "  oltp/stores/date=2023-07-02/stores.json, line 1: expected a JSON object, found the number 42\n"
        ),
        stores("42"),
        "stores",
    ),
    _refused(
        "a JSON array of texts",
        (
            "stores               1 failed\n"
            "Error: stores 2023-07-02: 1 of 1 rows rejected (100.00%), allowed are 0.10%. The live version "
            "stays; the rejected rows are kept in "
            "LAKE/staging/stores/date=2023-07-02/v=VERSION/_rejects.parquet, and `star-assets rejects "
            "stores` lists them. Export the day again, or correct the Source: its types, its csv or its "
            "max_rejects. The first:\n"
            "  oltp/stores/date=2023-07-02/stores.json, line 1: expected a JSON object, found a string\n"
        ),
        stores('["Miami"]'),
        "stores",
    ),
    _refused(
        "an object for an array",
        (
            "stores               1 failed\n"
            "Error: oltp/stores/date=2023-07-02/stores.json: expected columns 'store_id', 'store_name', "
            "'city', 'state', 'region', 'opened_on', 'updated_at', found stores. Of these, stores is not "
            "declared: a new name? The live version stays. Export again, or declare the new name, or mark "
            "the columns optional in the Source.\n"
        ),
        stores('{"stores": [{"store_id": 1}]}'),
        "stores",
    ),
    _refused(
        "a line of JSON that is cut",
        (
            "products             1 failed\n"
            "Error: products 2023-07-02: 1 of 2 rows rejected (50.00%), allowed are 0.10%. The live version "
            "stays; the rejected rows are kept in "
            "LAKE/staging/products/date=2023-07-02/v=VERSION/_rejects.parquet, and `star-assets rejects "
            "products` lists them. Export the day again, or correct the Source: its types, its csv or its "
            "max_rejects. The first:\n"
            "  oltp/products/date=2023-07-02/products.jsonl, line 2: expected a JSON object, found no JSON "
            "from character 19 on: '\"prod'\n"
        ),
        products(lines(json.dumps(PRODUCT), '{"product_id": 2, "prod')),
        "products",
    ),
    _refused(
        "a key twice in an object",
        (
            "products             1 failed\n"
            "Error: products 2023-07-02: 1 of 1 rows rejected (100.00%), allowed are 0.10%. The live version "
            "stays; the rejected rows are kept in "
            "LAKE/staging/products/date=2023-07-02/v=VERSION/_rejects.parquet, and `star-assets rejects "
            "products` lists them. Export the day again, or correct the Source: its types, its csv or its "
            "max_rejects. The first:\n"
            "  oltp/products/date=2023-07-02/products.jsonl, line 1: expected distinct keys, found "
            "'product_id' twice\n"
        ),
        products(lines('{"product_id": 1, "product_id": 2}')),
        "products",
    ),
    _refused(
        "JSON without what is required",
        (
            "products             1 failed\n"
            "Error: oltp/products/date=2023-07-02/products.jsonl: expected columns 'product_id', "
            "'product_name', 'category', 'brand', 'list_price', 'updated_at', found id. Of these, id is not "
            "declared: a new name? The live version stays. Export again, or declare the new name, or mark "
            "the columns optional in the Source.\n"
        ),
        products(lines('{"id": 1}')),
        "products",
    ),
    _refused(
        "JSON with single quotes",
        (
            "products             1 failed\n"
            "Error: products 2023-07-02: 1 of 1 rows rejected (100.00%), allowed are 0.10%. The live version "
            "stays; the rejected rows are kept in "
            "LAKE/staging/products/date=2023-07-02/v=VERSION/_rejects.parquet, and `star-assets rejects "
            "products` lists them. Export the day again, or correct the Source: its types, its csv or its "
            "max_rejects. The first:\n"
            "  oltp/products/date=2023-07-02/products.jsonl, line 1: expected a JSON object, found no JSON "
            "from character 2 on: \"'product_id': 1}\"\n"
        ),
        products(lines("{'product_id': 1}")),
        "products",
    ),
    _refused(
        "JSON with NaN",
        (
            "products             1 failed\n"
            "Error: products 2023-07-02: 1 of 1 rows rejected (100.00%), allowed are 0.10%. The live version "
            "stays; the rejected rows are kept in "
            "LAKE/staging/products/date=2023-07-02/v=VERSION/_rejects.parquet, and `star-assets rejects "
            "products` lists them. Export the day again, or correct the Source: its types, its csv or its "
            "max_rejects. The first:\n"
            "  oltp/products/date=2023-07-02/products.jsonl, line 1: expected a JSON value, found NaN\n"
        ),
        products(lines(json.dumps({**PRODUCT, "list_price": float("nan")}))),
        "products",
    ),
    _refused(
        "no marker",
        (
            "orders               1 failed\n"
            "Error: orders 2023-07-02: the export is not whole: expected a file _SUCCESS, found 1 data file "
            "without it. It was not staged; it will be staged once the rest has arrived.\n"
        ),
        lambda lake: (lake / f"oltp/orders/date={DAY}/_SUCCESS").unlink(),
        code=75,
    ),
    _refused(
        "2,000 columns that nobody declared, and a row too few",
        (
            "orders               1 failed\n"
            "Error: orders 2023-07-02: 2 of 2 rows rejected (100.00%), allowed are 0.10%. The live version "
            "stays; the rejected rows are kept in "
            "LAKE/staging/orders/date=2023-07-02/v=VERSION/_rejects.parquet, and `star-assets rejects "
            "orders` lists them. Export the day again, or correct the Source: its types, its csv or its "
            "max_rejects. The first:\n"
            "  oltp/orders/date=2023-07-02/orders.csv, line 2: expected 2006 fields, found 6\n"
            "  oltp/orders/date=2023-07-02/orders.csv, line 3: expected 2006 fields, found 6\n"
        ),
        orders(lines(",".join([HEADER, *(f"n{n}" for n in range(2000))]), *GOOD)),
    ),
    _refused(
        "CSV called .csv.gz",
        (
            "orders               1 failed\n"
            "Error: orders 2023-07-02: 1 of 2 rows rejected (50.00%), allowed are 0.10%. The live version "
            "stays; the rejected rows are kept in "
            "LAKE/staging/orders/date=2023-07-02/v=VERSION/_rejects.parquet, and `star-assets rejects "
            "orders` lists them. Export the day again, or correct the Source: its types, its csv or its "
            "max_rejects. The first:\n"
            "  oltp/orders/date=2023-07-02/orders.csv, line 2: expected 6 fields, found 2\n"
        ),
        both(orders(lines(HEADER, *GOOD[:1]), "more.csv.gz"), orders(lines(HEADER, "x,"))),
    ),
    _rejected(
        "a word for a number",
        ("column order_id: 'twelve' is not a whole number up to 9,223,372,036,854,775,807"),
        ROW.format("twelve", "placed"),
    ),
    _rejected(
        "a number with decimals for a whole one",
        ("column order_id: '12.5' is not a whole number up to 9,223,372,036,854,775,807"),
        ROW.format("12.5", "placed"),
    ),
    _rejected(
        "a number with thousands marks",
        ("column order_id: '1,000' is not a whole number up to 9,223,372,036,854,775,807"),
        ROW.format('"1,000"', "placed"),
    ),
    _rejected(
        "a number of 30 digits",
        ("column order_id: '999999999999999999999999999999' is not a whole number up to 9,223,372,036,854,775,807"),
        ROW.format("9" * 30, "placed"),
    ),
    _rejected(
        "a key without a value",
        ("column order_id: no value, and the key of orders needs one"),
        ROW.format("", "placed"),
    ),
    _rejected(
        "a day that no month has",
        ("column ordered_at: '2023-02-30 10:00:00' is not a timestamp such as 2023-07-01 10:00:00+02"),
        "3,1,1,2023-02-30 10:00:00,placed,2023-07-02 10:00:00",
    ),
    _rejected(
        "a date of another country",
        ("column ordered_at: '07/02/2023 10:00' is not a timestamp such as 2023-07-01 10:00:00+02"),
        "3,1,1,07/02/2023 10:00,placed,2023-07-02 10:00:00",
    ),
    _rejected(
        "a time without a date",
        ("column ordered_at: '10:00:00' is not a timestamp such as 2023-07-01 10:00:00+02"),
        "3,1,1,10:00:00,placed,2023-07-02 10:00:00",
    ),
    _rejected(
        "a time of seconds since 1970",
        ("column ordered_at: '1688292000' is not a timestamp such as 2023-07-01 10:00:00+02"),
        "3,1,1,1688292000,placed,2023-07-02 10:00:00",
    ),
    _rejected(
        "a field too few",
        ("expected 6 fields, found 5"),
        "3,1,1,2023-07-02 10:00:00,placed",
    ),
    _rejected(
        "a field too many",
        ("expected 6 fields, found 7"),
        ROW.format(3, "placed") + ",more",
    ),
    _rejected(
        "a quote that never ends",
        ("the quote of field 5 is never closed"),
        ROW.format(3, '"placed'),
    ),
    _rejected(
        "a NUL",
        ("expected text, found a NUL byte"),
        ROW.format(3, "pla\0ced"),
    ),
    _rejected(
        "a byte of another encoding",
        ("expected utf-8, found the byte 0xe9"),
        ROW.format(3, "pla\udce9ced"),
    ),
    _rejected(
        "what steers the terminal",
        ("column order_id: '\\x1b[2J\\x1b]0;mine\\x07' is not a whole number up to 9,223,372,036,854,775,807"),
        ROW.format("\x1b[2J\x1b]0;mine\x07", "placed"),
    ),
    _rejected(
        "a value of a thousand characters",
        f"column order_id: '{'x' * 59}…' is not a whole number up to 9,223,372,036,854,775,807",
        ROW.format("x" * 1000, "placed"),
    ),
    _rejected(
        "what is markup",
        ("column order_id: '[red]<b>![x](http://host/)' is not a whole number up to 9,223,372,036,854,775,807"),
        ROW.format("[red]<b>![x](http://host/)", "placed"),
    ),
]
