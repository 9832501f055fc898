"""The project is one that Power BI Desktop opens: by Microsoft's schemas, and by rules that no schema holds."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from referencing import Registry, Resource

from star_assets.model import Star
from star_assets.model.types import Type

from .conftest import Files
from .tmdl_reader import Model, column_reference, read_model, unquoted

SCHEMAS = Path(__file__).parent / "schemas"
PLACE = "https://developer.microsoft.com/json-schemas/"

# The roles of each kind of visual, as Power BI names them.
ROLES = {
    "card": {"Values"},
    "clusteredBarChart": {"Category", "Y"},
    "lineChart": {"Category", "Y"},
    "multiRowCard": {"Values"},
    "slicer": {"Values"},
}

TYPES = {
    "int32": {"int64"},
    "int64": {"int64"},
    "float64": {"double"},
    "boolean": {"boolean"},
    "string": {"string"},
    "date": {"dateTime"},
    "timestamp": {"dateTime"},
    "decimal": {"decimal", "double"},
}


@cache
def schemas() -> Registry[Any]:
    """Microsoft's schemas, each at the address that documents name."""
    found = {
        f"{PLACE}{path.relative_to(SCHEMAS).as_posix()}": json.loads(path.read_text())
        for path in SCHEMAS.rglob("*.json")
    }
    return Registry().with_resources([(address, Resource.from_contents(one)) for address, one in found.items()])


def documents(project: Files) -> dict[str, Any]:
    """The files that are JSON, by path."""
    return {path: json.loads(text) for path, text in project.items() if not path.endswith((".tmdl", ".gitignore"))}


def errors_of(document: Any) -> list[str]:
    """What a document's own schema says against it."""
    schema = schemas().contents(document["$schema"])
    return [error.message for error in Draft7Validator(schema, registry=schemas()).iter_errors(document)]


@pytest.fixture
def model(project: Files) -> Model:
    return read_model(project)


def fields_of(content: Any) -> list[tuple[str, str, str]]:
    """Every field that a document names: measure or column, table, name."""
    if isinstance(content, list):
        return [found for one in content for found in fields_of(one)]
    if not isinstance(content, dict):
        return []
    sources = {one["Name"]: one["Entity"] for one in content.get("From", ()) if "Entity" in one}
    found = []
    for kind in ("Column", "Measure"):
        if kind in content:
            source = content[kind]["Expression"]["SourceRef"]
            found.append((kind, source.get("Entity") or source["Source"], content[kind]["Property"]))
    below = [one for value in content.values() for one in fields_of(value)]
    return [(kind, sources.get(table, table), name) for kind, table, name in [*found, *below]]


def test_every_document_is_valid_by_its_schema(project: Files) -> None:
    """An invalid one makes Desktop refuse the whole project."""
    found = {path: errors_of(document) for path, document in documents(project).items()}
    assert {path: errors for path, errors in found.items() if errors} == {}
    assert len(found) > 40


def test_the_schemas_see_what_is_wrong(retail_project: Files) -> None:
    """A schema whose references lead nowhere would hold nothing."""
    path = next(path for path in retail_project if path.endswith("star-chart-2/visual.json"))
    document = documents(retail_project)[path]
    document["filterConfig"]["filters"][0]["type"] = "Best"
    document["visual"]["query"]["queryState"]["Y"]["projections"][0]["field"]["Measure"]["Property"] = 7
    document["visual"]["surplus"] = True
    assert len(errors_of(document)) == 3


def test_every_document_is_text_that_desktop_reads(project: Files) -> None:
    for path, text in project.items():
        assert "\r" not in text, path
        assert not text.startswith("\ufeff"), path
        assert text.endswith("\n"), path


