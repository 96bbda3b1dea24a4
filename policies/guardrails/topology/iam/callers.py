"""Which values of a condition key tie a request to callers, networks or resources of one account or organization.

IAM matches patterns in values, and replaces policy variables in them. A value that callers of any account can satisfy (a
role's name in any account, a session's name, a variable that the caller fills) limits no one.
"""

from __future__ import annotations

import ipaddress
import re

from .matching import matches

CALLERS = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:userid",
        "elasticfilesystem:accessedviamounttarget",
        "kms:calleraccount",
    }
)
"""Condition keys that identify the caller or its network."""

_WILD = re.compile(r"[*?]|\$\{")
_OPEN = re.compile(r"[*?:]*|arn:[^:]*:(iam|sts):[^:]*:[*?]+:.*|arn:[^:]*:\*.*")
_ACCOUNT = re.compile(r"arn:[^:*?]*:[^:]*:[^:]*:\d+:")
_BUCKET = re.compile(r"arn:[^:*?]*:s3:::[a-z0-9][a-z0-9.-]{2,}(/|$)")
_UNIQUE_ID = re.compile(r"A[A-Z0-9]{15,}(:|$)|\d{12}(:|$)")
_ORGANIZATION = re.compile(r"o-[a-z0-9]{4,}/")
_BEGINNINGS = {"aws:principalarn": (_ACCOUNT,), "aws:sourcearn": (_ACCOUNT, _BUCKET), "aws:userid": (_UNIQUE_ID,)}
"""Keys of which a value may go on after a beginning that belongs to one account, role, user or bucket."""
_V4, _NARROW_V4, _NARROW_V6 = 4, 16, 32
_VARIABLE = re.compile(r"\$\{([^}]*)\}")

_WHOLE = frozenset(
    {
        "aws:principalaccount",
        "aws:principalorgid",
        "aws:sourceaccount",
        "aws:sourceorgid",
        "aws:sourceowner",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:vpcesourceaccount",
        "aws:vpcesourceorgid",
        "kms:calleraccount",
        "s3:resourceaccount",
    }
)
"""Keys of which a value is one identifier: a part of it (``o-*``, ``vpce-*``) is every customer's."""

_OF_CALLER = ("aws:principal", "aws:source", "aws:userid", "aws:username", "kms:calleraccount", "aws:vpcesource")
_OF_RESOURCE = ("aws:resource", "s3:resourceaccount")


def pins(key: str, value: str) -> bool:
    """Whether a value of a condition key, given in lower case, can only be met from one account, organization or network."""
    if names := _VARIABLE.findall(value):
        return _pinned_by_variable(key, [name.partition(",")[0].strip().lower() for name in names])
    literal = value[: wild.start()] if (wild := _WILD.search(value)) else value
    exact = literal == value
    if key in _WHOLE or key.startswith(("aws:resourceaccount", "aws:resourceorgid")):
        return exact
    if key.endswith("sourceip"):
        return _is_narrow(value)
    if key.endswith("orgpaths"):
        return _ORGANIZATION.match(literal) is not None
    if key in _BEGINNINGS:
        return exact or any(beginning.match(literal) for beginning in _BEGINNINGS[key])
    return _OPEN.fullmatch(value) is None


def _is_narrow(block: str) -> bool:
    """Whether an address block is private, or smaller than those that make up the internet when they are added up."""
    try:
        network = ipaddress.ip_network(block, strict=False)
    except ValueError:
        return False
    return network.is_private or network.prefixlen >= (_NARROW_V4 if network.version == _V4 else _NARROW_V6)


def _pinned_by_variable(key: str, names: list[str]) -> bool:
    """A caller's key compared with one of the resource, or the other way round; a caller compared with itself always fits."""
    if key.startswith(_OF_CALLER):
        return any(name.startswith(_OF_RESOURCE) for name in names)
    return key.startswith(_OF_RESOURCE) and any(name.startswith(_OF_CALLER) for name in names)


HOSTED = (
    "accounts.google.com", "api.bitbucket.org*", "agent.buildkite.com", "app.terraform.io", "cognito-identity.amazonaws.com",
    "gitlab.com", "graph.facebook.com", "oidc.circleci.com*", "token.actions.githubusercontent.com*", "www.amazon.com",
)  # fmt: skip
"""Identity providers (patterns) that everyone on the internet can have tokens of."""

_KEYWORDS = frozenset(
    {
        "account", "aws", "builds", "context", "deploy", "enterprise", "environment", "org", "organization", "owner",
        "pipeline", "project", "project_path", "pulumi", "repo", "repository", "repository_owner", "role", "run_phase",
        "serviceaccount", "system", "team", "type", "user", "workspace",
    }
)  # fmt: skip
"""Words of which a subject of a provider consists before it names someone."""
_CLAIMS = ("amr", "enterprise", "enterprise_id", "job_workflow_ref", "namespace_path", "project_path", "repository",
           "repository_id", "repository_owner", "repository_owner_id", "sub")  # fmt: skip
"""Claims that say whose token it is."""


def names_someone(claim: str, value: str) -> bool:
    """Whether a claim's value belongs to one repository, group, workload or user, not to everyone of the provider."""
    literal = value[: wild.start()] if (wild := _WILD.search(value)) else value
    if claim not in _CLAIMS:
        return False
    if literal == value:
        return bool(value)
    if claim != "sub":
        return "/" in literal.strip("/") or literal.endswith("/")
    whole = re.split(r"[:/]", literal)[:-1]  # the last word may go on after the wildcard
    return any(word and word.lower() not in _KEYWORDS for word in whole)


def is_hosted(provider: str) -> bool:
    """Whether everyone can have tokens of an identity provider, given by its host or the ARN of its registration."""
    host = provider.rpartition(":oidc-provider/")[2] or provider
    return any(matches(pattern, host) for pattern in HOSTED)
