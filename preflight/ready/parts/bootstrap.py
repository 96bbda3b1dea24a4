"""Bootstrap: the account contains the resources of ``bootstrap/`` in this checkout, with the same documents."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any, cast
from urllib.parse import unquote

from preflight.account.lines import Group, Line, joined
from preflight.ready.context import Part, ReadyContext
from preflight.ready.wanted import several
from releases.attestation import alias, place

RUN = "run pulumi up in bootstrap/ for this account"


def made(context: ReadyContext, group: Group) -> Iterator[Line]:
    """A stack of ``bootstrap/`` names this environment, in this account."""
    wanted = context.wanted
    if wanted.bootstrap is None:
        yield group.missing(
            "bootstrap",
            f"no stack file in bootstrap/ has the environment {wanted.stack} in account {wanted.account}",
            "write bootstrap/Pulumi.<account>.yaml (bootstrap/README.md) and run pulumi up there",
        )


def policies(context: ReadyContext, group: Group) -> Iterator[Line]:
    """Every policy has the document that this checkout creates."""
    for resource, inputs in context.wanted.made_by_bootstrap("aws:iam/policy:Policy"):
        name, arn = inputs["name"], resource.outputs["arn"]
        found = context.account.find("iam", "get_policy", ("NoSuchEntity",), PolicyArn=arn)
        if found is None:
            yield group.missing(f"policy {name}", "does not exist", RUN)
            continue
        version = found["Policy"]["DefaultVersionId"]
        answer = context.account.ask("iam", "get_policy_version", PolicyArn=arn, VersionId=version)
        same = normal(answer["PolicyVersion"]["Document"]) == normal(inputs["policy"])
        yield group.holds(
            f"policy {name}",
            same,
            f"{version} {'matches' if same else 'differs from'} the document that this checkout creates",
            RUN,
        )


def roles(context: ReadyContext, group: Group) -> Iterator[Line]:
    """CI's roles have the expected trust policy, permissions boundary and attached policies, and no others."""
    attached: dict[str, list[str]] = {}
    for _, inputs in context.wanted.made_by_bootstrap("aws:iam/rolePolicyAttachment:RolePolicyAttachment"):
        attached.setdefault(inputs["role"], []).append(inputs["policyArn"])
    for _, inputs in context.wanted.made_by_bootstrap("aws:iam/role:Role"):
        name = inputs["name"]
        found = context.account.find("iam", "get_role", ("NoSuchEntity",), RoleName=name)
        if found is None:
            yield group.missing(f"role {name}", "does not exist", RUN)
            continue
        role = found["Role"]
        policies_ = context.account.every("iam", "list_attached_role_policies", "AttachedPolicies", RoleName=name)
        differ = [
            what
            for what, same in (
                ("trust", normal(role["AssumeRolePolicyDocument"]) == normal(inputs["assumeRolePolicy"])),
                (
                    "boundary",
                    role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn") == inputs["permissionsBoundary"],
                ),
                ("policies", sorted(p["PolicyArn"] for p in policies_) == sorted(attached.get(name, []))),
            )
            if not same
        ]
        yield group.holds(
            f"role {name}",
            not differ,
            f"differs from the role that this checkout creates: {joined(differ)}"
            if differ
            else "matches the role that this checkout creates",
            RUN,
        )


def repositories(context: ReadyContext, group: Group) -> Iterator[Line]:
    """Image repositories exist, and their tags are immutable."""
    for _, inputs in context.wanted.made_by_bootstrap("aws:ecr/repository:Repository"):
        name = inputs["name"]
        found = context.account.find(
            "ecr", "describe_repositories", ("RepositoryNotFoundException",), repositoryNames=[name]
        )
        if found is None:
            yield group.missing(f"repository {name}", "does not exist", RUN)
            continue
        repository = found["repositories"][0]
        mutability = repository.get("imageTagMutability")
        encryption = repository.get("encryptionConfiguration", {}).get("encryptionType")
        wanted = (inputs["imageTagMutability"], inputs["encryptionConfigurations"][0]["encryptionType"])
        yield group.holds(
            f"repository {name}",
            (mutability, encryption) == wanted,
            f"tags {mutability}, encryption {encryption}",
            RUN + " (changing the encryption replaces the repository)",
        )


def providers(context: ReadyContext, group: Group) -> Iterator[Line]:
    """The account has an OIDC provider for GitHub with the audience that the roles expect."""
    for resource, inputs in context.wanted.made_by_bootstrap("aws:iam/openIdConnectProvider:OpenIdConnectProvider"):
        arn = resource.outputs["arn"]
        found = context.account.find(
            "iam", "get_open_id_connect_provider", ("NoSuchEntity",), OpenIDConnectProviderArn=arn
        )
        audiences = sorted((found or {}).get("ClientIDList", []))
        yield group.holds(
            "OIDC provider",
            set(inputs["clientIdLists"]) <= set(audiences),
            f"{arn} does not exist" if found is None else f"{arn} has the audiences {joined(audiences)}",
            RUN,
        )


def record_key(context: ReadyContext, group: Group) -> Iterator[Line]:
    """The KMS key that signs the record is the one whose public key is committed. With another one, the next deployment is
    recorded with a signature that every later check refuses."""
    wanted = context.wanted
    if not wanted.record_key:
        return
    subject, name = "key of the record", alias(wanted.stack)
    found = context.account.find("kms", "get_public_key", ("NotFoundException",), KeyId=name)
    if found is None:
        yield group.missing(subject, f"{name} does not exist", RUN)
        return
    same = base64.b64encode(found["PublicKey"]).decode() == _body(wanted.record_key)
    yield group.holds(
        subject,
        same,
        f"the public key of {name} {'is' if same else 'is not'} the one in {place(wanted.stack)}",
        f"find out who created the key or changed the alias. If that was you, write the file again and have it reviewed: "
        f"python -m preflight release key {wanted.stack} --write",
    )


def _body(pem: str) -> str:
    """The base64 text of a PEM file."""
    return "".join(line.strip() for line in pem.splitlines() if not line.startswith("-----"))


def normal(document: object) -> object:
    """A policy document in a comparable form: single values as lists, sorted."""
    content = json.loads(unquote(document)) if isinstance(document, str) else document
    return _normal(content)


_SETS = {"Action", "NotAction", "NotResource", "Resource", "AWS", "Federated", "Service"}


def _normal(value: object, key: str = "", *, condition: bool = False) -> object:
    if isinstance(value, dict):
        members = cast("Mapping[str, Any]", value)
        return {
            name: _normal(members[name], name, condition=condition or name == "Condition") for name in sorted(members)
        }
    if key in _SETS or condition:
        return sorted(several(value))
    if isinstance(value, list):
        return [_normal(item) for item in cast("list[object]", value)]
    return value


PART = Part(
    "bootstrap",
    (
        ("bootstrap", made),
        ("policies", policies),
        ("roles", roles),
        ("repositories", repositories),
        ("OIDC provider", providers),
        ("key of the record", record_key),
    ),
)
