"""The visuals of a report page, as the JSON that describes each: slicers, cards, charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from star_assets.reports.powerbi.queries import Json, ModelField, last_days, literal

SCHEMAS = "https://developer.microsoft.com/json-schemas/fabric/item/report/definition"


@dataclass(frozen=True)
class Place:
    """Where a visual is, in pixels."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Visual:
    """One visual: its kind, the fields in each of its roles, its title, and its settings."""

    name: str
    kind: str
    roles: Mapping[str, Sequence[ModelField]]
    title: str = ""
    filters: Sequence[Json] = ()
    sort: tuple[ModelField, str] | None = None
    objects: Json = field(default_factory=dict)
    shows_empty: bool = False
    group: str = ""

    def content(self, place: Place, order: int) -> Json:
        """The visual's `visual.json`."""
        shown: Json = {"visualType": self.kind, "query": self._query()}
        if self.objects:
            shown["objects"] = self.objects
        shown["visualContainerObjects"] = self._container()
        if self.group:
            shown["syncGroup"] = {"groupName": self.group, "fieldChanges": True, "filterChanges": True}
        shown["drillFilterOtherVisuals"] = True
        content: Json = {
            "$schema": f"{SCHEMAS}/visualContainer/2.0.0/schema.json",
            "name": self.name,
            "position": position(place, order),
            "visual": shown,
        }
        return content | ({"filterConfig": {"filters": [*self.filters]}} if self.filters else {})

    def on_phone(self, place: Place, order: int) -> Json:
        """The visual's `mobile.json`: where it is on a phone."""
        return {
            "$schema": f"{SCHEMAS}/visualContainerMobileState/2.0.0/schema.json",
            "position": position(place, order),
        }

    def _query(self) -> Json:
        state = {role: {"projections": [_projection(one) for one in fields]} for role, fields in self.roles.items()}
        if self.shows_empty:
            state["Category"]["showAll"] = True  # type: ignore[assignment]
        query: Json = {"queryState": state}
        if self.sort:
            by, direction = self.sort
            query["sortDefinition"] = {"sort": [{"field": by.expression(), "direction": direction}]}
        return query

    def _container(self) -> Json:
        """The title that is seen, and the one that a screen reader reads."""
        if not self.title:
            return {"title": [{"properties": {"show": _value(False)}}]}
        title = {"show": _value(True), "text": _value(self.title)}
        return {"title": [{"properties": title}], "general": [{"properties": {"altText": _value(self.title)}}]}


def position(place: Place, order: int) -> Json:
    """A place as reports write it; keyboards go through visuals in their order."""
    where = {"x": place.x, "y": place.y, "z": order, "height": place.height, "width": place.width}
    return {**where, "tabOrder": order}


def slicer(name: str, column: ModelField, group: str) -> Visual:
    """A list to choose values of a column from; the choice holds for all pages of the group."""
    objects = {"data": [{"properties": {"mode": _value("Dropdown")}}]}
    return Visual(name, "slicer", {"Values": [column]}, column.name, objects=objects, group=group)


def period(name: str, day: ModelField, days: int, group: str) -> Visual:
    """The choice of a period: the last days before today, until a reader chooses otherwise."""
    relative = {
        "mode": _value("Relative"),
        "relativeRange": _value("Last"),
        "relativeDuration": {"expr": {"Literal": {"Value": f"{days}D"}}},
        "relativePeriod": _value("Days"),
    }
    objects = {
        "data": [{"properties": relative}],
        "dateRange": [{"properties": {"includeToday": _value(False)}}],
        "general": [{"properties": {"filter": {"filter": last_days(day, days)}}}],
    }
    return Visual(name, "slicer", {"Values": [day]}, "Period", objects=objects, group=group)


def card(name: str, measure: ModelField) -> Visual:
    """One number."""
    return Visual(name, "card", {"Values": [measure]}, measure.name)


def cards(name: str, title: str, measures: Sequence[ModelField]) -> Visual:
    """Several numbers below each other."""
    return Visual(name, "multiRowCard", {"Values": measures}, title)


def bars(name: str, title: str, measure: ModelField, by: ModelField, filters: Sequence[Json]) -> Visual:
    """Bars, the longest first."""
    roles = {"Category": [by], "Y": [measure]}
    return Visual(name, "clusteredBarChart", roles, title, filters, (measure, "Descending"))


def line(name: str, title: str, measure: ModelField, day: ModelField) -> Visual:
    """A line over days, also over those without rows."""
    roles = {"Category": [day], "Y": [measure]}
    return Visual(name, "lineChart", roles, title, sort=(day, "Ascending"), shows_empty=True)


def _projection(shown: ModelField) -> Json:
    return {"field": shown.expression(), "queryRef": shown.reference, "nativeQueryRef": shown.name}


def _value(value: Any) -> Json:
    return {"expr": literal(value)}
