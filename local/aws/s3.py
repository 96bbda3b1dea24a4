"""S3: the graph's buckets on moto. Every request is authorized first, including the use of the bucket's key."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from threading import Lock
from typing import Any, cast
from urllib.parse import unquote
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import botocore.session  # pyright: ignore[reportMissingTypeStubs] - it has none
from moto.moto_server.werkzeug_app import (  # pyright: ignore[reportMissingTypeStubs]
    DomainDispatcherApplication,
    create_backend_app,
)
from moto.s3.models import FakeKey, S3Backend, s3_backends

from local.aws.access import Access
from local.aws.gate import Arrival, Ask, Gate, ServiceError, tagged
from local.aws.registry import layer_bucket, layer_refusal
from local.aws.secrets import encryption
from local.aws.sessions import Credentials
from local.server import Received
from local.stack import Resource, items

BUCKET, VERSIONING = "aws:s3/bucket:Bucket", "aws:s3/bucketVersioning:BucketVersioning"
ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
OWNERSHIP = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
PUBLIC_ACCESS = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
KMS = "aws:kms"
_ACTIONS: Mapping[str, tuple[str, ...]] = {
    "CompleteMultipartUpload": ("PutObject",),
    "CreateMultipartUpload": ("PutObject",),
    "DeleteObjects": ("DeleteObject",),
    "HeadBucket": ("ListBucket",),
    "HeadObject": ("GetObject",),
    "ListMultipartUploads": ("ListBucketMultipartUploads",),
    "ListObjectVersions": ("ListBucketVersions",),
    "ListObjects": ("ListBucket",),
    "ListObjectsV2": ("ListBucket",),
    "ListParts": ("ListMultipartUploadParts",),
    "UploadPart": ("PutObject",),
}
"""Operation → actions, where they are named otherwise
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html)."""
EMULATED = frozenset(_ACTIONS) | {
    "AbortMultipartUpload", "DeleteObject", "GetBucketLocation", "GetObject", "PutObject",
}  # fmt: skip
"""The operations that the twin supports."""
_WITH_VERSION = {"GetObject": "GetObjectVersion", "DeleteObject": "DeleteObjectVersion"}
_WRITES = frozenset(("CreateMultipartUpload", "PutObject"))
_PARTS = frozenset(("CompleteMultipartUpload", "CreateMultipartUpload", "UploadPart"))


def actions(operation: str, *, version: bool = False) -> tuple[str, ...]:
    """The IAM actions of an operation."""
    names = _ACTIONS.get(operation, (operation,))
    return tuple(f"s3:{_WITH_VERSION.get(name, name) if version else name}" for name in names)


@dataclass(frozen=True)
class Addressed:
    """The bucket, key and operation of a request."""

    bucket: str
    key: str
    query: Mapping[str, str]
    operation: str


def addressed(request: Received, region: str) -> Addressed:
    """Return the bucket and key of a path-style or virtual-hosted request, and its S3 operation."""
    path, _, text = request.target.partition("?")
    query = {unquote(name): unquote(value) for name, _, value in (p.partition("=") for p in text.split("&") if p)}
    host = (request.value("host") or "").partition(":")[0]
    suffix = f".s3.{region}.amazonaws.com"
    if host.endswith(suffix):
        bucket, key = host.removesuffix(suffix), unquote(path[1:])
    else:
        bucket, _, key = unquote(path[1:]).partition("/")
    headers = {name for name, _ in request.headers}
    return Addressed(bucket, key, query, _operation(request.method, bool(bucket), bool(key), query, headers))


def _operation(method: str, bucket: bool, key: bool, query: Mapping[str, str], headers: set[str]) -> str:
    """The operation of botocore's service model that the request matches in the most members."""
    path = "/{Bucket}/{Key+}" if key else "/{Bucket}" if bucket else "/"
    found = [
        (len(static) + len(needed), name)
        for name, verb, template, static, needed in _operations()
        if (verb, template) == (method, path)
        and all(query.get(k) == v if v else k in query for k, v in static)
        and all(one in query or one in headers for one in needed)
    ]
    return max(found, key=lambda one: (one[0], [-ord(c) for c in one[1]]))[1] if found else f"{method} {path}"


