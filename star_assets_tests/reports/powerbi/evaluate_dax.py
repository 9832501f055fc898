"""Evaluates measures by pbix-mcp, in an environment that has it and nothing of this project (`make readers`).

Reads JSON from standard input: `model` with tables, measures, relationships and the
columns of Power BI's decimal type; `asked`, a list of a measure's name and the values
that filters leave of columns. Writes the list of values. Days are `{"day": "2023-07-01"}`.
"""

import json
import sys
from datetime import datetime

from pbix_mcp.dax.engine import evaluate_measures_batch, mark_currency_columns


def with_days(found):
    """JSON's objects: a day as a moment, which Power BI's dates are."""
    return datetime.fromisoformat(found["day"]) if found.keys() == {"day"} else found


given = json.load(sys.stdin, object_hook=with_days)
model = given["model"]
mark_currency_columns(model["tables"], model["decimals"])
date_table, date_column = model["date"]
answers = []
for measure, filters in given["asked"]:
    found = evaluate_measures_batch(
        [measure],
        model["tables"],
        model["measures"],
        filters,
        date_table,
        date_column,
        model["relationships"],
        date_tables={date_table: date_column},
        measure_tables=model["measure_tables"],
        model_columns={name: set(table["columns"]) for name, table in model["tables"].items()},
    )
    answers.append(found[measure])
json.dump(answers, sys.stdout, default=str)
