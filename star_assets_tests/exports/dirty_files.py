"""Files as dirty as real ones, made of a seed: what every reader must find the same rows and the same rejects in.

Half of them are tidy, so that the quick readers take them; in the others quotes,
delimiters, encodings, line ends, headers and values go wrong in every way known.
"""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from random import Random

from star_assets.engines.engine import ExportInput, RawInput
from star_assets.exports.formats.opening import inspect_file
from star_assets.model import Column, Csv, Source
from star_assets.model.days import ExportDay
from star_assets.model.errors import StarError

USUAL = {
    "id": "int64",
    "at": "timestamp",
    "day": Column("date", optional=True),
    "price": "decimal(12,2)",
    "ratio": Column("float64", optional=True),
    "flag": Column("boolean", optional=True),
    "note": "string",
}
GERMAN = {
    **USUAL,
    "at": Column("timestamp", format="%d.%m.%Y %H:%M:%S"),
    "day": Column("date", format="%d.%m.%y", optional=True),
    "price": Column("decimal(12,2)", header=("Preis", "Preis (EUR)"), decimal=",", thousands=".", currency="€"),
    "ratio": Column("float64", decimal=",", optional=True),
}
AMERICAN = {
    **USUAL,
    "id": Column("int64", header="Customer No.", lenient=True),
    "at": Column("timestamp", header="Date", format="%m/%d/%Y %I:%M %p"),
    "price": Column("decimal(12,2)", thousands=",", currency="$"),
}
TEXTS = {"id": "string", "at": Column("string", optional=True), "note": Column("string", optional=True)}

# One source for each dialect that is worth one.
SOURCES = [
    Source("usual", key="id", columns=USUAL, max_rejects=1),
    Source("new_york", key="id", columns=USUAL, timezone="America/New_York", csv=Csv(null=("", "NULL")), max_rejects=1),
    Source("german", key="id", columns=GERMAN, csv=Csv(delimiter=";", encoding="cp1252"), max_rejects=1),
    Source("american", key="id", columns=AMERICAN, max_rejects=1, duplicates="reject"),
    Source("texts", key=None, columns=TEXTS, csv=Csv(delimiter="\t"), max_rejects=1),
    Source("bare", key=None, columns=USUAL, csv=Csv(header=False, delimiter="|", quote="'"), max_rejects=1),
    Source("escaped", key="id", columns=USUAL, csv=Csv(escape="\\", null=("\\N",)), max_rejects=1),
    Source("wide", key="id", columns=USUAL, csv=Csv(encoding="utf-16"), max_rejects=1),
]

AT = ["01.07.2023 10:00:00", "1.7.2023 9:00:00", "07/01/2023 1:00 PM", "7/1/2023 12:30 am"]

# Values of each column, in forms that are valid somewhere.
FORMS = {
    "id": ["1", "7", "+3", "-4", "007", "5.0", "9223372036854775807"],
    "at": ["2023-07-01 10:00:00", "2023-07-01T10:00:00Z", "2023-11-05 01:30", "2023-07-01 10:00:00.123456+02", *AT],
    "day": ["2023-07-01", "0001-01-01", "9999-12-31", "01.07.23", "2024-02-29"],
    "price": ["1", "12.50", "-0.5", ".5", "5.", "1.234,56", "12,5", "€ 5,00", "$1,234.50", "5 €", "0012.00"],
    "ratio": ["0.1", "1e3", "-2.5E-3", "0,25", "5e-324", "1.7976931348623157e308"],
    "flag": ["true", "f", "1", "0", "FALSE"],
    "note": ["", "x", "a b", "Größe", "né", '5" pipe', "it's", "a, b", "a;b", "a|b", "tab\there", "NULL", "\\N", "1"],
}
WRONG = ["", "x", "12.5.1", "1_000", "NaN", "2023-02-30", "2023", "32.13.2023", "1e999", "yes", "99999999999999999999"]
LINE_ENDS = ["\n", "\n", "\n", "\r\n", "\r\n", "\r"]


