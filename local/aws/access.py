"""The policies in the graph that apply to a request: those of roles, their boundaries, resources and endpoints."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import cast

from local.aws.iam import Decision, Policies, Policy, Principal, Request, decide
from local.stack import ROOT, Resource, Stack, items
from preflight.conform import account
from preflight.conform.iam.conditions import listed
from preflight.fakes.calls import key_of_secret
from preflight.fakes.values import Site

ROLE, ROLE_POLICY = "aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy"
ATTACHMENT, MANAGED = "aws:iam/rolePolicyAttachment:RolePolicyAttachment", "aws:iam/policy:Policy"
ENDPOINT, ENDPOINT_POLICY = "aws:ec2/vpcEndpoint:VpcEndpoint", "aws:ec2/vpcEndpointPolicy:VpcEndpointPolicy"
KEY, ALIAS = "aws:kms/key:Key", "aws:kms/alias:Alias"
BUCKET_POLICY = "aws:s3/bucketPolicy:BucketPolicy"
SECRET_POLICY = "aws:secretsmanager/secretPolicy:SecretPolicy"  # noqa: S105 - a type
REPOSITORY, REPOSITORY_POLICY = "aws:ecr/repository:Repository", "aws:ecr/repositoryPolicy:RepositoryPolicy"
TOPIC_POLICY = "aws:sns/topicPolicy:TopicPolicy"
SECRET = "aws:secretsmanager/secret:Secret"  # noqa: S105 - a type
LOG_POLICY = "aws:cloudwatch/logResourcePolicy:LogResourcePolicy"

_EVERYTHING = {"Statement": [{"Sid": "Default", "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}
"""The policy of an endpoint that declares none
(https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html)."""
_OF_RESOURCES = {
    "ecr": ("repository policy", REPOSITORY_POLICY, "repository", ":repository/"),
    "s3": ("bucket policy", BUCKET_POLICY, "bucket", ""),
    "secretsmanager": ("secret policy", SECRET_POLICY, "secretArn", "\0"),
    "sns": ("topic policy", TOPIC_POLICY, "arn", "\0"),
}
"""Service → how its policies are called, their type, the property that names the resource, and what of an ARN goes before
its value."""


def bootstrap_of(stack: Stack, root: Path = ROOT) -> Stack:
    """The recorded bootstrap stack that creates the environment's boundary, repositories and named secrets.

    Raises ``LookupError`` if no stack file in ``bootstrap/`` lists the environment. Forks the process: call it before
    any channel is opened.
    """
    found = account.of_environment(stack.recording, account.recordings(root))
    if found is None:
        raise LookupError(f"no stack in bootstrap/ creates the roles of {stack.name} in {stack.account}")
    return Stack.of(found)


@dataclass(frozen=True)
class Role:
    """A role and its policies."""

    resource: Resource
    identity: tuple[Policy, ...]
    boundary: Policy | None
    trust: Policy

    @property
    def arn(self) -> str:
        """The role's ARN, with its path."""
        return str(self.resource["arn"])


