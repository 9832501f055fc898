"""A mistake of a person: what was done, what is typed then, and the one message that comes of it.

Here: the row of the corpus's tables, and how one is run. Not here: the mistakes
(settings, commands, sql, declarations, folders, files, permissions).
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import re
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

from click.testing import CliRunner, Result

from star_assets import cli

# The lake has two days; mistakes are made in the second.
DAY = "2023-07-02"

# A message is read in a terminal: of more lines nobody reads the first.
MOST_LINES = 10

# Words of libraries, of Python and of its tracebacks: who reads them needs to know what is inside.
FOREIGN = re.compile(
    r"traceback|pydantic|_duckdb|sqlglot|ibis|pyarrow|arrow\b|errno|\b\w+(?:Error|Exception)\b|"
    r"Invalid Input|Binder|Conversion|IO Error|NoneType|object at 0x|input_value|Input should",
    re.IGNORECASE,
)

Spoil = Callable[[Path], None]


def nothing(_: Path) -> None:
    """The lake is as it should be; what is typed is not."""


@dataclass(frozen=True)
class Mistake:
    """One row.

    Args:
        done: what was done, in words; unique.
        types: the command's words.
        says: all of standard error, with the lake's path as LAKE and version ids as VERSION.
        code: the exit code.
        variables: the environment beside STAR_LAKE; a value may hold LAKE.
        spoil: what is done to a copy of the lake before.
        star: a module that STAR_MODEL then names, as text.
        typed_in: what the command reads from standard input.
        changed: the folders whose files may be others afterwards; everything else must be as it was.
        powerless: whether the command has root's name without root's right to every file.
    """

    done: str
    types: tuple[str, ...]
    says: str
    code: int = 1
    variables: dict[str, str] = field(default_factory=dict)
    spoil: Spoil = nothing
    star: str = ""
    typed_in: bytes | None = None
    changed: tuple[str, ...] = ()
    powerless: bool = False


def run(mistake: Mistake, lake: Path, folder: Path) -> Result:
    """Type it, in this process, with the lake and an empty working folder."""
    others = {name: None for name in os.environ if name.startswith(("STAR_", "DAGSTER_"))}
    variables = {"STAR_LAKE": str(lake), "HOME": str(folder), **mistake.variables}
    if mistake.star:
        module = "shop_" + hashlib.sha256(mistake.done.encode()).hexdigest()[:12]
        (folder / f"{module}.py").write_text(mistake.star)
        variables["STAR_MODEL"] = f"{module}:star"
    words = [word.replace("LAKE", str(lake)) for word in mistake.types]
    found: list[Result] = []

    def typed() -> None:
        if mistake.powerless:
            drop_rights()
        environment = {name: value and value.replace("LAKE", str(lake)) for name, value in variables.items()}
        found.append(
            CliRunner().invoke(
                cli.main, words, env={**others, **environment}, input=mistake.typed_in, prog_name="star-assets"
            )
        )

    thread = Thread(target=typed)
    thread.start()
    thread.join()
    return found[0]


def drop_rights() -> None:
    """Let this thread, and those that it starts, read and write no more than anybody; Linux keeps rights by thread."""
    if os.geteuid() != 0:
        return
    override, search = 1 << 1, 1 << 2
    libc = ctypes.CDLL(None, use_errno=True)
    header = struct.pack("=Ii", 0x20080522, 0)
    data = ctypes.create_string_buffer(24)
    assert libc.capget(header, data) == 0
    first = list(struct.unpack("=6I", data.raw))
    first[0] &= ~(override | search)
    assert libc.capset(header, struct.pack("=6I", *first)) == 0


def told(text: str, lake: Path) -> str:
    """A message without what differs from run to run."""
    text = text.replace(str(lake), "LAKE")
    text = re.sub(r"shop_[0-9a-f]{12}", "shop", text)
    text = re.sub(r"\b\d+\.\d\d s\b", "SECONDS", text)
    text = re.sub(r"\b\d+\.\d [kM]B\b", "SIZE", text)
    text = re.sub(r"\d{8}T\d{12}-[0-9a-f]{8}", "VERSION", text)
    return re.sub(r"_scratch/[0-9a-f]{32}", "_scratch/SCRATCH", text)


def lake_files(lake: Path) -> dict[str, str]:
    """The digest of every file of a lake but its scratch, by its path; of what is no readable file, what it is."""
    return {str(path.relative_to(lake)): _digest(path) for path in _walked(lake) if "_scratch" not in path.parts}


def _walked(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        yield from (Path(parent, name) for name in names)
        yield from (Path(parent, name) for name in folders if Path(parent, name).is_symlink())


def _digest(path: Path) -> str:
    if path.is_symlink():
        return f"-> {path.readlink()}"
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "no file"


@contextmanager
def restored_rights(lake: Path) -> Iterator[None]:
    """What rights a mistake took away are given back afterwards, so that the lake can be looked at and removed."""
    try:
        yield
    finally:
        lake.chmod(0o755)
        for parent, folders, names in os.walk(lake):
            for path in [Path(parent, name) for name in (*folders, *names)]:
                if not path.is_symlink():
                    path.chmod(0o755 if path.is_dir() else 0o644)


def lines(*text: str, end: str = "\n") -> str:
    """A file's text."""
    return "\n".join(text) + end


def export(source: str, name: str, content: str | bytes, day: str = DAY) -> Spoil:
    """The day's export of a source holds this file."""

    def spoil(lake: Path) -> None:
        (lake / "oltp" / source / f"date={day}" / name).write_bytes(
            content.encode(errors="surrogateescape") if isinstance(content, str) else content
        )

    return spoil


def both(*spoils: Spoil) -> Spoil:
    """Several things done."""

    def spoil(lake: Path) -> None:
        for one in spoils:
            one(lake)

    return spoil
