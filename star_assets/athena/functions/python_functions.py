"""The Python functions that DuckDB calls for functions that it lacks or computes differently from Athena.

Here: their names and types in DuckDB. Each returns NULL if an argument is NULL. Not here: the functions
themselves (modules *_text, json_lookups, json_values), the rules that use them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import duckdb

from star_assets.athena.failures import Unanswered, refused
from star_assets.athena.functions import json_lookups, json_values, moment_text, number_text, pattern_text, plain_text

# Name in DuckDB → the function, the types of its parameters, and its type.
FUNCTIONS: dict[str, tuple[Callable[..., Any], str, str]] = {
    "athena_refused": (refused, "VARCHAR", "INTEGER"),
    # Numbers and timestamps as text
    "athena_double_text": (number_text.double_text, "DOUBLE", "VARCHAR"),
    "athena_real_text": (number_text.real_text, "FLOAT", "VARCHAR"),
    "athena_java_text": (number_text.scientific_or_plain, "DOUBLE", "VARCHAR"),
    "athena_format": (plain_text.formatted, "VARCHAR, VARCHAR", "VARCHAR"),
    "athena_to_base": (plain_text.in_base, "BIGINT, BIGINT", "VARCHAR"),
    "athena_from_base": (plain_text.from_base, "VARCHAR, BIGINT", "BIGINT"),
    "athena_without_zone": (moment_text.without_zone, "VARCHAR", "VARCHAR"),
    "athena_instant_of": (moment_text.instant_of, "VARCHAR", "VARCHAR"),
    "athena_iso_instant": (moment_text.iso_instant, "VARCHAR", "VARCHAR"),
    # Text
    "athena_reverse": (plain_text.reversed_text, "VARCHAR", "VARCHAR"),
    "athena_replace": (plain_text.replaced, "VARCHAR, VARCHAR, VARCHAR", "VARCHAR"),
    "athena_translate": (plain_text.translated, "VARCHAR, VARCHAR, VARCHAR", "VARCHAR"),
    "athena_nth_place": (plain_text.nth_place, "VARCHAR, VARCHAR, BIGINT", "BIGINT"),
    "athena_split_at_most": (plain_text.split_at_most, "VARCHAR, VARCHAR, BIGINT", "VARCHAR[]"),
    "athena_pairs": (plain_text.pairs, "VARCHAR, VARCHAR, VARCHAR", "MAP(VARCHAR, VARCHAR)"),
    "athena_soundex": (plain_text.soundex, "VARCHAR", "VARCHAR"),
    "athena_edits": (plain_text.edits, "VARCHAR, VARCHAR", "BIGINT"),
    "athena_differences": (plain_text.differences, "VARCHAR, VARCHAR", "BIGINT"),
    "athena_normalize": (plain_text.normalized, "VARCHAR, VARCHAR", "VARCHAR"),
    "athena_url_part": (plain_text.url_part, "VARCHAR, VARCHAR", "VARCHAR"),
    "athena_url_parameter": (plain_text.url_parameter, "VARCHAR, VARCHAR", "VARCHAR"),
    "athena_url_encode": (plain_text.url_encoded, "VARCHAR", "VARCHAR"),
    "athena_url_decode": (plain_text.url_decoded, "VARCHAR", "VARCHAR"),
    # Regular expressions
    "athena_regexp_like": (pattern_text.like, "VARCHAR, VARCHAR", "BOOLEAN"),
    "athena_regexp_extract": (pattern_text.extract, "VARCHAR, VARCHAR, BIGINT", "VARCHAR"),
    "athena_regexp_extract_all": (pattern_text.extract_all, "VARCHAR, VARCHAR, BIGINT", "VARCHAR[]"),
    "athena_regexp_count": (pattern_text.count, "VARCHAR, VARCHAR", "BIGINT"),
    "athena_regexp_position": (pattern_text.position, "VARCHAR, VARCHAR, BIGINT, BIGINT", "INTEGER"),
    "athena_regexp_split": (pattern_text.split, "VARCHAR, VARCHAR", "VARCHAR[]"),
    "athena_regexp_replace": (pattern_text.replace, "VARCHAR, VARCHAR, VARCHAR", "VARCHAR"),
    # JSON
    "athena_json_extract_scalar": (json_lookups.extract_scalar, "VARCHAR, VARCHAR", "VARCHAR"),
    "athena_json_extract": (json_lookups.extract, "VARCHAR, VARCHAR", "VARCHAR"),
    "athena_json_size": (json_lookups.size, "VARCHAR, VARCHAR", "BIGINT"),
    "athena_json_array_length": (json_lookups.array_length, "VARCHAR", "BIGINT"),
    "athena_json_array_get": (json_lookups.array_get, "VARCHAR, BIGINT", "VARCHAR"),
    "athena_json_array_contains": (json_lookups.array_contains, "VARCHAR, VARCHAR, VARCHAR", "BOOLEAN"),
    "athena_json_parse": (json_lookups.parse, "VARCHAR", "VARCHAR"),
    "athena_json_is_scalar": (json_lookups.is_scalar, "VARCHAR", "BOOLEAN"),
    "athena_json_value": (json_lookups.standard_value, "VARCHAR, VARCHAR", "VARCHAR"),
    "athena_json_exists": (json_lookups.standard_exists, "VARCHAR, VARCHAR", "BOOLEAN"),
    "athena_json_query": (json_lookups.standard_query, "VARCHAR, VARCHAR", "VARCHAR"),
    "athena_json_to_sql": (json_values.to_sql, "VARCHAR, VARCHAR", "VARCHAR"),
    "athena_json_from_sql": (json_values.from_sql, "VARCHAR, VARCHAR", "VARCHAR"),
}


def register(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Register one of the functions with a connection and its cursors."""
    function, parameters, result = FUNCTIONS[name]
    connection.create_function(  # type: ignore[call-overload]
        name,
        _of_no_null(function),
        parameters.split(", "),
        result,
        null_handling="special",
    )


def _of_no_null(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, returning NULL if an argument is NULL. DuckDB's own option for that forbids all other NULLs.

    An Unanswered that it raises reaches the user even from within TRY.
    """

    @wraps(function)
    def called(*arguments: Any) -> Any:
        try:
            return None if None in arguments else function(*arguments)
        except Unanswered as refusal:
            return refusal.as_value()

    return called
