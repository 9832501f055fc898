"""Glue crawlers over raw exports, for sources declared with `crawled=True`.

Here: when a crawler runs. Not here: its configuration (lake.glue_crawler), raw tables
that are kept without a crawler (tables).
"""

from __future__ import annotations

from collections.abc import Iterator

from star_assets.exports.finding import RAW
from star_assets.lake.drift import Drift
from star_assets.lake.glue_crawler import Crawler
from star_assets.model.errors import BadSetting
from star_assets.model.source import Source
from star_assets.pipeline.context import Context


def is_crawled(context: Context, source: Source) -> bool:
    """Whether a crawler keeps the source's raw table. A catalog without crawlers has it kept by raw_tables."""
    return source.crawled and context.catalog.has_crawlers


def crawl(context: Context, source: Source) -> None:
    """Run the source's crawler and wait for its end. Raises CrawlFailed, CrawlUnfinished, BadSetting."""
    _crawler(context, source).run()


def crawl_what_is_new(context: Context, source: Source, wait: bool) -> Iterator[list[Drift]]:
    """Run the crawler if the table lacks an export day. Yields what was done, as one step.

    Without `wait`, the crawler is started and not waited for.
    """
    known = {one.export for one in context.catalog.partitions(RAW, source.name)}
    exports = context.list_exports(source).exports if source.is_stream else context.export_days(source)
    if known.issuperset(exports):
        return
    crawler = _crawler(context, source)
    if wait:
        crawler.run()
    elif not crawler.start():
        return
    yield [Drift(f"{RAW}.{source.name}", None, "crawled")]


def _crawler(context: Context, source: Source) -> Crawler:
    """The source's crawler. A table that raw_tables made is dropped first: the two would undo each other's changes."""
    settings, table = context.settings, context.catalog.table(RAW, source.name)
    if not settings.crawler_role:
        expected = f"the role that Glue crawls as, because the source {source.name} is crawled"
        raise BadSetting("STAR_CRAWLER_ROLE", "", expected)
    if table and table.is_ours:
        context.catalog.drop_table(RAW, source.name)
    database = context.catalog.database_name(RAW)
    context.catalog.create_database(RAW)
    location = context.storage.uri(f"{RAW}/{source.name}")
    return Crawler(f"{database}_{source.name}", database, location, settings.crawler_role)
