"""Catalog tables over raw exports: what they look like, and what brings them up to date."""
