"""Brings a folder up to date with a generated project, and keeps what people added to it.

An object or page that somebody added stays. A generated one that somebody changed
is replaced, and one that the star has no more is removed; both are told. Files
that hold choices of whoever opens the project (parameters, theme, settings) are
written once. Where nothing changed, no file is touched.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from star_assets.model.errors import UnreadableProject
from star_assets.reports.powerbi.identity import is_generated
from star_assets.reports.powerbi.parts import Part, identity_of, parts
from star_assets.reports.powerbi.queries import Json
from star_assets.reports.powerbi.report import GENERATED, written

# Generated once; from then on they belong to whoever works with the project.
_WRITTEN_ONCE = {
    ".gitignore",
    ".platform",
    "definition.pbir",
    "definition.pbism",
    "database.tmdl",
    "expressions.tmdl",
    "report.json",
    "version.json",
}

# Objects of a model of which a person's form stays: settings, and notes of Power BI.
_THEIRS = {"model", "annotation"}

# What people add to a table.
_ADDED = {"measure", "column", "hierarchy"}


def bring_up_to_date(folder: Path, files: Mapping[str, str]) -> list[str]:
    """Make `folder` hold these files, and tell what became of what people did. Raises UnreadableProject.

    Returns a sentence for each object that was replaced or removed.
    """
    found = dict(_found(folder, files))
    told: list[str] = []
    gone = {*_gone_tables(found, files, told), *_gone_pages(found, files, told)}
    kept = {path: text for path, text in found.items() if not gone & {path, *map(str, PurePosixPath(path).parents)}}
    wanted = {path: _merged(path, text, kept, found, told) for path, text in files.items()}
    for path, text in wanted.items():
        if found.get(path) != text:
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="\n")
    for path in gone - wanted.keys():
        _remove(folder / path)
    return told


def _found(folder: Path, files: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The texts that the project's folders hold already, by path."""
    for top in sorted({path.partition("/")[0] for path in files}):
        place = folder / top
        listed = sorted(place.rglob("*")) if place.is_dir() else [place]
        for file in listed:
            path = file.relative_to(folder).as_posix()
            if file.is_file() and (file.suffix in (".tmdl", ".json") or path in files):
                try:
                    yield path, file.read_text(encoding="utf-8-sig")
                except UnicodeDecodeError as error:
                    raise UnreadableProject(str(file), "UTF-8 text", str(error)) from error


def _merged(path: str, text: str, kept: Mapping[str, str], found: Mapping[str, str], told: list[str]) -> str:
    """What a file is to hold: what is generated, and of what was there what people added."""
    name = PurePosixPath(path).name
    if name in _WRITTEN_ONCE or name.endswith(".pbip") or "/cultures/" in path:
        return found.get(path, text)
    if name == "pages.json":
        return _merged_pages(path, text, kept)
    if path.endswith(".json"):
        return _merged_json(path, text, found, told)
    # A table whose label changed has another file, and the same identity.
    was = found.get(path) or next(
        (old for other, old in found.items() if "/tables/" in other and identity_of(old) == identity_of(text)), None
    )
    return _merged_tmdl(path, text, was, kept, told) if was else text


def _merged_tmdl(path: str, text: str, was: str, kept: Mapping[str, str], told: list[str]) -> str:
    """The objects in the order that they are in; a new one comes after the one that is generated before it."""
    depth = 1 if "/tables/" in path else 0
    wanted, result = {part.key: part for part in parts(text, depth)}, []
    for part in parts(was, depth):
        generated = wanted.get(part.key)
        if generated and generated.said != part.said and part.kind not in _THEIRS:
            told.append(f"{path}: {part.key or 'the table itself'} was not as generated, and is replaced.")
            result.append(generated)
        elif generated or not _is_gone(path, part, kept):
            result.append(part)
        elif not part.kind.startswith("ref "):
            told.append(f"{path}: {part.key} is removed: the star has it no more.")
    before = ""
    for key, part in wanted.items():
        keys = [one.key for one in result]
        if key not in keys:
            result.insert(keys.index(before) + 1 if before in keys else 0, part)
        before = key
    return "\n".join(line for part in result for line in part.lines) + "\n"


