"""Where tables live: storage, versions and how they are published, the catalog.

Not here: what is in a version (staging, engines), SQL over it (athena).
"""
