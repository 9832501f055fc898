"""Draw docs/images/demo.svg, the demo's answer as a terminal shows it, and dashboard.png, its page in Chromium.

python docs/pictures.py        (after `make demo`, in the same lake)
"""

import re
import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright
from rich.console import Console

from star_assets.cli.demo import FIRST_DAY, PAGE, show_answer
from star_assets.pipeline.warehouse import Warehouse
from star_assets.settings import load_settings
from star_assets.star import retail

settings = load_settings().model_copy(update={"start_date": FIRST_DAY})
console = Console(record=True, width=100, highlight=False)
warehouse = Warehouse(retail, settings)
show_answer(console, warehouse, settings)
picture = Path(__file__).parent / "images" / "demo.svg"
picture.parent.mkdir(exist_ok=True)
drawn = console.export_svg(title="make demo")
# The font is the reader's own: a picture in a README loads nothing from elsewhere.
picture.write_text(re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL).replace("Fira Code, ", ""))

# The first screen and the beginning of the charts below it, sharp on dense displays too.
(page,) = warehouse.storage.local([PAGE])
with sync_playwright() as driver:
    browser = driver.chromium.launch(executable_path=shutil.which("chromium"))
    tab = browser.new_page(viewport={"width": 1280, "height": 1300}, device_scale_factor=1.5)
    tab.goto(Path(page).absolute().as_uri())
    tab.screenshot(path=picture.parent / "dashboard.png")
    browser.close()
