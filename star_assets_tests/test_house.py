"""The rules of the house: which room may import which, and that every file says its purpose."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import star_assets

PACKAGE = Path(star_assets.__file__).parent
MODULES = {str(path.relative_to(PACKAGE)): path for path in sorted(PACKAGE.rglob("*.py"))}

# What is loaded only where it is used: starting must not cost seconds for engines nobody asked for.
LATE = {"pyspark", "boto3", "botocore", "dagster_aws", "dagster_pyspark", "psycopg", "pyathena"}

# The program that a Glue job runs does a step of the pipeline, and reports by Dagster's protocol.
PROGRAM = "pipeline/glue/job.py"

# From the lowest to the highest: a room imports only those before it.
ROOMS = [
    "model",
    "star",
    "packages",
    "settings",
    "prices",
    "usage",
    "visible",
    "rules",
    "lake",
    "exports",
    "engines",
    "books",
    "pipeline",
    "keeping",
    "athena",
    "costs",
    "reports",
    "aws",
    "tills",
    "samples",
    "orchestration",
    "definitions",
    "cost_definitions",
    "cli",
]

# The code locations that Dagster loads.
LOCATIONS = {"definitions.py", "cost_definitions.py"}

MOST_LINES, MOST_FUNCTION_LINES = 500, 40


def parsed(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(), module)


def imported(tree: ast.AST) -> Iterator[str]:
    """The full name of everything that is imported anywhere below `tree`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imported_on_loading(tree: ast.AST) -> Iterator[str]:
    """What is imported as soon as the module is: not what functions import, nor what only type checkers see."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from imported(node)
        elif isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            yield from (name for other in node.orelse for name in imported_on_loading(other))
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from imported_on_loading(node)


def package_of(name: str) -> str:
    return name.partition(".")[0]


def room_of(name: str) -> str:
    """`star_assets.lake.ledger` → lake."""
    return name.split(".")[1]


@pytest.mark.parametrize("module", [name for name in MODULES if name != "__init__.py"])
def test_a_room_imports_only_rooms_below_it(module: str) -> None:
    """Whoever reads a room need know none of those above it."""
    room = module.partition("/")[0].removesuffix(".py")
    names = {name for name in imported(parsed(module)) if name.startswith("star_assets.")}
    above = ROOMS[ROOMS.index(room) + 1 :]
    assert [name for name in names if room_of(name) in above] == []


def test_no_module_imports_itself_through_others() -> None:
    """Of two modules that import each other, neither can be read alone. What only type checkers see counts too."""

    def name_of(module: str) -> str:
        """`lake/__init__.py` → star_assets.lake."""
        return ".".join(("star_assets", *Path(module).with_suffix("").parts)).removesuffix(".__init__")

    names = set(map(name_of, MODULES))

    def module_of(name: str) -> str:
        return name if name in names else name.rpartition(".")[0]

    graph = {
        name_of(module): {module_of(name) for name in imported(parsed(module)) if name.startswith("star_assets.")}
        for module in MODULES
    }
    assert list(TopologicalSorter(graph).static_order())


def test_every_room_has_its_place() -> None:
    rooms = {module.partition("/")[0].removesuffix(".py") for module in MODULES} - {"__init__"}
    assert rooms == set(ROOMS)


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("star/")])
def test_the_star_imports_only_the_model(module: str) -> None:
    """An analyst reads and edits the star without knowing the rest."""
    names = {name for name in imported(parsed(module)) if name.startswith("star_assets.")}
    assert {room_of(name) for name in names} <= {"model", "star"}


@pytest.mark.parametrize(
    "module", [name for name in MODULES if name not in LOCATIONS and not name.startswith("orchestration/")]
)
def test_only_orchestration_knows_dagster(module: str) -> None:
    """The pipeline runs, and is tested, without an orchestrator."""
    known = {"dagster_pipes"} if module == PROGRAM else set()
    found = {package_of(name) for name in imported(parsed(module)) if package_of(name).startswith("dagster")}
    assert found <= known


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith(("engines/", "books/"))])
def test_engines_and_books_know_nothing_of_ledgers(module: str) -> None:
    """They write files where they are told; what is live is not theirs to know."""
    forbidden = ["star_assets.engines.duckdb."] if module.startswith("engines/spark/relations") else []
    forbidden += ["star_assets.lake."]
    names = [name for name in imported(parsed(module)) if not name.startswith("star_assets.lake.worker_files.")]
    assert [name for name in names if name.startswith(tuple(forbidden))] == []


@pytest.mark.parametrize("module", MODULES)
def test_what_is_heavy_is_imported_only_where_it_is_used(module: str) -> None:
    assert [name for name in imported_on_loading(parsed(module)) if package_of(name) in LATE] == []


@pytest.mark.parametrize("module", MODULES)
def test_every_module_says_its_purpose(module: str) -> None:
    purpose = ast.get_docstring(parsed(module))
    assert purpose
    assert purpose.splitlines()[0].endswith((".", ":"))


@pytest.mark.parametrize("module", MODULES)
def test_files_and_functions_stay_readable(module: str) -> None:
    assert len(MODULES[module].read_text().splitlines()) < MOST_LINES
    functions = [node for node in ast.walk(parsed(module)) if isinstance(node, ast.FunctionDef)]
    lengths = {node.name: (node.end_lineno or 0) - _body_begin(node) for node in functions}
    assert {name: lines for name, lines in lengths.items() if lines >= MOST_FUNCTION_LINES} == {}


def _body_begin(function: ast.FunctionDef) -> int:
    """The line where code begins: arguments and docstring are no code."""
    first, *rest = function.body
    if ast.get_docstring(function) is None:
        return first.lineno
    return rest[0].lineno if rest else function.end_lineno or 0


def test_the_rules_see_an_import_that_breaks_them() -> None:
    """A rule that finds nothing anywhere holds nothing."""
    tree = ast.parse(
        "import boto3\n"
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    import pyspark.sql\n"
        "try:\n    from pyspark import sql\nexcept ImportError:\n    pass\n"
        "def use():\n    import dagster_aws\n"
    )
    assert {package_of(name) for name in imported(tree)} & LATE == {"boto3", "pyspark", "dagster_aws"}
    assert {name for name in imported_on_loading(tree) if package_of(name) in LATE} == {"boto3", "pyspark.sql"}


@pytest.mark.parametrize("module", ["star_assets.star", "star_assets.cli", "star_assets.definitions"])
def test_loading_brings_in_neither_spark_nor_aws(module: str, tmp_path: Path) -> None:
    """Not even through somebody else's import."""
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} does not exist yet")
    code = f"import sys, {module}; print(*sorted({LATE!r} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr
