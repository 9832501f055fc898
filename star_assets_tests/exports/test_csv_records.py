"""The exact reader of CSV files, and the inspection before it."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from star_assets.exports.content import CHUNK
from star_assets.exports.formats.csv import grammar
from star_assets.exports.formats.opening import inspect_file, read_records
from star_assets.exports.records import BATCH_RECORDS
from star_assets.model import Csv, Source
from star_assets.model.errors import BrokenFile

Look = Callable[..., Any]


def source(**dialect: Any) -> Source:
    return Source("orders", key="a", columns={"a": "string"}, csv=Csv(**dialect))


COMMA = source()

# Bytes in → rows, and rejects as (line, raw text, reason). The header is always a, b, c.
SOUND = {
    "plain": (b"a,b,c\n1,2,3\n4,5,6\n", [("1", "2", "3"), ("4", "5", "6")]),
    "no line end at the end": (b"a,b,c\n1,2,3", [("1", "2", "3")]),
    "an empty last field": (b"a,b,c\n1,2,", [("1", "2", None)]),
    "only empty fields": (b"a,b,c\n,,\n", [(None, None, None)]),
    "CRLF": (b"a,b,c\r\n1,2,3\r\n4,5,6\r\n", [("1", "2", "3"), ("4", "5", "6")]),
    "CR": (b"a,b,c\r1,2,3\r4,5,6\r", [("1", "2", "3"), ("4", "5", "6")]),
    "mixed line ends": (b"a,b,c\n1,2,3\r\n4,5,6\r7,8,9", [("1", "2", "3"), ("4", "5", "6"), ("7", "8", "9")]),
    "CR before CRLF": (b"a,b,c\r\n1,2,3\r\r\n4,5,6", [("1", "2", "3"), ("4", "5", "6")]),
    "blank lines": (b"\n\na,b,c\n\n1,2,3\n\n\n\n4,5,6\n\n", [("1", "2", "3"), ("4", "5", "6")]),
    "a BOM": (b'\xef\xbb\xbf"a",b,c\n1,2,3\n', [("1", "2", "3")]),
    "a header of capitals and spaces": (b" A ,B, c\n1,2,3\n", [("1", "2", "3")]),
    "a quoted header over two lines": (b'a,b,"\nc"\n1,2,3\n', [("1", "2", "3")]),
    "spaces are kept": (b"a,b,c\n 1 ,  ,3\n", [(" 1 ", "  ", "3")]),
    "quoted text": (b'a,b,c\n"1","x,y",3\n', [("1", "x,y", "3")]),
    "quoted empty is no NULL": (b'a,b,c\n1,"",\n', [("1", "", None)]),
    "doubled quotes": (b'a,b,c\n1,"say ""hi""","""\n"""\n', [("1", 'say "hi"', '"\n"')]),
    "quoted line ends": (b'a,b,c\n1,"x\n\r\n\ry",3\n', [("1", "x\n\r\n\ry", "3")]),
    "a quote amid text": (b'a,b,c\n1,5" pipe,3\n2,x,y\n', [("1", '5" pipe', "3"), ("2", "x", "y")]),
    "quotes amid text, each at the end of its field": (b'a,b,c\n5",6",7"\n', [('5"', '6"', '7"')]),
    "quotes within one field": (b'a,b,c\n5" x 6" pipe, "x", "y"\n', [('5" x 6" pipe', ' "x"', ' "y"')]),
    "a quote behind a space": (b'a,b,c\n1, "x",3\n', [("1", ' "x"', "3")]),
    "Unicode line ends are text": (
        "a,b,c\n1,x\u2028y\x85z\x0b\x0c\x1c,ß\n".encode(),
        [("1", "x\u2028y\x85z\x0b\x0c\x1c", "ß")],
    ),
}

