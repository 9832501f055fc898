"""A crawler of Glue over HTTP: what it is told, and what comes of each of its states."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from star_assets.lake import glue_crawler
from star_assets.lake.aws import Client
from star_assets.lake.glue_crawler import Crawler
from star_assets.model.errors import AwsRefused, CrawlFailed, CrawlUnfinished
from star_assets.settings import Settings

ROLE = "arn:aws:iam::123456789012:role/crawler-"
LOCATION = "s3://lake/retail/oltp/orders"


@pytest.fixture
def new_crawler(aws: Callable[[], Settings], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Crawler]:
    """Makes crawlers that end as told, of a name of their own. Nobody waits long."""
    prefix = aws().glue_prefix
    monkeypatch.setattr(glue_crawler, "FIRST_PAUSE", 0.001)

    def make(ending: str = "SUCCEEDED", location: str = LOCATION) -> Crawler:
        return Crawler(f"{prefix}oltp_orders", f"{prefix}oltp", location, f"{ROLE}{ending}")

    return make


def found(crawler: Crawler) -> dict[str, Any]:
    import boto3

    known: dict[str, Any] = boto3.client("glue").get_crawler(Name=crawler.name)["Crawler"]
    return known


def test_a_crawler_is_made_started_and_awaited(new_crawler: Callable[..., Crawler]) -> None:
    crawler = new_crawler()
    crawler.run()
    made = found(crawler)
    assert (made["State"], made["LastCrawl"]["Status"]) == ("READY", "SUCCEEDED")
    assert (made["Role"], made["DatabaseName"]) == (f"{ROLE}SUCCEEDED", crawler.wanted["DatabaseName"])
    assert made["Targets"]["S3Targets"] == [{"Path": f"{LOCATION}/", "Exclusions": ["**/_*", "**/.*"]}]


def test_new_columns_reach_the_table_and_nothing_is_dropped(new_crawler: Callable[..., Crawler]) -> None:
    """CRAWL_NEW_FOLDERS_ONLY would allow LOG alone: the columns of a table would stay as they began."""
    crawler = new_crawler()
    crawler.run()
    made = found(crawler)
    assert made["SchemaChangePolicy"] == {"UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": "LOG"}
    assert made["RecrawlPolicy"] == {"RecrawlBehavior": "CRAWL_EVERYTHING"}
    output = json.loads(made["Configuration"])["CrawlerOutput"]
    assert output["Tables"] == {"AddOrUpdateBehavior": "MergeNewColumns"}
    assert output["Partitions"] == {"AddOrUpdateBehavior": "InheritFromTable"}


def test_a_failed_crawl_says_why_and_where_its_log_is(new_crawler: Callable[..., Crawler]) -> None:
    with pytest.raises(CrawlFailed, match=r"failed: As the test wants\. .* CloudWatch, /aws-glue/crawlers"):
        new_crawler("FAILED").run()


def test_a_cancelled_crawl_may_be_tried_again(new_crawler: Callable[..., Crawler]) -> None:
    with pytest.raises(CrawlUnfinished, match="somebody cancelled it"):
        new_crawler("CANCELLED").run()


def test_an_endless_crawl_is_given_up(new_crawler: Callable[..., Crawler], monkeypatch: pytest.MonkeyPatch) -> None:
    """It stays at work; only the waiting ends."""
    monkeypatch.setattr(glue_crawler, "PATIENCE", 0.05)
    crawler = new_crawler("ENDLESS")
    with pytest.raises(CrawlUnfinished, match="did not end within"):
        crawler.run()
    assert found(crawler)["State"] == "RUNNING"


def test_a_crawl_that_is_under_way_is_followed_by_another(new_crawler: Callable[..., Crawler]) -> None:
    """It may have passed by the folders that are new."""
    crawler = new_crawler()
    assert crawler.start() is True
    assert crawler.start() is False
    crawler.run()
    assert found(crawler)["LastCrawl"]["StartTime"].minute == 2


def test_a_crawler_is_changed_to_what_is_wanted_and_else_left_as_it_is(new_crawler: Callable[..., Crawler]) -> None:
    """A lake that moved must not be crawled where it was."""
    new_crawler().run()
    new_crawler().run()
    assert found(new_crawler())["Version"] == 1
    moved = new_crawler(location="s3://lake/elsewhere/oltp/orders")
    moved.run()
    assert found(moved)["Version"] == 2
    assert found(moved)["Targets"]["S3Targets"][0]["Path"] == "s3://lake/elsewhere/oltp/orders/"


def test_a_change_waits_for_the_crawl_that_is_under_way(new_crawler: Callable[..., Crawler]) -> None:
    """Glue refuses to change a crawler at work."""
    new_crawler().start()
    changed = new_crawler(location="s3://lake/elsewhere/oltp/orders")
    changed.run()
    assert found(changed)["Version"] == 2


def test_a_crawler_of_somebody_else_is_left_alone(new_crawler: Callable[..., Crawler]) -> None:
    import boto3

    crawler = new_crawler()
    theirs = {**crawler.wanted, "Description": "The BI team's."}
    boto3.client("glue").create_crawler(Name=crawler.name, **theirs)
    with pytest.raises(AwsRefused, match="somebody else made it"):
        crawler.run()
    assert "LastCrawl" not in found(crawler)


def test_a_missing_right_is_told_by_the_action(new_crawler: Callable[..., Crawler]) -> None:
    """Creating one takes iam:PassRole, which the pipeline need not have if an administrator makes it."""
    import boto3

    crawler = new_crawler()
    denied = boto3.client(
        "glue", aws_access_key_id="ALWAYS.AccessDeniedException.CreateCrawler", aws_secret_access_key="testing"
    )
    crawler.client = Client("glue", lambda: denied)
    with pytest.raises(AwsRefused, match=r"Glue crawler .*: glue:CreateCrawler was denied"):
        crawler.run()
