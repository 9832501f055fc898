"""Raw exports in the catalog: what a crawler would find, as far as Athena reads it right."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from star_assets.keeping.retire import retire
from star_assets.lake.catalog import CatalogColumn, PartitionEntry, TableEntry
from star_assets.model import Column, Csv, Marker, Source, Star
from star_assets.model.errors import CatalogBusy
from star_assets.pipeline.raw.tables import RawTable
from star_assets.pipeline.raw.updating import mend_raw, raw_remarks

D1, D2, D3, D4 = DAYS = ["2023-07-01", "2023-07-02", "2023-07-03", "2023-07-04"]


def notes(**declared) -> Star:
    """A star of one source of two columns, of which an export may lack the second."""
    columns = {"id": Column("int64", "The key."), "price": Column("decimal(18,4)", optional=True)}
    return Star([Source("notes", key="id", columns=columns, **{"whole": Marker(), **declared})], [], [])


@pytest.fixture(params=["make_lake", "make_aws_lake"], ids=["local", "aws"])
def new_lake(request: pytest.FixtureRequest):
    """Makes lakes in a folder, and on AWS."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def lake(new_lake):
    return new_lake(notes())


def csv(lake, day: str, header: str, *rows: str) -> None:
    lake.write("notes", day, {"n.csv": "\n".join([header, *rows]) + "\n"})


def mend(lake) -> list[tuple[str | None, str]]:
    """What a new process does to the raw table."""
    found = lake.again().warehouse.mend(["notes"])
    return [(drift.partition, drift.what) for drift in found if drift.table == "oltp.notes"]


def left_out(lake) -> tuple[list[str], str]:
    warehouse = lake.again().warehouse
    return RawTable(warehouse, warehouse.star.sources["notes"]).left_out()


def test_a_staged_day_is_in_the_raw_table(lake) -> None:
    csv(lake, D1, "id,price", "1,2.50")
    lake.run(D1)
    storage, catalog = lake.warehouse.storage, lake.warehouse.catalog
    assert catalog.table("oltp", "notes") == TableEntry(
        "oltp",
        "notes",
        (CatalogColumn("id", "string", "The key."), CatalogColumn("price", "string")),
        (CatalogColumn("date", "string", "Export day."),),
        storage.uri("oltp/notes"),
        "csv",
        {"made_by": "star_assets", "classification": "csv", "skip.header.line.count": "1"},
        "Raw exports, all as text.",
        serde={"separatorChar": ",", "quoteChar": '"', "escapeChar": "\x01"},
    )
    (found,) = catalog.partitions("oltp", "notes")
    assert (found.values, found.location) == ((D1,), storage.uri(f"oltp/notes/date={D1}"))
    assert [column.name for column in found.columns] == ["id", "price"]
    assert left_out(lake) == ([], "")


def test_json_lines_are_read_by_another_serde(lake) -> None:
    lake.write("notes", D1, {"n.jsonl": '{"id": 1, "Unit Price": 3}\n'})
    lake.run(D1)
    found = lake.warehouse.catalog.table("oltp", "notes")
    assert (found.format, found.serde) == ("json", {"mapping.unit_price": "unit price"})
    assert found.parameters == {"made_by": "star_assets", "classification": "json"}
    lake.write("notes", D2, {"n.jsonl": '{"color": "red", "id": 2}\n'})
    lake.run(D2)
    assert lake.raw("notes") == {D1: ["id", "unit_price"], D2: ["id", "unit_price", "color"]}
    assert mend(lake) == []


def test_a_new_column_appears_and_older_days_stay(lake) -> None:
    """CSV goes by position: a column may come behind the others, and older days simply lack it."""
    csv(lake, D1, "id", "1")
    csv(lake, D2, "id,price", "1,2.50")
    lake.run(D1, D2)
    assert lake.raw_columns("notes") == ["id", "price"]
    csv(lake, D3, "id,price,color", "1,2.50,red")
    lake.run(D3)
    assert lake.raw_columns("notes") == ["id", "price", "color"]
    assert lake.raw("notes") == {D1: ["id"], D2: ["id", "price"], D3: ["id", "price", "color"]}
    assert mend(lake) == []


