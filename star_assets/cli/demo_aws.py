"""`make demo-aws`: the demo on S3 and Glue's Data Catalog, as a moto server plays them while the demo runs.

Not here: the demo itself (demo), the server (samples).
"""

from __future__ import annotations

import os
import sys
import tempfile
import time

from rich.console import Console
from rich.table import Table

from star_assets.cli.demo import demonstrate
from star_assets.lake.catalog import Catalog
from star_assets.lake.drift import mend
from star_assets.pipeline.raw.updating import raw_remarks
from star_assets.pipeline.warehouse import Warehouse
from star_assets.samples.aws_server import aws_server
from star_assets.settings import load_settings

BUCKET, PREFIX = "star-demo", "retail"


def main() -> int:
    """Run it. Returns the exit code."""
    console, started = Console(highlight=False), time.monotonic()
    forget_the_environment()
    # A temporary folder without a dagster.yaml, because the lake is gone after the demo, and its history is of no use.
    with tempfile.TemporaryDirectory() as folder, aws_server() as variables:
        os.environ |= {**variables, "STAR_LAKE": f"s3://{BUCKET}/{PREFIX}", "XDG_CACHE_HOME": folder}
        os.chdir(folder)
        try:
            create_bucket()
            console.print(
                f"[bold]0. AWS[/]           S3 and Glue as moto serves them, at {variables['AWS_ENDPOINT_URL']}"
            )
            warehouse = demonstrate(console, load_settings())
            if warehouse is None:
                return 1
            show_catalog(console, warehouse)
            show_mending(console, warehouse)
        except KeyboardInterrupt:
            console.print("Interrupted.")
            return 130
        finally:
            os.chdir("/")
    console.print(f"\nDone in {time.monotonic() - started:.0f} s. The server is gone, and all that it held.")
    console.print("Next:  [bold]docs/aws.md[/]   from an empty account to the first query")
    console.print("       [bold]make demo[/]     the same in a folder, to look around in with `make ui`")
    return 0


def forget_the_environment() -> None:
    """Remove the variables by which this process could reach a real account or another lake."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "STAR_", "DAGSTER_"))]:
        del os.environ[name]
    os.environ |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}


def create_bucket() -> None:
    """Create the demo's bucket, which the pipeline expects to exist."""
    import boto3

    boto3.client("s3").create_bucket(Bucket=BUCKET)


def show_catalog(console: Console, warehouse: Warehouse) -> None:
    """Show the tables of Glue's Data Catalog, and the raw exports that Glue cannot read."""
    console.print("\n[bold]4. Glue[/]          what the Data Catalog holds now\n")
    console.print(catalog_table(warehouse.catalog))
    for remark in raw_remarks(warehouse):
        console.print(remark, style="dim", soft_wrap=True)


def catalog_table(catalog: Catalog) -> Table:
    """A table of the catalog's tables: format, number of partitions, the first and the last of them."""
    shown = Table("table", "format", header_style="bold")
    shown.add_column("partitions", justify="right")
    shown.add_column("from … to")
    for database in catalog.databases():
        for entry in catalog.tables(database):
            values = [one.values[0] for one in catalog.partitions(database, entry.name)]
            count, days = (f"{len(values):,}", f"{values[0]} … {values[-1]}") if values else ("", "")
            shown.add_row(f"{database}.{entry.name}", entry.format, count, days)
        shown.add_section()
    return shown


def show_mending(console: Console, warehouse: Warehouse) -> None:
    """Drop a partition by hand, and restore it as the sensor does."""
    (*_, day) = warehouse.catalog.partitions("olap", "fact_sales")
    console.print(f"\n[bold]5. Repair[/]        somebody drops date={day.values[0]} of olap.fact_sales in Glue")
    warehouse.catalog.drop_partitions("olap", "fact_sales", [day.values])
    for drift in mend(warehouse.storage, warehouse.catalog, warehouse.entries()):
        console.print(f"                 mended as by the sensor: {drift.partition} is {drift.what} again")


if __name__ == "__main__":
    sys.exit(main())
