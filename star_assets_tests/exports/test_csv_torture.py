"""CSV files as they should not be: for each defect the rows, the rejects or the message that come of it.

The classes are those of the Pollock benchmark (delimiters, quotes, escapes,
line ends, headers, preambles, several tables, ragged rows), with encodings and
numbers beside them. Each goes through a refresh of the source's day, as a user's
export does, and through the readers.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import groupby, product
from pathlib import Path
from typing import Any

import pytest

from star_assets.exports.content import CHUNK
from star_assets.model import Csv, Marker, Source, Star
from star_assets.model.errors import BrokenFile, ColumnMissing
from star_assets.pipeline.outcome import Outcome
from star_assets_tests.exports.conftest import Found
from star_assets_tests.pipeline.conftest import Lake

DAY = SOUND_DAY = "2023-07-01"

HEADER = "id,price,note"
SOUND = f"{HEADER}\n1,2.5,x\n2,3.5,y\n"
ONE, TWO = (1, 2.5, "x"), (2, 3.5, "y")
BOTH = [ONE, TWO]


def source(csv: Csv = Csv(), only_text: bool = False) -> Source:  # noqa: B008
    """Three columns of three types, or of text alone; every row may be a reject."""
    types = ("string",) * 3 if only_text else ("int64", "decimal(18,4)", "string")
    columns = dict(zip(HEADER.split(","), types, strict=True))
    return Source("notes", key="id", columns=columns, whole=Marker(), csv=csv, max_rejects=1.0)


@dataclass(frozen=True)
class Case:
    """A file, and what comes of it: rows as (id, price, note), and rejects as (line, reason, raw text)."""

    content: str | bytes
    rows: list[tuple[Any, ...]]
    rejects: tuple[tuple[int, str, str], ...] = ()
    csv: Csv = field(default_factory=Csv)
    only_text: bool = False

    @property
    def bytes(self) -> bytes:
        return self.content.encode() if isinstance(self.content, str) else self.content

    @property
    def source(self) -> Source:
        return source(self.csv, self.only_text)


@dataclass(frozen=True)
class Broken(Case):
    """A file that no row is staged of, and what people are told of it after the file's name."""

    message: str = ""


def broken(content: str | bytes, problem: str, remedy: str = "Export the file again", csv: Csv = Csv()) -> Broken:  # noqa: B008
    told = f"{problem}. Nothing of this day was staged; the live version stays. {remedy}."
    return Broken(content, [], csv=csv, message=told)


def number(column: str, text: str) -> str:
    expected = {"id": "a whole number up to 9,223,372,036,854,775,807", "price": "a number with up to 4 decimals"}
    return f"column {column}: '{text}' is not {expected[column]}"


def fields(found: int) -> str:
    return f"expected 3 fields, found {found}"


def delimited(by: str) -> str:
    return SOUND.replace(",", by)


BEHIND_QUOTE = "text after the closing quote of field 3; double a quote that is text"

DELIMITERS = {
    "a declared semicolon": Case(delimited(";"), BOTH, csv=Csv(delimiter=";")),
    "a declared tab": Case(delimited("\t"), BOTH, csv=Csv(delimiter="\t")),
    "a declared pipe": Case(delimited("|"), BOTH, csv=Csv(delimiter="|")),
    "a declared space": Case(delimited(" "), BOTH, csv=Csv(delimiter=" ")),
    "a declared colon": Case(delimited(":"), BOTH, csv=Csv(delimiter=":")),
    "a declared comma and space": Case(delimited(", "), BOTH, csv=Csv(delimiter=", ")),
    "two declared tabs": Case(delimited("\t\t"), BOTH, csv=Csv(delimiter="\t\t")),
    "a declared character of two bytes": Case(delimited("§"), BOTH, csv=Csv(delimiter="§")),
    "a backslash and a t, declared": Case(delimited("\\t"), BOTH, csv=Csv(delimiter="\\t")),
    "one row with another delimiter": Case(f"{HEADER}\n1,2.5,x\n2;3.5;y\n", [ONE], ((3, fields(1), "2;3.5;y"),)),
    "one row with spaces": Case(f"{HEADER}\n1 2.5 x\n2,3.5,y\n", [TWO], ((2, fields(1), "1 2.5 x"),)),
    "the first row with another delimiter": Case(
        f"{HEADER}\n1\t2.5\tx\n2,3.5,y\n", [TWO], ((2, fields(1), "1\t2.5\tx"),)
    ),
    "delimiters behind rows": Case(
        f"{HEADER}\n1,2.5,x,\n2,3.5,y,,\n", [], ((2, fields(4), "1,2.5,x,"), (3, fields(5), "2,3.5,y,,"))
    ),
    "one delimiter too many in all rows": broken(
        f"{HEADER},\n1,2.5,x,\n", ", line 1: expected a name for column 4, found none"
    ),
    "an undeclared semicolon": broken(
        delimited(";"),
        ", line 1: expected the delimiter ',', found ';'",
        "Declare csv=Csv(delimiter=';') in the Source, or export the file again",
    ),
    "an undeclared tab": broken(
        delimited("\t"),
        ", line 1: expected the delimiter ',', found '\\t'",
        "Declare csv=Csv(delimiter='\\t') in the Source, or export the file again",
    ),
    "commas where a semicolon is declared": broken(
        SOUND,
        ", line 1: expected the delimiter ';', found ','",
        "Declare csv=Csv(delimiter=',') in the Source, or export the file again",
        Csv(delimiter=";"),
    ),
    "another delimiter and other quotes": broken(
        "'id';'price';'note'\n'1';'2.5';'x'\n",
        ", line 1: expected the delimiter ',' and the quote '\"', found ';' and \"'\"",
        "Declare csv=Csv(delimiter=';', quote=\"'\") in the Source, or export the file again",
    ),
    "a spreadsheet's own line about delimiters": broken(
        f"sep=;\n{delimited(';')}",
        ", line 1: expected the header, found 'sep=;'; the header is on line 2",
        "Export the file without the lines before its header",
        Csv(delimiter=";"),
    ),
}

