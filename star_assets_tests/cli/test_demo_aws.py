"""`make demo-aws`: what it prints, and that nothing is left."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

# The demo of two days, as the make target runs it of a quarter.
SHORT = """
import sys
from star_assets.cli import demo, demo_aws
demo.DAYS = 2
sys.exit(demo_aws.main())
"""


def test_the_demo_on_aws_answers_shows_glue_and_leaves_nothing(tmp_path: Path) -> None:
    """The whole pipeline, through Dagster, on moto; never in the account of whoever runs it."""
    mine = ("STAR_", "AWS_", "DAGSTER_")
    known = {name: value for name, value in os.environ.items() if not name.startswith(mine)}
    theirs = {"AWS_PROFILE": "work", "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9", "STAR_KMS_KEY": "alias/work"}
    variables = {**known, **theirs, "HOME": str(tmp_path), "COLUMNS": "80", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [sys.executable, "-c", SHORT], cwd=tmp_path, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert "SUM(f.revenue) AS total_revenue" in done.stdout
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in done.stdout.splitlines() if "│" in line]
    assert ["olap.fact_sales", "parquet", "2", "2023-07-01 … 2023-07-02"] in rows
    assert ["oltp.orders", "csv", "2", "2023-07-01 … 2023-07-02"] in rows
    assert ["staging.stores", "parquet", "2", "2023-07-01 … 2023-07-02"] in rows
    assert "oltp.stores: 2 raw exports are left to staging.stores" in done.stdout
    assert "date=2023-07-02 is registered again" in done.stdout
    assert list(tmp_path.iterdir()) == []
