"""What real exports hold: dialects, formats, columns that come and go, many files, no files."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from star_assets.model import Column, Csv, Marker, Source, Star

DAY, NEXT = "2023-07-01", "2023-07-02"

HEADER = "id,price,note"


def notes(**declared: Any) -> Star:
    """A star of one source of three columns."""
    columns = {"id": "int64", "price": "decimal(18,4)", "note": Column("string", optional=True)}
    return Star([Source("notes", key="id", columns=columns, whole=Marker(), **declared)], [], [])


@pytest.fixture
def stage(make_lake):
    """`stage(files, …)`: the lake, once these files are staged as one day."""

    def staged(files: dict[str, str | bytes], **declared: Any):
        lake = make_lake(notes(**declared))
        lake.write("notes", DAY, files)
        lake.run(DAY)
        return lake

    return staged


def rows(lake) -> list[tuple[Any, ...]]:
    return lake.rows("SELECT id, price, note FROM notes ORDER BY id")


@pytest.mark.parametrize(
    ("content", "csv"),
    [
        (b"\xef\xbb\xbfid,price,note\n1,2.5,\xc3\xa9\n", Csv()),
        ("id;price;note\n1;2.5;é\n".encode(), Csv(delimiter=";")),
        ("id\tprice\tnote\n1\t2.5\té\n".encode(), Csv(delimiter="\t")),
        ("id,price,note\r\n1,2.5,é\r\n".encode(), Csv()),
        ("id,price,note\r1,2.5,é\r".encode(), Csv()),
        ("id,price,note\n1,2.5,é".encode(), Csv()),
        ("id,price,note\n\n1,2.5,é\n\n".encode(), Csv()),
        ("id,price,note\n1,2.5,é\n".encode("latin-1"), Csv(encoding="latin-1")),
        ("id,price,note\n1,2.5,é\n".encode("cp1252"), Csv(encoding="cp1252")),
        ("id,price,note\n1,2.5,é\n".encode("utf-16"), Csv(encoding="utf-16")),
        ("'id','price','note'\n'1','2.5','é'\n".encode(), Csv(quote="'")),
        (" ID , Price ,NOTE\n1,2.5,é\n".encode(), Csv()),
        (gzip.compress("id,price,note\n1,2.5,é\n".encode()), Csv()),
    ],
    ids=["BOM", ";", "tab", "CRLF", "CR", "open end", "blank lines", "latin-1", "cp1252", "utf-16", "'", "case", "gz"],
)
def test_dialects_give_the_same_row(stage, content: bytes, csv: Csv) -> None:
    """Every tool writes CSV its own way; the row is the same."""
    assert rows(stage({"a.csv": content}, csv=csv)) == [(1, Decimal("2.5"), "é")]


def test_quoted_line_ends_and_delimiters_are_text(stage) -> None:
    lake = stage({"a.csv": f'{HEADER}\n1,2.5,"a,b\nc ""d"""\n2,"3.5",e\n'})
    assert rows(lake) == [(1, Decimal("2.5"), 'a,b\nc "d"'), (2, Decimal("3.5"), "e")]


def test_an_empty_text_is_not_null(stage) -> None:
    """As PostgreSQL's COPY writes it: nothing is NULL, quotes are a text."""
    lake = stage({"a.csv": f'{HEADER}\n1,,\n2,"",""\n3,\\N,\\N\n'}, csv=Csv(null=("", "\\N")))
    assert rows(lake) == [(1, None, None), (2, None, ""), (3, None, None)]


def test_columns_are_known_by_name(stage) -> None:
    """A reader that goes by position would load a price of 3.5 as the key 4."""
    files = {"a.csv": f"{HEADER}\n1,2.5,x\n", "b.csv": "note,id,price\ny,2,3.5\n", "c.csv": "price,id\n4.5,3\n"}
    lake = stage(files)
    assert rows(lake) == [(1, Decimal("2.5"), "x"), (2, Decimal("3.5"), "y"), (3, Decimal("4.5"), None)]


