"""Where tables live: the storages, the ledgers, the publish protocol, and the catalogs.

Not here: computing the rows of a version (engines, pipeline), running SQL over them (athena).
"""
