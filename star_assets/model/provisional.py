"""The checks of @provisional functions when a star is loaded: columns, types, the date's origin, the receipt.

Not here: the decorator (tables); which events an export supersedes (engines.assembling, pipeline.fact_inputs).
"""

from __future__ import annotations

from dataclasses import replace

import ibis
from ibis.expr.types import Table

from star_assets.model.driving import driving_column
from star_assets.model.errors import BadDeclaration
from star_assets.model.lineage import column_lineage, passed_through
from star_assets.model.own_code import described
from star_assets.model.rowwise import carry
from star_assets.model.schema import StarSchema
from star_assets.model.source import Source
from star_assets.model.tables import IS_PROVISIONAL, Fact, Provisional
from star_assets.model.types import Type


def check_provisional(star: StarSchema, function: Provisional, fact: Fact) -> None:
    """Raises BadDeclaration unless the function gives exactly the fact's rows, row by row, from one stream."""
    _check_sources(star, function, fact)
    stream = star.event_stream(function)
    _check_receipt(function, stream)
    rows = _returned(star, function)
    final = star.transformed(fact)
    wanted = {name: str(Type.of(dtype)) for name, dtype in final.schema().items()}
    if wanted[fact.key] != "string":
        problem = f"gives provisional rows to {fact.name}, whose key {fact.key!r} is {wanted[fact.key]}"
        raise BadDeclaration(function.name, problem, "Make the key a string: provisional keys begin with a word")
    if IS_PROVISIONAL in wanted:
        problem = f"has a column {IS_PROVISIONAL!r}, which is added to it"
        raise BadDeclaration(fact.name, problem, "Use another name")
    _require_receipt(function, fact, rows, stream)
    returned = {name: str(Type.of(dtype)) for name, dtype in rows.schema().items()}
    if returned != wanted:
        lacking = [f"no {name}" for name in wanted.keys() - returned.keys()]
        beyond = [f"{name}, which {fact.name} lacks" for name in returned.keys() - wanted.keys()]
        others = [
            f"{name} as {returned[name]}, in {fact.name} {wanted[name]}"
            for name in wanted.keys() & returned.keys()
            if returned[name] != wanted[name]
        ]
        problem = f"returns {'; '.join(sorted((*lacking, *beyond, *others)))}"
        raise BadDeclaration(function.name, problem, f"Return exactly the columns and types of {fact.name}")
    # The same rule that a fact's own date has, under the name of this function.
    column = driving_column(replace(fact, name=function.name), rows, column_lineage(rows), {stream.name: stream})
    if column.column != stream.event_time:
        problem = f"its date {fact.date!r} is {stream.name}.{column.column}"
        raise BadDeclaration(function.name, problem, f"Pass the event_time {stream.event_time!r} through")


def _require_receipt(function: Provisional, fact: Fact, rows: Table, stream: Source) -> None:
    """Raises BadDeclaration unless the function returns each column of the receipt unchanged."""
    kept = {passed_through(rows, name) for name in rows.columns}
    for column in function.receipt:
        if (stream.name, column) not in kept:
            problem = f"returns no column that is the receipt {stream.name}.{column}"
            raise BadDeclaration(
                function.name, problem, f"Return it unchanged: by it an export replaces rows of {fact.name}"
            )


def _check_sources(star: StarSchema, function: Provisional, fact: Fact) -> None:
    driving = star.driving_column(fact).source
    if function.until is not driving:
        name = getattr(function.until, "name", repr(function.until))
        problem = f"until is {name}, and the rows of {fact.name} come from {driving.name}"
        raise BadDeclaration(function.name, problem, f"Use until={driving.name}")
    unknown = [name for name in function.upstream if name not in star.sources]
    if unknown:
        problem = f"reads {unknown[0]!r}, which is no source of the star"
        raise BadDeclaration(function.name, problem, f"Known: {', '.join(star.sources)}")
    streams = [name for name in function.upstream if star.sources[name].is_stream]
    if len(streams) != 1:
        problem = f"reads {len(streams)} sources that arrive continuously, expected one"
        raise BadDeclaration(function.name, problem, 'Declare the stream with arrives="continuously"')
    final = [name for name in function.upstream if star.sources[name] in (driving, *star.parts(fact))]
    if final:
        problem = f"reads {final[0]}, which decides what is final"
        raise BadDeclaration(
            function.name, problem, "Read the stream; events that an export supersedes are left out of it"
        )


def _check_receipt(function: Provisional, stream: Source) -> None:
    until = function.until
    if len(function.receipt) != len(until.keys):
        problem = f"receipt names {', '.join(function.receipt)}, and {until.name} has the key {', '.join(until.keys)}"
        raise BadDeclaration(function.name, problem, "Name one column for each, in the same order")
    for column, key in zip(function.receipt, until.keys, strict=True):
        if column not in stream.declared:
            problem = f"receipt names {column!r}, which is no column of {stream.name}"
            raise BadDeclaration(function.name, problem, f"Known: {', '.join(stream.declared)}")
        types = [Type.parse(table.staged[name].type) for table, name in ((stream, column), (until, key))]
        if types[0] != types[1]:
            problem = f"the receipt {column!r} is {types[0]}, and {until.name}.{key} is {types[1]}"
            raise BadDeclaration(function.name, problem, "Declare both with one type")


def _returned(star: StarSchema, function: Provisional) -> Table:
    """The rows that the function returns. Raises BadDeclaration unless it computes each from one event."""
    stream = star.event_stream(function)
    unbound = {name: star.source_table(star.sources[name]) for name in function.upstream}
    marked = unbound[stream.name].mutate(_row=ibis.row_number())
    events = ibis.table(marked.schema(), name=stream.name)
    try:
        rows = function.transform(**unbound)
        followed = function.transform(**{**unbound, stream.name: events})
    except Exception as error:
        problem = f"its function fails: {described(error)}"
        raise BadDeclaration(function.name, problem, "Its arguments have only the declared columns") from error
    if not isinstance(rows, Table):
        problem = f"its function returns a {type(rows).__name__}, and no table"
        raise BadDeclaration(function.name, problem, "Return its argument, with columns changed")
    try:
        carry(followed, events, "_row")
    except ValueError as error:
        remedy = "Compute each row from one event"
        raise BadDeclaration(function.name, str(error), remedy) from error
    return rows