def test_formats_may_be_mixed(stage) -> None:
    """A source that changes its format does so in the middle of a day."""
    files = {
        "a.csv": f"{HEADER}\n1,1.5,a\n",
        "b.jsonl": '{"id": 2, "price": 2.5, "note": "b"}\n',
        "c.json": '[{"id": 3, "price": "3.5", "note": "c"}]',
        "d.csv.gz": gzip.compress(f"{HEADER}\n4,4.5,d\n".encode()),
        "e.json.gz": gzip.compress(b'[{"id": 5, "price": 5.5, "note": "e"}]'),
    }
    assert rows(stage(files)) == [(n, Decimal(f"{n}.5"), "_abcde"[n]) for n in range(1, 6)]


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_json_decimals_are_exact(stage, name: str) -> None:
    """A double has 15 digits; money may have 18."""
    record = '{"id": 1, "price": 12345678901234.5678, "note": null}'
    lake = stage({name: f"[{record}]" if name == "a.json" else record})
    assert rows(lake) == [(1, Decimal("12345678901234.5678"), None)]


@pytest.mark.parametrize("format_", ["csv", "jsonl"])
def test_thousands_of_small_files_are_one_day(stage, format_: str) -> None:
    """Streaming exports leave a file every few seconds."""
    number = 2_000 if format_ == "csv" else 500
    texts = [
        f"{HEADER}\n{n},1.5,x\n" if format_ == "csv" else json.dumps({"id": n, "price": "1.5", "note": "x"})
        for n in range(number)
    ]
    lake = stage({f"{n:04}.{format_}": text for n, text in enumerate(texts)})
    assert lake.rows("SELECT count(DISTINCT id), sum(price) FROM notes") == [(number, Decimal("1.5") * number)]
    assert lake.manifest("notes", DAY).facts["files"] == number


@pytest.mark.parametrize("files", [{}, {"a.csv": ""}, {"a.csv": f"{HEADER}\n"}, {"a.json": "[]"}, {"a.jsonl": ""}])
def test_nothing_exported_is_a_day_without_rows(stage, files: dict[str, str]) -> None:
    """An empty day is an answer; it must not stop the days after it."""
    lake = stage(files)
    assert lake.manifest("notes", DAY).rows == 0
    assert dict(lake.manifest("notes", DAY).schema).keys() >= {"id", "price", "note"}


def test_a_missing_folder_is_a_day_without_rows(make_lake) -> None:
    lake = make_lake(notes())
    lake.run(DAY)
    assert lake.manifest("notes", DAY).rows == 0


def test_an_unfinished_export_is_not_staged(make_lake) -> None:
    """Half an export would take the other half off the market."""
    lake = make_lake(notes())
    lake.write("notes", DAY, {"a.csv": f"{HEADER}\n1,1,x\n"})
    (lake.folder("notes", DAY) / "_SUCCESS").unlink()
    (outcome,) = lake.refresh("notes", DAY)
    assert "expected a file _SUCCESS, found 1 data file without it" in str(outcome.error)
    assert lake.warehouse.live_manifest("notes", DAY) is None


def test_unlisted_columns_are_carried_as_text(stage) -> None:
    """A column that was added to the database is in the lake the same day, whatever it is called."""
    odd = ["date", "_export", "_deleted", "filename", "member_kind", "typed_id", "_reason", "Unit Price", "é", "2nd"]
    odd += ["_file", "_day"]
    header = ",".join([*HEADER.split(","), *odd])
    values = ",".join(f"v{number}" for number in range(len(odd)))
    lake = stage({"a.csv": f"{header}\n1,2.5,x,{values}\n"})
    columns = [name for name, _ in lake.manifest("notes", DAY).schema][3:]
    assert columns == [
        *("raw_date", "raw_export", "raw_deleted", "filename", "raw_member_kind", "typed_id", "raw_reason"),
        *("unit_price", "raw_", "raw_2nd", "raw_file", "raw_day"),
    ]
    assert lake.rows(f"SELECT id, {', '.join(columns)} FROM notes") == [(1, *values.split(","))]
    assert lake.manifest("notes", DAY).facts["unlisted_columns"] == columns


def test_unlisted_columns_do_not_touch_declared_ones(stage) -> None:
    """Not in the exact reader either, which a bad row in any file brings in."""
    good = "".join(f"{number},1,x,typed,spaced,own\n" for number in range(2, 2000))
    lake = stage({"a.csv": f"{HEADER},typed_id,i d,i_d\n1,bad,x,a,b,c\n{good}"})
    assert lake.rows("SELECT min(id), max(id), count(*) FROM notes") == [(2, 1999, 1998)]
    assert lake.rows("SELECT DISTINCT typed_id, i_d, i_d_2 FROM notes") == [("typed", "own", "spaced")]