def test_every_column_is_in_the_lake_with_its_type(model: Model, star_of_project: Star) -> None:
    """A column that Athena lacks fails every visual of its table."""
    star = star_of_project
    declared = {table.name: table for table in [*star.dimensions.values(), *star.facts.values()]}
    read = set()
    for table in model.tables.values():
        (partition,) = table.of("partition").values()
        (lake_name,) = re.findall(r'\[Name = "(\w+)", Kind = "Table"\]', partition.properties["source"])
        types = {field.name: field.type for field in star.fields(declared[lake_name])}
        types |= {"date": Type("string")} if lake_name in star.facts else {}
        for column in table.of("column").values():
            assert column.properties["dataType"] in TYPES[types[column.properties["sourceColumn"]].name], column
        assert partition.properties["mode"] == ("directQuery" if lake_name in star.facts else "dual")
        read.add(lake_name)
    assert read == declared.keys()


def test_no_personal_column_is_in_the_model(model: Model, star_of_project: Star) -> None:
    star = star_of_project
    personal = {name for table in [*star.dimensions.values(), *star.facts.values()] for name in star.personal(table)}
    shown = {
        column.properties["sourceColumn"] for table in model.tables.values() for column in table.of("column").values()
    }
    assert personal
    assert not personal & shown


def test_each_pair_of_tables_has_one_active_path(model: Model) -> None:
    """Desktop refuses a second one, and cannot relate columns of two types."""
    active = []
    for relationship in model.relationships:
        ends = [column_reference(relationship.properties[end]) for end in ("fromColumn", "toColumn")]
        columns = [model.tables[table].of("column")[column].properties for table, column in ends]
        assert columns[0]["dataType"] == columns[1]["dataType"], ends
        if relationship.properties.get("isActive") != "false":
            active.append((ends[0][0], ends[1][0]))
    assert len(active) == len(set(active))
    assert {to for _, to in active} | {from_ for from_, _ in active} == model.tables.keys()


def test_business_dates_relate_by_the_text_of_partitions(model: Model) -> None:
    """A cast, or a date of another type, would read every partition."""
    related = [
        tuple(model.tables[table].of("column")[column].properties["sourceColumn"] for table, column in ends)
        for one in model.relationships
        for ends in [[column_reference(one.properties[end]) for end in ("fromColumn", "toColumn")]]
        if "isActive" not in one.properties
    ]
    assert ("date", "partition_date") in related


def test_names_are_distinct_and_references_lead_somewhere(model: Model) -> None:
    """Measures share their names with nothing, in any case of letters; sort-by columns and levels exist."""
    measures = [name.casefold() for table in model.tables.values() for name in table.of("measure")]
    assert max(Counter(measures).values()) == 1
    for table in model.tables.values():
        columns = table.of("column")
        names = [name.casefold() for name in [*columns, *table.of("measure"), *table.of("hierarchy")]]
        assert [name for name, count in Counter(names).items() if count > 1] == []
        for column in columns.values():
            assert unquoted(column.properties.get("sortByColumn", column.name)) in columns
        for hierarchy in table.of("hierarchy").values():
            assert {unquoted(level.properties["column"]) for level in hierarchy.of("level").values()} <= columns.keys()
    parameters = {one.name for one in model.objects["expressions.tmdl"]}
    assert not parameters & model.tables.keys()


def test_the_model_lists_its_tables_roles_and_culture(model: Model) -> None:
    listed = {
        (one.kind.removeprefix("ref "), one.name) for one in model.objects["model.tmdl"] if one.kind.startswith("ref ")
    }
    assert listed == {
        *(("table", name) for name in model.tables),
        *(("role", role.name) for role in model.roles),
        ("cultureInfo", "en-US"),
    }


def test_every_reference_of_dax_is_in_the_model(model: Model) -> None:
    """Nothing but Desktop's own engine would tell."""
    expressions = [one.expression for _, one in model.measures.values()]
    expressions += [rule.expression for role in model.roles for rule in role.of("tablePermission").values()]
    for expression in expressions:
        assert expression.count("(") == expression.count(")")
        for table, column in re.findall(r"'((?:[^']|'')+)'\[([^\]]+)\]", expression):
            assert column in model.tables[table.replace("''", "'")].of("column"), expression
        for measure in re.findall(r"(?<!')\[([^\]]+)\]", expression):
            assert measure in model.measures, expression


