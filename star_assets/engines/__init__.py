"""What computes: one interface, DuckDB behind it. Engines write files and know nothing of pointers."""
