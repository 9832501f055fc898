"""What the lake costs, as a star of its own: AWS's bill by day, service and usage type, and what each version used.

Here: the star, exporting Cost Explorer's answer as its sources, what people are told of
costs. Not here: unit prices (prices), counting what is used (usage), Dagster
(orchestration), the command (cli).
"""
