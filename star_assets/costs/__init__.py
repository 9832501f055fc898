"""The star of costs: AWS's bill by day, service and usage type, and the estimated cost of each version.

Here: the star, its exports from Cost Explorer, the report and checks of costs. Not
here: unit prices (prices), counting requests and seconds (usage), Dagster
(orchestration), the command (cli).
"""