TORN = {
    "too few fields": (b"a,b,c\n1,2\n4,5,6\n", [(2, "1,2", "expected 3 fields, found 2")]),
    "too many fields": (b"a,b,c\n1,2,3,4\r\n4,5,6\n", [(2, "1,2,3,4", "expected 3 fields, found 4")]),
    "too few fields over two lines": (
        b'a,b,c\n1,"x\ny"\n4,5,6\n',
        [(2, '1,"x\ny"', "expected 3 fields, found 2")],
    ),
    "a line of spaces": (b"a,b,c\n  \n4,5,6\n", [(2, "  ", "expected 3 fields, found 1")]),
    "text behind a quote": (
        b'a,b,c\n1,"x"y,3\n4,5,6\n',
        [(2, '1,"x"y,3', "text after the closing quote of field 2; double a quote that is text")],
    ),
    "a delimiter that is missing before a quote": (
        b'a,b,c\n1,$78.07"All-Weather, Table"\n4,5,6\n',
        [
            (
                2,
                '1,$78.07"All-Weather, Table"',
                "a quote opens amid field 2, and one closes field 3; quote fields as a whole",
            )
        ],
    ),
    "the same behind lines within quotes": (
        b'a,b,c\n"1\n2",x"y,w"\n4,5,6\n',
        [(2, '"1\n2",x"y,w"', "a quote opens amid field 2, and one closes field 3; quote fields as a whole")],
    ),
    "a runaway quote that meets another": (
        b'a,b,c\n1,"x,3\n4,5,6\n7,"y",9,10\n',
        [
            (2, '1,"x,3', "text after the closing quote of field 2; double a quote that is text"),
            (4, '7,"y",9,10', "expected 3 fields, found 4"),
        ],
    ),
    "a runaway quote that meets the end": (
        b'a,b,c\n1,2,"x\n4,5,6\n',
        [(2, '1,2,"x', "the quote of field 3 is never closed")],
    ),
    "a file cut amid a row": (b'a,b,c\n4,5,6\n7,"8', [(3, '7,"8', "the quote of field 2 is never closed")]),
    "bytes that are no UTF-8": (
        b"a,b,c\n1,caf\xe9,3\n4,5,6\n",
        [(2, "1,caf\\xe9,3", "expected utf-8, found the byte 0xe9")],
    ),
    "a cut UTF-8 character at the end": (
        b"a,b,c\n4,5,6\n1,2,\xc3",
        [(3, "1,2,\\xc3", "expected utf-8, found the byte 0xc3")],
    ),
    "a NUL": (b"a,b,c\n1,\0,3\n4,5,6\n", [(2, "1,\0,3", "expected text, found a NUL byte")]),
}

# What is torn shares one good row, which must never be lost.
GOOD = [("4", "5", "6")]

BROKEN = {
    "Parquet": (b"PAR1\x15\x04\x15", "found Parquet"),
    "a zip": (b"PK\x03\x04\x14\0", "found a zip archive or an Excel workbook"),
    "NULs": (b"\x01\0\0\0a,b\n", "NUL bytes in the first line"),
    "UTF-16 undeclared": ("a,b,c\n1,2,3\n".encode("utf-16"), "expected utf-8, found utf-16-le"),
    "a repeated column": (b"a,b, A\n1,2,3\n", "found 'a' twice"),
    "a column without a name": (b"a,,c\n1,2,3\n", "expected a name for column 2"),
    "a reserved column": (b"a,_line\n1,2\n", "reserved name '_line'"),
    "an unclosed quote in the header": (b'a,"b,c\n1,2,3\n', "the quote of field 2 is never closed"),
    "a header that is not UTF-8": (b"a,b\xff\n1,2\n", "found the byte 0xff"),
    "a header without end": (b"a" * (CHUNK + 10), "does not end within"),
}


@pytest.mark.parametrize("case", SOUND)
def test_sound_files_come_back_exactly(look: Look, case: str) -> None:
    """Any difference here is a value that an analyst reads wrong."""
    content, rows = SOUND[case]
    found = look(content, COMMA)
    assert (found.columns, found.rows, found.rejects) == (("a", "b", "c"), rows, [])


@pytest.mark.parametrize("case", SOUND)
def test_gzip_changes_nothing(look: Look, case: str) -> None:
    """Compressed exports are recognised by their bytes, whatever they are called."""
    content, rows = SOUND[case]
    found = look(gzip.compress(content), COMMA, "orders.csv")
    assert (found.rows, found.rejects, found.profile.gzip) == (rows, [], True)


@pytest.mark.parametrize("case", TORN)
def test_torn_rows_are_rejected_alone(look: Look, case: str) -> None:
    """A bad row costs itself; the good ones around it stay."""
    content, rejects = TORN[case]
    found = look(content, COMMA)
    assert (found.rows, found.reasons) == (GOOD, rejects)


@pytest.mark.parametrize("case", TORN)
def test_torn_files_are_not_plain_or_counted_apart(look: Look, case: str) -> None:
    """A fast reader must never be trusted with a torn file: it is not plain, or its rows do not add up."""
    content, _ = TORN[case]
    found = look(content, COMMA)
    assert not found.profile.plain or found.profile.records > len(found.rows)


@pytest.mark.parametrize("row", [b"1,2,3,", b"1,2,3,,,", b'1,"2",3,', b"1,2"])
def test_a_row_of_another_width_is_not_plain(look: Look, row: bytes) -> None:
    """DuckDB takes fields beyond the header without a word if they are empty; the exact reader does not."""
    found = look(b"a,b,c\n" + row + b"\n4,5,6\n", COMMA)
    assert (found.profile.plain, found.rows, len(found.rejects)) == (False, GOOD, 1)


