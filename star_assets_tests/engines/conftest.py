"""Shared by the tests of engines: Spark as it suits a few rows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ..spark import INTERPRETED, write_defaults


@pytest.fixture(scope="session", autouse=True)
def _small_spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Spark's own configuration, which is read when this process starts it."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("spark_conf")
        write_defaults(folder, **INTERPRETED)
        patch.setenv("SPARK_CONF_DIR", str(folder))
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        yield
