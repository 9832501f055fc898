"""What Athena's queries give: clauses, names, joins, groups, windows, and errors with their place."""

from __future__ import annotations

from decimal import Decimal
from threading import Thread
from typing import Any

import pytest

from star_assets.athena.embedded import EmbeddedAthena
from star_assets.model.errors import BadQuery, Unfaithful

REFERENCE = """SELECT p.product_name, SUM(f.revenue) AS total_revenue
FROM fact_sales f
JOIN dim_product p ON f.product_id = p.product_id
JOIN dim_store s ON f.store_id = s.store_id
WHERE s.city = 'Miami' AND f.date BETWEEN '2023-07-01' AND '2023-09-30'
GROUP BY p.product_name
ORDER BY total_revenue DESC;"""

V = "(VALUES (1, 'a'), (2, 'b'), (NULL, 'c')) AS t(x, y)"

ROWS: list[tuple[str, list[tuple[Any, ...]]]] = [
    # NULL comes last, in both directions, unless told
    (f"SELECT x FROM {V} ORDER BY x", [(1,), (2,), (None,)]),
    (f"SELECT x FROM {V} ORDER BY x DESC", [(2,), (1,), (None,)]),
    (f"SELECT x FROM {V} ORDER BY x DESC NULLS FIRST", [(None,), (2,), (1,)]),
    (f"SELECT x + 1 AS z FROM {V} ORDER BY z LIMIT 1", [(2,)]),
    (f"SELECT x AS z FROM {V} ORDER BY z + 0 DESC OFFSET 1 LIMIT 1", [(1,)]),
    (f"SELECT y FROM {V} ORDER BY 1 DESC FETCH FIRST 1 ROW ONLY", [("c",)]),
    # Names
    ("SELECT * FROM (SELECT 1, 2 AS a)", [(1, 2)]),
    ("SELECT T.A FROM (SELECT 1 AS a) t", [(1,)]),
    ("WITH a(n) AS (SELECT 1), b AS (SELECT n + 1 AS m FROM a) SELECT n, m FROM a, b", [(1, 2)]),
    ("SELECT olap.dim_store.city FROM dim_store WHERE store_id = 1", [("Miami",)]),
    ("SELECT city FROM awsdatacatalog.olap.dim_store WHERE store_id = 1", [("Miami",)]),
    ("TABLE dim_store", [(1, "Miami"), (2, "Austin")]),
    ("VALUES (1, 'x'), (2, NULL)", [(1, "x"), (2, None)]),
    ("VALUES 1, 2.5", [(Decimal("1.0"),), (Decimal("2.5"),)]),
    # Joins
    ("SELECT a.k, b.k FROM (VALUES 1, 2) a(k) LEFT JOIN (VALUES 2) b(k) ON a.k = b.k ORDER BY 1", [(1, None), (2, 2)]),
    ("SELECT k, p, q FROM (VALUES (1, 'p')) a(k, p) FULL JOIN (VALUES (2, 'q')) b(k, q) USING (k) ORDER BY k",
     [(1, "p", None), (2, None, "q")]),
    ("SELECT * FROM (VALUES (1, 'p')) a(k, p) JOIN (VALUES (1, 'q')) b(k, q) USING (k)", [(1, "p", "q")]),
    ("SELECT count(*) FROM dim_store, dim_product", [(4,)]),
    ("SELECT x, n FROM (VALUES 1) t(x) CROSS JOIN UNNEST(ARRAY['a','b']) WITH ORDINALITY AS u(y, n) ORDER BY n",
     [(1, 1), (1, 2)]),
    ("SELECT a, b FROM UNNEST(ARRAY[1,2], ARRAY['x']) AS t(a, b) ORDER BY a", [(1, "x"), (2, None)]),
    ("SELECT x, z FROM (VALUES 1, 2) t(x) CROSS JOIN LATERAL (SELECT x * 10 AS z) ORDER BY 1", [(1, 10), (2, 20)]),
    # Subqueries
    ("SELECT city FROM dim_store s WHERE EXISTS (SELECT 1 FROM fact_sales f WHERE f.store_id = s.store_id) ORDER BY 1",
     [("Austin",), ("Miami",)]),
    ("SELECT 1 WHERE 2 IN (SELECT product_id FROM dim_product)", [(1,)]),
    ("SELECT 1 WHERE 3 NOT IN (SELECT x FROM (VALUES 1, NULL) AS t(x))", []),
    ("SELECT (SELECT max(city) FROM dim_store)", [("Miami",)]),
    ("SELECT t.x FROM (VALUES 1) t(x) WHERE EXISTS (SELECT 1 FROM (VALUES 2) t(z) WHERE x = 1)", [(1,)]),
    # Sets
    ("SELECT 1 UNION SELECT 1.5 ORDER BY 1", [(Decimal("1.0"),), (Decimal("1.5"),)]),
    ("SELECT 1 AS a UNION ALL SELECT 1 ORDER BY a", [(1,), (1,)]),
    ("SELECT 1 UNION SELECT 2 INTERSECT SELECT 3", [(1,)]),
    ("(VALUES 1, 1, 2) EXCEPT ALL (VALUES 1) ORDER BY 1", [(1,), (2,)]),
    # Groups
    (f"SELECT count(*), count(x), sum(x), avg(x), min(y), max(y) FROM {V}", [(3, 2, 3, 1.5, "a", "c")]),
    ("SELECT avg(x) FROM (VALUES 0.01, 0.02) t(x)", [(Decimal("0.02"),)]),
    ("SELECT avg(x) FROM (VALUES 0.01) t(x) WHERE x > 1", [(None,)]),
    (f"SELECT count_if(x > 1), count(*) FILTER (WHERE x IS NULL), arbitrary(x) IS NULL FROM {V}", [(1, 1, False)]),
    ("SELECT max_by(a, b), min_by(a, b) FROM (VALUES (NULL, 3), (1, 2), (2, NULL)) t(a, b)", [(None, 1)]),
    (f"SELECT array_agg(x ORDER BY x DESC) FROM {V}", [([2, 1, None],)]),
    (f"SELECT listagg(y, '-') WITHIN GROUP (ORDER BY y DESC) FROM {V}", [("c-b-a",)]),
    ("SELECT count(DISTINCT store_id), approx_distinct(product_id) FROM fact_sales", [(2, 2)]),
    ("SELECT city, count(*) AS n FROM dim_store GROUP BY 1 HAVING count(*) > 0 ORDER BY n, 1",
     [("Austin", 1), ("Miami", 1)]),
    ("SELECT x % 2, count(*) FROM (VALUES 1, 2, 3) t(x) GROUP BY x % 2 ORDER BY 1", [(0, 1), (1, 2)]),
    ("SELECT 7, count(*) FROM (VALUES 1, 2) t(x) GROUP BY 1", [(7, 2)]),
    ("SELECT x, sum(x), grouping(x) FROM (VALUES 1, 2) t(x) GROUP BY ROLLUP (x) ORDER BY 1",
     [(1, 1, 0), (2, 2, 0), (None, 3, 1)]),
    ("SELECT x, y, count(*) FROM (VALUES (1, 2)) t(x, y) GROUP BY GROUPING SETS ((x, y), (x), ()) ORDER BY 1, 2",
     [(1, 2, 1), (1, None, 1), (None, None, 1)]),
    ("SELECT count(*) FROM (VALUES 1) t(x) WHERE x > 1", [(0,)]),
    # Windows
    (f"SELECT y, row_number() OVER (ORDER BY x DESC) FROM {V} ORDER BY 2", [("b", 1), ("a", 2), ("c", 3)]),
    (f"SELECT sum(x) OVER (ORDER BY y ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM {V} ORDER BY y",
     [(1,), (3,), (2,)]),
    (f"SELECT lag(y, 1, 'none') OVER (ORDER BY y) FROM {V} ORDER BY y", [("none",), ("a",), ("b",)]),
    ("SELECT x, sum(sum(x)) OVER () FROM (VALUES 1, 2) t(x) GROUP BY x ORDER BY 1", [(1, 3), (2, 3)]),
    # Days of a calendar
    ("SELECT count(*) FROM UNNEST(sequence(DATE '2023-07-01', DATE '2023-09-30')) AS t(d)", [(92,)]),
]  # fmt: skip

