"""Somebody else's simulator of IAM answers all cases as our evaluator does.

It is @cloud-copilot/iam-simulate, which knows AWS's actions, resources and condition
keys, too, and refuses what AWS would. It is AGPL: `make iam` fetches it for this test,
and nothing of it is shipped.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from star_assets.aws.policies import ACCOUNT, example

from .matrix import Account, Case, cases

HERE = Path(__file__).parent
FETCHED = HERE.parents[1] / ".iam"

# It leaves out a context key whose name holds colons, which AWS's own example for logs has.
LEFT_OUT = "kms:EncryptionContext:aws:logs:arn"


def request(account: Account, case: Case) -> dict[str, object]:
    """A case as the simulator takes it. It refuses context that an action does not have."""
    found, identity, policy = account.asked(case)
    kms = case.action.startswith("kms:")
    context = {key: value for key, value in found.context.items() if kms or key != "kms:CallerAccount"}
    named = {"principal": found.principal, "action": case.action, "resource": case.resource, "account": ACCOUNT}
    return {**named, "context": context, "identity": identity, "policy": policy}


@pytest.mark.long
def test_another_simulator_answers_the_same() -> None:
    """An evaluator of our own may share our errors."""
    if not (FETCHED / "complete").exists():
        pytest.skip("no simulator of IAM here; `make iam` fetches it")
    account, asked = Account(example()), [case for case in cases() if LEFT_OUT not in case.context]
    done = subprocess.run(
        ["node", HERE / "simulate.mjs"],
        input=json.dumps([request(account, case) for case in asked]),
        cwd=FETCHED,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    assert len(answers) == len(asked) > 150
    assert set(answers) == {"Allowed", "ExplicitlyDenied", "ImplicitlyDenied"}
    pairs = zip(asked, answers, strict=True)
    assert [(case, answer) for case, answer in pairs if (answer == "Allowed") != case.expected] == []
