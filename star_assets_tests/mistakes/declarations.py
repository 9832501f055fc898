"""Mistakes in declarations: each is told when the star is loaded, by whatever command, before anything is read."""

from __future__ import annotations

from .case import Mistake

# A star as somebody writes it, with places where mistakes are made.
SHOP = """\
from ibis.expr.types import Table

from star_assets.model import Column, Csv, FileCount, Marker, Measure, Settled, Source, Star, dimension, fact

ITEMS = Source("items", key="item_id", columns={{"item_id": "int64", "label": "string", "price": "decimal(18,2)"}})
SALES = Source(
    "sales",
    key="sale_id",
    event_time="sold_at",
    columns={{"sale_id": "int64", "item_id": "int64", "sold_at": "timestamp", "amount": "decimal(18,2)"}},
)
{before}

@dimension({dimension})
def dim_item(items: Table) -> Table:
    return {item}


@fact({fact})
def fact_sales(sales: Table) -> Table:
    return {sale}


star = Star({star})
"""


def _shop(
    done: str,
    says: str,
    before: str = "",
    dimension: str = 'key="item_id"',
    item: str = "items",
    fact: str = 'key="sale_id", date="sold_at", references={"item_id": dim_item}, measures=[Measure("amount")]',
    sale: str = "sales",
    star: str = "[ITEMS, SALES], [dim_item], [fact_sales]",
) -> Mistake:
    module = SHOP.format(before=before, dimension=dimension, item=item, fact=fact, sale=sale, star=star)
    return Mistake(done, ("ddl",), says, star=module)


def _source(done: str, says: str, **declared: str) -> Mistake:
    """A source beside the two, with what is declared of it as Python."""
    arguments = {"key": '"a"', "columns": '{"a": "int64", "b": "string", "t": "timestamp"}', **declared}
    named = ", ".join(f"{name}={value}" for name, value in arguments.items())
    star = "[ITEMS, SALES, OTHER], [dim_item], [fact_sales]"
    return _shop(done, says, before=f'OTHER = Source("other", {named})', star=star)