@cache
def _operations() -> list[tuple[str, str, str, tuple[tuple[str, str], ...], tuple[str, ...]]]:
    """Name, method, path, fixed query and required members in query or header of every operation."""
    model: Any = cast("Any", botocore.session).Session().get_service_model("s3")
    made: list[tuple[str, str, str, tuple[tuple[str, str], ...], tuple[str, ...]]] = []
    for name in model.operation_names:
        one = model.operation_model(name)
        path, _, fixed = str(one.http["requestUri"]).partition("?")
        static = tuple((k, v) for k, _, v in (part.partition("=") for part in fixed.split("&") if part))
        shape = one.input_shape
        placed = [shape.members[m].serialization for m in shape.required_members] if shape else []
        needed = tuple(p["name"] for p in placed if p.get("location") in {"querystring", "header"})
        made.append((str(name), str(one.http["method"]), path, static, needed))
    return made


@cache
def _application() -> Any:  # noqa: ANN401 - moto's server has no types
    return DomainDispatcherApplication(create_backend_app)


@dataclass
class Buckets:
    """The graph's buckets. moto keeps them for the whole process, so run one stack at a time in it."""

    access: Access
    keys: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str], init=False)
    """Bucket and key of an object → the KMS key that encrypts it."""
    backend: S3Backend = field(init=False)
    application: Any = field(init=False)
    lock: Lock = field(default_factory=Lock, init=False)

    def __post_init__(self) -> None:
        stack = self.access.stack
        self.backend = s3_backends[stack.account]["aws"]
        self.application = _application()
        self.close()
        for one in stack.all(BUCKET):
            self.backend.create_bucket(str(one["bucket"]), stack.region)
        for one in stack.all(VERSIONING):
            self.backend.put_bucket_versioning(one["bucket"], str(one["versioningConfiguration"]["status"]))

    def close(self) -> None:
        """Delete the buckets, which moto keeps for the whole process."""
        for one in self.access.stack.all(BUCKET):
            self.backend.buckets.pop(name := str(one["bucket"]), None)
            s3_backends.bucket_accounts.pop(name, None)

    def find(self, bucket: str) -> Resource | None:
        """Return the resource of a bucket."""
        return next((one for one in self.access.stack.all(BUCKET) if one["bucket"] == bucket), None)

    def encryption(self, bucket: str) -> tuple[str, bool]:
        """Return the KMS key that encrypts a bucket's new objects (empty for S3's own), and whether the bucket uses a
        bucket key."""
        for one in self.access.stack.where(ENCRYPTION, bucket=bucket):
            for rule in items(one["rules"]):
                default = rule["applyServerSideEncryptionByDefault"]
                if default["sseAlgorithm"] == KMS:
                    return str(default.get("kmsMasterKeyId") or ""), bool(rule.get("bucketKeyEnabled"))
        return "", False

    def acl_is_refused(self, bucket: str) -> bool:
        """Whether the bucket's owner owns every object, so that requests with an ACL are refused."""
        found = self.access.stack.where(OWNERSHIP, bucket=bucket)
        return not found or found[0]["rule"]["objectOwnership"] == "BucketOwnerEnforced"

    def objects(self, bucket: str) -> dict[str, bytes]:
        """Return the bucket's content: key → object."""
        kept = cast("dict[str, Any]", self.backend.buckets[bucket].keys)
        return {key: one.value for key, one in kept.items() if isinstance(one, FakeKey)}

    def forward(self, request: Received, region: str) -> tuple[int, list[tuple[str, str]], bytes]:
        """Return moto's response to an authorized request."""
        path, _, query = request.target.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": request.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(path, encoding="latin-1"),
            "RAW_URI": request.target,
            "REQUEST_URI": request.target,
            "QUERY_STRING": query,
            "SERVER_NAME": f"s3.{region}.amazonaws.com",
            "SERVER_PORT": "443",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "https",
            "wsgi.input": io.BytesIO(request.body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "CONTENT_LENGTH": str(len(request.body)),
            "HTTP_X_MOTO_ACCOUNT_ID": self.access.stack.account,
        }
        for name, value in request.headers:
            if name == "content-type":
                environ["CONTENT_TYPE"] = value
            elif name not in {"content-length", "transfer-encoding", "expect"}:
                environ["HTTP_" + name.upper().replace("-", "_")] = value
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start(status: str, headers: list[tuple[str, str]], *_: object) -> None:
            started.append((status, headers))

        with self.lock:
            body = b"".join(self.application(environ, start))
        status, headers = started[-1]
        dropped = {"connection", "transfer-encoding", "server", "date"}
        if request.method != "HEAD":
            dropped.add("content-length")
        kept = [(name, value) for name, value in headers if name.lower() not in dropped]
        return int(status.split(" ")[0]), kept, body


