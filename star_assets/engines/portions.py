"""Splitting a sequence of items, in order, into portions of bounded size, one for each pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def portions(items: Iterable[T], size: Callable[[T], int], bound: float) -> Iterator[list[T]]:
    """The items in portions. Each ends with the item that makes it as large as the bound; none is empty."""
    portion: list[T] = []
    total = 0
    for item in items:
        portion.append(item)
        total += size(item)
        if total >= bound:
            yield portion
            portion, total = [], 0
    if portion:
        yield portion
