"""The Firehose on this machine answers boto3's own client, and delivers what the template's stream would."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from botocore.exceptions import ClientError, HTTPClientError

from star_assets.aws.policies import EVERYTHING, example
from star_assets.lake.places import open_storage
from star_assets.model.errors import LakeRefused
from star_assets.settings import Settings
from star_assets.tills.firehose import MOST_RECORD_BYTES, MOST_RECORDS, Firehose, Refusal
from star_assets.tills.stream import Stream, evaluated, lake_stream

from .conftest import STREAM, Place, Serve, records


def put(client: Any, count: int, first: int = 0) -> dict[str, Any]:
    answer: dict[str, Any] = client.put_record_batch(DeliveryStreamName=STREAM, Records=records(count, first))
    return answer


def test_what_boto3_puts_is_in_the_folder_of_its_day_and_hour_in_the_business_zone(place: Place, served: Serve) -> None:
    """18:30 UTC is 14:30 in New York. The object is gzip, an event a line."""
    with served(place.firehose()) as client:
        assert put(client, 2)["FailedPutCount"] == 0
        assert client.put_record(DeliveryStreamName=STREAM, Record={"Data": b'{"n": 2}'})["RecordId"]
    ((path, events),) = place.objects().items()
    assert path.startswith(f"oltp/pos_sales/date=2023-07-01/hour=14/{STREAM}-1-2023-07-01-14-30-00-")
    assert path.endswith(".jsonl.gz")
    assert events == [{"n": 0}, {"n": 1}, {"n": 2}]


def test_on_s3_too(aws: Callable[..., Settings], tmp_path: Path, served: Serve) -> None:
    place = Place(tmp_path, open_storage(aws()))
    with served(place.firehose()) as client:
        put(client, 3)
    assert place.numbers() == [0, 1, 2]


def test_the_stream_is_that_of_the_template(place: Place, served: Serve) -> None:
    """Prefix, zone, form and buffer: what is tried on this machine holds on AWS."""
    template = example({**EVERYTHING, "TimeZone": "America/New_York"}).resources["Stream"]["Properties"]
    deployed = template["ExtendedS3DestinationConfiguration"]
    with served(place.firehose()) as client:
        described = client.describe_delivery_stream(DeliveryStreamName=STREAM)["DeliveryStreamDescription"]
    (destination,) = described["Destinations"]
    here = destination["ExtendedS3DestinationDescription"]
    assert described["DeliveryStreamType"] == template["DeliveryStreamType"]
    same = ("CustomTimeZone", "CompressionFormat", "FileExtension", "BufferingHints", "ProcessingConfiguration")
    assert {key: here[key] for key in same} == {key: deployed[key] for key in same}
    for key in ("Prefix", "ErrorOutputPrefix"):
        assert f"retail{here[key]}" == deployed[key]
    # The reader's side: an export is at oltp/<source>/date=<day>/, and errors are not.
    assert here["Prefix"].startswith("/oltp/pos_sales/date=")
    assert not here["ErrorOutputPrefix"].startswith("/oltp/")


def test_an_object_is_delivered_when_its_first_record_has_waited_a_minute(place: Place) -> None:
    firehose = place.firehose()
    firehose.put_record_batch(DeliveryStreamName=STREAM, Records=records(1))
    place.clock.pass_by(seconds=59)
    assert firehose.deliver() == []
    firehose.put_record_batch(DeliveryStreamName=STREAM, Records=records(1, 1))
    place.clock.pass_by(seconds=1)
    assert len(firehose.deliver()) == 1
    assert place.numbers() == [0, 1]


def test_a_large_object_does_not_wait(place: Place) -> None:
    hints = {"IntervalInSeconds": 60, "SizeInMBs": 1}
    place.stream = Stream(STREAM, {**place.stream.destination, "BufferingHints": hints})
    firehose = place.firehose()
    for _ in range(2):
        assert firehose.deliver() == []
        firehose.put_record(DeliveryStreamName=STREAM, Record={"Data": b"[" + b" " * (MOST_RECORD_BYTES - 2) + b"]"})
    assert len(firehose.deliver()) == 1
    assert firehose.waiting == 0


def test_the_folder_is_that_of_an_objects_first_record(place: Place) -> None:
    """An hour's folder grows when that hour is over."""
    firehose = place.firehose()
    place.clock.pass_by(minutes=29, seconds=30)
    firehose.put_record_batch(DeliveryStreamName=STREAM, Records=records(1))
    place.clock.pass_by(seconds=59)
    firehose.put_record_batch(DeliveryStreamName=STREAM, Records=records(1, 1))
    (path,) = firehose.deliver(everything=True)
    assert "/date=2023-07-01/hour=14/" in path


