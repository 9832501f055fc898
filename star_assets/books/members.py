"""Used members: which members of a dimension facts refer to, and which a new version of the dimension must keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from star_assets.books.book import Book
from star_assets.engines.duckdb.relations import Relations
from star_assets.engines.duckdb.session import FILE, labelled, name, parquet, text
from star_assets.model.members import MEMBER_KIND, SUPERSEDED
from star_assets.model.tables import IS_CURRENT, Dimension, History


class Members(Book):
    """Looks up used members. `used` are files that `fold_members` wrote; keys are returned as text."""

    def fold_members(self, column: str, base: str | None, files: Mapping[str, Sequence[str]], file: Path) -> None:
        """Write the distinct (version, key) of the base file and of the fact files of each version."""
        with self._tables("listing members") as tables:
            parts = [f"SELECT version, key FROM {parquet([base])}"] if base else []
            if files:
                rows = parquet([path for several in files.values() for path in several], evolving=False)
                parts.append(
                    f"SELECT DISTINCT version, {name(column)} AS key FROM {rows} "
                    f"JOIN {labelled(files, 'version')} USING ({FILE})"
                )
            tables.copy(f"SELECT * FROM ({' UNION ALL '.join(parts)}) ORDER BY key, version", file)

    def drops_members(self, dimension: Dimension, before: str, after: str) -> bool:
        """Whether the later file lacks a member of the earlier one."""
        with self._tables("comparing members") as tables:
            key = name(dimension.key)
            found = tables.execute(
                f"SELECT count(*) FROM {parquet([before])} AS was ANTI JOIN {parquet([after])} AS is_now USING ({key})"
            ).fetchone()
            return found is not None and found[0] > 0

    def keep_members(self, dimension: Dimension, file: str, before: str, used: Sequence[str], kept: Path) -> list[str]:
        """Write a dimension's file plus the members that only its earlier file has and facts use, as superseded.

        `before` is the earlier file; `kept` is written, unless there are no such members. Returns their keys.
        """
        with self._tables("keeping members") as tables:
            keys = self._lost(tables, dimension, before, file, used)
            if keys:
                key = name(dimension.key)
                listed = ", ".join(map(text, keys))
                changed = f"{text(SUPERSEDED)} AS {MEMBER_KIND}"
                changed += f", false AS {IS_CURRENT}" if isinstance(dimension, History) else ""
                lost = f"SELECT * REPLACE ({changed}) FROM lost WHERE CAST({key} AS VARCHAR) IN ({listed})"
                rows = f"FROM {parquet([file])} UNION ALL BY NAME ({lost})"
                tables.view("with_superseded", f"SELECT * EXCLUDE ({FILE}) FROM ({rows})")
                tables.write(tables.table("with_superseded"), dimension.key, kept)
            return keys

    def lost_in_use(self, dimension: Dimension, before: str, after: str, used: Sequence[str]) -> list[str]:
        """The keys of the members that facts use and that only the earlier file has."""
        with self._tables("comparing members") as tables:
            return self._lost(tables, dimension, before, after, used)

    def _lost(self, tables: Relations, dimension: Dimension, before: str, after: str, used: Sequence[str]) -> list[str]:
        """Define the view `lost`, the members that only the earlier file has. Returns the keys of those facts use."""
        key = name(dimension.key)
        tables.view("lost", f"FROM {parquet([before])} AS was ANTI JOIN {parquet([after])} AS is_now USING ({key})")
        return self._used(tables, dimension, "lost", used)

    def superseded_in_use(self, dimension: Dimension, file: str, used: Sequence[str]) -> list[str]:
        """The keys of the file's superseded members that facts still use."""
        with self._tables("comparing members") as tables:
            tables.view("kept", f"FROM {parquet([file])} WHERE {MEMBER_KIND} = {text(SUPERSEDED)}")
            return self._used(tables, dimension, "kept", used)

    def _used(self, tables: Relations, dimension: Dimension, members: str, used: Sequence[str]) -> list[str]:
        """The keys in `members`, a table of this session, that facts use, as text."""
        if not used:
            return []
        key = name(dimension.key)
        found = tables.execute(
            f"SELECT DISTINCT CAST({key} AS VARCHAR) FROM {members} "
            f"WHERE {key} IN (SELECT key FROM {parquet(used, evolving=False)}) ORDER BY 1"
        )
        return [value for (value,) in found.fetchall()]
