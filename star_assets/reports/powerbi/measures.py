"""The measures of the semantic model: the declared ones, each by other dates, and each at earlier times.

Measures at earlier times are relative to the reader's period: as many days directly before it,
its last day, and the same weekday a week before that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from star_assets.model import Fact, Measure, Ratio, Star
from star_assets.model.calendars import calendar_of
from star_assets.model.labels import column_label, measure_format, measure_label, table_label
from star_assets.model.types import UNKNOWN
from star_assets.reports.powerbi import dax
from star_assets.reports.powerbi.columns import PARTITION_LABEL
from star_assets.reports.powerbi.relationships import inactive_references

_AGGREGATES = {"sum": "SUM", "avg": "AVERAGE", "min": "MIN", "max": "MAX"}
_FORMATS = {"integer": "#,0", "decimal": "#,0.00", "money": "#,0.00", "percent": "0.0 %"}

YEAR_TO_DATE, BEFORE, LAST_DAY, WEEK_BEFORE = "Year to Date", "Previous Period", "Last Day", "Last Day a Week Before"
_EARLIER = {
    YEAR_TO_DATE: "From the first of January to the last day of the period.",
    BEFORE: "Over as many days just before the period.",
    LAST_DAY: "On the last day of the period alone.",
    WEEK_BEFORE: "On the same weekday a week before the last day of the period.",
}


@dataclass(frozen=True)
class ModelMeasure:
    """A measure of the semantic model: its identity, name, DAX, format, description and folder."""

    identity: str
    name: str
    expression: str
    format: str
    description: str = ""
    folder: str = ""


def measure_names(star: Star) -> dict[tuple[str, str], str]:
    """The name of each measure in the model, by its fact and name in the star.

    Names are unique in a model, so if two facts have the same, the fact's label is added.
    """
    labels = {(fact.name, one.name): measure_label(fact, one) for fact in star.facts.values() for one in _shown(fact)}
    counts = Counter(label.casefold() for label in labels.values())
    return {
        (fact, name): label if counts[label.casefold()] == 1 else f"{label} ({table_label(star.facts[fact])})"
        for (fact, name), label in labels.items()
    }


def known_until(fact: Fact) -> str:
    """The name of the measure with the last published date."""
    return f"{table_label(fact)} Known Until"


def rung_up_until(fact: Fact) -> str:
    """The name of the measure with the time of the newest event."""
    return f"{table_label(fact)} Rung Up Until"


def model_measures(star: Star, fact: Fact) -> list[ModelMeasure]:
    """The measures of a fact."""
    names, found = measure_names(star), []
    described = {field.name: field.description for field in star.fields(fact)}
    for one in _shown(fact):
        name, text = names[fact.name, one.name], one.description or described.get(one.name, "")
        base = ModelMeasure(f"{fact.name}/{one.name}", name, _expression(fact, one), _format(star, fact, one), text)
        found += [base, *_by_other_dates(star, fact, base), *_at_earlier_times(star, fact, base)]
    return [*found, _known_until(fact), *([_rung_up_until(star, fact)] if fact.provisional else [])]


def _shown(fact: Fact) -> list[Measure | Ratio]:
    """The measures and ratios; of several with one name the first, as in dashboards."""
    return list({one.name: one for one in reversed(fact.shown)}.values())[::-1]


def _expression(fact: Fact, measure: Measure | Ratio) -> str:
    def columns(names: tuple[str, ...]) -> list[str]:
        return [dax.column(table_label(fact), column_label(fact, name)) for name in names]

    if isinstance(measure, Ratio):
        return f"DIVIDE({dax.summed(columns(measure.numerator))}, {dax.summed(columns(measure.denominator))})"
    return f"{_AGGREGATES[measure.aggregate]}({columns((measure.column,))[0]})"


def _format(star: Star, fact: Fact, measure: Measure | Ratio) -> str:
    chosen = measure_format(star, fact, measure)
    currency = f' "{star.currency}"' if chosen == "money" and star.currency else ""
    return _FORMATS[chosen] + currency


def _by_other_dates(star: Star, fact: Fact, base: ModelMeasure) -> Iterator[ModelMeasure]:
    """The measure by each inactive relationship, such as by the shipping date."""
    for reference in inactive_references(star, fact):
        used = f"USERELATIONSHIP({reference.from_dax}, {reference.to_dax})"
        role = column_label(fact, reference.column)
        yield ModelMeasure(
            f"{base.identity}/by/{reference.column}",
            f"{base.name} by {role}",
            dax.calculate(dax.measure(base.name), used),
            base.format,
            f"{base.name}, related to {reference.to_table} by {role}.",
            f"By {role}",
        )


def _at_earlier_times(star: Star, fact: Fact, base: ModelMeasure) -> Iterator[ModelMeasure]:
    calendar = calendar_of(star, fact)
    if calendar is None:
        return
    time = calendar.dimension
    day = dax.column(table_label(time), column_label(time, time.key))
    expressions = _earlier(dax.measure(base.name), dax.table(table_label(time)), day)
    for name, expression in expressions.items():
        yield ModelMeasure(
            f"{base.identity}/{name}",
            f"{base.name} {name}",
            expression,
            base.format,
            f"{base.name}. {_EARLIER[name]}",
            "Time Intelligence",
        )


def _earlier(measure: str, time: str, day: str) -> dict[str, str]:
    """The DAX of a measure at earlier times. The Unknown member's date is not part of a period."""
    unknown = UNKNOWN["date"]
    first = (
        f"VAR FirstDay = CALCULATE(MIN({day}), KEEPFILTERS({day} > "
        f"DATE({unknown.year}, {unknown.month}, {unknown.day})))"  # type: ignore[union-attr]
    )
    last = f"VAR LastDay = MAX({day})"
    return {
        YEAR_TO_DATE: f"CALCULATE({measure}, DATESYTD({day}))",
        BEFORE: "\n".join(
            [
                first,
                last,
                "VAR Days = DATEDIFF(FirstDay, LastDay, DAY) + 1",
                "RETURN",
                f"    CALCULATE({measure}, REMOVEFILTERS({time}), DATESBETWEEN({day}, FirstDay - Days, FirstDay - 1))",
            ]
        ),
        LAST_DAY: "\n".join(
            [last, "RETURN", f"    CALCULATE({measure}, REMOVEFILTERS({time}), {day} = LastDay)"],
        ),
        WEEK_BEFORE: "\n".join(
            [last, "RETURN", f"    CALCULATE({measure}, REMOVEFILTERS({time}), {day} = LastDay - 7)"],
        ),
    }


def _known_until(fact: Fact) -> ModelMeasure:
    return ModelMeasure(
        f"{fact.name}/known_until",
        known_until(fact),
        _last_partition(fact),
        "",
        "The last published business date, whatever is filtered. It reads the names of partitions alone.",
    )


def _rung_up_until(star: Star, fact: Fact) -> ModelMeasure:
    table = table_label(fact)
    time = dax.column(table, column_label(fact, fact.date))
    return ModelMeasure(
        f"{fact.name}/rung_up_until",
        rung_up_until(fact),
        "\n".join(
            [
                f"VAR LastDay = {_last_partition(fact)}",
                "RETURN",
                f"    CALCULATE(MAX({time}), REMOVEFILTERS(), {dax.column(table, PARTITION_LABEL)} = LastDay)",
            ]
        ),
        "",
        "The time (UTC) of the newest event on the last published business date, whatever is filtered.",
    )


def _last_partition(fact: Fact) -> str:
    return dax.calculate(f"MAX({dax.column(table_label(fact), PARTITION_LABEL)})", "REMOVEFILTERS()")