QUOTES = {
    "all fields quoted": Case('"id","price","note"\n"1","2.5","x"\n"2","3.5","y"\n', BOTH),
    "declared single quotes": Case("'id','price','note'\n'1','2.5','x,''y'\n", [(1, 2.5, "x,'y")], csv=Csv(quote="'")),
    "undeclared single quotes in the header": broken(
        "'id','price','note'\n'1','2.5','x'\n",
        ", line 1: expected the quote '\"', found \"'\"",
        'Declare csv=Csv(quote="\'") in the Source, or export the file again',
    ),
    "undeclared single quotes around text": Case(f"{HEADER}\n1,2.5,'z'\n2,3.5,y\n", [(1, 2.5, "'z'"), TWO]),
    "undeclared single quotes around a delimiter": Case(
        f"{HEADER}\n1,2.5,'x,y'\n2,3.5,y\n", [TWO], ((2, fields(4), "1,2.5,'x,y'"),)
    ),
    "quotes around a whole row": Case(f'{HEADER}\n"1,2.5,x"\n2,3.5,y\n', [TWO], ((2, fields(1), '"1,2.5,x"'),)),
    "quotes around the whole header": broken(
        '"id,price,note"\n"1,2.5,x"\n',
        ", line 1: expected a header with the columns id, price, note, found '\"id,price,note\"'",
        "Export the file with its header",
    ),
    "quotes within quotes": Case(
        f'{HEADER}\n1,2.5,"say "hi" to"\n2,3.5,y\n', [TWO], ((2, BEHIND_QUOTE, '1,2.5,"say "hi" to"'),)
    ),
    "an inch within quotes": Case(
        f'{HEADER}\n1,2.5,"5" pipe"\n2,3.5,y\n', [TWO], ((2, BEHIND_QUOTE, '1,2.5,"5" pipe"'),)
    ),
    "an inch without quotes": Case(f'{HEADER}\n1,2.5,5" pipe\n2,3.5,y\n', [(1, 2.5, '5" pipe'), TWO]),
    "a quote that nothing opened": Case(f'{HEADER}\n1,2.5,x"\n2,3.5,y\n', [(1, 2.5, 'x"'), TWO]),
    "one quote too many, before": Case(f'{HEADER}\n1,2.5,""x"\n2,3.5,y\n', [TWO], ((2, BEHIND_QUOTE, '1,2.5,""x"'),)),
    "a quote that nothing closes": Case(
        f'{HEADER}\n1,2.5,"x\n2,3.5,y\n', [TWO], ((2, "the quote of field 3 is never closed", '1,2.5,"x'),)
    ),
    "a quote that nothing closes, in a key": Case(
        f'{HEADER}\n"1,2.5,x\n2,3.5,y\n', [TWO], ((2, "the quote of field 1 is never closed", '"1,2.5,x'),)
    ),
    "a quote that the next one meets amid text": Case(
        f'{HEADER}\n1,2.5,"x\n2,3.5,y\n3,4.5,a "b" c\n', [TWO, (3, 4.5, 'a "b" c')], ((2, BEHIND_QUOTE, '1,2.5,"x'),)
    ),
    # By RFC 4180 this is one field of three lines, and nothing in the file says otherwise.
    "two quotes that close each other": Case(
        f'{HEADER}\n1,2.5,"x\n2,3.5,y\n3,4.5,z"\n4,5.5,w\n', [(1, 2.5, "x\n2,3.5,y\n3,4.5,z"), (4, 5.5, "w")]
    ),
    "line ends, delimiters and quotes within quotes": Case(
        f'{HEADER}\n1,2.5,"a,b\nc ""d""\n\n"\n2,3.5,y\n', [(1, 2.5, 'a,b\nc "d"\n\n'), TWO]
    ),
    "a space before a quote": Case(f'{HEADER}\n1,2.5, "x"\n2,3.5,y\n', [(1, 2.5, ' "x"'), TWO]),
    "a space before a quoted number": Case(
        f'{HEADER}\n1, "2.5",x\n2,3.5,y\n', [TWO], ((2, number("price", ' "2.5"'), '1, "2.5",x'),)
    ),
    "nothing but quotes": Case(
        f'{HEADER}\n"","",""\n2,3.5,y\n',
        [TWO],
        ((2, "column id: no value, and the key of notes needs one", '"","",""'),),
    ),
    "a quote in the header that nothing closes": broken(
        'id,price,"note\n1,2.5,x\n',
        ", line 1: the header cannot be read: the quote of field 3 is never closed",
        "Export the file again, or correct the Source's Csv",
    ),
}

