"""The environments of peers that are packages of their own: `.bench/<peer>/`, made when they are first needed.

Each holds what the peer's pinned requirements say and nothing else, so that neither
their versions nor ours depend on each other. Not here: what is run in them.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bench.measure import ROOT

FOLDER = ROOT / ".bench"


def environment(peer: str, requirements: Path) -> Path:
    """The folder of the programs of a peer's environment. Raises CalledProcessError where pip fails."""
    folder, wanted = FOLDER / peer, f"Python {sys.version}\n{requirements.read_text()}"
    made_of = folder / "made-of.txt"
    if not made_of.exists() or made_of.read_text() != wanted:
        print(f"Making the environment of {peer} …", file=sys.stderr, flush=True)
        FOLDER.mkdir(exist_ok=True)
        (FOLDER / ".gitignore").write_text("*\n")
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        quiet = ("--quiet", "--disable-pip-version-check")
        subprocess.run([folder / "bin" / "pip", "install", *quiet, "--requirement", requirements], check=True)
        made_of.write_text(wanted)
    return folder / "bin"