ERRORS: list[tuple[str, str, int | None, int | None]] = [
    ("SELECT x,\n  nme FROM (VALUES (1, 2)) t(x, name)", "no column 'nme'. Known, closest first: name", 2, 3),
    ("SELECT 1\nFROM fact_sale", "no table olap.fact_sale. Known, closest first: fact_sales", 2, 6),
    ("SELECT q.x FROM (VALUES 1) t(x)", "no table 'q' in this FROM. There are: t", 1, 8),
    ("SELECT store_id FROM fact_sales JOIN dim_store ON 1 = 1", "ambiguous: fact_sales, dim_store", 1, 8),
    ("SELECT 1 FROM dim_store WHERE store_id = 'x'", "TYPE_MISMATCH", 1, 42),
    ("SELECT 1 FROM dim_store WHERE store_id", "WHERE must be boolean", 1, 31),
    ("SELECT 1 frm t", "Syntax error at 't'", 1, 14),
    ("SELECT 1 +", "something is missing", 1, 10),
    ("SELEC 1", "Expected a statement", 1, 1),
    ("SELECT 'a", "never closed", 1, 1),
    ("SELECT x AS z FROM (VALUES 1) t(x) WHERE z = 1", "no column 'z'", 1, 42),
    ("SELECT x AS z FROM (VALUES 1) t(x) GROUP BY z", "no column 'z'", 1, 45),
    ("SELECT 1 AS a, 2 AS a ORDER BY a", "several of that name", 1, 32),
    ("SELECT 1 UNION SELECT 'a'", "column 1 of UNION is integer on one side, varchar", 1, 8),
    ("SELECT 1 UNION SELECT 1, 2", "as many columns", 1, 8),
    ("SELECT 1 ORDER BY 2", "SELECT has 1 columns", 1, 19),
    ("SELECT city, count(*) FROM dim_store", "EXPRESSION_NOT_AGGREGATE", None, None),
    ("SELECT 1 FROM dim_store WHERE count(*) > 1", "WHERE cannot contain aggregates", None, None),
    ("SELECT DISTINCT city FROM dim_store ORDER BY store_id", "EXPRESSION_NOT_IN_DISTINCT", 1, 46),
    ("SELECT count(*) FROM dim_store GROUP BY ROLLUP (city || 'x')", "INVALID_COLUMN_REFERENCE", 1, 49),
    ("SELECT count(*) FILTER (WHERE true) OVER () FROM dim_store", "FILTER is not yet supported", 1, 8),
    ("SELECT sum(store_id) OVER v FROM dim_store WINDOW w AS ()", "There is no window 'v'", 1, 8),
    ("SELECT 1 FROM dim_store JOIN dim_product", "JOIN needs ON or USING", 1, 30),
    ("SELECT count(DISTINCT city) OVER () FROM dim_store", "DISTINCT cannot be used in a window", 1, 8),
    ("SELECT count(city, store_id) FROM dim_store", "count expects 1 arguments", 1, 8),
    ("SELECT 1 LIMIT 'x'", "LIMIT expects a whole number", 1, 16),
    ("SELECT `city` FROM dim_store", "backticks", 1, 8),
    ("", "no statement", None, None),
    (" -- nothing\n;", "no statement", None, None),
]

