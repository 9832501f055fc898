"""`star-assets firehose`, as who builds a gateway meets it."""

from __future__ import annotations

import gzip
import signal
import socket
from typing import Any

import boto3
import pytest
from click.testing import CliRunner

from star_assets import cli


def test_what_a_client_puts_is_in_the_lake_when_the_command_ends(
    small_lake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It tells the variable that leads every client of AWS's to it; Ctrl-C is its usual end."""
    with small_lake.start("firehose") as served:
        name, _, address = served.stdout.readline().strip().removeprefix("export ").partition("=")
        for variable, value in {name: address, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}.items():
            monkeypatch.setenv(variable, value)
        client = boto3.session.Session(region_name="us-east-1").client("firehose")
        client.put_record(DeliveryStreamName="shop-tills", Record={"Data": b'{"event_id": "1"}'})
        served.send_signal(signal.SIGINT)
        told = served.stderr.read()
    assert served.returncode == 0, told
    assert told == f"The stream shop-tills delivers to {small_lake.root}/oltp/pos_sales.\n"
    (written,) = (small_lake.root / "oltp" / "pos_sales").rglob("*.jsonl.gz")
    assert gzip.decompress(written.read_bytes()) == b'{"event_id": "1"}\n'


def test_a_port_that_is_taken_is_told(small_lake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAR_LAKE", str(small_lake.root))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = CliRunner().invoke(cli.main, ["firehose", "--port", str(port)])
    assert (done.exit_code, f"Port {port} is taken." in done.stderr) == (2, True)
