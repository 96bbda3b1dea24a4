"""Each IAM document of CI's roles, exactly; ``documents/`` holds them as AWS receives them, for review."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from bootstrap import role_actions
from bootstrap.on_call import on_call_boundary, on_call_policy, on_call_trust
from bootstrap.record_key import key_policy
from bootstrap.role_boundaries import pipeline_boundary, workload_boundary
from bootstrap.role_documents import deploy_policies, images_policy, preview_policy, trust_policy
from bootstrap.role_scope import Scope
from preflight.conform.iam import reference
from tests.bootstrap.program import run_bootstrap

DOCUMENTS = Path(__file__).parent / "documents"
SCOPE = Scope("111122223333", "eu-west-1", "staging", "Z0123456789STAGING01")
PROVIDER = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"
MANAGED_POLICY_CHARACTERS = 6144
"""AWS's limit for one managed policy, white space not counted
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html)."""
POLICIES_OF_A_ROLE = 10
"""AWS's quota of managed policies that are attached to one role, before it is raised (the same page)."""
NEWER_THAN_THE_REFERENCE: frozenset[str] = frozenset()
"""Actions that AWS documents but the packaged reference lacks."""

ON_CALL = ["arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_OnCall_*"]

BUILT = {
    "deploy-trust": trust_policy(PROVIDER, "example/ai-interface", "staging"),
    "images": images_policy(SCOPE),
    "images-trust": trust_policy(PROVIDER, "example/ai-interface", "staging-images"),
    "on-call": on_call_policy(SCOPE),
    "on-call-boundary": on_call_boundary(SCOPE),
    "on-call-trust": on_call_trust("111122223333", ON_CALL),
    "pipeline-boundary": pipeline_boundary(SCOPE),
    "preview": preview_policy(SCOPE),
    "record-key": key_policy(
        SCOPE.account_id, "arn:aws:iam::111122223333:role/ai-interface-pipeline/ai-interface-staging-record"
    ),
    "record-trust": trust_policy(PROVIDER, "example/ai-interface", "staging-record"),
    "preview-trust": trust_policy(PROVIDER, "example/ai-interface", "staging-preview"),
    "workload-boundary": workload_boundary(SCOPE),
    **{f"deploy-{part}": document for part, document in deploy_policies(SCOPE).items()},
}


@pytest.mark.parametrize("name", BUILT)
def test_a_document_is_exactly_the_reviewed_one(name: str) -> None:
    reviewed = json.loads((DOCUMENTS / f"{name}.json").read_text(encoding="utf-8"))
    assert json.loads(BUILT[name]) == reviewed


def test_no_reviewed_document_is_left_over() -> None:
    assert {path.stem for path in DOCUMENTS.glob("*.json")} == set(BUILT)


@pytest.mark.parametrize("name", BUILT)
def test_a_document_fits_into_a_managed_policy(name: str) -> None:
    assert len(BUILT[name]) <= MANAGED_POLICY_CHARACTERS


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_a_role_has_no_more_policies_than_aws_attaches_and_each_fits_with_the_longest_names(stack: str) -> None:
    recording = run_bootstrap(stack)
    attached = Counter(a.inputs["role"] for a in recording.of_type("aws:iam/rolePolicyAttachment:RolePolicyAttachment"))
    assert len(attached) == 4
    assert max(attached.values()) <= POLICIES_OF_A_ROLE
    longest = Scope("111122223333", "ap-southeast-1", "e" * 16, "Z" + "0" * 31, "b" * 63)
    on_call = (on_call_policy(longest), on_call_boundary(longest))
    built = [pipeline_boundary(longest), workload_boundary(longest), *on_call, *deploy_policies(longest).values()]
    assert max(len(document) for document in built) <= MANAGED_POLICY_CHARACTERS


