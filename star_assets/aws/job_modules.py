"""The packages that Glue installs before each run of the job, pinned to the versions that are installed here.

These are the extra `job` of setup.py and its dependencies. Glue's own versions of boto3, NumPy and
pandas are kept. Dagster, its web server and the command line are not among them, because a job
does not use them, and Glue would install them before each run.
"""

from __future__ import annotations

from star_assets.packages import needed

# The packages that every version of Glue's Spark jobs has, with their dependencies.
OF_GLUE = {"boto3", "numpy", "pandas", "pyspark", "pytz", "python-dateutil", "six", "tzdata"}

# Glue's versions → their Python, for which the markers of requirements are evaluated.
PYTHON = {"5.1": "3.11", "6.0": "3.13"}


def job_modules(glue: str = "6.0") -> list[str]:
    """The packages for a version of Glue, as `name==version`, sorted; without star_assets itself.

    All dependencies are listed, so Glue's pip gets `--no-deps`. Raises PackageNotFoundError if one is not installed.
    """
    environment = {"python_version": PYTHON[glue], "python_full_version": f"{PYTHON[glue]}.0"}
    environment |= {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64"}
    found = needed("star_assets", "job", OF_GLUE, environment)
    return sorted(f"{name}=={number}" for name, number in found.items())