ESCAPES = {
    "doubled quotes": Case(f'{HEADER}\n1,2.5,"say ""hi"""\n2,3.5,y\n', [(1, 2.5, 'say "hi"'), TWO]),
    "backslashes before quotes": Case(
        f'{HEADER}\n1,2.5,"say \\"hi\\""\n2,3.5,y\n', [TWO], ((2, BEHIND_QUOTE, '1,2.5,"say \\"hi\\""'),)
    ),
    "a backslash before a delimiter": Case(
        f"{HEADER}\n1,2.5,a\\,b\n2,3.5,y\n", [TWO], ((2, fields(4), "1,2.5,a\\,b"),)
    ),
    "a backslash before a line end": Case(
        f"{HEADER}\n1,2.5,a\\\nb\n2,3.5,y\n", [(1, 2.5, "a\\"), TWO], ((3, fields(1), "b"),)
    ),
    "a backslash that is text": Case(f'{HEADER}\n1,2.5,C:\\tmp\n2,3.5,"\\"\n', [(1, 2.5, "C:\\tmp"), (2, 3.5, "\\")]),
    "a database's undeclared text for NULL": Case(
        f"{HEADER}\n1,\\N,\\N\n2,3.5,y\n", [TWO], ((2, number("price", "\\N"), "1,\\N,\\N"),)
    ),
    "a database's declared text for NULL": Case(
        f"{HEADER}\n1,\\N,\\N\n2,3.5,y\n", [(1, None, None), TWO], csv=Csv(null=("\\N",))
    ),
    "no text for NULL at all": Case(f"{HEADER}\n1,,\n2,3.5,y\n", [(1, None, ""), TWO], csv=Csv(null=())),
    "an encoded line end": Case(f"{HEADER}\n1,2.5,a\\nb\n2,3.5,y\n", [(1, 2.5, "a\\nb"), TWO]),
}

ACCENTED = SOUND.replace("x", "é")
E_ACUTE = [(1, 2.5, "é"), TWO]


def undeclared(encoding: str, found: str = "", declared: str = "utf-8") -> Broken:
    return broken(
        SOUND.encode(encoding),
        f": expected {declared}, found {found or encoding}",
        f"Declare encoding='{found or encoding}' in the Source's Csv, or export the file again",
        Csv(encoding=declared),
    )


