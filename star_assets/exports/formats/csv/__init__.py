"""CSV, in the dialects that a Source's `Csv` declares."""
