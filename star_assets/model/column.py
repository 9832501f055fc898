"""A declared column of a source: its type, what exports call it, how they write its values.

Not here: the source that has it (source), its type (types), what is done with such
values (engines/value_formats).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from star_assets.model.date_format import pieces
from star_assets.model.types import Type

_DATES = ("date", "timestamp")
_INTEGERS = ("int32", "int64")
_NUMBERS = (*_INTEGERS, "float64", "decimal")


@dataclass(frozen=True)
class Column:
    """A declared column: its type, what it means, whether an export may lack it.

    Args:
        personal: whether its values are personal data, such as a name or an address. Reports show neither the column
            nor columns that are computed from it.
        header: what exports call it, where that is not the column's name; several where it was renamed. Case and
            spaces around it do not count.
        format: how dates or timestamps are written, as `%m/%d/%Y %I:%M %p`; ISO 8601 unless declared.
        decimal: the mark before a number's decimals.
        thousands: the mark between groups of three digits, where there is one.
        currency: a sign that may stand before or behind a number.
        lenient: whether whole numbers may be written with zeros as decimals, as `17850.0`.
    """

    type: str
    description: str = ""
    optional: bool = False
    personal: bool = False
    header: str | tuple[str, ...] = ()
    format: str | None = None
    decimal: str = "."
    thousands: str = ""
    currency: str = ""
    lenient: bool = False

    @property
    def headers(self) -> tuple[str, ...]:
        """The declared headers in lower case, as they are compared; none if exports use the column's own name."""
        named = (self.header,) if isinstance(self.header, str) else self.header
        return tuple(name.strip().lower() for name in named)

    @property
    def written(self) -> Mapping[str, Any]:
        """The arguments on the column's form in exports (header, format, …) that are not the default, by name."""
        found = {field.name: getattr(self, field.name) for field in fields(self)[4:] if field.name != "header"}
        usual = {field.name: field.default for field in fields(self)}
        declared = {name: value for name, value in found.items() if value != usual[name]}
        return {**declared, **({"header": self.headers} if self.headers else {})}

    @property
    def is_written_otherwise(self) -> bool:
        """Whether exports write its values in another form than the grammar of its type."""
        return bool(self.written.keys() - {"header"})

    @property
    def contradiction(self) -> tuple[str, str] | None:
        """An argument that does not fit the type, and what to do; None if all fit."""
        try:
            type_ = Type.parse(self.type).name
            parts = pieces(self.format) if self.format is not None else ()
        except ValueError as error:
            return str(error), "Use one of these"
        if any(not name for name in self.headers):
            return "header has an empty name", "Write what exports call it"
        if self.format is not None and type_ not in _DATES:
            return f"format={self.format!r} is for dates and timestamps, and it is {self.type}", "Leave it out"
        if self.format is not None and (problem := _format_problem(parts, type_)):
            return f"format={self.format!r} {problem}", "Write it as %m/%d/%Y, or %d.%m.%y %H:%M:%S"
        if self.lenient and type_ not in _INTEGERS:
            return f"lenient is for whole numbers, and it is {self.type}", "Leave it out"
        marks = self.written.keys() & {"decimal", "thousands", "currency"}
        if marks and type_ not in _NUMBERS:
            return f"{', '.join(sorted(marks))}: for numbers, and it is {self.type}", "Leave it out"
        return self._ambiguous_marks()

    def _ambiguous_marks(self) -> tuple[str, str] | None:
        used = [self.decimal, *([self.thousands] if self.thousands else [])]
        if len(set(used)) < len(used) or any(len(mark) != 1 or mark.isalnum() or mark in "+-" for mark in used):
            problem = f"decimal={self.decimal!r} and thousands={self.thousands!r}"
            return problem, "Use a character for each that is no letter, digit or sign"
        if any(character.isdigit() or character in "+-.," for character in self.currency):
            return f"currency={self.currency!r} can be taken for a number", "Use a sign such as € or USD"
        return None


def _format_problem(parts: tuple[str, ...], type_: str) -> str:
    """What the directives of a format lack, or have too many of; "" if they fit the type."""
    known = set(parts)
    day = known & {"%Y", "%y"} and known & {"%m", "%b", "%B"} and "%d" in known
    time = known & {"%H", "%I", "%M", "%S", "%f", "%p", "%z"}
    if not day or len([part for part in parts if part in ("%Y", "%y", "%m", "%b", "%B", "%d")]) > 3:
        return "must have one year, one month and one day"
    if time and type_ == "date":
        return "has a time, and a date has none: declare a timestamp"
    if time and not ("%H" in known) ^ ({"%I", "%p"} <= known):
        return "must have the hour as %H, or as %I with %p"
    if ("%S" in known and "%M" not in known) or ("%f" in known and "%S" not in known):
        return "has seconds without minutes, or a fraction without seconds"
    return ""
