"""Secrets Manager: the graph's secrets on moto. Every request is authorized first, including against the key's
policy."""

from __future__ import annotations

import json
import secrets as random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from moto.secretsmanager.models import SecretsManagerBackend

from local.aws.access import SECRET, Access
from local.aws.gate import Arrival, Ask, Gate, keys_of, tagged, tags_of
from local.aws.sessions import Credentials
from local.server import Received
from local.stack import Resource, Stack, items

VERSION = "aws:secretsmanager/secretVersion:SecretVersion"
TASK_DEFINITION = "aws:ecs/taskDefinition:TaskDefinition"
CLUSTER = "aws:rds/cluster:Cluster"
TARGET = "secretsmanager"
"""The prefix of the operation in ``X-Amz-Target`` (botocore's service model)."""


@dataclass(frozen=True)
class Known:
    """One secret: its key, and the resource that creates it."""

    arn: str
    name: str
    key: str
    """The key by the ARN that the stack's policies have; empty for the default key of Secrets Manager in the account."""
    resource: Resource
    tags: dict[str, str]


@dataclass
class Secrets:
    """The secret values; ``put`` rotates one."""

    access: Access
    replaced: dict[str, str] = field(default_factory=dict[str, str])
    """A value in the graph → the twin's replacement: keys and certificates that a provider computes."""
    known: dict[str, Known] = field(default_factory=dict[str, Known], init=False)
    master_password: str = field(default="", init=False, repr=False)
    """The password that RDS generates for the database's master user."""
    _backend: SecretsManagerBackend = field(init=False)

    def __post_init__(self) -> None:
        stack = self.access.stack
        # A backend that no other part of the process shares: moto's own one would mix the secrets of several accounts.
        self._backend = SecretsManagerBackend(stack.region, stack.account)
        for stack_ in (stack, self.access.bootstrap):
            for one in stack_.all(SECRET):
                self._know(Known(str(one["arn"]), str(one["name"]), self.access.key_of(one), one, tags_of(one)))
        for one in stack.all(VERSION):
            # A version without a value is one that a person fills in.
            if one.get("secretString") is not None:
                text = str(one["secretString"])
                self._version(self._found(str(one["secretId"])), self.replaced.get(text, text), str(one["versionId"]))
        for one in stack.all(TASK_DEFINITION):
            for container in json.loads(str(one["containerDefinitions"])):
                for reference in items(container.get("secrets")):
                    self._existing(one, ":".join(str(reference["valueFrom"]).split(":")[:7]))
        for one in stack.all(CLUSTER):
            for made in items(one.get("masterUserSecrets")) if one.get("manageMasterUserPassword") else ():
                self._master(one, made)

    def _existing(self, task: Resource, arn: str) -> None:
        """Make up a value for a secret that a task reads and that a person fills in, such as a model server's API key. One that
        the bootstrap stack does not have has the tags that the permissions boundary requires, and the account's default
        key."""
        name = arn.rpartition(":secret:")[2].rpartition("-")[0]
        if self.find(arn) is None and not name.startswith("rds!"):
            self._know(Known(arn, name, "", task, tags_of(task)))
            self.put(arn, random.token_urlsafe(24))
        elif self.access.bootstrap.where(SECRET, arn=arn):
            self.put(arn, random.token_urlsafe(24))

    def put(self, arn: str, text: str) -> str:
        """Write a new current version and return its id, as a rotation does. The previous version becomes
        ``AWSPREVIOUS``."""
        version = "-".join(random.token_hex(n) for n in (4, 2, 2, 2, 6))
        self._version(self._found(arn), text, version)
        return version

    def value(self, arn: str) -> str:
        """Return the current value without a permission check, for the parts of the twin that replace AWS's own
        services."""
        return str(self._backend.get_secret_value(arn, "", "AWSCURRENT")["SecretString"])

    def delete(self, arn: str) -> None:
        """Schedule the deletion of a secret; every later read is refused."""
        self._backend.delete_secret(arn, 7, force_delete_without_recovery=False)

    def get(self, secret_id: str, version: str | None, stage: str | None) -> dict[str, Any]:
        """Return the response to GetSecretValue; moto's errors are AWS's."""
        return self._backend.get_secret_value(secret_id, version or "", stage or ("" if version else "AWSCURRENT"))

    def find(self, secret_id: str) -> Known | None:
        """Return a secret by its ARN, its ARN without the random suffix, or its name."""
        return next((k for k in self.known.values() if secret_id in (k.arn, k.name, k.arn.rpartition("-")[0])), None)

    def _found(self, arn: str) -> Known:
        found = self.find(arn)
        if found is None:
            raise LookupError(f"no secret {arn} in {self.access.stack.name} or its bootstrap stack")
        return found

    def _know(self, known: Known) -> None:
        self.known[known.arn] = known
        made, _ = self._backend._add_secret(known.name, kms_key_id=known.key or None)  # pyright: ignore[reportPrivateUsage] - the ARN is the graph's, not one that moto draws
        made.arn = known.arn

    def _version(self, known: Known, text: str, version: str) -> None:
        self._backend._add_secret(known.name, secret_string=text, version_id=version)  # pyright: ignore[reportPrivateUsage] - keeps the graph's version id

    def _master(self, cluster: Resource, made: dict[str, Any]) -> None:
        arn = str(made["secretArn"])
        name = arn.rpartition(":secret:")[2].rpartition("-")[0]
        # RDS gives its secret its own tags; it does not copy those of the cluster
        # (https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/rds-secrets-manager.html).
        tags = {"aws:rds:primaryDBClusterArn": str(cluster["arn"]), "aws:secretsmanager:owningService": "rds"}
        known = Known(arn, name, str(made.get("kmsKeyId") or ""), cluster, tags)
        self._know(known)
        self.master_password = random.token_urlsafe(24)
        login = {"username": cluster["masterUsername"], "password": self.master_password}
        self.put(arn, json.dumps(login))


