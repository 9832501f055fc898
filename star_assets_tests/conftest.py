"""A small published lake of the retail star, and the real command line in a process of its own."""

from __future__ import annotations

import gc
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import traceback
import urllib.request
import uuid
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from star_assets.athena.embedded import EmbeddedAthena
from star_assets.pipeline.warehouse import Warehouse
from star_assets.samples.retailer import write_exports
from star_assets.settings import Settings
from star_assets.star import retail

from . import postgres_server
from .athena.trino import Trino, lacking
from .athena.trino import started as started_trino
from .shop import Shop

FIRST, DAYS = date(2023, 7, 1), 2

STAR_ASSETS = Path(sysconfig.get_path("scripts")) / "star-assets"

# A file system in memory, on Linux, and the bytes that must be free there: the folders of all tests take a quarter.
IN_MEMORY, NEEDED = Path("/dev/shm"), 4_000_000_000


def pytest_configure() -> None:
    """Keep the tests' folders in memory, where there is room: each commit to a lake flushes the lake's file system."""
    if os.access(IN_MEMORY, os.W_OK) and shutil.disk_usage(IN_MEMORY).free > NEEDED:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(IN_MEMORY))


@pytest.fixture(autouse=True, scope="session")
def own_state(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What the Firehose on this machine keeps is a test's, not its user's."""
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))


class SmallLake:
    """Two days of the retailer, published, and what a user may ask of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.warehouse = Warehouse(retail, Settings(lake=str(root), start_date=FIRST))

    @property
    def environment(self) -> dict[str, str]:
        others = {name: value for name, value in os.environ.items() if not name.startswith("STAR_")}
        return {**others, "STAR_LAKE": str(self.root)}

    def export(self, source: str, day: str) -> Path:
        return self.root / "oltp" / source / f"date={day}"

    def rows(self, sql: str) -> list[dict[str, Any]]:
        athena = EmbeddedAthena(self.warehouse.storage, self.warehouse.catalog)
        found: list[dict[str, Any]] = athena.query(sql).table.to_pylist()
        return found

    def start(self, *arguments: str, program: Path = STAR_ASSETS, **options: Any) -> subprocess.Popen[str]:
        """`star-assets …` as a process; it reads and writes text through pipes."""
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen([program, *arguments], env=self.environment, text=True, **{**pipes, **options})


@pytest.fixture(scope="session")
def published_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lake that tests get copies of."""
    lake = SmallLake(tmp_path_factory.mktemp("published") / "lake")
    write_exports(lake.root, FIRST, DAYS, orders_per_day=20)
    for table in retail.tables:
        errors = [outcome.error for outcome in lake.warehouse.refresh(table, lake.warehouse.days()) if outcome.error]
        assert errors == []
    return lake.root


@pytest.fixture
def small_lake(published_once: Path, tmp_path: Path) -> SmallLake:
    """A copy of its own."""
    lake = SmallLake(tmp_path / "lake")
    shutil.copytree(published_once, lake.root)
    return lake


@contextmanager
def serving(*command: str) -> Iterator[str]:
    """A server that runs as a process of its own: it prints where it is, and serves until its input ends."""
    with subprocess.Popen(
        [sys.executable, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        where = server.stdout.readline().strip()
        assert where, "the server did not start"
        yield where
        server.stdin.close()


@contextmanager
def quick(name: str) -> Iterator[Path]:
    """A program that need not import anything (command_server)."""
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(str(Path(__file__).parent / "command_server.py"), folder, name) as program,
    ):
        yield Path(program)


@pytest.fixture(scope="session")
def quick_star_assets() -> Iterator[Path]:
    with quick("star-assets") as program:
        yield program


@pytest.fixture(scope="session")
def quick_dagster() -> Iterator[Path]:
    with quick("dagster") as program:
        yield program


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The superuser's URL of a PostgreSQL server."""
    if postgres_server.programs() is None:
        reason = "no PostgreSQL on this machine: install its server (initdb, pg_ctl) to test what is pulled from it"
        warnings.warn(reason, stacklevel=1)
        pytest.skip(reason)
    with serving(postgres_server.__file__) as url:
        yield url


@pytest.fixture
def replica_url(postgres_url: str) -> Iterator[str]:
    """The same of a replica."""
    with serving(postgres_server.__file__, postgres_url) as url:
        yield url


@pytest.fixture
def shop(postgres_url: str) -> Iterator[Shop]:
    """An empty database of the sample retailer, with the role that docs/postgres.md sets up."""
    with closing(Shop(postgres_url)) as made:
        yield made


@pytest.fixture(scope="session")
def aws_address() -> Iterator[str]:
    """The address of moto's server."""
    with serving(str(Path(__file__).parent / "aws_server.py")) as address:
        yield address


@pytest.fixture(scope="session")
def trino(aws_address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trino]:
    """Trino over this machine's AWS. Tests that ask it carry `xdist_group("trino")`, so that one worker starts it."""
    if lack := lacking():
        warnings.warn(f"NOT TESTED: nothing was compared with Trino, because {lack}.", stacklevel=1)
        pytest.skip(f"no Trino: {lack}")
    with started_trino(tmp_path_factory.mktemp("trino"), aws_address) as server:
        yield server


def to_aws(monkeypatch: pytest.MonkeyPatch, address: str, cache: Path) -> None:
    """Lead everything that asks AWS to moto's server; local copies are kept in `cache`."""
    variables = {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "XDG_CACHE_HOME": str(cache),
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def new_aws_lake(**settings: Any) -> Settings:
    """A folder in a bucket of its own, and Glue databases of its own."""
    import boto3

    name = uuid.uuid4().hex[:12]
    boto3.client("s3").create_bucket(Bucket=f"b-{name}")
    return Settings(lake=f"s3://b-{name}/retail/lake", glue_prefix=f"g{name}_", **settings)


@pytest.fixture
def aws(aws_address: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Settings]:
    """Makes the settings of a new lake on AWS."""
    to_aws(monkeypatch, aws_address, tmp_path / "cache")
    return new_aws_lake


class DecidedAthena:
    """Moto's Athena, which executes nothing: a test decides what it answers, and sees what it was sent.

    `workgroup` keeps results in a bucket of its own, and lets a query scan 10 MB.
    """

    def __init__(self, address: str) -> None:
        import boto3

        self.address, self.workgroup = address, f"w-{uuid.uuid4().hex[:12]}"
        boto3.client("s3").create_bucket(Bucket=self.workgroup)
        boto3.client("athena").create_work_group(
            Name=self.workgroup,
            Configuration={
                "ResultConfiguration": {"OutputLocation": f"s3://{self.workgroup}/results/"},
                "BytesScannedCutoffPerQuery": 10_485_760,
            },
        )
        self._ask("DELETE", "/test/athena")

    @property
    def requests(self) -> list[dict[str, Any]]:
        """The statements that were sent, and those that were stopped."""
        found: list[dict[str, Any]] = json.loads(self._ask("GET", "/test/athena"))
        return found

    def decide(self, *outcomes: dict[str, Any]) -> None:
        """What becomes of the next statements, as aws_athena describes it."""
        self._ask("POST", "/test/athena", list(outcomes))

    def answer(self, table: pa.Table, types: Sequence[str], header: bool = True) -> None:
        """The rows of the next statement. A query's begin with the names of its columns."""
        columns = [[*map(wire_text, column.to_pylist())] for column in table.columns]
        rows = [*([table.column_names] if header else []), *zip(*columns, strict=True)]
        self.send(list(zip(table.column_names, types, strict=True)), rows)

    def send(self, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[str | None]]) -> None:
        """The same, as texts under columns of a name and a type."""
        named = [column_info(*column) for column in columns]
        data = [{"Data": [{} if text is None else {"VarCharValue": text} for text in row]} for row in rows]
        self._ask("POST", "/moto-api/static/athena/query-results", {"results": [{"rows": data, "column_info": named}]})

    def _ask(self, method: str, path: str, content: object = None) -> bytes:
        body = json.dumps(content).encode() if content is not None else None
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.address}{path}", body, headers, method=method)
        with urllib.request.urlopen(request) as reply:
            answered: bytes = reply.read()
            return answered


