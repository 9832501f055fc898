"""The exact reader of JSON lines and JSON arrays."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from star_assets.exports.formats.json import records
from star_assets.model import Column, Source
from star_assets.model.errors import BrokenFile, ColumnMissing

Look = Callable[..., Any]

STORES = Source("stores", key="a", columns={"a": "int64", "b": Column("string", optional=True)})

# The text of a value in JSON → the text of its field.
VALUES = {
    "12345678901234.5678": "12345678901234.5678",
    "1.10": "1.10",
    "-0": "-0",
    "1e400": "1e400",
    "123456789012345678901234567890": "123456789012345678901234567890",
    '"x\\n\\u00e9\\ud83d\\ude00"': "x\né😀",
    '""': "",
    "true": "true",
    "false": "false",
    "null": None,
    '{"x": 1.10, "y": [true, null, "é", {}]}': '{"x":1.10,"y":[true,null,"é",{}]}',
    "[ ]": "[]",
    '{"k": 1, "k": 2}': '{"k":1,"k":2}',
}

# A line that is no row → why. The number and the text of the line are the reject's.
NO_ROWS = {
    b"oops": "expected a JSON object, found no JSON from character 1 on: 'oops'",
    b'{"a":1,}': "expected a JSON object, found no JSON from character ",
    b'{"a":1} x': "expected a JSON object, found no JSON from character 9 on: 'x'",
    b'{"a":': "expected a JSON object, found one that ends early",
    b"[1]": "expected a JSON object, found an array",
    b"5": "expected a JSON object, found the number 5",
    b'"x} {y"': "expected a JSON object, found a string",
    b"null": "expected a JSON object, found null",
    b"true": "expected a JSON object, found true",
    b"NaN": "expected a JSON object, found NaN",
    b'{"a":NaN}': "expected a JSON value, found NaN",
    b'{"a":[Infinity]}': "expected a JSON value, found Infinity",
    b'{"a":1,"A":2}': "expected distinct keys, found 'a' twice",
    b'{"a":"\\ud800"}': "expected text, found half a surrogate pair",
    b'{"\\ud800":1}': "expected text, found half a surrogate pair",
    b'{"a":"\xff"}': "expected utf-8, found the byte 0xff",
    b'{"a":' + b"[" * 100_000: "expected a JSON object, found one that is nested too deeply",
}

# Arrays with an error of syntax → the line and the problem.
BROKEN = {
    b'[\n{"a":1}\n{"a":2}]': "line 3: the JSON array cannot be read: expected ',', found '{'",
    b'[{"a":1},\r\n{"a" 2}]': "line 2: the JSON array cannot be read: expected an element, found '2}]'",
    b'[{"a":1},]': "line 1: the JSON array cannot be read: expected an element, found ']'",
    b'[{"a":1}': "line 1: the JSON array cannot be read: the file ends within the array",
    b'[{"a":1},\n': "line 2: the JSON array cannot be read: the file ends within the array",
    b"[": "the file ends within the array",
    b'[{"a":1}]\n[{"a":2}]': "line 2: the JSON array cannot be read: expected nothing behind the array",
    b'["' + b"x" * 100: "expected an element, found '\"xxxxxxxxxxxxxxxxxxx'…",
    b"[" * 100_000: "nested too deeply",
}


@pytest.mark.parametrize("text", VALUES)
@pytest.mark.parametrize(("form", "name"), [('{"a":1,"b":%s}\n', "s.jsonl"), ('[{"a":1,"b":%s}]', "s.json")])
def test_values_keep_their_text(look: Look, text: str, form: str, name: str) -> None:
    """A price that passes through a double is another price."""
    found = look((form % text).encode(), STORES, name)
    assert (found.rows, found.rejects) == ([("1", VALUES[text])], [])


@pytest.mark.parametrize("line", NO_ROWS)
def test_bad_lines_are_rejected_alone(look: Look, line: bytes) -> None:
    """A bad line costs itself; the good ones around it stay."""
    found = look(b'{"a":1}\n' + line + b'\n{"a":2}\n', STORES, "stores.ndjson")
    assert (found.rows, found.lines) == ([("1", None), ("2", None)], [1, 3])
    ((number, raw, reason),) = found.reasons
    assert (number, raw) == (2, line.decode(errors="backslashreplace"))
    assert reason.startswith(NO_ROWS[line])
    assert found.profile.records == 3


@pytest.mark.parametrize("content", BROKEN)
def test_a_broken_array_is_told(look: Look, content: bytes) -> None:
    """Behind an error of syntax nobody knows where an element begins, so nothing is staged."""
    with pytest.raises(BrokenFile) as error:
        look(content, STORES, "stores.json")
    assert BROKEN[content] in str(error.value)


def test_elements_that_are_no_objects_are_rejects(look: Look) -> None:
    """An array's good elements stay, with the line each begins on."""
    found = look(b'\xef\xbb\xbf [\r\n{"a":1,\r\n"b":2}, 5,\r\n{"a":NaN}, {"a":3}\r\n]\r\n', STORES, "stores.json.gz")
    assert (found.rows, found.lines, found.raws[0]) == ([("1", "2"), ("3", None)], [2, 4], '{"a":1,\r\n"b":2}')
    assert [(reject.line, reject.raw) for reject in found.rejects] == [(3, "5"), (4, '{"a":NaN}')]
    assert (found.profile.array, found.profile.records, found.profile.lines) == (True, 4, 5)


