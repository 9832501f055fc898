"""The rules of Microsoft's Best Practice Analyzer that can be seen in the files, by the names that it has for them.

The other rules need a server, data, or a taste: the analyzer itself remains useful in Desktop.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from .conftest import Files
from .tmdl_reader import Model, Object, column_reference, read_model

Rule = Callable[[Model], Iterator[str]]
RULES: dict[str, Rule] = {}


def rule(name: str) -> Callable[[Rule], Rule]:
    def named(check: Rule) -> Rule:
        RULES[name] = check
        return check

    return named


def columns(model: Model) -> Iterator[tuple[Object, Object]]:
    for table in model.tables.values():
        for column in table.of("column").values():
            yield table, column


def measures(model: Model) -> Iterator[Object]:
    yield from (measure for _, measure in model.measures.values())


def ends(model: Model) -> Iterator[tuple[Object, Object]]:
    """The two columns of each relationship."""
    for one in model.relationships:
        from_, to = (column_reference(one.properties[end]) for end in ("fromColumn", "toColumn"))
        yield model.tables[from_[0]].of("column")[from_[1]], model.tables[to[0]].of("column")[to[1]]


def hidden(one: Object) -> bool:
    return one.properties.get("isHidden") == "true"


def is_fact(table: Object) -> bool:
    return bool(table.of("measure"))


def found(things: Iterator[Object], wrong: Callable[[Object], bool]) -> Iterator[str]:
    yield from (one.name for one in things if wrong(one))


@rule("[Performance] Do not use floating point data types")
def _(model: Model) -> Iterator[str]:
    return found((column for _, column in columns(model)), lambda one: one.properties["dataType"] == "double")


@rule("[Performance] Avoid bi-directional relationships against high-cardinality columns")
def _(model: Model) -> Iterator[str]:
    return found(iter(model.relationships), lambda one: "crossFilteringBehavior" in one.properties)


@rule("[Performance] Many-to-many relationships should be single-direction")
def _(model: Model) -> Iterator[str]:
    return found(iter(model.relationships), lambda one: "toCardinality" in one.properties)


@rule("[Performance] Model should have a date table")
def _(model: Model) -> Iterator[str]:
    if not any(table.properties.get("dataCategory") == "Time" for table in model.tables.values()):
        yield "the model"


@rule("[Performance] Date/calendar tables should be marked as a date table")
def _(model: Model) -> Iterator[str]:
    for table in model.tables.values():
        keys = [one.properties["dataType"] for one in table.of("column").values() if "isKey" in one.properties]
        if table.properties.get("dataCategory") == "Time" and keys != ["dateTime"]:
            yield table.name


@rule("[Performance] Remove auto-date table")
def _(model: Model) -> Iterator[str]:
    return found(iter(model.tables.values()), lambda one: one.name.startswith(("LocalDateTable", "DateTableTemplate")))


@rule("[Performance] Minimize Power Query transformations")
def _(model: Model) -> Iterator[str]:
    for table in model.tables.values():
        source = next(iter(table.of("partition").values())).properties["source"]
        if re.search(r"Table\.(?!Schema)", source):
            yield table.name


@rule("[DAX Expressions] Column references should be fully qualified")
def _(model: Model) -> Iterator[str]:
    for measure in measures(model):
        for name in re.findall(r"(?<!')\[([^\]]+)\]", measure.expression):
            if name not in model.measures:
                yield measure.name


@rule("[DAX Expressions] Measure references should be unqualified")
def _(model: Model) -> Iterator[str]:
    for measure in measures(model):
        for table, name in re.findall(r"'([^']+)'\[([^\]]+)\]", measure.expression):
            if name not in model.tables[table].of("column"):
                yield measure.name


@rule("[DAX Expressions] Use the DIVIDE function for division")
def _(model: Model) -> Iterator[str]:
    return found(measures(model), lambda one: "/" in one.expression)


@rule("[DAX Expressions] Avoid using the IFERROR function")
def _(model: Model) -> Iterator[str]:
    return found(measures(model), lambda one: "IFERROR" in one.expression)


@rule("[DAX Expressions] Measures should not be direct references of other measures")
def _(model: Model) -> Iterator[str]:
    return found(measures(model), lambda one: bool(re.fullmatch(r"\[[^\]]+\]", one.expression)))


@rule("[DAX Expressions] No two measures should have the same definition")
def _(model: Model) -> Iterator[str]:
    expressions = [one.expression for one in measures(model)]
    return found(measures(model), lambda one: expressions.count(one.expression) > 1)


@rule("[DAX Expressions] The EVALUATEANDLOG function should not be used in production models")
def _(model: Model) -> Iterator[str]:
    return found(measures(model), lambda one: "EVALUATEANDLOG" in one.expression)


@rule("[Error Prevention] Relationship columns should be of the same data type")
def _(model: Model) -> Iterator[str]:
    yield from (a.name for a, b in ends(model) if a.properties["dataType"] != b.properties["dataType"])


@rule("[Error Prevention] Data columns must have a source column")
def _(model: Model) -> Iterator[str]:
    return found((column for _, column in columns(model)), lambda one: not one.properties.get("sourceColumn"))


@rule("[Error Prevention] Expression-reliant objects must have an expression")
def _(model: Model) -> Iterator[str]:
    return found(measures(model), lambda one: not one.expression)


@rule("[Error Prevention] Avoid structured data sources with provider partitions")
def _(model: Model) -> Iterator[str]:
    parts = (part for table in model.tables.values() for part in table.of("partition").values())
    return found(parts, lambda one: one.expression != "m")


@rule("[Maintenance] Ensure tables have relationships")
def _(model: Model) -> Iterator[str]:
    related = {
        column_reference(one.properties[end])[0] for one in model.relationships for end in ("fromColumn", "toColumn")
    }
    yield from model.tables.keys() - related


@rule("[Maintenance] Visible objects with no description")
def _(model: Model) -> Iterator[str]:
    yield from found(measures(model), lambda one: not one.description)
    yield from found(iter(model.tables.values()), lambda one: not one.description)


@rule("[Naming Conventions] Partition name should match table name for single partition tables")
def _(model: Model) -> Iterator[str]:
    return found(iter(model.tables.values()), lambda one: list(one.of("partition")) != [one.name])


@rule("[Naming Conventions] Object names must not contain special characters")
def _(model: Model) -> Iterator[str]:
    names = [one.name for _, one in columns(model)] + [*model.tables, *model.measures]
    yield from (name for name in names if re.search(r"[\t\r\n]", name))


@rule("[Formatting] Provide format string for measures")
def _(model: Model) -> Iterator[str]:
    """A text has none: the one measure that is a text is of the partition column."""
    texts = (one for one in measures(model) if "[Partition Date])" not in one.expression)
    return found(texts, lambda one: not one.properties.get("formatString"))


@rule('[Formatting] Provide format string for "Date" columns')
def _(model: Model) -> Iterator[str]:
    dates = (column for _, column in columns(model) if column.properties["dataType"] == "dateTime")
    return found(dates, lambda one: not one.properties.get("formatString"))


@rule("[Formatting] Do not summarize numeric columns")
def _(model: Model) -> Iterator[str]:
    return found((column for _, column in columns(model)), lambda one: one.properties["summarizeBy"] != "none")


@rule("[Formatting] Hide foreign keys")
def _(model: Model) -> Iterator[str]:
    yield from (from_.name for from_, _ in ends(model) if not hidden(from_))


@rule("[Formatting] Mark primary keys")
def _(model: Model) -> Iterator[str]:
    """All but the text of partitions, of a table whose key is its date."""
    texts = {"partition_date"}
    yield from (
        to.name for _, to in ends(model) if "isKey" not in to.properties and to.properties["sourceColumn"] not in texts
    )


@rule("[Formatting] Hide fact table columns")
def _(model: Model) -> Iterator[str]:
    """Those that measures add up."""
    for table in filter(is_fact, model.tables.values()):
        summed = {
            name
            for measure in table.of("measure").values()
            for name in re.findall(r"(?:SUM|AVERAGE)\('[^']+'\[([^\]]+)\]\)", measure.expression)
        }
        yield from (name for name in summed if not hidden(table.of("column")[name]))


@rule("[Formatting] Month (as a string) must be sorted")
def _(model: Model) -> Iterator[str]:
    months = (column for _, column in columns(model) if column.name == "Month Name")
    return found(months, lambda one: one.properties.get("sortByColumn") != "Month")


@rule("[Formatting] Objects should not start or end with a space")
def _(model: Model) -> Iterator[str]:
    names = [one.name for _, one in columns(model)] + [*model.tables, *model.measures]
    yield from (name for name in names if name != name.strip())


@pytest.mark.parametrize("name", RULES)
def test_the_model_keeps_the_rule(project: Files, name: str) -> None:
    assert [*RULES[name](read_model(project))] == []


def test_the_rules_see_what_breaks_them(retail_project: Files) -> None:
    """A rule that finds nothing anywhere holds nothing."""
    lines = re.compile(r"^\t+(?:isHidden|isKey|dataCategory: Time|formatString: .*|sortByColumn: .*)\n", re.MULTILINE)
    files = {path: lines.sub("", text).replace(": none", ": sum") for path, text in retail_project.items()}
    model = read_model(files)
    broken = {name for name, check in RULES.items() if any(True for _ in check(model))}
    assert broken >= {
        "[Formatting] Do not summarize numeric columns",
        "[Formatting] Hide fact table columns",
        "[Formatting] Hide foreign keys",
        "[Formatting] Mark primary keys",
        "[Formatting] Month (as a string) must be sorted",
        "[Formatting] Provide format string for measures",
        '[Formatting] Provide format string for "Date" columns',
        "[Performance] Model should have a date table",
    }
