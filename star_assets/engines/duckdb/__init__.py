"""DuckDB: the default engine, and the SQL that books use as well."""
