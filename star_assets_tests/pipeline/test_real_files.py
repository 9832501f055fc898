"""What real exports have: other headers, dates and numbers as people write them, no header, backslashes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from star_assets.model import Column, Csv, Source, Star
from star_assets.model.errors import BadDeclaration, BrokenFile

from .conftest import Lake, MakeLake

DAY, NEXT = "2023-07-01", "2023-07-02"


def lake_of(make_lake: MakeLake, columns: dict[str, Any], **declared: Any) -> Lake:
    source = Source("people", key="id", columns={"id": "int64", **columns}, **{"max_rejects": 1.0, **declared})
    return make_lake(Star([source], [], []))


def read(lake: Lake, content: str, day: str = DAY, name: str = "people.csv") -> list[tuple[Any, ...]]:
    lake.write("people", day, {name: content})
    lake.run(day)
    return lake.rows(f"SELECT * EXCLUDE (date) FROM people WHERE date = '{day}' ORDER BY id")


def reasons(lake: Lake) -> list[str]:
    return [reason for _, _, reason, _ in sorted(lake.rejects("people", DAY))]


# Headers


def test_a_header_of_any_characters_is_declared(make_lake: MakeLake) -> None:
    """Spaces, dots, a leading underscore, and `date`, which no column of a table may be called."""
    columns = {
        "phone": Column("string", header="Contact Phone"),
        "net": Column("decimal(9,2)", header="amount.net"),
        "line": Column("int32", header="_line"),
        "sold_on": Column("date", header="Date"),
    }
    lake = lake_of(make_lake, columns)
    rows = read(lake, "ID, contact phone ,Amount.Net,_line,DATE,net\n1,555,9.99,7,2023-07-01,x\n")
    assert [(str(value)) for value in rows[0]] == ["1", "555", "9.99", "7", "2023-07-01", "x"]
    assert lake.rows("SELECT raw_net FROM people") == [("x",)]


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_header_that_changes_its_name_is_one_column(make_lake: MakeLake, ending: str) -> None:
    """Old and new exports lie side by side, and both are read for years."""
    lake = lake_of(make_lake, {"phone": Column("string", header=("phone", "Contact Phone"))})

    def content(header: str, value: str) -> str:
        if ending == "jsonl":
            return json.dumps({"id": 1, header: value}) + "\n"
        return f"id,{header}\n1,{value}\n"

    assert read(lake, content("phone", "555"), DAY, f"a.{ending}") == [(1, "555")]
    assert read(lake, content("Contact Phone", "556"), NEXT, f"a.{ending}") == [(1, "556")]


def test_two_headers_of_one_column_are_told(make_lake: MakeLake) -> None:
    lake = lake_of(make_lake, {"phone": Column("string", header=("phone", "Contact Phone"))})
    lake.write("people", DAY, {"a.csv": "id,phone,Contact Phone\n1,2,3\n"})
    (outcome,) = lake.refresh("people", DAY)
    assert isinstance(outcome.error, BrokenFile)
    assert "expected one column for phone, found 'phone' and 'contact phone'" in str(outcome.error)


def test_a_missing_column_is_told_by_its_header(make_lake: MakeLake) -> None:
    """Who looks into the file looks for what is in it."""
    lake = lake_of(make_lake, {"phone": Column("string", header=("Phone", "Contact Phone"))})
    lake.write("people", DAY, {"a.csv": "id,fax\n1,2\n"})
    (outcome,) = lake.refresh("people", DAY)
    assert "expected column 'phone or contact phone', found id, fax" in str(outcome.error)


def test_two_columns_cannot_have_one_header() -> None:
    with pytest.raises(BadDeclaration, match="several of its columns have the header 'b'"):
        Source("s", key="a", columns={"a": Column("int64", header="B"), "b": "string"})


def test_columns_can_change_their_names_with_each_other(make_lake: MakeLake) -> None:
    lake = lake_of(make_lake, {"a": Column("string", header="b"), "b": Column("string", header="a")})
    assert read(lake, "id,a,b\n1,x,y\n") == [(1, "y", "x")]


# Dates


@pytest.mark.parametrize(
    ("format_", "text", "found"),
    [
        ("%m/%d/%Y %I:%M:%S %p", "7/1/2023 12:05:09 AM", "2023-07-01 00:05:09"),
        ("%m/%d/%Y %I:%M:%S %p", "07/01/2023 12:05:09 pm", "2023-07-01 12:05:09"),
        ("%m/%d/%Y %I:%M:%S %p", "07/01/2023 1:05:09 PM", "2023-07-01 13:05:09"),
        ("%m/%d/%Y %I:%M:%S %p", "07/01/2023 13:05:09 PM", None),
        ("%d.%m.%y %H:%M", "1.7.23 9:30", "2023-07-01 09:30:00"),
        ("%d.%m.%y", "01.07.69", "1969-07-01 00:00:00"),
        ("%d.%m.%y", "01.07.68", "2068-07-01 00:00:00"),
        ("%d-%b-%Y", "01-JUL-2023", "2023-07-01 00:00:00"),
        ("%A, %B %d, %Y", "Saturday, july 1, 2023", "2023-07-01 00:00:00"),
        ("%Y%m%d%H%M%S", "20230701093000", "2023-07-01 09:30:00"),
        ("%Y-%m-%dT%H:%M:%S.%f%z", "2023-07-01T09:30:00.123456+0200", "2023-07-01 07:30:00.123000"),
        ("(%d|%m) %Y?", "(1|7) 2023?", "2023-07-01 00:00:00"),
        ("%m/%d/%Y", "2/30/2023", None),
        ("%m/%d/%Y", "13/1/2023", None),
        ("%m/%d/%Y", "2023-07-01", None),
        ("%m/%d/%Y", "7/1/2023\n", None),
        ("%m/%d/%Y", "0/1/2023", None),
    ],
)
def test_dates_are_read_as_their_format_says(make_lake: MakeLake, format_: str, text: str, found: str | None) -> None:
    lake = lake_of(make_lake, {"at": Column("timestamp", format=format_)})
    rows = read(lake, f'id,at\n1,"{text}"\n2,\n')
    assert [str(at) for id_, at in rows if id_ == 1] == ([found] if found else [])
    assert (2, None) in rows
    if not found:
        assert reasons(lake) == [f"column at: '{text}' is not a timestamp written as {format_}"]


def test_a_date_has_a_format_too(make_lake: MakeLake) -> None:
    lake = lake_of(make_lake, {"day": Column("date", format="%d/%m/%Y")})
    assert [str(day) for _, day in read(lake, "id,day\n1,31/12/2023\n2,12/31/2023\n")] == ["2023-12-31"]


@pytest.mark.parametrize(
    ("column", "problem"),
    [
        (Column("timestamp", format="%m/%d"), "must have one year, one month and one day"),
        (Column("timestamp", format="%Y-%m-%d %j"), "has %j; known: %Y"),
        (Column("timestamp", format="%Y-%m-%d %I:%M"), "must have the hour as %H, or as %I with %p"),
        (Column("timestamp", format="%Y-%m-%d %H:%S"), "has seconds without minutes"),
        (Column("timestamp", format="%Y-%m-%d %d"), "has %d twice"),
        (Column("date", format="%Y-%m-%d %H:%M"), "has a time, and a date has none: declare a timestamp"),
        (Column("string", format="%Y-%m-%d"), "is for dates and timestamps, and it is string"),
        (Column("string", decimal=","), "decimal: for numbers, and it is string"),
        (Column("decimal(9,2)", decimal=",", thousands=","), "decimal=',' and thousands=','"),
        (Column("decimal(9,2)", thousands="0"), "thousands='0'"),
        (Column("decimal(9,2)", currency="1"), "currency='1' can be taken for a number"),
        (Column("decimal(9,2)", lenient=True), "lenient is for whole numbers, and it is decimal(9,2)"),
        (Column("string", header=" "), "header has an empty name"),
    ],
)
def test_a_column_that_contradicts_itself_is_told(column: Column, problem: str) -> None:
    with pytest.raises(BadDeclaration) as told:
        Source("s", key="a", columns={"a": "int64", "b": column})
    assert "source s, column b: " in str(told.value) and problem in str(told.value)


# Numbers


@pytest.mark.parametrize(
    ("declared", "text", "found"),
    [
        ({"decimal": ",", "thousands": "."}, "1.234.567,89", "1234567.89"),
        ({"decimal": ",", "thousands": "."}, "1234567,8", "1234567.80"),
        ({"decimal": ",", "thousands": "."}, "1.5", None),
        ({"decimal": ",", "thousands": "."}, "1.23.456,0", None),
        ({"decimal": ",", "thousands": "."}, "1234.567", None),
        ({"decimal": ","}, "-0,5", "-0.50"),
        ({"decimal": ","}, "0.5", None),
        ({"decimal": ",", "thousands": " ", "currency": "€"}, "1\u202f234,50\u00a0€", "1234.50"),
        ({"thousands": ",", "currency": "$"}, "$1,234.50", "1234.50"),
        ({"thousands": ",", "currency": "$"}, "-$1,234.50", "-1234.50"),
        ({"thousands": ",", "currency": "$"}, "$-1,234.50", "-1234.50"),
        ({"thousands": ",", "currency": "$"}, "1234.5", "1234.50"),
        ({"thousands": ",", "currency": "$"}, "$", None),
        ({"thousands": ",", "currency": "$"}, "-$-5", None),
        ({"thousands": ",", "currency": "$"}, "€5", None),
        ({"thousands": "'"}, "1'234.567", None),
        ({"currency": "USD"}, "5 USD", "5.00"),
    ],
)
def test_numbers_are_read_with_their_marks(
    make_lake: MakeLake, declared: dict[str, str], text: str, found: str | None
) -> None:
    lake = lake_of(make_lake, {"amount": Column("decimal(12,2)", **declared)})  # type: ignore[arg-type]
    rows = read(lake, f'id,amount\n1,"{text}"\n2,\n')
    assert [str(amount) for id_, amount in rows if id_ == 1] == ([found] if found else [])
    assert (2, None) in rows


def test_a_number_that_is_not_as_declared_says_how_it_should_be(make_lake: MakeLake) -> None:
    declared = Column("decimal(12,2)", decimal=",", thousands=".", currency="€")
    lake = lake_of(make_lake, {"amount": declared, "whole": Column("int32", thousands="'")})
    read(lake, "id,amount,whole\n1,1.5,\n2,,1234'5\n")
    assert reasons(lake) == [
        "column amount: '1.5' is not a number written as €1.234,5",
        "column whole: '1234'5' is not a number written as 1'234",
    ]


def test_whole_numbers_with_decimals_of_zero(make_lake: MakeLake) -> None:
    """A spreadsheet, or pandas, made floats of the keys."""
    source = {"customer": Column("int64", lenient=True)}
    lake = lake_of(make_lake, source)
    rows = read(lake, "id,customer\n1,17850.0\n2,17850\n3,-5.\n4,17850.5\n5,.0\n6,1e3\n")
    assert rows == [(1, 17850), (2, 17850), (3, -5)]
    assert reasons(lake)[0] == "column customer: '17850.5' is not a whole number up to 9,223,372,036,854,775,807"


def test_a_key_may_be_written_otherwise(make_lake: MakeLake) -> None:
    """The quick reader ends at a key without a value."""
    source = Source("people", key="id", columns={"id": Column("int64", lenient=True), "a": "string"}, max_rejects=1.0)
    lake = make_lake(Star([source], [], []))
    assert read(lake, "id,a\n1.0,x\n2,y\n") == [(1, "x"), (2, "y")]
    assert read(lake, "id,a\n1.0,x\n,y\n", NEXT) == [(1, "x")]


# Dialects


def test_a_file_without_a_header_has_the_declared_columns(make_lake: MakeLake) -> None:
    lake = lake_of(make_lake, {"name": "string"}, csv=Csv(header=False))
    assert read(lake, "1,Jo\n2,Al\n1,Jo\n") == [(1, "Jo"), (1, "Jo"), (2, "Al")]
    assert read(lake, '1,"Jo\nAl"\n2\n') == [(1, "Jo\nAl")]
    assert reasons(lake) == ["expected 2 fields, found 1"]
    assert lake.manifest("people", DAY).facts["rows_in"] == 2
    assert read(lake, "") == []


def test_backslashes_escape(make_lake: MakeLake) -> None:
    r"""As MySQL's INTO OUTFILE and Hive write: \" within quotes, \, and \ before a line end without, \N for NULL."""
    csv = Csv(escape="\\", null=("\\N",))
    lake = lake_of(make_lake, {"name": "string", "note": "string"}, csv=csv)
    content = r"""id,name,note
1,"a \"b\", c",\N
2,a\, b,"\N"
3,a\
b,\\
4,"a""b","x
\"y"
5,C:\\x,\"
6,plain,
"""
    assert read(lake, content) == [
        (1, 'a "b", c', None),
        (2, "a, b", "N"),
        (3, "a\nb", "\\"),
        (4, 'a"b', 'x\n"y'),
        (5, "C:\\x", '"'),
        (6, "plain", ""),
    ]
    assert reasons(lake) == []


