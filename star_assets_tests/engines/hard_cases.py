"""A star and its exports that have whatever engines are known to disagree on."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import ibis
from ibis.expr.types import Table

from star_assets.model import Column, Csv, Marker, Measure, Source, Star, business_date, dimension, fact

# The clocks of New York go back on the second of them, and the extra hour is sold twice.
DAYS = ["2023-11-04", "2023-11-05", "2023-11-06"]

WHOLE = Marker()

# One column for each type, at its limits.
all_types = Source(
    "all_types",
    key=("code", "number"),
    whole=WHOLE,
    max_rejects=1,
    timezone="America/New_York",
    columns={
        "code": "string",
        "number": "int64",
        "small": "int32",
        "ratio": "float64",
        "flag": "boolean",
        "day": "date",
        "moment": "timestamp",
        "price": "decimal(9,2)",
        "money": "decimal(18,4)",
        "exact": "decimal(38,10)",
        "whole": "decimal(38,0)",
        "fraction": Column("decimal(5,5)", optional=True),
    },
)

TICKETS = {"ticket": "string", "opened": "timestamp", "state": "string", "changed": "timestamp", "op": "string"}
tickets = Source(
    "tickets",
    key="ticket",
    event_time="opened",
    version="changed",
    deleted="op = 'D'",
    whole=WHOLE,
    max_rejects=1,
    timezone="America/New_York",
    csv=Csv(delimiter=";"),
    columns=TICKETS,
)

lines = Source(
    "lines",
    key="line",
    part_of=tickets,
    lines="changed",
    version="changed",
    deleted="op = 'D'",
    whole=WHOLE,
    max_rejects=1,
    columns={
        "line": "int64",
        "ticket": "string",
        "thing": "string",
        "amount": "decimal(18,4)",
        "rate": "decimal(18,4)",
        "changed": "timestamp",
        "op": Column("string", optional=True),
    },
)

things = Source(
    "things",
    key="thing",
    version="changed",
    exports="snapshots",
    whole=WHOLE,
    max_rejects=1,
    csv=Csv(null=("\\N",), encoding="cp1252"),
    columns={"thing": "string", "kind": "string", "weight": "float64", "changed": "date"},
)


# Rows that nothing tells apart, and rows of one key of which none or one stays.
tills = Source(
    "tills",
    key=None,
    whole=WHOLE,
    max_rejects=1,
    columns={"rung": "timestamp", "amount": "decimal(38,10)", "share": "float64", "note": "string"},
)
counts = Source(
    "counts",
    key=("shelf", "thing"),
    duplicates="reject",
    whole=WHOLE,
    max_rejects=1,
    columns={"shelf": "int64", "thing": "string", "pieces": "int32"},
)

# Values as people write them, below headers that are no names; files without a header, with backslashes.
spelled = Source(
    "spelled",
    key="number",
    whole=WHOLE,
    max_rejects=1,
    timezone="America/New_York",
    csv=Csv(delimiter=";"),
    columns={
        "number": Column("int64", header="No.", lenient=True),
        "moment": Column("timestamp", header=("Date", "Date/Time"), format="%m/%d/%Y %I:%M %p"),
        "zoned": Column("timestamp", format="%d-%b-%y %H:%M:%S.%f%z", optional=True),
        "day": Column("date", format="%d.%m.%Y"),
        "price": Column("decimal(18,4)", decimal=",", thousands=".", currency="€"),
        "share": Column("float64", decimal=",", thousands="\u00a0"),
        "pieces": Column("int32", thousands="'"),
    },
)
bare = Source(
    "bare",
    key=None,
    whole=WHOLE,
    max_rejects=1,
    csv=Csv(header=False, escape="\\", delimiter="\t"),
    columns={"name": "string", "note": "string", "n": "int32"},
)


@dimension(key="thing", inferred_from=[lines], history=["kind"])
def dim_thing(things: Table) -> Table:
    """Things, with a number that is none where they have no weight."""
    nothing = ibis.literal(0.0, type="float64")
    return things.select("thing", "kind", "weight", unit=things.weight / things.weight.nullif(nothing))


@dimension(key="label")
def dim_label(all_types: Table) -> Table:
    """Every value as it is, and what becomes of some in expressions."""
    # DuckDB before 2.0 keeps a sum of two values of 18 digits in 18.
    money = all_types.money.cast("decimal(20,4)")
    return all_types.mutate(
        label=all_types.code + "-" + all_types.number.cast("string"),
        twice=(money + money).cast("decimal(20,4)"),
        at_home=business_date(all_types.moment),
    )


@fact(
    key="line",
    date="opened",
    references={"thing": dim_thing},
    measures=[Measure("worth", "sum")],
    sort_by=["state", "thing"],
)
def fact_lines(tickets: Table, lines: Table) -> Table:
    """Lines of tickets, worth their amount at a rate."""
    joined = tickets.drop("changed").join(lines, "ticket")
    return joined.select(
        "line",
        "ticket",
        "thing",
        "opened",
        "state",
        day=business_date(joined.opened),
        worth=(joined.amount.cast("decimal(38,4)") * joined.rate.cast("decimal(38,4)")).cast("decimal(38,8)"),
    )


hard = Star([all_types, tickets, lines, things, tills, counts, spelled, bare], [dim_thing, dim_label], [fact_lines])

LIMITS = [
    "a,1,2147483647,1e308,true,9999-12-31,9999-12-31 00:00,9999999.99,99999999999999.9999,"
    "9999999999999999999999999999.9999999999,99999999999999999999999999999999999999,0.99999",
    "b,-9223372036854775808,-2147483648,-1e-308,f,0001-01-02,0001-01-02T00:00:00Z,-9999999.99,-99999999999999.9999,"
    "-9999999999999999999999999999.9999999999,-99999999999999999999999999999999999999,-0.99999",
    "c,0,,,,,,,,,,",
    '"",2,"","","","","","","","","",""',
    "Straße ẞ ǆ İ,3,0,-0,T,2024-02-29,2023-11-05 01:30:00,.5,5.,0.0000000001,000,0",
    "日本語 😀 é é,4,+7,.1,0,1969-12-31,1969-12-31 23:59:59.9999,-0,0.1,-0.0000000001,-1,.1",
    "  spaces  ,5,1,5e-324,1,2023-11-05,2023-11-05 01:30:00-05,1,1,1,1,0.00000",
    "tab\there,6,1,1.7976931348623157e308,1,2023-03-12,2023-03-12 02:30:00,1,1,1,1,0.1",
]
NO_VALUES = [
    "x,1_000,1,1,1,2023-01-01,2023-01-01,1,1,1,1,0",
    "x,7,12.5,1,1,2023-01-01,2023-01-01,1,1,1,1,0",
    "x,8,1,NaN,1,2023-01-01,2023-01-01,1,1,1,1,0",
    "x,9,1,1,yes,2023-01-01,2023-01-01,1,1,1,1,0",
    "x,10,1,1,1,2023,2023-01-01,1,1,1,1,0",
    "x,11,1,1,1,2023-02-30,2023-01-01,1,1,1,1,0",
    "x,12,1,1,1,2023-01-01,10:00:00,1,1,1,1,0",
    "x,13,1,1,1,2023-01-01,2023-01-01,1.001,1,1,1,0",
    "x,14,1,1,1,2023-01-01,2023-01-01,1,100000000000000,1,1,0",
    "x,15,1,1,1,2023-01-01,2023-01-01,1,1,1,1,1",
    ",16,1,1,1,2023-01-01,2023-01-01,1,1,1,1,0",
    "x,,1,1,1,2023-01-01,2023-01-01,1,1,1,1,0",
    "x,17,1,1,1,2023-01-01,2023-01-01,1,1,1,1",
    "x,18,1,1,1,2023-01-01,2023-01-01,1,1,1,1,0,more",
]


def export(root: Path, source: Source, day: str, files: dict[str, str | bytes]) -> None:
    folder = root / "oltp" / source.name / f"date={day}"
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    (folder / "_SUCCESS").touch()


def csv(source: Source, *rows: str, extra: str = "") -> str:
    return "\n".join([source.csv.delimiter.join(source.columns) + extra, *rows]) + "\n"


def write_hard_cases(root: Path) -> None:
    """The exports of the three days: plain, with rejects, and in other formats."""
    _write_types(root)
    _write_tickets(root)
    _write_things(root)
    _write_same(root)
    _write_spelled(root)
    _write_bare(root)


def _write_same(root: Path) -> None:
    same = [
        "2023-11-05 01:30,1.5,0.1,é",
        "2023-11-05 01:30:00,1.50,1e-1,é",
        "2023-11-05 01:30,1.5,0.1,",
        ",,,",
        ',,,""',
    ]
    export(root, tills, DAYS[0], {"a.csv": csv(tills, *same), "b.csv": csv(tills, *same, *same)})
    export(root, tills, DAYS[1], {"a.csv": csv(tills, *same, "x,,,"), "b.csv": csv(tills, ",,,,z", extra=",more")})
    export(root, tills, DAYS[2], {})
    pieces = ["1,saw,5", "1,saw,5", "1,nail,5", "2,nail,6", "1,saw,5"]
    export(root, counts, DAYS[0], {"a.csv": csv(counts, *pieces)})
    export(root, counts, DAYS[1], {"a.csv": csv(counts, *pieces, "2,nail,7"), "b.csv": csv(counts, "1,nail,5,x", "x")})
    objects = [{"shelf": 1, "thing": "saw", "pieces": 5, "by": "J"}, {"thing": "saw", "shelf": 1, "pieces": 5}]
    export(root, counts, DAYS[2], {"a.json": json.dumps(objects), "b.csv": csv(counts, "1,saw,5", "3,saw,5")})


def _write_spelled(root: Path) -> None:
    header = "no.;Date;zoned;DAY;price;share;pieces;Extra.Column"
    rows = [
        "1.0;11/5/2023 1:30 AM;05-Nov-23 01:30:00.1234+01;5.11.2023;€1.234,5;1\u00a0234,5;1'234;x",
        "2;11/05/2023 12:00 am;05-NOV-69 01:30:00.1Z;05.11.2023;-1,25 €;-0,5;5;",
        "3.;;;;;;;",
        '"4";"3/12/2023 02:30 PM";"";"";"";"";"";""',
    ]
    bad = [
        "5.5;;;;;;;",
        "6;13/5/2023 1:30 AM;;;;;;",
        "7;11/5/2023 13:30 AM;;;;;;",
        "8;;5-Foo-23 01:30:00.1Z;;;;;",
        "9;;;31.2.2023;;;;",
        "10;;;;1.5;;;",
        "11;;;;;1,5,5;;",
        "12;;;;;;1'23;",
        "13;;;5.11.2023 ;$5;5.0;+;",
        "14;;;;1,23456;1e5;2.147.483.648;",
    ]
    export(root, spelled, DAYS[0], {"a.csv": "\n".join([header, *rows]) + "\n"})
    later = header.replace("Date", "Date/Time")
    export(root, spelled, DAYS[1], {"a.csv": "\n".join([later, *rows, *bad]) + "\n"})
    objects = [
        {
            "No.": 1.0,
            "Date": "11/6/2023 1:30 AM",
            "day": "6.11.2023",
            "price": "1,5",
            "share": 5,
            "pieces": 1,
            "number": 2,
        },
        {"No.": "2.00", "Date/Time": None, "day": None, "price": None, "share": None, "pieces": None},
    ]
    export(root, spelled, DAYS[2], {"a.json": json.dumps(objects)})


def _write_bare(root: Path) -> None:
    plain = 'a\tb c\t1\na\tb c\t1\n"x\ty"\t"say ""x"""\t\n'
    export(root, bare, DAYS[0], {"a.csv": plain, "b.csv": "a\tb c\t1\n"})
    escaped = 'a\\\tb\t"say \\"x\\""\t1\nC:\\\\\tline\\\nend\t2\nonly\ttwo\nx\ty\tz\n'
    export(root, bare, DAYS[1], {"a.csv": escaped, "b.csv": plain})
    export(root, bare, DAYS[2], {"a.csv": ""})


