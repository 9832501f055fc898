"""Which text is a value: the grammar as such, and both ways in which DuckDB applies it."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from star_assets.engines.duckdb.typed_sql import DuckDBTypedSql
from star_assets.exports.grammar import expected, pattern
from star_assets.model import Column, Source, Type

TYPES = ["int32", "int64", "float64", "boolean", "date", "timestamp", "decimal(18,4)", "decimal(4,4)", "decimal(5,0)"]

NEVER = [
    *("x", "-", "+", "--1", " 12", "12 ", "12\n", "\n12", "1_000", "0x10", "１２", "١٢", "1,5", "1 000", "$5", "(5)"),
    *("infinity", "inf", "-inf", "NaN", "nan", "epoch", "now", "today", "null", "NULL", "1e", "e3", "1.2.3", "1\0"),
    *("yes", "no", "on", "off", "tRUE", "Y", "2023-07", "2023-7-1", "01.07.2023", "07/01/2023"),
]

VALUES: dict[str, dict[str, Any]] = {
    "int32": {"0": 0, "-0": 0, "+7": 7, "007": 7, "2147483647": 2147483647, "-2147483648": -2147483648},
    "int64": {"9223372036854775807": 2**63 - 1, "-9223372036854775808": -(2**63), "-0": 0, "12": 12},
    "float64": {"1e3": 1000.0, "1E-3": 0.001, ".5": 0.5, "5.": 5.0, "-0": -0.0, "12": 12.0, "+1.5e+2": 150.0},
    "boolean": {"true": True, "f": False, "T": True, "1": True, "0": False, "FALSE": False, "True": True},
    "date": {"2023-07-01": date(2023, 7, 1), "0001-01-01": date(1, 1, 1), "9999-12-31": date(9999, 12, 31)},
    "timestamp": {
        "2023-07-01": datetime(2023, 7, 1),
        "2023-07-01 10:00": datetime(2023, 7, 1, 10),
        "2023-07-01T10:00:00Z": datetime(2023, 7, 1, 10),
        "2023-07-01 10:00:00+02": datetime(2023, 7, 1, 8),
        "2023-07-01 10:00:00+0200": datetime(2023, 7, 1, 8),
        "2023-07-01 10:00:00-05:30": datetime(2023, 7, 1, 15, 30),
        "2023-07-01 00:30:00+01": datetime(2023, 6, 30, 23, 30),
        "2023-07-01 23:59:59.9999": datetime(2023, 7, 1, 23, 59, 59, 999000),
        "2023-07-01 23:59:59.999999999+00": datetime(2023, 7, 1, 23, 59, 59, 999000),
        "1969-12-31 23:59:59.9999": datetime(1969, 12, 31, 23, 59, 59, 999000),
        "9999-12-31 23:59:59": datetime(9999, 12, 31, 23, 59, 59),
        "0001-01-01 00:00:00-01": datetime(1, 1, 1, 1),
    },
    "decimal(18,4)": {
        "99999999999999.9999": Decimal("99999999999999.9999"),
        "-99999999999999.9999": Decimal("-99999999999999.9999"),
        "000000000000000000000000000000000000000001.5": Decimal("1.5"),
        "1.5000000000000000000000000000000000000000000": Decimal("1.5"),
        "12.5": Decimal("12.5"),
        ".5": Decimal("0.5"),
        "5.": Decimal(5),
        "-0": Decimal(0),
    },
    "decimal(4,4)": {"0.1234": Decimal("0.1234"), ".9999": Decimal("0.9999"), "0": Decimal(0)},
    "decimal(5,0)": {"99999": Decimal(99999), "1.000": Decimal(1), "-1": Decimal(-1)},
}

NO_VALUES: dict[str, list[str]] = {
    "int32": ["12.5", "1e3", "2147483648", "-2147483649", "99999999999", "true"],
    "int64": ["12.5", "12.0", "1e3", "9223372036854775808", "99999999999999999999"],
    "float64": ["1e400", "-1e400", "1e9999", ".", "1f"],
    "boolean": ["2", "-1", "00", "truee"],
    "date": [
        "2023",
        "20230701",
        "2023-02-30",
        "2023-13-01",
        "0000-01-01",
        "12023-07-01",
        "2023-07-01 (BC)",
        "2023-07-01 00:00:00",
    ],
    "timestamp": [
        "2023",
        "20230701",
        "10:00:00",
        "2023-07-01 24:00:00",
        "2023-07-01 23:59:60",
        "2023-02-30 10:00:00",
        "2023-07-01 10:00:00 UTC",
        "2023-07-01 10:00:00 America/New_York",
        "2023-07-01 10:00:00+99",
        "2023-07-01 10:00:00+02:75",
        "2023-07-01  10:00:00",
        "0000-01-01 00:00:00",
        "0001-01-01 00:00:00+05",
        "9999-12-31 23:59:59-05",
        "12023-07-01 10:00:00",
        "2023-07-01 10:00:00 (BC)",
        "1688205600",
    ],
    "decimal(18,4)": ["100000000000000", "1.23456", "1.00001", "1e3", "12.5.5", "."],
    "decimal(4,4)": ["1", "0.12345", "1.0"],
    "decimal(5,0)": ["100000", "1.5"],
}


def source_of(type_: str, timezone: str = "UTC") -> Source:
    return Source("s", key="k", columns={"k": "int64", "v": Column(type_)}, timezone=timezone)


class Typing:
    """Both forms of SQL over one text each, in a session as staging opens it."""

    def __init__(self) -> None:
        self.connection = duckdb.connect(config={"threads": 1})

    def strict(self, sql: DuckDBTypedSql, text: str | None) -> tuple[bool, Any]:
        """Whether the text is accepted, and its value."""
        self._register(sql, text)
        try:
            return True, self._value(f"SELECT v FROM ({sql.strict('texts', ('k', 'v'))})")
        except (duckdb.InvalidInputException, duckdb.ConversionException):
            return False, None

    def explained(self, sql: DuckDBTypedSql, text: str | None) -> tuple[bool, Any]:
        self._register(sql, text)
        self.connection.execute(f"CREATE OR REPLACE TABLE told AS {sql.explained('texts', ('k', 'v'))}")
        ((reason,),) = self.connection.execute("SELECT _reason FROM told").fetchall()
        return reason is None, self._value("SELECT v FROM told") if reason is None else None

    def reason(self, sql: DuckDBTypedSql, text: str | None) -> str | None:
        self._register(sql, text)
        ((reason,),) = self.connection.execute(f"SELECT _reason FROM ({sql.explained('texts', ('k', 'v'))})").fetchall()
        return reason

    def _register(self, sql: DuckDBTypedSql, text: str | None) -> None:
        self.connection.execute(f"SET TimeZone = '{sql.source.timezone}'")
        columns = {"k": ["1"], "v": pa.array([text], pa.string()), "_line": [1], "_raw": [text or ""]}
        self.connection.register("texts", pa.table(columns))

    def _value(self, query: str) -> Any:
        ((value,),) = self.connection.execute(query).fetchall()
        # -0.0 == 0.0, but they are two values.
        return str(value) if isinstance(value, float) else value


@pytest.fixture(scope="module")
def typing() -> Typing:
    return Typing()


def cases(given: dict[str, Any]) -> list[tuple[str, str]]:
    return [(type_, text) for type_, texts in given.items() for text in texts]


@pytest.mark.parametrize(("type_", "text"), cases(VALUES))
def test_what_is_a_value(typing: Typing, type_: str, text: str) -> None:
    """A value that one engine takes and another refuses would make two truths."""
    value = VALUES[type_][text]
    sql = DuckDBTypedSql(source_of(type_), {})
    shown = str(value) if isinstance(value, float) else value
    assert re.fullmatch(pattern(Type.parse(type_)) or "", text)
    assert typing.strict(sql, text) == (True, shown)
    assert typing.explained(sql, text) == (True, shown)


@pytest.mark.parametrize(
    ("type_", "text"), [*cases(NO_VALUES), *((type_, text) for type_ in ("int64", "timestamp") for text in NEVER)]
)
def test_what_is_no_value(typing: Typing, type_: str, text: str) -> None:
    """Engines would make 13 of 12.5, 1000 of 1_000, today of 10:00, and another day of +99."""
    sql = DuckDBTypedSql(source_of(type_), {})
    assert typing.strict(sql, text) == (False, None)
    assert typing.explained(sql, text) == (False, None)
    assert typing.reason(sql, text) == f"column v: '{text}' is not {expected(Type.parse(type_))}"


@pytest.mark.parametrize("type_", TYPES)
def test_nothing_is_null_in_any_column_that_is_not_text(typing: Typing, type_: str) -> None:
    """A quoted nothing in a numeric column is no number, and no mistake worth a day's load."""
    sql = DuckDBTypedSql(source_of(type_), {})
    for text in ("", None):
        assert typing.strict(sql, text) == (True, None)
        assert typing.explained(sql, text) == (True, None)