def _is_gone(path: str, part: Part, kept: Mapping[str, str]) -> bool:
    """Whether an object that is not generated now was once: what people added never was."""
    return not _has_file(path, part, kept) if part.kind.startswith("ref ") else part.generated


def _has_file(path: str, part: Part, kept: Mapping[str, str]) -> bool:
    """Whether what a `ref` line names is there."""
    folder = f"{PurePosixPath(path).parent}/{part.kind.removeprefix('ref ')}s"
    name = part.key.removeprefix(part.kind).strip().strip("'").replace("''", "'")
    return f"{folder}/{name}.tmdl" in kept


def _merged_json(path: str, text: str, found: Mapping[str, str], told: list[str]) -> str:
    if path not in found:
        return text
    was, wanted = _read(path, found[path]), json.loads(text)
    # Power BI raises the version of a schema when it saves.
    if {**was, "$schema": ""} == {**wanted, "$schema": ""}:
        return found[path]
    told.append(f"{path} was not as generated, and is replaced.")
    return text


def _merged_pages(path: str, text: str, kept: Mapping[str, str]) -> str:
    """Pages in the order that people gave them; new ones come last."""
    if path not in kept:
        return text
    was, wanted = _read(path, kept[path]), json.loads(text)
    pages = {PurePosixPath(other).parent.name for other in kept if PurePosixPath(other).name == "page.json"}
    order = [name for name in was.get("pageOrder", []) if name in pages or name in wanted["pageOrder"]]
    order += [name for name in wanted["pageOrder"] if name not in order]
    merged = {**was, "pageOrder": order}
    if was.get("activePageName") not in order and order:
        merged |= {"activePageName": order[0]}
    return kept[path] if merged == was else written(merged)


def _gone_tables(found: Mapping[str, str], files: Mapping[str, str], told: list[str]) -> Iterator[str]:
    """The files of generated tables and roles that the star has no more."""
    identities = {identity_of(text) for path, text in files.items() if path.endswith(".tmdl")}
    for path, text in found.items():
        if path in files or PurePosixPath(path).parent.name not in ("tables", "roles"):
            continue
        if not is_generated(identity_of(text)):
            continue
        yield path
        if identity_of(text) not in identities:
            added = [part.key for part in parts(text, 1) if part.kind in _ADDED and not part.generated]
            lost = f", and with it what somebody added: {', '.join(added)}" if added else ""
            told.append(f"{path} is removed: the star has it no more{lost}.")


def _gone_pages(found: Mapping[str, str], files: Mapping[str, str], told: list[str]) -> Iterator[str]:
    """The folders of generated pages and visuals that the star has no more."""
    folders = {str(folder) for path in files for folder in PurePosixPath(path).parents}
    for path in found:
        if PurePosixPath(path).name not in ("page.json", "visual.json"):
            continue
        folder = PurePosixPath(path).parent
        if str(folder) in folders or not folder.name.startswith(GENERATED):
            continue
        if PurePosixPath(path).name == "page.json" and _added_to(folder, found):
            told.append(f"{folder}: the star has this page no more; it stays, since somebody added visuals to it.")
        elif str(folder.parent.parent) in folders or PurePosixPath(path).name == "page.json":
            told.append(f"{folder} is removed: the star has it no more.")
            yield str(folder)


def _added_to(page: PurePosixPath, found: Mapping[str, str]) -> bool:
    """Whether a page has visuals that were not generated."""
    visuals = {PurePosixPath(path).parent.name for path in found if path.startswith(f"{page}/visuals/")}
    return any(not name.startswith(GENERATED) for name in visuals)


def _read(path: str, text: str) -> Json:
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise UnreadableProject(path, "JSON", f"{error}") from error
    if not isinstance(content, dict):
        raise UnreadableProject(path, "a JSON object", type(content).__name__)
    return content


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
