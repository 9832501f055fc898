"""The columns with which Athena reads an export's raw files by Hive's SerDes, or why it cannot.

Every value is text. Not here: the layout of one format's files (formats), which
exports fit into one table (pipeline).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from star_assets.exports.formats.format import Hindrance, Inspected, Layout, RawProfile
from star_assets.exports.formats.opening import DEFAULT, format_named
from star_assets.model.errors import BrokenFile, ColumnMissing, UnknownColumns
from star_assets.model.source import Source


def layout_of(source: Source, files: Sequence[Inspected], markers: Iterable[str]) -> Layout:
    """The layout of an export's data files. `markers` are its marker files. Raises BrokenFile, LakeRefused."""
    try:
        for marker in markers:
            if not marker.startswith(("_", ".")):
                raise Hindrance(
                    f"{marker} is no data, but Athena would read it: only names that begin with _ are hidden"
                )
        formats = dict.fromkeys(profile.format for *_, profile in files if profile.lines)
        if len(formats) > 1:
            raise Hindrance(f"some files are {', others are '.join(name.upper() for name in sorted(formats))}")
        for _, name, profile in files:
            _require_suffix(name, profile)
        return format_named(next(iter(formats), DEFAULT)).layout(source, files)
    except Hindrance as hindrance:
        return Layout(problem=str(hindrance))


def unreadable(error: BrokenFile | ColumnMissing | UnknownColumns) -> Layout:
    """The layout of an export that cannot be inspected."""
    if isinstance(error, ColumnMissing):
        return Layout(problem=f"{error.file} lacks {', '.join(error.missing)}")
    if isinstance(error, UnknownColumns):
        return Layout(problem=f"{error.file} has {', '.join(error.unknown)}, which its source does not allow")
    return Layout(problem=f"{error.file}: {error.problem}")


def _require_suffix(name: str, profile: RawProfile) -> None:
    """Raises Hindrance unless `.gz` names say the truth: Hadoop's readers decide by a file's name."""
    if profile.gzip != name.endswith(".gz"):
        raise Hindrance(f"{name} is {'' if profile.gzip else 'not '}compressed, and its name says otherwise")