@pytest.mark.parametrize("content", [b"a,b\r\n1,2\n", b"a,b\r1,2\r", b"\na,b\n1,2\n", b'a,b\n1, "x"\n', b"a,b\n1,\0\n"])
def test_what_readers_disagree_on_is_not_plain(look: Look, content: bytes) -> None:
    """Mixed line ends, a blank first line, quotes amid text and NULs are the exact reader's."""
    assert not look(content, COMMA).profile.plain


@pytest.mark.parametrize("case", BROKEN)
def test_broken_files_say_what_is_wrong(look: Look, case: str) -> None:
    """Without the reason nobody can mend the export."""
    content, problem = BROKEN[case]
    with pytest.raises(BrokenFile, match=problem):
        look(content, COMMA)


@pytest.mark.parametrize(
    ("dialect", "content"),
    [
        ({"delimiter": ";"}, b'a;b\n1;"x;y"\n'),
        ({"delimiter": "\t"}, b'a\tb\n1\t"x;y"\n'),
        ({"delimiter": "|", "quote": "'"}, b"a|b\n'1'|'x;y'\n"),
        ({"delimiter": "||"}, b'a||b\n1||"x;y"\n'),
    ],
)
def test_declared_dialects_are_read(look: Look, dialect: dict[str, str], content: bytes) -> None:
    """Exports with `;`, tabs or other quotes are common."""
    found = look(content, source(**dialect))
    assert (found.columns, found.rows, found.profile.records) == (("a", "b"), [("1", "x;y")], 1)


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16", "utf-16-le", "shift_jis", "utf-8-sig", "ascii"])
def test_declared_encodings_are_read(look: Look, encoding: str) -> None:
    """Counting and reading must agree in encodings where a line end is no single byte."""
    text = "ab" if encoding == "ascii" else "ソ" if encoding == "shift_jis" else "é"
    content = f'a,b\r\n1,{text}\r\n2,"{text}\r\n{text}"\r\n'.encode(encoding)
    found = look(content, source(encoding=encoding))
    assert found.rows == [("1", text), ("2", f"{text}\r\n{text}")]
    assert (found.profile.records, found.profile.lines) == (2, 4)
    assert found.profile.plain == (encoding in ("ascii", "utf-8-sig"))


def test_an_encoding_that_is_ascii_here_is_plain(look: Look) -> None:
    """A declared code page must not slow down files that do not use it."""
    assert look(b"a,b\n1,x\n", source(encoding="cp1252")).profile.plain


def test_bytes_outside_a_declared_encoding_are_rejects(look: Look) -> None:
    """cp1252 has holes; a byte there is no character."""
    found = look(b"a,b\n1,\x81\n2,\x80\n", source(encoding="cp1252"))
    assert found.rows == [("2", "€")]
    assert found.reasons == [(2, "1,\\x81", "expected cp1252, found the byte 0x81")]


def test_declared_nulls_count_only_unquoted(look: Look) -> None:
    r"""MySQL writes \N; the text "\N" in quotes is text."""
    found = look(b'a,b,c\n1,\\N,"\\N"\n2,,NULL\n', source(null=("\\N", "NULL")))
    assert found.rows == [("1", None, "\\N"), ("2", "", None)]


def test_rows_know_their_line_and_text(look: Look) -> None:
    """A value that turns out invalid later is reported with its place and raw text."""
    found = look(b'a,b\r\n\r\n1,"x\r\ny"\r\n2,z\r\n', COMMA)
    assert (found.lines, found.raws) == ([3, 5], ['1,"x\r\ny"', "2,z"])


@pytest.mark.parametrize(("content", "lines"), [(b"", 0), (b"\n\r\n", 2), (b"a,b\n", 1), (b"a,b", 1)])
def test_files_without_rows_are_no_error(look: Look, content: bytes, lines: int) -> None:
    """A job with nothing to export may write an empty file, or a header alone."""
    found = look(content, COMMA)
    assert (found.profile.records, found.profile.lines, found.rows, found.rejects) == (0, lines, [], [])


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda content: content[:-9], "the gzip stream ends early"),
        (lambda content: content[:11], "the gzip stream ends early"),
        (lambda content: content[:100] + bytes(50) + content[150:], "found a damaged one"),
        (lambda content: content + b"more", "found a damaged one"),
    ],
)
def test_a_damaged_gzip_is_told(look: Look, damage: Callable[[bytes], bytes], problem: str) -> None:
    """A half-copied file must not pass as a short day."""
    content = gzip.compress(b"a,b\n" + b"".join(b"%d,%d\n" % (n, n * n) for n in range(1000)))
    with pytest.raises(BrokenFile, match=problem):
        look(damage(content), COMMA, "orders.csv.gz")


