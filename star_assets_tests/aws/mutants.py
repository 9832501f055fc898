"""Templates that are broken in one way each, by the lines of lake_mutants.txt, host_mutants.txt and costs_mutants.txt.

A line is `what | after this text | this | becomes that`, where `\\n` is a line's end.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from star_assets.aws.template import text


def mutants(name: str) -> Iterator[tuple[str, str]]:
    """What was broken in a template, and the template's text with it."""
    whole = text(name)
    for line in (Path(__file__).parent / f"{name}_mutants.txt").read_text().splitlines():
        what, after, old, new = (part.strip(" ").replace("\\n", "\n") for part in line.split(" | "))
        resources = whole.index("\nResources:") if "Default:" not in old else 0
        start = whole.index(f"\n  {after}" if f"\n  {after}" in whole else after, resources)
        place = whole.index(old, start)
        yield what, whole[:place] + new + whole[place + len(old) :]
