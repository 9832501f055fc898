"""The DuckDB engine, which is the default, and the DuckDB sessions and SQL that books use as well."""
