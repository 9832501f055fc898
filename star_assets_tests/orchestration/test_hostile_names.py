"""What Dagster's pages make of names that are written as markup, in a real browser: texts, and nothing else."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import urllib3
from playwright.sync_api import Page

from star_assets.orchestration.run import history
from star_assets.pipeline.warehouse import Warehouse

from ..browser import browsing, noting_site
from .conftest import DAYS, materialize
from .test_sensors import export_file

REPOSITORY = Path(__file__).parents[2]

# Milliseconds that a page may take to show what is waited for.
PATIENCE = 60_000


def hostile(site: str) -> list[str]:
    """Names that fetch from the site, or lead to it, where they are taken for Markdown or HTML."""
    return [f"![x]({site}/i)", f"[Pay here]({site}/l)", f"<img src={site}/t>", f"{site}/bare"]


@contextmanager
def web_server(folder: Path) -> Iterator[str]:
    """Dagster's UI over the folder's history, with the star's definitions."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "dagster_webserver", "-m", "star_assets.definitions", "-p", str(port)]
    process = subprocess.Popen(
        command, cwd=folder, env={**os.environ, "DAGSTER_HOME": str(folder)}, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        # It says so once it serves; before that its code server starts.
        assert any("Serving dagster-webserver" in line for line in process.stdout)
        # It says so a moment before it listens.
        urllib3.request("GET", f"http://127.0.0.1:{port}/server_info", retries=urllib3.Retry(20, backoff_factor=0.1))
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate()


def links_and_images(page: Page, site: str) -> list[str]:
    """What of the page leads to the site, or fetches from it."""
    elements = "[...document.querySelectorAll('[href], [src]')].map(e => e.outerHTML)"
    return [found for found in page.evaluate(elements) if site in found]


@pytest.mark.long
def test_no_name_becomes_a_link_or_an_image(lake: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A product that is called `![x](http://…)` would tell its supplier who looks at it, and when."""
    shutil.copy(REPOSITORY / "dagster.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STAR_LAKE", lake.settings.lake)
    with noting_site() as (site, asked), browsing() as browser:
        names = hostile(site)
        products = export_file(lake, "products", DAYS[0])
        rows = [json.loads(line) for line in products.read_text().splitlines()]
        for number, row in enumerate(rows):
            row["product_name"] = names[number % len(names)]
        products.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        stores = export_file(lake, "stores", DAYS[0])
        stores.write_text(re.sub(r'"store_id": \d+', f'"store_id": "{names[1]}"', stores.read_text()))
        with history() as instance:
            assert materialize(lake, instance, DAYS[:1], "products").success
            assert not materialize(lake, instance, DAYS[:1], "stores").success
        with web_server(tmp_path) as dagster:
            page = browser.new_page()
            for asset, view in (("products", "events"), ("stores", "checks")):
                page.goto(f"{dagster}/assets/{asset}?view={view}")
                page.get_by_text("Pay here").first.wait_for(timeout=PATIENCE)
                assert links_and_images(page, site) == []
                if asset == "products":
                    assert all(name in page.inner_text("body") for name in names)
    assert asked == []
