"""Mistakes in SQL: what is wrong in itself, and what the embedded Athena does not answer."""

from __future__ import annotations

from .case import Mistake


def _asked(done: str, sql: str, says: str) -> Mistake:
    return Mistake(done, ("query", sql), says)


MISTAKES = [
    _asked(
        "a keyword with a letter too many",
        "SELECTT 1",
        ("Error: line 1:1: Expected a statement, found 'SELECTT'.\n  SELECTT 1\n  ^\n"),
    ),
    _asked(
        "a statement without an end",
        "SELECT 1 FROM",
        ("Error: line 1:10: Syntax error at 'FROM': Expected table name.\n  SELECT 1 FROM\n           ^\n"),
    ),
    _asked(
        "a bracket that is never closed",
        "SELECT (1 + 2",
        ("Error: line 1:13: Syntax error at '2': Expecting ).\n  SELECT (1 + 2\n              ^\n"),
    ),
    _asked(
        "a text that is never closed",
        "SELECT 'Miami",
        ("Error: line 1:1: A quote or a comment is opened here, or later, and never closed.\n  SELECT 'Miami\n  ^\n"),
    ),
    _asked(
        "a comment that is never closed",
        "SELECT 1 /* one",
        ("Error: line 1:1: A quote or a comment is opened here, or later, and never closed.\n  SELECT 1 /* one\n  ^\n"),
    ),
    _asked(
        "a table in FROM that there is not",
        "SELECT 1\nFROM fact_sale",
        (
            "Error: line 2:6: There is no table olap.fact_sale. Known, closest first: fact_sales, dim_store, "
            "dim_time, dim_customer, dim_product_history, dim_product, staging.pos_sales, staging.products, "
            "staging.order_items, staging.orders, staging.stores, staging.customers.\n  "
            "FROM fact_sale\n       "
            "^\n"
        ),
    ),
    _asked(
        "a database that there is not",
        "SELECT 1 FROM sales.fact_sales",
        (
            "Error: line 1:15: There is no table sales.fact_sales. Known, closest first: fact_sales, "
            "staging.pos_sales, staging.products, dim_store, dim_product_history, staging.orders, staging.stores, "
            "dim_product, staging.customers, staging.order_items, dim_time, dim_customer.\n  "
            "SELECT 1 FROM sales.fact_sales\n                "
            "^\n"
        ),
    ),
    _asked(
        "a column that there is not",
        "SELECT city, revenu FROM fact_sales",
        (
            "Error: line 1:8: There is no column 'city'. Known, closest first: quantity, discount, "
            "product_id, product_sk, unit_price, customer_id, date, sale_id, sold_at, order_id, store_id, "
            "sale_date.\n"
            "  SELECT city, revenu FROM fact_sales\n"
            "         ^\n"
        ),
    ),
    _asked(
        "a column of the wrong table",
        "SELECT f.city FROM fact_sales f",
        (
            "Error: line 1:8: There is no column 'city'. Known, closest first: quantity, discount, "
            "product_id, product_sk, unit_price, customer_id, date, sale_id, sold_at, order_id, store_id, "
            "sale_date.\n"
            "  SELECT f.city FROM fact_sales f\n"
            "         ^\n"
        ),
    ),
    _asked(
        "a column that two tables have",
        "SELECT store_id FROM fact_sales f JOIN dim_store s ON f.store_id = s.store_id",
        (
            "Error: line 1:8: Column 'store_id' is ambiguous: f, s have it. Write table.store_id.\n"
            "  SELECT store_id FROM fact_sales f JOIN dim_store s ON f.store_id = s.store_id\n"
            "         ^\n"
        ),
    ),
    _asked(
        "an alias that there is not",
        "SELECT x.revenue FROM fact_sales f",
        (
            "Error: line 1:8: There is no table 'x' in this FROM. There are: f.\n"
            "  SELECT x.revenue FROM fact_sales f\n"
            "         ^\n"
        ),
    ),
    _asked(
        "an alias in WHERE",
        "SELECT revenue AS r FROM fact_sales WHERE r > 1",
        (
            "Error: line 1:43: There is no column 'r'. Known, closest first: revenue, order_id, store_id, "
            "product_id, product_sk, unit_price, customer_id, line_number, is_provisional, date, discount, "
            "quantity.\n  "
            "SELECT revenue AS r FROM fact_sales WHERE r > 1\n                                            "
            "^\n"
        ),
    ),
    _asked(
        "a column that is not grouped",
        "SELECT store_id, sum(revenue) FROM fact_sales",
        (
            "Error: EXPRESSION_NOT_AGGREGATE: what SELECT, HAVING and ORDER BY use must be in GROUP BY or in "
            "an aggregate.\n"
        ),
    ),
    _asked(
        "an aggregate in WHERE",
        "SELECT 1 FROM fact_sales WHERE sum(revenue) > 1",
        "Error: WHERE cannot contain aggregates.\n",
    ),
    _asked(
        "an aggregate of an aggregate",
        "SELECT sum(max(revenue)) FROM fact_sales",
        "Error: An aggregate cannot contain another.\n",
    ),
    _asked(
        "a function that there is not",
        "SELECT revenu(1)",
        (
            "Error: The embedded Athena does not answer revenu(), because it could not do so faithfully. Run "
            "it on Athena, or write it otherwise.\n"
        ),
    ),
    _asked(
        "a function of another database",
        "SELECT to_char(current_date, 'YYYY')",
        (
            "Error: The embedded Athena does not answer to_char(), because it could not do so faithfully. "
            "Run it on Athena, or write it otherwise.\n"
        ),
    ),
    _asked(
        "too few arguments",
        "SELECT substr('abc')",
        (
            "Error: line 1:8: FUNCTION_NOT_FOUND: substr(varchar) is not known. Expected substr(varchar, "
            "bigint) or substr(varchar, bigint, bigint).\n"
            "  SELECT substr('abc')\n"
            "         ^\n"
        ),
    ),
    _asked(
        "a text and a number compared",
        "SELECT 1 FROM dim_store WHERE city = 5",
        (
            "Error: line 1:38: TYPE_MISMATCH: Operator = cannot be applied to varchar, integer. CAST one of "
            "them.\n"
            "  SELECT 1 FROM dim_store WHERE city = 5\n"
            "                                       ^\n"
        ),
    ),
    _asked(
        "a number and a text added",
        "SELECT 1 + 'a'",
        (
            "Error: line 1:8: TYPE_MISMATCH: Operator + cannot be applied to integer, varchar. CAST one of "
            "them.\n"
            "  SELECT 1 + 'a'\n"
            "         ^\n"
        ),
    ),
    _asked("a division by zero", "SELECT 1 / 0", "Error: DIVISION_BY_ZERO: Division by zero.\n"),
    _asked(
        "a cast of what is no number",
        "SELECT CAST('twelve' AS integer)",
        "Error: INVALID_CAST_ARGUMENT: Cannot cast 'twelve' to integer.\n",
    ),
    _asked(
        "a cast of what is no date",
        "SELECT CAST('2023-02-30' AS date)",
        (
            "Error: line 1:13: INVALID_CAST_ARGUMENT: Value cannot be cast to date: 2023-02-30.\n"
            "  SELECT CAST('2023-02-30' AS date)\n"
            "              ^\n"
        ),
    ),
    _asked(
        "a date that no month has",
        "SELECT DATE '2023-02-30'",
        (
            "Error: line 1:13: INVALID_LITERAL: It is no date: 2023-02-30.\n"
            "  SELECT DATE '2023-02-30'\n"
            "              ^\n"
        ),
    ),
    _asked(
        "the text date compared with a date",
        "SELECT 1 FROM fact_sales WHERE date > DATE '2023-07-01'",
        (
            "Error: line 1:44: TYPE_MISMATCH: Operator > cannot be applied to varchar, date. Write DATE "
            "'2023-07-01' for a date, or CAST one of them.\n"
            "  SELECT 1 FROM fact_sales WHERE date > DATE '2023-07-01'\n"
            "                                             ^\n"
        ),
    ),
    _asked(
        "a number too large for its type",
        "SELECT CAST(3000000000 AS integer)",
        "Error: NUMERIC_VALUE_OUT_OF_RANGE: 3000000000 does not fit its type.\n",
    ),
    _asked(
        "a type in CAST that there is not",
        "SELECT CAST(1 AS money)",
        (
            "Error: line 1:18: Syntax error at 'money': Expected TYPE after CAST.\n"
            "  SELECT CAST(1 AS money)\n"
            "                   ^\n"
        ),
    ),
    _asked(
        "a name in backticks",
        "SELECT `date` FROM fact_sales",
        (
            "Error: line 1:8: In queries, write names in double quotes; backticks are for DDL.\n"
            "  SELECT `date` FROM fact_sales\n"
            "         ^\n"
        ),
    ),
    _asked(
        "a text in double quotes",
        'SELECT 1 FROM dim_store WHERE city = "Miami"',
        (
            "Error: line 1:38: There is no column 'miami'. Known, closest first: store_name, member_kind, "
            "city, manager_email, state, region, store_id, opened_on.\n"
            '  SELECT 1 FROM dim_store WHERE city = "Miami"\n'
            "                                       ^\n"
        ),
    ),
    _asked(
        "a union of different widths",
        "SELECT 1 UNION SELECT 1, 2",
        (
            "Error: line 1:8: UNION needs as many columns on both sides, found 1 and 2.\n"
            "  SELECT 1 UNION SELECT 1, 2\n"
            "         ^\n"
        ),
    ),
    _asked(
        "an ORDER BY of a column beyond the last",
        "SELECT 1 ORDER BY 2",
        ("Error: line 1:19: ORDER BY 2: SELECT has 1 columns.\n  SELECT 1 ORDER BY 2\n                    ^\n"),
    ),
    _asked("a LIMIT below zero", "SELECT 1 LIMIT -1", "Error: The query failed: LIMIT/OFFSET cannot be negative\n"),
    _asked(
        "a subquery of several rows for a value",
        "SELECT (SELECT store_id FROM dim_store)",
        "Error: A subquery that is a value gave more than one row.\n",
    ),
    _asked(
        "a pattern that is none",
        "SELECT regexp_like('a', '(')",
        (
            "Error: line 1:25: INVALID_FUNCTION_ARGUMENT: Invalid regular expression (: missing ), "
            "unterminated subpattern at position 0.\n"
            "  SELECT regexp_like('a', '(')\n"
            "                          ^\n"
        ),
    ),
    _asked(
        "an update",
        "UPDATE fact_sales SET revenue = 0",
        (
            "Error: The embedded Athena does not answer UPDATE, because it could not do so faithfully. It "
            "answers SELECT and the DDL of tables, partitions and views.\n"
        ),
    ),
    _asked(
        "a deletion",
        "DELETE FROM fact_sales",
        (
            "Error: The embedded Athena does not answer DELETE, because it could not do so faithfully. It "
            "answers SELECT and the DDL of tables, partitions and views.\n"
        ),
    ),
    _asked(
        "an insertion",
        "INSERT INTO fact_sales VALUES (1)",
        (
            "Error: The embedded Athena does not answer INSERT, because it could not do so faithfully. It "
            "answers SELECT and the DDL of tables, partitions and views.\n"
        ),
    ),
    _asked(
        "a table of the star dropped",
        "DROP TABLE fact_sales",
        (
            "Error: line 1:12: olap.fact_sales belongs to star_assets, which changes it when it publishes. "
            "Nothing was changed. Create a table of your own over its folder, or change the star.\n"
            "  DROP TABLE fact_sales\n"
            "             ^\n"
        ),
    ),
    _asked(
        "a database of the star dropped",
        "DROP DATABASE olap CASCADE",
        (
            "Error: The embedded Athena does not answer DROP DATABASE … CASCADE, because it could not do so "
            "faithfully. Drop its tables first, one by one.\n"
        ),
    ),
    _asked(
        "an export",
        "UNLOAD (SELECT 1) TO 's3://bucket/' WITH (format = 'PARQUET')",
        (
            "Error: The embedded Athena does not answer UNLOAD, because it could not do so faithfully. It "
            "answers SELECT and the DDL of tables, partitions and views.\n"
        ),
    ),
    _asked(
        "a table of the star made anew",
        "CREATE TABLE fact_sales AS SELECT 1 AS a",
        (
            "Error: line 1:8: Athena creates tables with CREATE EXTERNAL TABLE, found 'TABLE'.\n"
            "  CREATE TABLE fact_sales AS SELECT 1 AS a\n"
            "         ^\n"
        ),
    ),
    _asked(
        "a file of the machine for a table",
        "SELECT * FROM '/etc/passwd'",
        (
            "Error: line 1:15: There is no table olap./etc/passwd. Known, closest first: fact_sales, dim_time, "
            "dim_store, dim_product, dim_customer, dim_product_history, staging.pos_sales, staging.order_items, "
            "staging.orders, staging.stores, staging.products, staging.customers.\n  "
            "SELECT * FROM '/etc/passwd'\n                "
            "^\n"
        ),
    ),
    _asked(
        "an engine's own statement",
        "PRAGMA database_list",
        ("Error: line 1:1: Expected a statement, found 'PRAGMA'.\n  PRAGMA database_list\n  ^\n"),
    ),
    _asked(
        "an attachment",
        "ATTACH '/tmp/x.db'",
        ("Error: line 1:1: Expected a statement, found 'ATTACH'.\n  ATTACH '/tmp/x.db'\n  ^\n"),
    ),
    _asked(
        "a copy to a file",
        "COPY (SELECT 1) TO '/tmp/x.csv'",
        ("Error: line 1:1: Expected a statement, found 'COPY'.\n  COPY (SELECT 1) TO '/tmp/x.csv'\n  ^\n"),
    ),
    _asked(
        "two statements, the second wrong",
        "SELECT 1; SELEC 2",
        (
            "1 row, SECONDS, 0 bytes in the files read\n"
            "Error: line 1:11: Expected a statement, found 'SELEC'.\n"
            "  SELECT 1; SELEC 2\n"
            "            ^\n"
        ),
    ),
]