def test_the_hour_that_comes_twice_has_one_folder(place: Place) -> None:
    """On 2023-11-05, New York's clocks showed 01:30 twice; hour=02 of 2023-03-12 never came."""
    firehose = place.firehose()
    for hour in (5, 6):
        place.clock.now = datetime(2023, 11, 5, hour, 30, tzinfo=UTC)
        firehose.put_record_batch(DeliveryStreamName=STREAM, Records=records(1, hour))
        firehose.deliver(everything=True)
    assert {path.rpartition("/")[0] for path in place.objects()} == {"oltp/pos_sales/date=2023-11-05/hour=01"}
    assert place.numbers() == [5, 6]


def test_without_a_delimiter_events_follow_one_another_in_a_line(place: Place) -> None:
    """A stream that somebody made by hand; the reader takes this too."""
    destination = {**place.stream.destination, "ProcessingConfiguration": {"Enabled": False}}
    stream = Stream(STREAM, destination)
    assert gzip.decompress(stream.content([b'{"n": 1}', b'{"n": 2}'])) == b'{"n": 1}{"n": 2}'


@pytest.mark.parametrize(
    ("prefix", "found"),
    [
        ("a/!{timestamp:yyyy/MM/dd}/!{timestamp:HH-mm-ss}/", "a/2023/07/01/14-30-05/"),
        ("!{firehose:error-output-type}/b", "processing-failed/b"),
    ],
)
def test_a_prefix_is_evaluated(prefix: str, found: str) -> None:
    local = datetime(2023, 7, 1, 14, 30, 5, tzinfo=ZoneInfo("America/New_York"))
    assert evaluated(prefix, local, "processing-failed") == found


@pytest.mark.parametrize("prefix", ["!{timestamp:YYYY}", "!{firehose:random-string}", "!{partitionKeyFromQuery:a}"])
def test_what_cannot_be_evaluated_is_refused_by_name(prefix: str) -> None:
    """YYYY is the year of the week: right for 51 weeks."""
    with pytest.raises(ValueError, match=r"!\{.*expected"):
        evaluated(prefix, datetime.now(UTC))


def test_refused_records_are_named_and_the_others_delivered(place: Place, served: Serve) -> None:
    """A batch that half fails is a success to boto3."""
    with served(place.firehose(refused=0.3)) as client:
        answer = put(client, 200)
    refused = [n for n, one in enumerate(answer["RequestResponses"]) if one.get("ErrorCode")]
    assert 0 < answer["FailedPutCount"] == len(refused) < 200
    assert place.numbers() == [n for n in range(200) if n not in refused]


def test_calls_are_throttled_and_answers_lost_on_request(place: Place, served: Serve) -> None:
    with served(place.firehose(throttled=1)) as client, pytest.raises(ClientError, match="Slow down") as caught:
        put(client, 1)
    assert caught.value.response["Error"]["Code"] == "ServiceUnavailableException"
    assert place.numbers() == []
    with served(place.firehose(unanswered=1)) as client, pytest.raises(HTTPClientError):
        put(client, 1)
    assert place.numbers() == [0]


def test_records_are_duplicated_and_objects_delayed_on_request(place: Place) -> None:
    firehose = place.firehose(duplicated=0.5, delayed=1)
    for first in (0, 100):
        firehose.put_record_batch(DeliveryStreamName=STREAM, Records=records(100, first))
        place.clock.pass_by(minutes=2)
        assert firehose.deliver() == []
    place.clock.pass_by(hours=2)
    # The second object has its own records, and some of the first for the second time.
    first, second = (len(events) for _, events in sorted(place.objects().items())) if firehose.deliver() else (0, 0)
    assert first == 100
    assert 100 < second < 200
    assert set(place.numbers()) == set(range(200))


