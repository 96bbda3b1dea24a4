"""CI's roles and boundaries cover what the main program creates: a new service or name has to be added to both."""

from __future__ import annotations

import fnmatch
import json

import pytest

from bootstrap.role_documents import deploy_policies
from bootstrap.role_scope import GENERATED_BUCKETS, GENERATED_SECRETS, KEY_ALIASES, Scope
from bootstrap.role_services import ROLE_USERS
from preflight.recording.recorder import Recording
from tests.once import main_program
from tests.settings.stack_files import as_the_engine_passes_it

SERVICES = {"lb": "elasticloadbalancing", "appautoscaling": "application-autoscaling", "vpc": "ec2"}
"""Pulumi module → IAM prefix of the service, where they differ."""
LOG_KINDS = {"logGroup", "logResourcePolicy"}
"""Resources of the cloudwatch module that belong to CloudWatch Logs."""
READING = ("Check", "Get", "List", "Describe", "Decrypt")


@pytest.fixture(scope="module", params=["staging", "prod"])
def program(request: pytest.FixtureRequest) -> Recording:
    return main_program(
        request.param,
        as_the_engine_passes_it(request.param),
    )


def service_of(type_: str) -> str:
    """The IAM prefix of a resource type such as ``aws:lb/listener:Listener``."""
    module, _, kind = type_.split(":")[1].partition("/")
    if kind.startswith("resolver"):
        return "route53resolver"
    if kind.startswith("event"):
        return "events"
    return "logs" if kind in LOG_KINDS else SERVICES.get(module, module)


def test_deploy_may_write_in_every_service_that_the_program_uses(program: Recording) -> None:
    used = {service_of(r.type) for r in program.resources if r.type.startswith("aws:")}
    documents = deploy_policies(Scope("111122223333", "eu-west-1", program.stack, "Z0123456789STAGING01"))
    actions = [a for document in documents.values() for s in json.loads(document)["Statement"] for a in s["Action"]]
    writable = {action.split(":")[0] for action in actions if not action.split(":")[1].startswith(READING)}
    assert used - writable == set()
    # The committed stacks have no gateway, whose name is in Cloud Map, and no Slack channel.
    assert writable - used - {"kms", "backup-storage", "chatbot", "servicediscovery"} == set()


def test_the_names_of_generated_secrets_and_buckets_are_those_in_the_policies(program: Recording) -> None:
    secrets = [r.name for r in program.of_type("aws:secretsmanager/secret:Secret")]
    buckets = [r.name for r in program.of_type("aws:s3/bucket:Bucket")]
    aliases = {r.inputs["name"] for r in program.of_type("aws:kms/alias:Alias")}
    assert secrets
    assert buckets
    assert all(any(fnmatch.fnmatchcase(f"{n}-0a1b2c3", p) for p in GENERATED_SECRETS) for n in secrets)
    assert all(any(fnmatch.fnmatchcase(f"{n}-0a1b2c3", p) for p in GENERATED_BUCKETS) for n in buckets)
    assert aliases == {f"alias/ai-interface-{program.stack}{suffix}" for suffix in KEY_ALIASES}


def test_keys_and_secrets_carry_the_tags_by_which_the_roles_know_them(program: Recording) -> None:
    kinds = ("aws:kms/key:Key", "aws:secretsmanager/secret:Secret")
    tags = [r.inputs["tags"] for kind in kinds for r in program.of_type(kind)]
    assert tags
    assert {(t["project"], t["environment"]) for t in tags} == {("ai-interface", program.stack)}


def test_roles_are_handed_to_the_declared_services_only(program: Recording) -> None:
    trusts = [json.loads(r.inputs["assumeRolePolicy"]) for r in program.of_type("aws:iam/role:Role")]
    trusted = [statement["Principal"]["Service"] for trust in trusts for statement in trust["Statement"]]
    names = {name for services in trusted for name in ([services] if isinstance(services, str) else services)}
    assert names | {"chatbot.amazonaws.com"} == set(ROLE_USERS)  # they have no Slack channel


def test_every_role_lies_under_the_path_and_carries_the_boundary_that_deploy_may_create(program: Recording) -> None:
    account = {"staging": "111122223333", "prod": "444455556666"}[program.stack]
    scope = Scope(account, "eu-west-1", program.stack, "Z0123456789STAGING01")
    roles = program.of_type("aws:iam/role:Role")
    assert len(roles) >= 3
    for role in roles:
        assert f"arn:aws:iam::{account}:role{role.inputs['path']}*" == scope.roles
        assert role.inputs["permissionsBoundary"] == scope.boundary
