"""What keeps Hive's OpenCSVSerDe, which Athena reads CSV with, from finding the rows that are there.

It cuts a file into lines before it looks at quotes, goes by position, knows
UTF-8 alone and drops its escape character. Not here: JSON, and what a whole
export looks like to Athena (layout).
"""

from __future__ import annotations

from star_assets.model.source import Csv
from star_assets.staging.content import Utf8
from star_assets.staging.counting import CsvCounter
from star_assets.staging.csv_header import Header


def csv_hindrance(counter: CsvCounter, utf8: Utf8, header: Header, csv: Csv) -> str | None:
    """Why OpenCSVSerDe finds other rows in a file than were counted; None if it finds the same."""
    if not header.columns:
        return None
    fields = counter.records * len(header.columns)
    found = {
        f"it is not in UTF-8 throughout (declared is {csv.encoding})": not utf8.unchanged,
        f"its delimiter {csv.delimiter!r} is longer than a byte": len(csv.delimiter.encode()) > 1,
        "it holds the byte 0 or 1": counter.has_nul or counter.has_escape,
        "a byte order mark stands amid it": counter.has_mark,
        "a quote stands amid a field, or is never closed": not counter.tidy,
        f"its header stands on line {header.line}": header.line > 1,
        "a record goes over several lines, or a line is blank": counter.line_ends.lines != counter.records,
        "a record has more or fewer fields than the header": counter.delimiters != fields - counter.records,
    }
    return next((hindrance for hindrance, is_there in found.items() if is_there), None)
