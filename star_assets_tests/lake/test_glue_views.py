"""How a view's text names databases in Glue, where they have a prefix."""

from __future__ import annotations

import pytest

from star_assets.lake.catalog import CatalogColumn, TableEntry
from star_assets.lake.glue_entries import table_entry, table_input
from star_assets.lake.glue_views import with_prefix, without_prefix

TEXTS = [
    ("SELECT a FROM sales", "SELECT a FROM sales"),
    ("SELECT olap.t.a FROM olap.t, staging.u", "SELECT p_olap.t.a FROM p_olap.t, p_staging.u"),
    ('SELECT 1 FROM "olap"."t" -- olap.t', 'SELECT 1 FROM "p_olap"."t" -- olap.t'),
    ("SELECT t.a.b FROM awsdatacatalog.olap.t WHERE x = 'olap.t'",
     "SELECT t.a.b FROM awsdatacatalog.p_olap.t WHERE x = 'olap.t'"),
    ("SELECT 1 FROM information_schema.tables", "SELECT 1 FROM information_schema.tables"),
    ("SELECT (SELECT max(a) FROM olap.t) FROM u", "SELECT (SELECT max(a) FROM p_olap.t) FROM u"),
    ("what is no SQL", "what is no SQL"),
]  # fmt: skip


@pytest.mark.parametrize(("ours", "in_glue"), TEXTS)
def test_a_text_names_the_databases_of_glue_and_comes_back(ours: str, in_glue: str) -> None:
    """Athena runs the text as it is: without the prefix it would find no table, or somebody else's."""
    assert with_prefix(ours, "p_") == in_glue
    assert without_prefix(in_glue, "p_") == ours
    assert with_prefix(ours, "") == ours


def test_a_view_comes_back_with_its_description_and_its_database() -> None:
    """Trino takes a Description for the mark of a view, so that it is kept elsewhere."""
    columns = (CatalogColumn("a", "array<struct<int:int,s:string>>"), CatalogColumn("b", "float"))
    view = TableEntry(
        "staging", "v", columns, format="view", description="One.", view_sql="SELECT * FROM t", view_database="olap"
    )
    given = table_input(view, "p_")
    assert "Description" not in given
    assert table_entry(given, "staging", "p_") == view
