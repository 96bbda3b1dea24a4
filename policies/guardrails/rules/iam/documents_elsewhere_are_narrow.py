"""Templates, and resources of other providers, grant nothing to every account and open nothing to the internet.

A CloudFormation stack, a Cloud Control resource or another provider can declare what the other policies evaluate only for
the AWS provider: the same document or switch then passes unseen.

The policy reads policy documents, public switches and address blocks wherever they are in a declaration. It cannot see
templates that are stored elsewhere; reachability-every-type-is-modelled names every such type.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

from ...iam import CALLERS
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.documents import Document, document
from ...topology.graph.resources import Resource, Unknown
from ...topology.graph.values import Value, as_list, as_mapping, unknowns_in
from ...topology.graph.verdicts import Finding, not_proven, violated
from ...topology.iam.statements import denied_to_strangers, statements
from ...topology.iam.web_identity import is_by_web_identity, missing_claims
from ...topology.network.addresses import NO_ADDRESSES, is_wide, parse

_TEMPLATES = {
    "cloudcontrol.Resource": ("desiredState",),
    "cloudformation.Stack": ("templateBody",),
    "cloudformation.StackSet": ("templateBody",),
}
_WANTED = "named principals, and no access from the internet"
_FIX = "name the principals, or declare the resource with the AWS provider, whose policies say more"
_ADMINISTRATORS = (
    "arn:aws:iam::aws:policy/AdministratorAccess",
    "arn:aws:iam::aws:policy/IAMFullAccess",
    "arn:aws:iam::aws:policy/PowerUserAccess",
)
_SWITCHES: dict[str, tuple[object, ...]] = {
    "publiclyaccessible": (True, "true"),
    "endpointpublicaccess": (True, "true"),
    "managedpolicyarns": _ADMINISTRATORS,
    "policyarn": _ADMINISTRATORS,
    "policyarns": _ADMINISTRATORS,
    "mappubliciponlaunch": (True, "true"),
    "blockpublicacls": (False, "false"),
    "blockpublicpolicy": (False, "false"),
    "ignorepublicacls": (False, "false"),
    "restrictpublicbuckets": (False, "false"),
    "acl": ("public-read", "public-read-write", "authenticated-read"),
    "accesscontrol": ("PublicRead", "PublicReadWrite", "AuthenticatedRead"),
    "functionurlauthtype": ("NONE",),
    "principal": ("*",),
    "sharedaccounts": ("all",),
}
"""Name of a property, in lower case → the values that make public."""
_FUNCTION = re.compile(r"(?<=[\s\[,(])!\w+(\.\w+)?")
_BLOCKS = ("cidrip", "cidripv6", "cidrblocks", "ipv6cidrblocks", "cidripv4", "inboundcidrs")
_WEB = (80, 443)


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate one resource of another provider, or one that declares others in a template."""
    if resource.kind in _TEMPLATES:
        for path in _TEMPLATES[resource.kind]:
            found = resource.value(path)
            if isinstance(found, Unknown):
                yield not_proven(resource, path, [found], _WANTED, _FIX)
            yield from _within(resource, path, _template(found) if isinstance(found, str) else found)
    elif not resource.type.startswith(("aws:", "pulumi:")):
        declared = {name: resource.value(name) for name in resource.properties if resource.declares(name)}
        yield from _within(resource, "", declared)


def _template(text: str) -> Value:
    """A template as an object, with the short forms of CloudFormation's functions (``!Ref``) taken as their arguments."""
    read = document(text)
    return document(_FUNCTION.sub("", text)) if read is None else read


def _opened(value: Value) -> Value:
    """A document in a text as what it holds."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        read = document(value)
        return value if read is None else read
    return value


def _within(resource: Resource, place: str, value: Value) -> Iterator[Finding]:
    if (mapping := as_mapping(value)) is not None:
        if as_list(mapping.get("Statement")) is not None or as_mapping(mapping.get("Statement")) is not None:
            yield from _document(resource, place, mapping)
            return
        yield from _switches(resource, place, mapping)
        for name in sorted(mapping):
            yield from _within(resource, _below(place, name), _opened(mapping[name]))
    for index, item in enumerate(as_list(value) or []):
        yield from _within(resource, f"{place}[{index}]", item)


def _below(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _document(resource: Resource, place: str, found: dict[str, Any]) -> Iterator[Finding]:
    if unknown := list(unknowns_in(found)):
        yield not_proven(resource, place, unknown, _WANTED, _FIX)
        return
    every = statements(Document(found))
    for statement in every:
        anybody = list(statement.every_account)
        bounded = statement.bounding_keys & CALLERS or denied_to_strangers(every, CALLERS, statement.actions)
        if statement.allows and anybody and not bounded:
            where = f"{place}[{statement.label}].Principal"
            yield violated(resource, where, anybody, _WANTED, _FIX, what="is open to every account")
        elif statement.allows and is_by_web_identity(statement) and (missing := missing_claims(statement)):
            found_ = ", ".join(f"{name}: {value}" for name, value in sorted(missing.items()))
            where, fix = f"{place}[{statement.label}].Condition", "add conditions on the aud and sub claims"
            wanted = "an audience and a subject that name one source"
            yield violated(resource, where, found_, wanted, fix, what="admits other users of the identity provider")
        elif statement.allows and not statement.principals and {"*"} <= {*statement.actions} & {*statement.resources}:
            where, fix = f"{place}[{statement.label}].Action", "name the required actions and the ARNs of the resources"
            yield violated(resource, where, "* on *", "named actions on named resources", fix, what="allows everything")


def _switches(resource: Resource, place: str, mapping: dict[str, Any]) -> Iterator[Finding]:
    opened = NO_ADDRESSES
    for name, value in sorted(mapping.items()):
        values = cast("list[Any]", value) if isinstance(value, list) else [value]
        if any(isinstance(item, str | bool) and item in _SWITCHES.get(name.lower(), ()) for item in values):
            yield violated(
                resource,
                _below(place, name),
                value,
                _WANTED,
                _FIX,
                what="makes a resource public, or a role an administrator",
            )
        if name.lower() in _BLOCKS:
            for item in values:
                opened |= (parse(item) if isinstance(item, str) else None) or NO_ADDRESSES
    ports = {mapping.get(name) for name in ("FromPort", "fromPort", "ToPort", "toPort")} - {None}
    outward = "egress" in f"{place} {resource.type}".lower()
    if is_wide(opened) and not outward and not (ports and ports <= {*_WEB, *map(float, _WEB), *map(str, _WEB)}):
        yield violated(resource, place, str(opened), _WANTED, _FIX, what="is open to the internet")


RULE: Rule = resource_rule(__name__, __doc__, evaluate, severity=Severity.CRITICAL, remediation=_FIX)
