"""The SQL behind a page, in Athena's dialect.

Every join is an inner join by a reference of the fact. It loses no row, because each dimension
has an Unknown member. Not here: running it (answers).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from star_assets.model import Dashboard, Fact, Star
from star_assets.model.members import MEMBER_KIND
from star_assets.model.presentation import Attribute, find_attribute, find_measure
from star_assets.model.tables import IS_PROVISIONAL
from star_assets.reports.dashboard.measured import Breakdown, Sum, daily_sums, shown, slicers, viewer

# Columns of the answers: the time, the viewer, the breakdown's value, whether that value is listed, the newest event.
DAY, PERIOD, VIEWER, VALUE, NAMED, UNTIL = "day", "period", "viewer", "value", "named", "until"

# A breakdown with no more cells (values of each slice and period) is listed whole; a cell has some 12 bytes.
WHOLE = 100_000


def slice_names(count: int) -> list[str]:
    """The names of the columns with a slice's values."""
    return [f"slice_{number}" for number in range(count)]


def sum_names(count: int) -> list[str]:
    """The names of the columns with sums."""
    return [f"sum_{number}" for number in range(count)]


def daily(star: Star, dashboard: Dashboard) -> str:
    """One row for each business date, slice and viewer: the sums of `daily_sums`."""
    keys, sums = _keys(star, dashboard), daily_sums(star, dashboard)
    grouped = {DAY: 'f."date"', **{name: _column(attribute) for name, attribute in keys.items()}}
    return _grouped(grouped, _aggregates(sums), _joined(star, dashboard, keys.values()))


def broken_down(star: Star, dashboard: Dashboard, breakdown: Breakdown, periods: Sequence[tuple[str, str]]) -> str:
    """One row for each period, slice, viewer and value.

    If there are more than WHOLE, the greatest values of each slice and period have rows, and all
    others are in one row that is not `named`.
    """
    keys, sums = _keys(star, dashboard), shown(find_measure(star, dashboard, breakdown.measure))
    value = find_attribute(star, dashboard, breakdown.by)
    columns = {PERIOD: _period(periods), **{name: _column(attribute) for name, attribute in keys.items()}}
    joined = _joined(star, dashboard, [*keys.values(), value])
    sold = _grouped({**columns, VALUE: _column(value)}, _aggregates(sums.sums), joined)
    weight = sum_names(len(sums.sums))[sums.sums.index(sums.weight)]
    group = ", ".join(columns)
    is_named = f"(cells <= {WHOLE} OR place <= {breakdown.named})"
    named = {
        **{column: column for column in columns},
        VALUE: f"CASE WHEN {is_named} THEN {VALUE} END",
        NAMED: is_named,
    }
    again = {
        name: _aggregate(one, name) for name, one in zip(sum_names(len(sums.sums)), _again(sums.sums), strict=True)
    }
    return (
        f"WITH sold AS ({sold}), placed AS (SELECT sold.*, count(*) OVER () AS cells, "
        f"row_number() OVER (PARTITION BY {group} ORDER BY {weight} DESC, {VALUE}) AS place FROM sold) "
        f"{_grouped(named, again, 'placed')}"
    )


def members(star: Star, dashboard: Dashboard) -> str | None:
    """Every slice of a described member, also without sales; None if slices are not of exactly one dimension."""
    keys = _keys(star, dashboard)
    tables = {attribute.table.name for attribute in keys.values()}
    if len(tables) != 1 or any(attribute.through is None for attribute in keys.values()):
        return None
    columns = ", ".join(f'"{attribute.column}" AS {name}' for name, attribute in keys.items())
    return f"SELECT DISTINCT {columns} FROM \"{tables.pop()}\" WHERE {MEMBER_KIND} = 'described'"


def viewers(attribute: Attribute) -> str:
    """Every value of the column with the viewers."""
    return f'SELECT DISTINCT "{attribute.column}" AS {VIEWER} FROM "{attribute.table.name}"'


def provisional_until(fact: Fact, day: str) -> str:
    """One row: the time (UTC) of the newest provisional row of a business date; NULL if it has none."""
    return f'SELECT max("{fact.date}") AS {UNTIL} FROM "{fact.name}" WHERE "date" = \'{day}\' AND {IS_PROVISIONAL}'


def _keys(star: Star, dashboard: Dashboard) -> dict[str, Attribute]:
    """The columns that rows are grouped by, beside the time: the slicers and the viewer."""
    names = slicers(dashboard)
    found = {
        name: find_attribute(star, dashboard, slicer)
        for name, slicer in zip(slice_names(len(names)), names, strict=True)
    }
    seen_by = viewer(star, dashboard)
    return {**found, VIEWER: seen_by} if seen_by else found


def _joined(star: Star, dashboard: Dashboard, attributes: Iterable[Attribute]) -> str:
    """The fact, joined to each dimension of these columns."""
    joins = [f'"{star.facts[dashboard.fact].name}" f']
    for through, key, table in dict.fromkeys(
        (found.through, found.table.key, found.table.name) for found in attributes if found.through
    ):
        joins.append(f'JOIN "{table}" "{through}_of" ON f."{through}" = "{through}_of"."{key}"')
    return " ".join(joins)


def _column(attribute: Attribute) -> str:
    return f'"{attribute.through}_of"."{attribute.column}"' if attribute.through else f'f."{attribute.column}"'


def _period(periods: Sequence[tuple[str, str]]) -> str:
    """SQL of the number of the period of a business date. It compares with the newest period first."""
    *others, _ = branches = [
        f"WHEN f.\"date\" >= '{first}' THEN {number}" for number, (first, _) in reversed([*enumerate(periods)])
    ]
    return f"CASE {' '.join(others)} ELSE 0 END" if len(branches) > 1 else "0"


def _aggregates(sums: Sequence[Sum]) -> dict[str, str]:
    names = sum_names(len(sums))
    return {name: _aggregate(one, f'f."{one.column}"') for name, one in zip(names, sums, strict=True)}


def _again(sums: Sequence[Sum]) -> list[Sum]:
    """The aggregates that add up sums of rows: counts are summed."""
    return [Sum("sum", one.column) if one.how == "count" else one for one in sums]


def _aggregate(one: Sum, of: str) -> str:
    return f"{one.how.upper()}({of})"


def _grouped(keys: dict[str, str], values: dict[str, str], source: str) -> str:
    columns = ", ".join(f"{expression} AS {name}" for name, expression in {**keys, **values}.items())
    return f"SELECT {columns} FROM {source} GROUP BY {', '.join(map(str, range(1, len(keys) + 1)))}"
