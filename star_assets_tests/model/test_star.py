"""The Star: its tables checked against each other, and what follows from them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import ibis
import pytest
from ibis.expr.types import Table

from star_assets.model import Column, Dimension, Measure, Source, Star, business_date, dimension, fact, load_star
from star_assets.model.errors import BadDeclaration, BadSetting, UnknownTable
from star_assets.star import dim_customer, dim_product, dim_time, fact_sales, order_items, orders, pos_sales, retail

tickets = Source(
    "tickets",
    key="id",
    event_time="at",
    columns={"id": Column("int64", "The ticket."), "shop": "string", "at": "timestamp", "shut": "timestamp"},
)
positions = Source(
    "positions", key="id", part_of=tickets, columns={"id": "int64", "n": "int64", "money": "decimal(9,2)"}
)
shops = Source(
    "shops", key="shop", columns={"shop": Column("string", "Which shop."), "city": Column("string", "Where.")}
)
SOURCES = [tickets, positions, shops]


@dimension(key="shop", inferred_from=[tickets], columns={"town": "The city, in capitals."})
def dim_shop(shops: Table) -> Table:
    """Shops."""
    return shops.mutate(town=shops.city.upper())


def a_fact(transform: Callable[..., Table], **changes: Any) -> Any:
    transform.__name__ = "fact_tickets"
    return fact(**{"key": "id", "date": "at", "references": {"shop": dim_shop}, **changes})(transform)


def star(*facts: Any, dimensions: Any = (dim_shop,), sources: Any = SOURCES) -> Star:
    return Star(sources, list(dimensions), list(facts))


def a_dimension(transform: Callable[..., Table], **changes: Any) -> Dimension:
    transform.__name__ = "dim_shop"
    return dimension(**{"key": "shop", **changes})(transform)


def stranger(tickets: Table, strangers: Table) -> Table:
    return tickets


def all_of_it(tickets: Table) -> Table:
    return tickets


elsewhere = Source("elsewhere", key="shop", columns={"shop": "string"})
closing = Source("closing", key="id", columns={"id": "int64", "date": "date"})

CONTRADICTIONS: dict[str, tuple[Callable[[], Star], str]] = {
    "two tables of one name": (
        lambda: star(sources=[*SOURCES, shops]),
        "shops: is declared twice in one star. Names are unique over all its tables.",
    ),
    "a source with the partition column": (
        lambda: star(sources=[*SOURCES, closing]),
        "closing: has a column 'date', which is the partition column. Declare it under another name, "
        "as Column(…, header='date').",
    ),
    "lines without their header": (
        lambda: Star([positions], [], []),
        "positions: is part of tickets, not in this star. Add it.",
    ),
    "an unknown upstream": (
        lambda: star(a_fact(stranger)),
        "fact_tickets: reads 'strangers', which is no source of the star. Known: tickets, positions, shops.",
    ),
    "a fact from the calendar": (
        lambda: star(a_fact(lambda calendar: calendar)),
        "fact_tickets: reads 'calendar', which is no source of the star",
    ),
    "a transform of a column that is not there": (
        lambda: star(a_fact(lambda tickets: tickets.select("id", "shop", "sold_at"))),
        "fact_tickets: its function fails: ",
    ),
    "a fact with the partition column": (
        lambda: star(a_fact(lambda tickets: tickets.mutate(date=tickets.shop))),
        "fact_tickets: has a column 'date', which is the partition column. Use another name.",
    ),
    "a type that no engine shares": (
        lambda: star(a_fact(lambda tickets: tickets.mutate(t=tickets.at.time()))),
        "fact_tickets: no column type of the model holds time; cast it.",
    ),
    "a dimension without its key": (
        lambda: star(dimensions=[a_dimension(lambda shops: shops.select("city"))]),
        "dim_shop: its key 'shop' is no column of type int32, int64, string, date.",
    ),
    "a key without an Unknown member": (
        lambda: star(dimensions=[a_dimension(lambda tickets: tickets, key="at")]),
        "dim_shop: its key 'at' is no column of type int32, int64, string, date. The Unknown member needs",
    ),
    "a dimension with the member kind": (
        lambda: star(dimensions=[a_dimension(lambda shops: shops.mutate(member_kind=shops.city))]),
        "dim_shop: has a column 'member_kind', which is added to it. Use another name.",
    ),
    "members inferred from another star": (
        lambda: star(dimensions=[a_dimension(lambda shops: shops, inferred_from=[elsewhere])]),
        "dim_shop: infers from elsewhere, not in this star. Add it.",
    ),
    "members inferred from another type": (
        lambda: star(dimensions=[a_dimension(lambda shops: shops, inferred_from=[tickets["id"]])]),
        "dim_shop: tickets.id and the key 'shop' have different types. Declare both with one type.",
    ),
    "a measure that is no column": (
        lambda: star(a_fact(all_of_it, measures=[Measure("money")])),
        "fact_tickets: names 'money', which is not among its columns. Return it.",
    ),
    "a key that is no column": (lambda: star(a_fact(all_of_it, key="ticket")), "names 'ticket'"),
    "a sort column that is no column": (lambda: star(a_fact(all_of_it, sort_by=["city"])), "names 'city'"),
    "a reference that is no column": (lambda: star(a_fact(all_of_it, references={"town": dim_shop})), "names 'town'"),
    "a dimension of another star": (
        lambda: star(a_fact(all_of_it), dimensions=[]),
        "fact_tickets: 'shop' refers to dim_shop, not in this star. Add it.",
    ),
    "a reference of another type": (
        lambda: star(a_fact(all_of_it, references={"id": dim_shop})),
        "fact_tickets: 'id' is int64, but dim_shop.shop is string. Give both one type.",
    ),
    "a date that is a day": (
        lambda: star(a_fact(lambda tickets: tickets.mutate(day=business_date(tickets.at)), date="day")),
        "fact_tickets: its date 'day' is date, expected a timestamp. Return one timestamp column",
    ),
    "a date of two columns": (
        lambda: star(a_fact(lambda tickets: tickets.mutate(at=tickets.shut.coalesce(tickets.at)))),
        "fact_tickets: its date 'at' comes from 2 source columns, expected one.",
    ),
    "a computed date": (
        lambda: star(a_fact(lambda tickets: tickets.mutate(at=tickets.at + ibis.interval(days=1)))),
        "fact_tickets: its date 'at' is computed from tickets.at, which is declared as timestamp. Pass one timestamp",
    ),
    "a date of a text": (
        lambda: star(a_fact(lambda tickets: tickets.mutate(at=tickets.shop.cast("timestamp(3)")))),
        "fact_tickets: its date 'at' is computed from tickets.shop, which is declared as string. Pass one timestamp "
        "column of the driving source through as it is; text, or a date, becomes one where its source declares it",
    ),
    "a date that is filled": (
        lambda: star(a_fact(lambda tickets: tickets.fill_null({"at": datetime(2023, 7, 1)}))),
        "fact_tickets: its date 'at' is computed from tickets.at",
    ),
    "the last date of several": (
        lambda: star(a_fact(lambda tickets: tickets.group_by("id", "shop").agg(at=tickets.at.max()))),
        "fact_tickets: its date 'at' is computed from tickets.at",
    ),
}


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_a_contradiction_is_told(case: str) -> None:
    """When the star is put together, with table, problem and remedy, not days later in an engine."""
    declare, message = CONTRADICTIONS[case]
    with pytest.raises(BadDeclaration) as told:
        declare()
    assert message in str(told.value)


@pytest.mark.parametrize(
    "transform",
    [
        lambda tickets: tickets.filter(tickets.shop != "x").distinct().order_by("at").limit(5),
        lambda tickets: tickets.filter(tickets.shop == "x").union(tickets.filter(tickets.shop != "x")),
        lambda tickets: tickets.drop_null("at").select("id", "shop", opened=tickets.at).rename(at="opened"),
        lambda tickets: tickets.group_by("id", "shop", "at").agg(rows=tickets.count()),
    ],
    ids=["filtered", "of two parts", "renamed", "grouped"],
)
def test_a_date_that_is_passed_through_drives(transform: Callable[[Table], Table]) -> None:
    """Whatever else a function does, the date of each row is one that the key index knows."""

    def rows(tickets: Table) -> Table:
        return transform(tickets)

    found = star(a_fact(rows))
    assert found.driving_column(found.facts["fact_tickets"]).column == "at"


def test_a_table_needs_a_usable_name() -> None:
    with pytest.raises(BadDeclaration, match="FactTickets: is not a usable table name"):

        @fact(key="id", date="at", references={})
        def FactTickets(tickets: Table) -> Table:  # noqa: N802
            return tickets


def test_a_bare_source_stands_for_its_column_of_the_key() -> None:
    assert [(column.source.name, column.column) for column in dim_shop.inferred_from] == [("tickets", "shop")]


def test_a_bare_source_without_that_column_is_told() -> None:
    with pytest.raises(BadDeclaration, match="source positions: has no column 'shop'"):
        a_dimension(lambda shops: shops, inferred_from=[positions])


# Descriptions


def descriptions(star: Star, name: str) -> dict[str, str]:
    return {field.name: field.description for field in star.fields(star.table(name))}  # type: ignore[arg-type]


def test_a_column_inherits_the_description_of_what_it_comes_from() -> None:
    """What a source says once is said in every table that passes it on."""
    told = descriptions(star(), "dim_shop")
    assert told == {
        "shop": "Which shop.",
        "city": "Where.",
        "town": "The city, in capitals.",
        "member_kind": "described by an export, vanished from later ones, inferred from use alone, "
        "the unknown member, or superseded: kept until the facts that use it are built again",
    }


def test_a_measure_describes_its_column() -> None:
    measured = a_fact(
        lambda tickets: tickets.mutate(twice=tickets.id * 2), measures=[Measure("twice", "sum", "Twice as many.")]
    )
    assert descriptions(star(measured), "fact_tickets")["twice"] == "Twice as many."


def test_a_column_of_two_origins_inherits_no_description() -> None:
    """Either would be wrong."""

    def mixed(tickets: Table, shops: Table) -> Table:
        return tickets.join(shops, "shop").mutate(label=tickets.id.cast("string") + shops.city)

    assert descriptions(star(a_fact(mixed)), "fact_tickets")["label"] == ""


@pytest.mark.parametrize("table", [*retail.tables])
def test_every_column_of_the_retail_star_is_described(table: str) -> None:
    assert [name for name, text in descriptions(retail, table).items() if not text] == []


# Who feeds whom


def test_the_date_tells_the_driving_column() -> None:
    column = retail.driving_column(fact_sales)
    assert (column.source, column.column) == (orders, "ordered_at")


def test_lines_of_the_driving_source_are_parts_and_the_rest_are_lookups() -> None:
    def mixed(shops: Table, tickets: Table, positions: Table) -> Table:
        return tickets.join(positions, "id").join(shops, "shop").select("id", "shop", "at", "city", "money")

    mixed_fact = a_fact(mixed)
    found = star(mixed_fact)
    assert found.parts(mixed_fact) == (positions,)
    assert found.lookups(mixed_fact) == (shops,)


def test_a_fact_may_be_driven_by_any_of_its_timestamps() -> None:
    """Posting by shipping date needs no other source, just another column."""
    shut = a_fact(all_of_it, date="shut")
    assert star(shut).driving_column(shut).column == "shut"


def test_a_dimension_depends_on_the_sources_it_infers_from() -> None:
    assert retail.upstream_sources(dim_product) == (retail.sources["products"], order_items, pos_sales)
    assert retail.upstream_sources(dim_customer) == (retail.sources["customers"], orders, pos_sales)


def test_the_calendar_depends_on_what_drives_the_facts() -> None:
    """A sale in a new year needs that year's days."""
    assert retail.upstream_sources(dim_time) == (orders, pos_sales)


