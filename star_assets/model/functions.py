"""The functions that every engine provides to transforms beside Ibis: business dates and surrogate keys.

Ibis has no portable conversion between time zones, so the business date and its inverse
are functions of the engine, which use the business time zone of the settings. Ibis
also lacks a numeric digest, which surrogate keys need.
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
    """The surrogate key of a member's interval that begins at a moment: the first 63 bits of a SHA-256.

    The digest is of the text `<key>@<milliseconds since 1970>`, or `<key>@` if the moment is
    NULL. It is never negative, so it never equals the Unknown member's key.
    """
