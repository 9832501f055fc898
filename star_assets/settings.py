"""Settings, all from the environment: `STAR_LAKE`, `STAR_TIMEZONE`, ….

Here: their names, defaults and validation. AWS's own variables are AWS's
clients' to read.
"""

from __future__ import annotations

import os
import re
from datetime import date
from importlib.metadata import entry_points
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import ByteSize, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from star_assets.model.errors import BadSetting

# The entry points under which packages bring storages and catalogs, by the scheme of a lake's URL;
# FOLDER stands for a lake that is no URL.
STORAGES, CATALOGS, FOLDER = "star_assets.storages", "star_assets.catalogs", "folder"


class Settings(BaseSettings):
    """Where the lake is, which star fills it, and how."""

    model_config = SettingsConfigDict(env_prefix="STAR_", frozen=True, hide_input_in_errors=True)

    lake: str = Field("./lake", description="The lake: a folder, or s3://bucket/prefix.")
    model: str = Field("star_assets.star:retail", description="The Star, as package.module:attribute.")
    engine: str = Field("duckdb", description="What computes: duckdb, spark, glue, auto, or what else is installed.")
    spark_master: str | None = Field(
        None, description="Where Spark runs, such as spark://host:7077; none: as Spark's own configuration says."
    )
    auto_above: ByteSize = Field(
        ByteSize(10_000_000_000), description="Bytes of input above which STAR_ENGINE=auto takes Spark."
    )
    glue_job: str | None = Field(None, description="The job of AWS Glue that computes, where one does.")
    glue_workers: int = Field(10, ge=2, description="Workers of a run of that job.")
    glue_worker_type: Literal["G.1X", "G.2X", "G.4X", "G.8X", "R.1X", "R.2X"] = Field("G.1X", description="Their type.")
    glue_timeout: int = Field(120, ge=1, description="Minutes after which Glue stops a run.")
    glue_flex: bool = Field(False, description="Whether runs take spare capacity: for less, but they may wait.")
    glue_at_once: int = Field(3, ge=1, description="Runs of the job at the same time.")
    start_date: date = Field(date(2023, 7, 1), description="The first day with exports, YYYY-MM-DD.")
    timezone: str = Field("UTC", description="The business time zone: decides the day of a sale.")
    compression: Literal["zstd", "snappy"] = Field("zstd", description="The compression of Parquet files.")
    memory_limit: str = Field("1GB", description="What DuckDB may use before it spills to disk.")
    threads: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, description="Threads of the engine.")
    kms_key: str | None = Field(None, description="The KMS key that S3 encrypts with; none: the bucket's default.")
    glue_prefix: str = Field("", description="What the Glue databases' names begin with.")
    crawler_role: str | None = Field(None, description="The role that Glue's crawlers of raw exports work as.")
    athena_workgroup: str | None = Field(
        None, description="The Athena workgroup that answers queries; none: the embedded Athena does."
    )
    athena_output: str | None = Field(None, description="Where Athena keeps results; none: where its workgroup says.")
    cache_size: ByteSize = Field(
        ByteSize(10_000_000_000), description="Bytes that local copies of an S3 lake's files may take."
    )
    retention_days: float = Field(7, ge=0, description="Days that superseded versions are kept by vacuum.")

    @field_validator("lake")
    @classmethod
    def _known_place(cls, value: str) -> str:
        scheme, is_url, place = value.partition("://")
        if not is_url:
            return value
        others = sorted(entry_points(group=STORAGES).names - {FOLDER, "s3"})
        if scheme not in ("s3", *others) or not place.partition("/")[0]:
            raise ValueError(" or ".join(["a folder, or s3://bucket/prefix", *(f"{other}://…" for other in others)]))
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

    webhook: str | None = Field(None, description="The URL that failed runs are posted to.")
    source_dsn: SecretStr | None = Field(None, description="The database that exports are pulled from.")

    @field_validator("source_dsn")
    @classmethod
    def _known_database(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not value.get_secret_value().startswith(("postgresql://", "postgres://")):
            raise ValueError("postgresql://user@host:port/database")
        return value or None

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError("an IANA time zone such as America/New_York") from error
        return value

    @property
    def uses_glue(self) -> bool:
        """Whether jobs of Glue compute, all of it or what is large."""
        return self.engine == "glue" or (self.engine == "auto" and self.glue_job is not None)

    @property
    def on_aws(self) -> bool:
        """Whether the lake is on S3, with Glue's Data Catalog."""
        return self.lake.startswith("s3://")

    @property
    def zone(self) -> ZoneInfo:
        """The business time zone."""
        return ZoneInfo(self.timezone)


def load_settings() -> Settings:
    """The settings of this environment. Raises BadSetting that names the variable."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        variable = "STAR_" + name.upper()
        # A password may be in it.
        found = "…" if name == "source_dsn" else str(first["input"])
        expected = str(first["msg"]).removeprefix("Value error, ").removeprefix("Input should be ")
        raise BadSetting(variable, found, expected) from error
