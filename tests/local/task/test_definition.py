"""Task definitions that ECS would refuse, and the properties that the twin reports as not emulated."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography import x509

from components.data.certificates import database_authority
from local.authority import Authority
from local.task.definition import InvalidTaskDefinitionError, definition
from local.task.replaced import with_authorities
from tests.local.around import changed, stack_of, variables


@pytest.mark.parametrize("stack", ["prod", "staging"])
def test_everything_that_a_container_declares_is_emulated(stack: str) -> None:
    found = definition(stack_of(stack))

    assert [one.name for one in found.containers] == ["prepare", "proxy", "interface", "cleaner"]
    # Memory of a container is a limit that this machine does not enforce.
    assert {one.name: one.not_emulated for one in found.containers} == {
        "prepare": (),
        "proxy": ("memory",),
        "interface": (),
        "cleaner": ("memory",),
    }


MISTAKES: dict[str, tuple[dict[str, dict[str, Any]], str]] = {
    "a volume": (
        {"interface": {"mountPoints": [{"sourceVolume": "data", "containerPath": "/srv/data"}]}},
        "container interface: mountPoints names the volume data",
    ),
    "a dependency": (
        {"proxy": {"dependsOn": [{"containerName": "prepared", "condition": "SUCCESS"}]}},
        "container proxy: dependsOn names prepared",
    ),
    "a condition": (
        {"proxy": {"dependsOn": [{"containerName": "prepare", "condition": "DONE"}]}},
        "the condition DONE",
    ),
    "health of a container without a check": (
        {"interface": {"dependsOn": [{"containerName": "proxy", "condition": "HEALTHY"}]}},
        "waits for proxy to be HEALTHY, but it has no healthCheck",
    ),
    "the end of an essential container": (
        {"prepare": {"essential": True}},
        "waits for the end of prepare, but it is essential",
    ),
    "no essential container": (
        {"proxy": {"essential": False}, "interface": {"essential": False}},
        "no container is essential",
    ),
    "a port twice": (
        {"interface": {"portMappings": [{"containerPort": 8443}]}},
        "the containers proxy and interface both use port 8443",
    ),
    "a stop timeout": ({"interface": {"stopTimeout": 121}}, "Fargate's maximum is 120"),
    "a capability": (
        {"prepare": {"linuxParameters": {"capabilities": {"add": ["SYS_ADMIN"]}}}},
        "Fargate does not support adding the capability SYS_ADMIN",
    ),
    "a log driver": ({"proxy": {"logConfiguration": {"logDriver": "splunk"}}}, "not splunk"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_what_ecs_refuses_is_refused_with_container_and_property(name: str) -> None:
    changes, message = MISTAKES[name]

    with pytest.raises(InvalidTaskDefinitionError, match=message):
        changed(stack_of("prod"), changes)


def test_only_an_authority_of_the_same_subject_is_replaced_in_a_variable() -> None:
    stack = stack_of("prod")
    plan = next(one["value"] for one in variables(stack, "prepare") if one["name"] == "PREPARE_PLAN")
    own, other = Authority.in_place_of(database_authority(stack.region)), Authority.make("CN=another")

    (before,) = _certificates(plan)
    assert _certificates(with_authorities(plan, [other])) == [before]
    assert _certificates(with_authorities(plan, [own, other])) == [own.certificate]
    assert own.subject == x509.load_pem_x509_certificate(before.encode()).subject.rfc4514_string()


def _certificates(plan: str) -> list[str]:
    """The certificates among the files of a plan."""
    files: dict[str, str] = json.loads(plan)["files"]
    return [text for text in files.values() if "BEGIN CERTIFICATE" in text]
