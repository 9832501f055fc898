"""Writing column statistics to Glue's Data Catalog, which cost-based optimizers read.

Here: the form of statistics in Glue, and the calls. If the endpoint does not know these
calls, or does not allow them, the first call fails and none follows; a missing right is
logged. Not here: computing statistics (pipeline.describe), when they are sent (publish).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from star_assets.lake.aws import Client, aws_errors, code, config, in_batches, session, warn_denied
from star_assets.lake.catalog import ColumnStatistics
from star_assets.model.errors import AwsDenied, StarError

# Glue's limit per call.
COLUMNS_PER_CALL = 25

# The number of calls at the same time.
AT_ONCE = 8

# The statement of docs/aws/pipeline.json that allows the calls.
STATEMENT = "KeepStatistics"


class GlueStatistics:
    """Writes statistics to Glue, until Glue refuses some; `taken` is False from then on."""

    def __init__(self) -> None:
        self.taken = True
        self._tried = False
        self._client = Client("glue")
        # An endpoint without these calls replies with a server error, for which boto3 would retry for long.
        self._first = Client("glue", _once)

    def put(self, database: str, name: str, entries: Mapping[tuple[str, ...], Sequence[ColumnStatistics]]) -> None:
        """Write statistics of partitions, by values; of a table without partitions under `()`. Names are as in Glue."""
        calls = [
            {"DatabaseName": database, "TableName": name, **_partition(values), "ColumnStatisticsList": list(batch)}
            for values, statistics in entries.items()
            for batch in in_batches(list(filter(None, map(_input, statistics))), COLUMNS_PER_CALL)
        ]
        if calls and not self._tried:
            self._put(self._first, calls.pop(0))
            self._tried = True
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda call: self._put(self._client, call), calls))

    def _put(self, client: Client, call: dict[str, Any]) -> None:
        from botocore.exceptions import ClientError

        if not self.taken:
            return
        kind = "partition" if "PartitionValues" in call else "table"
        action = f"glue:UpdateColumnStatisticsFor{kind.capitalize()}"
        try:
            with aws_errors("Glue", action):
                getattr(client(), f"update_column_statistics_for_{kind}")(**call)
        except ClientError as error:
            # If this table or partition was dropped meanwhile, the statistics of others may still be taken.
            self.taken = code(error) == "EntityNotFoundException"
        except AwsDenied:
            self.taken = False
            warn_denied(action, "column statistics are not kept in Glue, so optimizers plan without them", STATEMENT)
        except StarError:
            self.taken = False


def _once() -> Any:
    from botocore.config import Config

    return session().client("glue", config=config().merge(Config(retries={"total_max_attempts": 1})))


def _partition(values: tuple[str, ...]) -> dict[str, Any]:
    return {"PartitionValues": list(values)} if values else {}


# Types whose statistics have a minimum and a maximum → Glue's names for them.
_LIMITED = {"bigint": "Long", "int": "Long", "double": "Double", "decimal": "Decimal", "date": "Date"}


def _input(found: ColumnStatistics) -> dict[str, Any] | None:
    """Glue's ColumnStatistics; None for a type that Glue has no statistics for, such as timestamps."""
    type_ = found.type.partition("(")[0]
    kind = _LIMITED.get(type_) or {"string": "String", "boolean": "Boolean"}.get(type_)
    if kind is None:
        return None
    known: dict[str, Any] = {"NumberOfNulls": found.nulls, "NumberOfDistinctValues": found.distinct}
    if kind == "String":
        known |= {"MaximumLength": found.longest, "AverageLength": found.average}
    elif kind == "Boolean":
        falses = found.values - found.trues
        known = {"NumberOfNulls": found.nulls, "NumberOfTrues": found.trues, "NumberOfFalses": falses}
    elif found.minimum is not None and found.maximum is not None:
        known |= {"MinimumValue": _value(found.minimum, type_), "MaximumValue": _value(found.maximum, type_)}
    return {
        "ColumnName": found.name,
        "ColumnType": found.type,
        "AnalyzedTime": datetime.now(UTC),
        "StatisticsData": {"Type": kind.upper(), f"{kind}ColumnStatisticsData": known},
    }


def _value(text: str, type_: str) -> Any:
    if type_ == "double":
        return float(text)
    if type_ == "date":
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    if type_ == "decimal":
        sign, digits, exponent = Decimal(text).as_tuple()
        unscaled = (-1 if sign else 1) * int("".join(map(str, digits)))
        # Two's complement, big-endian, as Java's BigInteger writes it.
        size = unscaled.bit_length() // 8 + 1
        return {"UnscaledValue": unscaled.to_bytes(size, "big", signed=True), "Scale": -int(exponent)}
    return int(text)
