"""DuckDB's SQL that turns a source's text columns into typed values by the project's grammar.

Here: the SQL that explains invalid rows, and a faster one that fails at the first invalid
value. Not here: reading files, writing rows (staging).
"""

from __future__ import annotations

from operator import attrgetter

from star_assets.engines.duckdb.session import name, text
from star_assets.engines.typed_sql import Header, TypedSql
from star_assets.engines.value_formats import Dialect
from star_assets.exports import grammar
from star_assets.model.types import Type


def _matches(raw: str, expression: str) -> str:
    return f"regexp_full_match({raw}, {text(expression)})"


class DuckDBTypedSql(TypedSql):
    """The implementation of TypedSql for DuckDB."""

    dialect = Dialect(name, text, _matches, attrgetter("duckdb"))

    def strict(self, texts: str, header: Header, *kept: str) -> str:
        """SQL for typed columns of a table of texts, and for the `kept` ones; it fails at the first invalid row.

        The SQL of `explained`, which gives a reason for each invalid row, takes twice the time.
        """
        typed = [f"{self._strict(c, header)} AS {name(c)}" if c in header else self._null(c) for c in self.types]
        # Cast in a column beside the text: a CASE would cast again for each mention.
        cast = [
            f"TRY_CAST({name(c)} AS {self.types[c].duckdb}) AS {self._typed(c)}" for c in header if self._canonical(c)
        ]
        beside = f"(SELECT {', '.join(['*', *cast])} FROM {self._in_grammar(texts, header)})"
        return f"SELECT {', '.join([*typed, *self._beside(header), *kept])} FROM {beside}"

    def _strict(self, column: str, header: Header) -> str:
        """SQL for a column's typed value; it fails if the text is not valid."""
        invalid, pattern = f"error({text(column)})", grammar.pattern(self.types[column])
        if not (pattern or column in self.required or column in self.reserved_keys):
            return name(column)
        nothing = f"{name(column)} IS NULL" + (f" OR {name(column)} = ''" if pattern else "")
        if column in self.source.keys:
            nothing = "false"
        elif column in self.required:
            nothing = f"({nothing}) AND {self._is_deleted(header)}" if self.source.tombstone else "false"
        matches = self._matches(column) if pattern else f"{name(column)} IS NOT NULL"
        cases = f"WHEN {matches} THEN {self._value(column, 'CAST')} WHEN {nothing} THEN NULL ELSE {invalid}"
        if canonical := self._canonical(column):
            cases = f"WHEN {canonical} THEN {self._typed(column)} {cases}"
        if column in self.reserved_keys:
            reserved = text(str(self.reserved_keys[column]))
            cases = f"WHEN CAST({self._value(column, 'TRY_CAST')} AS VARCHAR) = {reserved} THEN {invalid} {cases}"
        return f"CASE {cases} END"

    def _canonical(self, column: str) -> str | None:
        """SQL for whether a text is as DuckDB writes its value, which proves most texts valid in half the time.

        All other texts are matched against the grammar. For years outside 1000 to 9999, and
        for floats, the text that DuckDB writes may not be in the grammar.
        """
        if self._is_written_otherwise(column):
            return None
        type_ = self.types.get(column, Type("string"))
        is_written_so = f"CAST({self._typed(column)} AS VARCHAR) = {name(column)}"
        if type_.name in ("int32", "int64"):
            return is_written_so
        if type_.name == "decimal":
            # DuckDB writes a decimal with its full scale: 12.5000 begins with the valid texts 12.50 and 12.
            return f"starts_with(CAST({self._typed(column)} AS VARCHAR), {name(column)})"
        if type_.name == "date" or (type_.name == "timestamp" and self.source.timezone == "UTC"):
            return f"{is_written_so} AND {self._typed(column)} BETWEEN '1000-01-01' AND '9999-12-31'"
        return None

    def _cast(self, column: str) -> str:
        """SQL for a column's typed value; NULL if its text is not valid."""
        if grammar.pattern(self.types[column]) is None:
            return name(column)
        return f"CASE WHEN {self._matches(column)} THEN {self._value(column, 'TRY_CAST')} END"

    def _matches(self, column: str) -> str:
        """SQL that finds the texts in the grammar whose value is one on every engine."""
        type_, raw = self.types[column], self._raw(column)
        matches = self.dialect.matches(raw, grammar.pattern(type_) or "")
        if type_.name == "timestamp":
            # Years go up to 9999. Converting to UTC can leave that range only from the first and the last year.
            utc = f"TRY_CAST({raw} AS TIMESTAMPTZ) BETWEEN '0001-01-01 00:00:00+00' AND '9999-12-31 23:59:59.999999+00'"
            return f"{matches} AND ({raw} BETWEEN '0002' AND '9999' OR {utc})"
        return f"{matches} AND isfinite(TRY_CAST({raw} AS DOUBLE))" if type_.name == "float64" else matches

    def _value(self, column: str, cast: str) -> str:
        """SQL for the value of a text that matches the grammar."""
        type_, raw = self.types[column], self._raw(column)
        if type_.name == "string":
            return raw
        if type_.name == "timestamp":
            # Truncate, because a cast to milliseconds would round, perhaps into the next second or day.
            return f"date_trunc('milliseconds', timezone('UTC', {cast}({raw} AS TIMESTAMPTZ)))::TIMESTAMP_MS"
        if type_.name == "boolean":
            return f"lower({raw}) IN ('true', 't', '1')"
        return f"{cast}({raw} AS {type_.duckdb})"
