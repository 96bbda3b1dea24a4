"""The table of ``docs/logging.md``: every log of the environments, from their graphs.

``KINDS`` has the possible content of each log and the data that is kept out of it. A log of a graph that no row covers is an error, so that no
log is added without that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from preflight.conform.documented.model import document, listed, mapping
from preflight.errors import PreflightError
from preflight.recording.recorder import RecordedResource, Recording

GROUP, BUCKET = "aws:cloudwatch/logGroup:LogGroup", "aws:s3/bucket:Bucket"
MASKING = "aws:cloudwatch/logDataProtectionPolicy:LogDataProtectionPolicy"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
POLICY = "aws:s3/bucketPolicy:BucketPolicy"
BALANCER, ACCESS = "aws:lb/loadBalancer:LoadBalancer", "aws:s3/bucketLogging:BucketLogging"
PROMPTS = "aws:bedrockmodel/invocationLoggingConfiguration:InvocationLoggingConfiguration"
READERS = "OnlyNamedReaders"
"""The statement of a bucket's policy that denies everyone else."""
NO_ONE = "no one (no reader is declared)"
BY_IAM = "IAM"
PROXY_LINE = "request id, method, route, status, flags, sizes, durations; no path, query, header, identity or body"


@dataclass(frozen=True)
class Kind:
    """A kind of log."""

    name: str
    """A pattern of its name, in which ``<environment>`` stands for the environment's."""
    written_by: str
    contains: str
    """The worst possible content."""
    kept_out: str
    """The data that is removed, and the place where."""


KINDS = (
    Kind(
        "/ai-interface/<environment>/interface",
        "the application",
        "errors: messages up to the first value, types and places of exceptions, SQLSTATE, HTTP status. A library in C that "
        "writes to its file descriptor could add a text",
        "values, file names, prompts, answers, e-mail addresses: `components/applications/private_log.py`",
    ),
    Kind(
        "/ai-interface/<environment>/prepare",
        "`prepare` and `cleaner`",
        "steps, revisions, types and places of errors; names of removed files are not written",
        "secrets, and the text of a failed migration: `components/prepare/report.py`, `image.py`",
    ),
    Kind("/ai-interface/<environment>/proxy", "Envoy in the task", PROXY_LINE, "everything else: the log's format"),
    Kind(
        "/ai-interface/<environment>/gateway-proxy",
        "Envoy before the gateway",
        PROXY_LINE,
        "everything else: the log's format",
    ),
    Kind(
        "/ai-interface/<environment>/gateway",
        "LiteLLM",
        "request ids, models, status and durations of calls",
        "prompts and answers: LiteLLM's settings (`components/gateway/litellm.py`)",
    ),
    Kind(
        "/ai-interface/<environment>/egress",
        "Envoy in the egress subnets",
        f"{PROXY_LINE}, and the provider's host name",
        "everything else: the log's format; the tunnel is not read",
    ),
    Kind(
        "/ai-interface/<environment>/synthetic-proxy",
        "Envoy in the synthetic chat's task",
        PROXY_LINE,
        "everything else: the log's format; no user's request comes here",
    ),
    Kind(
        "/ai-interface/<environment>/synthetic-chat",
        "the synthetic chat",
        "one line for each run: groups, models, outcomes, status, times",
        "the question, which is the same for everyone, and the answers: `components/synthetic/probe.py`",
    ),
    Kind(
        "/ai-interface/<environment>/cache",
        "Valkey's engine",
        "start, failover, memory",
        "commands and their values: the slow log is not exported",
    ),
    Kind(
        "/aws/rds/cluster/ai-interface-<environment>*/postgresql",
        "PostgreSQL",
        "connections, roles, error messages; the message of an invalid value may quote that value",
        "statements, parameters and DETAIL: `PARAMETERS` in `components/data/database.py`",
    ),
    Kind(
        "/aws/rds/cluster/ai-interface-<environment>*/iam-db-auth-error",
        "RDS",
        "refused IAM logins, with role and address",
        "tokens",
    ),
    Kind(
        "/ai-interface/<environment>/findings",
        "CloudWatch Logs",
        "for each line with a detection: log group, kind of data, position",
        "the data",
    ),
    Kind(
        "aws-waf-logs-ai-interface-<environment>-firewall",
        "AWS WAF, detections only",
        "client address, headers, and the path, which ends in a file's name if a file is downloaded",
        "query strings, cookies, tokens, identity headers: redacted fields and the web ACL's data protection",
    ),
    Kind("*/flow", "VPC", "addresses, ports, bytes", "nothing: it has no content"),
    Kind("*/dns", "Route 53 Resolver", "names that tasks look up", "nothing: every name is declared"),
    Kind(
        "/aws/ecs/containerinsights/ai-interface-<environment>/performance",
        "Container Insights",
        "numbers of tasks and containers",
        "nothing: it has no content",
    ),
    Kind("s3: edge-logs/access", "the load balancer",
         "**the whole request line**: `?text=` of a chat search, `?q=` of a first prompt, the login's code; client address",
         "nothing: the load balancer cannot redact"),
    Kind("s3: edge-logs/connection", "the load balancer", "client address, TLS version and cipher", "nothing"),
    Kind("s3: edge-logs/health-check", "the load balancer", "status of the targets", "nothing"),
    Kind("s3: state-uploads-access", "S3",
         "**object keys of uploads, which end in the file's name**, principal, operation",
         "nothing: the application chooses the keys, and S3 cannot redact"),
    Kind("s3: prompts*", "Bedrock's invocation logging, off by default",
         "**prompts and answers**", "nothing: that is its purpose"),
)  # fmt: skip


