"""The program that a Glue job runs: it writes versions of one table by Spark, and makes none of them live.

    python -m star_assets.pipeline.glue.job --dagster-pipes-context … --dagster-pipes-messages …

Dagster Pipes passes the table, the days and the settings to it, and takes its report of
each day. The process that started the job audits and publishes the versions. The only
module of Dagster that the job needs is `dagster_pipes`.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from typing import Any


def run(work: Mapping[str, Any], report: Any) -> dict[str, int]:
    """Write the requested versions, and call `report` for each day. Returns the total rows and bytes.

    If this build differs from the asking process's, nothing is computed, and every day's report says so.
    """
    from star_assets.model import load_star
    from star_assets.pipeline.glue.step import Job
    from star_assets.pipeline.identity import Build
    from star_assets.pipeline.warehouse import Warehouse
    from star_assets.settings import Settings

    settings = Settings(**work["settings"])
    warehouse = Warehouse(load_star(settings.model), settings)
    totals = {"rows": 0, "bytes": 0}
    job = Job(work["table"], work["versions"], Build.from_json(work.get("build", {})))
    for found in warehouse.write_versions(job):
        report(found)
        totals = {name: value + found.get(name, 0) for name, value in totals.items()}
    return totals


def main() -> None:
    """Run the work that Dagster Pipes passes, and report through it."""
    # The home folder of a Glue worker may be read-only.
    os.environ.setdefault("XDG_CACHE_HOME", tempfile.gettempdir())
    import boto3
    from dagster_pipes import PipesCliArgsParamsLoader, PipesS3ContextLoader, PipesS3MessageWriter, open_dagster_pipes

    s3 = boto3.client("s3")
    with open_dagster_pipes(
        context_loader=PipesS3ContextLoader(client=s3),
        message_writer=PipesS3MessageWriter(client=s3, interval=2),
        params_loader=PipesCliArgsParamsLoader(),  # type: ignore[no-untyped-call]
    ) as pipes:
        totals = run(pipes.extras, pipes.report_custom_message)
        # Without this message, a job that did nothing could not be told from one that did its work.
        pipes.report_custom_message({"done": True, **totals})


if __name__ == "__main__":
    main()
