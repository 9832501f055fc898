"""Declared formats of dates and timestamps: the directives of strptime that every engine reads alike.

Not here: the column that has a format (column), reading values (engines, exports).
"""

from __future__ import annotations

import re

# The pattern of each directive, without groups. The cast decides whether there is such a month or hour.
_MONTHS = "january|february|march|april|may|june|july|august|september|october|november|december"
_WEEKDAYS = "monday|tuesday|wednesday|thursday|friday|saturday|sunday"


def _short(names: str) -> str:
    return "|".join(name[:3] for name in names.split("|"))


DIRECTIVES = {
    "%Y": "[0-9]{4}",
    "%y": "[0-9]{2}",
    "%m": "[0-9]{1,2}",
    "%b": f"(?i:{_short(_MONTHS)})",
    "%B": f"(?i:{_MONTHS})",
    "%d": "[0-9]{1,2}",
    "%a": f"(?i:{_short(_WEEKDAYS)})",
    "%A": f"(?i:{_WEEKDAYS})",
    "%H": "[0-9]{1,2}",
    "%I": "(?:0?[1-9]|1[0-2])",
    "%M": "[0-9]{2}",
    "%S": "[0-9]{2}",
    "%f": "[0-9]{1,9}",
    "%p": "(?i:am|pm)",
    "%z": "(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)",
}

MONTHS = tuple(_short(_MONTHS).split("|"))

_PIECE = re.compile("%.|[^%]+|%$", re.S)


def pieces(format_: str) -> tuple[str, ...]:
    """The directives of a format and the texts between them, in order. Raises ValueError for another directive."""
    found = tuple("%" if piece == "%%" else piece for piece in _PIECE.findall(format_))
    for piece in found:
        if piece.startswith("%") and piece != "%" and piece not in DIRECTIVES:
            raise ValueError(f"format={format_!r} has {piece}; known: {', '.join(DIRECTIVES)}")
        if piece in DIRECTIVES and found.count(piece) > 1:
            raise ValueError(f"format={format_!r} has {piece} twice; known: each of {', '.join(DIRECTIVES)} once")
    return found


def pattern(format_: str) -> str:
    """The regular expression that a whole text of the format matches, with a group for each directive, in order."""
    return "".join(f"({DIRECTIVES[piece]})" if piece in DIRECTIVES else literal(piece) for piece in pieces(format_))


def literal(text: str) -> str:
    """The regular expression, for RE2, Java and Python, that matches exactly this text."""
    return "".join(f"\\{character}" if character in "\\.^$|()[]{}*+?" else character for character in text)
