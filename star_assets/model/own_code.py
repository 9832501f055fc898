"""Describing an error in the user's own code, such as a transform: the message, the file and the line."""

from __future__ import annotations

import sysconfig
from pathlib import Path
from traceback import extract_tb

# Where files begin that are not the user's code: Python's library, installed packages, and this package.
_INSTALLED = (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), str(Path(__file__).parents[1]), "<")


def described(error: BaseException) -> str:
    """The error's message with its place: `shop.py, line 4: name 'orders' is not defined`."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{Path(error.filename).name}, line {error.lineno}: {error.msg}"
    own = [frame for frame in extract_tb(error.__traceback__) if not frame.filename.startswith(_INSTALLED)]
    place = f"{Path(own[-1].filename).name}, line {own[-1].lineno}: " if own else ""
    # The text of a KeyError is only the key.
    return f"{place}there is no {error}" if isinstance(error, KeyError) else f"{place}{error or type(error).__name__}"
