"""Microsoft's own readers read what is generated: its parser of M, and, where one is named, its parser of TMDL.

The parser of M is npm's @microsoft/powerquery-parser (MIT), which `make readers` fetches.
The one of TMDL is a preview whose terms allow development and tests alone, so nothing here
fetches it: `npm install @microsoft/powerbi-modeling-mcp-linux-x64`, and POWERBI_MODELING
names its program, dist/powerbi-modeling-mcp.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from .conftest import Files
from .test_executed_dax import FETCHED
from .tmdl_reader import read_model

pytestmark = pytest.mark.long

MODELING = os.environ.get("POWERBI_MODELING")

HERE = Path(__file__).parent


def errors_in(expressions: list[str]) -> list[str | None]:
    """For each expression of M, what the parser says against it."""
    done = subprocess.run(
        ["node", HERE / "parse_m.cjs"],
        input=json.dumps(expressions),
        env={**os.environ, "NODE_PATH": str(FETCHED / "node_modules")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: list[str | None] = json.loads(done.stdout)
    return found


def test_every_expression_of_m_is_one(project: Files) -> None:
    """Desktop refuses a table whose query it cannot parse."""
    if not (FETCHED / "node_modules").is_dir():
        pytest.skip("no parser of M here; `make readers` fetches it")
    model = read_model(project)
    sources = [one.properties["source"] for table in model.tables.values() for one in table.of("partition").values()]
    expressions = [*sources, *(one.expression for one in model.objects["expressions.tmdl"])]
    assert len(sources) == len(model.tables)
    assert errors_in(expressions) == [None] * len(expressions)
    assert errors_in([sources[0].replace("\nin\n", "\n")]) != [None]


@contextmanager
def modeling() -> Iterator[Any]:
    """Microsoft's tool: a function that has it do an operation, and returns whether it refuses and what it says."""
    assert MODELING is not None
    with subprocess.Popen(
        [MODELING, "--start"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as tool:
        assert tool.stdin is not None
        assert tool.stdout is not None

        def send(method: str, number: int | None = None, **parameters: Any) -> Any:
            message = {"jsonrpc": "2.0", "method": method, "params": parameters}
            tool.stdin.write(json.dumps(message if number is None else {**message, "id": number}) + "\n")
            tool.stdin.flush()
            if number is None:
                return None
            replies = map(json.loads, iter(tool.stdout.readline, ""))
            return next(reply for reply in replies if reply.get("id") == number)["result"]

        def operate(operation: str, folder: Path) -> tuple[bool, str]:
            request = {"operation": operation, "tmdlFolderPath": str(folder)}
            said = send("tools/call", 2, name="database_operations", arguments={"request": request})
            return bool(said.get("isError")), " ".join(part["text"] for part in said["content"])

        about = {"name": "star_assets_tests", "version": "1"}
        send("initialize", 1, protocolVersion="2025-06-18", capabilities={}, clientInfo=about)
        send("notifications/initialized")
        yield operate
        tool.terminate()


def test_its_parser_of_tmdl_writes_the_same_bytes(project: Files, tmp_path: Path) -> None:
    """What it would write otherwise, Desktop writes otherwise when it saves: a change that nobody made."""
    if MODELING is None:
        pytest.skip("POWERBI_MODELING names no parser of TMDL")
    texts = {path.partition("/definition/")[2]: text for path, text in project.items() if path.endswith(".tmdl")}
    for path, text in texts.items():
        (tmp_path / "in" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / path).write_text(text)
    with modeling() as operate:
        assert operate("ImportFromTmdlFolder", tmp_path / "in") == (False, "")
        refused, said = operate("ExportToTmdlFolder", tmp_path / "out")
    assert not refused, said
    written = {path.relative_to(tmp_path / "out").as_posix(): path for path in (tmp_path / "out").rglob("*.tmdl")}
    assert written.keys() == texts.keys()
    assert {path for path, text in texts.items() if written[path].read_text(encoding="utf-8-sig") != text} == set()
