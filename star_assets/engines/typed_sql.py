"""SQL that turns a source's text columns into typed values by the project's grammar, and explains invalid rows.

Here: the parts that all engines share. Not here: how an engine matches and casts one
value (duckdb.typed_sql, spark.typed_sql); which text is valid (exports/grammar).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from star_assets.engines.value_formats import Dialect, expected, in_grammar
from star_assets.exports import grammar
from star_assets.exports.names import table_names
from star_assets.exports.records import LINE, RAW
from star_assets.model.source import Source
from star_assets.model.types import Type
from star_assets.rules.winners import DELETED

Header = tuple[str, ...]


# The number of characters of an invalid value that a reason shows; the rejects keep the whole row.
SHOWN = 60


class TypedSql(ABC):
    """Makes that SQL for one source; an engine brings its dialect, and its casts of single values."""

    dialect: Dialect

    def __init__(
        self, source: Source, reserved_keys: Mapping[str, object], receipt: Mapping[str, Source] | None = None
    ) -> None:
        self.source = source
        self.reserved_keys = reserved_keys
        self.receipt = receipt or {}
        self.required = tuple(dict.fromkeys((*source.required_values, *self.receipt)))
        self.types = {column: Type.parse(spec.type) for column, spec in source.declared.items()}

    @abstractmethod
    def _cast(self, column: str) -> str:
        """SQL for a column's typed value; NULL if its text is not valid."""

    @property
    def columns(self) -> Header:
        """The columns that every staged file of the source has."""
        return (*self.types, DELETED) if self.source.tombstone else tuple(self.types)

    def explained(self, texts: str, header: Header, *kept: str) -> str:
        """SQL for typed columns, `_line`, `_raw`, the `kept` ones, and `_reason`: why a row is invalid, or NULL."""
        typed = [f"{self._cast(column)} AS {self._typed(column)}" for column in self.types if column in header]
        result = [f"{self._typed(c)} AS {self.dialect.name(c)}" if c in header else self._null(c) for c in self.types]
        result += [*self._beside(header), LINE, RAW, *kept, f"{self._reason(header)} AS _reason"]
        beside = f"(SELECT {', '.join(['*', *typed])} FROM {self._in_grammar(texts, header)})"
        return f"SELECT {', '.join(result)} FROM {beside}"

    def no_rows(self) -> str:
        """SQL for a table without rows, with the columns that every staged file has, in their types."""
        nulls = [self._null(column) for column in self.types]
        nulls += [f"CAST(NULL AS BOOLEAN) AS {DELETED}"] if self.source.tombstone else []
        return f"SELECT {', '.join(nulls)} WHERE false"

    def carried(self, header: Header) -> dict[str, str]:
        """The undeclared columns of a header that are staged too, each with its name in staged files."""
        if self.source.new_columns == "ignore":
            return {}
        names = table_names(header, self.source)
        return {column: names[column] for column in header if column not in self.types}

    def extra(self, headers: Sequence[Header]) -> Header:
        """The staged names of columns that the declaration does not list, in order of appearance."""
        return tuple(dict.fromkeys(column for header in headers for column in self.carried(header).values()))

    def _beside(self, header: Header) -> list[str]:
        """SQL for the undeclared columns, and for whether the row is a tombstone."""
        name = self.dialect.name
        carried_along = [f"{name(column)} AS {name(staged)}" for column, staged in self.carried(header).items()]
        return [*carried_along, f"{self._is_deleted(header)} AS {DELETED}"] if self.source.tombstone else carried_along

    def _null(self, column: str) -> str:
        return f"CAST(NULL AS {self.dialect.type(self.types[column])}) AS {self.dialect.name(column)}"

    def _is_deleted(self, header: Header) -> str:
        assert self.source.tombstone is not None
        column, value = self.source.tombstone
        name, literal = self.dialect.name, self.dialect.literal
        return f"coalesce({name(column)} = {literal(value)}, false)" if column in header else "false"

    def _reason(self, header: Header) -> str:
        """SQL for the first rule that a row breaks; NULL if it breaks none.

        In columns of other types than string, an empty quoted text stands for NULL.
        """
        cases: list[str] = []
        literal, string = self.dialect.literal, self.dialect.type(Type("string"))
        for column, type_ in self.types.items():
            if column in header and type_.name != "string":
                name = self.dialect.name(column)
                cut = f"CASE WHEN length({name}) > {SHOWN} THEN substr({name}, 1, {SHOWN - 1}) || '…' ELSE {name} END"
                shown = f"{literal(f'column {column}: ')} || chr(39) || {cut} || chr(39)"
                cases.append(
                    f"WHEN {self._typed(column)} IS NULL AND {name} <> '' "
                    f"THEN {shown} || {literal(f' is not {self._expected(column)}')}"
                )
        alive = f" AND NOT {self._is_deleted(header)}" if self.source.tombstone else ""
        for column in self.required:
            typed = self._typed(column) if column in header else "NULL"
            only_alive = alive if column not in self.source.keys else ""
            cases.append(f"WHEN {typed} IS NULL{only_alive} THEN {literal(self._lacking(column))}")
        for column, value in self.reserved_keys.items():
            if column in header:
                cases.append(
                    f"WHEN CAST({self._typed(column)} AS {string}) = {literal(str(value))} "
                    f"THEN {literal(f'column {column}: {value} is the key of the Unknown member')}"
                )
        return f"CASE {' '.join(cases)} END" if cases else f"CAST(NULL AS {string})"

    def _in_grammar(self, texts: str, header: Header) -> str:
        """The texts, with those beside them that the grammar has in place of values that are written otherwise."""
        name = self.dialect.name
        forms = [
            f"{in_grammar(self.source.declared[column], name(column), self.dialect)} AS {self._raw(column)}"
            for column in header
            if self._is_written_otherwise(column)
        ]
        return f"(SELECT *, {', '.join(forms)} FROM {texts})" if forms else texts

    def _is_written_otherwise(self, column: str) -> bool:
        return column in self.types and self.source.declared[column].is_written_otherwise

    def _raw(self, column: str) -> str:
        """The text of a column as the grammar has it; that which is beside the header's has a name with two spaces."""
        return self.dialect.name(f"  text {column}" if self._is_written_otherwise(column) else column)

    def _expected(self, column: str) -> str:
        return expected(self.source.declared[column]) or grammar.expected(self.types[column])

    def _lacking(self, column: str) -> str:
        """The reason for rejecting a row without a value in a required column."""
        if column in self.source.keys:
            return f"column {column}: no value, and the key of {self.source.name} needs one"
        if column in self.receipt:
            return f"column {column}: no value, and it is the receipt, the key of {self.receipt[column].name}"
        if self.source.part_of and column in self.source.header_keys:
            return f"column {column}: no value, and it is the key of its row in {self.source.part_of.name}"
        return f"column {column}: no value, and it says when the row happened (event_time)"

    def _typed(self, column: str) -> str:
        """The name of a typed column beside the text columns, none of whose names begins with a space."""
        return self.dialect.name(f" {column}")
