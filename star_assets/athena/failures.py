"""DuckDB's errors translated into messages for users of Athena.

Not here: errors that are found before the query runs (compiling).
"""

from __future__ import annotations

import re

import duckdb

from star_assets.model.errors import BadQuery, QueryError, Unfaithful

# Patterns of DuckDB's messages → messages for users. {0} is the text that the pattern captured.
_WORDS = (
    (r"(?s)athena\{(.*)\}", "{0}"),
    (r"Division by zero", "DIVISION_BY_ZERO: Division by zero"),
    (r"Overflow in (\w+) of", "NUMERIC_VALUE_OUT_OF_RANGE: overflow in {0}"),
    (r"Could not cast value (\S+) to DECIMAL", "INVALID_CAST_ARGUMENT: {0} does not fit its type"),
    (r"Type (?:DOUBLE|FLOAT) with value (\S+) can't be cast", "INVALID_CAST_ARGUMENT: {0} does not fit its type"),
    (r"Map keys must be unique", "INVALID_FUNCTION_ARGUMENT: Duplicate map keys are not allowed"),
    (r"Map keys can not be NULL", "INVALID_FUNCTION_ARGUMENT: map key cannot be null"),
    (r"map key list does not align", "INVALID_FUNCTION_ARGUMENT: Key and value arrays must be the same length"),
    (r"DECIMAL.*out of range|out of range.*DECIMAL", "NUMERIC_VALUE_OUT_OF_RANGE: decimal overflow"),
    (r"value (\S+) can't be cast.*out of range", "NUMERIC_VALUE_OUT_OF_RANGE: {0} does not fit its type"),
    (r"Could not cast value (\S+)", "NUMERIC_VALUE_OUT_OF_RANGE: {0} does not fit its type"),
    (r"Could not convert string '(.*)' to", "INVALID_CAST_ARGUMENT: {0!r} does not fit its type"),
    (
        r"No files found|No such file",
        "A file that the catalog names is gone. Run the query again; if it fails again, run `star-assets verify`",
    ),
    (r"date field value out of range: \"(.*?)\"", "INVALID_CAST_ARGUMENT: {0!r} is no day of the calendar"),
    (r"[Ff]ailed to parse string|Could not parse string", "INVALID_FUNCTION_ARGUMENT: the text has another format"),
    (r"More than one row returned by a subquery", "A subquery that is a value gave more than one row"),
    (r"must appear in the GROUP BY clause|must be part of the GROUP BY|GROUP BY clause",
     "EXPRESSION_NOT_AGGREGATE: what SELECT, HAVING and ORDER BY use must be in GROUP BY or in an aggregate"),
    (r"WHERE clause cannot contain (aggregates|window)", "WHERE cannot contain {0}"),
    (r"aggregate function calls cannot be nested", "An aggregate cannot contain another"),
    (r"for SELECT DISTINCT, ORDER BY", "With SELECT DISTINCT, ORDER BY must name what SELECT lists"),
    (r"Insufficient padding", "Padding text must not be empty"),
)  # fmt: skip


class Wrong(Exception):
    """Raised by a Python function that DuckDB calls, for a value that Athena refuses: Athena's error name, and why."""

    def __init__(self, kind: str, why: str) -> None:
        super().__init__(f"athena{{{kind}: {why}}}")


class Unanswered(Exception):
    """Raised by a Python function that DuckDB calls, for a value on which Athena's answer is not known: it names it."""

    def __init__(self, what: str) -> None:
        super().__init__(f"athena{{{what} is not answered here}}")
        self.what = what

    def as_value(self) -> object:
        """A value to return in place of raising this error, so that DuckDB's TRY does not turn it into NULL.

        If a function returns a value of a class that DuckDB does not know, the query fails even within TRY, and
        DuckDB's message has the name of that class.
        """
        return type(str(self).replace("\0", "\\0"), (), {})()


def refused(what: str) -> int:
    """Raises Unanswered; macros call it for values on which they cannot answer as Athena does."""
    raise Unanswered(what)


def translated(error: duckdb.Error, sql: str) -> QueryError:
    """DuckDB's error as one for users."""
    said = str(error).split("\n\n")[0].strip()
    if found := re.search(r"athena\{(.*) is not answered here\}", said):
        return Unfaithful(found[1], "Run it on Athena, or write it otherwise.")
    if isinstance(error, duckdb.OutOfMemoryException):
        return BadQuery("The query needs more memory than STAR_MEMORY_LIMIT allows. Raise it, or read less.", sql)
    if re.search(r"(?i)not allowed in(side)?( the)? try|TRY can not", said):
        return Unfaithful("TRY of an aggregate, a window function or a subquery", "Write TRY within it.")
    if "initial value type must be the same" in said:
        return Unfaithful("reduce whose state is of another type than the array", "CAST the array's elements to it.")
    for pattern, words in _WORDS:
        if found := re.search(pattern, said):
            return BadQuery(f"{words.format(*found.groups())}.", sql)
    plain = re.sub(r"^[\w ]+ Error: ", "", said)
    return BadQuery(f"The query failed: {plain}", sql)