def test_the_program_gives_the_roles_these_documents_and_the_boundary() -> None:
    recording = run_bootstrap("staging")
    policies = {p.inputs["name"]: json.loads(p.inputs["policy"]) for p in recording.of_type("aws:iam/policy:Policy")}
    roles = {r.inputs["name"]: r for r in recording.of_type("aws:iam/role:Role")}
    arns = {p.inputs["name"]: p.outputs["arn"] for p in recording.of_type("aws:iam/policy:Policy")}
    boundaries = {
        f"ai-interface-staging-{role}": arns[f"ai-interface-staging-{boundary}"]
        for role, boundary in (
            ("deploy", "pipeline-boundary"),
            ("images", "images-copy"),
            ("on-call", "on-call-boundary"),
            ("preview", "pipeline-boundary"),
            ("record", "pipeline-boundary"),
        )
    }
    assert policies == {
        "ai-interface-staging-workload-boundary": json.loads(BUILT["workload-boundary"]),
        "ai-interface-staging-pipeline-boundary": json.loads(BUILT["pipeline-boundary"]),
        "ai-interface-staging-on-call-boundary": json.loads(BUILT["on-call-boundary"]),
        "ai-interface-staging-on-call-read": json.loads(BUILT["on-call"]),
        "ai-interface-staging-preview-read": json.loads(BUILT["preview"]),
        "ai-interface-staging-images-copy": json.loads(BUILT["images"]),
        **{f"ai-interface-staging-deploy-{p}": json.loads(BUILT[f"deploy-{p}"]) for p in deploy_policies(SCOPE)},
    }
    assert set(roles) == set(boundaries)
    for name, role in roles.items():
        assert role.inputs["permissionsBoundary"] == boundaries[name]
        assert role.inputs["path"] == "/ai-interface-pipeline/"
        trusted = json.loads(role.inputs["assumeRolePolicy"])["Statement"][0]["Condition"]
        kind = name.removeprefix("ai-interface-staging-")
        assert trusted == json.loads(BUILT[f"{kind}-trust"])["Statement"][0]["Condition"]


def test_without_a_zone_no_record_can_be_changed() -> None:
    without = deploy_policies(Scope("111122223333", "eu-west-1", "staging"))
    assert "route53:Change" not in json.dumps(without)


def with_state(name: str) -> list[dict[str, Any]]:
    """The statements about objects where Pulumi's state is in a bucket."""
    scope = Scope("111122223333", "eu-west-1", "staging", state_bucket="example-state")
    documents = {"preview": preview_policy(scope), "boundary": pipeline_boundary(scope), **deploy_policies(scope)}
    found: list[dict[str, Any]] = json.loads(documents[name])["Statement"]
    return [s for s in found if s["Sid"].endswith(("State", "Objects"))]


def test_the_states_bucket_is_read_by_preview_written_by_deploy_and_the_only_one_that_the_boundary_leaves_out() -> None:
    objects = "arn:aws:s3:::example-state/*"
    read = {"Sid": "ReadState", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": [objects]}
    write = {
        "Sid": "WriteState",
        "Effect": "Allow",
        "Action": ["s3:DeleteObject", "s3:PutObject"],
        "Resource": [objects],
    }
    deny = {
        "Sid": "NotObjects",
        "Effect": "Deny",
        "Action": ["s3:DeleteObject*", "s3:GetObject*", "s3:PutObject*", "s3:RestoreObject"],
        "NotResource": [objects],
    }
    assert (with_state("preview"), with_state("read"), with_state("network")) == ([read], [read], [write])
    assert with_state("boundary") == [deny]


def test_without_a_bucket_every_object_is_denied() -> None:
    (data,) = [s for s in statements("pipeline-boundary") if s["Sid"] == "NotData"]
    assert {"s3:GetObject*", "s3:PutObject*"} <= set(data["Action"])
    assert data["Resource"] == ["*"]


def statements(name: str) -> list[dict[str, Any]]:
    """The statements of a built document."""
    return json.loads(BUILT[name])["Statement"]


def test_preview_writes_nothing() -> None:
    verbs = {action.split(":")[1] for s in statements("preview") for action in s["Action"]}
    assert all(verb.startswith(("Check", "Get", "List", "Describe", "Decrypt", "View")) for verb in verbs)


def test_every_grant_to_a_deployed_role_asks_for_the_boundary() -> None:
    granting = {f"iam:{action}" for action in role_actions.ROLE_GRANTS}
    boundary = {"StringEquals": {"iam:PermissionsBoundary": [SCOPE.boundary]}}
    for name in BUILT:
        for statement in statements(name):
            if statement["Effect"] == "Allow" and granting & set(statement["Action"]):
                assert statement["Condition"] == boundary
                assert statement["Resource"] == ["arn:aws:iam::111122223333:role/ai-interface/staging/*"]


@pytest.mark.parametrize("name", BUILT)
def test_every_action_exists(name: str) -> None:
    named = [action for s in statements(name) for action in s["Action"]]
    assert [a for a in named if not reference.matching(a) and a not in NEWER_THAN_THE_REFERENCE] == []
