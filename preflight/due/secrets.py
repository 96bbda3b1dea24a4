"""The age of every secret that the stack creates or names: a value older than ``secrets.maximumAgeDays`` is due for rotation.

The age is that of the current version. ``LastRotatedDate`` of a secret is empty unless Secrets Manager itself rotates it
(https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DescribeSecret.html), and there is no metric of either.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any

from preflight.account.lines import Group, Line
from preflight.ready.wanted import Wanted
from preflight.verify.context import Part, VerifyContext
from preflight.verify.stack import StackInCheckout

SECRET, CLUSTER = "aws:secretsmanager/secret:Secret", "aws:rds/cluster:Cluster"
ROTATIONS = (
    (r"workload-session-key", "rotating-the-session-key"),
    (r"workload-user-key", "rotating-the-user-key"),
    (r"workload-proxy-\w.*", "rotating-the-proxys-key"),
    (r"state-cache-url", "rotating-the-caches-password"),
    (r"gateway-\w.*", "rotating-the-keys-of-the-gateway"),
    (r"egress-\w.*", "rotating-the-keys-of-the-egress-proxy"),
)
"""Logical name of a secret that the program creates → the section of ``docs/incidents.md`` with its rotation and what that does."""
CLIENT_SECRET, MASTER, API_KEY = (
    "the-client-secret-has-expired",
    "rotating-the-databases-master-password",
    "rotating-an-api-key",
)
CURRENT = "AWSCURRENT"


def section_of(logical: str) -> str:
    """The section about a secret that the program creates. Raises ``LookupError`` for one without a section."""
    for pattern, section in ROTATIONS:
        if re.fullmatch(pattern, logical):
            return section
    raise LookupError(f"{logical} has no section in docs/incidents.md: add it to preflight/due/secrets.py")


def named(stack: StackInCheckout) -> list[tuple[str, str]]:
    """Name or ARN and section of each secret that the settings name, sorted."""
    wanted = Wanted(
        settings=stack.settings,
        release=stack.release,
        graph=stack.recording,
        bootstrap=None,
        backend="",
        state_bucket="",
    )
    found = dict.fromkeys((*wanted.model_keys, *wanted.alert_endpoints), API_KEY)
    return sorted((found | {stack.settings.identity.client_secret_name: CLIENT_SECRET}).items())


def created(context: VerifyContext, group: Group) -> Iterator[Line]:
    """The secrets that the program creates, found by the stack's tags."""
    for logical, name in context.live(SECRET, r"secretsmanager:[^:]+:\d+:secret:"):
        if not name:
            yield group.missing(logical, "is not in the account", "run pulumi refresh, then pulumi up")
        else:
            yield from _aged(context, group, logical, name, section_of(logical))


def declared(context: VerifyContext, group: Group) -> Iterator[Line]:
    """The secrets that the settings name. Their owners set the values."""
    for name, section in named(context.stack):
        yield from _aged(context, group, name, name, section)


def master(context: VerifyContext, group: Group) -> Iterator[Line]:
    """The database's master secret, which RDS rotates by itself: one that is due shows that it no longer does."""
    for inputs in context.stack.inputs(CLUSTER):
        name = str(inputs["clusterIdentifier"])
        found = context.account.find(
            "rds", "describe_db_clusters", ("DBClusterNotFoundFault",), DBClusterIdentifier=name
        )
        clusters: list[dict[str, Any]] = (found or {}).get("DBClusters", [])
        for arn in (str(one["MasterUserSecret"]["SecretArn"]) for one in clusters if one.get("MasterUserSecret")):
            yield from _aged(context, group, f"master password of {name}", arn, MASTER)


def _aged(context: VerifyContext, group: Group, subject: str, identifier: str, section: str) -> Iterator[Line]:
    """One line: the age of the current version, and where its rotation is described."""
    absent = ("ResourceNotFoundException",)
    if context.account.find("secretsmanager", "list_secret_version_ids", absent, SecretId=identifier) is None:
        yield group.missing(subject, "is not in the account", "create it as bootstrap/README.md describes")
        return
    versions = context.account.every("secretsmanager", "list_secret_version_ids", "Versions", SecretId=identifier)
    current = [one["CreatedDate"] for one in versions if CURRENT in one.get("VersionStages", [])]
    fix = f"docs/incidents.md#{section}"
    if not current:
        yield group.missing(subject, "has no value", fix)
        return
    limit = context.stack.settings.secrets.maximum_age_days
    days = (context.now - current[0]) // dt.timedelta(days=1)
    yield group.holds(subject, days <= limit, f"its value is {days} days old; at most {limit}", fix)


PART = Part(
    "secrets", (("secrets of the program", created), ("secrets by name", declared), ("master password", master))
)
