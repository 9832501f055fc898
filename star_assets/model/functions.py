"""What a transform may call beyond Ibis: primitives that every engine provides.

Ibis has no portable conversion between time zones, so the business date and its
inverse are functions of the engine, bound to the business time zone of the
settings; nor has it a digest as a number.
"""

from __future__ import annotations

import ibis
import ibis.expr.datatypes as dt


@ibis.udf.scalar.builtin(name="business_date", signature=((dt.Timestamp(scale=3),), dt.date))
def business_date(timestamp):  # type: ignore[no-untyped-def]
    """The calendar day (DATE) of a UTC timestamp in the business time zone."""


@ibis.udf.scalar.builtin(name="start_of_day", signature=((dt.date,), dt.Timestamp(scale=3)))
def start_of_day(day):  # type: ignore[no-untyped-def]
    """The moment (UTC) at which a calendar day begins in the business time zone."""


@ibis.udf.scalar.builtin(name="surrogate_key", signature=((dt.string, dt.Timestamp(scale=3)), dt.int64))
def surrogate_key(key, moment):  # type: ignore[no-untyped-def]
    """A number for a member as it was from a moment on: the first 63 bits of a SHA-256.

    Its text is `<key>@<milliseconds since 1970>`, without the number where the
    moment is NULL. Never negative, so it is never the Unknown member's.
    """
