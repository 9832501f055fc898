"""A DuckDB session that computes as Athena does: its settings, and macros for what DuckDB has otherwise.

Not here: when a macro is used (rules, arithmetic, casts, functions).
"""

from __future__ import annotations

import duckdb


# Each macro is one thing that Athena answers otherwise than DuckDB.
_MACROS = {
    # x / 0 of integers and decimals is an error.
    "athena_int_div(n, d)": "CASE WHEN d = 0 THEN error('Division by zero') ELSE n // d END",
    "athena_mod(n, d)": "CASE WHEN d = 0 THEN error('Division by zero') ELSE n % d END",
    "athena_float_mod(n, d)": "CASE WHEN d = 0 THEN 'NaN'::DOUBLE ELSE n % d END",
    # Of whole numbers: rounded half away from zero.
    "athena_round_div(n, d)": """CASE WHEN d = 0 THEN error('Division by zero') ELSE
        sign(n) * sign(d) * (abs(n) // abs(d) + CASE WHEN abs(n) % abs(d) >= abs(d) - abs(n) % abs(d)
        THEN 1 ELSE 0 END) END""",
    # Text that is no value of the type is an error.
    "athena_checked(value, valid, type)": """CASE WHEN value IS NULL OR regexp_full_match(value, valid)
        THEN value ELSE error('Cannot cast ''' || value || ''' to ' || type) END""",
    "athena_milliseconds(moment)": "epoch_ms(CAST(round(epoch_us(moment) / 1000) AS BIGINT))",
    # Outside of the array is an error, or with element_at NULL; 0 is always one.
    "athena_subscript(a, i)": """CASE WHEN i < 1 THEN error('Array subscript is less than 1: ' || i)
        WHEN i > len(a) THEN error('Array subscript must be at most the array length: ' || i || ' > ' || len(a))
        ELSE list_extract(a, i) END""",
    "athena_element_at(a, i)": """CASE WHEN i = 0 THEN error('SQL array indices start at 1')
        WHEN abs(i) > len(a) THEN NULL ELSE list_extract(a, i) END""",
    # Position 0 or outside of the text gives the empty text; a negative one counts from the end.
    "athena_substr(s, i)": """CASE WHEN s IS NULL OR i IS NULL THEN NULL
        WHEN i = 0 OR abs(i) > length(s) THEN '' ELSE substr(s, i) END""",
    "athena_substr_of(s, i, n)": """CASE WHEN s IS NULL OR i IS NULL OR n IS NULL THEN NULL
        WHEN i = 0 OR abs(i) > length(s) OR n <= 0 THEN '' ELSE substr(s, i, n) END""",
    "athena_split(s, d)": """CASE WHEN d = '' THEN error('The delimiter may not be the empty string')
        ELSE string_split(s, d) END""",
    # The part that is not there is NULL.
    "athena_split_part(s, d, i)": """CASE WHEN i < 1 THEN error('Index must be greater than zero')
        ELSE list_extract(athena_split(s, d), i) END""",
    # An empty search text is replaced between all letters by Athena.
    "athena_replace(s, a, b)": """CASE WHEN a = '' THEN error('replace of the empty text is not answered here')
        ELSE replace(s, a, b) END""",
    # One letter by one letter: ß has no capital in Athena.
    "athena_upper(s)": "replace(upper(replace(s, 'ß', chr(57344))), chr(57344), 'ß')",
    "athena_sqrt(x)": "CASE WHEN x < 0 THEN 'NaN'::DOUBLE ELSE sqrt(x) END",
    "athena_log(x, y)": """CASE WHEN x < 0 THEN 'NaN'::DOUBLE WHEN x = 0 THEN '-Infinity'::DOUBLE ELSE y END""",
}


def connect(threads: int | None, memory_limit: str) -> duckdb.DuckDBPyConnection:
    """An in-memory database with Athena's settings and macros. UTC, as Athena's engine is."""
    config: dict[str, str | int] = {"memory_limit": memory_limit}
    if threads:
        config["threads"] = threads
    connection = duckdb.connect(config=config)
    connection.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false; SET preserve_insertion_order = false")
    for signature, body in _MACROS.items():
        connection.execute(f"CREATE MACRO {signature} AS {body}")
    return connection
