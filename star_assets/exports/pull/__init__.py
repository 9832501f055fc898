"""Pulling: exporting the rows that changed on a day in the OLTP database into the raw zone."""