def column_info(name: str, type_: str) -> dict[str, Any]:
    """A column as Athena describes it."""
    bare, _, digits = type_.partition("(")
    precision, scale = (int(digit) for digit in digits.rstrip(")").split(",")) if digits else (0, 0)
    return {"Name": name, "Label": name, "Type": bare, "Precision": precision, "Scale": scale, "Nullable": "UNKNOWN"}


def wire_text(value: Any) -> str | None:
    """A value as Athena writes it."""
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.isoformat(" ", "milliseconds")
    return value.hex(" ") if isinstance(value, bytes) else str(value)


@pytest.fixture
def decided_athena(aws: Callable[..., Settings], aws_address: str) -> DecidedAthena:
    """Athena on AWS, as a test decides it."""
    return DecidedAthena(aws_address)


Fork = Callable[[Callable[[], None]], Callable[[], int]]


@pytest.fixture
def fork() -> Iterator[Fork]:
    """Runs a function in a process of its own; what it returns waits for the end and gives the exit status.

    0 is success, 1 an exception (shown on stderr), a negative number the signal that killed it.
    """
    running: set[int] = set()

    def start(work: Callable[[], None]) -> Callable[[], int]:
        pid = os.fork()
        if pid == 0:
            # What came along may belong to threads that did not: its end would be this process's.
            gc.freeze()
            try:
                work()
                os._exit(0)
            except BaseException:
                traceback.print_exc()
                sys.stderr.flush()
                os._exit(1)
        running.add(pid)

        def wait() -> int:
            running.discard(pid)
            return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

        return wait

    yield start
    for pid in running:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
