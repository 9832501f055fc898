"""The dialect of a source's CSV files, declared. Not here: reading them (exports)."""

from __future__ import annotations

import codecs
from dataclasses import dataclass, fields
from typing import Any

from star_assets.model.errors import BadDeclaration


@dataclass(frozen=True)
class Csv:
    """The dialect of a source's CSV files. RFC 4180 unless declared otherwise.

    An unquoted field that equals one of `null` is NULL; a quoted one is text,
    so `""` is the empty string (as PostgreSQL's COPY writes it).

    With `header=False` files begin with their first row, and have the declared
    columns in their order. The character behind an `escape` is text, whatever it is:
    a quote, a delimiter, a line end (as MySQL and Hive write them).
    """

    delimiter: str = ","
    quote: str = '"'
    encoding: str = "utf-8"
    null: tuple[str, ...] = ("",)
    header: bool = True
    escape: str | None = None

    @property
    def parts(self) -> dict[str, Any]:
        """The arguments that tell dialects apart; `header` and `escape`, which came later, only if declared."""
        usual = {field.name: field.default for field in fields(self)[4:]}
        return {name: value for name, value in vars(self).items() if name not in usual or value != usual[name]}

    def __post_init__(self) -> None:
        if len(self.quote) != 1 or not self.quote.isascii():
            raise BadDeclaration("csv", f"quote is {self.quote!r}", "Use one ASCII character")
        if not self.delimiter or any(character in f"{self.quote}\r\n" for character in self.delimiter):
            raise BadDeclaration("csv", f"delimiter is {self.delimiter!r}", 'Use "," or ";" or a tab')
        if self.escape is not None and (
            len(self.escape) != 1 or not self.escape.isascii() or self.escape in f"{self.quote}{self.delimiter}\r\n"
        ):
            problem = f"escape is {self.escape!r}"
            raise BadDeclaration("csv", problem, "Use one ASCII character beside quote and delimiter, or leave it out")
        for null in self.null:
            if any(part in null for part in (self.delimiter, self.quote, "\r", "\n")):
                raise BadDeclaration("csv", f"null is {null!r}", "Use text that a field can hold without quotes")
        try:
            "".encode(self.encoding)
            codecs.getincrementaldecoder(self.encoding)("replace").decode(b"")
        except (LookupError, UnicodeError) as error:
            raise BadDeclaration("csv", str(error), "Use one that Python knows, such as cp1252") from error
