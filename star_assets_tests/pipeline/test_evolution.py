"""Exports and declarations change: columns come, go and are renamed, types grow; what is there reads on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from click.testing import CliRunner
from ibis.expr.types import Table

from star_assets.athena.embedded import EmbeddedAthena
from star_assets.cli import main
from star_assets.keeping.retire import retire
from star_assets.model import Column, Marker, Source, Star, dimension
from star_assets.model.errors import (
    BadDeclaration,
    ColumnMissing,
    StagedOtherwise,
    TooManyRejects,
    Unfaithful,
    UnknownColumns,
)
from star_assets.model.types import Type
from star_assets.orchestration.describe import outcome_metadata
from star_assets.star import dim_product, fact_sales, order_items, orders, products
from star_assets_tests.pipeline.conftest import PRODUCTS, Lake, MakeLake, shop

DAYS = ("2023-07-01", "2023-07-02", "2023-07-03")
HEADER = "id,size,label"


def articles(size: str = "int64", **declared: Any) -> Star:
    """One source and the dimension that passes all of it through."""
    columns = {"id": "int64", "size": size, "label": Column("string", optional=True)}
    source = Source("articles", **{"key": "id", "columns": columns, "whole": Marker(), **declared})
    return Star([source], [dim_article], [])


@dimension(key="id")
def dim_article(articles: Table) -> Table:
    """One row per article."""
    return articles


def export(lake: Lake, day: str, *rows: str, header: str = HEADER) -> None:
    lake.write("articles", day, {"a.csv": "\n".join([header, *rows]) + "\n"})


def answer(lake: Lake, sql: str) -> list[tuple[Any, ...]]:
    """As Athena gives it."""
    found = EmbeddedAthena(lake.warehouse.storage, lake.warehouse.catalog).query(sql).table
    return [tuple(row.values()) for row in found.to_pylist()]


def retired(lake: Lake, last: str) -> None:
    """The raw files of the days up to this one go."""
    retire(lake.warehouse, timedelta(days=0), date.fromisoformat(last) + timedelta(days=1))


def types(lake: Lake, table: str, day: str) -> Mapping[str, str]:
    return dict(lake.manifest(table, day).schema)


# New columns


def test_a_new_column_is_staged_and_reaches_the_dimension(make_lake: MakeLake) -> None:
    """The same day, with no change of code; what was exported before has none."""
    lake = make_lake(articles())
    export(lake, DAYS[0], "1,5,a")
    export(lake, DAYS[1], "2,6,b,red", header=f"{HEADER},colour")
    lake.run(*DAYS[:2])
    assert answer(lake, "SELECT id, colour, date FROM staging.articles ORDER BY id") == [
        (1, None, DAYS[0]),
        (2, "red", DAYS[1]),
    ]
    assert answer(lake, "SELECT id, colour FROM dim_article WHERE id > 0 ORDER BY id") == [(1, None), (2, "red")]


def test_what_is_new_on_a_day_is_in_its_metadata_and_in_no_other(make_lake: MakeLake) -> None:
    """Columns that the first export had already are not new, declared or not."""
    lake = make_lake(articles())
    first, later = f"{HEADER},colour", f"{HEADER},colour,weight,Kind Of"
    export(lake, DAYS[0], "1,5,a,red", header=first)
    export(lake, DAYS[1], "2,6,b,red,7,x", header=later)
    export(lake, DAYS[2], "3,6,b,red,7,x", header=later)
    outcomes = {outcome.day: outcome for outcome in lake.refresh("articles", *DAYS)}
    source = lake.star.sources["articles"]
    shown = {day: outcome_metadata(source, outcome)["new columns"] for day, outcome in outcomes.items()}
    assert shown == {DAYS[0]: "none", DAYS[1]: "weight, kind_of", DAYS[2]: "none"}
    assert outcome_metadata(source, outcomes[DAYS[2]])["unlisted columns"] == "colour, weight, kind_of"


def test_a_day_is_held_against_the_last_one_with_rows_whenever_that_was_staged(make_lake: MakeLake) -> None:
    """Not against a holiday, and not against what was staged last."""
    lake = make_lake(articles())
    export(lake, DAYS[0], "1,5,a,red", header=f"{HEADER},colour")
    lake.run(*DAYS[:2], tables=["articles"])
    export(lake, DAYS[2], "2,6,b,red,7", header=f"{HEADER},colour,weight")
    lake.again().run(DAYS[2], tables=["articles"])
    assert lake.manifest("articles", DAYS[2]).facts["new_columns"] == ["weight"]
    assert lake.manifest("articles", DAYS[1]).facts["new_columns"] == []


def test_columns_that_came_later_are_told_until_they_are_declared(make_lake: MakeLake) -> None:
    """By source, column and first day: whoever owns the source should give them a type."""
    lake = make_lake(articles())
    export(lake, DAYS[0], "1,5,a,x", header=f"{HEADER},carried")
    assert lake.warehouse.evolution("articles") == []
    lake.run(DAYS[0])
    assert lake.warehouse.evolution("articles") == []
    export(lake, DAYS[1], "2,6,b,x,red", header=f"{HEADER},carried,colour")
    export(lake, DAYS[2], "2,6,b,x,red,7", header=f"{HEADER},carried,colour,weight")
    lake.run(*DAYS[1:])
    assert lake.again().warehouse.evolution("articles") == [
        f"articles: 2 columns came later than the first export: colour since {DAYS[1]}, weight since {DAYS[2]}. "
        "Declare them to give a type."
    ]
    declared = {**lake.star.sources["articles"].columns, "colour": Column("string", optional=True)}
    typed = lake.again(articles(columns=declared))
    typed.run(*DAYS)
    assert typed.warehouse.evolution("articles") == [
        f"articles: 1 column came later than the first export: weight since {DAYS[2]}. Declare it to give a type."
    ]
    assert typed.warehouse.evolution("dim_article") == []


# Columns that are not let in

RED = f"{HEADER},colour,Weight"


@pytest.mark.parametrize(
    "file", [{"a.csv": f"{RED}\n2,6,b,red,7\n"}, {"a.jsonl": '{"id": 2, "size": 6, "colour": "red", "Weight": 7}\n'}]
)
def test_frozen_columns_refuse_an_export_with_others(make_lake: MakeLake, file: dict[str, str]) -> None:
    """Named, with what may be done; the other days, and what is live, stay as they are."""
    lake = make_lake(articles(new_columns="freeze"))
    export(lake, DAYS[1], "1,5,a")
    lake.run(*DAYS[:2])
    before = lake.live()
    lake.write("articles", DAYS[1], file)
    export(lake, DAYS[2], "3,7,c")
    bad, good = lake.refresh("articles", *DAYS[1:])
    assert isinstance(bad.error, UnknownColumns)
    assert str(bad.error) == (
        f"oltp/articles/date={DAYS[1]}/{next(iter(file))}: expected no columns but id, size, label, found colour, "
        "weight beside them. The live version stays. Export without them, or change the Source: declare what is new, "
        'or set new_columns to "evolve" or "ignore".'
    )
    assert (good.status, lake.live().items() >= before.items()) == ("published", True)


@pytest.mark.parametrize(
    "file",
    [
        {"a.csv": f"{RED}\n2,6,b,red,7\n"},
        {"a.csv": f"{RED}\n2,6,b,red,7\nx\n"},  # for the exact reader
        {"a.json": '[{"id": 2, "size": 6, "label": "b", "colour": "red"}]'},
    ],
)
def test_ignored_columns_are_not_staged(make_lake: MakeLake, file: dict[str, str]) -> None:
    lake = make_lake(articles(new_columns="ignore", max_rejects=0.5))
    lake.write("articles", DAYS[0], file)
    lake.run(DAYS[0])
    assert list(types(lake, "articles", DAYS[0])) == ["id", "size", "label"]
    assert lake.rows("SELECT id, size, label FROM articles") == [(2, 6, "b")]
    facts = lake.manifest("articles", DAYS[0]).facts
    assert (facts["unlisted_columns"], facts["new_columns"]) == ([], [])


def test_another_policy_stages_again(make_lake: MakeLake) -> None:
    """It decides what is staged, so that what is there must follow."""
    lake = make_lake(articles())
    export(lake, DAYS[0], "1,5,a,red,7", header=RED)
    lake.run(DAYS[0])
    ignoring = lake.again(articles(new_columns="ignore"))
    assert list(ignoring.warehouse.out_of_date("articles").days) == [DAYS[0]]
    ignoring.run(DAYS[0])
    assert "colour" not in types(lake, "articles", DAYS[0])


def test_an_unknown_policy_is_told() -> None:
    with pytest.raises(BadDeclaration, match="new_columns='forbid' is none of evolve, ignore, freeze"):
        articles(new_columns="forbid")


# Columns that go


def test_an_optional_column_that_goes_is_null_from_then_on(make_lake: MakeLake) -> None:
    lake = make_lake(articles())
    export(lake, DAYS[0], "1,5,a", "2,6,b")
    export(lake, DAYS[1], "2,7", header="id,size")
    lake.run(*DAYS[:2])
    assert lake.rows("SELECT id, label FROM articles ORDER BY date, id") == [(1, "a"), (2, "b"), (2, None)]
    members = answer(lake, "SELECT id, size, label FROM dim_article WHERE id > 0 ORDER BY id")
    assert members == [(1, 5, "a"), (2, 7, None)]


def test_a_carried_column_that_goes_is_null_from_then_on(make_lake: MakeLake) -> None:
    lake = make_lake(articles())
    export(lake, DAYS[0], "1,5,a,red", header=f"{HEADER},colour")
    export(lake, DAYS[1], "2,6,b")
    lake.run(*DAYS[:2])
    assert answer(lake, "SELECT id, colour FROM staging.articles ORDER BY id") == [(1, "red"), (2, None)]
    assert answer(lake, "SELECT id, colour FROM dim_article WHERE id > 0 ORDER BY id") == [(1, "red"), (2, None)]


@pytest.mark.parametrize(
    ("header", "found", "remedy"),
    [
        ("id,label", "id, label.", "Export again, or mark the column optional in the Source."),
        (
            "id,dimensions,label",
            "id, dimensions, label. Of these, dimensions is not declared: a new name?",
            "Export again, or declare the new name, or mark the column optional in the Source.",
        ),
    ],
    ids=["removed", "renamed"],
)
def test_a_required_column_that_goes_fails_its_day_alone(
    make_lake: MakeLake, header: str, found: str, remedy: str
) -> None:
    """A rename is told by what came instead."""
    lake = make_lake(articles())
    export(lake, DAYS[0], "1,5,a")
    export(lake, DAYS[1], "2,6,b")
    lake.run(*DAYS[:2])
    before = lake.live()
    export(lake, DAYS[1], ",".join("9" for _ in header.split(",")), header=header)
    export(lake, DAYS[2], "3,7,c")
    bad, good = lake.refresh("articles", *DAYS[1:])
    assert isinstance(bad.error, ColumnMissing)
    assert str(bad.error) == (
        f"oltp/articles/date={DAYS[1]}/a.csv: expected column 'size', found {found} The live version stays. {remedy}"
    )
    assert (good.status, lake.live().items() >= before.items()) == ("published", True)


def test_values_of_another_type_fail_their_day_alone(make_lake: MakeLake) -> None:
    lake = make_lake(articles())
    export(lake, DAYS[0], "1,XL,a", "2,M,b")
    export(lake, DAYS[1], "3,7,c")
    bad, good = lake.refresh("articles", *DAYS[:2])
    assert isinstance(bad.error, TooManyRejects)
    assert "line 2: column size: 'XL' is not a whole number up to" in str(bad.error)
    assert good.status == "published"


# Types that grow

WIDER = [
    ("int32", "int64", "7", "3000000000"),
    ("int32", "decimal(18,4)", "7", "0.1234"),
    ("int64", "decimal(18,4)", "7", "0.1234"),
    ("decimal(18,2)", "decimal(18,4)", "7.25", "0.1234"),
    ("decimal(18,4)", "decimal(22,4)", "7.25", "123456789012345678.0001"),
    ("int64", "string", "7", "7 XL"),
]


def value(type_: str, text: str) -> Any:
    parsed = Type.parse(type_)
    if parsed.name == "decimal":
        return Decimal(text).quantize(Decimal(1).scaleb(-(parsed.scale or 0)))
    return text if parsed.name == "string" else int(text)


@pytest.mark.parametrize(("old", "new", "small", "large"), WIDER)
def test_a_wider_type_stages_and_builds_everything_again(
    make_lake: MakeLake, old: str, new: str, small: str, large: str
) -> None:
    """What needs the wider type is an error before it is declared, and right after."""
    lake = make_lake(articles(old))
    export(lake, DAYS[0], f"1,{small},a")
    lake.run(DAYS[0])
    wider = lake.again(articles(new))
    assert list(wider.warehouse.out_of_date("articles").days) == [DAYS[0]]
    assert answer(wider, "SELECT size FROM staging.articles") == [(value(old, small),)], "it reads on"
    # The dimension may be asked for before its source is: it has the new type from what was staged with the old one.
    wider.run(DAYS[0], tables=["dim_article"])
    assert answer(wider, "SELECT size FROM dim_article WHERE id = 1") == [(value(new, small),)]
    export(wider, DAYS[1], f"2,{large},b")
    wider.run(*DAYS[:2])
    expected = [(value(new, small),), (value(new, large),)]
    assert {types(wider, "articles", day)["size"] for day in DAYS[:2]} == {Type.parse(new).athena}
    assert answer(wider, "SELECT size FROM staging.articles ORDER BY date") == expected
    assert answer(wider, "SELECT size FROM dim_article WHERE id > 0 ORDER BY id") == expected


@pytest.mark.parametrize(("old", "new", "small", "large"), WIDER)
def test_a_retired_day_stays_in_its_own_types_and_readable(
    make_lake: MakeLake, old: str, new: str, small: str, large: str
) -> None:
    """Its partition says the types of its files, and each is one that Athena casts to the table's."""
    lake = make_lake(articles(old))
    export(lake, DAYS[0], f"1,{small},a")
    lake.run(DAYS[0])
    retired(lake, DAYS[0])
    wider = lake.again(articles(new))
    export(wider, DAYS[1], f"2,{large},b")
    wider.run(*DAYS[:2])
    wider.warehouse.mend(["articles"])
    assert types(wider, "articles", DAYS[0])["size"] == Type.parse(old).athena
    table = wider.warehouse.catalog.table("staging", "articles")
    partitions = wider.warehouse.catalog.partitions("staging", "articles")
    assert table is not None
    declared = {column.name: column.type for column in table.columns}
    held = [{column.name: column.type for column in partition.columns} for partition in partitions]
    assert declared["size"] == Type.parse(new).athena
    assert [columns["size"] for columns in held] == [Type.parse(old).athena, Type.parse(new).athena]
    expected = [(value(new, small),), (value(new, large),)]
    assert answer(wider, "SELECT size FROM staging.articles ORDER BY date") == expected
    assert answer(wider, "SELECT size FROM dim_article WHERE id > 0 ORDER BY id") == expected


