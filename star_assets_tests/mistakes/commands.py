"""Mistakes in what is typed: words, options, days, tables, versions."""

from __future__ import annotations

from .case import Mistake

USAGE = 2

MISTAKES = [
    Mistake(
        "a command that there is not",
        ("materialize",),
        (
            "Usage: star-assets [OPTIONS] COMMAND [ARGS]...\n"
            "Try 'star-assets --help' for help.\n"
            "\n"
            "Error: No such command 'materialize'.\n"
        ),
        USAGE,
    ),
    Mistake(
        "an option that there is not",
        ("run", "--force"),
        (
            "Usage: star-assets run [OPTIONS] [TABLES]...\n"
            "Try 'star-assets run --help' for help.\n"
            "\n"
            "Error: No such option '--force'. Did you mean '--from'?\n"
        ),
        USAGE,
    ),
    Mistake(
        "an option of another command",
        ("status", "--from", "2023-07-01"),
        (
            "Usage: star-assets status [OPTIONS]\n"
            "Try 'star-assets status --help' for help.\n"
            "\n"
            "Error: No such option '--from'. Did you mean '--format'?\n"
        ),
        USAGE,
    ),
    Mistake(
        "a table that there is not",
        ("run", "sales"),
        (
            "Error: No table 'sales' in this star. Known: orders, order_items, pos_sales, customers, products, "
            "stores, dim_product, dim_product_history, dim_store, dim_customer, dim_time, fact_sales.\n"
        ),
    ),
    Mistake(
        "a table with its database",
        ("run", "olap.fact_sales"),
        (
            "Error: No table 'olap.fact_sales' in this star. Known: orders, order_items, pos_sales, customers, "
            "products, stores, dim_product, dim_product_history, dim_store, dim_customer, dim_time, fact_sales.\n"
        ),
    ),
    Mistake(
        "a table in capitals",
        ("run", "FACT_SALES"),
        (
            "Error: No table 'FACT_SALES' in this star. Known: orders, order_items, pos_sales, customers, products, "
            "stores, dim_product, dim_product_history, dim_store, dim_customer, dim_time, fact_sales.\n"
        ),
    ),
    Mistake(
        "a day in another form",
        ("run", "--from", "01.07.2023"),
        (
            "Usage: star-assets run [OPTIONS] [TABLES]...\n"
            "Try 'star-assets run --help' for help.\n"
            "\n"
            "Error: Invalid value for '--from': '01.07.2023' does not match the format '%Y-%m-%d'.\n"
        ),
        USAGE,
    ),
    Mistake(
        "a day that no month has",
        ("run", "--from", "2023-02-30"),
        (
            "Usage: star-assets run [OPTIONS] [TABLES]...\n"
            "Try 'star-assets run --help' for help.\n"
            "\n"
            "Error: Invalid value for '--from': '2023-02-30' does not match the format '%Y-%m-%d'.\n"
        ),
        USAGE,
    ),
    Mistake(
        "a last day before the first",
        ("run", "--from", "2023-07-02", "--to", "2023-07-01"),
        (
            "Usage: star-assets run [OPTIONS] [TABLES]...\n"
            "Try 'star-assets run --help' for help.\n"
            "\n"
            "Error: No days to run: the last, 2023-07-01, is before the first, 2023-07-02.\n"
        ),
        USAGE,
    ),
    Mistake(
        "a first day beyond the last export",
        ("run", "--from", "2023-08-01"),
        (
            "Usage: star-assets run [OPTIONS] [TABLES]...\n"
            "Try 'star-assets run --help' for help.\n"
            "\n"
            "Error: No days to run: the last, 2023-07-02, is before the first, 2023-08-01.\n"
        ),
        USAGE,
    ),
    Mistake(
        "a day before the first",
        ("run", "orders", "--from", "2023-06-30"),
        ("Error: orders: no partition '2023-06-30'; expected a day YYYY-MM-DD from 2023-07-01 (STAR_START_DATE) on.\n"),
    ),
    Mistake(
        "a format that there is not",
        ("status", "--format", "xml"),
        (
            "Usage: star-assets status [OPTIONS]\n"
            "Try 'star-assets status --help' for help.\n"
            "\n"
            "Error: Invalid value for '--format': 'xml' is not one of 'table', 'csv', 'json'.\n"
        ),
        USAGE,
    ),
    Mistake(
        "no SQL",
        ("query",),
        (
            "Usage: star-assets query [OPTIONS] [SQL]\n"
            "Try 'star-assets query --help' for help.\n"
            "\n"
            "Error: Give the SQL, or a file of it with -f.\n"
        ),
        USAGE,
    ),
    Mistake("empty SQL", ("query", ""), "Error: There is no statement.\n"),
    Mistake("SQL of a comment alone", ("query", "/* nothing */"), "Error: There is no statement.\n"),
    Mistake(
        "SQL and a file of it",
        ("query", "SELECT 1", "-f", "-"),
        (
            "Usage: star-assets query [OPTIONS] [SQL]\n"
            "Try 'star-assets query --help' for help.\n"
            "\n"
            "Error: Give the SQL, or a file of it with -f.\n"
        ),
        USAGE,
    ),
    Mistake(
        "a file of SQL that is not there",
        ("query", "-f", "report.sql"),
        (
            "Usage: star-assets query [OPTIONS] [SQL]\n"
            "Try 'star-assets query --help' for help.\n"
            "\n"
            "Error: Invalid value for '-f' / '--file': 'report.sql': No such file or directory\n"
        ),
        USAGE,
    ),
    Mistake(
        "a folder for a file of SQL",
        ("query", "-f", "LAKE"),
        (
            "Usage: star-assets query [OPTIONS] [SQL]\n"
            "Try 'star-assets query --help' for help.\n"
            "\n"
            "Error: Invalid value for '-f' / '--file': 'LAKE': Is a directory\n"
        ),
        USAGE,
    ),
    Mistake(
        "a Parquet file for a file of SQL",
        ("query", "-f", "-"),
        (
            "Usage: star-assets query [OPTIONS] [SQL]\n"
            "Try 'star-assets query --help' for help.\n"
            "\n"
            "Error: standard input is not UTF-8 text: invalid start byte at byte 4.\n"
        ),
        USAGE,
        typed_in=b"PAR1\xff\xfe",
    ),
    Mistake(
        "a fact that there is not",
        ("reconcile", "fact_orders"),
        (
            "Usage: star-assets reconcile [OPTIONS] [FACT]\n"
            "Try 'star-assets reconcile --help' for help.\n"
            "\n"
            "Error: fact_orders is no fact. Facts: fact_sales.\n"
        ),
        USAGE,
    ),
    Mistake(
        "a dimension for a fact",
        ("reconcile", "dim_store"),
        (
            "Usage: star-assets reconcile [OPTIONS] [FACT]\n"
            "Try 'star-assets reconcile --help' for help.\n"
            "\n"
            "Error: dim_store is no fact. Facts: fact_sales.\n"
        ),
        USAGE,
    ),
    Mistake(
        "a measure that there is not",
        ("reconcile", "--measure", "profit"),
        (
            "Usage: star-assets reconcile [OPTIONS] [FACT]\n"
            "Try 'star-assets reconcile --help' for help.\n"
            "\n"
            "Error: fact_sales has no summed measure 'profit'. Known: rows, quantity, discount, revenue.\n"
        ),
        USAGE,
    ),
    Mistake(
        "rejects of what is no source",
        ("rejects", "fact_sales"),
        (
            "Usage: star-assets rejects [OPTIONS] [SOURCE]...\n"
            "Try 'star-assets rejects --help' for help.\n\n"
            "Error: Rows are rejected where exports are staged: fact_sales is no source. Sources: orders, "
            "order_items, pos_sales, customers, products, stores.\n"
        ),
        USAGE,
    ),
    Mistake(
        "rejects of a table that there is not",
        ("rejects", "order"),
        (
            "Error: No table 'order' in this star. Known: orders, order_items, pos_sales, customers, products, "
            "stores, dim_product, dim_product_history, dim_store, dim_customer, dim_time, fact_sales.\n"
        ),
    ),
    Mistake(
        "a rollback without a table",
        ("rollback",),
        (
            "Usage: star-assets rollback [OPTIONS] TABLE\n"
            "Try 'star-assets rollback --help' for help.\n"
            "\n"
            "Error: Missing argument 'TABLE'.\n"
        ),
        USAGE,
    ),
    Mistake(
        "a rollback of a table that there is not",
        ("rollback", "sales"),
        (
            "Error: No table 'sales' in this star. Known: orders, order_items, pos_sales, customers, products, "
            "stores, dim_product, dim_product_history, dim_store, dim_customer, dim_time, fact_sales.\n"
        ),
    ),
    Mistake(
        "a rollback of a fact without a day",
        ("rollback", "fact_sales"),
        (
            "Usage: star-assets rollback [OPTIONS] TABLE\n"
            "Try 'star-assets rollback --help' for help.\n"
            "\n"
            "Error: Name the day of fact_sales: --day.\n"
        ),
        USAGE,
    ),
    Mistake(
        "a rollback of a dimension's day",
        ("rollback", "dim_store", "--day", "2023-07-01"),
        (
            "Usage: star-assets rollback [OPTIONS] TABLE\n"
            "Try 'star-assets rollback --help' for help.\n"
            "\n"
            "Error: dim_store has no partitions: leave out --day.\n"
        ),
        USAGE,
    ),
    Mistake(
        "a rollback to a version that there is not",
        ("rollback", "dim_store", "--version", "v1"),
        "Error: dim_store live: no version 'v1' to roll back to. Kept versions, newest first: none.\n",
    ),
    Mistake(
        "a rollback where there is no version before",
        ("rollback", "dim_store"),
        (
            "Error: dim_store live: no version 'older than the live one' to roll back to. Kept versions, "
            "newest first: none.\n"
        ),
    ),
    Mistake(
        "a rollback of a day that was never published",
        ("rollback", "fact_sales", "--day", "2023-08-01"),
        "Error: fact_sales: no partition '2023-08-01'; expected one that was published.\n",
    ),
    Mistake(
        "a rollback of a day in another form",
        ("rollback", "fact_sales", "--day", "July 1st"),
        "Error: fact_sales: no partition 'July 1st'; expected one that was published.\n",
    ),
    Mistake(
        "a rollback to a path",
        ("rollback", "dim_store", "--version", "../../oltp"),
        ("Error: dim_store live: no version '../../oltp' to roll back to. Kept versions, newest first: none.\n"),
    ),
    Mistake(
        "a retention below zero",
        ("vacuum", "--retention-days", "-1"),
        (
            "Usage: star-assets vacuum [OPTIONS]\n"
            "Try 'star-assets vacuum --help' for help.\n"
            "\n"
            "Error: Invalid value for '--retention-days': -1.0 is not in the range 0<=x<=36525.\n"
        ),
        USAGE,
    ),
    Mistake(
        "a retention without end",
        ("vacuum", "--retention-days", "inf"),
        (
            "Usage: star-assets vacuum [OPTIONS]\n"
            "Try 'star-assets vacuum --help' for help.\n"
            "\n"
            "Error: Invalid value for '--retention-days': inf is not in the range 0<=x<=36525.\n"
        ),
        USAGE,
    ),
    Mistake(
        "a retention that is no number",
        ("vacuum", "--retention-days", "nan"),
        (
            "Usage: star-assets vacuum [OPTIONS]\n"
            "Try 'star-assets vacuum --help' for help.\n"
            "\n"
            "Error: Invalid value for '--retention-days': 'nan' is no number of days.\n"
        ),
        USAGE,
    ),
    Mistake(
        "a retention of a billion years",
        ("vacuum", "--retention-days", "1e12"),
        (
            "Usage: star-assets vacuum [OPTIONS]\n"
            "Try 'star-assets vacuum --help' for help.\n"
            "\n"
            "Error: Invalid value for '--retention-days': 1000000000000.0 is not in the range 0<=x<=36525.\n"
        ),
        USAGE,
    ),
    Mistake(
        "retire without an age",
        ("retire", "--yes"),
        (
            "Usage: star-assets retire [OPTIONS]\n"
            "Try 'star-assets retire --help' for help.\n"
            "\n"
            "Error: Missing option '--older-than'.\n"
        ),
        USAGE,
    ),
    Mistake(
        "retire what is older than 273,790 years",
        ("retire", "--older-than", "99999999", "--yes"),
        (
            "Usage: star-assets retire [OPTIONS]\n"
            "Try 'star-assets retire --help' for help.\n"
            "\n"
            "Error: Invalid value for '--older-than': 99999999 is not in the range 1<=x<=36525.\n"
        ),
        USAGE,
    ),
    Mistake(
        "retire what is older than nothing",
        ("retire", "--older-than", "0", "--yes"),
        (
            "Usage: star-assets retire [OPTIONS]\n"
            "Try 'star-assets retire --help' for help.\n"
            "\n"
            "Error: Invalid value for '--older-than': 0 is not in the range 1<=x<=36525.\n"
        ),
        USAGE,
    ),
    Mistake(
        "retire by a date",
        ("retire", "--older-than", "2023-07-01"),
        (
            "Usage: star-assets retire [OPTIONS]\n"
            "Try 'star-assets retire --help' for help.\n"
            "\n"
            "Error: Invalid value for '--older-than': '2023-07-01' is not a valid integer range.\n"
        ),
        USAGE,
    ),
    Mistake(
        "retire, and say no",
        ("retire", "--older-than", "1"),
        "Delete the raw files of 10 export days (SIZE) from LAKE/oltp for good? [y/N]: n\nAborted!\n",
        typed_in=b"n\n",
    ),
    Mistake(
        "forget nobody",
        ("forget", "dim_customer"),
        (
            "Usage: star-assets forget [OPTIONS] DIMENSION KEY\n"
            "Try 'star-assets forget --help' for help.\n"
            "\n"
            "Error: Missing argument 'KEY'.\n"
        ),
        USAGE,
    ),
    Mistake(
        "forget in a table that there is not",
        ("forget", "customers_dim", "5", "--yes"),
        (
            "Error: No table 'customers_dim' in this star. Known: orders, order_items, pos_sales, customers, "
            "products, stores, dim_product, dim_product_history, dim_store, dim_customer, dim_time, fact_sales.\n"
        ),
    ),
    Mistake(
        "forget in what is no dimension",
        ("forget", "orders", "5", "--yes"),
        "Error: orders: expected a dimension: sources and facts have no members. Nothing was erased.\n",
    ),
    Mistake(
        "forget the Unknown member",
        ("forget", "dim_customer", "-1", "--yes"),
        (
            "Usage: star-assets forget [OPTIONS] DIMENSION KEY\n"
            "Try 'star-assets forget --help' for help.\n"
            "\n"
            "Error: No such option '-1'.\n"
        ),
        USAGE,
    ),
    Mistake(
        "forget the Unknown member, behind --",
        ("forget", "--yes", "--", "dim_customer", "-1"),
        "Error: dim_customer: '-1' is the key of the Unknown member. Nothing was erased.\n",
    ),
    Mistake(
        "forget a key of another type",
        ("forget", "dim_customer", "Miller", "--yes"),
        "Error: dim_customer: its key customer_id is a whole number, found 'Miller'. Nothing was erased.\n",
    ),
    Mistake(
        "forget, and say no",
        ("forget", "dim_customer", "5"),
        ("Erase dim_customer 5 from LAKE for good? [y/N]: n\nAborted!\n"),
        typed_in=b"n\n",
    ),
    Mistake(
        "ddl of a table that there is not",
        ("ddl", "sales"),
        (
            "Error: No table 'sales' in this star. Known: orders, order_items, pos_sales, customers, products, "
            "stores, dim_product, dim_product_history, dim_store, dim_customer, dim_time, fact_sales.\n"
        ),
    ),
    Mistake(
        "no days of samples",
        ("sample", "--days", "0"),
        (
            "Usage: star-assets sample [OPTIONS]\n"
            "Try 'star-assets sample --help' for help.\n"
            "\n"
            "Error: Invalid value for '--days': 0 is not in the range 1<=x<=36525.\n"
        ),
        USAGE,
    ),
    Mistake(
        "samples in words",
        ("sample", "--days", "week"),
        (
            "Usage: star-assets sample [OPTIONS]\n"
            "Try 'star-assets sample --help' for help.\n"
            "\n"
            "Error: Invalid value for '--days': 'week' is not a valid integer range.\n"
        ),
        USAGE,
    ),
    Mistake(
        "samples of more days than there are",
        ("sample", "--days", "99999999"),
        (
            "Usage: star-assets sample [OPTIONS]\n"
            "Try 'star-assets sample --help' for help.\n"
            "\n"
            "Error: Invalid value for '--days': 99999999 is not in the range 1<=x<=36525.\n"
        ),
        USAGE,
    ),
    Mistake(
        "samples of more orders than fit",
        ("sample", "--orders-per-day", "10000000000"),
        (
            "Usage: star-assets sample [OPTIONS]\n"
            "Try 'star-assets sample --help' for help.\n"
            "\n"
            "Error: Invalid value for '--orders-per-day': 10000000000 is not in the range 1<=x<=10000000.\n"
        ),
        USAGE,
    ),
    Mistake(
        "pull from no database",
        ("pull",),
        (
            "Usage: star-assets pull [OPTIONS]\n"
            "Try 'star-assets pull --help' for help.\n"
            "\n"
            "Error: There is no database to pull from: set STAR_SOURCE_DSN=postgresql://user@host/database.\n"
        ),
        USAGE,
    ),
    Mistake(
        "pull again without days",
        ("pull", "--again"),
        (
            "Usage: star-assets pull [OPTIONS]\n"
            "Try 'star-assets pull --help' for help.\n"
            "\n"
            "Error: Name the days to pull again: --from and --to.\n"
        ),
        USAGE,
        {"STAR_SOURCE_DSN": "postgresql://u@localhost:1/d"},
    ),
    Mistake(
        "a star that is not there",
        ("status",),
        (
            "Error: STAR_MODEL='nowhere:star': expected package.module:attribute that can be imported (No "
            "module named 'nowhere').\n"
        ),
        variables={"STAR_MODEL": "nowhere:star"},
    ),
    Mistake(
        "a star without its attribute",
        ("status",),
        "Error: STAR_MODEL='star_assets.star': expected package.module:attribute.\n",
        variables={"STAR_MODEL": "star_assets.star"},
    ),
    Mistake(
        "a star that is something else",
        ("status",),
        "Error: STAR_MODEL='os:path': expected a Star, found a module.\n",
        variables={"STAR_MODEL": "os:path"},
    ),
    Mistake(
        "a star that is an attribute that there is not",
        ("status",),
        (
            "Error: STAR_MODEL='os:star': expected package.module:attribute that can be imported (module "
            "'os' has no attribute 'star').\n"
        ),
        variables={"STAR_MODEL": "os:star"},
    ),
    Mistake(
        "a star by its file",
        ("status",),
        "Error: STAR_MODEL='./star.py:star': expected package.module:attribute.\n",
        variables={"STAR_MODEL": "./star.py:star"},
    ),
    Mistake(
        "no star at all",
        ("status",),
        "Error: STAR_MODEL='': expected package.module:attribute.\n",
        variables={"STAR_MODEL": ""},
    ),
    Mistake(
        "an engine that there is not",
        ("run",),
        "Error: STAR_ENGINE='polars': expected duckdb, spark, auto or glue.\n",
        variables={"STAR_ENGINE": "polars"},
    ),
    Mistake(
        "an engine that works in Dagster alone",
        ("run", "orders", "--to", "2023-07-01"),
        ("Error: STAR_ENGINE='glue': expected duckdb or spark outside of Dagster, whose assets start the jobs.\n"),
        variables={"STAR_ENGINE": "glue"},
    ),
    Mistake(
        "a lake that is a file",
        ("run",),
        (
            "Error: LAKE/oltp/orders/date=2023-07-02/orders.csv/staging/orders/_pointers/: Not a directory. The live "
            "versions stay. Give this user read and write rights to the lake, or set STAR_LAKE to another place.\n"
        ),
        variables={"STAR_LAKE": "LAKE/oltp/orders/date=2023-07-02/orders.csv"},
    ),
    Mistake(
        "a lake below a file",
        ("sample",),
        (
            "Error: LAKE/oltp/orders/date=2023-07-02/orders.csv/x/_scratch/SCRATCH: Not a directory. The "
            "live versions stay. Give this user read and write rights to the lake, or set STAR_LAKE to "
            "another place.\n"
        ),
        variables={"STAR_LAKE": "LAKE/oltp/orders/date=2023-07-02/orders.csv/x"},
    ),
    Mistake(
        "a lake with another name, to run",
        ("run",),
        (
            "Usage: star-assets run [OPTIONS] [TABLES]...\n"
            "Try 'star-assets run --help' for help.\n"
            "\n"
            "Error: No days to run: LAKE/typo/oltp holds no exports from 2023-07-01 on. Is STAR_LAKE right? "
            "`star-assets sample` writes some.\n"
        ),
        USAGE,
        variables={"STAR_LAKE": "LAKE/typo"},
    ),
    Mistake(
        "a lake with another name, to look",
        ("status",),
        "Note: LAKE/typo holds nothing published. Is STAR_LAKE right? `star-assets run` builds it.\n",
        0,
        variables={"STAR_LAKE": "LAKE/typo"},
    ),
    Mistake(
        "a lake with another name, to ask",
        ("query", "SELECT 1 FROM fact_sales"),
        (
            "Error: line 1:15: There is no table olap.fact_sales. Known, closest first: none, in LAKE/typo.\n"
            "  SELECT 1 FROM fact_sales\n"
            "                ^\n"
        ),
        variables={"STAR_LAKE": "LAKE/typo"},
    ),
]