@dataclass(frozen=True)
class Access:
    """The policies of a stack and of the bootstrap stack of its account."""

    stack: Stack
    bootstrap: Stack
    _parsed: dict[str, Role] = field(default_factory=dict[str, Role], init=False, repr=False, compare=False)

    def role(self, arn: str) -> Role:
        """Return a role by its ARN. Raises ``LookupError`` if neither stack has the role or one of the policies that it
        refers to."""
        if arn in self._parsed:
            return self._parsed[arn]
        if arn not in self._roles:
            raise LookupError(f"no role {arn} in {self.stack.name}: it has {sorted(self._roles)}")
        found = self._roles[arn]
        name = f"role {found.name}"
        trust = Policy.parse(f"trust policy of {name}", found["assumeRolePolicy"])
        bound = found.get("permissionsBoundary")
        boundary = None if bound is None else self._managed(str(bound), f"permissions boundary of {name}")
        return self._parsed.setdefault(arn, Role(found, tuple(self._identity(found)), boundary, trust))

    def decide(self, request: Request, endpoint: Policy | None = None) -> Decision:
        """Return IAM's decision; ``endpoint`` is the policy of the VPC endpoint that received the request."""
        resource = self._resource_policies(request)
        decides = request.action.startswith(("kms:", "sts:"))
        if not request.principal.arn:
            return decide(request, Policies(resource=resource, endpoint=endpoint, resource_decides=decides))
        try:
            role = self.role(request.principal.arn)
        except LookupError as error:
            return Decision(False, f"{request}: {error}")
        return decide(request, Policies(role.identity, role.boundary, resource, endpoint, decides))

    def endpoint(self, endpoint: Resource) -> Policy:
        """Return the policy of a VPC endpoint."""
        own = [one["policy"] for one in self.stack.where(ENDPOINT_POLICY, vpcEndpointId=endpoint.id)]
        document = (own or [endpoint.get("policy")])[0]
        return Policy.parse(f"endpoint policy of {endpoint.name}", document or _EVERYTHING)

    def key(self, named: str) -> Resource:
        """Return a key by its ARN, id or alias. Raises ``LookupError`` if neither stack has the key, or if it is
        disabled."""
        named = self._read_keys.get(named, named)
        for one in self._all(KEY):
            if named in (one["arn"], one.id):
                if one.get("isEnabled", True) is not True:
                    raise LookupError(f"key {one.name} is disabled: isEnabled is {one.get('isEnabled')}")
                return one
        for alias in self._all(ALIAS):
            if named in (alias.get("name"), alias.get("arn")):
                return self.key(str(alias["targetKeyId"]))
        raise LookupError(f"no key {named} in {self.stack.name} or its bootstrap stack")

    def key_arn(self, named: str) -> str:
        """The ARN of a key that the stack's policies have. Raises ``LookupError`` as ``key`` does."""
        key = self.key(named)
        return named if named in self._read_keys else str(key["arn"])

    def key_of(self, secret: Resource) -> str:
        """The key of a secret: of one of the bootstrap stack, the ARN that the stack has read for it; empty for the account's
        default key."""
        declared = str(secret.get("kmsKeyId") or "")
        read = key_of_secret(Site(self.stack.account, self.stack.region), str(secret["arn"]))
        return read if read in self._read_keys else declared

    @cached_property
    def _read_keys(self) -> dict[str, str]:
        """ARN of a key as the stack has read it for a secret of the bootstrap stack → as that stack declares it: each of two
        recordings makes up its own."""
        site = Site(self.stack.account, self.stack.region)
        named = [one for one in self.bootstrap.all(SECRET) if one.get("kmsKeyId")]
        return {key_of_secret(site, str(one["arn"])): str(one["kmsKeyId"]) for one in named}

    def _all(self, type_: str) -> Iterator[Resource]:
        yield from self.stack.all(type_)
        yield from self.bootstrap.all(type_)

    @cached_property
    def _roles(self) -> dict[str, Resource]:
        return {str(one["arn"]): one for one in self._all(ROLE)}

    def _identity(self, role: Resource) -> Iterator[Policy]:
        names = {role.id, role.get("name"), role["arn"]}
        for one in self._all(ROLE_POLICY):
            if one["role"] in names:
                yield Policy.parse(f"role policy {one.name}", one["policy"])
        for inline in items(role.get("inlinePolicies")):
            yield Policy.parse(f"inline policy {inline.get('name')} of role {role.name}", inline["policy"])
        attached = [str(one["policyArn"]) for one in self._all(ATTACHMENT) if one["role"] in names]
        attached += listed(role.get("managedPolicyArns") or [])
        for arn in sorted(set(attached)):
            yield self._managed(arn, f"policy {arn.rpartition('/')[2]} of role {role.name}")

    def _managed(self, arn: str, name: str) -> Policy:
        for one in self._all(MANAGED):
            if one["arn"] == arn:
                return Policy.parse(name, one["policy"])
        if arn.startswith("arn:aws:iam::aws:policy/"):
            return Policy.parse(name, _of_aws(arn))
        raise LookupError(f"{name} is {arn}, which neither {self.stack.name} nor its bootstrap stack creates")

    def _resource_policies(self, request: Request) -> list[Policy]:
        service, arn = request.action.partition(":")[0], request.resource
        if service == "sts":
            return [self.role(arn).trust] if arn in self._roles else []
        if service == "kms":
            return self._key_policies(arn)
        if service == "logs":
            documents = self.stack.all(LOG_POLICY)
            return [Policy.parse(f"log resource policy {one.name}", one["policyDocument"]) for one in documents]
        if service not in _OF_RESOURCES:
            return []
        kind, type_, key, prefix = _OF_RESOURCES[service]
        value = arn.removeprefix("arn:aws:s3:::").partition("/")[0] if service == "s3" else arn.rpartition(prefix)[2]
        found = [one for one in self._all(type_) if one[key] == value]
        return [Policy.parse(f"{kind} {one.name}", one["policy"]) for one in found]

    def _key_policies(self, arn: str) -> list[Policy]:
        try:
            key = self.key(arn)
        except LookupError:
            return []
        return [Policy.parse(f"key policy of {key.name}", key.get("policy") or _delegating(arn))]


def _delegating(key: str) -> dict[str, object]:
    """The policy of a key that declares none
    (https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html)."""
    root = f"arn:aws:iam::{key.split(':')[4]}:root"
    return {
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*"}],
    }


def _of_aws(arn: str) -> str:
    """A policy that AWS manages, as moto carries them."""
    from moto.iam.aws_managed_policies import aws_managed_policies_data  # noqa: PLC0415 - 3 MB, seldom needed

    known = cast("dict[str, dict[str, object]]", json.loads(cast("str", aws_managed_policies_data)))
    for one in known.values():
        if one["Arn"] == arn:
            return json.dumps(one["Document"])
    raise LookupError(f"AWS has no managed policy {arn}")


def principal(role: Role) -> Principal:
    """The role as the caller of a request."""
    return Principal(arn=role.arn)
