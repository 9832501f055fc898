"""`make demo-stream`: what it prints, for a day in a few seconds."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

SHORT = """
import sys
from star_assets.cli import demo_stream
demo_stream.SPEED, demo_stream.DAYS, demo_stream.ORDERS_PER_DAY = 60_000, 1, 150
sys.exit(demo_stream.main())
"""


def test_tills_ring_the_export_comes_and_it_adds_up(tmp_path: Path) -> None:
    """The whole way: events through Firehose, batches, a chart of the fact, the night, the account."""
    known = {name: value for name, value in os.environ.items() if not name.startswith("STAR_")}
    variables = {**known, "XDG_STATE_HOME": str(tmp_path / "state"), "COLUMNS": "100", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [sys.executable, "-c", SHORT], cwd=tmp_path, env=variables, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    found = re.search(
        r"2023-07-0. \d\d:\d\d   (\d+) events rung up, (\d+) in the fact after (\d+) batches", done.stdout
    )
    assert found
    rung, in_fact, batches = map(int, found.groups())
    assert 100 < rung == in_fact
    assert batches > 0
    assert len(re.findall(r"^\d\d:00 .*█", done.stdout, re.MULTILINE)) > 10
    rows = [[cell.strip() for cell in re.split("[│┃]", line)[1:-1]] for line in done.stdout.splitlines()]
    table = {row[0]: row[1:] for row in rows if len(row) > 2}
    assert table["by day, provisional"][0] == str(rung)
    final, left = (int(table[f"after the export, {kind}"][0]) for kind in ("final", "provisional"))
    assert 0 < left < rung / 10 < final
    assert table["fact"][0] == str(final + left)
    assert table["unexplained"] == ["0", "0.00"]
    assert (tmp_path / "lake-stream" / "reports" / "store_managers.html").exists()