@dataclass(frozen=True)
class S3:
    """S3 behind its gateway endpoint."""

    gate: Gate
    buckets: Buckets

    def answer(self, request: Received, arrival: Arrival) -> tuple[int, list[tuple[str, str]], bytes]:
        """Return status, headers and body. Raises ``ServiceError`` for a refused request."""
        of = addressed(request, self.gate.region)
        if of.bucket == layer_bucket(self.gate.region):
            if cause := layer_refusal(self.gate, request.target, arrival):
                raise self.gate.error(403, "AccessDenied", cause)
            return 200, [], b""
        session = self.gate.session(request)
        bucket = self.buckets.find(of.bucket)
        self.gate.ask(session, self._asks(request, of, bucket), arrival, request)
        if bucket is None:
            name = self.gate.access.stack.name
            raise self.gate.error(404, "NoSuchBucket", f"s3:{of.operation}: {name} has no bucket {of.bucket}")
        if of.operation not in EMULATED or request.value("x-amz-copy-source"):
            raise self.gate.error(501, "NotImplemented", f"the twin does not support s3:{of.operation}")
        acl = request.value("x-amz-acl")
        if acl and acl != "bucket-owner-full-control" and self.buckets.acl_is_refused(of.bucket):
            cause = f"bucket {bucket.name} does not accept ACLs: its objectOwnership is BucketOwnerEnforced"
            raise self.gate.error(400, "AccessControlListNotSupported", cause)
        self._encrypted(session, request, of)
        return self.buckets.forward(request, self.gate.region)

    def _asks(self, request: Received, of: Addressed, bucket: Resource | None) -> Iterator[Ask]:
        arn = f"arn:aws:s3:::{of.bucket}"
        keys = _deleted(request.body) if of.operation == "DeleteObjects" else [of.key]
        context = {
            "s3:authtype": ("REST-QUERY-STRING" if "X-Amz-Algorithm" in of.query else "REST-HEADER",),
            "s3:signatureversion": ("AWS4-HMAC-SHA256",),
            "s3:resourceaccount": (self.gate.access.stack.account,),
            "s3:tlsversion": ("1.3",),
            **{f"s3:{name}": (of.query[name],) for name in ("prefix", "delimiter", "max-keys") if name in of.query},
            **{f"s3:{name}": (value,) for name, value in request.headers if name in _CONDITION_HEADERS},
            **({"s3:versionid": (of.query["versionId"],)} if "versionId" in of.query else {}),
            **(tagged(bucket, "s3:buckettag") if bucket else {}),
        }
        for key in keys:
            for action in actions(of.operation, version="versionId" in of.query):
                yield Ask(action, f"{arn}/{key}" if key else arn, context)

    def _encrypted(self, session: Credentials, request: Received, of: Addressed) -> None:
        """https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html: the caller needs the key."""
        default, bucket_key = self.buckets.encryption(of.bucket)
        named = request.value("x-amz-server-side-encryption-aws-kms-key-id")
        if of.operation in _WRITES:
            chosen = request.value("x-amz-server-side-encryption")
            key = named or (default if chosen in {None, KMS} else "")
            self.buckets.keys[of.bucket, of.key] = key
        key = self.buckets.keys.get((of.bucket, of.key), "")
        if not key or not of.key:
            return
        wanted = {"GetObject": ("kms:Decrypt",), "PutObject": ("kms:GenerateDataKey",)}.get(of.operation, ())
        if of.operation in _PARTS:
            wanted = ("kms:GenerateDataKey", "kms:Decrypt")
        arn = f"arn:aws:s3:::{of.bucket}" + ("" if bucket_key else f"/{of.key}")
        try:
            found = self.gate.access.key(key)
        except LookupError as error:
            raise self.gate.error(400, "KMS.NotFoundException", f"bucket {of.bucket}: {error}") from None
        context = {**encryption({"aws:s3:arn": arn}), **tagged(found)}
        self.gate.ask_for(session, [Ask(one, str(found["arn"]), context) for one in wanted], "s3")


_CONDITION_HEADERS = frozenset(
    (
        "x-amz-acl",
        "x-amz-content-sha256",
        "x-amz-server-side-encryption",
        "x-amz-server-side-encryption-aws-kms-key-id",
        "x-amz-storage-class",
    )
)
"""Headers that are condition keys of the same name
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html)."""


def _deleted(body: bytes) -> list[str]:
    root = ElementTree.fromstring(body)  # noqa: S314 - from the twin's own tasks
    return [one.text or "" for one in root.iter() if one.tag.rpartition("}")[2] == "Key"]


def error_body(error: ServiceError) -> bytes:
    """Return S3's error in XML."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{error.code}</Code><Message>{escape(error.cause)}</Message></Error>"
    ).encode()
