"""The identity of a version: a digest of its inputs, its code and the settings that decide its rows.

A version is not built where the live one has the same identity; changed code has
another identity. Here too: the build, which names the versions of the packages
that decide identities.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from importlib.metadata import version
from typing import Any

from star_assets import __version__
from star_assets.engines.duckdb.sql import sql
from star_assets.model.functions import business_date
from star_assets.model.source import Source
from star_assets.model.star import Star
from star_assets.model.tables import Dimension, Fact, History
from star_assets.settings import Settings

# What the engines compute of the same inputs. Whoever changes that, in any engine, in
# the rules or in how files are written, raises it by one, and every table is built
# again. A change that gives the same rows and the same columns leaves it.
REVISION = 1

# A field of a build that another process does not report.
UNREPORTED = "unknown"


@dataclass(frozen=True)
class Build:
    """What decides a table's identities besides its inputs: versions of packages, the revision, and the table's code.

    `code` is a digest of the code identities of the table and of the sources it is built from.
    """

    star_assets: str = UNREPORTED
    ibis_framework: str = UNREPORTED
    sqlglot: str = UNREPORTED
    duckdb: str = UNREPORTED
    revision: str = UNREPORTED
    code: str = UNREPORTED

    @classmethod
    def present(cls, code: Mapping[str, str]) -> Build:
        """The build of this process, for a table of these code identities."""
        return cls(
            __version__,
            version("ibis-framework"),
            version("sqlglot"),
            version("duckdb"),
            str(REVISION),
            digest(**code),
        )

    @classmethod
    def from_json(cls, reported: Mapping[str, str]) -> Build:
        """The build that another process reports. Its release may differ: unknown fields are left out."""
        return cls(**{field.name: reported.get(field.name, UNREPORTED) for field in fields(cls)})

    def to_json(self) -> dict[str, str]:
        """The inverse of `from_json`."""
        return asdict(self)


def digest(**parts: Any) -> str:
    """A short digest of JSON values, independent of the order of keys."""
    content = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def code_identity(star: Star, table: Source | Dimension | Fact, settings: Settings) -> str:
    """What decides a table's rows besides its inputs: declaration, compiled transform, settings."""
    # Lakes that were written before there were revisions name the package, which was 0.1.0 all along.
    common = {"package": f"0.{REVISION}.0", "compression": settings.compression}
    if isinstance(table, Source):
        receipt = sorted(star.receipt_of(table))
        beside = {"receipt": receipt} if receipt else {}
        return digest(**common, source=_declared(table), reserved=star.reserved_keys(table), **beside)
    compiled = sql(star.transformed(table))
    if isinstance(table, Fact) or business_date.__name__ in compiled.lower():
        common["timezone"] = settings.timezone
    if isinstance(table, Dimension):
        inferred = [(column.source.name, column.column) for column in star.inferred_from(table)]
        if isinstance(table, History):
            # A day without a version begins in the business time zone.
            common |= {"timezone": settings.timezone, "history": ",".join(table.of.history)}
        return digest(**common, transform=compiled, key=table.key, inferred=inferred)
    references = {column: target.name for column, target in table.references.items()}
    if table.provisional:
        common["provisional"] = sql(star.provisional_rows(table.provisional))
        common["receipt"] = ",".join(table.provisional.receipt)
    return digest(
        **common,
        transform=compiled,
        key=table.key,
        date=table.date,
        references=references,
        sort_by=table.sort_by,
        minimums={measure.column: measure.minimum for measure in table.measures},
    )


def _declared(source: Source) -> Mapping[str, Any]:
    """What of a source's declaration decides its staged rows, and which row wins.

    What came later is named only where it is used, so that it builds no source again that does without.
    """
    later: dict[str, Any] = {"duplicates": source.duplicates} if source.duplicates != "collapse" else {}
    later |= {"arrives": source.arrives} if source.is_stream else {}
    if written := {name: dict(column.written) for name, column in source.declared.items() if column.written}:
        later["written"] = written
    return {
        **later,
        "columns": {name: (column.type, column.optional) for name, column in source.declared.items()},
        "keys": source.keys if source.key is not None else None,
        "event_time": source.event_time,
        "version": source.version,
        "deleted": source.deleted,
        "part_of": source.part_of.name if source.part_of else None,
        "header_keys": source.header_keys,
        "lines": source.lines,
        "exports": source.exports,
        "csv": source.csv.parts,
        "timezone": source.timezone,
        "new_columns": source.new_columns,
    }
