"""Column statistics of Glue, which moto does not know: taken within Glue's limits, and given back."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult
from moto.glue.responses import GlueResponse

MOST = 25

# Where JSON holds bytes.
LIMITS = ("MinimumValue", "MaximumValue")


def keep() -> None:
    """Keep statistics beside the tables and partitions they are of, which must be there."""

    def update(self: GlueResponse) -> ActionResult:
        given = self.parameters["ColumnStatisticsList"]
        if len(given) > MOST:
            raise JsonRESTError("ValidationException", f"Member must have length less than or equal to {MOST}")
        for limit in (
            one["StatisticsData"].get("DecimalColumnStatisticsData", {}).get(name) for one in given for name in LIMITS
        ):
            if limit:
                limit["UnscaledValue"] = b64decode(limit["UnscaledValue"])
        _kept(self).update({one["ColumnName"]: one for one in given})
        return ActionResult({"Errors": []})

    def get(self: GlueResponse) -> ActionResult:
        kept = _kept(self)
        wanted = self.parameters["ColumnNames"]
        return ActionResult({"ColumnStatisticsList": [kept[name] for name in wanted if name in kept], "Errors": []})

    for kind in ("table", "partition"):
        setattr(GlueResponse, f"update_column_statistics_for_{kind}", update)
        setattr(GlueResponse, f"get_column_statistics_for_{kind}", get)


def _kept(response: GlueResponse) -> dict[str, Any]:
    given = response.parameters
    owner: Any = response.glue_backend.get_table(given["DatabaseName"], given["TableName"])
    if values := given.get("PartitionValues"):
        owner = owner.get_partition(values)
    if not hasattr(owner, "column_statistics"):
        owner.column_statistics = {}
    return owner.column_statistics  # type: ignore[no-any-return]
