"""The command line: the group of all commands, in the order of use.

The commands are in `building`, `pulling`, `asking`, `reporting`, `keeping`, `streaming`,
`packing`, `deploying` and `costing`.

Exit codes: 0 done; 1 somebody has to act; 75 (EX_TEMPFAIL) trying again later
may help; 2 the command was called wrongly; 130 interrupted. Rows go to standard
output, everything else to standard error. Commands import what they need when
they run, so that `--help` is instant.
"""

from __future__ import annotations

import click

from star_assets import __version__
from star_assets.cli.asking import ddl, query, reconcile, rejects, status
from star_assets.cli.building import demo, run, sample
from star_assets.cli.costing import costs
from star_assets.cli.deploying import aws
from star_assets.cli.keeping import forget, repair, retire, rollback, vacuum, verify
from star_assets.cli.packing import pack
from star_assets.cli.pulling import pull
from star_assets.cli.reporting import dashboard, powerbi, semantics
from star_assets.cli.shell import Commands
from star_assets.cli.streaming import firehose


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__)
def main() -> None:
    """A star schema from OLTP exports, in a lake of Parquet, with SQL as Athena speaks it.

    \b
    First steps:
      star-assets sample            write a quarter of exports to look at
      star-assets run               build the star from them
      star-assets query "SELECT date, sum(revenue) FROM fact_sales GROUP BY date"

    \b
    Settings come from the environment:
      STAR_LAKE              the lake: a folder, or s3://bucket/prefix (./lake)
      STAR_MODEL             the star, as package.module:attribute (star_assets.star:retail)
      STAR_START_DATE        the first day with exports (2023-07-01)
      STAR_END_DATE          the last day with exports, where they have ended (none)
      STAR_TIMEZONE          the time zone that decides the day of a sale (UTC)
      STAR_ENGINE            what computes: duckdb, spark, glue, or auto, by size (duckdb)
      STAR_AUTO_ABOVE        bytes of input above which auto takes Spark or Glue (10GB)
      STAR_SPARK_MASTER      where Spark runs (as in Spark's configuration)
      STAR_COMPRESSION       of Parquet files: zstd or snappy (zstd)
      STAR_MEMORY_LIMIT      memory that DuckDB may use before it spills to disk (1GB)
      STAR_THREADS           threads of the engine (one per processor)
      STAR_RETENTION_DAYS    how long vacuum keeps superseded versions (7)
      STAR_BATCH_RETENTION_DAYS  how long it keeps those that a stream's batches leave behind (1)
      STAR_DAYS_AHEAD        days after today that an export may be of (1)
      STAR_WEBHOOK           the URL that failed runs are posted to (none)
      STAR_POWERBI_MODEL     the model in Power BI to refresh, as WORKSPACE/MODEL (none)
      STAR_SOURCE_DSN        the database that exports are pulled from, as postgresql://… (none)
      STAR_KMS_KEY           on S3: the key to encrypt with (the bucket's default)
      STAR_GLUE_PREFIX       on AWS: what the names of Glue's databases begin with
      STAR_GLUE_JOB          on AWS: the Glue job that computes (none)
      STAR_GLUE_WORKERS      workers of its runs (10), and STAR_GLUE_WORKER_TYPE their type (G.1X)
      STAR_GLUE_TIMEOUT      minutes after which Glue stops a run (120)
      STAR_GLUE_AT_ONCE      runs at the same time (3), and STAR_GLUE_FLEX whether on spare capacity (false)
      STAR_CRAWLER_ROLE      on AWS: the role of the crawlers of raw exports (none)
      STAR_ATHENA_WORKGROUP  on AWS: the workgroup of Athena that runs queries (none: the embedded Athena)
      STAR_ATHENA_OUTPUT     on AWS: where Athena writes results (the workgroup's location)
      STAR_COSTS_START_DATE  on AWS: the first day whose costs are asked for (none: they are not)
      STAR_COST_TAG          on AWS: whose spending counts, as name=value (the whole account's)
      STAR_TOPIC             on AWS: the SNS topic that failed checks of costs are sent to (none)
      STAR_KEY_PREFIX        what the keys of Dagster's assets begin with, beside another star's
      STAR_METRICS_NAMESPACE on AWS: the CloudWatch namespace in which successful runs are counted (none)
      STAR_CACHE_SIZE        on S3: the size of the cache of local copies (10GB)

    \b
    Exit codes:
      0  done                              2  the command was called wrongly
      1  failed; somebody has to act      75  failed; trying again later may help
    """


for _command in (
    sample,
    pull,
    run,
    query,
    status,
    rejects,
    reconcile,
    powerbi,
    semantics,
    rollback,
    vacuum,
    verify,
    repair,
    retire,
    forget,
    ddl,
    dashboard,
    firehose,
    pack,
    aws,
    costs,
    demo,
):
    main.add_command(_command)
