"""Recognizes by a file's first bytes that it is not text, or is in another encoding than declared.

Not here: opening and decoding (content), headers (formats).
"""

from __future__ import annotations

import codecs

from star_assets.model.errors import BrokenFile

# The first bytes of common formats that are not text.
_SIGNATURES = {
    b"PAR1": "Parquet",
    b"ORC": "ORC",
    b"Obj\x01": "Avro",
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an Excel workbook",
    b"%PDF": "a PDF",
    b"SQLite format 3\0": "an SQLite database",
    b"\x1f\x8b": "gzip within gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive",
}

_SAVE = "Save its sheet as CSV UTF-8, or unpack the archive"
_REMEDIES = {what: _SAVE for what in _SIGNATURES.values() if "Excel" in what}

# Byte order marks. UTF-32 first, because one of its marks begins like one of UTF-16.
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
LONGEST_MARK = max(map(len, _MARKS))

# Which of each four bytes are NUL in ASCII text in an encoding without a byte order mark.
_NULS: dict[tuple[bool, ...], str] = {
    (False, True, True, True): "utf-32-le",
    (True, True, True, False): "utf-32-be",
    (False, True, False, True): "utf-16-le",
    (True, False, True, False): "utf-16-be",
}
_ASCII = frozenset(b"\t\r") | frozenset(range(32, 127))


def standard_name(encoding: str) -> str:
    """The canonical name of an encoding, without `-sig`."""
    return codecs.lookup(encoding).name.removesuffix("-sig")


def byte_order(start: bytes, encoding: str) -> tuple[bytes, str]:
    """The byte order mark that the content begins with, if any, and the encoding of what follows it."""
    declared = standard_name(encoding)
    for mark, exact in _MARKS.items():
        if start.startswith(mark) and exact.startswith(declared):
            return mark, exact
    return b"", declared


def require_text(start: bytes, name: str, encoding: str, remedy: str) -> None:
    """Raises BrokenFile for content that is not text, or is in another encoding.

    `remedy` is what to do about another encoding, with `{}` for its name.
    """
    for signature, what in _SIGNATURES.items():
        if start.startswith(signature):
            raise BrokenFile(name, None, f"expected text, found {what}", _REMEDIES.get(what, "Export the file again"))
    first_line = start.split(b"\n", 1)[0]
    if found := _other_encoding(start, first_line, standard_name(encoding)):
        raise BrokenFile(name, None, f"expected {encoding}, found {found}", remedy.format(repr(found)))
    if b"\0" in first_line and not _is_wide(encoding):
        raise BrokenFile(name, None, "expected text, found NUL bytes in the first line")
    if start and standard_name(encoding) in ("utf-16", "utf-32") and not byte_order(start, encoding)[0]:
        raise BrokenFile(name, None, f"expected {encoding} with a byte order mark, found none")


def _other_encoding(start: bytes, first_line: bytes, declared: str) -> str | None:
    """The encoding of the content, if it is certainly not the declared one; else None."""
    for mark, exact in _MARKS.items():
        if start.startswith(mark):
            return None if exact.startswith(declared) else exact
    if _is_wide(declared) and first_line and b"\0" not in first_line:
        return "utf-8"
    found = _encoding_without_mark(first_line)
    return None if found == declared else found


def _encoding_without_mark(first_line: bytes) -> str | None:
    """UTF-16 or UTF-32, by the places of NUL bytes in a line of ASCII; None if it is neither."""
    most = len(first_line) // 4 * 4
    if not most or not _ASCII.issuperset(first_line.replace(b"\0", b"")):
        return None
    nuls = tuple(not any(first_line[place:most:4]) for place in range(4))
    return _NULS.get(nuls)


def _is_wide(encoding: str) -> bool:
    """Whether a character of the encoding has at least two bytes."""
    return standard_name(encoding).startswith(("utf-16", "utf-32"))
