"""What a session is taught: all of it can be learned, in any company."""

from __future__ import annotations

from star_assets.athena.functions.macros import MACROS
from star_assets.athena.functions.python_functions import FUNCTIONS
from star_assets.athena.session import Session


def test_a_query_may_name_what_another_name_has_brought_along() -> None:
    """Many a macro calls another, which the query may name too."""
    names = [*(signature.partition("(")[0] for signature in MACROS), *FUNCTIONS]
    cursor = Session(1, "1GB").cursor(" ".join(names))
    known = {name for (name,) in cursor.sql("SELECT function_name FROM duckdb_functions()").fetchall()}
    assert set(names) <= known