def _write_types(root: Path) -> None:
    plain, bad = csv(all_types, *LIMITS), csv(all_types, *LIMITS, *NO_VALUES)
    again = csv(all_types, *LIMITS[2:], extra=",new column,date").replace("\nc,0,,,,,,,,,,\n", "\nc,0,,,,,,,,,,,x,y\n")
    export(root, all_types, DAYS[0], {"a b+c%20[1].csv": plain, "b.csv": csv(all_types, "d,1,1,1,1,,,,,,,")})
    export(root, all_types, DAYS[1], {"a.csv": bad, "b.csv.gz": gzip.compress(plain.encode()), "c.csv": again})
    rows = [
        {"code": "j", "number": 1, "small": "2", "ratio": 0.1, "flag": True, "day": "2023-11-05", "moment": None,
         "price": 1.5, "money": 12345678901234.5678, "exact": None, "whole": 1, "other": {"a": [1, 2.50]}},
        {"code": "j", "number": 2, "small": 1.5, "ratio": None, "flag": None, "day": None, "moment": None,
         "price": None, "money": None, "exact": None, "whole": None, "another": ""},
        {"number": 3},
    ]  # fmt: skip
    plain_text = csv(all_types, "k,1,1,1,1,,,,,,,", "k,1,2,1,1,,,,,,,", '"two\nlines",1,1,1,1,,,,,,,')
    export(root, all_types, DAYS[2], {"a.json": json.dumps(rows), "b.csv": plain_text})


