"""The machine of the template `host`: its script as it is, among stand-ins for what only a machine of AWS's has."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from star_assets.aws.template import Template

from .examples import SECRETS

# What the machine calls, as scripts that note how they were called. The disk is new where blkid finds nothing.
STAND_INS = {
    "aws": f"""case "$*" in
      *get-secret-value*{SECRETS["dsn"]}*) echo 'postgresql://u:a$b@h/d' ;;
      *get-secret-value*) echo s3cret ;;
      *attach-volume*) touch "$DEVICE" ;;
      *) echo token ;; esac""",
    "blkid": '[ -e "$ROOT/formatted" ]',
    "chown": "",
    "curl": "echo i-1",
    "docker": """case "$*" in
      *"cat /opt/dagster/compose.yaml") echo 'services: {}' ;;
      *"aws settings shop") echo STAR_LAKE=s3://shop-lake/retail ;;
      # A pipe whose reader leaves before its writer fails the script.
      login*) cat >/dev/null ;; esac""",
    "mkfs.xfs": 'touch "$ROOT/formatted"',
    "mount": "",
    "mountpoint": "false",
    "sleep": "",
    "systemctl": "",
}


def user_data(template: Template) -> str:
    """What a new machine runs."""
    script: str = template.resources["Template"]["Properties"]["LaunchTemplateData"]["UserData"]
    return script


class Machine:
    """A folder in which the script that starts Dagster can run, with its stand-ins."""

    def __init__(self, script: str, folder: Path) -> None:
        self.folder = folder
        start = script.partition("<<'END'\n")[2].partition("\nEND\n")[0]
        for place in ("/mnt/star", "/run/star", "/dev/disk"):
            start = start.replace(place, f"{folder}{place}")
        (folder / "dev/disk/by-id").mkdir(parents=True)
        (folder / "start-dagster").write_text(start)
        put_stand_ins(folder, STAND_INS)

    def start(self) -> list[str]:
        """Start Dagster there; the calls that it took."""
        device = f"{self.folder}/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0a1"
        return called(self.folder, "bash", self.folder / "start-dagster", DEVICE=device)


def put_stand_ins(folder: Path, stand_ins: dict[str, str]) -> None:
    """Put scripts into `bin` of a folder, which note how they were called."""
    (folder / "bin").mkdir()
    for name, body in stand_ins.items():
        file = folder / "bin" / name
        file.write_text(f'#!/bin/bash\necho "{name} $*" >>"$ROOT/calls"\n{body}\n')
        file.chmod(0o755)


def called(folder: Path, *command: str | Path, **environment: str) -> list[str]:
    """Run a command among the stand-ins of a folder; the calls that it took of them."""
    (folder / "calls").unlink(missing_ok=True)
    path = f"{folder}/bin:{os.environ['PATH']}"
    subprocess.run(command, env={"PATH": path, "ROOT": str(folder), **environment}, check=True, capture_output=True)
    return (folder / "calls").read_text().splitlines()
