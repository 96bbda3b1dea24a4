"""CI's role that copies images can make exactly the calls of the copy, on the account's repositories, and no other role can."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from bootstrap.image_repository import OPERATIONS, action
from bootstrap.role_actions import COPY_IMAGES
from preflight.conform.iam import account, reference
from preflight.conform.iam.account import Role
from preflight.conform.iam.graph import statements
from preflight.recording.recorder import RecordedResource, Recording
from tests.bootstrap.program import run_bootstrap

STACK = "staging"
REPOSITORY = "aws:ecr/repository:Repository"


@pytest.fixture(scope="module")
def recording() -> Recording:
    return run_bootstrap(STACK)


@pytest.fixture(scope="module")
def images(recording: Recording) -> Role:
    """The role with its policies and its boundary, as bootstrap creates it."""
    role = one(recording, "aws:iam/role:Role", f"ai-interface-{STACK}-images")
    policies = {
        str(p.outputs["arn"]): statements(p.inputs["policy"]) for p in recording.of_type("aws:iam/policy:Policy")
    }
    attached = [
        str(a.inputs["policyArn"])
        for a in recording.of_type("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
        if a.inputs["role"] == role.id
    ]
    assert attached
    documents = {arn: policies[arn] for arn in attached}
    return Role("images", str(role.outputs["arn"]), documents, policies[str(role.inputs["permissionsBoundary"])])


def one(recording: Recording, type_: str, name: str) -> RecordedResource:
    (found,) = [resource for resource in recording.of_type(type_) if resource.inputs["name"] == name]
    return found


def repositories(recording: Recording) -> dict[str, Any]:
    """ARN → the statements of the repository's policy."""
    policies = {
        p.inputs["repository"]: p.inputs["policy"]
        for p in recording.of_type("aws:ecr/repositoryPolicy:RepositoryPolicy")
    }
    found = {str(r.outputs["arn"]): statements(policies[r.id]) for r in recording.of_type(REPOSITORY)}
    assert found
    return found


def allowed(role: Role, name: str, arn: str, own: Any = ()) -> bool:  # noqa: ANN401
    context = {
        "aws:PrincipalAccount": (arn.split(":")[4],),
        "aws:PrincipalArn": (role.arn,),
        "aws:RequestedRegion": (arn.split(":")[3],),
    }
    return role.allows(name, arn, context, own)


def test_the_role_allows_what_the_copy_calls_and_boto3_knows_every_call() -> None:
    client = importlib.import_module("boto3").client("ecr", region_name="eu-west-1")
    called = {f"ecr:{client.meta.method_to_api_mapping[operation]}" for operation in OPERATIONS}
    assert called == {action(operation) for operation in OPERATIONS} == {f"ecr:{name}" for name in COPY_IMAGES}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_call_acts_on_a_repository_and_needs_no_other_permission(operation: str) -> None:
    found = reference.existing(action(operation))
    assert [(kind.name, kind.required) for kind in found.resource_types] == [("repository", True)]
    assert found.dependents == ()


def test_it_copies_into_every_repository_and_does_nothing_else(recording: Recording, images: Role) -> None:
    named = {pattern for document in images.documents.values() for s in document for pattern in s["Resource"]}
    assert named == set(repositories(recording))
    for arn, own in repositories(recording).items():
        for name in reference.matching("ecr:*"):
            assert allowed(images, name, arn, own) == (name in map(action, OPERATIONS)), (name, arn)
    for arn in repositories(recording):
        assert not allowed(images, "ecr:PutImage", f"{arn}-other")


def test_the_other_roles_copy_no_image(recording: Recording) -> None:
    roles = account.of(recording, STACK)
    for arn, own in repositories(recording).items():
        for role in (roles.deploy, roles.preview):
            assert not allowed(role, "ecr:PutImage", arn, own)
            assert not allowed(role, "ecr:UploadLayerPart", arn, own)


def test_another_policy_of_the_role_adds_nothing(images: Role, recording: Recording) -> None:
    everything = {"Effect": "Allow", "Action": ["*"], "Resource": ["*"]}
    wider = Role(images.name, images.arn, {**images.documents, "more": (everything,)}, images.boundary)
    arn = next(iter(repositories(recording)))
    assert allowed(wider, "ecr:PutImage", arn)
    assert not allowed(wider, "ecr:DescribeImages", arn)
    assert not allowed(wider, "s3:GetObject", "arn:aws:s3:::any/object")
