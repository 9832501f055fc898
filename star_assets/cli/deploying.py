"""The commands of `star-assets aws`: print templates, settings and modules, write policies, check an account."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import click

from star_assets.aws.template import TEMPLATES, text
from star_assets.cli.options import format_option
from star_assets.cli.shell import EXIT_PERMANENT, Commands


@click.group(cls=Commands, short_help="Set a lake up on AWS, and check that it is set up right.")
def aws() -> None:
    """Set a lake up on AWS, and check that it is set up right.

    \b
    An empty account takes three commands:
      star-assets aws template lake > lake.yaml
      aws cloudformation deploy --template-file lake.yaml --stack-name shop --capabilities CAPABILITY_IAM
      star-assets aws settings shop
    """


@aws.command(short_help="Print a CloudFormation template.")
@click.argument("name", type=click.Choice(TEMPLATES))
def template(name: str) -> None:
    """Print the CloudFormation template NAME.

    \b
      lake      key, buckets, databases, workgroups, policies, roles, alarms
      host      a machine without ingress that runs Dagster, its daemon and PostgreSQL
      schedule  a task on Fargate that runs the pipeline by the hour or day, without Dagster
      costs     a budget, and an alarm for unusual costs; for us-east-1

    \b
    Example:
      star-assets aws template lake > lake.yaml
    """
    click.echo(text(name), nl=False)


@aws.command(short_help="Print the settings of a stack's lake.")
@click.argument("stack")
def settings(stack: str) -> None:
    """Print the settings of the lake that STACK created, as environment variables.

    \b
    Example:
      export $(star-assets aws settings shop)
    """
    from star_assets.aws.stack import describe, outputs
    from star_assets.aws.stack import settings as of_outputs
    from star_assets.lake.aws import region

    for name, value in {"AWS_REGION": region(), **of_outputs(outputs(describe(stack)))}.items():
        click.echo(f"{name}={value}")


@aws.command(short_help="Print the modules that Glue's job installs.")
@click.argument("wheels", nargs=-1, required=True, metavar="S3_URI...")
@click.option("--glue-version", type=click.Choice(["6.0", "5.1"]), default="6.0", show_default=True)
def modules(wheels: Sequence[str], glue_version: str) -> None:
    """Print the value of the parameter JobModules of the template `lake`.

    It lists the given S3 URIs of wheels (of star_assets, and of your own star), and the packages that a job
    uses, in the versions that are installed here. Dagster is not among them.

    \b
    Example:
      star-assets aws modules s3://bucket/retail/code/star_assets-0.1.0-py3-none-any.whl
    """
    from star_assets.aws.job_modules import job_modules

    click.echo(",".join([*wheels, *job_modules(glue_version)]))


@aws.command(short_help="Write the template's policies as JSON files.")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def policies(folder: Path) -> None:
    """Write each policy of the template `lake` into FOLDER, with example names, to attach them with other tools.

    \b
    Example:
      star-assets aws policies docs/aws
    """
    from star_assets.aws.policies import write_policies

    click.echo(f"{len(write_policies(folder))} policies are in {folder}.", err=True)


@aws.command(short_help="Check that an account is as the template says.")
@click.argument("stack")
@format_option
def check(stack: str, format_: Literal["table", "csv", "json"]) -> None:
    """Check, point by point, that the resources of STACK are still as the template `lake` says. Changes nothing.

    Each point fits, does not fit (and what to do is shown), or is unknown (and the missing right is shown). The exit
    code is 0 only if all points fit.

    \b
    Example:
      star-assets aws check shop
    """
    from dataclasses import asdict

    import pyarrow as pa

    from star_assets.aws.check import check as points
    from star_assets.aws.check import read
    from star_assets.cli.terminal import write_rows

    found = [asdict(point) for point in points(read(stack))]
    write_rows(pa.Table.from_pylist(found), format_)
    if any(one["verdict"] != "fits" for one in found):
        sys.exit(EXIT_PERMANENT)
