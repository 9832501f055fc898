"""The sample data of the demo: a retailer that exports every day, and a server that plays AWS."""
