"""Keeping a lake over the years: status, damage and its repair, deleting old raw files, forgetting a person."""
