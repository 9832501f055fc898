from __future__ import annotations

from typing import Any

import dagster as dg
import pytest
from dagster._core.storage.partition_status_cache import get_and_update_asset_status_cache_value
from ibis.expr.types import Table

from star_assets.model import Star, dimension
from star_assets.model.errors import AuditFailed, CatalogBusy, ColumnMissing
from star_assets.orchestration.build import build_definitions
from star_assets.orchestration.failures import failed_days
from star_assets.settings import Settings
from star_assets.star import dim_customer, dim_product, dim_store, dim_time, fact_sales, retail
from star_assets.star.sources import customers, order_items, orders, products, stores

from .conftest import DAYS, DecidedWarehouse, materialize

BAD = "2023-07-02"
MISSING = ColumnMissing("oltp/orders/date=2023-07-02/a.csv", ["status"], ["order_id"])


@pytest.fixture(scope="module")
def specs() -> dict[str, dg.AssetSpec]:
    definitions = build_definitions(retail, Settings())
    found = {spec.key.to_user_string(): spec for spec in definitions.resolve_all_asset_specs()}
    return {name: spec for name, spec in found.items() if spec.group_name != "bi"}


def partitions_of(result: dg.ExecuteInProcessResult, table: str) -> dict[str, dict[str, Any]]:
    events = result.asset_materializations_for_node(table)
    return {str(event.partition): {key: value.value for key, value in event.metadata.items()} for event in events}


def failure(result: dg.ExecuteInProcessResult, table: str) -> str:
    (event,) = [e for e in result.all_events if e.is_step_failure and e.step_key == table]
    data = event.step_failure_data.user_failure_data
    assert data is not None
    return data.description or ""


def test_every_table_is_an_asset_that_says_what_it_is(specs: dict[str, dg.AssetSpec]) -> None:
    """People find tables by description, owner, group, kinds and columns."""
    assert specs.keys() == retail.tables.keys()
    for name, table in retail.tables.items():
        spec = specs[name]
        assert spec.description == table.description != ""
        assert spec.owners == ["team:data"]
        assert spec.group_name == ("oltp" if name in retail.sources else "olap")
        assert {"duckdb", "parquet"} <= spec.kinds
        schema = spec.metadata["dagster/column_schema"]
        assert [column.name for column in schema.columns] == [field.name for field in retail.fields(table)]
        assert all(column.type for column in schema.columns)
    assert specs["fact_sales"].metadata["rows sorted by"] == "store_id, product_id, sale_id"


def test_columns_carry_their_descriptions_and_their_origins(specs: dict[str, dg.AssetSpec]) -> None:
    fact = specs["fact_sales"].metadata
    described = {column.name: column.description for column in fact["dagster/column_schema"].columns}
    assert described["revenue"] == "quantity × unit_price − discount, in US dollars."
    lineage = fact["dagster/column_lineage"].deps_by_column
    assert {(dep.asset_key.to_user_string(), dep.column_name) for dep in lineage["revenue"]} == {
        ("order_items", "quantity"),
        ("order_items", "unit_price"),
        ("order_items", "discount"),
        ("pos_sales", "quantity"),
        ("pos_sales", "unit_price"),
        ("pos_sales", "discount"),
    }
    (row,) = [record.data for record in fact["lineage"].records if record.data["column"] == "revenue"]
    items = "order_items.discount, order_items.quantity, order_items.unit_price"
    assert row["comes from"].startswith(f"{items}, pos_sales.")


def test_the_graph_runs_from_sources_over_dimensions_to_the_fact(specs: dict[str, dg.AssetSpec]) -> None:
    """A fact is audited against its dimensions, so they must be built before it."""
    edges = {name: {dep.asset_key.to_user_string() for dep in spec.deps} for name, spec in specs.items()}
    assert edges["orders"] == set()
    assert edges["dim_product"] == {"products", "order_items", "pos_sales"}
    assert edges["dim_time"] == {"orders", "pos_sales"}
    dimensions = {"dim_product", "dim_product_history", "dim_customer", "dim_store", "dim_time"}
    assert edges["fact_sales"] == {"orders", "order_items", "pos_sales", *dimensions}


def test_all_tables_share_one_daily_definition_that_includes_today(specs: dict[str, dg.AssetSpec]) -> None:
    """A job cannot hold two; and today's export must have a partition while today lasts."""
    (partitions,) = {specs[name].partitions_def for name in retail.tables}
    assert isinstance(partitions, dg.DailyPartitionsDefinition)
    assert partitions.get_first_partition_key() == "2023-07-01"
    assert partitions.end_offset == 1


def test_a_changed_transform_has_another_code_version() -> None:
    """Otherwise Dagster would not show that the code has changed."""

    @dimension(key="product_id", inferred_from=[order_items])
    def dim_product(products: Table) -> Table:
        """One row per product, as last exported."""
        return products.drop("updated_at", "brand")

    changed = Star([products, order_items, orders], [dim_product], [])
    before = build_definitions(retail, Settings()).resolve_assets_def("dim_product")
    after = build_definitions(changed, Settings()).resolve_assets_def("dim_product")
    key = dg.AssetKey("dim_product")
    assert before.code_versions_by_key[key] != after.code_versions_by_key[key]


def test_a_dimension_added_in_one_function_is_an_asset_with_its_checks() -> None:
    """The declaration is all that is needed."""

    @dimension(key="state")
    def dim_state(stores: Table) -> Table:
        """One row per state."""
        return stores.select("state", "region").distinct()

    star = Star(
        [orders, order_items, customers, products, stores],
        [dim_product, dim_store, dim_customer, dim_time, dim_state],
        [fact_sales],
    )
    definitions = build_definitions(star, Settings())
    asset = definitions.resolve_assets_def("dim_state")
    assert {key.name for key in asset.check_keys} == {"audit"}
    assert asset.asset_deps[dg.AssetKey("dim_state")] == {dg.AssetKey("stores")}


