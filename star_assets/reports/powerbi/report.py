"""The report's files: a page for each page of the star's dashboards, with its visuals for desk and phone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from star_assets.model import BarChart, Dashboard, LineChart, Page, Star
from star_assets.model.calendars import calendar_of
from star_assets.model.labels import column_label, table_label
from star_assets.model.presentation import chart_title, find_attribute
from star_assets.reports.powerbi.columns import PARTITION_LABEL
from star_assets.reports.powerbi.measures import (
    BEFORE,
    LAST_DAY,
    WEEK_BEFORE,
    known_until,
    measure_names,
    rung_up_until,
)
from star_assets.reports.powerbi.queries import Json, ModelField, between, is_value, most
from star_assets.reports.powerbi.visuals import SCHEMAS, Place, Visual, bars, card, cards, line, period, slicer

# What the names of generated pages and visuals begin with; Power BI's own are numbers.
GENERATED = "star-"

# Pixels: the width and height of a page, the width on a phone; the heights of slicers, tiles and charts.
WIDTH, HEIGHT, PHONE, GAP = 1280, 720, 324, 16
SLICER, TILE, COMPARED, CHART = 80, 104, 120, 320


def report_files(star: Star) -> dict[str, str]:
    """The files below `definition`, by path."""
    pages = [
        page
        for dashboard in star.dashboards
        for number, declared in enumerate(dashboard.pages, 1)
        for page in [ReportPage(star, dashboard, declared, f"{GENERATED}{dashboard.name}-{number}")]
    ]
    files = {
        "version.json": written({"$schema": f"{SCHEMAS}/versionMetadata/1.0.0/schema.json", "version": "2.0.0"}),
        "report.json": written({"$schema": f"{SCHEMAS}/report/3.0.0/schema.json", "themeCollection": {}}),
        "pages/pages.json": written(
            {
                "$schema": f"{SCHEMAS}/pagesMetadata/1.0.0/schema.json",
                "pageOrder": [page.name for page in pages],
                **({"activePageName": pages[0].name} if pages else {}),
            }
        ),
    }
    for page in pages:
        files |= page.files()
    return files


def written(content: Json) -> str:
    """The text of a JSON file."""
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


@dataclass(frozen=True)
class ReportPage:
    """One page of the report, generated from a page of a dashboard."""

    star: Star
    dashboard: Dashboard
    page: Page
    name: str

    def files(self) -> dict[str, str]:
        """The page's files, by path."""
        folder = f"pages/{self.name}"
        placed = [*self._placed()]
        height = max([HEIGHT, *(place.y + place.height + GAP for _, place in placed)])
        files = {f"{folder}/page.json": written(self._content(height))}
        below = GAP
        for order, (visual, place) in enumerate(placed):
            phone = Place(0, below, PHONE, place.height)
            below += place.height + GAP
            files[f"{folder}/visuals/{visual.name}/visual.json"] = written(visual.content(place, order))
            files[f"{folder}/visuals/{visual.name}/mobile.json"] = written(visual.on_phone(phone, order))
        return files

    def _content(self, height: int) -> Json:
        several = len(self.star.dashboards) > 1
        content: Json = {
            "$schema": f"{SCHEMAS}/page/2.0.0/schema.json",
            "name": self.name,
            "displayName": f"{self.dashboard.title}: {self.page.title}" if several else self.page.title,
            "displayOption": "FitToPage" if height == HEIGHT else "FitToWidth",
            "height": height,
            "width": WIDTH,
        }
        filters = [*self._filters()]
        return content | ({"filterConfig": {"filters": filters}} if filters else {})

    def _filters(self) -> Iterator[Json]:
        for number, (name, value) in enumerate(self.page.where.items(), 1):
            yield is_value(f"{self.name}-where-{number}", self._column(name), value)
        if self.page.between and self._day:
            yield between(f"{self.name}-between", self._day, *self.page.between)

    def _placed(self) -> Iterator[tuple[Visual, Place]]:
        """The visuals with their places, in reading order: slicers, tiles, and charts in pairs."""
        above = GAP
        for row, height in [([*self._slicers()], SLICER), *self._tiles()]:
            yield from _in_row(row, above, height)
            above += height + GAP if row else 0
        charts = [*self._charts()]
        for begin in range(0, len(charts), 2):
            # A single chart fills the rest of the page.
            height = CHART if len(charts) > 1 else HEIGHT - above - GAP
            yield from _in_row(charts[begin : begin + 2], above, height)
            above += height + GAP

    def _slicers(self) -> Iterator[Visual]:
        if self._day and not self.page.between:
            yield period(f"{GENERATED}period", self._day, self.dashboard.days, f"{self.dashboard.name}-period")
        for name in self.dashboard.filters:
            if name not in self.page.where:
                visual = f"{GENERATED}{name.replace('.', '-')}"
                yield slicer(visual, self._column(name), f"{self.dashboard.name}-{name}")
        fact = self.star.facts[self.dashboard.fact]
        yield card(f"{GENERATED}known-until", ModelField(table_label(fact), known_until(fact), is_measure=True))
        if fact.provisional:
            until = ModelField(table_label(fact), rung_up_until(fact), is_measure=True)
            yield card(f"{GENERATED}rung-up-until", until)

    def _tiles(self) -> Iterator[tuple[list[Visual], int]]:
        """The row of tiles, and below it the row with each tile's values at earlier times."""
        yield [card(f"{GENERATED}tile-{name}", self._measure(name)) for name in self.page.tiles], TILE
        if self._day:
            compared = [(name, self._earlier(name)) for name in self.page.tiles]
            yield [cards(f"{GENERATED}compared-{name}", "Compared", fields) for name, fields in compared], COMPARED

    def _earlier(self, name: str) -> list[ModelField]:
        now = self._measure(name)
        return [
            ModelField(now.table, f"{now.name} {when}", is_measure=True) for when in (BEFORE, LAST_DAY, WEEK_BEFORE)
        ]

    def _charts(self) -> Iterator[Visual]:
        for number, chart in enumerate(self.page.charts, 1):
            name, title = f"{GENERATED}chart-{number}", chart_title(self.star, self.dashboard, chart)
            measure = self._measure(chart.measure)
            if isinstance(chart, LineChart):
                yield line(name, title, measure, self._day or self._partition)
            else:
                yield self._bars(name, title, measure, chart)

    def _bars(self, name: str, title: str, measure: ModelField, chart: BarChart) -> Visual:
        by = self._column(chart.by)
        return bars(name, title, measure, by, [most(f"{self.name}-{name}-top", by, measure, chart.top)])

    def _measure(self, name: str) -> ModelField:
        fact = self.star.facts[self.dashboard.fact]
        return ModelField(table_label(fact), measure_names(self.star)[fact.name, name], is_measure=True)

    def _column(self, name: str) -> ModelField:
        attribute = find_attribute(self.star, self.dashboard, name)
        return ModelField(table_label(attribute.table), attribute.label)

    @property
    def _day(self) -> ModelField | None:
        """The calendar's date; None if the fact has no calendar."""
        calendar = calendar_of(self.star, self.star.facts[self.dashboard.fact])
        if calendar is None:
            return None
        time = calendar.dimension
        return ModelField(table_label(time), column_label(time, time.key))

    @property
    def _partition(self) -> ModelField:
        """The business date as text, for a fact without a calendar."""
        return ModelField(table_label(self.star.facts[self.dashboard.fact]), PARTITION_LABEL)


def _in_row(visuals: list[Visual], above: int, height: int) -> Iterator[tuple[Visual, Place]]:
    """The visuals in one row, with equal widths."""
    width = (WIDTH - GAP) // max(len(visuals), 1)
    for number, visual in enumerate(visuals):
        yield visual, Place(GAP + number * width, above, width - GAP, height)
