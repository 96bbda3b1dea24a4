"""A team that puts its own names into both stack files changes no committed shape: shapes contain structure, not names."""

from __future__ import annotations

import json
from typing import Any

from policies.parity.rules import SHAPES
from preflight.analysis import parity
from preflight.pulumi.project import Stack
from tests.parity.test_real_stacks import ENVIRONMENTS, PROJECT, ROOT, recorded, with_config

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
    }
    sections["domain"] |= {"hostName": f"assistant.{stack.name}.acme.example", "hostedZoneId": "Z9ACME0123456789"}
    sections["identity"] |= {
        "issuer": f"https://{provider}/tenant/v2.0",
        "authorizationEndpoint": f"https://{provider}/tenant/oauth2/v2.0/authorize",
        "tokenEndpoint": f"https://{provider}/tenant/oauth2/v2.0/token",
        "userInfoEndpoint": f"https://people.{provider}/oidc/userinfo",
        "endSessionEndpoint": f"https://{provider}/tenant/oauth2/v2.0/logout",
        "clientId": f"0oa1b2c3-{stack.name}",
    }
    return with_config(stack, {f"ai-interface:{name}": json.dumps(value) for name, value in sections.items()})


def test_own_names_in_both_stack_files_leave_the_shapes_current() -> None:
    stacks = [own(PROJECT.stack(name)) for name in ENVIRONMENTS]

    assert parity.compared(ROOT, recorded(*stacks)).findings == ()


def test_a_changed_limit_makes_the_shape_stale() -> None:
    prod = PROJECT.stack("prod")
    limited = with_config(prod, {"ai-interface:limits": json.dumps({"promptMebibytes": 3})})
    stale = [one for one in parity.compared(ROOT, recorded(own(limited))).findings if one.rule == SHAPES.name]

    assert stale
    assert all(parity.WRITE in finding.fix for finding in stale)
