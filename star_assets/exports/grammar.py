"""For each type, the regular expression that the text of a valid value matches.

Engines disagree on `12.5` as an integer, on `2023` as a date, on `+02` as an
offset, so text is matched against these before any cast, and a row with text that
does not match is a reject. The expressions mean the same to RE2, Java and Python, and are
matched against the whole value. Text that matches may still be no valid value
(30 February, an integer of 19 digits that is too large): the cast finds that.
"""

from __future__ import annotations

from star_assets.model.types import Type

# Years 1 to 9999: some engines have no year 0, or another one.
_YEAR = r"(?:[1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])"
_DATE = rf"{_YEAR}-[0-9]{{2}}-[0-9]{{2}}"
_TIME = r"[ T](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?"

# The end of a timestamp that says its offset from UTC: Z, +02, +0200, +02:00. No
# place was ever 16 hours away; DuckDB would take 99.
_OFFSET = r"(?:Z|[+-](?:0[0-9]|1[0-5])(?::?[0-5][0-9])?)"

_PATTERNS = {
    "int32": r"[+-]?[0-9]{1,10}",
    "int64": r"[+-]?[0-9]{1,19}",
    "float64": r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?",
    "boolean": r"(?:true|false|t|f|TRUE|FALSE|True|False|T|F|1|0)",
    "date": _DATE,
    "timestamp": rf"{_DATE}(?:{_TIME}{_OFFSET}?)?",
}

# What messages say was expected, by type.
EXAMPLES = {
    "int32": "a whole number up to 2,147,483,647",
    "int64": "a whole number up to 9,223,372,036,854,775,807",
    "float64": "a number such as 12.5 or 1e-3",
    "boolean": "true or false",
    "date": "a date such as 2023-07-01",
    "timestamp": "a timestamp such as 2023-07-01 10:00:00+02",
}


def pattern(type_: Type) -> str | None:
    """The expression that a value's whole text must match; None if any text is valid."""
    if type_.name != "decimal":
        return _PATTERNS.get(type_.name)
    assert type_.precision is not None and type_.scale is not None
    # Zeros beyond the scale change nothing; any other digit there would be
    # rounded away, and money is never rounded on the way in.
    whole, scale = type_.precision - type_.scale, type_.scale
    return rf"[+-]?0*(?:[0-9]{{1,{max(whole, 1)}}}(?:\.[0-9]{{0,{scale}}}0*)?|\.[0-9]{{1,{max(scale, 1)}}}0*)"


def expected(type_: Type) -> str:
    """What was expected, for messages about a value that is not of the type."""
    if type_.name == "decimal":
        return f"a number with up to {type_.scale} decimals"
    return EXAMPLES.get(type_.name, "text")