ENCODINGS = {
    "UTF-8 with its mark": Case(ACCENTED.encode("utf-8-sig"), E_ACUTE),
    "UTF-8 with its mark and quotes": Case('"id","price","note"\n1,2.5,é\n'.encode("utf-8-sig"), E_ACUTE[:1]),
    "Latin-1, declared": Case(ACCENTED.encode("latin-1"), E_ACUTE, csv=Csv(encoding="latin-1")),
    "cp1252, declared": Case(
        SOUND.replace("x", "€").encode("cp1252"), [(1, 2.5, "€"), TWO], csv=Csv(encoding="cp1252")
    ),
    "UTF-16 with its mark, declared": Case(ACCENTED.encode("utf-16"), E_ACUTE, csv=Csv(encoding="utf-16")),
    "UTF-16 without a mark, its order declared": Case(
        ACCENTED.encode("utf-16-be"), E_ACUTE, csv=Csv(encoding="utf-16-be")
    ),
    "UTF-16 with a mark, its order declared too": Case(
        ACCENTED.encode("utf-16"), E_ACUTE, csv=Csv(encoding="utf-16-le")
    ),
    "UTF-32, declared": Case(ACCENTED.encode("utf-32"), E_ACUTE, csv=Csv(encoding="utf-32")),
    "Shift JIS, with backslashes within characters": Case(
        SOUND.replace("x", "ソ").encode("shift_jis"), [(1, 2.5, "ソ"), TWO], csv=Csv(encoding="shift_jis")
    ),
    "EBCDIC": broken(
        SOUND.encode("cp037"),
        ", line 1: the header cannot be read: expected utf-8, found the byte 0x89",
        "Export the file again, or correct the Source's Csv",
    ),
    "Latin-1, undeclared": Case(
        ACCENTED.encode("latin-1"), [TWO], ((2, "expected utf-8, found the byte 0xe9", "1,2.5,\\xe9"),)
    ),
    "Latin-1 in the header, undeclared": broken(
        f"{HEADER},é\n1,2.5,x,\n".encode("latin-1"),
        ", line 1: the header cannot be read: expected utf-8, found the byte 0xe9",
        "Export the file again, or correct the Source's Csv",
    ),
    "UTF-8 where cp1252 is declared": Case(ACCENTED.encode(), [(1, 2.5, "Ã©"), TWO], csv=Csv(encoding="cp1252")),
    "UTF-8 where ASCII is declared": Case(
        ACCENTED, [TWO], ((2, "expected ascii, found the byte 0xc3", "1,2.5,\\xc3\\xa9"),), Csv(encoding="ascii")
    ),
    "a character cut in two": Case(
        f"{SOUND}3,1,".encode() + b"\xc3", BOTH, ((4, "expected utf-8, found the byte 0xc3", "3,1,\\xc3"),)
    ),
    "half a surrogate pair": Case(
        SOUND.encode().replace(b"x", b"\xed\xa0\x80"),
        [TWO],
        ((2, "expected utf-8, found the byte 0xed", "1,2.5,\\xed\\xa0\\x80"),),
    ),
    "a hole of cp1252": Case(
        SOUND.encode().replace(b"x", b"\x81"),
        [TWO],
        ((2, "expected cp1252, found the byte 0x81", "1,2.5,\\x81"),),
        Csv(encoding="cp1252"),
    ),
    "UTF-16 cut amid a character": Case(
        SOUND.encode("utf-16")[:-3],
        [ONE],
        ((3, "expected utf-16, found the byte 0x79", "2,3.5,\\x79"),),
        Csv(encoding="utf-16"),
    ),
    "UTF-16, undeclared": undeclared("utf-16", "utf-16-le"),
    "UTF-16 without a mark, undeclared": undeclared("utf-16-le"),
    "UTF-16 in the other order, undeclared": undeclared("utf-16-be"),
    "UTF-32, undeclared": undeclared("utf-32", "utf-32-le"),
    "UTF-32 without a mark, undeclared": undeclared("utf-32-be"),
    "UTF-16 without the mark that its declaration implies": undeclared("utf-16-be", declared="utf-16"),
    "UTF-16 in another order than declared": undeclared("utf-16-be", declared="utf-16-le"),
    "UTF-8 where UTF-16 is declared": undeclared("utf-8", declared="utf-16-le"),
    "UTF-8 with its mark where cp1252 is declared": undeclared("utf-8-sig", "utf-8", "cp1252"),
    "UTF-16 where cp1252 is declared": undeclared("utf-16", "utf-16-le", "cp1252"),
}

LINE_ENDS = {
    "LF": Case(SOUND, BOTH),
    "CRLF": Case(SOUND.replace("\n", "\r\n"), BOTH),
    "CR": Case(SOUND.replace("\n", "\r"), BOTH),
    "CR CR LF": Case(SOUND.replace("\n", "\r\r\n"), BOTH),
    "none behind the last row": Case(SOUND[:-1], BOTH),
    "two behind the last row": Case(f"{SOUND}\n", BOTH),
    "CRLF behind the header alone": Case(SOUND.replace("\n", "\r\n", 1), BOTH),
    "LF behind one row of CRLF": Case(f"{HEADER}\r\n1,2.5,x\n2,3.5,y\r\n", BOTH),
    "all of them": Case(f"{HEADER}\r1,2.5,x\r\n2,3.5,y\n3,4.5,z", [*BOTH, (3, 4.5, "z")]),
    "a CR amid text": Case(f"{HEADER}\n1,2.5,x\ry\n2,3.5,y\n", BOTH, ((3, fields(1), "y"),)),
    "a CR within quotes": Case(f'{HEADER}\n1,2.5,"x\ry"\n2,3.5,y\n', [(1, 2.5, "x\ry"), TWO]),
    "a CRLF within quotes, LF elsewhere": Case(f'{HEADER}\n1,2.5,"x\r\ny"\n2,3.5,y\n', [(1, 2.5, "x\r\ny"), TWO]),
    "an LF within quotes, CRLF elsewhere": Case(f'{HEADER}\r\n1,2.5,"x\ny"\r\n2,3.5,y\r\n', [(1, 2.5, "x\ny"), TWO]),
    "line ends of Unicode are text": Case(
        f"{HEADER}\n1,2.5,a\u2028b\x85c\x0bd\x0c\n2,3.5,y\n", [(1, 2.5, "a\u2028b\x85c\x0bd\x0c"), TWO]
    ),
    "blank lines": Case(f"\n\n{HEADER}\n\n1,2.5,x\n\n\n2,3.5,y\n\n", BOTH),
    "blank lines of CRLF": Case(f"{HEADER}\r\n\r\n1,2.5,x\r\n\r\n2,3.5,y\r\n\r\n", BOTH),
    "a line of spaces": Case(f"{HEADER}\n1,2.5,x\n   \n2,3.5,y\n", BOTH, ((3, fields(1), "   "),)),
}

