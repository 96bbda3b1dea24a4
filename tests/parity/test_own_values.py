"""A team that puts its own names into both stack files changes no committed shape: shapes contain structure, not names."""

from __future__ import annotations

import json
from typing import Any

import pytest

from policies.parity.rules import DECLARATIONS, SHAPES
from preflight.analysis import parity
from preflight.pulumi.project import Stack
from tests.parity.test_real_stacks import ENVIRONMENTS, PROJECT, ROOT, recorded, with_config

PEOPLE: dict[str, dict[str, Any]] = {
    "staging": {
        "allowed": {"claim": {"name": "groups", "values": ["testers", "9f0c4d5e-testers"]}},
        "administrators": {"claim": {"name": "groups", "values": ["sub-of-staging"]}},
    },
    "prod": {
        "allowed": {"claim": {"name": "groups", "values": ["all"]}},
        "administrators": {"claim": {"name": "groups", "values": ["sub-of-prod", "second-sub-of-prod"]}},
    },
}
"""Each environment names its groups, and its subject identifiers: at some providers they differ for each client."""
CLIENTS = {
    "hostName": "api.{}.acme.example",
    "issuer": "https://tokens.acme.example",
    "jwksEndpoint": "https://tokens.acme.example/keys",
    "audience": "api://chat-{}",
    "claims": [{"name": "azp", "values": ["batch-{}"]}],
}
"""Machine clients, each environment with its own audience and clients."""
PROVIDERS = {"staging": "id.acme-test.example", "prod": "sso.acme.example"}
"""Each environment has another identity provider, and its user-info endpoint is on another host."""


def own(stack: Stack) -> Stack:
    """The stack with every name that another team would choose."""
    sections: dict[str, dict[str, Any]] = {
        name: json.loads(stack.config[f"ai-interface:{name}"]) for name in ("owner", "domain", "identity")
    }
    provider = PROVIDERS[stack.name]
    sections["owner"] |= {
        "team": "acme-assistants",
        "contact": f"assistants-{stack.name}@acme.example",
        "onCall": f"https://pager.acme.example/{stack.name}/assistants",
        "runbook": f"https://docs.acme.example/{stack.name}/runbook",
    }
    sections["domain"] |= {"hostName": f"assistant.{stack.name}.acme.example", "hostedZoneId": "Z9ACME0123456789"}
    sections["identity"] |= {
        "issuer": f"https://{provider}/tenant/v2.0",
        "authorizationEndpoint": f"https://{provider}/tenant/oauth2/v2.0/authorize",
        "tokenEndpoint": f"https://{provider}/tenant/oauth2/v2.0/token",
        "userInfoEndpoint": f"https://people.{provider}/oidc/userinfo",
        "endSessionEndpoint": f"https://{provider}/tenant/oauth2/v2.0/logout",
        "clientId": f"0oa1b2c3-{stack.name}",
        **PEOPLE[stack.name],
    }
    return with_config(stack, {f"ai-interface:{name}": json.dumps(value) for name, value in sections.items()})


def test_own_names_in_both_stack_files_leave_the_shapes_current() -> None:
    stacks = [own(PROJECT.stack(name)) for name in ENVIRONMENTS]

    assert parity.compared(ROOT, recorded(*stacks)).findings == ()


def with_identity(stack: Stack, **changes: Any) -> Stack:  # noqa: ANN401 - YAML
    section = json.loads(stack.config["ai-interface:identity"]) | changes
    return with_config(stack, {"ai-interface:identity": json.dumps(section)})


def undeclared(*stacks: Stack) -> list[str]:
    """The headlines of the differences between the stacks, without stale shapes."""
    found = parity.compared(ROOT, recorded(*stacks)).findings
    return [one.headline for one in found if one.rule not in {SHAPES.name, DECLARATIONS.name}]


def test_people_and_machine_clients_are_names_not_shape() -> None:
    stacks = [
        with_identity(own(PROJECT.stack(name)), machineClients=json.loads(json.dumps(CLIENTS).replace("{}", name)))
        for name in ENVIRONMENTS
    ]

    assert undeclared(*stacks) == []


@pytest.mark.parametrize(
    ("who", "rule"),
    [
        ("allowed", {"emailDomains": ["acme.example"]}),
        ("allowed", {"claim": {"name": "roles", "values": ["all"]}}),
        ("allowed", {"claim": {"name": "groups", "values": ["all"], "format": "comma-separated"}}),
        ("administrators", {"emails": ["ann@acme.example"]}),
        ("administrators", {"claim": {"name": "roles", "values": ["sub-of-prod"]}}),
    ],
)
def test_another_kind_of_rule_is_shape(who: str, rule: dict[str, Any]) -> None:
    staging, prod = (PROJECT.stack(name) for name in ("staging", "prod"))

    found = undeclared(own(staging), with_identity(own(prod), **{who: rule}))

    assert [headline for headline in found if f'["{who}"]' in headline]


def test_a_changed_limit_makes_the_shape_stale() -> None:
    prod = PROJECT.stack("prod")
    limited = with_config(prod, {"ai-interface:limits": json.dumps({"promptMebibytes": 3})})
    stale = [one for one in parity.compared(ROOT, recorded(own(limited))).findings if one.rule == SHAPES.name]

    assert stale
    assert all(parity.WRITE in finding.fix for finding in stale)
