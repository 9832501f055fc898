"""checkov, somebody else's rules for templates and images: it finds what checkov.txt explains, and nothing else.

It pins a boto3 of its own, so that `make checkov` gives it an environment of its own.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from star_assets.aws.template import TEMPLATES, text

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PROGRAM = ROOT / ".checkov" / "bin" / "checkov"

# Lines of `template | check | resource | why it is let be`.
EXCEPTIONS = [tuple(map(str.strip, line.split("|"))) for line in (HERE / "checkov.txt").read_text().splitlines()]


def findings(file: Path, framework: str) -> set[tuple[str, str]]:
    """The checks that fail, and the logical ids of the resources at which they do."""
    options = ["--skip-download", "--compact", "--output", "json", "--framework", framework]
    done = subprocess.run([PROGRAM, *options, "--file", file], capture_output=True, text=True, check=False)
    found = json.loads(done.stdout)
    if "results" not in found:
        return set()
    assert found["summary"]["parsing_errors"] == 0
    failed = found["results"]["failed_checks"]
    return {(one["check_id"], re.split(r"[./]", one["resource"].rstrip("."))[-1]) for one in failed}


@pytest.fixture
def checkov() -> None:
    if not PROGRAM.exists():
        pytest.skip("no checkov here; `make checkov` fetches it")


@pytest.mark.long
@pytest.mark.parametrize("name", [*TEMPLATES, "Dockerfile"])
def test_checkov_finds_nothing_that_is_not_explained(checkov: None, name: str, tmp_path: Path) -> None:
    """An exception that is not needed any more has to go, too."""
    file, framework = ROOT / "Dockerfile", "dockerfile"
    if name != "Dockerfile":
        file, framework = tmp_path / f"{name}.yaml", "cloudformation"
        file.write_text(text(name))
    assert findings(file, framework) == {(check, at) for of, check, at, why in EXCEPTIONS if of == name and why}


@pytest.mark.long
def test_checkov_does_find_what_is_wrong(checkov: None, tmp_path: Path) -> None:
    """A checker that was not run finds nothing either."""
    file = tmp_path / "lake.yaml"
    file.write_text(text("lake").replace("BlockPublicPolicy: true", "BlockPublicPolicy: false", 1))
    assert ("CKV_AWS_54", "Lake") in findings(file, "cloudformation")