def test_lines_may_hold_several_objects_or_none(look: Look) -> None:
    """Delivery streams put objects behind one another without line ends."""
    content = gzip.compress(b'{"a":1}{"a":2} {"a":"}{"}\r\n \r\n\n{"a":[{"x":1} ]}')
    found = look(content, STORES, "stores.json")
    assert [row[0] for row in found.rows] == ["1", "2", "}{", '[{"x":1}]']
    assert (found.lines, found.raws[1]) == ([1, 1, 1, 4], '{"a":2}')
    assert (found.profile.array, found.profile.records, found.profile.lines, found.profile.gzip) == (False, 4, 4, True)


def test_columns_are_all_that_occur_and_all_declared(look: Look) -> None:
    """A key that one object lacks is NULL there; new keys are carried along."""
    found = look(b'{" New ":1,"A":2}\n{"a":3,"late":4}\n', STORES, "stores.jsonl")
    assert found.columns == ("new", "a", "late", "b")
    assert found.rows == [("1", "2", None, None), (None, "3", "4", None)]


@pytest.mark.parametrize(("content", "name"), [(b'{"b":1}\n{"c":2}', "s.jsonl"), (b'[{"b":1},{"c":2}]', "s.json")])
def test_a_required_column_in_no_object_is_told(look: Look, content: bytes, name: str) -> None:
    """JSON has no header; a renamed key must not become a column of NULLs."""
    with pytest.raises(ColumnMissing, match="expected column 'a', found b, c"):
        look(content, STORES, name)


@pytest.mark.parametrize("content", [b"", b"\n \n", b"[]", b"[ \n ]"])
def test_files_without_objects_are_no_error(look: Look, content: bytes) -> None:
    """A job with nothing to export may write an empty file or array."""
    found = look(content, STORES, "stores.json")
    assert (found.profile.records, found.rows, found.rejects) == (0, [], [])


def test_an_element_without_end_is_given_up(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error at the start of a large file must not cost its size in memory."""
    monkeypatch.setattr(records, "BLOCK", 100)
    monkeypatch.setattr(records, "LONGEST_ELEMENT", 1000)
    with pytest.raises(BrokenFile, match="line 2"):
        look(b'[{"a":1},\n{"a":2;}' + b',{"a":3}' * 10_000 + b"]", STORES, "stores.json")


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
OBJECTS = st.fixed_dictionaries(
    {"a": st.integers()},
    optional={"b": TEXT, "c": st.lists(TEXT, max_size=2), "d": st.dictionaries(TEXT, st.integers(), max_size=2)},
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(
    objects=st.lists(OBJECTS, max_size=6),
    between=st.sampled_from(["\n", "\r\n", "", " ", "\n\n"]),
    array=st.booleans(),
    ascii_only=st.booleans(),
    block=st.sampled_from([1, 7, 1 << 20]),
)
def test_whatever_a_json_writer_writes_comes_back(
    look: Look, objects: list[dict[str, Any]], between: str, array: bool, ascii_only: bool, block: int
) -> None:
    """Values and the independent count agree, wherever a read ends."""
    texts = [json.dumps(value, ensure_ascii=ascii_only) for value in objects]
    text = f"[{between}{f',{between}'.join(texts)}{between}]" if array else between.join(texts)
    before, records.BLOCK = records.BLOCK, block
    try:
        found = look(text.encode(), STORES, "stores.json")
    finally:
        records.BLOCK = before
    rows = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
    assert [Decimal(row["a"]) for row in rows] == [value["a"] for value in objects]
    assert [row.get("b") for row in rows] == [value.get("b") for value in objects]
    for key in ("c", "d"):
        assert [json.loads(row.get(key) or "null") for row in rows] == [value.get(key) for value in objects]
    assert (found.raws, found.rejects, found.profile.records) == (texts, [], len(objects))
