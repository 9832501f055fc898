"""The packages that Spark's workers import, as one archive that Spark unpacks for them.

They are copied from this environment, so that workers have the versions of the process that drives them. star_assets
itself is not among them: the engine sends it with each job.
"""

from __future__ import annotations

import tarfile
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

from star_assets.packages import needed

# Spark unpacks the archive into a folder of this name, in the working folder of each worker.
UNPACKED = "packages"

# Workers have the first two with Spark itself. They use the third for lakes on S3.
OF_SPARK, IF_INSTALLED = ("pyspark", "py4j"), "boto3"


def pack(archive: Path) -> dict[str, str]:
    """Write the packages into a `.tar.gz`. Returns their versions by name."""
    found = needed("star_assets", "job", OF_SPARK)
    with suppress(PackageNotFoundError):
        found |= {IF_INSTALLED: version(IF_INSTALLED), **needed(IF_INSTALLED, "")}
    # The archive is read once by each worker, mostly over a fast network: little compression is the quickest.
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        for name in found:
            _add(tar, name)
    return found


def settings(archive: str) -> dict[str, str]:
    """Spark's settings that give workers the packages of an archive."""
    return {"spark.archives": f"{archive}#{UNPACKED}", "spark.executorEnv.PYTHONPATH": UNPACKED}


def _add(tar: tarfile.TarFile, name: str) -> None:
    """Add a package's files, but for programs, which lie elsewhere, and what Python compiled."""
    for file in distribution(name).files or ():
        if ".." not in file.parts and "__pycache__" not in file.parts and Path(str(file.locate())).is_file():
            tar.add(str(file.locate()), file.as_posix())