def test_every_field_of_the_report_is_in_the_model(project: Files, model: Model) -> None:
    """A visual with an unknown field shows an error in its place."""
    fields = {field for path, one in documents(project).items() if "/pages/" in path for field in fields_of(one)}
    unknown = [field for field in fields if field[2] not in model.tables[field[1]].of(field[0].lower())]
    assert unknown == []
    assert len(fields) > 5


def test_every_visual_is_of_a_known_kind_and_within_its_page(project: Files) -> None:
    visuals = {path: one for path, one in documents(project).items() if path.endswith("visual.json")}
    pages = {path.rpartition("/")[0]: one for path, one in documents(project).items() if path.endswith("page.json")}
    for path, one in visuals.items():
        assert one["visual"]["query"]["queryState"].keys() == ROLES[one["visual"]["visualType"]], path
        page, place = pages[path.partition("/visuals/")[0]], one["position"]
        assert place["x"] + place["width"] <= page["width"], path
        assert place["y"] + place["height"] <= page["height"], path
        assert path.replace("visual.json", "mobile.json") in project
    for page in pages:
        placed = [one["position"] for path, one in visuals.items() if path.startswith(f"{page}/")]
        assert not [1 for n, a in enumerate(placed) for b in placed[:n] if overlap(a, b)], page
        phone = [
            json.loads(project[path])
            for path in project
            if path.startswith(f"{page}/") and path.endswith("mobile.json")
        ]
        assert not [1 for n, a in enumerate(phone) for b in phone[:n] if overlap(a["position"], b["position"])], page


def overlap(one: Any, other: Any) -> bool:
    across = one["x"] < other["x"] + other["width"] and other["x"] < one["x"] + one["width"]
    return across and one["y"] < other["y"] + other["height"] and other["y"] < one["y"] + one["height"]


def test_pages_and_visuals_are_named_as_their_folders_and_in_order(project: Files) -> None:
    """Desktop passes over what it does not find where it looks."""
    names = {}
    for path, one in documents(project).items():
        if path.endswith(("page.json", "/visual.json")):
            folder = path.rpartition("/")[0].rpartition("/")[2]
            assert one["name"] == folder
            assert re.fullmatch(r"[\w-]{1,50}", folder)
            names[path] = folder
    (order,) = (one["pageOrder"] for path, one in documents(project).items() if path.endswith("pages.json"))
    assert sorted(order) == sorted(name for path, name in names.items() if path.endswith("page.json"))


def test_identities_are_unique(project: Files) -> None:
    tags = [tag for text in project.values() for tag in re.findall(r"lineageTag: (\S+)|relationship (\S+)", text)]
    assert len(tags) == len(set(tags))
    assert (
        len({one["config"]["logicalId"] for path, one in documents(project).items() if path.endswith(".platform")}) == 2
    )


def test_nothing_of_an_account_is_inside(project: Files) -> None:
    """A project is shared and kept under version control."""
    for path, text in project.items():
        assert not re.search(r"arn:aws|AKIA|\b\d{12}\b|s3://|amazonaws\.com|(?<![\w])/(?:home|work|tmp)/", text), path


def test_a_store_s_manager_sees_that_store_alone(retail_project: Files) -> None:
    """Without regard to case, on both sides: addresses are typed by people."""
    (role,) = read_model(retail_project).roles
    (rule,) = role.of("tablePermission").values()
    assert (role.properties["modelPermission"], rule.name) == ("read", "Store")
    assert rule.expression == "LOWER('Store'[Manager Email]) = LOWER(USERPRINCIPALNAME())"


def test_three_parameters_lead_to_the_lake(retail_project: Files) -> None:
    found = {
        one.name: one.expression.partition(" meta ")[0]
        for one in read_model(retail_project).objects["expressions.tmdl"]
    }
    assert found == {"AthenaDsn": '"star_assets"', "AthenaCatalog": '"AwsDataCatalog"', "AthenaDatabase": '"olap"'}
