"""Which operations DuckDB and Spark agree on, found by computing each on values that are hard for it.

    python -m star_assets_tests.engines.agreement

writes star_assets/model/agreed.txt. An operation is in it if every expression
here whose signature it has gives the same values, in the same type, on both.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import ibis
import ibis.expr.operations as ops
import pyarrow as pa
from ibis.common.exceptions import IbisError
from ibis.expr.types import Table

from star_assets.engines.duckdb.relations import physical
from star_assets.engines.duckdb.session import connect
from star_assets.engines.duckdb.sql import sql
from star_assets.engines.spark.sql import physical as spark_physical
from star_assets.engines.spark.sql import statement
from star_assets.model.functions import business_date, start_of_day, surrogate_key
from star_assets.model.portable import AGREED_FILE, signature, signatures
from star_assets.settings import Settings

ZONE = "America/New_York"

TEXTS = [
    *("", " ", "a", "Ab c", "STRASSE", "stra\u00dfe", "\u00dfa", "\u1e9e", "\u0130", "\u01c6", "\u00e9", "e\u0301"),
    *("\u65e5\u672c", "\U0001f600", "\U0001f468\u200d\U0001f469", "a_b%c", "a\\b", "x\ny", "x\n", "\t a\u00a0", None),
]
INTS = [0, 1, -1, 2, -2, 3, 7, -7, 10, 100, 2**31, -(2**31), 2**53 + 1, 5, 12, 31, None]
SMALLS = [1, 2, 3, -3, 4, 5, 7, -7, 2, 8, 9, 1, 2, 3, 11, 12, None]
FLOATS = [
    0.0,
    -0.0,
    1.5,
    2.5,
    -2.5,
    0.1,
    1e300,
    1e-300,
    float("nan"),
    float("inf"),
    float("-inf"),
    3.0,
    7.0,
    0.5,
    1 / 3,
    2.0,
]
MONEY = [
    "0",
    "0.0001",
    "-0.0001",
    "1.5",
    "2.5",
    "-2.5",
    "99999999.9999",
    "-99999999.9999",
    "12.3450",
    "0.005",
    "3",
    "7",
]
DAYS = [
    *(date(2023, month, 28) for month in range(1, 13)),
    *(date(2024, 2, 29), date(2023, 1, 1), date(2021, 1, 3), date(1969, 12, 31)),
]
MOMENTS = [
    *(datetime(2023, 11, 5, hour, 30, 15, 123000) for hour in range(10)),
    *(
        datetime(1969, 12, 31, 23, 59, 59, 999000),
        datetime(2023, 3, 12, 7),
        datetime(2024, 2, 29),
        datetime(2023, 1, 1),
    ),
    *(datetime(2023, 7, 1, 3, 59, 59, 999000), datetime(2023, 7, 1, 4)),
]


def values() -> pa.Table:
    """Rows whose columns run through all values, each at its own pace, so that they meet in many ways."""
    columns: dict[str, tuple[Sequence[Any], pa.DataType]] = {
        "n": (range(17 * 16), pa.int64()),
        "i": (INTS, pa.int64()),
        "j": (SMALLS, pa.int32()),
        "f": ([*FLOATS, None], pa.float64()),
        "d": ([*map(Decimal, MONEY), None], pa.decimal128(18, 4)),
        "e": ([Decimal(text) for text in ("1", "0.5", "-3.25", "100.00")], pa.decimal128(9, 2)),
        "s": (TEXTS, pa.string()),
        "t": (["a", "b", "é", "", None], pa.string()),
        "b": ([True, False, None], pa.bool_()),
        "c": ([True, True, False, False], pa.bool_()),
        "day": ([*DAYS, None], pa.date32()),
        "other": (DAYS[::-1][:7], pa.date32()),
        "at": ([*MOMENTS, None], pa.timestamp("ms")),
        "then": (MOMENTS[::-1][:5], pa.timestamp("ms")),
        "k": (["x", "y", "z", None], pa.string()),
        # Many values, so that what is right by luck for a few is found out.
        "g": ([((n * 7919) % 10_007) / 97 for n in range(272)], pa.float64()),
        "m": ([Decimal(n * 7_919_263_147_877 % 10**15 - 10**14).scaleb(-4) for n in range(272)], pa.decimal128(18, 4)),
    }
    rows = len(columns["n"][0])
    return pa.table(
        {
            name: pa.array([given[row % len(given)] for row in range(rows)], type_)
            for name, (given, type_) in columns.items()
        }
    )


def scalars(t: Table) -> Iterator[ibis.Value]:
    """One value per row."""
    for one, two in ((t.i, t.j), (t.j, t.i), (t.d, t.e), (t.e, t.d), (t.d, t.j), (t.j, t.d), (t.f, t.j), (t.f, t.f)):
        yield from (one + two, one - two, one * two, -one, one.abs(), one.sign())
        yield from (one / two.nullif(0), one // two.nullif(0), one % two.nullif(0))
        yield from (one > two, one >= two, one < two, one <= two, one == two, one != two, one.identical_to(two))
        yield from (one.between(two, two), ibis.coalesce(one, two), ibis.greatest(one, two), ibis.least(one, two))
        yield from (
            one.isnull(),
            one.notnull(),
            one.nullif(two),
            t.b.ifelse(one, two),
            one.isin([1, 2]),
            one.notin([1]),
        )
        yield from (one.fill_null(two), one.floor(), one.ceil(), one.round(), one.round(2))
        yield ibis.cases((t.b, one), (t.c, two), else_=one)
    for one, two in ((t.s, t.t), (t.day, t.other), (t.at, t.then), (t.b, t.c)):
        yield from (one > two, one >= two, one < two, one <= two, one == two, one != two, one.identical_to(two))
        yield from (ibis.coalesce(one, two), one.isnull(), one.notnull(), one.nullif(two), t.b.ifelse(one, two))
        yield from (one.between(two, two), ibis.greatest(one, two), ibis.least(one, two), one.fill_null(two))
        yield ibis.cases((t.b, one), (t.c, two), else_=one)
    yield from (t.b & t.c, t.b | t.c, t.b ^ t.c, ~t.b, t.b.cast("int32"), t.b.cast("string"))
    yield from (t.j.cases((1, "one"), (2, "two")), t.s.cases(("a", 1), ("é", 2), else_=0), t.k.isin(["x", "y"]))
    yield from (t.day.isin([DAYS[0]]), t.k.notin(["x"]))


def texts(t: Table) -> Iterator[ibis.Value]:
    """What text can become."""
    yield from (
        t.s + t.t,
        t.s.length(),
        t.s.upper(),
        t.s.lower(),
        t.s.capitalize(),
        t.s.strip(),
        t.s.lstrip(),
        t.s.rstrip(),
    )
    yield from (t.s.reverse(), t.s.contains("a"), t.s.startswith("a"), t.s.endswith("c"), t.s.find("b"), t.s.like("a%"))
    yield from (
        t.s.ilike("A%"),
        t.s.rlike("^a"),
        t.s.rlike("x$"),
        t.s.ilike("%ss%"),
        t.s.ilike("i%"),
        t.s.replace("a", "b"),
        t.s.re_replace("[a-c]", "x"),
        t.s.re_replace(r"x\s*$", "y"),
        t.s.re_extract("(x.*)$", 1),
        t.s.repeat(2),
    )
    yield from (
        t.s.substr(0, 2),
        t.s.substr(1),
        t.s[0:3],
        t.s.left(2),
        t.s.right(2),
        t.s.lpad(5, "."),
        t.s.rpad(5, "."),
    )
    yield from (t.s.split(" ")[0], t.s.re_extract("(a)", 1), t.s.hexdigest("sha256"), t.s.hexdigest("md5"), t.s.hash())
    yield from (t.s.ascii_str(), t.s.translate("a", "b"), t.s.levenshtein(t.t), t.s.nullif(""))
    yield from (t.s.try_cast("int64"), t.k.concat("-", t.t))


def casts(t: Table) -> Iterator[ibis.Value]:
    """Values of one type as another."""
    yield from (
        t.i.cast("string"),
        t.i.cast("float64"),
        t.i.cast("decimal(38,4)"),
        t.j.cast("int64"),
        t.j.cast("decimal(18,4)"),
    )
    yield from (
        t.d.cast("string"),
        t.d.cast("int64"),
        t.d.cast("float64"),
        t.d.cast("decimal(38,8)"),
        t.d.cast("decimal(18,2)"),
    )
    yield from (
        t.e.cast("decimal(18,4)"),
        t.e.cast("decimal(18,1)"),
        t.f.cast("string"),
        t.f.cast("int64"),
        t.f.cast("decimal(18,4)"),
    )
    yield from (t.day.cast("string"), t.day.cast("timestamp(3)"), t.at.cast("string"), t.at.cast("date"), t.at.date())
    yield from (t.day.cast("string").cast("date"), t.at.cast("int64"), t.j.cast("string").cast("int64"))
    yield from (t.d.cast("string").cast("decimal(18,4)"), t.i.cast("boolean"), t.b.cast("int64"))


def readings(t: Table) -> Iterator[ibis.Value]:
    """Texts as values; what is none is read differently."""
    for text in ("12.5", " 1", "1_000", "0x10", "1e3"):
        yield from (ibis.literal(text).cast("int64"), ibis.literal(text).try_cast("int64"))
        yield from (ibis.literal(text).cast("decimal(18,4)"), ibis.literal(text).cast("float64"))
    for text in ("2023", "2023-1-5", "2023-07-01 10:00:00+02", "now", "10:00:00"):
        yield from (ibis.literal(text).cast("date"), ibis.literal(text).cast("timestamp(3)"))
    yield from (ibis.literal(text).cast("boolean") for text in ("yes", "on", "t", "1"))


FORMATS = ("Y", "m", "d", "Y-%m", "Y-%m-%d", "Y%m%d", "Y-%m-%d %H:%M:%S", "H:%M", "j", "B", "b", "A", "a", "y", "q")


def times(t: Table) -> Iterator[ibis.Value]:
    """Days and moments."""
    for one, two in ((t.day, t.other), (t.at, t.then)):
        yield from (
            one.year(),
            one.month(),
            one.day(),
            one.quarter(),
            one.day_of_year(),
            one.week_of_year(),
            one.iso_year(),
        )
        yield from (one.day_of_week.index(), one.day_of_week.full_name(), one.epoch_seconds())
        yield from (one.truncate("D"), one.truncate("W"), one.truncate("M"), one.truncate("Q"), one.truncate("Y"))
        yield from (one + ibis.interval(days=3), one - ibis.interval(days=3), one + ibis.interval(weeks=1))
        yield from (one + ibis.interval(months=1), one - ibis.interval(years=1), one + ibis.interval(quarters=1))
        yield from (one + t.j.as_interval("D"), one + t.j.as_interval("M"))
        yield from (one.strftime(f"%{text}") for text in FORMATS)
        yield from (
            one.delta(two, unit="day"),
            one - two,
        )
    yield from (t.at.hour(), t.at.minute(), t.at.second(), t.at.millisecond(), t.at.truncate("h"), t.at.truncate("m"))
    yield from (t.at + ibis.interval(hours=1), t.at - ibis.interval(minutes=5), t.at + ibis.interval(seconds=1))
    yield from (
        t.at + t.j.as_interval("h"),
        t.at.delta(t.then, unit="hour"),
        t.at.delta(t.then, unit="second"),
        t.at.time(),
    )
    yield from (business_date(t.at), start_of_day(t.day), surrogate_key(t.s, t.at))
    yield from (ibis.date(t.day.year(), 1, 1), t.j.as_timestamp("s"), t.i.as_timestamp("s"))


def numbers(t: Table) -> Iterator[ibis.Value]:
    """What numbers can become beyond arithmetic."""
    for one in (t.f.abs(), t.d.abs(), t.j.abs()):
        yield from (one.sqrt(), one.exp(), (one + 1).ln(), (one + 1).log10(), one**2, one.clip(1, 2), one.negate())
    yield from (
        t.f.isnan(),
        t.f.isinf(),
        t.g.sqrt(),
        t.m.cast("float64"),
        t.g / t.j,
        t.g % t.j,
        t.m % t.j,
        t.g * t.f,
        t.i & t.j,
        t.i | t.j,
        t.i ^ t.j,
        t.j << 2,
        t.j >> 1,
        t.d.hash(),
        t.i.hash(),
    )


def windows(t: Table) -> Iterator[ibis.Value]:
    """Values that look at other rows. The order is total, but where it is said otherwise."""
    order = ibis.window(group_by=t.k, order_by=[t.i, t.n])
    last = ibis.window(group_by=t.k, order_by=[t.d.desc(), t.s, t.n])
    so_far = ibis.window(group_by=t.k, order_by=[t.i, t.n], preceding=None, following=0)
    near = ibis.window(group_by=t.k, order_by=t.n, preceding=2, following=1)
    peers = ibis.range_window(group_by=t.k, order_by=t.j, preceding=None, following=0)
    for window in (order, last):
        yield from (ibis.row_number().over(window), ibis.rank().over(window), ibis.dense_rank().over(window))
        yield from (t.i.lag().over(window), t.s.lead(2).over(window), ibis.ntile(3).over(window))
        yield from (t.d.lag().over(window), t.at.lead().over(window), t.day.lag().over(window), t.f.lag().over(window))
        yield from (t.i.first().over(window), t.i.last().over(window), ibis.percent_rank().over(window))
    yield from (ibis.rank().over(ibis.window(order_by=t.j)), ibis.dense_rank().over(ibis.window(order_by=t.s)))
    for window in (so_far, near, peers):
        yield from (t.i.sum().over(window), t.d.sum().over(window), t.j.max().over(window), t.i.count().over(window))
        yield from (t.d.min().over(window), t.s.max().over(window), t.d.mean().over(window))


def reductions(t: Table) -> Iterator[ibis.Value]:
    """One value for several rows."""
    yield from (t.count(), t.count(where=t.b), t.nunique(), t.b.any(), t.b.all(), t.b.sum())
    for one in (t.i, t.j, t.d, t.e, t.s, t.day, t.at, t.f):
        yield from (one.count(), one.nunique(), one.min(), one.max(), one.count(where=t.b), one.max(where=t.b))
        yield from (
            one.argmax(t.i),
            one.argmin(t.i),
            one.argmax(t.d),
            one.argmin(t.d),
            one.first(order_by=t.n),
            one.last(order_by=t.n),
            one.arbitrary(),
        )
        yield from (one.mode(), one.collect(order_by=t.n).length())
    for one in (t.i, t.j, t.d, t.e):
        yield from (one.sum(), one.sum(where=t.b), one.mean(), one.median(), one.quantile(0.5), one.std(), one.var())
    yield from (
        t.g.sum(),
        t.g.mean(),
        t.m.sum(),
        t.f.sum(),
        t.f.mean(),
        t.f.median(),
        t.t.group_concat(",", order_by=t.n),
    )


def relations(t: Table) -> Iterator[tuple[str, Table]]:
    """Tables made of tables, each with what it is about."""
    left, right = t.select("n", "i", "s", "d"), t.filter(t.b).select(m="n", i="i", t="t")
    few, others = left.filter(left.n < 9), right.filter(right.m > 200)
    texts, more = t.select("s"), t.select(s="t")
    for how in ("inner", "left", "right", "outer", "semi", "anti", "any_inner", "any_left"):
        yield f"JoinLink({how})", left.join(right, "i", how=how)
    yield "JoinLink(inner)", left.join(right, [left.i <= right.i, left.n > right.m])
    yield "JoinLink(cross)", few.cross_join(others)
    yield "JoinLink(asof)", left.asof_join(right, "i")
    yield "Filter", t.filter(t.i > 0).select("n")
    yield "Filter", t.select("n", "k").filter(t.n % 2 == 0).group_by("k").agg(n=ibis._.n.max()).order_by("k")
    yield "Sort", left.order_by("n")
    yield "Distinct", t.select("k", "b").distinct()
    yield "Union", texts.union(more)
    yield "Union", texts.union(more, distinct=True)
    yield "Intersection", texts.intersect(more)
    yield "Difference", texts.difference(more)
    yield "Limit", t.order_by("n").limit(5)
    yield "Limit", t.limit(5, offset=3)
    yield "InSubquery(string)", t.filter(t.s.isin(t.t)).select("n")
    yield "ScalarSubquery", t.filter(t.n > t.i.max().as_scalar() - 2**53).select("n")
    yield "DropNull", t.select("n", "s").drop_null("s")
    yield "FillNull", t.select("n", "s").fill_null({"s": "nothing"})
    yield "First(int)", t.select("n", "k").distinct(on="k", keep="first")
    yield "Sample", t.sample(0.5)


# How values become a table that both engines can be asked for.
def _selected(t: Table, value: ibis.Value) -> Table:
    return t.select(n=t.n, v=value)


def _grouped(t: Table, value: ibis.Value) -> Table:
    return t.group_by("k").agg(v=value)


VALUES: Mapping[Callable[[Table], Iterator[ibis.Value]], Callable[[Table, ibis.Value], Table]] = {
    **dict.fromkeys((scalars, texts, casts, readings, times, numbers, windows), _selected),
    reductions: _grouped,
}


def table() -> Table:
    """The rows, as an unbound table."""
    return ibis.table(ibis.Schema.from_pyarrow(values().schema), name="t")


class Both:
    """The same rows in both engines."""

    def __init__(self) -> None:
        from star_assets.engines.spark.session import open_session

        settings = Settings(engine="spark", timezone=ZONE, threads=2)
        self.folder = tempfile.TemporaryDirectory()
        self.duck, self.spark = connect(settings, self.folder.name), open_session(settings)
        file = f"{self.folder.name}/t.parquet"
        self.duck.register("given", values())
        self.duck.execute(f"COPY given TO '{file}' (FORMAT parquet)")
        self.duck.execute(f"CREATE TABLE t AS FROM '{file}'")
        self.spark.read.parquet(file).repartition(2).cache().createOrReplaceTempView("t")
        self.table = table()

    def close(self) -> None:
        """Free what it holds."""
        self.duck.close()
        self.folder.cleanup()

    def agree(self, table: Table) -> bool:
        """Whether both have an answer, and the same one."""
        duck = self.on_duckdb(table)
        return duck is not None and duck == self.on_spark(table)

    def on_duckdb(self, table: Table) -> list[str] | None:
        """The rows in order of their text; None where there is no answer."""
        try:
            select = f"SELECT {physical(table)} FROM ({sql(table)})"
            return sorted(map(str, self.duck.execute(select).fetchall()))
        except (duckdb.Error, IbisError, ValueError):
            return None

    def on_spark(self, table: Table) -> list[str] | None:
        from pyspark.errors import PySparkException

        try:
            select = f"SELECT {spark_physical(table)} FROM ({statement(table, ZONE)})"
            return sorted(str(tuple(row)) for row in self.spark.sql(select).collect())
        except (PySparkException, IbisError, ValueError, NotImplementedError):
            return None


def subjects(t: Table) -> Iterator[tuple[str, Table]]:
    """(signature, a table that needs it) for each expression: that of what is computed last."""
    for family, as_table in VALUES.items():
        for value in family(t):
            node = value.op()
            while isinstance(node, ops.Alias | ops.WindowFunction):
                node = node.arg if isinstance(node, ops.Alias) else node.func
            yield signature(node) or "", as_table(t, value)
    yield from relations(t)


# Agree on what is tried here by luck: the order of rows, a platform's mathematics, a dialect of patterns decides, or
# DuckDB's version: before 2.0, Levenshtein counts bytes.
LUCKY = ("ArgM", "Exp(", "Levenshtein(", "Ln(", "Log", "Mean(", "Median(", "Power(", "Quantile(", "Regex")
LUCKY += ("StandardDev(", "Sum(float", "Variance(")


def together(tables: Sequence[Table]) -> Iterator[Table]:
    """The same in fewer queries: values side by side, since a query of Spark takes as long as ten values."""
    rows = [table for table in tables if table.columns == ("n", "v")]
    groups = [table for table in tables if table.columns == ("k", "v")]
    yield from (table for table in tables if table.columns[1:] != ("v",))
    given = tables[0].op().find(ops.PhysicalTable)[0].to_expr()
    for several, combine in ((rows, given.select), (groups, given.group_by("k").agg)):
        for first in range(0, len(several), AT_ONCE):
            values = {f"v{n}": _value(table) for n, table in enumerate(several[first : first + AT_ONCE])}
            yield combine(**({"n": given.n} if several is rows else {}), **values)


def _value(table: Table) -> ops.Value:
    node = table.op()
    return node.values["v"] if isinstance(node, ops.Project) else node.metrics["v"]


AT_ONCE = 40


def find_agreed() -> list[str]:
    """The signatures that every expression agrees on which is about them, or needs them and nothing that differs."""
    both = Both()
    found = [(about, table, both.agree(table)) for about, table in subjects(both.table)]
    shown = {one for _, table, agrees in found if agrees for one in signatures(table)}
    shown -= {about for about, _, agrees in found if not agrees}
    return sorted(one for one in shown if not one.startswith(LUCKY))


if __name__ == "__main__":
    AGREED_FILE.write_text("\n".join(find_agreed()) + "\n")
