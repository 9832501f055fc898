"""The Spark engine, for days that are too large for one machine."""
