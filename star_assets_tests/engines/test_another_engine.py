"""An engine that another package brings: found by its name, with nothing changed here."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from star_assets.pipeline.warehouse import Warehouse
from star_assets.samples.retailer import write_exports
from star_assets.settings import Settings
from star_assets.star import retail

from .pairs import columns, rows

DAYS = ["2023-07-01", "2023-07-02"]

# What a package's metadata says of the engine that it brings.
ENTRY_POINTS = """
[star_assets.engines]
datafusion = star_assets_tests.engines.datafusion_engine:DataFusionEngine
"""


@pytest.fixture(scope="module")
def lakes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Warehouse]]:
    """The same exports, built by the engine of another package and by DuckDB."""
    root = tmp_path_factory.mktemp("engines")
    metadata = root / "datafusion_engine-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: datafusion-engine\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(ENTRY_POINTS)
    write_exports(root, date.fromisoformat(DAYS[0]), len(DAYS), orders_per_day=20)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(root))
        found = {}
        for engine in ("duckdb", "datafusion"):
            lake = root / engine
            lake.mkdir()
            (lake / "oltp").symlink_to(root / "oltp")
            settings = Settings(lake=str(lake), engine=engine, start_date=date.fromisoformat(DAYS[0]), threads=2)
            found[engine] = Warehouse(retail, settings)
            for table in retail.tables:
                assert [str(o.error) for o in found[engine].refresh(table, DAYS) if o.error] == []
        yield found


@pytest.mark.parametrize("table", retail.tables)
def test_it_gives_the_rows_and_types_of_duckdb(lakes: dict[str, Warehouse], table: str) -> None:
    """Books, audits and publishing are the same for it; so are transforms."""
    for day in DAYS:
        files = {}
        for engine, warehouse in lakes.items():
            manifest = warehouse.live_manifest(table, day)
            assert manifest is not None
            partition = warehouse.partitions(table, day)[-1]
            files[engine] = Path(
                warehouse.settings.lake, partition.version_folder(manifest.version), "part-00000.parquet"
            )
        assert sorted(map(str, rows(files["datafusion"]))) == sorted(map(str, rows(files["duckdb"])))
        assert [c[0] for c in columns(files["datafusion"])] == [c[0] for c in columns(files["duckdb"])]


def test_it_uses_nothing_of_the_engines_here() -> None:
    """What it needs is the interface, and how rows are put together."""
    tree = ast.parse((Path(__file__).parent / "datafusion_engine.py").read_text())
    modules = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert [m for m in modules if m.startswith(("star_assets.engines.duckdb", "star_assets.engines.spark"))] == []