HEADERS = {
    "in capitals, with spaces around": Case(" ID ,Price, NOTE\n1,2.5,x\n", [ONE]),
    "in another order": Case("note,id,price\nx,1,2.5\n", [ONE]),
    "over two lines": Case('id,price,"\nnote"\n1,2.5,x\n', [ONE]),
    "alone": Case(f"{HEADER}\n", []),
    "alone and open": Case(HEADER, []),
    "none": broken(
        "1,2.5,x\n2,3.5,y\n",
        ", line 1: expected a header with the columns id, price, note, found '1,2.5,x'",
        "Export the file with its header",
    ),
    "none, and equal values": broken(
        "1,1,x\n2,3.5,y\n",
        ", line 1: expected a header with the columns id, price, note, found '1,1,x'",
        "Export the file with its header",
    ),
    "none, and values that are missing": broken(
        "1,,\n2,3.5,y\n",
        ", line 1: expected a header with the columns id, price, note, found '1,,'",
        "Export the file with its header",
    ),
    "a column twice": broken(
        "id,price,note,Note\n1,2.5,x,y\n", ", line 1: expected distinct columns, found 'note' twice"
    ),
    "a column without a name": broken(
        "id,price,,note\n1,2.5,,x\n", ", line 1: expected a name for column 3, found none"
    ),
    "a required column missing": Broken(
        "id,cost,note\n1,2.5,x\n",
        [],
        message=": expected column 'price', found id, cost, note. Of these, cost is not declared: a new name? The live "
        "version stays. Export again, or declare the new name, or mark the column optional in the Source.",
    ),
    "an invisible character in a name": Broken(
        f"\u200b{SOUND}",
        [],
        message=": expected column 'id', found \\u200bid, price, note. Of these, \\u200bid is not declared: a new "
        "name? The live version stays. Export again, or declare the new name, or mark the column optional in the "
        "Source.",
    ),
    "of two rows": Case(
        f"{HEADER}\nwhole number,US dollars,\n1,2.5,x\n",
        [ONE],
        ((2, number("id", "whole number"), "whole number,US dollars,"),),
    ),
    "of three rows": Case(
        f"{HEADER}\nof row,of row,of row\nint,dec,text\n1,2.5,x\n",
        [ONE],
        ((2, number("id", "of row"), "of row,of row,of row"), (3, number("id", "int"), "int,dec,text")),
    ),
    "again amid the rows": Case(
        f"{SOUND}{HEADER}\n3,4.5,z\n", [*BOTH, (3, 4.5, "z")], ((4, "expected a row, found the header again", HEADER),)
    ),
    "again amid rows of text": Case(
        f"{SOUND}{HEADER}\n",
        [("1", "2.5", "x"), ("2", "3.5", "y")],
        ((4, "expected a row, found the header again", HEADER),),
        only_text=True,
    ),
    "a column's name as a value": Case(f"{HEADER}\nid,2.5,x\n", [("id", "2.5", "x")], only_text=True),
}

PREAMBLE_REMEDY = "Export the file without the lines before its header"

