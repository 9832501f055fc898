"""The URLs under which AWS's consoles show a table, a folder, a query or a job run. No call to AWS is made."""

from __future__ import annotations

from urllib.parse import quote

# Regions outside of AWS's commercial partition have consoles of their own.
_DOMAINS = {"cn-": "console.amazonaws.cn", "us-gov-": "console.amazonaws-us-gov.com"}


def table_page(region: str, database: str, table: str) -> str:
    """A table of Glue's Data Catalog."""
    return f"{_console(region, 'glue/home')}#/v2/data-catalog/tables/view/{quote(table)}?database={quote(database)}"


def folder_page(region: str, uri: str) -> str:
    """A folder of S3, such as a version of a partition."""
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    folder = f"{prefix.rstrip('/')}/" if prefix else ""
    return f"{_console(region, f's3/buckets/{bucket}')}&prefix={quote(folder)}"


def query_page(region: str, query_id: str) -> str:
    """A query in Athena's history: its text, its time, its result."""
    return f"{_console(region, 'athena/home')}#/query-editor/history/{query_id}"


def job_run_page(region: str, job: str, run_id: str) -> str:
    """A run of a job of Glue's: its state, its log, what it took."""
    return f"{_console(region, 'gluestudio/home')}#/job/{quote(job)}/run/{run_id}"


def _console(region: str, path: str) -> str:
    domain = next((domain for start, domain in _DOMAINS.items() if region.startswith(start)), "console.aws.amazon.com")
    return f"https://{region}.{domain}/{path}?region={region}"