@dataclass(frozen=True)
class Log:
    """A log of one environment."""

    name: str
    days: int | None
    masked: bool
    readers: str

    @property
    def kind(self) -> Kind:
        """Its row of ``KINDS``. Raises ``PreflightError`` if it has none."""
        for kind in KINDS:
            if re.fullmatch(re.escape(kind.name).replace(r"\*", ".*"), self.name):
                return kind
        raise PreflightError(
            f"the log {self.name} is in no row of KINDS in preflight/reference/logs.py: add what it can contain"
        )


def section(recordings: Mapping[str, Recording]) -> str:
    """The table; ``recordings``: environment → its graph."""
    known = {
        environment: {one.name: one for one in logs(found, environment)} for environment, found in recordings.items()
    }
    names = sorted({name for found in known.values() for name in found})
    order = sorted(names, key=lambda name: (name.startswith("s3"), name))
    lines = [
        "| Log | Written by | Can contain | Kept out of it | Masked | Days | Read by |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in order:
        one = next(found[name] for found in known.values() if name in found)
        days = [f"{environment} {found[name].days}" for environment, found in sorted(known.items()) if name in found]
        readers = sorted({found[name].readers for found in known.values() if name in found})
        masked = "yes" if all(found[name].masked for found in known.values() if name in found) else "no"
        cells = [
            f"`{name}`",
            one.kind.written_by,
            one.kind.contains,
            one.kind.kept_out,
            masked,
            ", ".join(days),
            "; ".join(readers),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def logs(recording: Recording, environment: str) -> Iterator[Log]:
    """Every log group, and every bucket that receives logs, of one environment."""
    masked = {one.inputs.get("logGroupName") for one in recording.of_type(MASKING)}
    for group in recording.of_type(GROUP):
        name = str(group.outputs["name"])
        yield Log(_neutral(name, environment), group.inputs.get("retentionInDays"), name in masked, BY_IAM)
    for bucket, parts in _receivers(recording):
        for part in sorted(parts):
            name = f"s3: {bucket.name}{part and '/'}{part}"
            yield Log(name, _expiry(recording, bucket), masked=False, readers=_readers(recording, bucket))


def _neutral(name: str, environment: str) -> str:
    return re.sub(rf"(?<![a-z0-9]){re.escape(environment)}(?![a-z0-9])", "<environment>", name)


def _receivers(recording: Recording) -> list[tuple[RecordedResource, set[str]]]:
    """Each bucket with the prefixes of the logs of load balancers; an empty one for S3's and Bedrock's."""
    buckets = {str(one.outputs["bucket"]): one for one in recording.of_type(BUCKET)}
    found: dict[str, set[str]] = {}
    for balancer in recording.of_type(BALANCER):
        for key in ("accessLogs", "connectionLogs", "healthCheckLogs"):
            settings: dict[str, Any] = balancer.inputs.get(key) or {}
            if settings.get("enabled"):
                found.setdefault(str(settings["bucket"]), set()).add(str(settings.get("prefix") or ""))
    for logging in recording.of_type(ACCESS):
        found.setdefault(str(logging.inputs["targetBucket"]), set()).add("")
    for recorded in recording.of_type(PROMPTS):
        found.setdefault(str(recorded.inputs["loggingConfig"]["s3Config"]["bucketName"]), set()).add("")
    return [(buckets[name], parts) for name, parts in sorted(found.items())]


def _expiry(recording: Recording, bucket: RecordedResource) -> int | None:
    for lifecycle in _of_bucket(recording, LIFECYCLE, bucket):
        for rule in listed(lifecycle.inputs["rules"]):
            if days := mapping(mapping(rule).get("expiration")).get("days"):
                return int(days)
    return None


def _readers(recording: Recording, bucket: RecordedResource) -> str:
    for policy in _of_bucket(recording, POLICY, bucket):
        for statement in map(mapping, listed(mapping(document(policy.inputs["policy"])).get("Statement"))):
            if statement.get("Sid") == READERS:
                named = mapping(mapping(statement.get("Condition")).get("ArnNotLike")).get("aws:PrincipalArn")
                arns = [named] if isinstance(named, str) else map(str, listed(named))
                return ", ".join(f"`{one}`" for one in sorted(arns)) or NO_ONE
    return "every role that IAM allows"


def _of_bucket(recording: Recording, type_: str, bucket: RecordedResource) -> Iterator[RecordedResource]:
    names = {bucket.id, bucket.outputs["bucket"]}
    return (one for one in recording.of_type(type_) if one.inputs.get("bucket") in names)
