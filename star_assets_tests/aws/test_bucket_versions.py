"""What the versions of a bucket bring back, by the commands of the page.

The AWS CLI is the real one, where it is found; S3 is moto's.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import date
from pathlib import Path

import boto3
import pytest
from click.testing import CliRunner

from star_assets import cli
from star_assets.pipeline.warehouse import Warehouse
from star_assets.samples.lake import export_samples
from star_assets.settings import Settings
from star_assets.star import retail

PAGE = Path(__file__).parents[2] / "docs" / "operate.md"
LEDGER = "olap/fact_sales/_pointers/2023-10.json"
DAY = "2023-10-01"
QUESTION = ("query", "--format", "json", 'SELECT "date", count(*), sum(revenue) FROM fact_sales GROUP BY 1 ORDER BY 1')


@pytest.fixture
def lake(aws: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    """Two days of October, one of them published twice, in a bucket that keeps versions, as the template's does."""
    settings = aws(start_date=date.fromisoformat(DAY))
    bucket = settings.lake.removeprefix("s3://").partition("/")[0]
    boto3.client("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for name in ("lake", "glue_prefix", "start_date"):
        monkeypatch.setenv(f"STAR_{name.upper()}", str(getattr(settings, name)))
    found = Warehouse(retail, settings)
    export_samples(found.storage, date.fromisoformat(DAY), 2, orders_per_day=5)
    anew = Warehouse(retail, settings.model_copy(update={"compression": "snappy"}))
    for warehouse, tables in ((found, retail.tables), (anew, ("fact_sales",))):
        for table in tables:
            assert [outcome.error for outcome in warehouse.refresh(table, warehouse.days()) if outcome.error] == []
    return found


def run(*command: str) -> tuple[int, str]:
    """`star-assets …`: its exit code, and what it printed."""
    done = CliRunner().invoke(cli.main, command)
    return done.exit_code, done.output


def commands() -> str:
    """What the page says to type."""
    _, _, rest = PAGE.read_text().partition("**A ledger that was deleted comes back")
    (block,) = re.findall(r"\n\n((?:    .+\n)+)", rest.partition("\n## ")[0])
    assert LEDGER in block
    found: str = block
    return found


@pytest.mark.skipif(not shutil.which("aws"), reason="the AWS CLI is not here")
def test_a_deleted_ledger_comes_back_by_the_commands_of_the_page(
    lake: Warehouse, quick_star_assets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it nobody knows what is live, nor what was before."""
    answer, whole = run(*QUESTION), run("verify")
    assert (answer[0], whole[0]) == (0, 0)
    content, etag = lake.storage.read(LEDGER)
    lake.storage.delete([LEDGER])
    code, told = run("verify")
    assert (code, "fact_sales" in told) == (1, True)
    monkeypatch.setenv("PATH", str(quick_star_assets.parent), prepend=":")
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", commands()], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert lake.storage.read(LEDGER) == (content, etag)
    assert (run("verify"), run(*QUESTION)) == (whole, answer)
    # The version before is known again, which no repair could have told.
    assert run("rollback", "fact_sales", "--day", DAY)[0] == 0
    assert run(*QUESTION) == answer