def test_a_day_is_recorded_with_what_it_holds(decided: DecidedWarehouse, instance: dg.DagsterInstance) -> None:
    result = materialize(decided, instance, [BAD], "orders")
    assert result.success
    recorded = partitions_of(result, "orders")
    assert list(recorded) == [BAD]
    assert recorded[BAD]["dagster/partition_row_count"] == 3
    assert recorded[BAD]["bytes"] == 120
    assert recorded[BAD]["location"] == "/lake/orders"
    assert recorded[BAD]["status"] == "published"
    assert recorded[BAD]["rejected"] == 1


def test_a_range_is_one_run_with_an_event_for_each_day(decided: DecidedWarehouse, instance: dg.DagsterInstance) -> None:
    result = materialize(decided, instance, DAYS)
    assert result.success
    assert instance.get_runs_count() == 1
    for table in retail.tables:
        assert list(partitions_of(result, table)) == DAYS
        assert instance.get_materialized_partitions(dg.AssetKey(table)) == set(DAYS)


def test_the_newest_day_shows_a_sample_as_a_table(decided: DecidedWarehouse, instance: dg.DagsterInstance) -> None:
    """Texts are shown as they are, and long ones cut."""
    recorded = partitions_of(materialize(decided, instance, DAYS, "orders"), "orders")
    assert "sample" not in recorded[DAYS[0]]
    assert [record.data for record in recorded[DAYS[-1]]["sample"].records] == [
        {"name": "a|b", "day": DAYS[-1]},
        {"name": "", "day": f"{'x' * 39}…"},
    ]


def test_good_days_are_recorded_and_the_bad_one_is_named(
    decided: DecidedWarehouse, instance: dg.DagsterInstance
) -> None:
    """A range must neither lose its good days nor show the bad one as materialized."""
    decided.errors["orders", BAD] = MISSING
    result = materialize(decided, instance, DAYS, "orders")
    assert not result.success
    assert list(partitions_of(result, "orders")) == [DAYS[0], DAYS[2]]
    assert instance.get_materialized_partitions(dg.AssetKey("orders")) == {DAYS[0], DAYS[2]}
    told = failure(result, "orders")
    assert told.startswith("orders: 1 of 3 days failed; the others are published.")
    assert f"{BAD}: {MISSING}" in told


def test_the_bad_day_is_shown_as_failed_and_the_good_ones_as_materialized(
    decided: DecidedWarehouse, instance: dg.DagsterInstance
) -> None:
    """What the asset's page shows for each partition."""
    decided.errors["orders", BAD] = MISSING
    materialize(decided, instance, DAYS, "orders")
    definition = build_definitions(retail, decided.settings).resolve_assets_def("orders").partitions_def
    assert definition is not None
    status = get_and_update_asset_status_cache_value(instance, dg.AssetKey("orders"), definition)
    assert status is not None
    assert set(status.deserialize_failed_partition_subsets(definition).get_partition_keys()) == {BAD}
    materialized = status.deserialize_materialized_partition_subsets(definition).get_partition_keys()
    assert set(materialized) == {DAYS[0], DAYS[2]}


def test_one_bad_day_alone_fails_with_its_message(decided: DecidedWarehouse, instance: dg.DagsterInstance) -> None:
    decided.errors["orders", BAD] = MISSING
    assert failure(materialize(decided, instance, [BAD], "orders"), "orders") == str(MISSING)


def test_only_what_is_transient_may_be_tried_again(decided: DecidedWarehouse) -> None:
    """A retry of what is permanent wastes a night."""
    for error, allowed in ((MISSING, False), (CatalogBusy("catalog", 60), True)):
        decided.errors["orders", BAD] = error
        assert failed_days("orders", list(decided.refresh("orders", DAYS))).allow_retries is allowed


def test_the_audit_is_recorded_for_each_day(decided: DecidedWarehouse, instance: dg.DagsterInstance) -> None:
    decided.errors["orders", BAD] = AuditFailed("orders", f"date={BAD}", ["key unique: 2 rows"], "/lake/kept")
    materialize(decided, instance, DAYS, "orders")
    key = dg.AssetCheckKey(dg.AssetKey("orders"), "audit")
    records = instance.event_log_storage.get_asset_check_execution_history(key, limit=10)
    assert {record.partition: record.status.value for record in records} == {
        DAYS[0]: "SUCCEEDED",
        BAD: "FAILED",
        DAYS[2]: "SUCCEEDED",
    }
    (failed,) = [record for record in records if record.partition == BAD]
    assert failed.event is not None and failed.event.dagster_event is not None
    evaluation = failed.event.dagster_event.asset_check_evaluation_data
    assert evaluation.blocking and "nothing was published" in evaluation.metadata["message"].value
    assert evaluation.metadata["actual"].value == "broken: key unique"


def test_a_failed_audit_keeps_what_is_downstream_from_running(
    decided: DecidedWarehouse, instance: dg.DagsterInstance
) -> None:
    """A fact built on a refused dimension would not hold what its day should."""
    decided.errors["dim_product", BAD] = AuditFailed("dim_product", "live", ["key unique: 2 rows"], "/lake/kept")
    result = materialize(decided, instance, DAYS)
    assert not result.success
    assert "fact_sales" not in decided.published
    assert decided.published["dim_store"] == DAYS
