"""AWS on this machine for the cases that need one: moto's S3 and Glue, in a process of its own.

It is the one that the tests use: pages and batches have Glue's limits. What a
call costs there is moto's time, not AWS's, and no network lies between; so only
ratios say something.
"""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from bench.measure import ROOT, python

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench", "AWS_DEFAULT_REGION": "us-east-1"}


@contextmanager
def moto() -> Iterator[dict[str, str]]:
    """A server for as long as the context lasts. Yields the variables that lead AWS's clients to it."""
    command = [sys.executable, ROOT / "star_assets_tests" / "aws_server.py"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        yield {"AWS_ENDPOINT_URL": server.stdout.readline().strip(), **CREDENTIALS}
        server.stdin.close()


def bucket(env: Mapping[str, str]) -> str:
    """A new bucket's name."""
    name = f"bench-{uuid.uuid4().hex[:12]}"
    python("-c", f"import boto3; boto3.client('s3').create_bucket(Bucket={name!r})", env=env)
    return name
