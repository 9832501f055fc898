"""Reads a semantic model by MetricFlow, in an environment that has it and nothing of this project (`make readers`).

Takes the document from standard input, and writes what MetricFlow made of it as JSON:
each metric's kind, each table's place and entities.
"""

import json
import sys

from metricflow.converters.models import OSIDocument
from metricflow.converters.osi_to_msi import OSIToMSIConverter

found = OSIToMSIConverter().convert(OSIDocument.parse_raw(sys.stdin.read()))
json.dump(
    {
        "issues": [str(issue) for issue in found.issues],
        "metrics": {metric.name: metric.type.value for metric in found.output.metrics},
        "tables": {
            model.node_relation.relation_name: {entity.name: entity.type.value for entity in model.entities}
            for model in found.output.semantic_models
        },
    },
    sys.stdout,
)
