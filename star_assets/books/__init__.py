"""Books: the key index, folded states, used members, and the audits and accounts of tables; all by DuckDB."""
