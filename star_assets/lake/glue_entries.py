"""Catalog entries translated into the form of Glue's Data Catalog, and back.

Here: SerDes, the form of tables, views and partitions, and the parameters that Athena
and Hive expect beside ours. Not here: calls to Glue (glue_catalog).
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from star_assets.lake.catalog import CatalogColumn, PartitionEntry, TableEntry
from star_assets.lake.glue_views import with_prefix, without_prefix
from star_assets.model.types import SIMPLE_TYPES

# Format → input format, output format, SerDe.
_TEXT = ("org.apache.hadoop.mapred.TextInputFormat", "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat")
_HIVE = "org.apache.hadoop.hive.ql.io.parquet"
SERDES: dict[str, tuple[str, str, str]] = {
    "parquet": (
        f"{_HIVE}.MapredParquetInputFormat",
        f"{_HIVE}.MapredParquetOutputFormat",
        f"{_HIVE}.serde.ParquetHiveSerDe",
    ),
    "csv": (*_TEXT, "org.apache.hadoop.hive.serde2.OpenCSVSerde"),
    "text": (*_TEXT, "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"),
    "json": (*_TEXT, "org.openx.data.jsonserde.JsonSerDe"),
}

# Parameters that Athena needs of a view, and Hive of any table, beside those of the entry.
_VIEW = {"presto_view": "true", "comment": "Presto View"}
_EXTERNAL = {"EXTERNAL": "TRUE"}

# The parameter that holds a view's description.
_DESCRIPTION = "view_description"

# Hive's value for “no buckets”. Trino fails on a table or partition without a number of buckets.
_BUCKETS = {"NumberOfBuckets": -1}

# Our parameters with the numbers of rows and bytes → the names that Athena's optimizer reads.
_COUNTS = {"rows": "numRows", "size": "totalSize"}

_VIEW_BEGIN, _VIEW_END = "/* Presto View: ", " */"


def table_input(entry: TableEntry, prefix: str) -> dict[str, Any]:
    """Glue's TableInput of an entry. Databases that a view names get the prefix that they have in Glue."""
    if entry.view_sql is not None:
        # Trino recognises a view by its comment, and reads a Description as the comment if there is one.
        described = {_DESCRIPTION: entry.description} if entry.description else {}
        return {
            "Name": entry.name,
            "TableType": "VIRTUAL_VIEW",
            "PartitionKeys": [],
            "ViewOriginalText": _view_text(entry, prefix),
            "ViewExpandedText": "/* Presto View */",
            "Parameters": {**_VIEW, **described, **entry.parameters},
            "StorageDescriptor": {**_BUCKETS, "Columns": _columns(entry.columns), "Location": "", "SerdeInfo": {}},
        }
    return {
        "Name": entry.name,
        "Description": entry.description,
        "PartitionKeys": _columns(entry.partition_columns),
        # MSCK REPAIR TABLE fails on a table without a type.
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {**_EXTERNAL, **_counted(entry.parameters)},
        "StorageDescriptor": _descriptor(entry.format, entry.serde, entry.columns, entry.location or ""),
    }


def partition_input(entry: PartitionEntry, table: TableEntry) -> dict[str, Any]:
    """Glue's PartitionInput: the table's format, the partition's own columns."""
    return {
        "Values": list(entry.values),
        "Parameters": _counted(entry.parameters),
        "StorageDescriptor": _descriptor(table.format, table.serde, entry.columns, entry.location),
    }


def table_entry(found: Mapping[str, Any], database: str, prefix: str) -> TableEntry:
    """The inverse of `table_input`; `database` is its name in the catalog."""
    descriptor = found.get("StorageDescriptor", {})
    view_sql, view_database = _view(found.get("ViewOriginalText") or "", prefix)
    hidden = {**_EXTERNAL, **(_VIEW if view_sql is not None else {})}
    parameters = _plain({k: v for k, v in found.get("Parameters", {}).items() if hidden.get(k) != v})
    serde = descriptor.get("SerdeInfo", {})
    return TableEntry(
        database,
        found["Name"],
        _catalog_columns(descriptor.get("Columns", ())),
        _catalog_columns(found.get("PartitionKeys", ())),
        descriptor.get("Location", "").rstrip("/") or None,
        "view" if view_sql is not None else _format(serde.get("SerializationLibrary", "")),  # type: ignore[arg-type]
        parameters,
        found.get("Description") or parameters.pop(_DESCRIPTION, ""),
        view_sql,
        view_database,
        {key: value for key, value in serde.get("Parameters", {}).items() if (key, value) != _SERDE_MARK},
    )


