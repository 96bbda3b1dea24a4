"""IAM policy documents as typed statements, rendered to deterministic JSON.

It refuses statements that are always wrong (no action, a repeated sid). It does not evaluate how broad a statement is:
tests compare every document of this project with an exact expected document.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

ANYONE: Mapping[str, Sequence[str]] = {"AWS": ("*",)}
"""The principal ``*``, for endpoint and bucket policies that limit it with conditions or denials."""

SOURCE_ACCOUNT = "aws:SourceAccount"
SOURCE_ARN = "aws:SourceArn"

Conditions = Mapping[str, Mapping[str, Sequence[str]]]
"""Operator → condition key → values, as IAM writes it: ``{"StringEquals": {"aws:SourceAccount": ["…"]}}``."""


class Effect(StrEnum):
    """Whether a statement allows or denies. A denial overrides every allow."""

    ALLOW = "Allow"
    DENY = "Deny"


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement of a policy document."""

    sid: str
    """The purpose of the statement, unique in its document. Letters and digits only."""
    actions: Sequence[str]
    resources: Sequence[str] = ()
    """ARNs. Empty only in a role's trust policy, and if ``not_resources`` is set."""
    not_resources: Sequence[str] = ()
    """ARNs that a denial excludes; it applies to all other resources."""
    effect: Effect = Effect.ALLOW
    principals: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    """Type (``AWS``, ``Service``, ``Federated``) → principals. Empty in a policy that is attached to a role."""
    conditions: Conditions = field(default_factory=dict[str, Mapping[str, Sequence[str]]])


def policy_document(statements: Iterable[Statement]) -> str:
    """The document with sorted keys and sorted, distinct values; statements keep their order."""
    listed = list(statements)
    if not listed:
        raise ValueError("a policy document needs at least one statement")
    sids = [statement.sid for statement in listed]
    if repeated := sorted({sid for sid in sids if sids.count(sid) > 1}):
        raise ValueError(f"statement ids must be distinct: {', '.join(repeated)} occurs more than once")
    rendered = [render(statement) for statement in listed]
    return json.dumps({"Version": "2012-10-17", "Statement": rendered}, sort_keys=True, separators=(",", ":"))


def service_trust(service: str, conditions: Conditions) -> str:
    """A role's trust policy: ``service`` may assume the role under ``conditions``, which prevent the confused deputy
    problem."""
    trust = Statement(
        sid="AssumedByService", actions=["sts:AssumeRole"], principals={"Service": [service]}, conditions=conditions
    )
    return policy_document([trust])


def account_delegates(account_id: str) -> Statement:
    """A key policy's statement that delegates access to the account's IAM policies.

    Without it no principal could change the key's policy, and AWS refuses to create such a key.
    """
    return Statement(
        sid="AccountDelegatesToItsRoles",
        actions=["kms:*"],
        resources=["*"],
        principals={"AWS": [f"arn:aws:iam::{account_id}:root"]},
    )


def render(statement: Statement) -> dict[str, Any]:
    """One statement as an IAM JSON object."""
    if not statement.sid.isalnum():
        raise ValueError(f"statement id {statement.sid!r}: IAM allows letters and digits only")
    if not statement.actions:
        raise ValueError(f"statement {statement.sid} has no action")
    rendered: dict[str, Any] = {
        "Sid": statement.sid,
        "Effect": statement.effect.value,
        "Action": _sorted(statement.actions),
    }
    if statement.not_resources and (statement.effect is not Effect.DENY or statement.resources):
        raise ValueError(f"statement {statement.sid}: only a denial without resources may have not_resources")
    if statement.not_resources:
        rendered["NotResource"] = _sorted(statement.not_resources)
    if statement.resources:
        rendered["Resource"] = _sorted(statement.resources)
    if statement.principals:
        rendered["Principal"] = _principal(statement.principals)
    if statement.conditions:
        rendered["Condition"] = {
            operator: {key: _sorted(values) for key, values in keys.items()}
            for operator, keys in statement.conditions.items()
        }
    return rendered


def _principal(principals: Mapping[str, Sequence[str]]) -> str | dict[str, list[str]]:
    if {kind: list(who) for kind, who in principals.items()} == {"AWS": ["*"]}:
        return "*"
    return {kind: _sorted(who) for kind, who in principals.items()}


def _sorted(values: Sequence[str]) -> list[str]:
    if isinstance(values, str):
        raise TypeError(f"expected a list of strings, got the string {values!r}")
    return sorted(set(values))
