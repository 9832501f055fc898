"""What is remembered and checked, always with DuckDB: states, keys, members, audits, accounts. Not here: the lake."""
