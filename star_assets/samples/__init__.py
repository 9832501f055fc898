"""A retailer that exports every day: the demo's data."""
