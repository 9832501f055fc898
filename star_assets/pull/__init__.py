"""Pulling: what changed on a day in the OLTP database becomes that day's exports in the raw zone."""
