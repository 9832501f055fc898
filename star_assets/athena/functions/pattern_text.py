"""Athena's functions of regular expressions in Python.

Java's patterns are translated into Python's: names of groups, and classes, which are of ASCII only. What cannot be
translated is refused. Not here: the patterns that DuckDB matches itself (compiling.patterns).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from star_assets.athena.failures import Unanswered, Wrong

# Syntax that Python lacks or reads differently: some anchors, classes and flags of Java's, and operations on
# classes.
_OTHERWISE = re.compile(r"\\[GQEZzRXhHvVpPku0]|\\x(?![0-9a-fA-F]{2})|\[:|&&|\[[^\]]*\[|\(\?[a-z]*[udxUL]|\\[1-9][0-9]")

# Java's classes have ASCII characters only, while its \b knows every letter, as Python's does.
_CLASSES = {"w": "a-zA-Z0-9_", "d": "0-9", "s": r" \t\n\x0b\f\r"}
_TOKEN = re.compile(r"\\.|\[\^?|\]|\(\?<(?![=!])|.", re.DOTALL)


@lru_cache(maxsize=256)
def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern of Athena's as one of Python's. Raises Wrong, and Unanswered for syntax that cannot be translated."""
    if _OTHERWISE.search(pattern):
        raise Unanswered(f"the regular expression {pattern}")
    found, in_class = [], False
    for token in _TOKEN.findall(pattern):
        if token.startswith("["):
            in_class = True
        elif token == "]":
            in_class = False
        elif token == "(?<":
            token = "(?P<"
        elif token[0] == "\\" and token[1] in _CLASSES:
            token = _CLASSES[token[1]] if in_class else f"[{_CLASSES[token[1]]}]"
        elif token[0] == "\\" and token[1].lower() in _CLASSES:
            if in_class:
                raise Unanswered(f"the regular expression {pattern}")
            token = f"[^{_CLASSES[token[1].lower()]}]"
        found.append(token)
    try:
        return re.compile("".join(found))
    except re.error as error:
        raise Wrong("INVALID_FUNCTION_ARGUMENT", f"Invalid regular expression {pattern}: {error}") from error


def groups(pattern: str) -> int:
    """How many groups a pattern has."""
    return compiled(pattern).groups


def like(text: str, pattern: str) -> bool:
    """regexp_like: whether the pattern matches anywhere in the text."""
    return compiled(pattern).search(text) is not None


def extract(text: str, pattern: str, group: int) -> str | None:
    """regexp_extract: the first match, or a group of it; None if there is no match."""
    match = compiled(pattern).search(text)
    return match.group(_checked(pattern, group)) if match else None


def extract_all(text: str, pattern: str, group: int) -> list[str | None]:
    """regexp_extract_all: every match, or a group of each."""
    return [match.group(_checked(pattern, group)) for match in compiled(pattern).finditer(text)]


def _checked(pattern: str, group: int) -> int:
    count = groups(pattern)
    if not 0 <= group <= count:
        raise Wrong("INVALID_FUNCTION_ARGUMENT", f"Pattern has {count} groups. Cannot access group {group}")
    return group


def count(text: str, pattern: str) -> int:
    """The number of matches."""
    return sum(1 for _ in compiled(pattern).finditer(text))


def position(text: str, pattern: str, start: int, occurrence: int) -> int:
    """regexp_position: where the nth match from `start` on begins, counted from 1; -1 if there is none."""
    if start < 1 or occurrence < 1:
        raise Wrong("INVALID_FUNCTION_ARGUMENT", "start position and occurrence must be at least 1")
    matches = list(compiled(pattern).finditer(text, start - 1))
    return matches[occurrence - 1].start() + 1 if len(matches) >= occurrence else -1


def split(text: str, pattern: str) -> list[str]:
    """regexp_split: the texts between the matches."""
    found, begin = [], 0
    for match in compiled(pattern).finditer(text):
        found.append(text[begin : match.start()])
        begin = match.end()
    return [*found, text[begin:]]


def replace(text: str, pattern: str, replacement: str) -> str:
    """regexp_replace: `$1` and `${name}` in the replacement are groups; a backslash escapes the next character."""
    found = compiled(pattern)
    parts = _replacement(replacement, pattern)
    return found.sub(lambda match: "".join(p[1] if p[0] else match.group(_key(p[1])) or "" for p in parts), text)


def _key(name: str) -> int | str:
    return int(name) if name.isdigit() else name


@lru_cache(maxsize=256)
def _replacement(text: str, pattern: str) -> Sequence[tuple[bool, str]]:
    """The parts of a replacement: whether each is plain text, and the text or the group."""
    found, place = [], 0
    while place < len(text):
        part = _PART.match(text, place)
        if not part:
            raise Wrong("INVALID_FUNCTION_ARGUMENT", f"Illegal replacement sequence: {text[place:]}")
        place, group = part.end(), part[2] or part[3]
        # A group's number has as many digits as give a number that the pattern has.
        while part[2] and text[place : place + 1].isdigit() and int(group + text[place]) <= groups(pattern):
            group, place = group + text[place], place + 1
        if group and _key(group) not in (*range(groups(pattern) + 1), *compiled(pattern).groupindex):
            raise Wrong("INVALID_FUNCTION_ARGUMENT", f"Illegal replacement sequence: unknown group {group}")
        found.append((group is None, group or part[1] or part[4]))
    return found


# An escaped letter, a group by its number or its name, plain text.
_PART = re.compile(r"\\(.)|\$(?:(\d)|\{(\w+)\})|([^\\$]+)", re.DOTALL)
