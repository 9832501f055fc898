"""The template `lake`: valid, small enough, and right; each of many ways to break it is seen.

What AWS itself makes of it is not tested here: without an account nobody can.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from star_assets.aws.policies import EVERYTHING, NAMES, example, example_of_costs, policies, write_policies
from star_assets.aws.template import TEMPLATES, Template, parsed, text
from star_assets.settings import Settings

from .matrix import CASES, TRUST, cases, wrong
from .mutants import mutants
from .rules import RULES, broken

ROOT = Path(__file__).parents[2]

MUTANTS = list(mutants("lake"))


def findings(content: str) -> list[str]:
    """What the rules and the matrix find."""
    template = Template(parsed(content), NAMES, EVERYTHING)
    return broken(template) + wrong(template)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_no_rule_finds_anything(rule: object) -> None:
    """Else nobody would look at what rules find."""
    assert callable(rule)
    assert list(rule(example())) == []


def test_each_role_may_do_its_work_and_nothing_else() -> None:
    """The answers to all cases, over identity, bucket, key and topic policies together."""
    assert wrong(example()) == []


def test_there_are_cases_of_every_role_on_both_sides() -> None:
    found = list(cases())
    assert len(found) >= 100
    for who in ("pipeline", "analyst", "job", "crawler", "stream", "till", "catalog", "admin"):
        assert {case.expected for case in found if case.who == who} == {True, False}
    assert len(set(CASES)) == len(CASES)
    assert len(TRUST) > 10


@pytest.mark.parametrize(("what", "content"), MUTANTS, ids=[what for what, _ in MUTANTS])
def test_each_way_to_break_it_is_found(what: str, content: str) -> None:
    """A check that never fires holds nothing."""
    assert content != text("lake")
    assert findings(content) != []


def test_there_are_enough_mutants() -> None:
    assert len(MUTANTS) >= 40


def test_the_linter_finds_nothing(tmp_path: Path) -> None:
    """cfn-lint knows CloudFormation's schemas. It finds what is wrong in each template that is made wrong."""
    good, bad = [], []
    for name in TEMPLATES:
        good.append(tmp_path / f"{name}.yaml")
        bad.append(tmp_path / f"bad-{name}.yaml")
        good[-1].write_text(text(name))
        bad[-1].write_text(text(name).replace("Properties:\n", "Properties:\n      Nonsense: 1\n", 1))
    lint = [
        Path(sys.executable).with_name("cfn-lint"),
        "--non-zero-exit-code",
        "informational",
        "--regions",
        "eu-west-1",
        "--template",
    ]
    done = subprocess.run([*lint, *good], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    found = subprocess.run([*lint, *bad], capture_output=True, text=True, check=False).stdout
    assert [file for file in bad if str(file) not in found] == []


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_can_be_deployed_from_an_empty_account(name: str) -> None:
    """Above this size `deploy` needs a bucket; anchors are refused."""
    assert len(text(name).encode()) < 51_200
    assert "&" not in text(name).replace("&&", "")


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_parameter_is_grouped_labelled_and_described(name: str) -> None:
    """In the console a parameter is a form's field."""
    document = parsed(text(name))
    interface = document["Metadata"]["AWS::CloudFormation::Interface"]
    grouped = [one for group in interface["ParameterGroups"] for one in group["Parameters"]]
    assert sorted(grouped) == sorted(document["Parameters"]) == sorted(interface["ParameterLabels"])
    assert all("Description" in one and "Type" in one for one in document["Parameters"].values())


def test_the_lake_needs_no_parameter() -> None:
    """The whole set-up is two commands."""
    assert all("Default" in one for one in parsed(text("lake"))["Parameters"].values())


def test_templates_are_in_the_wheel(tmp_path: Path) -> None:
    """Who installs the package has no repository."""
    build = [sys.executable, "setup.py", "--quiet", "build_py", "--build-lib", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    packed = {file.stem for file in (tmp_path / "star_assets" / "aws").glob("*.yaml")}
    assert packed == set(TEMPLATES)


def test_outputs_are_settings() -> None:
    """`star-assets aws settings` prints what begins with Star."""
    named = {f"Star{''.join(part.capitalize() for part in name.split('_'))}" for name in Settings.model_fields}
    assert {name for name in example().outputs if name.startswith("Star")} <= named


def test_what_exists_can_be_adopted() -> None:
    """A key and buckets of one's own are used, and stay as they are."""
    key = "arn:aws:kms:eu-west-1:111122223333:key/mine"
    adopted = {"ExistingKey": key, "ExistingLake": "my-lake", "ExistingResults": "my-results"}
    template = Template(parsed(text("lake")), NAMES, {**EVERYTHING, **adopted})
    kinds = {resource["Type"] for resource in template.resources.values()}
    assert kinds & {"AWS::KMS::Key", "AWS::KMS::Alias", "AWS::S3::Bucket", "AWS::S3::BucketPolicy"} == set()
    whole = json.dumps([*template.resources.values(), template.outputs])
    assert all(name in whole for name in adopted.values())
    assert not any(NAMES[name] in whole for name in ("Key.Arn", "Lake.Arn", "Results.Arn"))


def test_the_files_of_the_documentation_are_the_templates(tmp_path: Path) -> None:
    """Whoever attaches policies by hand gets the same; `star-assets aws policies docs/aws` writes them."""
    written = {file.name: file.read_text() for file in write_policies(tmp_path)}
    assert written == {file.name: file.read_text() for file in (ROOT / "docs" / "aws").glob("*.json")}
    assert len(written) == len([*policies(example()), *policies(example_of_costs())])
