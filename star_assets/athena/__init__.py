"""Athena's SQL over the lake: the embedded Athena, which runs on this machine, and the client of the service.

The embedded one reads the live versions of the catalog's tables with DuckDB. It refuses by name what it cannot
answer exactly as Athena does. Not here: the catalog, and DDL that is generated from the model (lake).
"""
