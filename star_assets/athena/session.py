"""A DuckDB session that computes as Athena does: its settings, and macros for what DuckDB has otherwise.

Not here: when a macro is used (rules, arithmetic, casts, functions).
"""

from __future__ import annotations

import duckdb

# Each macro is one thing that Athena answers otherwise than DuckDB. Errors are
# casts that fail, because TRY takes no volatile function, and `error` is one.
_MACROS = {
    "athena_error(message)": "CAST('athena{' || message || '}' AS INTEGER)",
    # x / 0 of integers and decimals is an error.
    "athena_int_div(n, d)": "CASE WHEN d = 0 THEN athena_error('DIVISION_BY_ZERO: Division by zero') ELSE n // d END",
    "athena_mod(n, d)": "CASE WHEN d = 0 THEN athena_error('DIVISION_BY_ZERO: Division by zero') ELSE n % d END",
    "athena_float_mod(n, d)": "CASE WHEN d = 0 THEN 'NaN'::DOUBLE ELSE n % d END",
    # Of whole numbers: rounded half away from zero.
    "athena_round_div(n, d)": """CASE WHEN d = 0 THEN athena_error('DIVISION_BY_ZERO: Division by zero') ELSE
        sign(n) * sign(d) * (abs(n) // abs(d) + CASE WHEN abs(n) % abs(d) >= abs(d) - abs(n) % abs(d)
        THEN 1 ELSE 0 END) END""",
    # Text that is no value of the type becomes one that the cast around it refuses.
    "athena_checked(value, valid, type)": """CASE WHEN value IS NULL OR regexp_full_match(value, valid)
        THEN value ELSE 'athena{INVALID_CAST_ARGUMENT: Cannot cast ''' || value || ''' to ' || type || '}' END""",
    "athena_milliseconds(moment)": "make_timestamp(CAST(round(epoch_us(moment) / 1000) AS BIGINT) * 1000)",
    # Outside of the array is an error, or with element_at NULL; 0 is always one.
    "athena_subscript(a, i)": """list_extract(a, CASE
        WHEN i < 1 THEN athena_error('INVALID_FUNCTION_ARGUMENT: Array subscript is less than 1: ' || i)
        WHEN i > len(a) THEN athena_error(
            'INVALID_FUNCTION_ARGUMENT: Array subscript must be at most the array length: ' || i || ' > ' || len(a))
        ELSE i END)""",
    "athena_element_at(a, i)": """list_extract(a, CASE
        WHEN i = 0 THEN athena_error('INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1')
        WHEN abs(i) > len(a) THEN NULL ELSE i END)""",
    # Position 0 or outside of the text gives the empty text; a negative one counts from the end.
    "athena_substr(s, i)": """CASE WHEN s IS NULL OR i IS NULL THEN NULL
        WHEN i = 0 OR abs(i) > length(s) THEN '' ELSE substr(s, i) END""",
    "athena_substr_of(s, i, n)": """CASE WHEN s IS NULL OR i IS NULL OR n IS NULL THEN NULL
        WHEN i = 0 OR abs(i) > length(s) OR n <= 0 THEN '' ELSE substr(s, i, n) END""",
    "athena_split(s, d)": """CASE WHEN d = '' THEN
        [CAST(athena_error('INVALID_FUNCTION_ARGUMENT: The delimiter may not be the empty string') AS VARCHAR)]
        ELSE string_split(s, d) END""",
    # The part that is not there is NULL.
    "athena_split_part(s, d, i)": """list_extract(athena_split(s, d), CASE
        WHEN i < 1 THEN athena_error('INVALID_FUNCTION_ARGUMENT: Index must be greater than zero') ELSE i END)""",
    # Athena puts the new text between all letters where the old one is empty.
    "athena_replace(s, a, b)": """CASE WHEN a = '' THEN
        CAST(athena_error('replace of the empty text is not answered here') AS VARCHAR) ELSE replace(s, a, b) END""",
    # One letter by one letter: ß has no capital in Athena.
    "athena_upper(s)": "replace(upper(replace(s, 'ß', chr(57344))), chr(57344), 'ß')",
    "athena_sqrt(x)": "CASE WHEN x < 0 THEN 'NaN'::DOUBLE ELSE sqrt(x) END",
    "athena_log(x, y)": "CASE WHEN x < 0 THEN 'NaN'::DOUBLE WHEN x = 0 THEN '-Infinity'::DOUBLE ELSE y END",
    # NaN is the greatest number in DuckDB, and none at all in Athena.
    "athena_finite(x)": """CASE WHEN isnan(x) THEN
        athena_error('the least or greatest of numbers with NaN is not answered here') ELSE x END""",
}


def connect(threads: int | None, memory_limit: str) -> duckdb.DuckDBPyConnection:
    """An in-memory database with Athena's settings and macros. UTC, as Athena's engine is."""
    config: dict[str, str | bool | int | float | list[str]] = {"memory_limit": memory_limit}
    if threads:
        config["threads"] = threads
    connection = duckdb.connect(config=config)
    connection.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false; SET preserve_insertion_order = false")
    for signature, body in _MACROS.items():
        connection.execute(f"CREATE MACRO {signature} AS {body}")
    return connection
