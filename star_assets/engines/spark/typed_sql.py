"""Spark's SQL that turns a source's text columns into typed values by the project's grammar."""

from __future__ import annotations

from operator import attrgetter

from star_assets.engines.spark.sql import name, text, to_utc
from star_assets.engines.typed_sql import TypedSql
from star_assets.engines.value_formats import Dialect
from star_assets.exports import grammar

# Matches a timestamp with an offset from UTC. It begins with the time, so that the `-` in a date is no offset's sign.
OFFSET = r"\d\d:\d\d.*(?:Z|[+-][0-9:]+)$"


def _matches(raw: str, expression: str) -> str:
    # Java's `$` would also match before a last line end.
    whole = rf"\A(?:{expression})\z"
    return f"{raw} RLIKE {text(whole)}"


class SparkTypedSql(TypedSql):
    """The implementation of TypedSql for Spark."""

    dialect = Dialect(name, text, _matches, attrgetter("spark"))

    def _cast(self, column: str) -> str:
        """SQL for a column's typed value; NULL if its text is not valid."""
        if (pattern := grammar.pattern(self.types[column])) is None:
            return name(column)
        return f"CASE WHEN {self.dialect.matches(self._raw(column), pattern)} THEN {self._value(column)} END"

    def _value(self, column: str) -> str:
        """SQL for the value of a text that matches the grammar; NULL where it is none on every engine."""
        type_, raw = self.types[column], self._raw(column)
        if type_.name == "timestamp":
            return self._timestamp(raw)
        if type_.name == "boolean":
            return f"lower({raw}) IN ('true', 't', '1')"
        found = f"TRY_CAST({raw} AS {type_.spark})"
        return f"if(abs({found}) < double('infinity'), {found}, NULL)" if type_.name == "float64" else found

    def _timestamp(self, raw: str) -> str:
        """SQL for a UTC timestamp in milliseconds, from year 1 to 9999."""
        clock = to_utc(f"TRY_CAST({raw} AS TIMESTAMP_NTZ)", self.source.timezone)
        moment = f"CAST(TRY_CAST({raw} AS TIMESTAMP_LTZ) AS TIMESTAMP_NTZ)"
        utc = f"if({raw} RLIKE {text(OFFSET)}, {moment}, {clock})"
        cut = f"CAST(date_trunc('MILLISECOND', {utc}) AS TIMESTAMP_NTZ)"
        return f"if({cut} BETWEEN TIMESTAMP_NTZ'0001-01-01' AND TIMESTAMP_NTZ'9999-12-31 23:59:59.999', {cut}, NULL)"