@dataclass(frozen=True)
class SecretsManager:
    """Secrets Manager behind its VPC endpoint."""

    gate: Gate
    secrets: Secrets

    def answer(self, request: Received, arrival: Arrival) -> dict[str, Any]:
        """Handle GetSecretValue and DescribeSecret. Raises ``ServiceError`` for every other operation."""
        session = self.gate.session(request)
        operation = (request.value("x-amz-target") or "").rpartition(".")[2]
        asked: dict[str, Any] = json.loads(request.body or b"{}")
        secret_id = str(asked.get("SecretId") or "")
        known = self.secrets.find(secret_id)
        resource = known.arn if known else self._arn(secret_id)
        context = {
            "secretsmanager:secretid": (secret_id,),
            **{
                f"secretsmanager:{key.lower()}": (str(asked[key]),)
                for key in ("VersionId", "VersionStage")
                if key in asked
            },
            **(keys_of(known.tags, "secretsmanager:resourcetag") if known else {}),
        }
        self.gate.ask(session, [Ask(f"secretsmanager:{operation}", resource, context)], arrival, request)
        if operation != "GetSecretValue":
            raise self.gate.error(
                400, "InvalidRequestException", f"the twin does not support secretsmanager:{operation}"
            )
        if known is None:
            raise self.gate.error(
                400, "ResourceNotFoundException", f"no secret {secret_id} in {self.gate.access.stack.name}"
            )
        version, stage = asked.get("VersionId"), asked.get("VersionStage")
        self._decrypt(session, known, str(version or ""))
        return self._value(known, version, stage)

    def _value(self, known: Known, version: str | None, stage: str | None) -> dict[str, Any]:
        try:
            return self.secrets.get(known.arn, version, stage)
        except Exception as error:
            # moto's own errors, all of which are HTTP's.
            which = version or stage or "AWSCURRENT"
            kind = getattr(error, "error_type", "ResourceNotFoundException")
            cause = f"secret {known.resource.name} ({known.arn}) has no value for {which}: {getattr(error, 'message', error)}"
            raise self.gate.error(400, str(kind), cause) from None

    def _decrypt(self, session: Credentials, known: Known, version: str) -> None:
        """https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html: the caller needs the key."""
        if known.key:
            try:
                key = self.gate.access.key(known.key)
            except LookupError as error:
                raise self.gate.error(400, "DecryptionFailure", f"secret {known.resource.name}: {error}") from None
            context = encryption({"SecretARN": known.arn, **({"SecretVersionId": version} if version else {})})
            self.gate.ask_for(
                session, [Ask("kms:Decrypt", self.gate.access.key_arn(known.key), {**context, **tagged(key)})], TARGET
            )

    def _arn(self, secret_id: str) -> str:
        stack: Stack = self.gate.access.stack
        return (
            secret_id
            if secret_id.startswith("arn:")
            else f"arn:aws:secretsmanager:{stack.region}:{stack.account}:secret:{secret_id}"
        )


def encryption(pairs: dict[str, str]) -> dict[str, tuple[str, ...]]:
    """Return an encryption context as condition keys
    (https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html)."""
    keys: Iterator[tuple[str, tuple[str, ...]]] = (
        (f"kms:encryptioncontext:{key.lower()}", (value,)) for key, value in pairs.items()
    )
    return {**dict(keys), "kms:encryptioncontextkeys": tuple(pairs)}
