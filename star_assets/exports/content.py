"""Opens, decompresses, hashes and decodes raw files.

Not here: recognizing formats and encodings by the first bytes (signatures), records (formats).
"""

from __future__ import annotations

import codecs
import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from star_assets.exports.signatures import LONGEST_MARK, byte_order, require_text, standard_name
from star_assets.model.errors import BrokenFile, LakeRefused

if TYPE_CHECKING:
    from hashlib import _Hash

# Bytes per read. Small enough that the arrays made of a chunk stay in the
# processor's cache, which makes counting several times faster.
CHUNK = 1 << 17

GZIP_MAGIC = b"\x1f\x8b"

# A byte that is not valid in a file's encoding is decoded to a lone surrogate,
# U+DC00 plus the byte: no valid text has one, and the byte can be recovered.
_MARK = "star_assets.mark"
_MARKED = re.compile("[\udc00-\udcff]")


def _mark(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error(_MARK, _mark)


class _HashedFile(io.RawIOBase):
    """A file that hashes what is read from it."""

    def __init__(self, file: io.RawIOBase, sha256: _Hash) -> None:
        self._file = file
        self._sha256 = sha256

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        size = self._file.readinto(buffer) or 0
        self._sha256.update(memoryview(buffer)[:size])
        return size


@contextmanager
def open_raw(path: Path, name: str, sha256: _Hash | None = None) -> Iterator[BinaryIO]:
    """The file's content, decompressed if it begins like gzip. Messages call the file `name`.

    `sha256` is updated with the file's own bytes as they are read. Raises BrokenFile
    if the file is gone, is no whole gzip stream or cannot be decoded, LakeRefused
    if it may not be read.
    """
    try:
        with path.open("rb", buffering=0) as file:
            source: io.RawIOBase = _HashedFile(file, sha256) if sha256 else file
            raw = io.BufferedReader(source, CHUNK)
            compressed = raw.peek(len(GZIP_MAGIC)).startswith(GZIP_MAGIC)
            yield cast(BinaryIO, gzip.GzipFile(fileobj=raw) if compressed else raw)
    except EOFError as error:
        raise BrokenFile(name, None, "expected a whole gzip stream, found that the gzip stream ends early") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise BrokenFile(name, None, "expected a gzip stream, found a damaged one") from error
    except UnicodeError as error:
        # Only a few decoders raise: with most of them, bytes that cannot be decoded are marked one by one.
        raise BrokenFile(name, None, f"expected text in the declared encoding, found other bytes ({error})") from error
    except FileNotFoundError as error:
        raise BrokenFile(name, None, "expected a file, found that it is gone") from error
    except OSError as error:
        raise LakeRefused(name, error.strerror or str(error)) from error


def sha256_of(path: Path, name: str) -> str:
    """The SHA-256 of the file's own bytes, in hex. Raises BrokenFile, LakeRefused."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
    except FileNotFoundError as error:
        raise BrokenFile(name, None, "expected a file, found that it is gone") from error
    except OSError as error:
        raise LakeRefused(name, error.strerror or str(error)) from error
    return digest.hexdigest()


def start_of(content: BinaryIO, name: str, encoding: str, remedy: str) -> tuple[bytes, str]:
    """The first chunk without its byte order mark, and its exact encoding. Raises BrokenFile if it is not such text."""
    start = content.read(CHUNK)
    require_text(start, name, encoding, remedy)
    mark, exact = byte_order(start, encoding)
    return start[len(mark) :], exact


def chunks(start: bytes, content: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """The content in chunks, each with whether it is the last; the last is empty."""
    chunk = start
    while chunk:
        yield chunk, False
        chunk = content.read(CHUNK)
    yield b"", True


def as_text(content: BinaryIO, encoding: str) -> io.TextIOWrapper:
    """The content decoded, line ends untouched, without a BOM; iterates over lines ended by LF, CRLF or CR.

    Bytes that are not valid in the encoding are marked; `flaw` finds them.
    """
    mark, exact = byte_order(content.peek(LONGEST_MARK), encoding)  # type: ignore[attr-defined]
    content.read(len(mark))
    return io.TextIOWrapper(content, exact, errors=_MARK, newline="")


def flaw(text: str, encoding: str) -> str | None:
    """The problem with a decoded text: an invalid byte or a NUL; None if there is none."""
    if not text.isascii() and (found := _MARKED.search(text)):
        return f"expected {encoding}, found the byte 0x{ord(found[0]) - 0xDC00:02x}"
    return "expected text, found a NUL byte" if "\0" in text else None


def printable(text: str) -> str:
    r"""The text with each marked byte as `\xff`, so that it can be kept."""
    return text if text.isascii() else _MARKED.sub(lambda found: f"\\x{ord(found[0]) - 0xDC00:02x}", text)


class Utf8:
    """Turns chunks of an encoding into chunks of UTF-8, for counting. The first comes without its BOM.

    `unchanged` stays True as long as the bytes are valid and mean the same in UTF-8.
    """

    def __init__(self, encoding: str) -> None:
        self.unchanged = True
        self._utf8 = standard_name(encoding) == "utf-8"
        self._decoder = codecs.getincrementaldecoder(encoding)("strict" if self._utf8 else _MARK)

    def feed(self, chunk: bytes, final: bool = False) -> bytes:
        """The chunk in UTF-8. Of a chunk that ends amid a character, the rest comes with the next one."""
        if self._utf8:
            self._validate(chunk, final)
            return chunk
        content = self._decoder.decode(chunk, final).encode("utf-8", "surrogatepass")
        self.unchanged = self.unchanged and chunk.isascii() and content == chunk
        return content

    def _validate(self, chunk: bytes, final: bool) -> None:
        amid_character = bool(self._decoder.getstate()[0])
        if self.unchanged and (amid_character or final or not chunk.isascii()):
            try:
                self._decoder.decode(chunk, final)
            except UnicodeDecodeError:
                self.unchanged = False
