"""The calls of a task's containers, and of Fargate on their behalf: host, port and IAM request.

They are read from the task definition as it is registered: images, secrets, log drivers, the variables of the application
and the proxy's configuration. The calls to S3 come from a real client (``uploads``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast
from urllib.parse import urlsplit

from policies.guardrails.topology.graph.resources import Graph, Resource
from preflight.conform.reaching.model import EXECUTION, HTTPS, REGISTRY, TASK, TASK_DEFINITION, Ask, ClientCall
from preflight.conform.reaching.proxy import model_calls
from preflight.conform.reaching.sdk import host
from preflight.conform.reaching.uploads import upload_requests

_IMAGE = re.compile(r"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com/([^@:]+)[@:].*")
_OBJECT, _BUCKET = "arn:aws:s3:::{bucket}/{key}", "arn:aws:s3:::{bucket}"
_S3 = {
    "AbortMultipartUpload": ("s3:AbortMultipartUpload", ()),
    "CompleteMultipartUpload": ("s3:PutObject", ("kms:Decrypt",)),
    "CreateMultipartUpload": ("s3:PutObject", ("kms:GenerateDataKey",)),
    "DeleteObject": ("s3:DeleteObject", ()),
    "GetObject": ("s3:GetObject", ("kms:Decrypt",)),
    "HeadObject": ("s3:GetObject", ("kms:Decrypt",)),
    "ListObjectsV2": ("s3:ListBucket", ()),
    "PutObject": ("s3:PutObject", ("kms:GenerateDataKey",)),
    "UploadPart": ("s3:PutObject", ("kms:Decrypt",)),
}
"""S3's operations with the IAM action of each, and the action on the bucket's key
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html and
.../UsingKMSEncryption.html, and for parts https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html)."""


def containers(task: Resource) -> list[dict[str, Any]] | None:
    """The container definitions; ``None`` if they are unknown."""
    text = task.value("containerDefinitions")
    return json.loads(text) if isinstance(text, str) else None


def variables_of(container: Mapping[str, Any]) -> dict[str, str]:
    """A container's plain variables."""
    return {one["name"]: one["value"] for one in _listed(container, "environment")}


def calls(graph: Graph, task: Resource) -> list[ClientCall]:
    """Every call of a task whose container definitions are known."""
    found: list[ClientCall] = []
    for container in containers(task) or []:
        variables = variables_of(container)
        found += _image(container)
        found += _secrets(container)
        found += _logs(container, _account(task))
        found += _stores(graph, container, variables)
        found += model_calls(container, _account(task))
        found += _uploads(graph, container, variables)
    return found


def _listed(container: Mapping[str, Any], key: str) -> list[dict[str, str]]:
    return cast("list[dict[str, str]]", container.get(key) or [])


def _account(task: Resource) -> str:
    return str(task.value(EXECUTION)).split(":")[4]


def _image(container: Mapping[str, Any]) -> Iterator[ClientCall]:
    name, image = str(container["name"]), str(container["image"])
    if (found := _IMAGE.fullmatch(image)) is None:
        yield ClientCall(name, "its image", image.partition("/")[0], HTTPS, "image")
        return
    account, region, repository = found.groups()
    arn = f"arn:aws:ecr:{region}:{account}:repository/{repository}"
    login = (Ask("ecr:GetAuthorizationToken", "*"),)
    yield ClientCall(name, "logging in to ECR", host("ecr", region), HTTPS, "image", EXECUTION, login)
    # The registry protocol's actions for a manifest and for a layer's URL.
    actions = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
    owned = {"aws:resourceaccount": (account,)}
    pull = tuple(Ask(action, arn, owned) for action in actions)
    registry = f"{account}.dkr.ecr.{region}.amazonaws.com"
    yield ClientCall(name, "its image's manifest", registry, HTTPS, "image", EXECUTION, pull)
    # https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html#ecr-setting-up-s3-gateway
    bucket = f"prod-{region}-starport-layer-bucket"
    layer = (Ask("s3:GetObject", f"arn:aws:s3:::{bucket}/layer"),)
    yield ClientCall(name, "its image's layers", f"{bucket}.s3.{region}.amazonaws.com", HTTPS, "image", REGISTRY, layer)