def test_the_newest_order_of_columns_is_the_tables(lake) -> None:
    """A day read by other positions would show prices as keys; it is left out instead, and the reason told."""
    csv(lake, D1, "id,price", "1,2.50")
    csv(lake, D2, "id,color,price", "1,red,2.50")
    lake.run(D1)
    lake.run(D2)
    assert lake.raw_columns("notes") == ["id", "color", "price"]
    assert lake.raw("notes") == {D2: ["id", "color", "price"]}
    days, reason = left_out(lake)
    assert (days, reason.partition(" than newer")[0]) == ([D1], "it has other columns, or in another order,")
    csv(lake, D1, "id,color,price", "1,red,2.50")
    lake.run(D1)
    assert list(lake.raw("notes")) == [D1, D2]


def test_an_old_day_of_another_order_does_not_change_the_table(lake) -> None:
    """A late correction of last year must not take this year's days from an analyst."""
    csv(lake, D2, "id,price", "1,2.50")
    lake.run(D2)
    csv(lake, D1, "price,id", "2.50,1")
    lake.run(D1)
    assert lake.raw("notes") == {D2: ["id", "price"]}
    assert mend(lake) == []


def test_another_format_begins_anew(lake) -> None:
    """A table and its partitions have one format on Athena."""
    csv(lake, D1, "id,price", "1,2.50")
    lake.run(D1)
    lake.write("notes", D2, {"n.jsonl": '{"id": 1}\n'})
    lake.run(D2)
    assert lake.raw("notes") == {D2: ["id"]}
    assert left_out(lake) == ([D1], "it is CSV, and newer exports are JSON")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        (
            "n.json",
            '[{"id": 1}]',
            "oltp/notes/date=2023-07-01/n.json is a JSON array, and the SerDe reads an object a line",
        ),
        (
            "n.csv",
            'id,price\n1,"2\n"\n',
            "oltp/notes/date=2023-07-01/n.csv: a record goes over several lines, or a line is blank",
        ),
    ],
)
def test_what_no_serde_reads_is_left_out_with_the_reason(lake, name: str, content: str, reason: str) -> None:
    """It is staged all the same, and its manifest and the asset say why it is in no raw table."""
    lake.write("notes", D1, {name: content})
    lake.refresh("notes", D1)
    assert lake.raw("notes") == {}
    assert left_out(lake) == ([D1], reason)
    csv(lake, D2, "id,price", "1,2.50")
    lake.run(D2)
    assert list(lake.raw("notes")) == [D2]
    told = raw_remarks(lake.again().warehouse)
    assert told == [f"oltp.notes: 1 raw export is left to staging.notes. The newest, {D1}: {reason}."]


def test_the_manifest_says_how_athena_reads_the_export(lake) -> None:
    """Dagster shows it with every materialization, and nobody has to look into the files again."""
    lake.write("notes", D1, {"n.json": '[{"id": 1}]'})
    lake.run(D1)
    assert "JSON array" in lake.manifest("notes", D1).facts["raw_layout"]["problem"]


def test_a_day_that_becomes_unreadable_leaves_the_table(lake) -> None:
    """Athena would read the new files by the old partition."""
    csv(lake, D1, "id,price", "1,2.50")
    csv(lake, D2, "id,price", "1,2.50")
    lake.run(D1, D2)
    lake.write("notes", D1, {"n.json": '[{"id": 1}]'})
    lake.run(D1)
    assert list(lake.raw("notes")) == [D2]


def test_a_day_that_cannot_be_staged_can_be_looked_into(lake) -> None:
    """Rejected rows are best understood by a query over the raw ones."""
    csv(lake, D1, "id,price", "x,2.50")
    assert lake.statuses("notes", D1) == ["failed"]
    assert lake.raw("notes") == {D1: ["id", "price"]}


def test_exports_that_another_system_dropped_are_registered_by_repair(lake) -> None:
    """Whether or not anybody stages them; one that is not whole waits."""
    for day in DAYS:
        csv(lake, day, "id,price", "1,2.50")
    lake.warehouse.storage.delete([f"oltp/notes/date={D4}/_SUCCESS"])
    expected = [(None, "registered"), *((f"date={day}", "registered") for day in DAYS[:3])]
    assert mend(lake) == expected
    assert mend(lake) == []
    assert left_out(lake) == ([D4], "it is not whole yet")


