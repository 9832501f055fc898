"""The project: all files of a star's semantic model and report, by path, as Power BI Desktop opens them."""

from __future__ import annotations

from collections.abc import Mapping

from star_assets.lake.storage import Storage
from star_assets.model import Star
from star_assets.model.labels import friendly
from star_assets.reports.powerbi.identity import identity
from star_assets.reports.powerbi.model import CATALOG, DATABASE, DSN, model_files
from star_assets.reports.powerbi.report import report_files, written
from star_assets.settings import Settings

# The project's folder in a lake, which the documented policies do not let analysts read.
FOLDER = "reports/powerbi"

_SCHEMAS = "https://developer.microsoft.com/json-schemas/fabric"

# Files of Desktop that belong to one person, and the data that it has imported.
_IGNORED = "**/.pbi/localSettings.json\n**/.pbi/cache.abf\n"


def project_name(settings: Settings) -> str:
    """The name of the project, after the star: `star_assets.star:retail` → "Retail"."""
    return friendly(settings.model.partition(":")[2].rpartition(".")[2]) or "Star"


def project_files(star: Star, settings: Settings) -> dict[str, str]:
    """The project's files, by path. The same star and settings give the same bytes."""
    name = project_name(settings)
    model, report = f"{name}.SemanticModel", f"{name}.Report"
    parameters = {DSN: "star_assets", CATALOG: "AwsDataCatalog", DATABASE: f"{settings.glue_prefix}olap"}
    files = {
        f"{name}.pbip": written(
            {
                "$schema": f"{_SCHEMAS}/pbip/pbipProperties/1.0.0/schema.json",
                "version": "1.0",
                "artifacts": [{"report": {"path": report}}],
                "settings": {"enableAutoRecovery": True},
            }
        ),
        ".gitignore": _IGNORED,
        f"{model}/.platform": _platform("SemanticModel", name),
        f"{model}/definition.pbism": written(
            {
                "$schema": f"{_SCHEMAS}/item/semanticModel/definitionProperties/1.0.0/schema.json",
                "version": "4.2",
                "settings": {},
            }
        ),
        f"{report}/.platform": _platform("Report", name),
        f"{report}/definition.pbir": written(
            {
                "$schema": f"{_SCHEMAS}/item/report/definitionProperties/2.0.0/schema.json",
                "version": "4.0",
                "datasetReference": {"byPath": {"path": f"../{model}"}},
            }
        ),
    }
    files |= {f"{model}/definition/{path}": text for path, text in model_files(star, parameters).items()}
    return files | {f"{report}/definition/{path}": text for path, text in report_files(star).items()}


def put_in_lake(storage: Storage, files: Mapping[str, str]) -> str:
    """Replace the project in the lake by these files. Returns its URI. Raises the errors of the storage."""
    found = {one.path for one in storage.walk(FOLDER)}
    for path, text in files.items():
        storage.write(f"{FOLDER}/{path}", text.encode())
    storage.delete(sorted(found - {f"{FOLDER}/{path}" for path in files}))
    return storage.uri(FOLDER)


def _platform(kind: str, name: str) -> str:
    return written(
        {
            "$schema": f"{_SCHEMAS}/gitIntegration/platformProperties/2.0.0/schema.json",
            "metadata": {"type": kind, "displayName": name},
            "config": {"version": "2.0", "logicalId": identity(kind, name)},
        }
    )
