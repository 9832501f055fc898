"""Names of an export's columns in tables.

A declared column keeps its name. Any other gets one that paths, SQL and Glue accept.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain, count

from star_assets.model.members import MEMBER_KIND
from star_assets.model.schema import HOUR, PARTITION_COLUMN
from star_assets.model.source import NAME, Source

# Columns that the project adds to published tables; an export's column of such a
# name becomes raw_<name>.
RESERVED = frozenset({PARTITION_COLUMN, MEMBER_KIND})


def table_names(header: Sequence[str], source: Source) -> dict[str, str]:
    """For each column of a header, in order, its name in tables; all names are distinct."""
    declared, reserved = source.declared, RESERVED | (source.staged.keys() - source.declared.keys())
    reserved |= {HOUR} if source.is_stream else set()

    def is_usable(column: str) -> bool:
        return NAME.fullmatch(column) is not None and column not in reserved

    names = {column: column for column in header if column in declared or is_usable(column)}
    for column in header:
        if column not in names:
            taken = {*declared, *names.values()}
            usable = re.sub(r"[^a-z0-9_]", "_", column.lower())
            usable = usable if is_usable(usable) else f"raw_{usable.lstrip('_')}"
            numbered = (f"{usable}_{number}" for number in count(2))
            names[column] = next(found for found in chain([usable], numbered) if found not in taken)
    return {column: names[column] for column in header}
