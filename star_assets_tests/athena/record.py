"""Ask Trino every query of the corpus and keep what it answers.

Its answers are what the embedded Athena is held to, so read the difference
before it is committed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from star_assets.lake.places import open_catalog, open_storage
from star_assets.settings import Settings
from star_assets_tests.athena.questions import CORPUS, Question, categories, questions
from star_assets_tests.athena.shop import DATABASE, fill
from star_assets_tests.athena.trino import Trino, TrinoError, lacking, started

AWS_SERVER = Path(__file__).parents[1] / "aws_server.py"


def main(wanted: list[str]) -> None:
    """Record these categories; none: all of them."""
    if lack := lacking():
        sys.exit(f"Trino cannot be asked: {lack}.")
    with tempfile.TemporaryDirectory() as folder, aws() as address, started(Path(folder), address) as trino:
        import boto3

        boto3.client("s3").create_bucket(Bucket="corpus")
        settings = Settings(lake="s3://corpus/lake")
        fill(open_storage(settings), open_catalog(settings))
        for category in wanted or categories():
            lines = [f"{json.dumps(q.name)}: {_as_json(answer(trino, q))}" for q in questions(category)]
            (CORPUS / f"{category}.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
            print(f"{category}: {len(lines)} answers")


@contextmanager
def aws() -> Iterator[str]:
    """This machine's AWS, which the environment then leads to; its address."""
    with subprocess.Popen(
        [sys.executable, AWS_SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}
        os.environ.update(keys, AWS_ENDPOINT_URL=address)
        yield address
        server.stdin.close()


def answer(trino: Trino, question: Question) -> dict[str, Any]:
    """What Trino says."""
    try:
        found = trino.query(question.sql, DATABASE)
    except TrinoError as error:
        return {"sql": question.sql, "error": error.kind}
    return {"sql": question.sql, "names": found.names, "types": found.types, "rows": found.rows}


def _as_json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    main(sys.argv[1:])
