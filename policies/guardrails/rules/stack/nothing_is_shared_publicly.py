"""No snapshot, machine image, function, layer, document, cache or service network is shared publicly.

One property can share a database copy with every AWS account, or expose a function to the internet, and no network rule
or policy document shows it.

Sharing with named accounts is checked by iam-grants-stay-in-the-account, and policy documents by
iam-resource-policies-are-narrow.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...checks import listed
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource, Unknown, contains_unknown, unknowns_in
from ...topology.graph.verdicts import Finding, not_proven, violated


@dataclass(frozen=True, slots=True)
class _PublicSetting:
    """A property, the values that make it public, and the properties that restrict it."""

    path: str
    open: tuple[object, ...]
    wanted: str
    fix: str
    narrowed: tuple[str, ...] = ()


_ACCOUNTS = "12-digit accounts"
_SHARED = _PublicSetting("sharedAccounts", ("all",), _ACCOUNTS, "list the accounts in sharedAccounts, or remove it")
_CALLERS = "an account, a role or a service"
_LATTICE = _PublicSetting(
    "authType", (None, "NONE"), "AWS_IAM", "set authType to AWS_IAM and list the allowed callers in an auth policy"
)
_SETTINGS: dict[str, tuple[_PublicSetting, ...]] = {
    "cloudwatch.EventPermission": (_PublicSetting("principal", ("*",), _ACCOUNTS, "name the account", ("condition",)),),
    "ec2.AmiLaunchPermission": (_PublicSetting("group", ("all",), _ACCOUNTS, "name an accountId instead of group"),),
    "elasticache.User": (
        _PublicSetting("noPasswordRequired", (True,), "a password or IAM", "remove noPasswordRequired and set authenticationMode"),
        _PublicSetting("authenticationMode.type", ("no-password-required",), "iam or password", "set authenticationMode.type to iam"),
    ),
    "lambda.LayerVersionPermission": (
        _PublicSetting("principal", ("*",), _ACCOUNTS, "name the account in principal", ("organizationId",)),
    ),
    "lambda.Permission": (
        _PublicSetting(
            "principal", ("*",), _CALLERS, "name the allowed caller in principal",
            ("principalOrgId", "sourceAccount", "sourceArn"),
        ),
    ),
    "rds.ClusterSnapshot": (_SHARED,),
    "rds.ClusterSnapshotCopy": (_SHARED,),
    "rds.Snapshot": (_SHARED,),
    "rds.SnapshotCopy": (_SHARED,),
    "ssm.Document": (
        _PublicSetting("permissions.account_ids", ("all", "All"), _ACCOUNTS, "name the accounts in permissions.account_ids"),
    ),
    "vpclattice.Service": (_LATTICE,),
    "vpclattice.ServiceNetwork": (_LATTICE,),
}  # fmt: skip


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate one snapshot, image, function, layer, cache user or service network."""
    for setting in _SETTINGS[resource.kind]:
        found = resource.value(setting.path)
        narrowing = [resource.value(path) for path in setting.narrowed]
        if any(value not in (None, "", {}) for value in narrowing if not isinstance(value, Unknown)):
            continue
        opened = any(item in setting.open for item in listed(found) or [None])
        unclear = [value for value in (found, *(narrowing if opened else ())) if contains_unknown(value)]
        if unclear:
            unknowns = [unknown for value in unclear for unknown in unknowns_in(value)]
            yield not_proven(resource, setting.path, unknowns, setting.wanted, setting.fix)
        elif opened:
            shown = "not set" if found is None else found
            yield violated(resource, setting.path, shown, setting.wanted, setting.fix, what="is shared publicly")


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.CRITICAL,
    remediation="name the accounts, roles or services that need it",
    types=tuple(sorted(_SETTINGS)),
)