def test_what_changed_or_went_is_mended(lake) -> None:
    """Withdrawn exports, changed ones, and a partition that somebody dropped."""
    for day in DAYS:
        csv(lake, day, "id,price", "1,2.50")
    mend(lake)
    lake.withdraw("notes", D1)
    csv(lake, D2, "id", "1")
    lake.warehouse.catalog.drop_partitions("oltp", "notes", [(D3,)])
    assert mend(lake) == [(f"date={D2}", "moved"), (f"date={D3}", "registered"), (f"date={D1}", "dropped")]
    assert lake.raw("notes") == {D2: ["id"], D3: ["id", "price"], D4: ["id", "price"]}
    assert mend(lake) == []


def test_another_dialect_is_looked_at_anew(lake) -> None:
    """The same files, declared otherwise, have other columns."""
    csv(lake, D1, "id;price", "1;2.50")
    mend(lake)
    assert lake.raw("notes") == {}
    declared = lake.again(notes(csv=Csv(delimiter=";")))
    assert mend(declared) == [(None, "registered"), (f"date={D1}", "registered")]
    assert declared.raw("notes") == {D1: ["id", "price"]}


def test_what_is_not_ours_is_left_alone(lake) -> None:
    """A crawler's table, and a partition that somebody added to ours."""
    theirs = TableEntry("oltp", "notes", (CatalogColumn("x", "int"),), location="s3://theirs/notes")
    lake.warehouse.catalog.put_table(theirs)
    csv(lake, D1, "id,price", "1,2.50")
    lake.run(D1)
    assert mend(lake) == [(None, "not ours")]
    assert lake.warehouse.catalog.table("oltp", "notes") == theirs
    assert left_out(lake) == ([D1], "a table of that name exists that star_assets did not make")
    lake.warehouse.catalog.drop_table("oltp", "notes")
    mend(lake)
    added = PartitionEntry(("1999-01-01",), lake.warehouse.storage.uri("elsewhere"), (CatalogColumn("id", "string"),))
    lake.warehouse.catalog.put_partitions("oltp", "notes", [added])
    assert mend(lake) == []
    assert list(lake.raw("notes")) == ["1999-01-01", D1]


def test_a_retired_day_leaves_the_table(lake) -> None:
    """Its files are gone, and an empty day would look like one without sales."""
    csv(lake, D1, "id,price", "1,2.50")
    csv(lake, D2, "id,price", "1,2.50")
    lake.run(D1, D2)
    retire(lake.warehouse, timedelta(days=0), date(2023, 7, 2))
    assert mend(lake) == [(f"date={D1}", "dropped")]
    assert left_out(lake) == ([D1], "its raw files were retired")


def test_an_empty_export_is_a_partition_without_rows(lake) -> None:
    """And says nothing of what the columns are, even if it is the newest."""
    csv(lake, D1, "id,price", "1,2.50")
    lake.write("notes", D2, {})
    lake.run(D1, D2)
    csv(lake, D1, "price,id", "2.50,1")
    lake.run(D1)
    assert lake.raw("notes") == {D1: ["price", "id"], D2: ["price", "id"]}
    assert mend(lake) == []