class DirtyFile:
    """The file of a seed: its source, its name and its bytes."""

    def __init__(self, seed: int) -> None:
        self.rng = rng = Random(seed)
        self.seed = seed
        self.source = SOURCES[seed % len(SOURCES)]
        self.csv = self.source.csv
        self.mess = rng.choice([0, 0, 0, 0.03, 0.3])
        self.end = rng.choice(LINE_ENDS)
        self.name = f"{seed}.csv" + (".gz" if rng.random() < 0.1 else "")
        content = self._encoded(self._text())
        self.content = gzip.compress(content, mtime=0) if self.name.endswith(".gz") else content

    def _odd(self) -> bool:
        return self.rng.random() < self.mess

    def _text(self) -> str:
        rng = self.rng
        columns = [name for name, column in self.source.declared.items() if not column.optional or rng.random() < 0.8]
        columns = list(self.source.declared) if not self.csv.header else columns
        header = [rng.choice(self.source.declared[name].headers or (name,)) for name in columns]
        if self.csv.header:
            extra = rng.choice([[], [], ["new"], ["New Column", "date"]])
            header, columns = [*header, *extra], [*columns, *(["note"] * len(extra))]
            order = rng.sample(range(len(header)), len(header))
            header, columns = [header[n] for n in order], [columns[n] for n in order]
            header = [name.upper() if rng.random() < 0.3 else name for name in header]
        rows = [self._row(columns) for _ in range(rng.randint(0, 12))]
        if rows and rng.random() < 0.3:
            rows.append(rng.choice(rows))
        lines = [self.csv.delimiter.join(header), *rows] if self.csv.header else rows
        if self.csv.header and (self._odd() or rng.random() < 0.05):
            lines.insert(rng.randint(1, len(lines)), lines[0])
        text = ""
        for line in lines:
            text += line + (rng.choice(LINE_ENDS) if self._odd() else self.end) + (self.end if self._odd() else "")
        return text if rng.random() < 0.8 else text.rstrip("\r\n")

    def _row(self, columns: Sequence[str]) -> str:
        fields = [self._field(column, tidy=not self._odd()) for column in columns]
        if self._odd():
            fields = fields[:-1] if self.rng.random() < 0.5 else [*fields, "more"]
        row = self.csv.delimiter.join(fields)
        if self._odd():
            place = self.rng.randint(0, len(row))
            row = (
                row[:place] + self.rng.choice([self.csv.quote, "\0", "\ufeff", "\\", self.csv.delimiter]) + row[place:]
            )
        return row

    def _field(self, column: str, tidy: bool) -> str:
        rng, csv = self.rng, self.csv
        forms = FORMS[column]
        if tidy and self.mess < 0.1 and self.source.declared[column].is_written_otherwise:
            forms = PROPER[self.source.name][column]
        elif tidy and self.mess < 0.1 and column not in ("note", "id"):
            forms = PLAIN.get(column, forms)
        value = rng.choice(WRONG) if self._odd() else rng.choice(forms)
        if column == "id" and tidy:
            value = rng.choice(["1", "2", "3", str(rng.randint(4, 99))])
        elif rng.random() < 0.1:
            return csv.null[0]
        special = any(part in value for part in (csv.delimiter, csv.quote, "\n", *([csv.escape] if csv.escape else [])))
        if not tidy and rng.random() < 0.3:
            return value
        if special or rng.random() < 0.15:
            if csv.escape:
                value = value.replace(csv.escape, csv.escape * 2)
            quoted = value.replace(csv.quote, (csv.escape or csv.quote) + csv.quote)
            within = rng.choice(["", "", self.end, *(LINE_ENDS if self.mess else [])]) if column == "note" else ""
            return csv.quote + quoted + within + csv.quote
        return value

    def _encoded(self, text: str) -> bytes:
        content = text.encode(self.csv.encoding, "replace")
        if self.csv.encoding == "utf-8" and self.rng.random() < 0.1:
            content = b"\xef\xbb\xbf" + content
        if self._odd() and content and self.csv.encoding != "utf-16":
            place = self.rng.randint(len(content) // 2, len(content))
            content = content[:place] + self.rng.choice([b"\xff", b"\x81", b"\xc3"]) + content[place:]
        return content


# Forms that are valid in every source without a form of its own, and those of the others.
PLAIN = {
    "at": [form for form in FORMS["at"] if form.startswith("2023")],
    "day": [form for form in FORMS["day"] if "-" in form],
    "price": ["1", "12.50", "-0.5", ".5", "5.", "0012.00"],
    "ratio": [form for form in FORMS["ratio"] if "," not in form],
}
PROPER = {
    "german": {
        "at": ["01.07.2023 10:00:00", "1.7.2023 9:00:00"],
        "day": ["01.07.23", "31.12.69"],
        "price": ["1.234,56", "12,5", "€ 5,00", "5 €", "-7"],
        "ratio": ["0,25", "1", "-2,5"],
    },
    "american": {
        "id": ["1", "2.0", "3."],
        "at": ["07/01/2023 1:00 PM", "7/1/2023 12:30 am"],
        "price": ["$1,234.50", "5", "-$0.50"],
    },
}


def exports(seeds: Sequence[int], folder: Path) -> dict[str, list[ExportInput]]:
    """The files of the seeds that can be read at all, by source, each as a day's export."""
    found: dict[str, list[ExportInput]] = {}
    for number, seed in enumerate(seeds):
        file = DirtyFile(seed)
        path = folder / file.name
        path.write_bytes(file.content)
        try:
            profile = inspect_file(path, file.name, file.source)
        except StarError:
            continue
        day = ExportDay(str(date(2000, 1, 1) + timedelta(days=number)))
        found.setdefault(file.source.name, []).append(ExportInput(day, (RawInput(path, file.name, profile),)))
    return found


def exactly(export: ExportInput) -> ExportInput:
    """The same export, which only the exact reader is trusted with."""
    (file,) = export.files
    return ExportInput(export.day, (replace(file, profile=replace(file.profile, plain=False)),))
