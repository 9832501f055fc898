"""Mistakes in settings: each is told when settings are loaded, whatever command is typed."""

from __future__ import annotations

from .case import Mistake


def _setting(name: str, value: str, expected: str, found: str | None = None) -> Mistake:
    """`STAR_<NAME>=<value>`, with which no command goes on."""
    says = f"Error: STAR_{name}={found or repr(value)}: expected {expected}.\n"
    return Mistake(f"STAR_{name}={value}", ("status",), says, variables={f"STAR_{name}": value})


NUMBER, WHOLE, SIZE = "a number", "a whole number", "a size such as 10GB"
DAYS = "a day YYYY-MM-DD from 1970-01-01 to 2199-12-31"
ZONE = "an IANA time zone such as America/New_York"
MEMORY = "a size of 100MB or more, such as 4GB, or a share of the memory, such as 50%"
WEBHOOK = "a URL that begins with https:// or http://"
WORKER = "'G.1X', 'G.2X', 'G.4X', 'G.8X', 'R.1X' or 'R.2X'"
IDENTITY = "0f4c8e0a-1b7e-4a52-9d0c-6a2f7b3e5c11"
DATABASE = "postgresql://user@host:port/database"

MISTAKES = [
    *(_setting("THREADS", value, WHOLE) for value in ("many", "", "1.5", "0x10")),
    *(_setting("THREADS", value, "1 or more") for value in ("0", "-4")),
    *(_setting("THREADS", value, "at most 1,024") for value in ("1025", "1000000")),
    *(
        _setting("MEMORY_LIMIT", value, MEMORY)
        for value in ("lots", "", "1KB", "4", "-1GB", "0%", "101%", "4GB;", "infGB")
    ),
    *(_setting("RETENTION_DAYS", value, "at most 36,525") for value in ("inf", "nan", "1e12")),
    _setting("RETENTION_DAYS", "-1", "0 or more"),
    *(_setting("RETENTION_DAYS", value, NUMBER) for value in ("a week", "7d", "")),
    *(
        _setting("START_DATE", value, DAYS)
        for value in ("0", "1", "20230701", "01.07.2023", "2023-7-1", "yesterday", "")
    ),
    *(_setting("START_DATE", value, DAYS) for value in ("0001-01-01", "9999-12-31", "2023-07-01T00:00")),
    *(_setting("START_DATE", value, "a day YYYY-MM-DD") for value in ("2023-02-30", "2023-13-01")),
    *(_setting("TIMEZONE", value, ZONE) for value in ("localtime", "Factory", "posixrules", "posix/UTC", "Mars", "")),
    *(_setting("TIMEZONE", value, ZONE) for value in ("../UTC", "/etc/localtime", "UTC+2", "New York", "America")),
    *(
        _setting("WEBHOOK", value, WEBHOOK, "'…'")
        for value in ("notaurl", "ftp://host/", "https://", "http://h:99999/")
    ),
    *(_setting("WEBHOOK", value, WEBHOOK, "'…'") for value in ("//host/hook", "https://[::1/hook", "mailto:a@b.c")),
    *(_setting("CACHE_SIZE", value, SIZE) for value in ("big", "-1", "inf", "10XB")),
    *(_setting("AUTO_ABOVE", value, SIZE) for value in ("some", "1,5GB")),
    _setting("COMPRESSION", "gzip", "'zstd' or 'snappy'"),
    _setting("COMPRESSION", "ZSTD", "'zstd' or 'snappy'"),
    _setting("GLUE_FLEX", "maybe", "true or false"),
    _setting("GLUE_WORKERS", "1", "2 or more"),
    _setting("GLUE_TIMEOUT", "0", "1 or more"),
    _setting("GLUE_AT_ONCE", "none", WHOLE),
    _setting("GLUE_WORKER_TYPE", "XXL", WORKER),
    _setting("GLUE_PREFIX", "Shop-", "lower-case letters, digits and _, such as shop_"),
    _setting("ATHENA_OUTPUT", "s3://b/p", "STAR_ATHENA_WORKGROUP too; without it the embedded Athena answers"),
    _setting("ATHENA_OUTPUT", "results", "s3://bucket/prefix"),
    _setting("SOURCE_DSN", "mysql://root:secret@db/shop", DATABASE, "'…'"),
    _setting("SOURCE_DSN", "db.example.com", DATABASE, "'…'"),
    *(
        _setting("POWERBI_MODEL", value, "WORKSPACE/MODEL, the two identities in the model's address in Power BI")
        for value in ("Retail", "My workspace/Retail", f"{IDENTITY}/Retail", IDENTITY)
    ),
    _setting("TIMEZON", "UTC", "its name to be STAR_TIMEZONE; there is no such setting", "'…'"),
    _setting(
        "SOURCE_DNS", "postgresql://a:secret@b/c", "its name to be STAR_SOURCE_DSN; there is no such setting", "'…'"
    ),
    _setting("END_DATE", "2023-06-30", "STAR_START_DATE, 2023-07-01, or a later day"),
    _setting("STARTDATE", "2023-07-01", "its name to be STAR_START_DATE; there is no such setting", "'…'"),
    _setting("LAKE", "C:\\lake", "a folder whose path has no backslash"),
    *(
        _setting("LAKE", value, "a folder, or s3://bucket/prefix")
        for value in ("", "s3://", "gs://bucket/lake", "https://b/l")
    ),
]
