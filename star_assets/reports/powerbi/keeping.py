"""Updating a folder with a generated project, while keeping what people added to it.

Objects and pages that people added are kept. A generated object that people changed is replaced,
and one that the star no longer has is removed; both are reported. Files with people's choices
(parameters, theme, settings) are written once. Files without a change are not touched.
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

# Files that are generated once, and then belong to the people who work with the project.
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

# Objects of a model that are never replaced: settings, and annotations of Power BI.
_THEIRS = {"model", "annotation"}

# The kinds of objects that people add to a table.
_ADDED = {"measure", "column", "hierarchy"}


def bring_up_to_date(folder: Path, files: Mapping[str, str]) -> list[str]:
    """Update `folder` with these files. Raises UnreadableProject.

    Returns a sentence for each object that was replaced or removed.
    """
    found = dict(_found(folder, files))
    changes: list[str] = []
    gone = {*_gone_tables(found, files, changes), *_gone_pages(found, files, changes)}
    kept = {path: text for path, text in found.items() if not gone & {path, *map(str, PurePosixPath(path).parents)}}
    wanted = {path: _merged(path, text, kept, found, changes) for path, text in files.items()}
    for path, text in wanted.items():
        if found.get(path) != text:
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="\n")
    for path in gone - wanted.keys():
        _remove(folder / path)
    return changes


def _found(folder: Path, files: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The texts of the files that are already in the project's folders, by path."""
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


def _merged(path: str, text: str, kept: Mapping[str, str], found: Mapping[str, str], changes: list[str]) -> str:
    """The new text of a file: the generated objects, and those of the old text that people added."""
    name = PurePosixPath(path).name
    if name in _WRITTEN_ONCE or name.endswith(".pbip") or "/cultures/" in path:
        return found.get(path, text)
    if name == "pages.json":
        return _merged_pages(path, text, kept)
    if path.endswith(".json"):
        return _merged_json(path, text, found, changes)
    # A table whose label changed has another file name, but the same UUID.
    was = found.get(path) or next(
        (old for other, old in found.items() if "/tables/" in other and identity_of(old) == identity_of(text)), None
    )
    return _merged_tmdl(path, text, was, kept, changes) if was else text


def _merged_tmdl(path: str, text: str, was: str, kept: Mapping[str, str], changes: list[str]) -> str:
    """The merged objects in the old order; a new one follows the one that precedes it in the generated text."""
    depth = 1 if "/tables/" in path else 0
    wanted, result = {part.key: part for part in parts(text, depth)}, []
    for part in parts(was, depth):
        generated = wanted.get(part.key)
        if generated and generated.content != part.content and part.kind not in _THEIRS:
            changes.append(f"{path}: {part.key or 'the table itself'} was not as generated, and is replaced.")
            result.append(generated)
        elif generated or not _is_gone(path, part, kept):
            result.append(part)
        elif not part.kind.startswith("ref "):
            changes.append(f"{path}: {part.key} is removed: the star has it no more.")
    before = ""
    for key, part in wanted.items():
        keys = [one.key for one in result]
        if key not in keys:
            result.insert(keys.index(before) + 1 if before in keys else 0, part)
        before = key
    return "\n".join(line for part in result for line in part.lines) + "\n"


def _is_gone(path: str, part: Part, kept: Mapping[str, str]) -> bool:
    """Whether an object is to be removed: it was generated before and is not now. People's objects never were."""
    return not _has_file(path, part, kept) if part.kind.startswith("ref ") else part.generated


def _has_file(path: str, part: Part, kept: Mapping[str, str]) -> bool:
    """Whether the file exists that a `ref` line refers to."""
    kind = part.kind.removeprefix("ref ")
    folder = f"{PurePosixPath(path).parent}/{'cultures' if kind == 'cultureInfo' else f'{kind}s'}"
    name = part.key.removeprefix(part.kind).strip().strip("'").replace("''", "'")
    return f"{folder}/{name}.tmdl" in kept


def _merged_json(path: str, text: str, found: Mapping[str, str], changes: list[str]) -> str:
    if path not in found:
        return text
    was, wanted = _read(path, found[path]), json.loads(text)
    # Power BI writes a newer version of the schema when it saves.
    if {**was, "$schema": ""} == {**wanted, "$schema": ""}:
        return found[path]
    changes.append(f"{path} was not as generated, and is replaced.")
    return text


def _merged_pages(path: str, text: str, kept: Mapping[str, str]) -> str:
    """The list of pages in the people's order; new pages come last."""
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


def _gone_tables(found: Mapping[str, str], files: Mapping[str, str], changes: list[str]) -> Iterator[str]:
    """The files of generated tables and roles that the star no longer has."""
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
            changes.append(f"{path} is removed: the star has it no more{lost}.")


def _gone_pages(found: Mapping[str, str], files: Mapping[str, str], changes: list[str]) -> Iterator[str]:
    """The folders of generated pages and visuals that the star no longer has."""
    folders = {str(folder) for path in files for folder in PurePosixPath(path).parents}
    for path in found:
        if PurePosixPath(path).name not in ("page.json", "visual.json"):
            continue
        folder = PurePosixPath(path).parent
        if str(folder) in folders or not folder.name.startswith(GENERATED):
            continue
        if PurePosixPath(path).name == "page.json" and _added_to(folder, found):
            changes.append(f"{folder}: the star has this page no more; it stays, since somebody added visuals to it.")
        elif str(folder.parent.parent) in folders or PurePosixPath(path).name == "page.json":
            changes.append(f"{folder} is removed: the star has it no more.")
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