def test_an_escape_that_reads_no_other_file_otherwise(make_lake: MakeLake) -> None:
    """Without a backslash in it, a file is read by the quick reader."""
    lake = lake_of(make_lake, {"name": "string"}, csv=Csv(escape="\\"))
    assert read(lake, 'id,name\n1,"a ""b"", c"\n2,x\n') == [(1, 'a "b", c'), (2, "x")]


@pytest.mark.parametrize("escape", ['"', ",", "ab", "é", "\n"])
def test_an_escape_is_a_character_of_its_own(escape: str) -> None:
    with pytest.raises(BadDeclaration, match="escape is"):
        Csv(escape=escape)


def test_a_workbook_is_told_how_to_be_exported(make_lake: MakeLake) -> None:
    lake = lake_of(make_lake, {"name": "string"})
    lake.write("people", DAY, {"people.xlsx": b"PK\x03\x04\x14\x00\x06\x00"})
    (outcome,) = lake.refresh("people", DAY)
    assert "Excel workbook" in str(outcome.error)
    assert "Save its sheet as CSV UTF-8" in str(outcome.error)


# What is built again


def test_how_values_are_written_stages_a_source_again(make_lake: MakeLake) -> None:
    """And what is declared as it is by default builds nothing: lakes that are there stay as they are."""
    source = Source("people", key="id", columns={"id": "int64", "n": Column("int32", optional=True)}, max_rejects=1.0)
    lake = make_lake(Star([source], [], []))
    read(lake, "id,n\n1,5.0\n")
    spelled = {"id": "int64", "n": Column("int32", optional=True, header=(), decimal=".", lenient=False)}
    same = replace(source, columns=spelled, csv=Csv(header=True, escape=None), duplicates="collapse")
    assert lake.again(Star([same], [], [])).statuses("people", DAY) == ["unchanged"]
    changed = replace(source, columns={**source.columns, "n": Column("int32", optional=True, lenient=True)})
    again = lake.again(Star([changed], [], []))
    assert again.statuses("people", DAY) == ["published"]
    assert again.rows("SELECT n FROM people") == [(5,)]