def test_the_ddl_leaves_out_partitions_in_other_types(make_lake: MakeLake, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is added by hand takes the table's types: an integer read as a decimal would be another number."""
    lake = make_lake(articles("int32"))
    export(lake, DAYS[0], "1,5,a")
    lake.run(DAYS[0])
    retired(lake, DAYS[0])
    wider = lake.again(articles("decimal(18,4)"))
    export(wider, DAYS[1], "2,6.5,b")
    wider.run(*DAYS[:2])
    monkeypatch.setattr("star_assets.cli.asking.open_warehouse", lambda: wider.warehouse)
    done = CliRunner().invoke(main, ["ddl", "articles", "--partitions"])
    assert f"PARTITION (`date` = '{DAYS[1]}')" in done.stdout
    assert f"`date` = '{DAYS[0]}'" not in done.stdout
    assert f"Note: articles: left out 1 partitions, from {DAYS[0]} on, whose files have column types of" in done.stderr


def test_a_wider_measure_builds_the_fact_again(lake: Lake) -> None:
    """Half a piece was sold: quantity becomes a decimal, and so does what the fact says."""
    lake.export("orders", DAYS[0], f"1,7,1,{DAYS[0]} 10:00:00,placed,{DAYS[0]} 10:00:00,I")
    lake.export("order_items", DAYS[0], "1,1,5,2,10.00,")
    lake.export("products", DAYS[0], "5,Rope,a,b,10.00,2023-07-01 00:00:00")
    lake.run(DAYS[0])
    retired(lake, DAYS[0])
    lines = replace(order_items, columns={**order_items.columns, "quantity": Column("decimal(18,4)")})
    dim = replace(dim_product, inferred_from=(lines["product_id"],))
    fact = replace(fact_sales, references={"product_id": dim})
    wider = lake.again(Star([orders, lines, products], [dim], [fact]))
    wider.export("orders", DAYS[1], f"2,7,1,{DAYS[1]} 10:00:00,placed,{DAYS[1]} 10:00:00,I")
    wider.export("order_items", DAYS[1], "2,1,5,0.5,10.00,")
    wider.run(*DAYS[:2])
    assert list(wider.warehouse.out_of_date("fact_sales").days) == []
    assert answer(wider, "SELECT date, quantity, revenue FROM fact_sales ORDER BY date") == [
        (DAYS[0], Decimal("2.0000"), Decimal("20.0000")),
        (DAYS[1], Decimal("0.5000"), Decimal("5.0000")),
    ]


# Types that cannot be reconciled


def test_a_type_that_cannot_hold_what_is_staged_stops_what_is_built_of_it_and_nothing_else(lake: Lake) -> None:
    """Read as the new type, digits would be lost in silence."""
    lake.export("products", DAYS[0], "5,Rope,a,b,10.25,2023-07-01 00:00:00")
    lake.run(DAYS[0], tables=["products", "order_items", "dim_product"])
    retired(lake, DAYS[0])
    before = answer(lake, "SELECT product_id, list_price FROM dim_product ORDER BY 1")
    narrow = replace(products, columns={**products.columns, "list_price": Column("int64")})
    narrower = lake.again(Star([orders, order_items, narrow], [dim_product], list(shop.facts.values())))
    narrower.write("products", DAYS[1], {"p.csv": f"{PRODUCTS}\n6,Mug,a,b,3,2023-07-02 00:00:00\n"})
    narrower.run(*DAYS[:2], tables=["orders", "order_items", "products"])
    # A run of everything must get to the tables after this one.
    assert list(narrower.warehouse.out_of_date("dim_product").days) == [DAYS[1]]
    (outcome,) = narrower.refresh("dim_product", DAYS[1])
    assert isinstance(outcome.error, StagedOtherwise)
    assert str(outcome.error) == (
        "products: expected column 'list_price' as int64 in all that is staged, found decimal(23,4), as an earlier "
        "declaration staged it. The live versions stay. `star-assets run products` stages again the days that still "
        "have raw files. For the others, put the raw files back, or declare a type that holds both."
    )
    assert answer(narrower, "SELECT product_id, list_price FROM dim_product ORDER BY 1") == before


def test_a_value_too_large_for_the_new_type_is_told_and_not_cut(make_lake: MakeLake) -> None:
    lake = make_lake(articles())
    export(lake, DAYS[0], "1,999999999999999,a")
    lake.run(DAYS[0])
    retired(lake, DAYS[0])
    narrow = lake.again(articles("decimal(18,4)"))
    assert list(narrow.warehouse.out_of_date("dim_article").days) == [DAYS[0]]
    (outcome,) = narrow.refresh("dim_article", DAYS[0])
    assert "999999999999999" in str(outcome.error)


def test_a_query_that_athena_would_fail_is_refused_by_name(make_lake: MakeLake) -> None:
    """Where the types of table and partition cannot be reconciled, for the column that is asked for and no other."""
    lake = make_lake(articles("date"))
    export(lake, DAYS[0], "1,2023-01-01,a")
    lake.run(DAYS[0])
    retired(lake, DAYS[0])
    other = lake.again(articles("timestamp"))
    export(other, DAYS[1], "2,2023-01-01 10:00:00,b")
    other.run(*DAYS[:2], tables=["articles"])
    with pytest.raises(Unfaithful, match=r"articles\.size as timestamp where partition 2023-07-01 has date"):
        answer(other, "SELECT size FROM staging.articles")
    assert answer(other, "SELECT id FROM staging.articles ORDER BY id") == [(1,), (2,)]
    assert len(answer(other, f"SELECT size FROM staging.articles WHERE date = '{DAYS[1]}'")) == 1


def test_a_column_that_is_no_longer_declared_is_text_in_the_catalog(make_lake: MakeLake) -> None:
    """Retired days have it as a number, later ones as text: text is what both can be read as."""
    lake = make_lake(articles())
    export(lake, DAYS[0], "1,5,a")
    lake.run(DAYS[0])
    retired(lake, DAYS[0])
    columns = {"id": "int64", "label": "string"}
    fewer = lake.again(articles(columns=columns))
    export(fewer, DAYS[1], "2,six,b")
    fewer.run(*DAYS[:2])
    assert answer(fewer, "SELECT size FROM staging.articles ORDER BY date") == [("5",), ("six",)]
    assert answer(fewer, "SELECT size FROM dim_article WHERE id > 0 ORDER BY id") == [("5",), ("six",)]


def test_what_became_of_the_columns_can_be_read_from_the_lake_alone(make_lake: MakeLake) -> None:
    """A lost catalog is made again with each partition's own types."""
    lake = make_lake(articles("int32"))
    export(lake, DAYS[0], "1,5,a,red", header=f"{HEADER},colour")
    lake.run(DAYS[0])
    retired(lake, DAYS[0])
    wider = lake.again(articles())
    export(wider, DAYS[1], "2,6,b")
    wider.run(*DAYS[:2])
    sql = "SELECT id, size, colour FROM staging.articles ORDER BY id"
    before = answer(wider, sql)
    (wider.root / "_catalog" / "catalog.sqlite").unlink()
    again = wider.again()
    again.warehouse.mend(["articles", "dim_article"])
    assert answer(again, sql) == before == [(1, 5, "red"), (2, 6, None)]
    entry = again.warehouse.catalog.table("staging", "articles")
    assert json.dumps([[column.name, column.type] for column in entry.columns]) == (  # type: ignore[union-attr]
        '[["id", "bigint"], ["size", "bigint"], ["label", "string"], ["colour", "string"]]'
    )