AROUND = {
    "a title": broken(
        f"Notes\n{SOUND}", ", line 1: expected the header, found 'Notes'; the header is on line 2", PREAMBLE_REMEDY
    ),
    "a title, an author and a blank line": broken(
        f"\nNotes of July\nby,somebody\n\n{SOUND}",
        ", line 2: expected the header, found 'Notes of July'; the header is on line 5",
        PREAMBLE_REMEDY,
    ),
    "a comment": broken(
        f"# made by hand\n{SOUND}",
        ", line 1: expected the header, found '# made by hand'; the header is on line 2",
        PREAMBLE_REMEDY,
    ),
    "a preamble in another dialect": broken(
        f"Notes\n{delimited(';')}",
        ", line 2: expected the delimiter ',', found ';'",
        "Declare csv=Csv(delimiter=';') in the Source, or export the file again",
    ),
    "a footer": Case(f"{SOUND}2 rows\n", BOTH, ((4, fields(1), "2 rows"),)),
    "a footer behind a blank line": Case(f"{SOUND}\n(2 rows)\n", BOTH, ((5, fields(1), "(2 rows)"),)),
    "a total": Case(f"{SOUND}Total,6.0,\n", BOTH, ((4, number("id", "Total"), "Total,6.0,"),)),
    "a comment behind": Case(f"{SOUND}# the end\n", BOTH, ((4, fields(1), "# the end"),)),
    "an end-of-file character": Case(f"{SOUND}\x1a", BOTH, ((4, fields(1), "\x1a"),)),
    "padding with NULs": Case(f"{SOUND}\0\0\0", BOTH, ((4, "expected text, found a NUL byte", "\0\0\0"),)),
    "a second table with fewer columns": Case(
        f"{SOUND}\ncode,label\n7,z\n", BOTH, ((5, fields(2), "code,label"), (6, fields(2), "7,z"))
    ),
    "a second table with more columns": Case(
        f"{SOUND}\na,b,c,d\n7,8,9,z\n", BOTH, ((5, fields(4), "a,b,c,d"), (6, fields(4), "7,8,9,z"))
    ),
    "a second table with as many columns": Case(
        f"{SOUND}\na,b,c\nz,8,9\n", BOTH, ((5, number("id", "a"), "a,b,c"), (6, number("id", "z"), "z,8,9"))
    ),
    "two files joined": Case(f"{SOUND}{SOUND}", BOTH * 2, ((4, "expected a row, found the header again", HEADER),)),
    "two files with marks joined": Case(
        SOUND.encode("utf-8-sig") * 2,
        BOTH * 2,
        ((4, "expected a row, found a byte order mark: files were joined", f"\ufeff{HEADER}"),),
    ),
    "text with a mark joined to text": Case(
        f"{SOUND}\ufeff3,4.5,z\n",
        [("1", "2.5", "x"), ("2", "3.5", "y")],
        ((4, "expected a row, found a byte order mark: files were joined", "\ufeff3,4.5,z"),),
        only_text=True,
    ),
    "nothing": Case("", []),
    "nothing but a mark": Case(b"\xef\xbb\xbf", []),
    "nothing but line ends": Case("\n\r\n\n", []),
    "nothing but spaces": broken(
        "  \n",
        ", line 1: expected a header with the columns id, price, note, found '  '",
        "Export the file with its header",
    ),
}

VALUES = {
    "thousands separators, which are delimiters": Case(
        f"{HEADER}\n1,1,234.5,x\n2,3.5,y\n", [TWO], ((2, fields(4), "1,1,234.5,x"),)
    ),
    "thousands separators within quotes": Case(
        f'{HEADER}\n1,"1,234.5",x\n2,3.5,y\n', [TWO], ((2, number("price", "1,234.5"), '1,"1,234.5",x'),)
    ),
    "decimal commas": Case(
        "id;price;note\n1;2,5;x\n2;3.5;y\n", [TWO], ((2, number("price", "2,5"), "1;2,5;x"),), Csv(delimiter=";")
    ),
    "spaces and apostrophes among digits": Case(
        f"{HEADER}\n1,1 234,x\n2,1'234,x\n3,1\u00a0234,x\n4,1_234,x\n",
        [],
        tuple(
            (line, number("price", text.replace("'", "'")), f"{line - 1},{text},x")
            for line, text in ((2, "1 234"), (3, "1'234"), (4, "1\u00a0234"), (5, "1_234"))
        ),
    ),
    "currencies, percents, accountants' minus": Case(
        f"{HEADER}\n1,$5,x\n2,5%,x\n3,(5),x\n4,5-,x\n",
        [],
        tuple(
            (n + 1, number("price", text), f"{n},{text},x") for n, text in enumerate(("$5", "5%", "(5)", "5-"), start=1)
        ),
    ),
    "spaces around numbers": Case(f"{HEADER}\n1 ,2.5,x\n2,3.5,y\n", [TWO], ((2, number("id", "1 "), "1 ,2.5,x"),)),
    "words for no number": Case(
        f"{HEADER}\n1,NaN,x\n2,NULL,x\n3,-,x\n",
        [],
        tuple((n + 1, number("price", text), f"{n},{text},x") for n, text in enumerate(("NaN", "NULL", "-"), start=1)),
    ),
    "a formula": Case(f"{HEADER}\n1,2.5,=1+1\n", [(1, 2.5, "=1+1")]),
    "a row that begins like a comment": Case(
        f"{HEADER}\n#1,2.5,x\n2,3.5,y\n", [TWO], ((2, number("id", "#1"), "#1,2.5,x"),)
    ),
    "a NUL": Case(f"{HEADER}\n1,2.5,x\0y\n2,3.5,y\n", [TWO], ((2, "expected text, found a NUL byte", "1,2.5,x\0y"),)),
    "a NUL within quotes": Case(
        f'{HEADER}\n1,2.5,"x\0y"\n2,3.5,y\n', [TWO], ((2, "expected text, found a NUL byte", '1,2.5,"x\0y"'),)
    ),
    "a NUL in the header": broken(
        SOUND.replace("price", "pr\0ce"), ": expected text, found NUL bytes in the first line"
    ),
    "control characters are text": Case(f"{HEADER}\n1,2.5,a\x01\x1f\x7fb\n", [(1, 2.5, "a\x01\x1f\x7fb")]),
    "a mark amid text is text": Case(f"{HEADER}\n1,2.5,a\ufeffb\n", [(1, 2.5, "a\ufeffb")]),
}