def test_a_dimension_has_the_member_kind_beside_its_own_columns() -> None:
    (*own, kind) = star().fields(dim_shop)
    assert [field.name for field in own] == ["shop", "city", "town"]
    assert (kind.name, str(kind.type)) == ("member_kind", "string")


def test_the_tables_come_in_the_order_data_flows() -> None:
    assert list(retail.tables)[:2] == ["orders", "order_items"]
    assert list(retail.tables)[-1] == "fact_sales"


def test_an_unknown_table_is_told_with_the_known_ones() -> None:
    with pytest.raises(UnknownTable, match=r"No table 'fact_sale' in this star. Known: orders, .*fact_sales"):
        retail.table("fact_sale")


def test_a_table_without_an_owner_is_the_stars() -> None:
    owned = Source("owned", key="id", columns={"id": "int64"}, owner="team:tills")
    found = Star([owned, shops], [], [], owner="team:retail")
    assert (found.owner(owned), found.owner(shops)) == ("team:tills", "team:retail")


# STAR_MODEL


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("star_assets.star", "expected package.module:attribute"),
        ("star_assets.star:nothing", "expected package.module:attribute that can be imported (module"),
        ("no_such_package.star:retail", "(No module named 'no_such_package')"),
        (":retail", "expected package.module:attribute"),
        ("", "expected package.module:attribute"),
        (".star:retail", "expected package.module:attribute"),
        ("star_assets.star:orders", "STAR_MODEL='star_assets.star:orders': expected a Star, found a Source."),
    ],
)
def test_a_star_that_cannot_be_loaded_is_told(path: str, message: str) -> None:
    with pytest.raises(BadSetting) as told:
        load_star(path)
    assert str(told.value).startswith("STAR_MODEL=")
    assert message in str(told.value)


def test_the_retail_star_is_loaded_by_its_path() -> None:
    assert load_star("star_assets.star:retail") is retail


def test_a_star_in_the_working_directory_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A console script does not look there by itself; STAR_MODEL of a project without packaging would fail."""
    (tmp_path / "our_own_star.py").write_text("from star_assets.model import Star\nempty = Star([], [], [])\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [*sys.path])
    assert isinstance(load_star("our_own_star:empty"), Star)


def test_a_star_that_contradicts_itself_says_so_when_it_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a_broken_star.py").write_text("from star_assets.model import Source\nSource('x', 'id', {})\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [*sys.path])
    with pytest.raises(BadDeclaration, match="source x: key names 'id'"):
        load_star("a_broken_star:star")
