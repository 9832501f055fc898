"""SQL over the lake: DDL, and the embedded Athena, which answers from the catalog's live versions."""
