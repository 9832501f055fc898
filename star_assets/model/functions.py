"""What a transform may call beyond Ibis: primitives that every engine provides.

Ibis has no portable conversion between time zones, so the business date is a
function of the engine, bound to the business time zone of the settings.
"""

from __future__ import annotations

import ibis
import ibis.expr.datatypes as dt


@ibis.udf.scalar.builtin(name="business_date", signature=((dt.Timestamp(scale=3),), dt.date))
def business_date(timestamp):  # type: ignore[no-untyped-def]
    """The calendar day (DATE) of a UTC timestamp in the business time zone."""
