"""The program that a Glue job runs: it writes versions of one table by Spark, and makes none of them live.

    python -m star_assets.pipeline.glue_job --dagster-pipes-context … --dagster-pipes-messages …

Which table, which days and which settings, it reads from what Dagster Pipes passes;
what became of each day, it reports there. Who started it audits and publishes. Of
Dagster it needs only `dagster_pipes`, a module of its own.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from typing import Any


def run(work: Mapping[str, Any], report: Any) -> dict[str, int]:
    """Write the versions that are asked for; `report` is told of each day. Returns rows and bytes in all.

    Where this is another build than that of who asks, every day's report says so and nothing is computed.
    """
    from star_assets.model import load_star
    from star_assets.pipeline.elsewhere import Job
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
    """Read what to do, do it, and report."""
    # The home of a worker of Glue's may not be written to.
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
        # Without it, whoever waits could not tell a job that did nothing from one that did its work.
        pipes.report_custom_message({"done": True, **totals})


if __name__ == "__main__":
    main()
