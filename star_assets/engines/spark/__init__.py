"""Spark: the engine for days that outgrow one machine."""
