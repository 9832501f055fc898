"""A star schema from OLTP exports: Dagster assets over Parquet, Glue and Athena."""

__version__ = "0.1.0"
