"""Grants to pass a role, start a task or set tags state for which service, on which cluster, or on which occasion.

The resource of such a grant is not what it affects: a role that may be passed to any service gives its rights to code in all of
them, a task may be started in any cluster, and who may set tags at any time changes what policies on tags allow. IAM has a
condition key for each.

The policy looks for the key, not at its value. Some callers need the grant without it, so this is advisory.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...rule import Level, Rule, Settings, Severity, resource_rule
from ...topology.graph.documents import Document, document_at
from ...topology.graph.resources import Resource
from ...topology.graph.verdicts import Finding, not_proven, violated
from ...topology.iam.matching import matches_action
from ...topology.iam.statements import Statement, grants

_OCCASIONS = {
    "ec2:CreateTags": ("ec2:createaction", "aws:requesttag/", "aws:tagkeys"),
    "ecs:RunTask": ("ecs:cluster",),
    "ecs:StartTask": ("ecs:cluster",),
    "ecs:TagResource": ("ecs:createaction", "aws:requesttag/", "aws:tagkeys"),
    "iam:PassRole": ("iam:passedtoservice",),
}
"""Action → the condition keys (or how they begin), in lower case, of which a grant has to test one."""
_DOCUMENTS = ("iam.GroupPolicy", "iam.Policy", "iam.RolePolicy", "iam.UserPolicy")
_WANTED = "a condition on the service, the cluster or the occasion"
_FIX = "add the condition key to the statement"


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate one identity policy, or the inline policies of one role."""
    paths = ["policy"] if resource.kind in _DOCUMENTS else []
    inline = resource.items("inlinePolicies") if resource.kind == "iam.Role" else []
    paths += [f"inlinePolicies[{index}].policy" for index in range(len(inline))] if isinstance(inline, list) else []
    for path in paths:
        of = document_at(resource, path)
        yield from _document(resource, path, of)


def _document(resource: Resource, path: str, of: Document) -> Iterator[Finding]:
    if of.unknown is not None:
        yield not_proven(resource, path, [of.unknown], _WANTED, _FIX)
    for statement in grants(of):
        for action in sorted(_OCCASIONS):
            if _names(statement, action) and not any(key.startswith(_OCCASIONS[action]) for key in statement.keys):
                place = f"{path}[{statement.label}].Condition"
                wanted = f"a condition on {' or '.join(_OCCASIONS[action])} for {action}"
                yield violated(resource, place, "no such condition", wanted, _FIX)


def _names(statement: Statement, action: str) -> bool:
    """Whether it grants an action other than by a wildcard for the whole service, which another policy reports."""
    return any(matches_action(one, action) for one in statement.actions if one.partition(":")[2] not in ("", "*"))


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.LOW,
    remediation=_FIX,
    types=(*_DOCUMENTS, "iam.Role"),
    level=Level.ADVISORY,
)