def test_a_file_that_changes_between_count_and_reading_is_told(tmp_path: Path) -> None:
    """Its rows would be published under a checksum of other bytes."""
    path = tmp_path / "orders.csv"
    path.write_bytes(b"a,b\n1,2\n")
    profile = inspect_file(path, path.name, COMMA)
    path.write_bytes(b"a,b\n1,2\n3,4\n")
    with pytest.raises(BrokenFile, match="expected 2 lines, as counted at first, found 3"):
        list(read_records(path, path.name, COMMA, profile))


def test_large_files_come_in_batches(look: Look, tmp_path: Path) -> None:
    """Memory stays bounded however long the file is."""
    count = 2 * BATCH_RECORDS + 1
    path = tmp_path / "orders.csv"
    path.write_bytes(b"a,b\n" + b"1,2\n" * count)
    profile = inspect_file(path, path.name, COMMA)
    sizes = [batch.table.num_rows for batch in read_records(path, path.name, COMMA, profile)]
    assert (profile.records, sizes) == (count, [BATCH_RECORDS, BATCH_RECORDS, 1])


def test_records_longer_than_a_block_are_whole(look: Look) -> None:
    """A document in a column may be larger than what is read at once."""
    long = "line\n" * (grammar.BLOCK // 2)
    found = look(f'a,b\n1,"{long}"\n2,x\n'.encode(), COMMA)
    assert (found.rows == [("1", long), ("2", "x")], found.rejects) == (True, [])


def test_a_runaway_quote_costs_one_line_of_a_long_file(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    """The search for the closing quote is bounded, and so is its memory."""
    monkeypatch.setattr(grammar, "BLOCK", 1000)
    monkeypatch.setattr(grammar, "LONGEST_RECORD", 5000)
    found = look(b'a,b\n1,"x\n' + b"1,2\n" * 10_000, COMMA)
    assert len(found.rows) == 10_000
    assert found.reasons == [(2, '1,"x', "the quote of field 2 is not closed within 5,000 characters")]


@pytest.mark.parametrize("shift", range(6))
def test_counts_do_not_depend_on_where_a_chunk_ends(look: Look, shift: int) -> None:
    """A CRLF, a doubled quote or a character cut in two by a read must count as one."""
    filler = b"a,b\n1," + b"x" * (CHUNK - 20 - shift) + b"\n"
    for middle in (b'2,"y""z"\r\n\r\n3,4\r\n', b'2,""\n\n"",""\n', "2,é\n3,ßß\n".encode(), b'"","\r\n"\r\n\r\n1,1'):
        found = look(filler + b'"' + b"p" * 5 + b'",' + middle.split(b",", 1)[1], COMMA)
        assert found.profile.records == len(found.rows)
        assert not found.rejects


VALUES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=6) | st.text(
    "\"',;|\t\r\n x", max_size=6
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(
    rows=st.lists(st.tuples(VALUES, VALUES, VALUES), max_size=8),
    delimiter=st.sampled_from(",;|\t"),
    quote=st.sampled_from("\"'"),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
    compress=st.booleans(),
)
def test_whatever_a_csv_writer_writes_comes_back(
    look: Look,
    rows: list[tuple[str, str, str]],
    delimiter: str,
    quote: str,
    line_end: str,
    quoting: Any,
    encoding: str,
    compress: bool,
) -> None:
    """Rows, line numbers and the independent count agree for every dialect."""
    text = io.StringIO(newline="")
    if quoting == csv.QUOTE_MINIMAL:
        line_end = "\r\n"  # the writer quotes only the line ends that it uses itself
    writer = csv.writer(text, delimiter=delimiter, quotechar=quote, lineterminator=line_end, quoting=quoting)
    writer.writerow(("a", "b", "c"))
    writer.writerows(rows)
    content = text.getvalue().encode(encoding)
    found = look(
        gzip.compress(content) if compress else content,
        source(delimiter=delimiter, quote=quote, encoding=encoding, null=()),
    )
    assert (found.rows, found.rejects, found.profile.records) == (rows, [], len(rows))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
@given(st.lists(st.sampled_from([b'"', b",", b"\n", b"\r", b"x", b'""', b'","', b"\xff", b"\0"]), max_size=30))
def test_no_byte_of_any_file_is_lost(look: Look, parts: list[bytes]) -> None:
    """Whatever comes, every line is a row's, a reject's or blank; and where quoting is tidy, the count agrees."""
    body = b"".join(parts)
    found = look(b"a,b\n" + body, COMMA)
    kept = "".join([*found.raws, *(reject.raw for reject in found.rejects)])
    expected = body.decode(errors="backslashreplace")
    assert sorted(kept.replace("\n", "").replace("\r", "")) == sorted(expected.replace("\n", "").replace("\r", ""))
    if found.profile.plain:
        assert found.profile.records == len(found.rows) + len(found.rejects)
