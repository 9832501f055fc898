"""DuckDB as the engine uses it: business dates, and its errors as people read them."""

from __future__ import annotations

import errno
import os
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from star_assets.engines.duckdb.session import business_date, connect, duckdb_errors, name, text
from star_assets.model.errors import EngineFailed, LakeFull, LakeRefused, StarError
from star_assets.settings import Settings

ZONES = ["UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Pacific/Auckland", "America/Sao_Paulo"]


@settings(max_examples=200, deadline=None, database=None)
@given(st.datetimes(datetime(1990, 1, 1), datetime(2035, 1, 1)), st.sampled_from(ZONES))
def test_the_business_date_is_the_day_in_the_zone(moment: datetime, zone: str) -> None:
    """Half a year later it may be another hour, in the south the other way round."""
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    for type_ in ("TIMESTAMP", "TIMESTAMP_MS"):
        found = duckdb.execute(f"SELECT {business_date(f'CAST(? AS {type_})', zone)}", [moment]).fetchone()
        assert found == (moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).date(),)


@pytest.mark.parametrize(
    ("error", "expected", "told_as"),
    [
        (duckdb.OutOfMemoryException("Out of Memory Error: failed"), EngineFailed, "raise STAR_MEMORY_LIMIT"),
        (duckdb.BinderException("Binder Error: no column\nLINE 1"), EngineFailed, "Binder Error: no column. Nothing"),
        (duckdb.IOException("IO Error: No space left on device"), LakeFull, "[Nn]o space left on"),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), LakeFull, "[Nn]o space left on"),
        (OSError(errno.EACCES, os.strerror(errno.EACCES), "/lake/x"), LakeRefused, "Permission denied"),
    ],
)
def test_errors_say_what_failed_and_what_to_do(error: Exception, expected: type[StarError], told_as: str) -> None:
    """Whoever reads them knows neither DuckDB nor this code; the lake's state is what they ask first."""
    with pytest.raises(expected, match=told_as) as found, duckdb_errors("folding exports"):
        raise error
    assert "folding exports" in str(found.value)
    assert "stay" in str(found.value)


def test_names_and_texts_are_quoted() -> None:
    """A column may be called anything."""
    odd = "a\"b'c;--"
    assert duckdb.execute(f"SELECT {text(odd)} AS {name(odd)}").fetchall() == [(odd,)]


def test_the_settings_bound_what_duckdb_takes(tmp_path) -> None:
    """Two runs at once must fit into one machine."""
    with connect(Settings(memory_limit="200MB", threads=1), str(tmp_path)) as connection:
        found = connection.execute(
            "SELECT current_setting('memory_limit'), current_setting('threads'), current_setting('temp_directory'), "
            "current_setting('TimeZone')"
        ).fetchone()
    assert found == ("190.7 MiB", 1, str(tmp_path), "UTC")