FORMATS = {
    "JSON": broken(
        '[{"id": 1, "price": 2.5, "note": "x"}]', ": expected CSV, found JSON", "Name the file .json or .jsonl"
    ),
    "JSON lines": broken(
        '{"id": 1, "note": "x"}\n{"id": 2}\n', ": expected CSV, found JSON", "Name the file .json or .jsonl"
    ),
    "an error page": broken("<!DOCTYPE html>\n<html><body>404</body></html>\n", ": expected CSV, found HTML or XML"),
    "XML": broken('<?xml version="1.0"?>\n<notes/>\n', ": expected CSV, found HTML or XML"),
    "gzip within gzip": broken(gzip.compress(gzip.compress(SOUND.encode())), ": expected text, found gzip within gzip"),
    "a workbook": broken(
        b"PK\x03\x04\x14\0",
        ": expected text, found a zip archive or an Excel workbook",
        "Save its sheet as CSV UTF-8, or unpack the archive",
    ),
    "half a gzip": broken(
        gzip.compress(SOUND.encode())[:-6], ": expected a whole gzip stream, found that the gzip stream ends early"
    ),
}


def ragged() -> dict[str, Case]:
    """Each row with each of its delimiters missing, and with one more at each place."""
    found = {}
    rows = [["1", "2.5", "x"], ["2", "3.5", "y"]]
    for number_, place in product(range(2), range(2)):
        lines = [",".join(row) for row in rows]
        row = rows[number_]
        lines[number_] = ",".join([*row[:place], row[place] + row[place + 1], *row[place + 2 :]])
        reject = (number_ + 2, fields(2), lines[number_])
        found[f"row {number_ + 1} without delimiter {place + 1}"] = Case(
            "\n".join([HEADER, *lines]), [BOTH[1 - number_]], (reject,)
        )
    for number_, place in product(range(2), range(4)):
        lines = [",".join(row) for row in rows]
        row = rows[number_]
        lines[number_] = ",".join([*row[:place], "", *row[place:]])
        reject = (number_ + 2, fields(4), lines[number_])
        found[f"row {number_ + 1} with one more before field {place + 1}"] = Case(
            "\n".join([HEADER, *lines]), [BOTH[1 - number_]], (reject,)
        )
    # As many delimiters as if each row had its own: a count over the file would see nothing.
    torn = Case(f"{HEADER}\n1,2.5\n2,3.5,y,z\n", [], ((2, fields(2), "1,2.5"), (3, fields(4), "2,3.5,y,z")))
    return {**found, "one row too short and one too long": torn}


CASES = {
    f"{topic}: {name}": case
    for topic, cases in {
        "delimiters": DELIMITERS,
        "quotes": QUOTES,
        "escapes": ESCAPES,
        "encodings": ENCODINGS,
        "line ends": LINE_ENDS,
        "headers": HEADERS,
        "around the table": AROUND,
        "ragged rows": ragged(),
        "values": VALUES,
        "formats": FORMATS,
    }.items()
    for name, case in cases.items()
}


DAYS = {name: str(date(2023, 7, 2) + timedelta(days=number)) for number, name in enumerate(CASES)}


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Lake, Outcome]]:
    """Each case as a day of its own, beside a sound one: those of one dialect in one lake, refreshed at once."""
    found = {}
    alike = groupby(sorted(CASES, key=_dialect), _dialect)
    for _, names in alike:
        days = {DAYS[name]: name for name in names}
        lake = Lake(tmp_path_factory.mktemp("lake"), Star([CASES[min(days.values())].source], [], []))
        for day, name in days.items():
            lake.write("notes", day, {"a.csv": CASES[name].bytes})
        lake.write("notes", SOUND_DAY, {"a.csv": sound_in(lake.star.sources["notes"].csv)})
        outcomes = {outcome.day: outcome for outcome in lake.refresh("notes", SOUND_DAY, *days)}
        assert outcomes[SOUND_DAY].status == "published", "a bad file must not hurt another day"
        assert lake.rows(f"SELECT count(*) FROM notes WHERE date = '{SOUND_DAY}'") == [(2,)]
        found.update({name: (lake, outcomes[day]) for day, name in days.items()})
    return found