@pytest.mark.parametrize("value", ["2", "x"])
def test_columns_may_be_called_what_the_engine_calls_its_own(make_lake, value: str) -> None:
    """`file`, `day`, `export` and `rows` are good names for a retailer's columns; either reader keeps them apart."""
    columns = {"export": "int64", "file": "int64", "day": "date", "rows": "string", "headers": "int64"}
    source = Source("files", key="export", columns=columns, whole=Marker(), max_rejects=0.9)
    lake = make_lake(Star([source], [], []))
    for number, day in enumerate((DAY, NEXT)):
        lines = [f"{number},5,2020-01-01,r,7", f"9{number},5,2020-01-01,r,{value}"]
        lake.write("files", day, {"a.csv": "\n".join([",".join(columns), *lines])})
    lake.run(DAY, NEXT)
    found = lake.rows("SELECT export, file, day::VARCHAR, rows, headers FROM files WHERE headers = 7 ORDER BY 1")
    assert found == [(0, 5, "2020-01-01", "r", 7), (1, 5, "2020-01-01", "r", 7)]
    assert lake.rows("SELECT count(*) FROM files") == [(4 if value == "2" else 2,)]


def test_an_unlisted_column_takes_no_declared_name(lake) -> None:
    """`product-id` would be `product_id`: two columns of one name are no table."""
    header = "product_id,product_name,category,brand,list_price,updated_at,product-id,product id"
    lake.write("products", DAY, {"p.csv": f"{header}\n1,Tent,a,b,1,2023-07-01 00:00:00,x,y\n"})
    lake.run(DAY)
    found = lake.rows("SELECT product_id_2, product_id_3, product_name FROM dim_product WHERE product_id = 1")
    assert found == [("x", "y", "Tent")]


def test_unlisted_columns_reach_the_dimension(lake) -> None:
    """The shop's product function passes attributes through; older exports have none."""
    header = "product_id,product_name,category,brand,list_price,updated_at"
    lake.export("products", DAY, "1,Tent,a,b,1,2023-07-01 00:00:00")
    lake.write("products", NEXT, {"p.csv": f"{header},filename,colour\n2,Mug,a,b,1,2023-07-01 00:00:00,f,red\n"})
    lake.run(DAY, NEXT)
    found = lake.rows("SELECT product_id, filename, colour FROM dim_product WHERE product_id > 0 ORDER BY 1")
    assert found == [(1, None, None), (2, "f", "red")]


def test_a_missing_column_names_file_and_column_in_any_format(make_lake) -> None:
    """In a range, every bad day tells its own mistake, and the good one is published."""
    lake = make_lake(notes())
    lake.write("notes", DAY, {"a.json": '[{"id": 1, "note": "x"}]'})
    lake.write("notes", NEXT, {"a.csv": "id,note\n1,x\n"})
    lake.write("notes", "2023-07-03", {"a.csv": f"{HEADER}\n1,1,x\n"})
    outcomes = lake.refresh("notes", DAY, NEXT, "2023-07-03")
    told = {outcome.day: str(outcome.error) for outcome in outcomes if outcome.error}
    assert told.keys() == {DAY, NEXT}
    for day, text in told.items():
        (name,) = (file.name for file in lake.folder("notes", day).glob("a.*"))
        assert text.startswith(f"oltp/notes/date={day}/{name}: expected column 'price', found id, note.")
    assert [outcome.status for outcome in outcomes if outcome.day == "2023-07-03"] == ["published"]


def test_files_are_never_changed(stage, tmp_path: Path) -> None:
    """The raw zone is the truth: read, never touched."""
    lake = stage({"a.csv": f"{HEADER}\n1,1.5,a\n", "b.json": "[]"})
    folder = lake.folder("notes", DAY)
    assert {file.name: file.read_text() for file in folder.iterdir()} == {
        "a.csv": f"{HEADER}\n1,1.5,a\n",
        "b.json": "[]",
        "_SUCCESS": "",
    }
