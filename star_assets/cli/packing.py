"""The command `star-assets pack`: what Spark's workers need, as one file."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(short_help="Pack what Spark's workers need into an archive.")
@click.argument("archive", type=click.Path(dir_okay=False, path_type=Path))
def pack(archive: Path) -> None:
    """Write the Python packages that Spark's workers import into ARCHIVE, a .tar.gz, in the versions installed here.

    Workers then need nothing but a Python of this version. Prints the settings for spark-defaults.conf.

    \b
    Example:
      star-assets pack packages.tar.gz >> conf/spark-defaults.conf
    """
    from star_assets.engines.spark.packing import pack as write
    from star_assets.engines.spark.packing import settings

    found = write(archive)
    for key, value in settings(str(archive.absolute())).items():
        click.echo(f"{key} {value}")
    click.echo(f"{len(found)} packages are in {archive} ({archive.stat().st_size / 1e6:.0f} MB).", err=True)