def _write_tickets(root: Path) -> None:
    hours = [f"t{n};2023-11-{day} {hour}:30:00;open;2023-11-04 10:00;I" for n, (day, hour) in enumerate(HOURS)]
    export(root, tickets, DAYS[0], {"a.csv": csv(tickets, *hours)})
    ties = ["t1;2023-11-05 12:00;a;2023-11-05 10:00;I", "t1;2023-11-05 12:00;b;2023-11-05 10:00;I"]
    lost = ["t2;2023-11-05 00:30:00;;2023-11-05 10:00;D", "t3;2023-11-06 00:30:00;moved;;U", "t9;;x;;I"]
    export(root, tickets, DAYS[1], {"a.csv": csv(tickets, *ties, *ties[:1], *lost)})
    export(root, tickets, DAYS[2], {"a.csv": csv(tickets, "t4;2023-11-04 23:59:59.999;;2023-11-06;U")})
    many = [f"{n},t{n % len(HOURS)},{'hammer' if n % 2 else 'saw'},{n}.5,0.3333,2023-11-04," for n in range(60)]
    export(root, lines, DAYS[0], {"a.csv": csv(lines, *many)})
    large = "100,t5,nail,99999999999999.9999,99999999999999.9999,2023-11-05,"
    odd = [
        "101,t5,,1,1,2023-11-05,",
        '102,t5,"",1,1,2023-11-05,',
        "103,none,saw,1,1,2023-11-05,",
        "1,t1,saw,2,2,2023-11-05,D",
    ]
    export(root, lines, DAYS[1], {"a.csv": csv(lines, large, *odd)})
    export(root, lines, DAYS[2], {})


HOURS = [("04", "23"), ("05", "00"), ("05", "01"), ("05", "01"), ("05", "02"), ("05", "23"), ("06", "00")]


def _write_things(root: Path) -> None:
    for number, day in enumerate(DAYS):
        rows = ["hammer,Größe,0.5,2023-11-01", "saw,\\N,0,2023-11-01", 'nail,"\\N",\\N,\\N', ",,1,2023-11-01", "-1,,,"]
        rows = [*rows, f"€,kind {number},1,{day}"][number % 2 :]
        export(root, things, day, {"a.csv": csv(things, *rows).encode("cp1252")})
