"""Athena's functions of texts in Python, where DuckDB lacks them or differs: format(), URLs, soundex, distances.

Not here: compiling their calls (compiling.texts).
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from urllib.parse import parse_qsl, quote, unquote, unquote_plus, urlsplit

from star_assets.athena.failures import Unanswered, Wrong
from star_assets.athena.functions.number_text import fixed

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_INVALID = "INVALID_FUNCTION_ARGUMENT"

# Letters that sound alike.
_SOUNDS = {
    letter: str(n) for n, several in enumerate(("BFPV", "CGJKQSXZ", "DT", "L", "MN", "R"), 1) for letter in several
}


def reversed_text(text: str) -> str:
    """reverse: the characters in reverse order."""
    return text[::-1]


def replaced(text: str, old: str, new: str) -> str:
    """replace: every occurrence; the empty text occurs between all characters."""
    return text.replace(old, new)


def translated(text: str, old: str, new: str) -> str:
    """translate: each character of `old` becomes the one at its first position in `new`, or nothing."""
    places = {letter: new[place : place + 1] for place, letter in reversed(list(enumerate(old)))}
    return "".join(places.get(letter, letter) for letter in text)


def nth_place(text: str, part: str, nth: int) -> int:
    """strpos: the position of the nth occurrence, counted from the end if `nth` is negative; 0 if there is none."""
    if nth == 0:
        raise Wrong(_INVALID, "'instance' must be a positive or negative number")
    if not part:
        return 1
    found = [match.start() + 1 for match in re.finditer(f"(?={re.escape(part)})", text)]
    place = nth - 1 if nth > 0 else nth
    return found[place] if -len(found) <= place < len(found) else 0


def split_at_most(text: str, delimiter: str, limit: int) -> list[str]:
    """split with a limit: the last part is the rest of the text."""
    if limit < 1 or not delimiter:
        raise Wrong(_INVALID, "The limit must be positive and the delimiter not empty")
    return text.split(delimiter, limit - 1)


def pairs(text: str, entry: str, pair: str) -> dict[str, str]:
    """split_to_map."""
    found: dict[str, str] = {}
    listed = text.split(entry)
    for one in listed[:-1] if not listed[-1] else listed:
        key, _, value = one.partition(pair)
        if one.count(pair) != 1:
            message = f"Key-value delimiter must appear exactly once in each entry. Bad input: '{one}'"
            raise Wrong(_INVALID, message)
        if key in found:
            raise Wrong(_INVALID, f"Duplicate keys ({key}) are not allowed")
        found[key] = value
    return found


def soundex(text: str) -> str:
    """soundex: a letter and three digits for the sound of an English name."""
    letters = [letter for letter in text.upper() if letter.isalpha()]
    if not all(letter.isascii() for letter in letters):
        raise Unanswered("soundex of letters beyond ASCII")
    found, last = letters[:1], _SOUNDS.get(letters[0], "") if letters else ""
    for letter in letters[1:]:
        sound = _SOUNDS.get(letter, "")
        if sound and sound != last:
            found.append(sound)
        # Two letters that sound alike count once, also with H or W between them, but not with a vowel.
        last = last if letter in "HW" else sound
    return "".join(found)[:4].ljust(4, "0") if found else ""


def edits(left: str, right: str) -> int:
    """levenshtein_distance."""
    row = list(range(len(right) + 1))
    for number, one in enumerate(left, 1):
        diagonal, row[0] = row[0], number
        for place, other in enumerate(right, 1):
            diagonal, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, diagonal + (one != other))
    return row[-1]


def differences(left: str, right: str) -> int:
    """hamming_distance."""
    if len(left) != len(right):
        raise Wrong(_INVALID, "The input strings to hamming_distance function must have the same length")
    return sum(one != other for one, other in zip(left, right, strict=True))


def normalized(text: str, form: str) -> str:
    """normalize(text, form)."""
    return unicodedata.normalize(form, text)  # type: ignore[arg-type]


def in_base(number: int, base: int) -> str:
    """to_base."""
    _check_base(base)
    digits, rest = "", abs(number)
    while rest or not digits:
        rest, digit = divmod(rest, base)
        digits = _DIGITS[digit] + digits
    return f"-{digits}" if number < 0 else digits


def from_base(text: str, base: int) -> int:
    """from_base."""
    _check_base(base)
    try:
        return int(text.replace("_", "?").replace(" ", "?"), base)
    except ValueError as error:
        raise Wrong(_INVALID, f"Not a valid base-{base} number: {text}") from error


def _check_base(base: int) -> None:
    if not 2 <= base <= 36:
        raise Wrong(_INVALID, "Radix must be between 2 and 36")


def url_part(url: str, part: str) -> str | None:
    """url_extract_…: a part of a URL; None if it has no such part."""
    if re.search(r"[\s<>\"{}|\\^`]", url):
        return None
    try:
        found = urlsplit(url)
        port = found.port
    except ValueError:
        return None
    if part == "port":
        return None if port is None else str(port)
    host = found.netloc.rpartition("@")[2].partition(":")[0] or None
    scheme = url.partition(":")[0] if found.scheme else ""
    parts = {"protocol": scheme, "host": host, "path": found.path, "query": found.query, "fragment": found.fragment}
    value = parts[part]
    return value if value is None else unquote(value)


def url_parameter(url: str, name: str) -> str | None:
    """The first value of a parameter in a URL's query."""
    query = url_part(url, "protocol") is not None and urlsplit(url).query
    values = [value for key, value in parse_qsl(query or "", keep_blank_values=True) if key == name]
    return values[0] if values else None


def url_encoded(text: str) -> str:
    """url_encode, in the encoding of HTML forms."""
    return quote(text, safe=" *-_.").replace("~", "%7E").replace(" ", "+")


def url_decoded(text: str) -> str:
    """url_decode."""
    if re.search(r"%(?![0-9a-fA-F]{2})", text):
        raise Wrong(_INVALID, "URLDecoder: Illegal hex characters in escape (%) pattern")
    return unquote_plus(text)


_SPECIFIER = re.compile(r"%([-0,+(]*)(\d*)(?:\.(\d+))?([sdfxX])")


def formatted(specifier: str, value: str) -> str:
    """format() of the text of one value, by one of Java's specifiers such as `%,10.2f`."""
    found = _SPECIFIER.fullmatch(specifier)
    if not found or "(" in found[1]:
        raise Unanswered(f"format() with {specifier}")
    flags, width, places, kind = found.groups()
    if kind == "s":
        shown = value[: int(places)] if places else value
    elif value.lstrip("-")[:1].isalpha():
        # NaN and infinity are never padded with zeros.
        shown, flags = value, flags.replace("0", "")
    else:
        shown = _number(value, flags, places, kind)
    if "-" in flags:
        return shown.ljust(int(width or 0))
    if "0" in flags and kind != "s":
        sign, digits = (shown[0], shown[1:]) if shown[:1] in "+-" else ("", shown)
        return sign + digits.rjust(int(width or 0) - len(sign), "0")
    return shown.rjust(int(width or 0))


def _number(value: str, flags: str, places: str | None, kind: str) -> str:
    if kind in "xX":
        if int(value) < 0:
            raise Unanswered("format() of a negative number with %x")
        return format(int(value), kind)
    digits = fixed(value, int(places or 6)) if kind == "f" else value
    if "," in flags:
        digits = format(Decimal(digits), ",f")
    return f"+{digits}" if "+" in flags and not digits.startswith("-") else digits
