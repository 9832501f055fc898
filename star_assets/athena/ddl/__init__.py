"""Athena's DDL: statements that change or show the catalog. Not here: queries (compiling)."""
