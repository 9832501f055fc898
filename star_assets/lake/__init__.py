"""Where tables live: the storages, the ledgers, the publish protocol, and the catalogs.

Not here: computing the rows of a version (staging, engines), running SQL over them (athena).
"""
