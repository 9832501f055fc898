"""A delivery stream's configuration: the paths, the buffering and the format of its objects.

It is read from the stream of the template `lake`, so that this machine delivers as AWS does. Not here:
accepting and keeping records (firehose).
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from star_assets.aws.policies import NAMES
from star_assets.aws.template import Template, parsed, text

# An expression in a prefix, such as `!{timestamp:yyyy-MM-dd}`.
_EXPRESSION = re.compile(r"!\{([\w-]+):([^}]*)\}")

# Java's date patterns that are supported here → Python's.
_DATE_FORMATS = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}
_LETTERS = re.compile(r"([A-Za-z])\1*")


@dataclass(frozen=True)
class Stream:
    """A stream's name, and its `ExtendedS3DestinationConfiguration` as in CloudFormation and CreateDeliveryStream."""

    name: str
    destination: Mapping[str, Any]

    @cached_property
    def zone(self) -> ZoneInfo:
        """The zone in which days and hours of arrival are named."""
        return ZoneInfo(self.destination.get("CustomTimeZone", "UTC"))

    @property
    def interval(self) -> timedelta:
        """The longest time that a record waits for its object to be delivered."""
        return timedelta(seconds=self.destination["BufferingHints"]["IntervalInSeconds"])

    @property
    def size(self) -> int:
        """The uncompressed bytes at which an object is delivered before its interval is over."""
        return int(self.destination["BufferingHints"]["SizeInMBs"]) * 2**20

    @cached_property
    def delimiter(self) -> bytes:
        """The bytes that are appended to each record."""
        for processor in self.destination.get("ProcessingConfiguration", {}).get("Processors", ()):
            if processor["Type"] == "AppendDelimiterToRecord":
                (parameter,) = processor["Parameters"]
                return str(parameter["ParameterValue"]).encode().decode("unicode_escape").encode()
        return b""

    def content(self, records: Iterable[bytes]) -> bytes:
        """The content of an object; the same records give the same bytes. Raises ValueError for other compressions."""
        whole = b"".join(record + self.delimiter for record in records)
        compression = self.destination.get("CompressionFormat", "UNCOMPRESSED")
        if compression not in ("GZIP", "UNCOMPRESSED"):
            raise ValueError(f"CompressionFormat: expected GZIP or UNCOMPRESSED here, found {compression}")
        return gzip.compress(whole, mtime=0) if compression == "GZIP" else whole

    def path(self, arrived: datetime, unique: str, error: str = "") -> str:
        """The path of an object whose first record arrived at `arrived`; with `error`, below the prefix of errors."""
        prefix = self.destination["ErrorOutputPrefix" if error else "Prefix"]
        local = arrived.astimezone(self.zone)
        name = f"{self.name}-1-{local:%Y-%m-%d-%H-%M-%S}-{unique}{self.destination.get('FileExtension', '')}"
        # A storage's paths begin below the lake's folder.
        return evaluated(prefix, local, error).lstrip("/") + name


def evaluated(prefix: str, local: datetime, error: str = "") -> str:
    """A prefix with its `!{timestamp:…}` and `!{firehose:error-output-type}` evaluated; ValueError for others."""

    def value(found: re.Match[str]) -> str:
        namespace, word = found.groups()
        if namespace == "timestamp":
            return local.strftime(_LETTERS.sub(_date_format, word))
        if (namespace, word) == ("firehose", "error-output-type"):
            return error
        raise ValueError(f"{found[0]}: expected !{{timestamp:…}} or !{{firehose:error-output-type}}")

    return _EXPRESSION.sub(value, prefix)


def _date_format(letters: re.Match[str]) -> str:
    if letters[0] not in _DATE_FORMATS:
        raise ValueError(f"!{{timestamp:…{letters[0]}…}}: expected one of {', '.join(_DATE_FORMATS)}")
    return _DATE_FORMATS[letters[0]]


def lake_stream(timezone: str) -> Stream:
    """The stream of the template `lake`, for a lake whose business time zone is `timezone`."""
    parameters = {"StreamPosSales": "yes", "TimeZone": timezone, "Folder": ""}
    properties = Template(parsed(text("lake")), NAMES, parameters).resources["Stream"]["Properties"]
    return Stream(NAMES["Stream"], properties["ExtendedS3DestinationConfiguration"])