def test_records_that_fail_on_request_are_below_the_prefix_of_errors(place: Place) -> None:
    firehose = place.firehose(failed=1)
    firehose.put_record_batch(DeliveryStreamName=STREAM, Records=records(2))
    firehose.deliver()
    assert place.objects() == {}
    ((path, failures),) = place.objects("refused").items()
    assert path.startswith("refused/pos_sales/processing-failed/date=2023-07-01/")
    assert [base64.b64decode(failure["rawData"]) for failure in failures] == [b'{"n": 0}', b'{"n": 1}']


def test_what_was_accepted_survives_a_kill_and_is_delivered_once(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that dies between writing an object and noting it: the next one writes the same object."""
    killed, write = place.firehose(), place.storage.write
    killed.put_record_batch(DeliveryStreamName=STREAM, Records=records(5))

    def written_then_killed(path: str, content: bytes) -> None:
        write(path, content)
        raise KeyboardInterrupt

    monkeypatch.setattr(place.storage, "write", written_then_killed)
    with pytest.raises(KeyboardInterrupt):
        killed.deliver(everything=True)
    monkeypatch.undo()
    (path,) = place.objects()
    place.clock.pass_by(hours=1)
    assert place.firehose().deliver() == [path]
    assert place.numbers() == [0, 1, 2, 3, 4]


def test_two_processes_do_not_share_a_journal(place: Place) -> None:
    """Each would deliver what the other one has delivered, or half of it."""
    place.firehose()
    with pytest.raises(LakeRefused, match="journal: no Firehose can keep records there: database is locked"):
        Firehose(place.stream, place.storage, place.journal)


def test_an_object_that_cannot_be_written_is_tried_again(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    firehose = place.firehose()
    firehose.put_record_batch(DeliveryStreamName=STREAM, Records=records(1))
    blocked = Path(place.storage.uri("oltp"))
    blocked.parent.mkdir()
    blocked.write_text("a file where the folder should be")
    assert firehose.deliver(everything=True) == []
    assert "was not delivered, and is tried again" in caplog.text
    blocked.unlink()
    assert len(firehose.deliver()) == 1
    assert place.numbers() == [0]


@pytest.mark.parametrize(
    ("name", "batch", "code"),
    [
        ("shop-till", records(1), "ResourceNotFoundException"),
        (STREAM, records(MOST_RECORDS + 1), "InvalidArgumentException"),
        (STREAM, [{"Data": b"x" * (MOST_RECORD_BYTES + 1)}], "InvalidArgumentException"),
        (STREAM, [{"Data": b"x" * MOST_RECORD_BYTES}] * 5, "InvalidArgumentException"),
    ],
    ids=["another stream", "too many", "too large", "too large together"],
)
def test_what_firehose_refuses_is_refused(
    name: str, batch: list[dict[str, bytes]], code: str, place: Place, served: Serve
) -> None:
    """A gateway that is tried here must not find out on AWS."""
    with served(place.firehose()) as client, pytest.raises(ClientError) as caught:
        client.put_record_batch(DeliveryStreamName=name, Records=batch)
    assert caught.value.response["Error"]["Code"] == code


def test_other_operations_are_refused_by_name(place: Place, served: Serve) -> None:
    with served(place.firehose()) as client, pytest.raises(ClientError, match="answers PutRecord, PutRecordBatch"):
        client.list_delivery_streams()


def test_a_single_record_is_refused_like_one_of_a_batch(place: Place) -> None:
    with pytest.raises(Refusal, match="Slow down"):
        place.firehose(refused=1).put_record(DeliveryStreamName=STREAM, Record=records(1)[0])


def test_any_zone_names_the_folder() -> None:
    moment = datetime(2023, 12, 31, 23, 30, tzinfo=UTC)
    assert "date=2024-01-01/hour=08/" in lake_stream("Asia/Tokyo").path(moment, "x")
    assert "date=2023-12-31/hour=23/" in lake_stream("UTC").path(moment, "x")
