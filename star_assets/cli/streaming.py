"""What people see of tills: the command `firehose`, and the days of `sample --stream`."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from errno import EADDRINUSE
from threading import Event
from typing import TYPE_CHECKING

import click

from star_assets.cli.options import open_warehouse

if TYPE_CHECKING:
    from rich.console import Console

    from star_assets.pipeline.warehouse import Warehouse

share = click.FloatRange(0, 1)


@click.command(short_help="Serve Firehose's API on this machine, and deliver to the lake.")
@click.option("--port", type=click.IntRange(0, 65_535), default=0, help="Where to listen.  [default: any that is free]")
@click.option("--refuse", type=share, default=0, help="Share of records that are refused.")
@click.option("--throttle", type=share, default=0, help="Share of calls that are refused as a whole.")
@click.option("--unanswered", type=share, default=0, help="Share of calls that are done, and whose answer is lost.")
@click.option("--duplicate", type=share, default=0, help="Share of records that are delivered twice.")
@click.option("--delay", type=share, default=0, help="Share of objects that are delivered two hours late.")
def firehose(port: int, refuse: float, throttle: float, unanswered: float, duplicate: float, delay: float) -> None:
    """Serve Firehose's API on this machine, and deliver what is put to the lake's oltp/pos_sales/.

    It has the stream of the template `lake`, in the zone of STAR_TIMEZONE. Any client
    of AWS's can put events to it; signatures are not checked. What it accepted and
    has not delivered survives its end. Ctrl-C ends it.

    \b
    Example:
      star-assets firehose --refuse 0.05 --duplicate 0.02
    """
    from star_assets.tills.firehose import Faults
    from star_assets.tills.opening import open_firehose
    from star_assets.tills.server import serving

    warehouse = open_warehouse()
    faults = Faults(refuse, throttle, unanswered, duplicate, delay)
    opened = open_firehose(warehouse.storage, warehouse.settings.timezone, faults=faults)
    try:
        with suppress(KeyboardInterrupt), serving(opened, port) as address:
            click.echo(f"export AWS_ENDPOINT_URL_FIREHOSE={address}")
            place = warehouse.storage.uri("oltp/pos_sales")
            click.echo(f"The stream {opened.stream.name} delivers to {place}.", err=True)
            Event().wait()
    except OSError as error:
        if error.errno != EADDRINUSE:
            raise
        raise click.UsageError(f"Port {port} is taken. Name another one, or none.") from error


def show_day(console: Console, warehouse: Warehouse, day: date, *, speed: float, orders_per_day: int) -> None:
    """Ring up a day of the sample retailer, and export it at its end. Shows how far the day has come."""
    from star_assets.samples.streaming import export_night, ring_up

    storage, settings = warehouse.storage, warehouse.settings
    with console.status(f"Tills ring up {day} …") as status:
        for tick in ring_up(storage, settings.timezone, day, speed=speed, orders_per_day=orders_per_day):
            moment = tick.moment.astimezone(settings.zone)
            status.update(f"{moment:%Y-%m-%d %H:%M}: {tick.rung:,} events rung up, {tick.objects:,} objects delivered")
        rows = export_night(storage, settings.start_date, day, orders_per_day=orders_per_day)
    line = f"{day}: {tick.rung:,} events of tills, and {rows:,} rows of exports, are in {storage.uri('oltp')}."
    console.print(line, markup=False, soft_wrap=True)