REFUSED: list[tuple[str, str]] = [
    ("INSERT INTO dim_store VALUES (1, 'x')", "INSERT"),
    ("UNLOAD (SELECT 1) TO 's3://b/'", "UNLOAD"),
    ("EXPLAIN SELECT 1", "EXPLAIN"),
    ("SELECT 1 FROM dim_store TABLESAMPLE BERNOULLI (10)", "SAMPLE"),
    ("WITH RECURSIVE t(n) AS (SELECT 1) SELECT n FROM t", "WITH RECURSIVE"),
    ("SELECT sum(store_id) OVER (ORDER BY city RANGE BETWEEN 1 PRECEDING AND CURRENT ROW) FROM dim_store", "RANGE"),
    ("SELECT DISTINCT MAP(ARRAY[store_id], ARRAY[1]) FROM dim_store", "SELECT DISTINCT of values of type map"),
    ("SELECT 1 FROM dim_store NATURAL JOIN dim_product", "NATURAL"),
    ("SELECT city FROM dim_store FETCH FIRST 1 ROW WITH TIES", "WITH TIES"),
    ("SELECT max(x) FROM (VALUES nan()) t(x)", "NaN"),
    ("SELECT max(store_id, 2, 3) FROM dim_store", "max with 3 arguments"),
    ("SELECT table_name FROM information_schema.tables", "information_schema"),
]


