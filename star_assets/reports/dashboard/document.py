"""The content of a page as JSON: the dashboard's declaration and its numbers.

Numbers are integers: decimals are in units of their last used digit, such as cents, and averages
are a sum and a count. A browser adds integers below 2^53 exactly, so the page shows the same
numbers as SQL.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from star_assets.model import Dashboard, Star
from star_assets.model.dashboard import BarChart, LineChart, Page
from star_assets.model.errors import NumberTooLarge
from star_assets.model.labels import measure_format, measure_label, table_label
from star_assets.model.presentation import chart_title, find_attribute, find_measure
from star_assets.reports.dashboard.answers import Answers, Number, Row, Slice
from star_assets.reports.dashboard.measured import Breakdown, Sum, daily_sums, measures, shown, slicers

# Integers up to here are exact in browsers, whose numbers are IEEE 754's doubles.
MOST = 2**53

# Floats, which are not exact anyway, are rounded to these decimals.
FLOAT_DECIMALS = Decimal("0.000001")


def document(star: Star, dashboard: Dashboard, answers: Answers, viewer: str | None = None) -> dict[str, Any]:
    """The page's content. Raises NumberTooLarge.

    Its form, which the scripts of the page read:
        days, periods: business dates.
        until: the hour and minute of the newest provisional row of the last day; null if that day has none.
        slices: for each slice, the index of each of its values in `slicers[…].values`.
        daily: for each sum, its scale, and for each slice the units of all days, separated by commas; empty for a
            day without a row.
        breakdowns: for each slice and period a flat list: the index of a value (-1: all others), the units of its
            sums, and so on.
    """
    fact = star.facts[dashboard.fact]
    return {
        "title": dashboard.title,
        "about": table_label(fact),
        "viewer": viewer,
        "currency": star.currency,
        "days": answers.days,
        "periods": answers.periods,
        "until": answers.until and f"{answers.until:%H:%M}",
        "shown": dashboard.days,
        "measures": {name: _measure(star, dashboard, name) for name in measures(dashboard)},
        "slicers": _slicers(star, dashboard, answers.slices),
        "filters": list(dashboard.filters),
        "slices": _places(answers.slices, len(slicers(dashboard))),
        "daily": _daily(star, dashboard, answers),
        "breakdowns": {
            f"{breakdown.measure} by {breakdown.by}": _broken_down(star, dashboard, breakdown, rows, answers)
            for breakdown, rows in answers.broken_down.items()
        },
        "pages": [_page(star, dashboard, page) for page in dashboard.pages],
    }


def _measure(star: Star, dashboard: Dashboard, name: str) -> dict[str, Any]:
    fact, measure = star.facts[dashboard.fact], find_measure(star, dashboard, name)
    computed = shown(measure)
    return {
        "label": measure_label(fact, measure),
        "format": measure_format(star, fact, measure),
        "of": [_name(one) for one in computed.of],
        "per": [_name(one) for one in computed.per],
    }


def _page(star: Star, dashboard: Dashboard, page: Page) -> dict[str, Any]:
    return {
        "title": page.title,
        "tiles": list(page.tiles),
        "charts": [_chart(star, dashboard, chart) for chart in page.charts],
        "where": {name: str(value) for name, value in page.where.items()},
        "between": [day.isoformat() for day in page.between] if page.between else None,
    }


def _chart(star: Star, dashboard: Dashboard, chart: BarChart | LineChart) -> dict[str, Any]:
    described: dict[str, Any] = {"title": chart_title(star, dashboard, chart), "measure": chart.measure}
    if isinstance(chart, BarChart):
        described |= {"by": chart.by, "label": find_attribute(star, dashboard, chart.by).label, "top": chart.top}
    return described


def _slicers(star: Star, dashboard: Dashboard, slices: Sequence[Slice]) -> dict[str, Any]:
    names = slicers(dashboard)
    return {
        name: {"label": find_attribute(star, dashboard, name).label, "values": _values(slices, number)}
        for number, name in enumerate(names)
    }


def _values(slices: Iterable[Slice], number: int) -> list[str | None]:
    """A slicer's values in alphabetical order, NULL last."""
    return sorted({found.values[number] for found in slices}, key=lambda value: (value is None, value or ""))


