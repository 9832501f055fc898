"""Commands that write reports to files: `dashboard`, an HTML page, `powerbi` and `semantics`, for other tools."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from star_assets.cli.options import open_warehouse
from star_assets.cli.shell import note

if TYPE_CHECKING:
    from star_assets.model import Dashboard, Star
    from star_assets.reports.dashboard.answers import Answers


@click.command(short_help="Write a dashboard as one HTML file.")
@click.argument("out", required=False, type=click.Path(path_type=Path))
@click.option("--name", help="The dashboard, if the star declares several.")
@click.option("--as", "viewer", metavar="ADDRESS", help="Write the page of one viewer, with the rows they may see.")
@click.option("--all", "everything", is_flag=True, help="Write one page with everybody's rows.")
def dashboard(out: Path | None, name: str | None, viewer: str | None, everything: bool) -> None:
    """Write a dashboard as one HTML file, OUT, that opens in any browser and makes no requests.

    Its numbers are those that `star-assets query` returns now.

    If the star declares who may see which rows (`visible_to`), OUT is a folder: a page for
    each viewer is written there, under a name that cannot be guessed, and standard output
    lists the pages. A page with everybody's rows is written only with --all.

    \b
    Examples:
      star-assets dashboard --all sales.html
      star-assets dashboard --as store-1@example.com miami.html
      star-assets dashboard pages/ > who-gets-which.csv
    """
    from star_assets.athena.opening import open_athena
    from star_assets.reports.dashboard.answers import ask
    from star_assets.reports.dashboard.measured import restricted
    from star_assets.reports.dashboard.publishing import rendered
    from star_assets.reports.dashboard.viewers import own_page

    if viewer and everything:
        raise click.UsageError("Give --as or --all, not both.")
    warehouse = open_warehouse()
    star, chosen = warehouse.star, _chosen(warehouse.star, name)
    each = restricted(star) and not viewer and not everything
    if each and out and out.suffix == ".html":
        raise click.UsageError(
            f"{out} would show everybody's rows. Give --all, or --as ADDRESS, or a folder for the pages of all viewers."
        )
    answers = ask(warehouse, open_athena(warehouse.storage, warehouse.catalog, warehouse.settings), chosen)
    if not answers.days:
        note(f"nothing of {chosen.fact} is published in {warehouse.storage.uri('')}. Is STAR_LAKE right?")
    if each:
        from star_assets.reports.dashboard.viewers import lake_secret, pages

        found = pages(star, chosen, answers, lake_secret(warehouse.storage))
        _write_each(star, chosen, found, out or Path(chosen.name))
        return
    if viewer:
        answers = own_page(star, chosen, answers, viewer)
    file = out or Path(f"{chosen.name}.html")
    _write(file, rendered(star, chosen, answers, answers.viewers[0] if viewer else None))
    click.echo(f"{file} shows {chosen.title}{f' until {answers.days[-1]}' if answers.days else ''}.", err=True)


def _chosen(star: Star, name: str | None) -> Dashboard:
    from star_assets.reports.dashboard.publishing import find_dashboard

    declared = [dashboard.name for dashboard in star.dashboards]
    if name is None and len(declared) > 1:
        raise click.UsageError(f"Name one with --name: {', '.join(declared)}.")
    return find_dashboard(star, name or "".join(declared))


def _write_each(star: Star, chosen: Dashboard, found: dict[str, tuple[str | None, Answers]], folder: Path) -> None:
    import pyarrow as pa

    from star_assets.cli.terminal import write_rows
    from star_assets.reports.dashboard.publishing import rendered

    for file, (who, seen) in found.items():
        _write(folder / file, rendered(star, chosen, seen, who))
    rows = [{"viewer": who, "file": str(folder / file)} for file, (who, _) in found.items()]
    if not rows:
        note(f"dashboard {chosen.name}: no page was written, because nobody sees a row of {chosen.fact}. See --all.")
        return
    sys.stdout.flush()
    write_rows(pa.Table.from_pylist(rows), "csv")


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


@click.command(short_help="Write a Power BI project.")
@click.argument("out", type=click.Path(file_okay=False, path_type=Path))
def powerbi(out: Path) -> None:
    """Write the star's Power BI project into the folder OUT: open its .pbip in Power BI Desktop.

    The semantic model is generated from the star, and the report from its dashboards; the
    lake is not read. Write it again whenever the star changes. What people added (a measure,
    a table, a page, a visual) is kept. A generated object that people changed is replaced,
    and named.

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


@click.command(short_help="Write a semantic model that other tools read.")
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
def semantics(out: Path) -> None:
    """Write the star's tables, relationships and measures into the file OUT, in the form of Apache Ossie.

    It was called Open Semantic Interchange. dbt's semantic layer reads it, and so do
    other tools for reports and for agents. No lake is read.

    \b
    Example:
      star-assets semantics retail.json
    """
    from star_assets.model.star import load_star
    from star_assets.reports.powerbi.project import project_name
    from star_assets.reports.semantics import written
    from star_assets.settings import load_settings

    settings = load_settings()
    name = project_name(settings).lower().replace(" ", "_")
    _write(out, written(load_star(settings.model), name, f"{settings.glue_prefix}olap").encode())
