"""What Athena's expressions are worth: each with the value and the type that Trino documents."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from star_assets.athena.embedded import EmbeddedAthena
from star_assets.model.errors import BadQuery, Unfaithful

D = Decimal

ANSWERS: list[tuple[str, Any, str]] = [
    # Literals
    ("1", 1, "integer"),
    ("2147483648", 2147483648, "bigint"),
    ("1.50", D("1.50"), "decimal(3,2)"),
    ("0.05", D("0.05"), "decimal(2,2)"),
    ("1e0", 1.0, "double"),
    ("'it''s'", "it's", "varchar"),
    ("NULL", None, "unknown"),
    ("DATE '2023-07-01'", date(2023, 7, 1), "date"),
    ("TIMESTAMP '2023-07-01 10:00:00.123'", datetime(2023, 7, 1, 10, 0, 0, 123000), "timestamp"),
    # Integers divide as integers, towards zero
    ("7/2", 3, "integer"),
    ("-7/2", -3, "integer"),
    ("7 % 2", 1, "integer"),
    ("-7 % 2", -1, "integer"),
    ("7/2e0", 3.5, "double"),
    ("1e0/0", float("inf"), "double"),
    ("2147483647 + BIGINT '1'", 2147483648, "bigint"),
    ("CAST(1 AS smallint) + 1", 2, "integer"),
    # Decimals: precision and scale by Trino's rules, rounded half up
    ("1.0 / 3", D("0.3"), "decimal(2,1)"),
    ("10.0 / 4.00", D("2.50"), "decimal(6,2)"),
    ("2 / 3.0", D("0.7"), "decimal(12,1)"),
    ("-2 / 3.0", D("-0.7"), "decimal(12,1)"),
    ("CAST(10 AS decimal(18,4)) / CAST(3 AS decimal(18,4))", D("3.3333"), "decimal(22,4)"),
    ("1.5 * 2.25", D("3.375"), "decimal(5,3)"),
    (
        "CAST(99999999999999.9999 AS decimal(18,4)) * CAST(99999999999999.9999 AS decimal(18,4))",
        D("9999999999999999980000000000.00000001"),
        "decimal(36,8)",
    ),
    ("1.1 + 2.25", D("3.35"), "decimal(4,2)"),
    ("1 + 0.5", D("1.5"), "decimal(12,1)"),
    ("5.5 % 2", D("1.5"), "decimal(2,1)"),
    ("1.5 + 1e0", 2.5, "double"),
    ("round(2.345, 2)", D("2.350"), "decimal(5,3)"),
    ("round(-2.5)", D("-3"), "decimal(2,0)"),
    ("round(2.5e0)", 3.0, "double"),
    ("round(1234, -2)", 1200, "integer"),
    ("ceil(2.1)", D("3"), "decimal(2,0)"),
    ("floor(-2.1)", D("-3"), "decimal(2,0)"),
    ("abs(-5)", 5, "integer"),
    ("mod(7, 4)", 3, "integer"),
    ("power(2, 3)", 8.0, "double"),
    ("ln(0)", float("-inf"), "double"),
    # Casts
    ("CAST(2.5e0 AS integer)", 3, "integer"),
    ("CAST(-2.5e0 AS integer)", -3, "integer"),
    ("CAST(3.5e0 AS bigint)", 4, "bigint"),
    ("CAST(2.5 AS integer)", 3, "integer"),
    ("CAST(2.345 AS decimal(10,2))", D("2.35"), "decimal(10,2)"),
    ("CAST(1.115e0 AS decimal(10,2))", D("1.12"), "decimal(10,2)"),
    ("CAST('12.345' AS decimal(4,2))", D("12.35"), "decimal(4,2)"),
    ("CAST('+7' AS bigint)", 7, "bigint"),
    ("CAST('1.5' AS double)", 1.5, "double"),
    ("CAST(12.50 AS varchar)", "12.50", "varchar"),
    ("CAST(true AS varchar)", "true", "varchar"),
    ("CAST('2023-7-1' AS date)", date(2023, 7, 1), "date"),
    ("CAST(DATE '2023-07-01' AS varchar)", "2023-07-01", "varchar"),
    ("CAST(TIMESTAMP '2023-07-01 23:59:59.999' AS date)", date(2023, 7, 1), "date"),
    ("CAST(concat('2023-07-01 10:00:00', '.1236') AS timestamp)", datetime(2023, 7, 1, 10, 0, 0, 124000), "timestamp"),
    ("TRY_CAST('12.5' AS integer)", None, "integer"),
    ("TRY_CAST('1_000' AS integer)", None, "integer"),
    ("TRY_CAST('2023' AS date)", None, "date"),
    ("TRY_CAST('2023-02-30' AS date)", None, "date"),
    ("try(1/0)", None, "integer"),
    # Conditions
    ("NULL AND false", False, "boolean"),
    ("1 = 1.0", True, "boolean"),
    ("nan() = nan()", False, "boolean"),
    ("nan() > 1", False, "boolean"),
    ("nan() <> nan()", True, "boolean"),
    ("1 IN (2, NULL)", None, "boolean"),
    ("2 BETWEEN 1 AND 2.5", True, "boolean"),
    ("NULL IS DISTINCT FROM 1", True, "boolean"),
    ("'Abc' LIKE 'a%'", False, "boolean"),
    ("'abc' NOT LIKE 'a%'", False, "boolean"),
    ("'abc' NOT LIKE 'z%'", True, "boolean"),
    ("'50%' NOT LIKE '50!%' ESCAPE '!'", False, "boolean"),
    ("1 IS NOT NULL", True, "boolean"),
    ("'50%' LIKE '50!%' ESCAPE '!'", True, "boolean"),
    ("CASE WHEN 1 = 2 THEN 1 ELSE 2.5 END", D("2.5"), "decimal(11,1)"),
    ("CASE 3 WHEN 3 THEN 'x' END", "x", "varchar"),
    ("if(1 > 2, 'a')", None, "varchar"),
    ("coalesce(NULL, 1, 2e0)", 1.0, "double"),
    ("nullif(1, 1.0)", None, "integer"),
    ("greatest(1, NULL, 3)", None, "integer"),
    ("least(2, 1.5)", D("1.5"), "decimal(11,1)"),
    # Dates
    ("date_trunc('month', DATE '2023-07-15')", date(2023, 7, 1), "date"),
    ("date_trunc('hour', TIMESTAMP '2023-07-15 10:20:30')", datetime(2023, 7, 15, 10), "timestamp"),
    ("DATE '2023-07-01' + INTERVAL '1' DAY", date(2023, 7, 2), "date"),
    ("DATE '2023-03-31' - INTERVAL '1' MONTH", date(2023, 2, 28), "date"),
    ("TIMESTAMP '2023-07-01 10:00:00' + INTERVAL '2' HOUR", datetime(2023, 7, 1, 12), "timestamp"),
    ("date_add('month', 1, DATE '2023-01-31')", date(2023, 2, 28), "date"),
    ("date_add('day', -1, DATE '2023-01-01')", date(2022, 12, 31), "date"),
    ("date_diff('month', DATE '2023-01-31', DATE '2023-02-01')", 0, "bigint"),
    ("date_diff('day', DATE '2023-07-01', DATE '2023-10-01')", 92, "bigint"),
    ("date_diff('hour', TIMESTAMP '2023-07-01 10:30:00', TIMESTAMP '2023-07-01 12:29:00')", 1, "bigint"),
    ("date_diff('day', DATE '2023-07-03', DATE '2023-07-01')", -2, "bigint"),
    ("extract(dow FROM DATE '2023-10-01')", 7, "bigint"),
    ("day_of_week(DATE '2023-10-02')", 1, "bigint"),
    ("week(DATE '2023-01-01')", 52, "bigint"),
    ("year_of_week(DATE '2023-01-01')", 2022, "bigint"),
    ("quarter(DATE '2023-07-01')", 3, "bigint"),
    ("extract(year FROM TIMESTAMP '2023-07-01 00:00:00')", 2023, "bigint"),
    ("millisecond(TIMESTAMP '2023-07-01 00:00:01.250')", 250, "bigint"),
    ("last_day_of_month(DATE '2024-02-10')", date(2024, 2, 29), "date"),
    ("date_format(TIMESTAMP '2023-07-01 15:04:05', '%Y-%m-%d %H:%i:%s %p %W %M')",
     "2023-07-01 15:04:05 PM Saturday July", "varchar"),
    ("date_format(DATE '2023-07-01', '%c/%e')", "7/1", "varchar"),
    ("date_parse('2023-07-01 15', '%Y-%m-%d %H')", datetime(2023, 7, 1, 15), "timestamp"),
    ("from_iso8601_date('2023-07-01')", date(2023, 7, 1), "date"),
    ("date('2023-07-01')", date(2023, 7, 1), "date"),
    ("current_date >= DATE '2023-07-01'", True, "boolean"),
    # Text
    ("substr('hello', 0)", "", "varchar"),
    ("substr('hello', -3, 2)", "ll", "varchar"),
    ("substr('abc', -5)", "", "varchar"),
    ("substring('hello' FROM 2 FOR 3)", "ell", "varchar"),
    ("split_part('a,b', ',', 2)", "b", "varchar"),
    ("split_part('a,b', ',', 3)", None, "varchar"),
    ("strpos('hello', 'l')", 3, "bigint"),
    ("position('x' IN 'hello')", 0, "bigint"),
    ("concat('a', NULL)", None, "array(varchar)"),
    ("concat('a', NULL, 'b')", None, "varchar"),
    ("'a' || 'b'", "ab", "varchar"),
    ("length('é€')", 2, "bigint"),
    ("upper('straße')", "STRAßE", "varchar"),
    ("trim('  a ')", "a", "varchar"),
    ("trim(BOTH 'x' FROM 'xax')", "a", "varchar"),
    ("replace('aba', 'a')", "b", "varchar"),
    ("lpad('7', 3, '0')", "007", "varchar"),
    ("regexp_extract('abc', 'x')", None, "varchar"),
    ("regexp_extract('a1b2', '([a-z])([0-9])', 2)", "1", "varchar"),
    ("regexp_like('abc', 'b')", True, "boolean"),
    ("regexp_replace('a1b2', '([a-z])([0-9])', '$2$1')", "1a2b", "varchar"),
    # Arrays
    ("ARRAY[1,2][2]", 2, "integer"),
    ("element_at(ARRAY[1,2], 5)", None, "integer"),
    ("element_at(ARRAY[1,2], -1)", 2, "integer"),
    ("cardinality(ARRAY[1,2,3])", 3, "bigint"),
    ("contains(ARRAY[1,NULL], 2)", None, "boolean"),
    ("contains(ARRAY[1,2], 2)", True, "boolean"),
    ("array_max(ARRAY[1,NULL])", None, "integer"),
    ("array_join(ARRAY['a',NULL,'b'], '-')", "a-b", "varchar"),
    ("split('a-b', '-')", ["a", "b"], "array(varchar)"),
    ("sequence(3, 1)", [3, 2, 1], "array(bigint)"),
    ("ARRAY[1] || ARRAY[2]", [1, 2], "array(integer)"),
]  # fmt: skip

REFUSED: list[tuple[str, str]] = [
    ("format('%tF', DATE '2023-07-01')", "%t"),
    ("map(ARRAY[1e0], ARRAY[2])", "keys are of type double"),
    ("regexp_replace('ab', '(a)', x -> upper(x[1]))", "regexp_replace with a lambda"),
    ("coalesce(current_timestamp, now() AT TIME ZONE 'Asia/Tokyo')", "several zones"),
    ("hour(from_iso8601_timestamp('2023-07-01T10:00:00+02:00'))", "several zones"),
    ("CAST(ARRAY['abc'] AS array(varchar(2)))", "length of its texts"),
    ("CAST('abc' AS char(3))", "char"),
    ("TIMESTAMP '2023-07-01 00:00:00.123456'", "finer than milliseconds|timestamp"),
    ("ARRAY[INTERVAL '1' DAY]", "interval day to second"),
    ("random()", "random"),
    ("CAST('87388800.70783' AS decimal(13,5)) / CAST('8.49375959777974966' AS decimal(18,17))", "decimal division"),
    ("ARRAY[1e0] < ARRAY[2e0]", "order of values of type array"),
    ("json_value('[{\"a\": 1}]', 'lax $.a')", "through an array"),
    ("date_parse('07-01', '%m-%d')", "date_parse without %Y"),
    ("regexp_like('a', '[[:alpha:]]')", "regular expression"),
    ("regexp_like('a', concat('[[:alpha:]', ']'))", "regular expression"),
    ("1e0 = ANY (VALUES 1e0)", "ANY"),
    ("reduce_agg(1, 0, (a, b) -> a + b, (a, b) -> a + b)", "reduce_agg"),
    ("ARRAY[1] < ARRAY[NULL]", "hold NULL"),
    # TRY makes NULL of Athena's errors, not of what is refused here.
    ("TRY(soundex('é'))", "soundex"),
    ("TRY(format('%(d', 1))", "%\\(d"),
    ("TRY(regexp_like('a', concat('[[:alpha:]', ']')))", "regular expression"),
    ("TRY(json_value('[{\"a\": 1}]', 'lax $.a'))", "through an array"),
    (
        "TRY(CAST('87388800.70783' AS decimal(13,5)) / CAST('8.49375959777974966' AS decimal(18,17)))",
        "decimal division",
    ),
    ("TRY(ARRAY[1] < ARRAY[NULL])", "hold NULL"),
    ("TRY(1 / count(*))", "TRY of an aggregate"),
    ("TRY((SELECT 1 / 0))", "TRY of an aggregate, a window function or a subquery"),
    ("TRY(1 / count(*) OVER ())", "TRY of an aggregate"),
    ("TRY_CAST(soundex('é') AS integer)", "soundex"),
    # Years that Athena has and Python has not
    ("DATE '9999-12-31' + INTERVAL '1' DAY", "after 9999"),
    ("DATE '0001-01-01' - INTERVAL '1' DAY", "before 1"),
    ("date_add('year', 8000, DATE '2023-01-01')", "after 9999"),
    ("ARRAY[ROW(1, TIMESTAMP '9999-12-31 23:59:59' + INTERVAL '1' SECOND)]", "after 9999"),
    ("MAP(ARRAY[1], ARRAY[DATE '9999-12-31' + INTERVAL '1' DAY])", "after 9999"),
    ("from_unixtime(253402300800)", "after 9999"),
    ("CAST(TIMESTAMP '9999-12-31 23:59:59' + INTERVAL '1' SECOND AS varchar)", "after 9999"),
    ("CAST(DATE '0001-01-01' - INTERVAL '1' DAY AS varchar)", "before 1"),
    ("DATE '10000-01-01'", "the year of 10000-01-01"),
    ("TRY_CAST(concat('-0001', '-01-01') AS date)", "the year of -0001-01-01"),
    ("TRY_CAST('23-01-01 10:00' AS timestamp)", "the year of 23-01-01"),
    ("TIMESTAMP '0001-01-01 00:00:00 Asia/Tokyo'", "in UTC"),
    ("CAST('9999-12-31 23:59:59.9999' AS timestamp)", "rounded"),
]

WRONG: list[tuple[str, str]] = [
    ("1/0", "Division by zero"),
    ("1 % 0", "Division by zero"),
    ("1.0/0", "Division by zero"),
    ("2147483647 + 1", "NUMERIC_VALUE_OUT_OF_RANGE"),
    ("9223372036854775807 + 1", "NUMERIC_VALUE_OUT_OF_RANGE"),
    ("CAST(300 AS tinyint)", "NUMERIC_VALUE_OUT_OF_RANGE"),
    ("CAST('12.5' AS integer)", "Cannot cast '12.5' to integer"),
    ("CAST('9999999999' AS integer)", "'9999999999' does not fit"),
    ("CAST('x' AS date)", "cannot be cast to date"),
    ("CAST(lower('X') AS date)", "Cannot cast 'x' to date"),
    ("DATE '2023-02-30'", "no date: 2023-02-30"),
    ("date_format(DATE '2023-07-01', '%U')", "%U not supported"),
    ("MAP(ARRAY['a'], ARRAY[1])['z']", "Key not present in map: z"),
    ("transform(ARRAY['x'], s -> CAST(s AS integer))", "Cannot cast 'x' to integer"),
    ("json_parse('nope')", "Cannot convert value to JSON: 'nope'"),
    ("json_extract('{}', 'a')", "Invalid JSON path: 'a'"),
    ("now() AT TIME ZONE 'Mars/Base'", "'Mars/Base' is not a valid time zone"),
    ("extract(hour FROM DATE '2023-07-01')", "Cannot extract HOUR from date"),
    ("ROW(1, 2)[3]", "no field at that place"),
    ("filter(ARRAY[1], x -> x)", "the lambda must be boolean, found integer"),
    ("transform(ARRAY[1], (x, y) -> x)", "transform expects a value, a lambda of 1"),
    ("ARRAY[1,2][5]", "Array subscript must be at most"),
    ("ARRAY[1,2][0]", "Array subscript is less than 1"),
    ("split_part('a', ',', 0)", "Index must be greater"),
    ("DATE '2023-07-01' = '2023-07-01'", "TYPE_MISMATCH: Operator = .*date, varchar.*DATE '2023-07-01'"),
    ("1 = '1'", "TYPE_MISMATCH"),
    ("'a' || 1", "FUNCTION_NOT_FOUND"),
    ("concat('a', 1)", "FUNCTION_NOT_FOUND"),
    ("1 + 'a'", "TYPE_MISMATCH"),
    ("lower(1)", r"FUNCTION_NOT_FOUND: lower\(integer\).*Expected lower\(varchar\)"),
    ("coalesce(1, 'a')", "TYPE_MISMATCH"),
    ("CASE WHEN 1 THEN 2 END", "WHEN must be boolean"),
    ("CAST(DATE '2023-07-01' AS integer)", "Cannot cast date to integer"),
    ("CAST(1 AS string)", "varchar"),
    ("'1'::integer", "CAST"),
    ("date_trunc('hour', DATE '2023-07-01')", "'hour' is not a valid unit"),
    ("date_trunc('fortnight', DATE '2023-07-01')", "fortnight"),
    ("DATE '2023-07-01' + INTERVAL '1' HOUR", "Cannot add hour"),
    ("INTERVAL '1 day'", "not a valid INTERVAL literal"),
    ("true IS TRUE", "IS NULL"),
    ("(SELECT 1 FROM (VALUES 1, 2) AS t(x))", "more than one row"),
    ("row_number()", "OVER"),
    ("substr('a')", "Expected substr"),
]


@pytest.mark.parametrize(("sql", "value", "type_"), ANSWERS, ids=[sql for sql, _, _ in ANSWERS])
def test_an_expression_is_worth_what_trino_says(athena: EmbeddedAthena, sql: str, value: Any, type_: str) -> None:
    """A wrong value here is a wrong figure in a report, and nothing would show it."""
    result = athena.query(f"SELECT {sql}")
    assert (result.table.column(0).to_pylist(), result.types) == ([value], (type_,))


@pytest.mark.parametrize(("sql", "name"), REFUSED, ids=[sql for sql, _ in REFUSED])
def test_the_unfaithful_is_refused_by_name(athena: EmbeddedAthena, sql: str, name: str) -> None:
    """What is not known to be answered as Athena does must not be answered at all."""
    with pytest.raises(Unfaithful, match=name):
        athena.query(f"SELECT {sql}")


@pytest.mark.parametrize(("sql", "problem"), WRONG, ids=[sql for sql, _ in WRONG])
def test_an_error_on_athena_is_an_error_here(athena: EmbeddedAthena, sql: str, problem: str) -> None:
    """DuckDB would answer most of these."""
    with pytest.raises(BadQuery, match=problem):
        athena.query(f"SELECT {sql}")