def partition_entry(found: Mapping[str, Any]) -> PartitionEntry:
    """The inverse of `partition_input`."""
    descriptor = found.get("StorageDescriptor", {})
    return PartitionEntry(
        tuple(found["Values"]),
        descriptor.get("Location", "").rstrip("/"),
        _catalog_columns(descriptor.get("Columns", ())),
        _plain(found.get("Parameters", {})),
    )


# A parameter that Hive and Athena's CREATE TABLE write into every Parquet table.
_SERDE_MARK = ("serialization.format", "1")


def _descriptor(
    format_: str, serde: Mapping[str, str], columns: Sequence[CatalogColumn], location: str
) -> dict[str, Any]:
    reads, writes, library = SERDES[format_]
    return {
        "Columns": _columns(columns),
        # Athena reads a location as a prefix: without the slash `v=1` would match `v=10`.
        "Location": f"{location.rstrip('/')}/",
        "InputFormat": reads,
        "OutputFormat": writes,
        **_BUCKETS,
        "SerdeInfo": {
            "SerializationLibrary": library,
            "Parameters": dict([_SERDE_MARK]) if format_ == "parquet" else dict(serde),
        },
    }


def _format(library: str) -> str:
    """The format that a SerDe reads; `text` for a SerDe that we do not know."""
    return next((name for name, (_, _, known) in SERDES.items() if known == library), "text")


def _counted(parameters: Mapping[str, str]) -> dict[str, str]:
    return {**parameters, **{theirs: parameters[ours] for ours, theirs in _COUNTS.items() if ours in parameters}}


def _plain(parameters: Mapping[str, str]) -> dict[str, str]:
    """The inverse of `_counted`."""
    added = {theirs for ours, theirs in _COUNTS.items() if parameters.get(ours) == parameters.get(theirs)}
    return {key: value for key, value in parameters.items() if key not in added}


def _columns(columns: Sequence[CatalogColumn]) -> list[dict[str, str]]:
    return [
        {"Name": column.name.lower(), "Type": column.type, **({"Comment": column.comment} if column.comment else {})}
        for column in columns
    ]


def _catalog_columns(found: Sequence[Mapping[str, str]]) -> tuple[CatalogColumn, ...]:
    return tuple(CatalogColumn(column["Name"], column.get("Type", ""), column.get("Comment", "")) for column in found)


def _view_text(entry: TableEntry, prefix: str) -> str:
    """A view's text as Athena stores it: a comment with its query and columns, in JSON and Base64."""
    view = {
        "originalSql": with_prefix(entry.view_sql or "", prefix),
        "catalog": "awsdatacatalog",
        "schema": f"{prefix}{entry.view_database or entry.database}",
        "columns": [{"name": column.name, "type": _trino_type(column.type)} for column in entry.columns],
        # As Athena writes it. Without it, Trino asks for an owner to run the view as.
        "runAsInvoker": True,
    }
    return _VIEW_BEGIN + base64.b64encode(json.dumps(view).encode()).decode() + _VIEW_END


def _view(text: str, prefix: str) -> tuple[str | None, str | None]:
    """The inverse of `_view_text`: the query, and the database of names without one. Both None if it is no view."""
    if not text.startswith(_VIEW_BEGIN):
        return None, None
    view = json.loads(base64.b64decode(text.removeprefix(_VIEW_BEGIN).removesuffix(_VIEW_END)))
    schema = view.get("schema")
    return without_prefix(view["originalSql"], prefix), schema and schema.removeprefix(prefix)


# Types of Athena's DDL → their names in Athena's queries.
_TRINO_TYPES = {simple.hive: simple.trino for simple in SIMPLE_TYPES} | {"struct": "row"}


def _trino_type(type_: str) -> str:
    """`array<struct<a:int>>` is `array(row(a integer))`; a field keeps its name."""
    named = re.sub(r"\b[a-z]+\b(?!:)", lambda word: _TRINO_TYPES.get(word[0], word[0]), type_)
    return named.translate({ord("<"): "(", ord(">"): ")", ord(":"): " "})
