"""The HTML file: style, scripts and numbers, with a content security policy that allows nothing else.

The policy allows the style and the script by their hashes; everything else, images and
requests included, is forbidden. Numbers and names are in a block of JSON, which is no script.
"""

from __future__ import annotations

import base64
import hashlib
import json
from html import escape
from importlib.resources import files
from typing import Any

SCRIPTS = ("numbers.js", "charts.js", "page.js")
STYLE = "page.css"


def html(content: dict[str, Any]) -> str:
    """The page with the content of a document."""
    style, script = _text(STYLE), "".join(map(_text, SCRIPTS))
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return PAGE.format(
        policy=policy,
        title=escape(content["title"]),
        style=style,
        # Without "<", no text in the JSON can end the block.
        data=json.dumps(content, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c"),
        script=script,
    )


PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header>
<div><h1>{title}</h1><p id="known"></p></div>
<nav aria-label="Pages"></nav>
<form aria-label="Filters"></form>
<p id="scope" aria-live="polite"></p>
</header>
<main>
<noscript><p class="empty">This page computes what it shows. Open it in a browser that runs its script.</p></noscript>
</main>
<script type="application/json" id="data">{data}</script>
<script>{script}</script>
</body>
</html>
"""


def _text(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
