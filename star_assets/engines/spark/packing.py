"""Packing the Python packages that Spark's workers import into one archive, which Spark unpacks on each worker.

The archive has the versions that are installed here, beside the driver. It lacks star_assets itself, which the engine
sends with each job. Not here: the command (cli.packing), finding the packages (packages).
"""

from __future__ import annotations

import tarfile
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

from star_assets.packages import needed

# Spark unpacks the archive into a folder of this name, in the working folder of each worker.
UNPACKED = "packages"

# Every worker has these with Spark itself.
OF_SPARK = ("pyspark", "py4j")

# What workers of a lake on S3 import besides; it is packed if it is installed.
FOR_S3 = "boto3"


def pack(archive: Path) -> dict[str, str]:
    """Write the packages into a `.tar.gz`. Returns their versions by name."""
    found = needed("star_assets", "job", OF_SPARK)
    with suppress(PackageNotFoundError):
        found |= {FOR_S3: version(FOR_S3), **needed(FOR_S3, "")}
    # Each worker reads the archive once, mostly over a fast network: little compression takes the least time.
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        for name in found:
            _add(tar, name)
    return found


def settings(archive: str) -> dict[str, str]:
    """Spark's settings that give workers the packages of an archive."""
    return {"spark.archives": f"{archive}#{UNPACKED}", "spark.executorEnv.PYTHONPATH": UNPACKED}


def _add(tar: tarfile.TarFile, name: str) -> None:
    """Add a package's files, without compiled code, and without programs, which lie outside the packages' folder."""
    for file in distribution(name).files or ():
        if ".." not in file.parts and "__pycache__" not in file.parts and Path(str(file.locate())).is_file():
            tar.add(str(file.locate()), file.as_posix())
