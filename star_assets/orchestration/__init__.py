"""Dagster: partitions, assets, checks, resources, schedules, sensors, jobs. The only room that imports it."""
