"""Opens the local Firehose of a lake, with its journal in this user's state folder."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from star_assets.lake.storage import Storage
from star_assets.tills.firehose import NO_FAULTS, Faults, Firehose
from star_assets.tills.stream import lake_stream


def open_firehose(
    storage: Storage,
    timezone: str,
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    faults: Faults = NO_FAULTS,
) -> Firehose:
    """The local Firehose of a lake. Raises LakeRefused if another process has it open."""
    return Firehose(lake_stream(timezone), storage, state_folder(storage) / "firehose.db", clock=clock, faults=faults)


def state_folder(storage: Storage) -> Path:
    """A folder for a lake, made if need be: in XDG_STATE_HOME, by default `~/.local/state`."""
    base = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    folder = base / "star_assets" / "tills" / hashlib.sha256(storage.uri("").encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    return folder