def test_text_is_kept_as_it_is(typing: Typing) -> None:
    sql = DuckDBTypedSql(source_of("string"), {})
    for text in ("", " x ", "NULL", "12\n", "é１２", None):
        assert typing.strict(sql, text) == typing.explained(sql, text) == (True, text)


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2023-07-01 10:00:00", 14),  # summer time, four hours behind
        ("2023-01-01 10:00:00", 15),
        ("2023-07-01 10:00:00.9999", 14),
        ("2023-07-01 10:00:00+02", 8),  # says its offset itself
        ("2023-07-01 10:00:00Z", 10),
    ],
)
def test_a_timestamp_without_offset_is_in_the_zone_of_its_source(typing: Typing, text: str, hour: int) -> None:
    """An hour's error puts the sales of every evening into the next day."""
    sql = DuckDBTypedSql(source_of("timestamp", "America/New_York"), {})
    for form in (typing.strict, typing.explained):
        accepted, value = form(sql, text)
        assert accepted
        assert value.hour == hour
        assert value.microsecond in (0, 999000)


def test_the_key_of_the_unknown_member_is_no_key(typing: Typing) -> None:
    """A product numbered -1 would swallow every sale without a product."""
    source = Source("s", key="v", columns={"k": "int64", "v": "int64"})
    sql = DuckDBTypedSql(source, {"v": -1})
    for text in ("-1", "-01"):
        assert typing.strict(sql, text) == typing.explained(sql, text) == (False, None)
    assert typing.reason(sql, "-1") == "column v: -1 is the key of the Unknown member"
    assert typing.strict(sql, "1") == typing.explained(sql, "1") == (True, 1)


