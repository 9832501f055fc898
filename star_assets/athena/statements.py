"""x."""

from star_assets.athena.client import Result


def is_ddl(s):
    return False


class Statements:
    pass
