"""Where the code failed that somebody wrote for a star of his own."""

from __future__ import annotations

import sysconfig
from pathlib import Path
from traceback import extract_tb

# Python's own files, installed packages and this one: what is nobody's own.
_INSTALLED = (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), str(Path(__file__).parents[1]), "<")


def failed(error: BaseException) -> str:
    """What failed in words, and where: `shop.py, line 4: name 'orders' is not defined`."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{Path(error.filename).name}, line {error.lineno}: {error.msg}"
    own = [frame for frame in extract_tb(error.__traceback__) if not frame.filename.startswith(_INSTALLED)]
    place = f"{Path(own[-1].filename).name}, line {own[-1].lineno}: " if own else ""
    # A KeyError's text is the key alone.
    return f"{place}there is no {error}" if isinstance(error, KeyError) else f"{place}{error or type(error).__name__}"