def rows(athena: EmbeddedAthena, sql: str) -> list[tuple[Any, ...]]:
    table = athena.query(sql).table
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def test_the_reference_query_runs_word_for_word(athena: EmbeddedAthena) -> None:
    """The question that the whole star is for."""
    result = athena.query(REFERENCE)
    assert result.table.to_pylist() == [
        {"product_name": "Coffee", "total_revenue": Decimal("22.5000")},
        {"product_name": "Tea", "total_revenue": Decimal("20.5000")},
    ]
    assert result.types == ("varchar", "decimal(38,4)")
    assert (result.statement, result.notices) == ("query", ())


@pytest.mark.parametrize(("sql", "expected"), ROWS, ids=[sql for sql, _ in ROWS])
def test_a_query_gives_the_rows_that_trino_gives(
    athena: EmbeddedAthena, sql: str, expected: list[tuple[Any, ...]]
) -> None:
    """Names, order and groups are where SQL dialects part silently."""
    assert rows(athena, sql) == expected


@pytest.mark.parametrize(("sql", "problem", "line", "column"), ERRORS, ids=[sql for sql, *_ in ERRORS])
def test_an_error_points_to_its_place(
    athena: EmbeddedAthena, sql: str, problem: str, line: int | None, column: int | None
) -> None:
    """In a query of fifty lines, a message without a place is a search."""
    with pytest.raises(BadQuery) as caught:
        athena.query(sql)
    assert problem in str(caught.value)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert "duckdb" not in str(caught.value).lower()


@pytest.mark.parametrize(("sql", "name"), REFUSED, ids=[sql for sql, _ in REFUSED])
def test_what_is_not_known_to_be_faithful_is_refused(athena: EmbeddedAthena, sql: str, name: str) -> None:
    """Ignoring a clause would answer another question."""
    with pytest.raises(Unfaithful, match=name):
        athena.query(sql)


def test_columns_are_called_as_they_are_written(athena: EmbeddedAthena) -> None:
    """Power BI and scripts go by these names."""
    table = athena.query("SELECT 1, city AS City, store_id, upper(city) FROM dim_store").table
    assert table.column_names == ["_col0", "City", "store_id", "_col3"]


def test_two_columns_may_have_one_name(athena: EmbeddedAthena) -> None:
    """`SELECT *` over a join does it."""
    table = athena.query("SELECT * FROM dim_store a JOIN dim_store b ON a.store_id = b.store_id").table
    assert table.column_names == ["store_id", "city", "store_id", "city"]


def test_of_several_statements_the_last_one_answers(athena: EmbeddedAthena) -> None:
    """A script ends with its question."""
    assert rows(athena, "SELECT 1; -- first\n SELECT ';' /* ; */ ;") == [(";",)]


def test_an_error_in_the_second_statement_has_its_place_in_the_whole_text(athena: EmbeddedAthena) -> None:
    """Editors count lines of the file, not of the statement."""
    with pytest.raises(BadQuery, match="line 3:8"):
        athena.query("SELECT 1;\n\nSELECT nope")


def test_what_is_approximate_on_athena_is_exact_and_says_so(athena: EmbeddedAthena) -> None:
    """Else somebody compares the figures and looks for a bug."""
    assert "exactly" in athena.query("SELECT approx_distinct(city) FROM dim_store").notices[0]


def test_threads_may_share_it(athena: EmbeddedAthena) -> None:
    """Dagster's checks and a dashboard ask at once."""
    found: list[object] = []
    threads = [Thread(target=lambda: found.append(rows(athena, "SELECT count(*) FROM fact_sales"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [[(12,)]] * 8
