"""Findings on the paths through entry points: those without a web ACL, and those without authentication."""

from __future__ import annotations

from collections.abc import Sequence

from ...graph.resources import Resource
from ...graph.verdicts import Finding, not_proven, violated
from ...network.paths import Path


def unprotected(paths: Sequence[Path]) -> tuple[Finding, ...]:
    """One finding for each entry point that forwards requests without a web ACL."""
    wanted = "a web ACL with blocking rules in front of every path to a workload"
    found: dict[str, Finding] = {}
    for path in sorted(paths, key=lambda item: (item.web_acl.value is None, len(item.edges))):
        protected = path.edges[0].protected or path.edges[0].entry
        if path.web_acl.value is True or protected.urn in found:
            continue
        fix = f"associate a web ACL with {protected.label}"
        unknowns = (*path.unknowns, *path.web_acl.unknowns)
        if path.web_acl.value is False and not path.unknowns:
            what = "forwards requests without a web ACL"
            found[protected.urn] = violated(
                protected, "", "no web ACL that blocks", wanted, fix, what=what, witness=path.hops
            )
        else:
            found[protected.urn] = not_proven(protected, "", unknowns, wanted, fix, witness=path.hops)
    return tuple(found[urn] for urn in sorted(found))


def unauthenticated(paths: Sequence[Path]) -> tuple[Finding, ...]:
    """One finding for each action, route or setting that forwards unauthenticated requests."""
    wanted = "a login, token or signature before requests are forwarded"
    found: dict[tuple[str, str], Finding] = {}
    for path in sorted(
        paths, key=lambda item: (item.authentication.value is None, bool(item.unknowns), len(item.edges))
    ):
        entry = path.entry
        key = (entry.entry.urn, entry.property)
        if path.authentication.value is True or key in found:
            continue
        unknowns = (*path.unknowns, *path.authentication.unknowns)
        fix = _fix(entry.entry)
        if path.authentication.value is False and not path.unknowns:
            what = "forwards without authentication"
            found[key] = violated(
                entry.entry, entry.property, entry.hops[0].allows, wanted, fix, what=what, witness=path.hops
            )
        else:
            found[key] = not_proven(entry.entry, entry.property, unknowns, wanted, fix, witness=path.hops)
    return tuple(found[key] for key in sorted(found))


def _fix(entry: Resource) -> str:
    """The methods by which the forwarding resource can authenticate requests."""
    module = entry.kind.partition(".")[0]
    if module in ("apigateway", "apigatewayv2"):
        return "add an authorizer or AWS_IAM to the route, or set the endpoint type of a REST API to PRIVATE"
    if module == "lambda":
        return "set authorizationType to AWS_IAM"
    if module == "cloudfront":
        return (
            "require signed URLs or cookies (trustedKeyGroups), or use a load balancer with a login in its "
            "rules as the origin"
        )
    return (
        "add an authenticate-oidc or jwt-validation action that refuses unauthenticated requests before the forward "
        "action"
    )