def test_what_keeps_the_raw_table_from_being_made_fails_no_day(lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sales must not wait for a right that only the raw tables need."""

    def busy(_: RawTable, days: object) -> None:
        raise CatalogBusy("Glue oltp", 60)

    csv(lake, D1, "id,price", "1,2.50")
    csv(lake, D2, "id,price", "1,2.50")
    with monkeypatch.context() as patched:
        patched.setattr(RawTable, "register", busy)
        first, last = lake.refresh("notes", D1, D2)
    assert (first.error, last.error, first.note) == (None, None, "")
    assert last.note.startswith("The raw exports of notes were not registered in the catalog. Glue oltp: ")
    assert [what for _, what in mend(lake)] == ["registered"] * 3


def test_many_days_are_mended_newest_first_and_a_stop_midway_leaves_a_table(
    new_lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sensor has a minute; what it did not reach is as it was."""
    monkeypatch.setattr("star_assets.pipeline.raw.tables.DAYS_AT_ONCE", 2)
    lake = new_lake(notes())
    for day in DAYS:
        csv(lake, day, "id,price", "1,2.50")
    warehouse = lake.again().warehouse
    table = RawTable(warehouse, warehouse.star.sources["notes"])
    mending = table.mend()
    assert [drift.partition for drift in next(mending)] == [None, f"date={D3}", f"date={D4}"]
    assert list(lake.raw("notes")) == [D3, D4]
    assert [drift.partition for step in mending for drift in step] == [f"date={D1}", f"date={D2}"]


def test_what_is_registered_is_not_read_again(lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten years of exports are compared by one listing; even those that were left out, once they are staged."""
    csv(lake, D1, "id,price", "1,2.50")
    lake.write("notes", D2, {"n.json": '[{"id": 1}]'})
    lake.run(D1, D2)

    def never(*_: object) -> None:
        raise AssertionError("a file was inspected")

    monkeypatch.setattr("star_assets.pipeline.stage.inspect_file", never)
    assert mend(lake) == []


# Left to a crawler


@pytest.fixture
def crawled(make_aws_lake, monkeypatch: pytest.MonkeyPatch):
    """A lake on AWS whose source is crawled, by a crawler that succeeds."""
    monkeypatch.setattr("star_assets.lake.glue_crawler.FIRST_PAUSE", 0.001)
    monkeypatch.setenv("STAR_CRAWLER_ROLE", "crawler-SUCCEEDED")
    return make_aws_lake(notes(crawled=True))


def crawls(lake) -> int:
    """How many crawls have ended."""
    import boto3

    name = f"{lake.settings.glue_prefix}oltp_notes"
    return boto3.client("glue").get_crawler(Name=name)["Crawler"]["LastCrawl"]["StartTime"].minute


def test_a_crawled_source_is_crawled_once_its_days_are_staged(crawled) -> None:
    """And its table is the crawler's: none is kept beside it."""
    csv(crawled, D1, "id,price", "1,2.50")
    csv(crawled, D2, "id,price", "1,2.50")
    crawled.run(D1, D2)
    assert crawls(crawled) == 1
    crawled.run(D1, D2)
    assert crawls(crawled) == 1
    assert crawled.raw_columns("notes") == []
    assert raw_remarks(crawled.warehouse) == []


def test_a_table_that_we_kept_goes_when_a_source_is_left_to_a_crawler(crawled) -> None:
    """Two keepers would undo each other's work."""
    csv(crawled, D1, "id,price", "1,2.50")
    crawled.again(notes()).run(D1)
    assert crawled.raw_columns("notes") == ["id", "price"]
    assert mend(crawled) == []
    crawled.warehouse.catalog.drop_partitions("oltp", "notes", [(D1,)])
    assert mend(crawled) == [(None, "crawled")]
    assert crawled.raw_columns("notes") == []


def test_an_export_that_a_crawlers_table_lacks_is_crawled_by_repair(crawled) -> None:
    """One that another system dropped. Nothing new, no crawl."""
    csv(crawled, D1, "id,price", "1,2.50")
    assert mend(crawled) == [(None, "crawled")]
    table = TableEntry("oltp", "notes", (CatalogColumn("id", "bigint"),), (CatalogColumn("date", "string"),))
    crawled.warehouse.catalog.put_table(table)
    day = PartitionEntry((D1,), crawled.warehouse.storage.uri(f"oltp/notes/date={D1}"), table.columns)
    crawled.warehouse.catalog.put_partitions("oltp", "notes", [day])
    assert mend(crawled) == []


def test_a_sensor_starts_the_crawler_and_does_not_wait(crawled, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has a minute, a crawl takes several."""
    monkeypatch.setenv("STAR_CRAWLER_ROLE", "crawler-ENDLESS")
    csv(crawled, D1, "id,price", "1,2.50")
    warehouse = crawled.again().warehouse
    source = warehouse.star.sources["notes"]
    started = [drift.what for step in mend_raw(warehouse, source, wait=False) for drift in step]
    again = [drift.what for step in mend_raw(warehouse, source, wait=False) for drift in step]
    assert (started, again) == (["crawled"], [])


def test_a_crawled_source_needs_a_role_and_its_days_are_staged_all_the_same(
    crawled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STAR_CRAWLER_ROLE")
    csv(crawled, D1, "id,price", "1,2.50")
    (outcome,) = crawled.again().refresh("notes", D1)
    assert outcome.status == "published"
    assert "STAR_CRAWLER_ROLE='': expected the role that Glue crawls as" in outcome.note


def test_in_a_folder_there_is_no_crawler_and_the_table_is_ours(make_lake) -> None:
    """The same star runs on a laptop."""
    lake = make_lake(notes(crawled=True))
    csv(lake, D1, "id,price", "1,2.50")
    lake.run(D1)
    assert lake.raw("notes") == {D1: ["id", "price"]}
