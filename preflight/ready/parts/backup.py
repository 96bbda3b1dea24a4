"""AWS Backup copies what the plan selects: for some kinds of resources, only where the account opted in to them.

A cluster that is selected by its ARN is still left out where the region's setting for Aurora is off, without a failed
job, so no alarm says so. Other kinds are copied whatever their setting is once an ARN selects them:
https://docs.aws.amazon.com/aws-backup/latest/devguide/assigning-resources-json.html ("Shared resource types").
"""

from __future__ import annotations

from collections.abc import Iterator

from preflight.account.lines import Group, Line
from preflight.ready.asking import Asking, Part

AURORA = "Aurora"
SELECTION, CLUSTER = "aws:backup/selection:Selection", "aws:rds/cluster:Cluster"


def opted_in(asking: Asking, group: Group) -> Iterator[Line]:
    """The region's setting for Aurora is on, where the stack has a cluster and a selection."""
    if not (asking.wanted.count(SELECTION) and asking.wanted.count(CLUSTER)):
        return
    answer = asking.account.ask("backup", "describe_region_settings")
    settings = answer.get("ResourceTypeOptInPreference", {})
    state = {True: "on", False: "off"}.get(settings.get(AURORA), "not known")
    yield group.holds(
        "opt-in for Aurora",
        state == "on",
        f"the setting of {asking.wanted.region} is {state}"
        + ("" if state == "on" else ": AWS Backup makes no copy of the database, and reports no failed job"),
        "aws backup update-region-settings --resource-type-opt-in-preference Aurora=true "
        f"--region {asking.wanted.region} (it holds for the whole account in this region)",
    )


PART = Part("backups", (("opt-in for Aurora", opted_in),))
