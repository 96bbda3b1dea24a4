"""Every key's own policy names the deploy role, and none can be made without."""

from __future__ import annotations

import json
import re

import pulumi_aws as aws
import pytest

import assembly
from assembly.keys import KEY
from bootstrap.role_scope import PIPELINE_PATH
from preflight.recording.recorder import record
from tests.bootstrap.program import run_bootstrap
from tests.preflight.conform.graphs import PROMPTS, STACKS, Case, program
from tests.settings.stack_files import own_values, parse


@pytest.mark.parametrize("case", [*STACKS, PROMPTS])
def test_every_key_names_the_deploy_role_that_bootstrap_makes(case: Case) -> None:
    recording = program(case)
    (deploy,) = [
        str(role.outputs["arn"])
        for role in run_bootstrap(recording.stack).of_type("aws:iam/role:Role")
        if role.inputs["name"] == f"ai-interface-{recording.stack}-deploy"
    ]
    assert f":role{PIPELINE_PATH}" in deploy
    keys = recording.of_type(KEY)
    assert len(keys) == (3 if case == PROMPTS else 2)
    for key in keys:
        statements = json.loads(key.inputs["policy"])["Statement"]
        assert {s["Sid"] for s in statements if s["Principal"] == {"AWS": [deploy]}} == {
            "DeploymentKeepsTheKey",
            "DeploymentEncryptsByServices",
            "DeploymentChangesOtherTags",
            "DeploymentRemovesOtherTags",
        }
        assert statements[0]["Sid"] == "AccountDelegatesToItsRoles"


def test_a_deployment_uses_a_key_by_services_only() -> None:
    for key in program("prod").of_type(KEY):
        for statement in json.loads(key.inputs["policy"])["Statement"]:
            encrypts = [a for a in statement["Action"] if re.search("crypt|DataKey|Grant", a)]
            if statement["Sid"].startswith("Deployment") and encrypts:
                assert statement["Condition"] == {"StringLike": {"kms:ViaService": ["*.eu-west-1.amazonaws.com"]}}


def test_a_key_without_a_known_policy_is_refused() -> None:
    def make() -> None:
        assembly.serve_the_deployment(parse(own_values()))
        aws.kms.Key("other")

    with pytest.raises(Exception, match="key other has a policy that is an output"):
        record(make)
