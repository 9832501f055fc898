"""The command that writes what people look at into a folder: `powerbi`."""

from __future__ import annotations

from pathlib import Path

import click

from star_assets.cli.shell import note


@click.command(short_help="Write a Power BI project.")
@click.argument("out", type=click.Path(file_okay=False, path_type=Path))
def powerbi(out: Path) -> None:
    """Write the star's Power BI project into the folder OUT: open its .pbip in Power BI Desktop.

    The model follows from the star, the report from its dashboards; no lake is
    read. Write it again whenever the star changes. What somebody added (a measure,
    a table, a page, a visual) stays; what somebody changed of what is generated is
    replaced, and told.

    \b
    Example:
      star-assets powerbi reports/powerbi
    """
    from star_assets.model.star import load_star
    from star_assets.reports.powerbi.keeping import bring_up_to_date
    from star_assets.reports.powerbi.project import project_files, project_name
    from star_assets.settings import load_settings

    settings = load_settings()
    for sentence in bring_up_to_date(out, project_files(load_star(settings.model), settings)):
        note(sentence)
    click.echo(f"{out / project_name(settings)}.pbip", err=True)