def _secrets(container: Mapping[str, Any]) -> Iterator[ClientCall]:
    for secret in _listed(container, "secrets"):
        arn = ":".join(secret["valueFrom"].split(":")[:7])
        *_, region, account = arn.split(":")[:5]
        ask = Ask("secretsmanager:GetSecretValue", arn, {"aws:resourceaccount": (account,)})
        place = f"secrets[{secret['name']}].valueFrom"
        what = f"the secret {secret['name']}"
        yield ClientCall(str(container["name"]), what, host("secretsmanager", region), HTTPS, place, EXECUTION, (ask,))


def _logs(container: Mapping[str, Any], account: str) -> Iterator[ClientCall]:
    configuration = cast("dict[str, Any]", container.get("logConfiguration") or {})
    if configuration.get("logDriver") != "awslogs":
        return
    options = cast("dict[str, str]", configuration["options"])
    region, name = options["awslogs-region"], str(container["name"])
    stream = f"log-stream:{options['awslogs-stream-prefix']}/{name}/0123456789abcdef0123456789abcdef"
    arn = f"arn:aws:logs:{region}:{account}:log-group:{options['awslogs-group']}:{stream}"
    owned = {"aws:resourceaccount": (account,)}
    asks = tuple(Ask(action, arn, owned) for action in ("logs:CreateLogStream", "logs:PutLogEvents"))
    place = "logConfiguration.options"
    yield ClientCall(name, "its log", host("logs", region), HTTPS, place, EXECUTION, asks)


def _stores(graph: Graph, container: Mapping[str, Any], variables: Mapping[str, str]) -> Iterator[ClientCall]:
    name = str(container["name"])
    if "DATABASE_HOST" in variables:
        port = int(variables.get("DATABASE_PORT", "5432"))
        yield ClientCall(name, "the database", variables["DATABASE_HOST"], port, "environment[DATABASE_HOST]")
    for secret in _listed(container, "secrets"):
        if secret["name"].endswith("REDIS_URL") and (url := _value_of(graph, secret["valueFrom"])):
            parts = urlsplit(url)
            place = f"secrets[{secret['name']}].valueFrom"
            yield ClientCall(name, "the cache", str(parts.hostname), parts.port or 6379, place)


def _value_of(graph: Graph, reference: str) -> str:
    """The secret's text if the program writes it; it is never shown."""
    arn, version = ":".join(reference.split(":")[:7]), reference.rpartition(":")[2]
    for written in graph.of_type("secretsmanager.SecretVersion"):
        if written.value("secretId") == arn and (not version or written.value("versionId") == version):
            return str(written.value("secretString"))
    return ""


def _uploads(graph: Graph, container: Mapping[str, Any], variables: Mapping[str, str]) -> Iterator[ClientCall]:
    if variables.get("STORAGE_PROVIDER") != "s3":
        return
    bucket = variables["S3_BUCKET_NAME"]
    owner, key, region = _kept(graph, bucket)
    for sent in upload_requests(variables):
        if sent.operation not in _S3:
            raise LookupError(f"no action is known for S3's {sent.operation}: add it to {__name__}._S3")
        action, by_key = _S3[sent.operation]
        on_bucket = action == "s3:ListBucket"
        resource = (_BUCKET if on_bucket else _OBJECT).format(bucket=bucket, key="file")
        asks = [Ask(action, resource, {"aws:resourceaccount": (owner,), "aws:securetransport": ("true",)})]
        through = {
            "kms:viaservice": (f"s3.{region}.amazonaws.com",),
            "kms:encryptioncontext:aws:s3:arn": (_BUCKET.format(bucket=bucket),),
        }
        asks += [Ask(one, key, through, by_endpoint=False) for one in by_key if key]
        place = "environment[S3_BUCKET_NAME]"
        what = f"uploads ({sent.operation})"
        yield ClientCall(str(container["name"]), what, sent.host, sent.port, place, TASK, tuple(asks))


def _kept(graph: Graph, bucket: str) -> tuple[str, str, str]:
    """The account, the key (empty: S3's own) and the region of a bucket of this stack."""
    found = next((one for one in graph.of_type("s3.Bucket", "s3.BucketV2") if one.value("bucket") == bucket), None)
    if found is None:
        return "", "", ""
    key = ""
    kinds = ("s3.BucketServerSideEncryptionConfiguration", "s3.BucketServerSideEncryptionConfigurationV2")
    for encryption in graph.of_type(*kinds):
        if encryption.value("bucket") == bucket:
            key = str(encryption.value("rules[0].applyServerSideEncryptionByDefault.kmsMasterKeyId") or "")
    task = graph.of_type(TASK_DEFINITION)[0]
    return _account(task), key, str(found.value("region") or found.value("bucketRegion"))
