"""Books: the key index, folded states and used members; audits and accounts of tables. All are computed by DuckDB."""
