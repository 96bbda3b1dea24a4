"""AWS Backup backs up the resources that the plan selects, some types only if the account has opted in to them.

If the region's setting for Aurora is off, AWS Backup skips a cluster even if the plan selects it by ARN. No job fails,
so no alarm fires. Other types are backed up regardless of their setting once an ARN selects them:
https://docs.aws.amazon.com/aws-backup/latest/devguide/assigning-resources-json.html ("Shared resource types").
"""

from __future__ import annotations

from collections.abc import Iterator

from preflight.account.lines import Group, Line
from preflight.ready.context import Part, ReadyContext

AURORA = "Aurora"
SELECTION, CLUSTER = "aws:backup/selection:Selection", "aws:rds/cluster:Cluster"


def opted_in(context: ReadyContext, group: Group) -> Iterator[Line]:
    """If the stack has a cluster and a selection, the region's setting for Aurora is on."""
    if not (context.wanted.count(SELECTION) and context.wanted.count(CLUSTER)):
        return
    answer = context.account.ask("backup", "describe_region_settings")
    settings = answer.get("ResourceTypeOptInPreference", {})
    state = {True: "on", False: "off"}.get(settings.get(AURORA), "not known")
    yield group.holds(
        "opt-in for Aurora",
        state == "on",
        f"the setting of {context.wanted.region} is {state}"
        + ("" if state == "on" else ": AWS Backup makes no copy of the database, and reports no failed job"),
        "aws backup update-region-settings --resource-type-opt-in-preference Aurora=true "
        f"--region {context.wanted.region} (it applies to the whole account in this region)",
    )


PART = Part("backups", (("opt-in for Aurora", opted_in),))
