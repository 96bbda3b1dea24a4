"""IAM documents of the corpus."""

from __future__ import annotations

import json

from policies.guardrails.topology.graph.values import Value

OURS, THEIRS = "111122223333", "444455556666"
ROLE = f"arn:aws:iam::{OURS}:role/deploy"
GITHUB = "token.actions.githubusercontent.com"


def document(**elements: Value) -> str:
    """A document of one statement that allows something."""
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Sid": "One", "Effect": "Allow", **elements}]})


def grant(action: Value, principal: Value, resource: Value = "*", **more: Value) -> str:
    """A resource policy."""
    return document(Action=action, Principal=principal, Resource=resource, **more)


def trust(principal: Value, action: Value = "sts:AssumeRole", **more: Value) -> dict[str, str]:
    """The inputs of a role."""
    return {"assumeRolePolicy": document(Action=action, Principal=principal, **more)}


def by_github(action: Value = "sts:AssumeRoleWithWebIdentity", **condition: Value) -> dict[str, str]:
    """The inputs of a role that workflows of GitHub assume."""
    provider = {"Federated": f"arn:aws:iam::{OURS}:oidc-provider/{GITHUB}"}
    return trust(provider, action, Condition=condition)


def claim(name: str, *values: str) -> dict[str, Value]:
    """A comparison of one of GitHub's claims."""
    return {f"{GITHUB}:{name}": values[0] if len(values) == 1 else list(values)}


AUD = claim("aud", "sts.amazonaws.com")
