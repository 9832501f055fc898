"""Writing floating-point numbers as text, as Athena's engine does, which is written in Java.

Used for casts to varchar, JSON, and format(). The text has the fewest digits that give the same
number, as in Java 19 and later; for a few numbers, older versions write another last digit.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal

_SPECIAL = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}

# The digits with which a real is written.
_REAL = Context(prec=7)


def double_text(value: float) -> str:
    """CAST(double AS varchar): always with an exponent, `1.5E0`."""
    return _SPECIAL.get(str(value)) or _scientific(Decimal(repr(value)))


def real_text(value: float) -> str:
    """CAST(real AS varchar): seven digits at most."""
    return _SPECIAL.get(str(value)) or _scientific(_REAL.create_decimal_from_float(value))


def scientific_or_plain(value: float) -> str:
    """Java's text: `1.5`, `100.0`; with an exponent below a thousandth, and from ten million on."""
    if special := _SPECIAL.get(str(value)):
        return special
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        found = format(Decimal(repr(value)), "f")
        return found if "." in found else f"{found}.0"
    return _scientific(Decimal(repr(value)))


def _scientific(value: Decimal) -> str:
    sign, digits, exponent = value.as_tuple()
    shown = "".join(map(str, digits)).rstrip("0")
    if not shown:
        return f"{'-' * sign}0E0"
    power = len(digits) + int(exponent) - 1
    return f"{'-' * sign}{shown[0]}.{shown[1:] or '0'}E{power}"


def fixed(value: str, places: int) -> str:
    """A number's text with `places` digits after the point, rounded half up."""
    number = Decimal(value)
    if not number.is_finite():
        return _SPECIAL[str(float(value))]
    with_places = number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, Context(prec=400))
    return format(with_places, "f")
