"""The documentation is true: every command in it runs, every setting, link and command it names exists."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from star_assets import cli
from star_assets.aws.template import text
from star_assets.settings import Settings

from .aws.deployed import Stack
from .shop import Shop

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
POSTGRES = ROOT / "docs" / "postgres.md"
AWS = ROOT / "docs" / "aws.md"
JAFFLE, TPCH = (ROOT / "examples" / example / "README.md" for example in ("jaffle", "tpch"))

README = PAGES[0].read_text()

PAGE = re.compile(r"\bdocs/[\w-]+\.md")


def blocks(page: Path) -> list[tuple[str, str]]:
    """The commands of a page, block by block, each with what the page says they print (nothing if it does not)."""
    found = re.findall(r"```(sh|text)\n(.*?)```", page.read_text(), re.DOTALL)
    pairs = zip(found, [*found, ("", "")][1:], strict=True)
    return [(text, said if then == "text" else "") for (kind, text), (then, said) in pairs if kind == "sh"]


def run(script: str, folder: Path, *programs: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a block as a reader would, with `make` only told what it would do, and these programs those of their name."""
    script = re.sub(r"^make ", f"make -n -C {ROOT} ", script, flags=re.MULTILINE)
    # Tests that a page names are collected, not run: they run by themselves.
    script = re.sub(
        r"^\.venv/bin/pytest ",
        f"pytest --collect-only --rootdir {ROOT} -c {ROOT}/pyproject.toml {ROOT}/",
        script,
        flags=re.MULTILINE,
    )
    known = {name: value for name, value in os.environ.items() if not name.startswith(("STAR_", "DAGSTER_"))}
    path = [*(str(program.parent) for program in programs), str(Path(sys.executable).parent), os.environ["PATH"]]
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env={**known, "PATH": ":".join(path), "PYTHONPATH": str(ROOT), **settings},
        capture_output=True,
        text=True,
        timeout=300,
    )


def needs_exports(commands: str) -> bool:
    """Whether a block is for somebody who has a lake already."""
    return "STAR_LAKE=" not in commands and ("star-assets " in commands or "dagster " in commands)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory, quick_star_assets: Path) -> Path:
    """A folder like a clone, with five days of exports, each table published twice."""
    folder = tmp_path_factory.mktemp("clone")
    for file in ("dagster.yaml", "workspace.yaml"):
        shutil.copy(ROOT / file, folder)
    made = run("star-assets sample --days 5 --orders-per-day 20 && STAR_COMPRESSION=snappy star-assets run", folder)
    again = run("star-assets run", folder, quick_star_assets)
    assert made.returncode == again.returncode == 0, made.stderr + again.stderr
    return folder


@pytest.mark.parametrize(
    ("page", "number"),
    [
        pytest.param(
            page,
            n,
            id=f"{page.name}-{n}",
            # One worker makes the lake.
            marks=[pytest.mark.xdist_group("clone")] if needs_exports(commands) else [],
        )
        for page in PAGES
        if page not in (POSTGRES, AWS)
        for n, (commands, _) in enumerate(blocks(page))
    ],
)
def test_every_command_of_the_documentation_runs(
    page: Path, number: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """What a reader copies from a page must work as it stands, and print what the page shows."""
    commands, printed = blocks(page)[number]
    folder = request.getfixturevalue("clone") if needs_exports(commands) else tmp_path
    quick = ["quick_dagster"] if "dagster asset " in commands else ["quick_star_assets"]
    # The first that the README shows are run by the real program, from its imports on.
    programs = [] if page == PAGES[0] and number < 4 else map(request.getfixturevalue, quick)
    done = run(commands, folder, *programs)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not printed or done.stdout == printed


def test_the_commands_to_operate_a_lake_run_in_their_order_from_nothing(
    tmp_path: Path, quick_star_assets: Path
) -> None:
    """In a folder with one version of each day, a rollback would have nowhere to go."""
    (commands,) = [commands for commands, _ in blocks(PAGES[0]) if "star-assets rollback" in commands]
    done = run(commands, tmp_path, quick_star_assets)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "shorter", [" --from 2019-08-28", pytest.param("", marks=pytest.mark.long)], ids=["days", "year"]
)
def test_the_commands_of_the_example_run(tmp_path: Path, quick_star_assets: Path, shorter: str) -> None:
    """The example's page is a recipe for a star of one's own. Of a year, its last days are enough."""
    dump = Path(os.environ.get("JAFFLE_DATA", ROOT.parent / "shared" / "data" / "jaffle"))
    if not dump.is_dir():
        pytest.skip(f"no dump in {dump}; JAFFLE_DATA names its folder")
    for commands, _ in blocks(JAFFLE):
        assert "star-assets run " in commands
        commands = commands.replace("star-assets run ", f"star-assets run{shorter} ")
        done = run(commands.replace("/path/to/the/dump", str(dump)), tmp_path, quick_star_assets)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_commands_of_the_page_on_postgresql_run(shop: Shop, tmp_path: Path, quick_star_assets: Path) -> None:
    """On a database whose role is set up as the page says."""
    for commands, _ in blocks(POSTGRES):
        commands = commands.replace("postgresql://star_export@db.example.com:5432/shop", shop.url)
        done = run(commands, tmp_path, quick_star_assets, STAR_SOURCE_DSN=shop.url)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.long