def _dialect(name: str) -> str:
    return f"{CASES[name].csv} {CASES[name].only_text}"


@pytest.mark.parametrize("name", CASES)
def test_a_refresh_accounts_for_every_record(staged: dict[str, tuple[Lake, Outcome]], name: str) -> None:
    """Rows are right, or rejects with place and reason, or the file is refused with what to do; no more, no less."""
    case, day = CASES[name], DAYS[name]
    file = f"oltp/notes/date={day}/a.csv"
    lake, outcome = staged[name]
    if isinstance(case, Broken):
        assert isinstance(outcome.error, BrokenFile | ColumnMissing)
        assert str(outcome.error) == file + case.message
        assert lake.warehouse.live_manifest("notes", day) is None
        return
    assert outcome.error is None
    assert lake.rows(f"SELECT id, price, note FROM notes WHERE date = '{day}'") == case.rows
    assert lake.rejects("notes", day) == [(file, *reject) for reject in case.rejects]
    facts = lake.manifest("notes", day).facts
    assert (facts["rows_in"], facts["rejected"]) == (len(case.rows) + len(case.rejects), len(case.rejects))


def sound_in(csv: Csv) -> bytes:
    return SOUND.replace(",", csv.delimiter).encode(csv.encoding)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if not isinstance(case, Broken)])
def test_the_exact_reader_accounts_for_every_record(look: Callable[..., Found], name: str) -> None:
    """It knows no types: what it takes for a row is a row, or a reject for one of its values."""
    case = CASES[name]
    found = look(case.bytes, case.source)
    by_value = [reject for reject in case.rejects if reject[1].startswith("column ")]
    assert found.reasons == [(line, raw, why) for line, why, raw in case.rejects if not why.startswith("column ")]
    assert len(found.rows) == len(case.rows) + len(by_value)
    assert set(zip(found.lines, found.raws, strict=True)) >= {(line, raw) for line, _, raw in by_value}
    if found.profile.plain:
        assert found.profile.records == len(case.rows) + len(case.rejects)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if isinstance(case, Broken)])
def test_inspection_refuses_what_a_refresh_refuses(look: Callable[..., Found], name: str) -> None:
    """Before any row is read, so that nothing is staged of half a file."""
    case = CASES[name]
    with pytest.raises((BrokenFile, ColumnMissing)) as told:
        look(case.bytes, case.source, "a.csv")
    assert str(told.value) == f"a.csv{case.message}"  # type: ignore[attr-defined]


@pytest.mark.parametrize("size", [CHUNK, 3 * CHUNK + 1, 17 << 20])
def test_a_very_long_field_is_one_value(tmp_path: Path, size: int) -> None:
    """Longer than a chunk, and longer than DuckDB reads a line."""
    lake = Lake(tmp_path / "lake", Star([source()], [], []))
    lake.write("notes", DAY, {"a.csv": f"{HEADER}\n1,2.5,{'x' * size}\n2,3.5,y\n"})
    lake.run(DAY)
    assert lake.rows("SELECT id, length(note) FROM notes ORDER BY id") == [(1, size), (2, 1)]


def test_a_quoted_field_longer_than_any_record_costs_its_lines_and_no_others(tmp_path: Path) -> None:
    """The search for the closing quote is bounded: what is behind it is told line by line, and the rest is read."""
    lake = Lake(tmp_path / "lake", Star([source()], [], []))
    lines = "z" * 1023 + "\n"
    lake.write("notes", DAY, {"a.csv": f'{HEADER}\n1,2.5,"{lines * (17 << 10)}"\n2,3.5,y\n'})
    lake.run(DAY)
    assert lake.rows("SELECT id FROM notes") == [(2,)]
    rejects = lake.rejects("notes", DAY)
    assert len(rejects) == (17 << 10) + 1
    reasons = [reason for _, _, reason, _ in rejects]
    assert reasons[0] == "the quote of field 3 is not closed within 16,777,216 characters"
    assert (set(reasons[1:-1]), reasons[-1]) == ({fields(1)}, "the quote of field 1 is never closed")


def test_a_thousand_columns_are_carried(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake", Star([source()], [], []))
    names = ",".join(f"c{n}" for n in range(1021))
    lake.write("notes", DAY, {"a.csv": f"{HEADER},{names}\n1,2.5,x{',v' * 1021}\n"})
    lake.run(DAY)
    assert len(lake.manifest("notes", DAY).schema) == 1024
    assert lake.rows("SELECT c0, c1020 FROM notes") == [("v", "v")]
