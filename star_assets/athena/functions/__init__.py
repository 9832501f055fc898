"""Python functions and macros by which a DuckDB session computes as Athena does. Not here: their calls (compiling)."""
