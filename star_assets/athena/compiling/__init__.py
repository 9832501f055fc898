"""Athena's queries compiled into DuckDB's SQL: clauses, expressions, functions, and the scans of tables."""
