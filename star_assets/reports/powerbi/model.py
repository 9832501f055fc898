"""The semantic model's files: tables, relationships, parameters, roles.

Facts are in DirectQuery mode: every visual queries Athena. Dimensions are dual: Power BI also stores
them, so that slicers need no query. No table has a Power Query step.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator

from star_assets.model import Dimension, Fact, Star
from star_assets.model.calendars import has_partition_date
from star_assets.model.errors import BadDeclaration
from star_assets.model.labels import column_label, table_label
from star_assets.reports.powerbi import dax
from star_assets.reports.powerbi.columns import ModelColumn, model_columns
from star_assets.reports.powerbi.identity import identity
from star_assets.reports.powerbi.measures import ModelMeasure, model_measures
from star_assets.reports.powerbi.relationships import relationship_nodes
from star_assets.reports.powerbi.tmdl import Node, quoted, render, text

# The parameters of the connection to the lake, which differ in development, test and production.
DSN, CATALOG, DATABASE = "AthenaDsn", "AthenaCatalog", "AthenaDatabase"

_CULTURE = "en-US"


def model_files(star: Star, parameters: dict[str, str]) -> dict[str, str]:
    """The files below `definition`, by path; `parameters` are the first values of DSN, catalog and database."""
    tables: list[Dimension | Fact] = [*star.facts.values(), *star.dimensions.values()]
    roles = [*_roles(star)]
    files = {
        "database.tmdl": render(Node("database", properties=["compatibilityLevel: 1601"])),
        "expressions.tmdl": render(*(_parameter(*one) for one in parameters.items())),
        "relationships.tmdl": render(*relationship_nodes(star)),
        f"cultures/{_CULTURE}.tmdl": render(Node("cultureInfo", _CULTURE)),
        "model.tmdl": _model([table_label(table) for table in tables], [role.name for role in roles], parameters),
    }
    files |= {f"tables/{_file_name(table_label(table))}.tmdl": render(table_node(star, table)) for table in tables}
    return files | {f"roles/{_file_name(role.name)}.tmdl": render(role) for role in roles}


def table_node(star: Star, table: Dimension | Fact) -> Node:
    """A table: measures, columns, hierarchies and its one partition. Raises BadDeclaration for a repeated name."""
    label = table_label(table)
    columns = model_columns(star, table)
    measures = model_measures(star, table) if isinstance(table, Fact) else []
    properties = [f"lineageTag: {identity(table.name)}"]
    if isinstance(table, Dimension) and has_partition_date(star, table):
        properties.append("dataCategory: Time")
    children = [
        *map(_measure, measures),
        *(_column(table, column) for column in columns.values()),
        *(_hierarchies(table) if isinstance(table, Dimension) else []),
        _partition(table, label),
    ]
    _require_distinct(table, children)
    return Node("table", label, properties=properties, children=children, description=table.description)


def _require_distinct(table: Dimension | Fact, objects: list[Node]) -> None:
    """Raises BadDeclaration if two columns, measures or hierarchies of a table have one name."""
    names = Counter(one.name.casefold() for one in objects if one.kind != "partition")
    for name, count in names.items():
        if count > 1:
            problem = f"two of its columns, measures and hierarchies are called {name!r} in Power BI"
            raise BadDeclaration(table.name, problem, "Declare another label, or rename the hierarchy")


def _file_name(label: str) -> str:
    """A label as a file name, without the characters that Windows forbids."""
    return re.sub(r'[\\/:*?"<>|]', "-", label)


def _measure(measure: ModelMeasure) -> Node:
    properties = [f"formatString: {text(measure.format)}"] if measure.format else []
    properties += [f"displayFolder: {text(measure.folder)}"] if measure.folder else []
    properties.append(f"lineageTag: {identity('measure', measure.identity)}")
    return Node("measure", measure.name, measure.expression, properties, description=measure.description)


def _column(table: Dimension | Fact, column: ModelColumn) -> Node:
    properties = [f"dataType: {column.type}"]
    properties += ["isHidden"] if column.hidden else []
    properties += ["isKey"] if column.key else []
    properties += [f"formatString: {text(column.format)}"] if column.format else []
    properties += [f"displayFolder: {text(column.folder)}"] if column.folder else []
    properties += [f"lineageTag: {identity(table.name, column.name)}", "summarizeBy: none"]
    properties.append(f"sourceColumn: {text(column.name)}")
    properties += [f"sortByColumn: {quoted(column.sorted_by)}"] if column.sorted_by else []
    return Node("column", column.label, properties=properties, description=column.description)


def _hierarchies(table: Dimension) -> Iterator[Node]:
    for name, levels in table.hierarchies.items():
        nodes = [
            Node(
                "level",
                column_label(table, level),
                properties=[
                    f"lineageTag: {identity(table.name, 'hierarchy', name, level)}",
                    f"column: {quoted(column_label(table, level))}",
                ],
            )
            for level in levels
        ]
        yield Node(
            "hierarchy", name, properties=[f"lineageTag: {identity(table.name, 'hierarchy', name)}"], children=nodes
        )


def _partition(table: Dimension | Fact, label: str) -> Node:
    source = [
        "let",
        f"    Source = AmazonAthena.Databases({DSN}, null, []),",
        f'    Catalog = Source{{[Name = {CATALOG}, Kind = "Database"]}}[Data],',
        f'    Schema = Catalog{{[Name = {DATABASE}, Kind = "Schema"]}}[Data],',
        f'    Data = Schema{{[Name = "{table.name}", Kind = "Table"]}}[Data]',
        "in",
        "    Data",
    ]
    mode = "directQuery" if isinstance(table, Fact) else "dual"
    return Node("partition", label, "m", [f"mode: {mode}", "source =\n" + "\n".join(source)])


def _parameter(name: str, value: str) -> Node:
    quoted_value = '"' + value.replace('"', '""') + '"'
    return Node(
        "expression",
        name,
        f'{quoted_value} meta [IsParameterQuery=true, Type="Text", IsParameterQueryRequired=true]',
        [f"lineageTag: {identity('parameter', name)}"],
        [Node("annotation", "PBI_ResultType", "Text")],
    )


def _model(tables: list[str], roles: list[str], parameters: dict[str, str]) -> str:
    properties = [f"culture: {_CULTURE}", "defaultPowerBIDataSourceVersion: powerBI_V3", "discourageImplicitMeasures"]
    nodes = [
        Node("model", "Model", properties=[*properties, f"sourceQueryCulture: {_CULTURE}"]),
        Node("annotation", "__PBI_TimeIntelligenceEnabled", "0"),
        Node("annotation", "PBI_QueryOrder", json.dumps([*parameters, *tables], ensure_ascii=False)),
    ]
    groups = [("table", tables), ("role", roles), ("cultureInfo", [_CULTURE])]
    references = ["".join(f"ref {kind} {quoted(name)}\n" for name in names) for kind, names in groups if names]
    return render(*nodes) + "\n".join(references) + "\n"


def _roles(star: Star) -> Iterator[Node]:
    """The roles of row-level security: a member of a role sees the rows with their own address."""
    for table in star.dimensions.values():
        if table.visible_to is None:
            continue
        label, seen_by = table_label(table), column_label(table, table.visible_to)
        rule = f"LOWER({dax.column(label, seen_by)}) = LOWER(USERPRINCIPALNAME())"
        name = f"{label} by {seen_by}"
        mark = identity("role", table.name).replace("-", "")
        yield Node(
            "role",
            name,
            properties=["modelPermission: read"],
            children=[Node("tablePermission", label, rule), Node("annotation", "PBI_Id", mark)],
        )
