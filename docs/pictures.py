"""Draw docs/images/demo.svg: the demo's answer, as a terminal shows it.

python docs/pictures.py        (after `make demo`, in the same lake)
"""

import re
from pathlib import Path

from rich.console import Console

from star_assets.cli.demo import FIRST_DAY, show_answer
from star_assets.pipeline.warehouse import Warehouse
from star_assets.settings import load_settings
from star_assets.star import retail

settings = load_settings().model_copy(update={"start_date": FIRST_DAY})
console = Console(record=True, width=100, highlight=False)
show_answer(console, Warehouse(retail, settings), settings)
picture = Path(__file__).parent / "images" / "demo.svg"
picture.parent.mkdir(exist_ok=True)
drawn = console.export_svg(title="make demo")
# The font is the reader's own: a picture in a README loads nothing from elsewhere.
picture.write_text(re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL).replace("Fira Code, ", ""))
