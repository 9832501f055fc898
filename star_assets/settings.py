"""The settings of a deployment, read from environment variables: `STAR_LAKE`, `STAR_TIMEZONE`, ….

Here: their names, defaults and validation. Not here: AWS's own variables, which boto3
reads.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    ByteSize,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from star_assets.model.errors import BadSetting
from star_assets.model.zones import ZONE_EXPECTED, is_zone
from star_assets.packages import provided

# The groups of entry points by which packages provide storages and catalogs, named after the scheme of
# a lake's URL. FOLDER is the name for a lake without a scheme.
STORAGES, CATALOGS, FOLDER = "star_assets.storages", "star_assets.catalogs", "folder"

# The group of entry points by which packages provide databases to pull from, named after the scheme of a DSN.
DATABASES = "star_assets.databases"

# For the star of costs: its folder in the lake, and the prefix of its asset keys and database names.
COSTS = "costs"

# The settings that the star of costs shares with the main star. All others have their defaults.
IN_COMMON = ("compression", "memory_limit", "threads", "kms_key", "cache_size", "retention_days", "webhook", "topic")

# DuckDB starts as many threads as it is set to, and the largest machines have some 900 processors.
MOST_THREADS = 1024

# A century. Going back more than about two thousand years leaves the range of dates.
MOST_DAYS = 36_525

# The sizes that DuckDB reads. With less than LEAST_MEMORY bytes, it cannot process even one day.
_MEMORY = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(%|[KMGT]i?B)\s*", re.IGNORECASE)
_UNITS = {unit: 1000**power for power, unit in enumerate(("KB", "MB", "GB", "TB"), 1)} | {
    unit: 1024**power for power, unit in enumerate(("KIB", "MIB", "GIB", "TIB"), 1)
}
LEAST_MEMORY = 100_000_000

# How Power BI identifies a workspace or a model.
_IDENTITY = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"


class Settings(BaseModel):
    """Where the lake is, which star fills it, which engine computes, and with which bounds.

    What is not given is read from the environment.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, hide_input_in_errors=True)

    lake: str = Field("./lake", description="The lake: a folder, or s3://bucket/prefix.")
    model: str = Field("star_assets.star:retail", description="The Star, as package.module:attribute.")
    engine: str = Field("duckdb", description="The engine: duckdb, spark, glue, auto, or another that is installed.")
    spark_master: str | None = Field(
        None, description="Spark's master URL, such as spark://host:7077; none: the one in Spark's configuration."
    )
    auto_above: ByteSize = Field(
        ByteSize(10_000_000_000), description="Bytes of input above which STAR_ENGINE=auto chooses Spark."
    )
    glue_job: str | None = Field(None, description="The AWS Glue job that computes, if STAR_ENGINE chooses Glue.")
    glue_workers: int = Field(10, ge=2, description="The number of workers of each run of the Glue job.")
    glue_worker_type: Literal["G.1X", "G.2X", "G.4X", "G.8X", "R.1X", "R.2X"] = Field(
        "G.1X", description="The type of these workers."
    )
    glue_timeout: int = Field(120, ge=1, description="Minutes after which Glue stops a run of the job.")
    glue_flex: bool = Field(
        False, description="Whether runs use spare capacity, which costs less but may have to wait."
    )
    glue_at_once: int = Field(3, ge=1, description="How many runs of the job may work at the same time.")
    start_date: date = Field(date(2023, 7, 1), description="The first day with exports, YYYY-MM-DD.")
    end_date: date | None = Field(None, description="The last day with exports, YYYY-MM-DD; none: exports go on.")
    days_ahead: int = Field(
        1,
        ge=0,
        description="How many days after today an export day may be; exports of later days are refused by name.",
    )
    timezone: str = Field("UTC", description="The business time zone: decides the day of a sale.")
    compression: Literal["zstd", "snappy"] = Field("zstd", description="The compression of Parquet files.")
    memory_limit: str = Field("1GB", description="Memory that DuckDB may use before it spills to disk.")
    threads: int = Field(
        default_factory=lambda: os.cpu_count() or 1, ge=1, le=MOST_THREADS, description="Threads of the engine."
    )
    kms_key: str | None = Field(None, description="The KMS key that S3 encrypts with; none: the bucket's default.")
    glue_prefix: str = Field("", description="The prefix of the Glue databases' names.")
    crawler_role: str | None = Field(None, description="The IAM role of the Glue crawlers over raw exports.")
    key_prefix: str = Field("", description="The prefix of asset keys in Dagster, if several stars share it.")
    costs_start_date: date | None = Field(
        None, description="On AWS: the first day whose costs are asked for, YYYY-MM-DD; none: costs are not asked for."
    )
    cost_tag: str | None = Field(
        None, description="The cost allocation tag whose spending counts, as name=value; none: the whole account's."
    )
    topic: str | None = Field(None, description="The ARN of the SNS topic that failed checks of costs are sent to.")
    athena_workgroup: str | None = Field(
        None, description="The Athena workgroup that runs queries; none: the embedded Athena runs them."
    )
    athena_output: str | None = Field(None, description="Where Athena writes results; none: the workgroup's location.")
    metrics_namespace: str | None = Field(None, description="The CloudWatch namespace of metrics of successful runs.")
    cache_size: ByteSize = Field(
        ByteSize(10_000_000_000), description="Bytes of disk that local copies of an S3 lake's files may use."
    )
    retention_days: float = Field(7, ge=0, le=MOST_DAYS, description="Days for which vacuum keeps superseded versions.")
    batch_retention_days: float = Field(
        1, ge=0, le=MOST_DAYS, description="The same for versions that a stream's batches leave behind within the hour."
    )
    source_dsn: SecretStr | None = Field(None, description="The database that exports are pulled from.")
    webhook: str | None = Field(None, description="The URL that failed runs are posted to.")
    powerbi_model: str | None = Field(
        None, description="The model in Power BI to refresh when dimensions were published, as WORKSPACE/MODEL."
    )

    @model_validator(mode="before")
    @classmethod
    def _from_environment(cls, given: dict[str, Any]) -> dict[str, Any]:
        found = {name: os.environ[variable] for variable, name in variables().items() if variable in os.environ}
        return {**found, **given}

    @field_validator("lake")
    @classmethod
    def _known_place(cls, value: str) -> str:
        scheme, is_url, place = value.partition("://")
        if value and not is_url:
            folder = Path(value).expanduser() if value.startswith("~") else Path(value)
            # DuckDB's patterns of files take it for an escape.
            if "\\" in str(folder.absolute()):
                raise ValueError("a folder whose path has no backslash")
            return str(folder)
        others = sorted(provided(STORAGES).names - {FOLDER, "s3"})
        if scheme not in ("s3", *others) or not place.partition("/")[0]:
            raise ValueError(" or ".join(["a folder, or s3://bucket/prefix", *(f"{other}://…" for other in others)]))
        return value

    @field_validator("auto_above", "cache_size", mode="before")
    @classmethod
    def _whole_size(cls, value: object) -> object:
        # pydantic reads as far as it understands: 1,5GB would be a byte.
        if isinstance(value, str) and not re.fullmatch(r"\s*\d+(\.\d+)?\s*([kmgtp]?i?b)?\s*", value, re.IGNORECASE):
            raise ValueError("a size such as 10GB")
        return value

    @field_validator("glue_prefix")
    @classmethod
    def _usable_prefix(cls, value: str) -> str:
        if not re.fullmatch(r"[a-z0-9_]*", value):
            raise ValueError("lower-case letters, digits and _, such as shop_")
        return value

    @field_validator("athena_output")
    @classmethod
    def _usable_output(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value and not re.fullmatch(r"s3://[^/]+(/.*)?", value):
            raise ValueError("s3://bucket/prefix")
        if value and not info.data.get("athena_workgroup"):
            raise ValueError("STAR_ATHENA_WORKGROUP too; without it the embedded Athena answers")
        return value

    @field_validator("powerbi_model")
    @classmethod
    def _two_identities(cls, value: str | None) -> str | None:
        if value and not re.fullmatch(f"{_IDENTITY}/{_IDENTITY}", value):
            raise ValueError("WORKSPACE/MODEL, the two identities in the model's address in Power BI")
        return value or None

    @field_validator("source_dsn")
    @classmethod
    def _known_database(cls, value: SecretStr | None) -> SecretStr | None:
        if value and value.get_secret_value().partition("://")[0] not in provided(DATABASES).names:
            raise ValueError("postgresql://user@host:port/database")
        return value or None

    @field_validator("key_prefix")
    @classmethod
    def _usable_key(cls, value: str) -> str:
        if not re.fullmatch(r"[a-z0-9_]*", value):
            raise ValueError("lower-case letters, digits and _, such as costs")
        return value

    @field_validator("cost_tag")
    @classmethod
    def _named_tag(cls, value: str | None) -> str | None:
        if value and not re.fullmatch(r"[^=]+=.+", value):
            raise ValueError("name=value, such as project=shop")
        return value or None

    @field_validator("topic")
    @classmethod
    def _named_topic(cls, value: str | None) -> str | None:
        if value and not re.fullmatch(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:.+", value):
            raise ValueError("the ARN of a topic of SNS, arn:aws:sns:…")
        return value or None

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if not is_zone(value):
            raise ValueError(ZONE_EXPECTED)
        return value

    @field_validator("start_date", "end_date", "costs_start_date", mode="before")
    @classmethod
    def _written_day(cls, value: object) -> object:
        # pydantic would read a number as seconds since 1970.
        if isinstance(value, str) and not re.fullmatch(r"(19[7-9]|2[01]\d)\d-\d\d-\d\d", value):
            raise ValueError("a day YYYY-MM-DD from 1970-01-01 to 2199-12-31")
        return value

    @field_validator("end_date")
    @classmethod
    def _after_the_start(cls, value: date | None, info: ValidationInfo) -> date | None:
        if value and "start_date" in info.data and value < info.data["start_date"]:
            raise ValueError(f"STAR_START_DATE, {info.data['start_date']}, or a later day")
        return value

    @field_validator("memory_limit")
    @classmethod
    def _usable_memory(cls, value: str) -> str:
        found = _MEMORY.fullmatch(value)
        size = float(found[1]) * _UNITS.get(found[2].upper(), 0) if found else 0
        share = float(found[1]) if found and found[2] == "%" else 0
        if size < LEAST_MEMORY and not 0 < share <= 100:
            raise ValueError("a size of 100MB or more, such as 4GB, or a share of the memory, such as 50%")
        return value

    @field_validator("webhook")
    @classmethod
    def _usable_webhook(cls, value: str | None) -> str | None:
        if value and not is_web_address(value):
            raise ValueError("a URL that begins with https:// or http://")
        return value or None

    @property
    def uses_glue(self) -> bool:
        """Whether Glue jobs compute, either every step or only the large ones."""
        return self.engine == "glue" or (self.engine == "auto" and self.glue_job is not None)

    @property
    def on_aws(self) -> bool:
        """Whether the lake is on S3, with Glue's Data Catalog."""
        return self.lake.startswith("s3://")

    @property
    def asks_for_costs(self) -> bool:
        """Whether the lake has a star of costs: on AWS, if STAR_COSTS_START_DATE is set."""
        return self.on_aws and self.costs_start_date is not None

    def for_costs(self) -> Settings:
        """The settings of the star of costs: a lake of its own in this lake, pulled from Cost Explorer in UTC.

        It is small, so DuckDB and the embedded Athena suffice, and its runs are not counted as successes of this
        lake. Its days are in UTC, as Cost Explorer's are.
        """
        fields = {name: field.get_default(call_default_factory=True) for name, field in Settings.model_fields.items()}
        fields |= {name: getattr(self, name) for name in (*IN_COMMON, "cost_tag", "costs_start_date")}
        fields["lake"], fields["glue_prefix"] = f"{self.lake.rstrip('/')}/{COSTS}", f"{self.glue_prefix}{COSTS}_"
        fields["model"], fields["key_prefix"] = "star_assets.costs.star:costs", COSTS
        fields["source_dsn"] = SecretStr("cost-explorer://")
        if self.costs_start_date:
            fields["start_date"] = self.costs_start_date
        return self.model_copy(update=fields)

    @property
    def zone(self) -> ZoneInfo:
        """The business time zone."""
        return ZoneInfo(self.timezone)

    @property
    def last_day(self) -> str:
        """The last allowed export day, YYYY-MM-DD. It is after today, as some clocks are ahead; never after the end."""
        return self._until_the_end(datetime.now(self.zone).date() + timedelta(days=self.days_ahead)).isoformat()

    @property
    def last_partition(self) -> date:
        """The newest day that is a partition: today in the business time zone, or STAR_END_DATE if that is earlier."""
        return self._until_the_end(datetime.now(self.zone).date())

    @property
    def last_day_over(self) -> date:
        """The last day with exports that is over in the business time zone: yesterday, or STAR_END_DATE."""
        return self._until_the_end(datetime.now(self.zone).date() - timedelta(days=1))

    def _until_the_end(self, day: date) -> date:
        return min(day, self.end_date) if self.end_date else day


def load_settings() -> Settings:
    """The settings of this environment. Raises BadSetting that names the variable."""
    _refuse_typing_errors(os.environ, variables())
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        # A DSN or a URL may contain a password.
        found = "…" if name in ("source_dsn", "webhook") else str(first["input"])
        raise BadSetting(variable_of(name), found, _expected(first["type"], first.get("ctx", {}))) from None


def variables() -> dict[str, str]:
    """The environment variable of each setting, with the setting's name."""
    return {variable_of(name): name for name in Settings.model_fields}


def variable_of(name: str) -> str:
    """The environment variable of a setting."""
    return f"STAR_{name.upper()}"


def is_web_address(value: str) -> bool:
    """Whether a text is a URL that a request can be sent to."""
    try:
        parts = urlsplit(value)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _refuse_typing_errors(environment: Iterable[str], known: Collection[str]) -> None:
    """Raises BadSetting for a variable whose name is nearly that of a setting. Other STAR_ variables are allowed."""
    for variable in environment:
        if variable.startswith("STAR_") and variable not in known:
            for meant in get_close_matches(variable, known, 1, 0.9):
                raise BadSetting(variable, "…", f"its name to be {meant}; there is no such setting")


# The expected values if one of pydantic's own checks fails, by a beginning of the check's name.
_EXPECTED = {
    "int": "a whole number",
    "float": "a number",
    "finite": "a number",
    "bool": "true or false",
    "byte_size": "a size such as 10GB",
    "date": "a day YYYY-MM-DD",
    "literal_error": "{expected}",
    "greater_than_equal": "{ge:,g} or more",
    "less_than_equal": "at most {le:,g}",
}


def _expected(kind: str, context: Mapping[str, Any]) -> str:
    if kind == "value_error":
        return str(context["error"])
    return next(text for begin, text in _EXPECTED.items() if kind.startswith(begin)).format_map(context)
