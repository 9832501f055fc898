"""SQL that types a source's texts by the project's grammar, on DuckDB.

Here: two forms of one rule, a quick one that ends at the first invalid value and
one that says what is wrong with each row. Not here: reading files, writing rows
(duckdb_staging); which text is valid (staging/grammar).
"""

from __future__ import annotations

from collections.abc import Mapping

from star_assets.engines.duckdb_session import name, sql_type, text
from star_assets.model.source import Source
from star_assets.model.types import Type
from star_assets.staging import grammar
from star_assets.staging.names import table_names
from star_assets.staging.records import LINE, RAW
from star_assets.staging.winners import DELETED

Header = tuple[str, ...]


class TypedSql:
    """SQL that types a source's text columns by the grammar, and says what is wrong with a row."""

    def __init__(self, source: Source, reserved_keys: Mapping[str, object]) -> None:
        self.source = source
        self.reserved_keys = reserved_keys
        self.types = {column: Type.parse(spec.type) for column, spec in source.declared.items()}

    @property
    def columns(self) -> Header:
        """The columns that every staged file of the source has."""
        return (*self.types, DELETED) if self.source.tombstone else tuple(self.types)

    def strict(self, texts: str, header: Header, *kept: str) -> str:
        """Typed columns of a table of texts, and those to be kept; a row that is not valid raises an error.

        Telling the reason of each row instead, as `explained` does, takes twice the time.
        """
        typed = [f"{self._strict(c, header)} AS {name(c)}" if c in header else self._null(c) for c in self.types]
        # Cast once, beside the text: inside a CASE each mention would cast again.
        cast = [
            f"TRY_CAST({name(c)} AS {sql_type(self.types[c])}) AS {_typed(c)}" for c in header if self._canonical(c)
        ]
        beside = f"(SELECT {', '.join(['*', *cast])} FROM {texts})"
        return f"SELECT {', '.join([*typed, *self._beside(header), *kept])} FROM {beside}"

    def explained(self, texts: str, header: Header) -> str:
        """Typed columns, `_line`, `_raw`, and `_reason`: why a row is not valid, NULL if it is."""
        typed = [f"{self._cast(column)} AS {_typed(column)}" for column in self.types if column in header]
        result = [f"{_typed(c)} AS {name(c)}" if c in header else self._null(c) for c in self.types]
        result += [*self._beside(header), LINE, RAW, f"{self._reason(header)} AS _reason"]
        return f"SELECT {', '.join(result)} FROM (SELECT {', '.join(['*', *typed])} FROM {texts})"

    def no_rows(self) -> str:
        """No rows, with the columns that every staged file has, in their types."""
        nulls = [self._null(column) for column in self.types]
        nulls += [f"CAST(NULL AS BOOLEAN) AS {DELETED}"] if self.source.tombstone else []
        return f"SELECT {', '.join(nulls)} WHERE false"

    def carried(self, header: Header) -> dict[str, str]:
        """The columns of a header that are carried along undeclared, each with a staged name of its own."""
        if self.source.new_columns == "ignore":
            return {}
        names = table_names(header, self.types)
        return {column: names[column] for column in header if column not in self.types}

    def _beside(self, header: Header) -> list[str]:
        """The columns that the declaration does not list, and whether the row is a tombstone."""
        carried_along = [f"{name(column)} AS {name(staged)}" for column, staged in self.carried(header).items()]
        return [*carried_along, f"{self._is_deleted(header)} AS {DELETED}"] if self.source.tombstone else carried_along

    def _null(self, column: str) -> str:
        return f"CAST(NULL AS {sql_type(self.types[column])}) AS {name(column)}"

    def _is_deleted(self, header: Header) -> str:
        assert self.source.tombstone is not None
        column, value = self.source.tombstone
        return f"coalesce({name(column)} = {text(value)}, false)" if column in header else "false"

    def _strict(self, column: str, header: Header) -> str:
        """SQL for a column's value; an error where it is not valid."""
        invalid, pattern = f"error({text(column)})", grammar.pattern(self.types[column])
        if not (pattern or column in self.source.required_values or column in self.reserved_keys):
            return name(column)
        nothing = f"{name(column)} IS NULL" + (f" OR {name(column)} = ''" if pattern else "")
        if column in self.source.keys:
            nothing = "false"
        elif column in self.source.required_values:
            nothing = f"({nothing}) AND {self._is_deleted(header)}" if self.source.tombstone else "false"
        matches = self._matches(column) if pattern else f"{name(column)} IS NOT NULL"
        cases = f"WHEN {matches} THEN {self._value(column, 'CAST')} WHEN {nothing} THEN NULL ELSE {invalid}"
        if canonical := self._canonical(column):
            cases = f"WHEN {canonical} THEN {_typed(column)} {cases}"
        if column == self.source.keys[0] and self._only_text(header):
            cases = f"WHEN {name(column)} = {text(column)} THEN {invalid} {cases}"
        if column in self.reserved_keys:
            reserved = text(str(self.reserved_keys[column]))
            cases = f"WHEN CAST({self._value(column, 'TRY_CAST')} AS VARCHAR) = {reserved} THEN {invalid} {cases}"
        return f"CASE {cases} END"

    def _only_text(self, header: Header) -> bool:
        """Whether a header that is repeated amid the rows would be valid: whether it is one, the exact reader knows."""
        return all(self.types[column].name == "string" for column in header if column in self.types)

    def _canonical(self, column: str) -> str | None:
        """SQL that finds most valid texts in half the time: those that their value is written as.

        The grammar has the last word on all others. Beyond the years 1000 to
        9999, and for floats, what DuckDB writes is not always in the grammar.
        """
        type_ = self.types.get(column, Type("string"))
        is_written_so = f"CAST({_typed(column)} AS VARCHAR) = {name(column)}"
        if type_.name in ("int32", "int64"):
            return is_written_so
        if type_.name == "decimal":
            # It is written with all its decimals: 12.5000 begins with 12.50, and with 12.
            return f"starts_with(CAST({_typed(column)} AS VARCHAR), {name(column)})"
        if type_.name == "date" or (type_.name == "timestamp" and self.source.timezone == "UTC"):
            return f"{is_written_so} AND {_typed(column)} BETWEEN '1000-01-01' AND '9999-12-31'"
        return None

    def _cast(self, column: str) -> str:
        """SQL for a column's value: NULL where its text is not valid."""
        if grammar.pattern(self.types[column]) is None:
            return name(column)
        return f"CASE WHEN {self._matches(column)} THEN {self._value(column, 'TRY_CAST')} END"

    def _matches(self, column: str) -> str:
        """SQL that finds the texts in the grammar whose value is one on every engine."""
        type_, raw = self.types[column], name(column)
        matches = f"regexp_full_match({raw}, {text(grammar.pattern(type_) or '')})"
        if type_.name == "timestamp":
            # Years end at 9999. Only the first and the last one can be left by going over to UTC.
            utc = f"TRY_CAST({raw} AS TIMESTAMPTZ) BETWEEN '0001-01-01 00:00:00+00' AND '9999-12-31 23:59:59.999999+00'"
            return f"{matches} AND ({raw} BETWEEN '0002' AND '9999' OR {utc})"
        return f"{matches} AND isfinite(TRY_CAST({raw} AS DOUBLE))" if type_.name == "float64" else matches

    def _value(self, column: str, cast: str) -> str:
        """SQL for the value of a text that matches the grammar."""
        type_, raw = self.types[column], name(column)
        if type_.name == "string":
            return raw
        if type_.name == "timestamp":
            # A cast to milliseconds would round, into the next second or day.
            return f"date_trunc('milliseconds', timezone('UTC', {cast}({raw} AS TIMESTAMPTZ)))::TIMESTAMP_MS"
        if type_.name == "boolean":
            return f"lower({raw}) IN ('true', 't', '1')"
        return f"{cast}({raw} AS {sql_type(type_)})"

    def _reason(self, header: Header) -> str:
        """SQL for the first rule that a row breaks, NULL where it breaks none.

        An empty quoted text is NULL in any column that is not text.
        """
        cases: list[str] = []
        for column, type_ in self.types.items():
            if column in header and type_.name != "string":
                shown = f"{text(f'column {column}: ')} || chr(39) || {name(column)} || chr(39)"
                cases.append(
                    f"WHEN {_typed(column)} IS NULL AND {name(column)} <> '' "
                    f"THEN {shown} || {text(f' is not {grammar.expected(type_)}')}"
                )
        alive = f" AND NOT {self._is_deleted(header)}" if self.source.tombstone else ""
        for column in self.source.required_values:
            typed = _typed(column) if column in header else "NULL"
            only_alive = alive if column not in self.source.keys else ""
            cases.append(f"WHEN {typed} IS NULL{only_alive} THEN {text(f'column {column}: no value')}")
        for column, value in self.reserved_keys.items():
            if column in header:
                cases.append(
                    f"WHEN CAST({_typed(column)} AS VARCHAR) = {text(str(value))} "
                    f"THEN {text(f'column {column}: {value} is the key of the Unknown member')}"
                )
        return f"CASE {' '.join(cases)} END"


def _typed(column: str) -> str:
    """What a typed column is called beside the texts: no header has a name that begins with a space."""
    return name(f" {column}")
