"""Escapes control characters, which could steer a terminal, in text from data.

Not here: markup. Text from data goes only where markup is not interpreted (rich's
Text, Dagster's texts and tables).
"""

from __future__ import annotations

import re

# Control characters except tab and line feed, line and paragraph separators, characters that
# change the direction of writing, and halves of surrogate pairs, which cannot be encoded.
STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str) -> str:
    r"""The text with each steering character as Python writes it: `\x1b` for an escape."""
    return STEERING.sub(lambda found: ascii(found[0])[1:-1], text)