def _places(slices: Sequence[Slice], count: int) -> list[list[int]]:
    columns = [{value: place for place, value in enumerate(_values(slices, number))} for number in range(count)]
    return [[column[value] for column, value in zip(columns, found.values, strict=True)] for found in slices]


def _daily(star: Star, dashboard: Dashboard, answers: Answers) -> dict[str, Any]:
    found: dict[str, Any] = {}
    slices = {slice_: number for number, slice_ in enumerate(answers.slices)}
    days = {day: number for number, day in enumerate(answers.days)}
    for number, one in enumerate(daily_sums(star, dashboard)):
        scale, units = _in_units(dashboard, one, [row.sums[number] for row in answers.daily])
        series: list[list[int | None]] = [[None] * len(days) for _ in slices]
        for row, unit in zip(answers.daily, units, strict=True):
            series[slices[row.slice]][days[str(row.time)]] = unit
        texts = [",".join("" if unit is None else str(unit) for unit in one) for one in series]
        found[_name(one)] = {"scale": scale, "units": texts}
    return found


def _broken_down(
    star: Star, dashboard: Dashboard, breakdown: Breakdown, rows: Sequence[Row], answers: Answers
) -> dict[str, Any]:
    sums = shown(find_measure(star, dashboard, breakdown.measure)).sums
    scaled = [_in_units(dashboard, one, [row.sums[n] for row in rows]) for n, one in enumerate(sums)]
    # The most frequent values get the lowest indexes, which are the shortest to write.
    frequent = Counter(row.value for row in rows if row.named)
    values = sorted(frequent, key=lambda value: (-frequent[value], value is None, value or ""))
    places = {value: place for place, value in enumerate(values)}
    cells: defaultdict[tuple[Slice, int], list[int | None]] = defaultdict(list)
    units = zip(*(units for _, units in scaled), strict=True)
    for row, of_row in sorted(zip(rows, units, strict=True), key=lambda pair: places.get(pair[0].value, 0)):
        place = places[row.value] if row.named else -1
        cells[row.slice, int(row.time)] += [place, *of_row]
    return {
        "named": breakdown.named,
        "sums": [_name(one) for one in sums],
        "scales": [scale for scale, _ in scaled],
        "values": values,
        "cells": [
            [cells.get((slice_, period), []) for period in range(len(answers.periods))] for slice_ in answers.slices
        ],
    }


def _name(one: Sum) -> str:
    return f"{one.how} {one.column}"


def _in_units(dashboard: Dashboard, one: Sum, numbers: Sequence[Number]) -> tuple[int, list[int | None]]:
    """The scale of the smallest unit that the numbers need, and the numbers in this unit. Raises NumberTooLarge."""
    exact = [_exact(dashboard, one, number) for number in numbers]
    scale = max((-int(number.as_tuple().exponent) for number in exact if number is not None), default=0)
    scale = max(scale, 0)
    units = [None if number is None else int(number.scaleb(scale)) for number in exact]
    while scale and not any(unit and unit % 10 for unit in units):
        units, scale = [unit and unit // 10 for unit in units], scale - 1
    sizes = [abs(unit) for unit in units if unit]
    total = sum(sizes) if one.how in ("sum", "count") else max(sizes, default=0)
    if total >= MOST:
        raise NumberTooLarge(dashboard.name, dashboard.fact, one.column, f"{Decimal(total).scaleb(-scale):,f}")
    return scale, units


def _exact(dashboard: Dashboard, one: Sum, number: Number) -> Decimal | None:
    if not isinstance(number, float):
        return None if number is None else Decimal(number)
    if not math.isfinite(number) or abs(number) >= MOST:
        raise NumberTooLarge(dashboard.name, dashboard.fact, one.column, str(number))
    return Decimal(repr(number)).quantize(FLOAT_DECIMALS)
