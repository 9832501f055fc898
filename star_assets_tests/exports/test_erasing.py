"""A raw file without a person is otherwise the same, byte for byte, in whatever encoding."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from star_assets.exports.erasing import Erasure
from star_assets.exports.formats.opening import erase, inspect_file
from star_assets.model import Csv, Source

FILE = 'id,note\r\n1,"é\n"\r\n2,x\r\n'
WITHOUT_TWO = FILE.removesuffix("2,x\r\n")


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(
    ("declared", "mark", "exact"),
    [
        ("utf-8", b"", "utf-8"),
        ("utf-8", b"\xef\xbb\xbf", "utf-8"),
        ("cp1252", b"", "cp1252"),
        ("utf-16", b"\xff\xfe", "utf-16-le"),
        ("utf-16", b"\xfe\xff", "utf-16-be"),
        ("utf-16-be", b"", "utf-16-be"),
        ("utf-16-le", b"\xff\xfe", "utf-16-le"),
        ("utf-32", b"\0\0\xfe\xff", "utf-32-be"),
    ],
)
def test_encoding_mark_and_compression_stay(
    tmp_path: Path, declared: str, mark: bytes, exact: str, compressed: bool
) -> None:
    """A file that changes its order of bytes is another one to whatever reads it next."""
    path, out = tmp_path / "a.csv", tmp_path / "out"
    content = mark + FILE.encode(exact)
    path.write_bytes(gzip.compress(content) if compressed else content)
    source = Source("notes", key="id", columns={"id": "int64", "note": "string"}, csv=Csv(encoding=declared))
    erasure = Erasure(lambda fields: fields["id"] == "2", (), lambda _: False, re.compile("^2,"))
    erased = erase(path, "a.csv", source, inspect_file(path, "a.csv", source), erasure, out)
    found = out.read_bytes()
    assert (gzip.decompress(found) if compressed else found) == mark + WITHOUT_TWO.encode(exact)
    assert erased.removed == 1