MISTAKES = [
    _source(
        "a key that is no column",
        "Error: source other: key names 'id', not among its columns. Declare it.\n",
        key='"id"',
    ),
    _source(
        "a version that is no column",
        "Error: source other: version names 'updated_at', not among its columns. Declare it.\n",
        version='"updated_at"',
    ),
    _source(
        "an event time that is no column",
        "Error: source other: event_time names 'at', not among its columns. Declare it.\n",
        event_time='"at"',
    ),
    _source(
        "an event time that is a text",
        "Error: source other: event_time 'b' is no timestamp. Declare it as one.\n",
        event_time='"b"',
    ),
    _source(
        "a type that there is not",
        (
            "Error: source other, column a: no type 'integer'; known: int32, int64, float64, boolean, "
            "string, date, timestamp, decimal(p,s) with s <= p <= 38. Use one of these.\n"
        ),
        columns='{"a": "integer"}',
    ),
    _source(
        "a decimal without a scale",
        (
            "Error: source other, column a: no type 'decimal(18)'; known: int32, int64, float64, boolean, "
            "string, date, timestamp, decimal(p,s) with s <= p <= 38. Use one of these.\n"
        ),
        columns='{"a": "decimal(18)"}',
    ),
    _source(
        "a decimal with more digits than there are",
        (
            "Error: source other, column a: no type 'decimal(50,2)'; known: int32, int64, float64, boolean, "
            "string, date, timestamp, decimal(p,s) with s <= p <= 38. Use one of these.\n"
        ),
        columns='{"a": "decimal(50,2)"}',
    ),
    _source(
        "a type that is no text",
        "Error: source other, column a: its type is <class 'int'>. Use a text such as \"int64\".\n",
        columns='{"a": int}',
    ),
    _source(
        "a column in capitals",
        "Error: source other: 'Name' is not a usable name. Use lower-case letters, digits and _.\n",
        columns='{"a": "int64", "Name": "string"}',
    ),
    _source(
        "a column with a space",
        "Error: source other: 'first name' is not a usable name. Use lower-case letters, digits and _.\n",
        columns='{"a": "int64", "first name": "string"}',
    ),
    _source("no columns", "Error: source other: key names 'a', not among its columns. Declare it.\n", columns="{}"),
    _source(
        "columns as a list",
        'Error: source other: its columns are no mapping. Give each a type: {"order_id": "int64"}.\n',
        columns='["a", "b"]',
    ),
    _source(
        "a tombstone that cannot be read",
        "Error: source other: cannot read deleted='b is null'. Write \"column = 'value'\".\n",
        deleted='"b is null"',
    ),
    _source(
        "a tombstone of what is no column",
        "Error: source other: deleted names 'op', not among its columns. Declare it.\n",
        deleted="\"op = 'D'\"",
    ),
    _source(
        "lines of a kind that there is not",
        'Error: source other: lines is \'all\'. Use "complete" or "changed"; see docs/own-tables.md.\n',
        lines='"all"',
    ),
    _source(
        "exports of a kind that there is not",
        'Error: source other: exports is \'full\'. Use "changes" or "snapshots".\n',
        exports='"full"',
    ),
    _source(
        "new columns treated as nothing treats them",
        "Error: source other: new_columns='keep' is none of evolve, ignore, freeze. Use one of these.\n",
        new_columns='"keep"',
    ),
    _source(
        "a time zone of another planet",
        "Error: source other: timezone is 'Mars'. Use an IANA time zone such as America/New_York.\n",
        timezone='"Mars"',
    ),
    _source(
        "this machine's time zone",
        "Error: source other: timezone is 'localtime'. Use an IANA time zone such as America/New_York.\n",
        timezone='"localtime"',
    ),
    _source(
        "a time zone that is an offset",
        "Error: source other: timezone is '+02:00'. Use an IANA time zone such as America/New_York.\n",
        timezone='"+02:00"',
    ),
    _source(
        "a time zone that is no text",
        "Error: source other: timezone is 2. Use an IANA time zone such as America/New_York.\n",
        timezone="2",
    ),
    _source(
        "rejects in percent",
        "Error: source other: max_rejects is 5. Use a share from 0 to 1; 0.001 is 0.1 %.\n",
        max_rejects="5",
    ),
    _source(
        "fewer rejects than none",
        "Error: source other: max_rejects is -0.1. Use a share from 0 to 1; 0.001 is 0.1 %.\n",
        max_rejects="-0.1",
    ),
    _source(
        "rejects that are no number",
        "Error: source other: max_rejects is nan. Use a share from 0 to 1; 0.001 is 0.1 %.\n",
        max_rejects='float("nan")',
    ),
    _source(
        "rejects in words",
        "Error: source other: max_rejects is '5%'. Use a share from 0 to 1; 0.001 is 0.1 %.\n",
        max_rejects='"5%"',
    ),
    _source(
        "a marker in another folder",
        "Error: Marker: name is '../x'. Use the name of a file, such as \"_SUCCESS\".\n",
        whole='Marker("../x")',
    ),
    _source(
        "a marker with a path",
        "Error: Marker: name is 'done/_SUCCESS'. Use the name of a file, such as \"_SUCCESS\".\n",
        whole='Marker("done/_SUCCESS")',
    ),
    _source(
        "a marker without a name",
        "Error: Marker: name is ''. Use the name of a file, such as \"_SUCCESS\".\n",
        whole='Marker("")',
    ),
    _source(
        "a marker that no listing shows",
        "Error: Marker: name is '.done'. Use the name of a file, such as \"_SUCCESS\".\n",
        whole='Marker(".done")',
    ),
    _source(
        "a marker for all days",
        "Error: Marker: name is '*'. Use the name of a file, such as \"_SUCCESS\".\n",
        whole='Marker("*")',
    ),
    _source(
        "an export of no files", "Error: FileCount: files is 0. Use a whole number from 1 on.\n", whole="FileCount(0)"
    ),
    _source(
        "an export of half a file",
        "Error: FileCount: files is 1.5. Use a whole number from 1 on.\n",
        whole="FileCount(1.5)",
    ),
    _source(
        "an export that settles before it comes",
        "Error: Settled: seconds is -1. Use a number from 0 to 604,800, which is a week.\n",
        whole="Settled(-1)",
    ),
    _source(
        "an export that never settles",
        "Error: Settled: seconds is inf. Use a number from 0 to 604,800, which is a week.\n",
        whole='Settled(float("inf"))',
    ),
    _source(
        "a marker's name for a marker",
        "Error: source other: whole is '_SUCCESS'. Use Marker(\"_SUCCESS\"), FileCount(4) or Settled(60).\n",
        whole='"_SUCCESS"',
    ),
    _source(
        "a quote of two characters", "Error: csv: quote is \"''\". Use one ASCII character.\n", csv="Csv(quote=\"''\")"
    ),
    _source("no delimiter", 'Error: csv: delimiter is \'\'. Use "," or ";" or a tab.\n', csv='Csv(delimiter="")'),
    _source(
        "a delimiter that is a quote",
        'Error: csv: delimiter is \'"\'. Use "," or ";" or a tab.\n',
        csv="Csv(delimiter='\"')",
    ),
    _source(
        "an encoding that there is not",
        "Error: csv: unknown encoding: utf8mb4. Use one that Python knows, such as cp1252.\n",
        csv='Csv(encoding="utf8mb4")',
    ),
    _source(
        "an encoding that is no text's",
        (
            "Error: csv: 'base64' is not a text encoding; use codecs.encode() to handle arbitrary codecs. "
            "Use one that Python knows, such as cp1252.\n"
        ),
        csv='Csv(encoding="base64")',
    ),
    _source(
        "a NULL with a delimiter in it",
        "Error: csv: null is ','. Use text that a field can hold without quotes.\n",
        csv='Csv(null=(",",))',
    ),
    _source(
        "a dialect by its name",
        'Error: source other: csv is \'excel\'. Use Csv(delimiter=";", encoding="cp1252").\n',
        csv='"excel"',
    ),
    _source(
        "lines of a source by its name",
        "Error: source other: part_of is 'sales'. Use the Source itself, not its name.\n",
        part_of='"sales"',
    ),
    _source(
        "lines whose header's key is no column",
        "Error: source other: part_of names 'sale_id', not among its columns. Declare it.\n",
        part_of="SALES",
    ),
    _source(
        "lines with two columns for a key of one",
        (
            "Error: source other: header_key names a, b, but sales has the key sale_id. Name one column for "
            "each, in the same order.\n"
        ),
        part_of="SALES",
        header_key='("a", "b")',
    ),
    _source(
        "an argument that there is not",
        (
            "Error: STAR_MODEL='shop:star': expected package.module:attribute that can be imported (shop.py, "
            "line 12: Source.__init__() got an unexpected keyword argument 'primary_key').\n"
        ),
        primary_key='"a"',
    ),
    _source(
        "an owner that is neither a team nor a person",
        "Error: other: its owner is 'bob'. Use a team, such as \"team:data\", or an e-mail address.\n",
        owner='"bob"',
    ),
    _shop(
        "a source in capitals",
        "Error: source Orders: 'Orders' is not a usable name. Use lower-case letters, digits and _.\n",
        before='OTHER = Source("Orders", key="a", columns={"a": "int64"})',
    ),
    _shop(
        "a source that is a path",
        ("Error: source ../orders: '../orders' is not a usable name. Use lower-case letters, digits and _.\n"),
        before='OTHER = Source("../orders", key="a", columns={"a": "int64"})',
    ),
    _shop(
        "a dimension without a key",
        (
            "Error: STAR_MODEL='shop:star': expected package.module:attribute that can be imported (shop.py, "
            "line 14: dimension() missing 1 required keyword-only argument: 'key').\n"
        ),
        dimension="",
    ),
    _shop(
        "a dimension's key that is no column",
        (
            "Error: dim_item: its key 'id' is no column of type int32, int64, string, date. The Unknown "
            "member needs a key of one of these types.\n"
        ),
        dimension='key="id"',
    ),
    _shop(
        "a dimension's key that is money",
        (
            "Error: dim_item: its key 'price' is no column of type int32, int64, string, date. The Unknown "
            "member needs a key of one of these types.\n"
        ),
        dimension='key="price"',
    ),
    _shop(
        "a history of what is no column",
        ("Error: dim_item: history names 'colour', which is no attribute of it. Known: item_id, label, price.\n"),
        dimension='key="item_id", history=["colour"]',
    ),
    _shop(
        "a history of the key",
        ("Error: dim_item: history names 'item_id', which is no attribute of it. Known: item_id, label, price.\n"),
        dimension='key="item_id", history=["item_id"]',
    ),
    _shop(
        "a member inferred from what is no column",
        "Error: source sales: has no column 'item'. Declare it.\n",
        dimension='key="item_id", inferred_from=[SALES["item"]]',
    ),
    _shop(
        "a member inferred from a source without the key",
        "Error: source sales: has no column 'label'. Declare it.\n",
        dimension='key="label", inferred_from=[SALES]',
    ),
    _shop(
        "a member inferred from a text",
        ("Error: dim_item: inferred_from holds 'sales'. Use a Source, or one of its columns: orders[\"store\"].\n"),
        dimension='key="item_id", inferred_from=["sales"]',
    ),
    _shop(
        "a transform of a column that there is not",
        (
            "Error: dim_item: its function fails: shop.py, line 16: 'Table' object has no attribute "
            "'colour'. Its arguments have only the declared columns.\n"
        ),
        item="items.mutate(x=items.colour)",
    ),
    _shop(
        "a transform that returns nothing",
        (
            "Error: dim_item: its function returns nothing. Return one of its arguments, with columns changed or left "
            "out.\n"
        ),
        item="None",
    ),
    _shop(
        "a transform that returns a column",
        (
            "Error: dim_item: its function returns a IntegerColumn, and no table. Return one of its arguments, "
            "with columns changed or left out.\n"
        ),
        item="items.item_id",
    ),
    _shop(
        "a transform that fails",
        (
            "Error: dim_item: its function fails: shop.py, line 16: division by zero. Its arguments have only the "
            "declared columns.\n"
        ),
        item="1 / 0",
    ),
    _shop(
        "a column of a type that the model has not",
        (
            "Error: dim_item: no column type of the model holds array<string>; cast it. Cast it to a type "
            "that all engines share.\n"
        ),
        item="items.mutate(tags=__import__('ibis').array(['a']))",
    ),
    _shop(
        "a fact's column called as the partition",
        "Error: fact_sales: has a column 'date', which is the partition column. Use another name.\n",
        sale="sales.mutate(date=sales.item_id)",
    ),
    _shop(
        "a fact's key that is no column",
        "Error: fact_sales: names 'id', which is not among its columns. Return it.\n",
        fact='key="id", date="sold_at", references={}',
    ),
    _shop(
        "a fact without a date",
        (
            "Error: STAR_MODEL='shop:star': expected package.module:attribute that can be imported (shop.py, "
            "line 19: fact() missing 1 required keyword-only argument: 'date').\n"
        ),
        fact='key="sale_id", references={}',
    ),
    _shop(
        "a fact without references",
        (
            "Error: STAR_MODEL='shop:star': expected package.module:attribute that can be imported (shop.py, "
            "line 19: fact() missing 1 required keyword-only argument: 'references').\n"
        ),
        fact='key="sale_id", date="sold_at"',
    ),
    _shop(
        "a fact's date that is a number",
        (
            "Error: fact_sales: its date 'amount' is decimal(18,2), expected a timestamp. Return one "
            "timestamp column of the driving source unchanged.\n"
        ),
        fact='key="sale_id", date="amount", references={}',
    ),
    _shop(
        "a reference that is no column",
        "Error: fact_sales: names 'item', which is not among its columns. Return it.\n",
        fact='key="sale_id", date="sold_at", references={"item": dim_item}',
    ),
    _shop(
        "a reference by a column of another type",
        ("Error: fact_sales: 'amount' is decimal(18,2), but dim_item.item_id is int64. Give both one type.\n"),
        fact='key="sale_id", date="sold_at", references={"amount": dim_item}',
    ),
    _shop(
        "a reference to a dimension by its name",
        "Error: fact_sales: 'item_id' refers to 'dim_item'. Use the dimension itself, not its name.\n",
        fact='key="sale_id", date="sold_at", references={"item_id": "dim_item"}',
    ),
    _shop(
        "a measure that is no column",
        "Error: fact_sales: names 'profit', which is not among its columns. Return it.\n",
        fact='key="sale_id", date="sold_at", references={}, measures=[Measure("profit")]',
    ),
    _shop(
        "a measure that adds up as nothing does",
        "Error: fact_sales: the aggregate of amount is 'total'. Use one of sum, avg, min, max.\n",
        fact='key="sale_id", date="sold_at", references={}, measures=[Measure("amount", "total")]',
    ),
    _shop(
        "a measure of times",
        (
            "Error: fact_sales: its measure 'sold_at' is timestamp, expected a number. Leave it out; dates, "
            "texts and booleans are columns like others.\n"
        ),
        fact='key="sale_id", date="sold_at", references={}, measures=[Measure("sold_at")]',
    ),
    _shop(
        "a measure by its name",
        "Error: fact_sales: measures holds 'amount'. Write Measure('amount').\n",
        fact='key="sale_id", date="sold_at", references={}, measures=["amount"]',
    ),
    _shop(
        "an order by what is no column",
        "Error: fact_sales: names 'store', which is not among its columns. Return it.\n",
        fact='key="sale_id", date="sold_at", references={}, sort_by=["store"]',
    ),
    _shop(
        "a source that the star has not",
        "Error: dim_item: reads 'items', which is no source of the star. Known: sales.\n",
        star="[SALES], [dim_item], [fact_sales]",
    ),
    _shop(
        "a dimension that the star has not",
        "Error: fact_sales: 'item_id' refers to dim_item, not in this star. Add it.\n",
        star="[ITEMS, SALES], [], [fact_sales]",
    ),
    _shop(
        "a source twice",
        "Error: items: is declared twice in one star. Names are unique over all its tables.\n",
        star="[ITEMS, ITEMS, SALES], [dim_item], [fact_sales]",
    ),
    _shop(
        "a dimension among the facts",
        (
            "Error: Star: dim_item is no Fact but a Dimension. Give the sources, the dimensions and the "
            "facts, in this order.\n"
        ),
        star="[ITEMS, SALES], [], [dim_item, fact_sales]",
    ),
    _shop(
        "tables by their names",
        (
            "Error: Star: 'items' is no Source but a str. Give the sources, the dimensions and the facts, in "
            "this order.\n"
        ),
        star='["items"], ["dim_item"], ["fact_sales"]',
    ),
    _shop(
        "a star of nothing but sources",
        (
            "Error: STAR_MODEL='shop:star': expected package.module:attribute that can be imported (shop.py, "
            "line 24: Star.__init__() missing 2 required positional arguments: 'dimensions' and 'facts').\n"
        ),
        star="[ITEMS]",
    ),
    Mistake(
        "a star that cannot be parsed",
        ("ddl",),
        (
            "Error: STAR_MODEL='shop:star': expected package.module:attribute that can be imported (shop.py, "
            "line 2: '(' was never closed).\n"
        ),
        star="from star_assets.model import Star\nstar = Star([], [], []\n",
    ),
    Mistake(
        "a star that fails when it is loaded",
        ("ddl",),
        (
            "Error: STAR_MODEL='shop:star': expected package.module:attribute that can be imported (shop.py, "
            "line 2: there is no 'star').\n"
        ),
        star="settings = {}\nstar = settings['star']\n",
    ),
    Mistake(
        "a star that imports what is not there",
        ("ddl",),
        (
            "Error: STAR_MODEL='shop:star': expected package.module:attribute that can be imported (shop.py, "
            "line 1: No module named 'pandaz').\n"
        ),
        star="import pandaz\nstar = None\n",
    ),
    Mistake(
        "a star with a name that nobody gave",
        ("ddl",),
        (
            "Error: STAR_MODEL='shop:star': expected package.module:attribute that can be imported (shop.py, "
            "line 2: name 'sources' is not defined).\n"
        ),
        star="from star_assets.model import Star\nstar = Star(sources, [], [])\n",
    ),
]
