"""Spark on a cluster: a master and two workers, as processes, that share the lake's folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path

import pytest

from star_assets.engines.spark.packing import pack, settings
from star_assets.pipeline.warehouse import Warehouse
from star_assets.samples.retailer import write_exports
from star_assets.settings import Settings
from star_assets.star import retail

from ..pipeline.comparing import live_rows
from ..spark import needs_spark, write_defaults

pytestmark = [*needs_spark, pytest.mark.long]

STAR_ASSETS = Path(sysconfig.get_path("scripts")) / "star-assets"
DAYS = ["2023-07-01", "2023-07-02"]

# One that Spark reads itself, and one that the exact reader reads on the workers.
TABLES = ("customers", "stores")

QUICK = {"SPARK_DAEMON_MEMORY": "256m", "SPARK_DAEMON_JAVA_OPTS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}


@contextmanager
def daemon(name: str, *arguments: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A process of Spark's own, whose log is its standard error."""
    import pyspark

    program = Path(pyspark.__file__).parent / "bin" / "spark-class"
    command = [str(program), f"org.apache.spark.deploy.{name}", "--host", "127.0.0.1", "--webui-port", "0", *arguments]
    environment = {**os.environ, **QUICK, "SPARK_CONF_DIR": str(folder), "SPARK_LOG_DIR": str(folder)}
    environment |= {"SPARK_WORKER_DIR": str(folder / "work")}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def said(process: subprocess.Popen[str], pattern: str) -> str:
    """What the pattern's group is in the first line of a daemon's log that has it."""
    assert process.stderr is not None
    lines = []
    for line in process.stderr:
        lines.append(line)
        if found := re.search(pattern, line):
            return found[1]
    raise AssertionError("".join(lines))


@pytest.fixture
def master(tmp_path: Path) -> Iterator[str]:
    """The address of a cluster with two workers of one core each."""
    write_defaults(tmp_path / "conf", tmp_path / "no S3A")
    with ExitStack() as stack:
        started = stack.enter_context(daemon("master.Master", "--port", "0", folder=tmp_path / "conf"))
        address = said(started, r"Starting Spark master at (spark://\S+)")
        one = ("worker.Worker", "--cores", "1", "--memory", "600m", address)
        workers = [stack.enter_context(daemon(*one, folder=tmp_path / "conf")) for _ in range(2)]
        assert [said(worker, r"Successfully registered with master (\S+)") for worker in workers] == [address] * 2
        yield address


def run(master: str, folder: Path, **configuration: str) -> subprocess.CompletedProcess[str]:
    """`star-assets run` over the lake `folder/lake`, whose workers have a bare Python."""
    quick = {"spark.executor.memory": "500m", "spark.executor.extraJavaOptions": QUICK["SPARK_DAEMON_JAVA_OPTS"]}
    write_defaults(folder / "driver", folder / "no S3A", **quick, **configuration)
    others = {name: value for name, value in os.environ.items() if not name.startswith("STAR_")}
    environment = {"STAR_LAKE": str(folder / "lake"), "STAR_ENGINE": "spark", "STAR_SPARK_MASTER": master}
    environment |= {"SPARK_CONF_DIR": str(folder / "driver"), "SPARK_LOCAL_IP": "127.0.0.1"}
    environment |= {"PYSPARK_PYTHON": f"{sys.base_prefix}/bin/python{sys.version_info[0]}.{sys.version_info[1]}"}
    command = [STAR_ASSETS, "run", *TABLES, "--from", DAYS[0], "--to", DAYS[1]]
    return subprocess.run(command, env=others | environment, capture_output=True, text=True)


def test_workers_without_packages_are_told_of(master: str, tmp_path: Path) -> None:
    """Whoever runs the step knows the command that mends it."""
    write_exports(tmp_path / "lake", date(2023, 7, 1), 2, orders_per_day=5)
    done = run(master, tmp_path)
    assert done.returncode == 1
    assert "its workers have no Python package pyarrow" in " ".join(done.stderr.split())
    assert "star-assets pack" in done.stderr


def test_a_cluster_of_two_workers_gives_the_same(master: str, tmp_path: Path) -> None:
    """Both workers compute, in processes that know nothing of this one but its address and the lake's folder.

    Their Python has no packages but those that were packed for them.
    """
    write_exports(tmp_path / "lake", date(2023, 7, 1), 2, orders_per_day=5)
    (tmp_path / "here").mkdir()
    (tmp_path / "here/oltp").symlink_to(tmp_path / "lake/oltp")
    pack(tmp_path / "packages.tar.gz")
    events = {"enabled": "true", "dir": (tmp_path / "events").as_uri(), "compress": "false", "rolling.enabled": "false"}
    (tmp_path / "events").mkdir()
    told = {f"spark.eventLog.{key}": value for key, value in events.items()}
    done = run(master, tmp_path, **settings(str(tmp_path / "packages.tar.gz")), **told)
    assert done.returncode == 0, done.stdout + done.stderr
    here = Warehouse(retail, Settings(lake=str(tmp_path / "here"), threads=2))
    there = Warehouse(retail, Settings(lake=str(tmp_path / "lake"), threads=2))
    for table in TABLES:
        assert all(outcome.error is None for outcome in here.refresh(table, DAYS))
        for day in DAYS:
            assert live_rows(there, table, day) == live_rows(here, table, day)
    (log,) = (tmp_path / "events").iterdir()
    assert len(set(re.findall(r'"Executor ID":"(\d+)"', log.read_text()))) == 2