def test_the_commands_of_the_large_example_run(tmp_path: Path, quick_star_assets: Path) -> None:
    """The same, of its smallest scale a week: what takes a reader minutes is tested with the example itself."""
    smaller = {"prepare 1 ": "prepare 0.001 ", "star-assets run ": "star-assets run --to 1992-01-07 "}
    for commands, _ in blocks(TPCH):
        for written, run_instead in smaller.items():
            assert written in commands
            commands = commands.replace(written, run_instead)
        done = run(commands.replace("-f examples/", f"-f {ROOT}/examples/"), tmp_path, quick_star_assets)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_commands_of_the_page_on_aws_run(
    aws: Callable[..., Settings], tmp_path: Path, quick_star_assets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From an empty account on: CloudFormation's as it would run them, ours on the stack that it made."""
    way, _, rest = AWS.read_text().partition("### What the stack made")
    commands = [command.replace("\\\n", " ") for command in indented(way)]
    assert len(commands) + len([line for block, _ in blocks(AWS) for line in block.splitlines()]) <= 10
    settings = ""
    for command in commands:
        if command.startswith("aws "):
            words = shlex.split(command)
            file, stack = (words[words.index(option) + 1] for option in ("--template-file", "--stack-name"))
            assert (tmp_path / file).read_text() == text("lake")
            given = dict(word.split("=", 1) for word in words[words.index("--parameter-overrides") + 1 :])
            assert given.keys() <= Stack(stack, **given).template.document["Parameters"].keys()
        elif command.startswith("export "):
            settings = f"{command}\n"
        elif command == "star-assets aws check shop":
            # moto lacks what two points ask for; test_check.py has all of them.
            looked = run(command, tmp_path, quick_star_assets, AWS_MAX_ATTEMPTS="1")
            assert (looked.returncode, "fits" in looked.stdout) == (1, True), looked.stderr
        elif not command.startswith("pip "):
            done = run(command, tmp_path, quick_star_assets)
            assert done.returncode == 0, done.stdout + done.stderr
    for block, _ in blocks(AWS):
        done = run(settings + block, tmp_path, quick_star_assets)
        assert done.returncode == 0, done.stdout + done.stderr
    assert "aws cloudformation delete-stack --stack-name shop" in indented(rest)
    for command in indented(rest):
        if command.startswith("star-assets "):
            done = run(command, tmp_path, quick_star_assets)
            assert done.returncode == 0, done.stdout + done.stderr


def test_each_step_of_the_way_to_aws_says_what_it_costs_and_how_to_undo_it() -> None:
    """Nobody makes in their account what they cannot get rid of."""
    way, _, _ = AWS.read_text().partition("### What the stack made")
    _, *steps = re.split(r"^\*\*\d\. ", way, flags=re.MULTILINE)
    assert len(steps) == 6
    assert [step.partition(".")[0] for step in steps if "*Costs*" not in step or "*Undo:*" not in step] == []


def indented(page: str) -> list[str]:
    """The commands of a page that stand for themselves, in order."""
    return re.findall(r"^    ((?:aws|export|pip|star-assets) (?:.*\\\n)*.*)", page, re.MULTILINE)


@pytest.mark.parametrize("name", cli.main.commands)
def test_every_command_is_in_the_readme_or_the_runbook(name: str) -> None:
    """A command that no page names is found by nobody."""
    assert any(f"star-assets {name}" in page.read_text() for page in PAGES) or f"make {name}" in README


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_in_the_readme(name: str) -> None:
    """The table of settings is where people look; its defaults are the code's."""
    assert f"`STAR_{name.upper()}`" in README


def test_no_setting_is_named_that_does_not_exist() -> None:
    """A variable that does nothing is worse than none."""
    named = {found for page in PAGES for found in re.findall(r"STAR_[A-Z_]+", page.read_text())}
    assert named <= {f"STAR_{name.upper()}" for name in Settings.model_fields}


def test_messages_point_at_pages_that_exist() -> None:
    """An error that names a page is read by somebody in need of it."""
    named = {found for file in (ROOT / "star_assets").rglob("*.py") for found in PAGE.findall(file.read_text())}
    assert named
    assert [page for page in named if not (ROOT / page).is_file()] == []


@pytest.mark.parametrize("page", [*PAGES, JAFFLE, TPCH], ids=lambda page: f"{page.parent.name}-{page.name}")
def test_every_link_and_path_leads_somewhere(page: Path) -> None:
    """Links to files, pictures and the tests that pages name."""
    targets = re.findall(r"\]\((?!https?://)([^)#]+)\)", page.read_text())
    named = re.findall(r"`(star_assets(?:_tests)?/[\w/.]*)`", page.read_text())
    missing = [t for t in targets if not (page.parent / t).exists()] + [n for n in named if not (ROOT / n).exists()]
    assert not missing