DIGITS = st.text("0123456789", max_size=22)
SIGNS = st.sampled_from(["", "", "-", "+"])
NUMBERS = st.builds(
    lambda sign, whole, point, rest, exponent: sign + whole + point + rest + exponent,
    SIGNS,
    DIGITS,
    st.sampled_from(["", "."]),
    st.text("0123456789", max_size=8),
    st.sampled_from(["", "", "", "e3", "E-3", "e400", "e"]),
)
TIMES = st.builds(
    lambda *parts: "".join(parts),
    st.sampled_from(["0000", "0001", "0999", "1000", "1969", "2023", "9999", "10000"]),
    st.sampled_from(["-01-01", "-02-29", "-02-28", "-12-31", "-13-01", "-7-1"]),
    st.sampled_from(["", " ", "T", "  "]),
    st.sampled_from(["", "00:00", "00:00:00", "23:59:59", "24:00:00", "23:59:60", "02:30:00"]),
    st.sampled_from(["", ".", ".1", ".999", ".9999", ".123456789", ".1234567890"]),
    st.sampled_from(["", "Z", "+02", "-0530", "+14:00", "+99", "+1", " UTC", "z"]),
)
TEXTS = st.one_of(
    NUMBERS, NUMBERS, TIMES, TIMES, st.sampled_from([*NEVER, ""]), st.text("0123456789+-.eETZ: tf\n１", max_size=12)
)


@settings(max_examples=400, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(type_=st.sampled_from(TYPES), text=TEXTS, zone=st.sampled_from(["UTC", "America/New_York"]))
def test_the_quick_way_and_the_exact_way_agree(typing: Typing, type_: str, text: str, zone: str) -> None:
    """A day is read one way or the other, depending on its other rows: its values must not."""
    sql = DuckDBTypedSql(source_of(type_, zone), {})
    strict = typing.strict(sql, text)
    assert strict == typing.explained(sql, text)
    if strict[0] and text:
        assert re.fullmatch(pattern(Type.parse(type_)) or "", text)
