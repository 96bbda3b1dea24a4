"""Physical names that the stack sets: an existing resource with one of them would stop the first ``up`` halfway."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from preflight.account.lines import CannotTellError, Group, Line
from preflight.account.session import Account, RefusedError
from preflight.ready.context import Part, ReadyContext

Exists = Callable[[Account, str, str], bool]
"""Whether a resource of this name exists: the account, the name, and the resource's region, if it sets one."""


def log_group(account: Account, name: str, _: str) -> bool:
    """A log group with exactly this name."""
    found = account.every("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=name)
    return any(group["logGroupName"] == name for group in found)


def database(account: Account, name: str, _: str) -> bool:
    """A cluster with this identifier."""
    absent = ("DBClusterNotFoundFault", "DBClusterNotFound")
    found = account.find("rds", "describe_db_clusters", absent, DBClusterIdentifier=name)
    return bool(found and found["DBClusters"])


def alias(account: Account, name: str, _: str) -> bool:
    """A KMS alias."""
    return any(found["AliasName"] == name for found in account.every("kms", "list_aliases", "Aliases"))


def web_acl(account: Account, name: str, _: str) -> bool:
    """A regional web ACL."""
    return any(found["Name"] == name for found in web_acls(account))


def web_acls(account: Account) -> list[dict[str, str]]:
    """Every regional web ACL; boto3 has no paginator for them."""
    found: list[dict[str, str]] = []
    marker: dict[str, str] = {}
    while True:
        page = account.ask("wafv2", "list_web_acls", Scope="REGIONAL", Limit=100, **marker)
        found += page.get("WebACLs", [])
        following = page.get("NextMarker")
        if not following or not page.get("WebACLs") or following == marker.get("NextMarker"):
            return found
        marker = {"NextMarker": following}


def cluster(account: Account, name: str, _: str) -> bool:
    """An ECS cluster that has not been deleted."""
    found = account.ask("ecs", "describe_clusters", clusters=[name])["clusters"]
    return any(one.get("status") != "INACTIVE" for one in found)


def guardrail(account: Account, name: str, region: str) -> bool:
    """A Bedrock guardrail."""
    return any(found["name"] == name for found in account.every("bedrock", "list_guardrails", "guardrails", region))


KINDS: dict[str, tuple[str, str, Exists]] = {
    "aws:bedrock/guardrail:Guardrail": ("guardrail", "name", guardrail),
    "aws:cloudwatch/logGroup:LogGroup": ("log group", "name", log_group),
    "aws:ecs/cluster:Cluster": ("ECS cluster", "name", cluster),
    "aws:kms/alias:Alias": ("key alias", "name", alias),
    "aws:rds/cluster:Cluster": ("database cluster", "clusterIdentifier", database),
    "aws:wafv2/webAcl:WebAcl": ("web ACL", "name", web_acl),
}
"""Type → its name in words, the input that contains the physical name, and the call that shows whether it is in use.
Alarms, log resource policies and task definitions are left out: AWS overwrites them, or adds a revision, instead of
refusing."""


def taken(context: ReadyContext, group: Group) -> Iterator[Line]:
    """One line for each physical name."""
    for kind, (label, key, exists) in KINDS.items():
        for inputs in context.wanted.inputs(kind):
            name = str(inputs[key])
            subject = f"{label} {name}"
            try:
                found = exists(context.account, name, str(inputs.get("region") or ""))
            except CannotTellError as error:
                yield group.cannot_tell(subject, error.reason, error.fix)
                continue
            except RefusedError as error:
                yield group.cannot_tell(subject, str(error), "run the command again")
                continue
            yield group.holds(
                subject,
                not found,
                "exists already" if found else "is free",
                "if an earlier up of this stack created it, this is expected; otherwise delete it or import it: "
                "docs/runbook.md",
            )


PART = Part("names", (("names", taken),))
