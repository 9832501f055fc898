"""Draw docs/images: the demo's answer in a terminal, its dashboard, and a tour of Dagster's web UI, in Chromium.

python docs/pictures.py        (after `make demo`, in the same folder; it works on a copy of what is there)
"""

import gzip
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import Page, ViewportSize, sync_playwright
from rich.console import Console

from star_assets.cli.demo import FIRST_DAY, PAGE, show_answer
from star_assets.pipeline.warehouse import Warehouse
from star_assets.settings import load_settings
from star_assets.star import retail

IMAGES = Path(__file__).parent / "images"
PORT, LAST_DAY, BROKEN_DAY = 3217, "2023-09-30", "2023-09-29"
# What the copy takes of the folder.
KEPT = {"lake", ".dagster", "dagster.yaml", "workspace.yaml", "pyproject.toml"}

WEB_UI = f"http://127.0.0.1:{PORT}"

WINDOW: ViewportSize = {"width": 1440, "height": 1300}

# A page that shows what is waited for goes on drawing for a while.
SETTLED_MS = 4_000


def draw_answer(warehouse: Warehouse) -> None:
    """demo.svg: the reference question's answer."""
    console = Console(record=True, width=100, highlight=False)
    show_answer(console, warehouse, warehouse.settings)
    drawn = console.export_svg(title="make demo")
    # The font is the reader's own: a picture in a README loads nothing from elsewhere.
    drawn = re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL).replace("Fira Code, ", "")
    (IMAGES / "demo.svg").write_text(drawn)


def draw_dashboard(tab: Page, warehouse: Warehouse) -> None:
    """dashboard.png: the first screen and the beginning of the charts below it."""
    (page,) = warehouse.storage.local([PAGE])
    tab.goto(Path(page).absolute().as_uri())
    tab.screenshot(path=IMAGES / "dashboard.png")


def draw_graph(tab: Page) -> None:
    """asset-graph.png: all groups unfolded, in a window that holds them."""
    tab.set_viewport_size({"width": 1440, "height": 1600})
    tab.goto(f"{WEB_UI}/asset-groups")
    tab.get_by_text("olap").first.wait_for()
    tab.wait_for_timeout(SETTLED_MS)
    tab.keyboard.press("Alt+e")
    tab.get_by_text("dashboard").last.wait_for()
    tab.wait_for_timeout(SETTLED_MS)
    tab.screenshot(path=IMAGES / "asset-graph.png", clip={"x": 550, "y": 112, "width": 840, "height": 1460})
    tab.set_viewport_size(WINDOW)


def draw_numbers(tab: Page) -> None:
    """numbers.png: what each day adds up to, plotted."""
    tab.goto(f"{WEB_UI}/assets/fact_sales")
    tab.get_by_placeholder("Filter metadata keys").wait_for()
    tab.get_by_text("Plots", exact=True).first.click()
    tab.get_by_text("total revenue").wait_for()
    tab.wait_for_timeout(SETTLED_MS)
    tab.get_by_text("total discount").scroll_into_view_if_needed()
    shown = tab.get_by_text("total discount").bounding_box()
    assert shown is not None
    tab.screenshot(path=IMAGES / "numbers.png", clip={"x": 255, "y": shown["y"] - 20, "width": 800, "height": 520})


def draw_lineage(tab: Page) -> None:
    """lineage.png: which columns of the exports each column of the fact is made of."""
    tab.set_viewport_size({"width": 1440, "height": 2400})
    tab.goto(f"{WEB_UI}/assets/fact_sales")
    tab.get_by_placeholder("Filter metadata keys").fill("lineage")
    first, last = tab.get_by_text("comes from").first, tab.get_by_text("order_items.discount").last
    last.wait_for()
    tab.wait_for_timeout(SETTLED_MS)
    top, bottom = first.bounding_box(), last.bounding_box()
    assert top is not None and bottom is not None
    height = bottom["y"] + bottom["height"] - top["y"] + 50
    tab.screenshot(path=IMAGES / "lineage.png", clip={"x": 255, "y": top["y"] - 30, "width": 800, "height": height})
    tab.set_viewport_size(WINDOW)


def draw_check(tab: Page, check: str, shown: str, height: int) -> None:
    """<check>.png: a check of the fact, with what it found."""
    tab.goto(f"{WEB_UI}/assets/fact_sales?view=checks&checkDetail={check}")
    tab.get_by_text(shown).first.wait_for()
    tab.wait_for_timeout(SETTLED_MS)
    tab.screenshot(path=IMAGES / f"{check}.png", clip={"x": 240, "y": 105, "width": 1200, "height": height})


def materialize_a_bad_price(folder: Path, environment: dict[str, str]) -> None:
    """Give the last line of a day's export a price below zero, and materialize the day."""
    export = folder / "lake" / "oltp" / "order_items" / f"date={BROKEN_DAY}" / "order_items_2.csv.gz"
    *lines, last = gzip.decompress(export.read_bytes()).decode().splitlines(keepends=True)
    values = last.split(",")
    values[4] = f"-{values[4]}"
    export.write_bytes(gzip.compress("".join([*lines, ",".join(values)]).encode()))
    select = ["--select", "*", "--partition", BROKEN_DAY]
    dagster = [sys.executable, "-m", "dagster", "asset", "materialize", "-m", "star_assets.definitions", *select]
    assert subprocess.run(dagster, cwd=folder, env=environment, capture_output=True).returncode != 0


@contextmanager
def web_ui(folder: Path, environment: dict[str, str]) -> Iterator[None]:
    """Dagster's web UI over a copy of the demo."""
    command = [sys.executable, "-m", "dagster", "dev", "--port", str(PORT)]
    with subprocess.Popen(command, cwd=folder, env=environment) as server:
        try:
            while True:
                try:
                    urlopen(f"{WEB_UI}/server_info")
                    break
                except URLError:
                    time.sleep(1)
            yield
        finally:
            server.terminate()


settings = load_settings().model_copy(update={"start_date": FIRST_DAY})
warehouse = Warehouse(retail, settings)
IMAGES.mkdir(exist_ok=True)
draw_answer(warehouse)
with TemporaryDirectory() as name, sync_playwright() as driver:
    copy = Path(name) / "shop"
    shutil.copytree(".", copy, ignore=lambda folder, names: [n for n in names if folder == "." and n not in KEPT])
    set_up = {**os.environ, "STAR_END_DATE": LAST_DAY, "STAR_LAKE": "lake", "DAGSTER_HOME": str(copy)}
    browser = driver.chromium.launch(executable_path=shutil.which("chromium"))
    tab = browser.new_page(viewport={"width": 1280, "height": 1300}, device_scale_factor=1.5)
    draw_dashboard(tab, warehouse)
    tab = browser.new_page(viewport=WINDOW)
    tab.set_default_timeout(120_000)
    with web_ui(copy, set_up):
        draw_graph(tab)
        draw_numbers(tab)
        draw_lineage(tab)
        draw_check(tab, "reconciliation", "unexplained", 560)
        materialize_a_bad_price(copy, set_up)
        draw_check(tab, "audit", "Nothing was published", 800)
    browser.close()
