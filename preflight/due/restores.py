"""The last restore test of each resource: it has completed within the time that the settings ask for, and left nothing behind."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from preflight.account.lines import Group, Line
from preflight.verify.context import Part, VerifyContext

PLAN = "aws:backup/restoreTestingPlan:RestoreTestingPlan"
SELECTION = "aws:backup/restoreTestingSelection:RestoreTestingSelection"
MONTH = dt.timedelta(days=31)
TOLERANCE = dt.timedelta(days=3)
"""The hour within which AWS Backup starts a test, the restore, and the time until this is looked at."""
LEFT = dt.timedelta(days=14)
"""AWS Backup deletes a cluster at once and empties a bucket by a lifecycle rule, which takes days
(https://docs.aws.amazon.com/aws-backup/latest/devguide/restore-testing.html)."""


def tests(context: VerifyContext, group: Group) -> Iterator[Line]:
    """One line for each selection, and one for each copy that was left behind."""
    for inputs in context.stack.inputs(PLAN):
        name = str(inputs["name"])
        absent = ("ResourceNotFoundException",)
        found = context.account.find("backup", "get_restore_testing_plan", absent, RestoreTestingPlanName=name)
        if found is None:
            yield group.missing(f"plan {name}", "is not in the account", "run pulumi refresh, then pulumi up")
            continue
        plan: dict[str, Any] = found["RestoreTestingPlan"]
        within = MONTH * context.stack.settings.data.restore_test_months + TOLERANCE
        jobs = context.account.every(
            "backup",
            "list_restore_jobs",
            "RestoreJobs",
            ByRestoreTestingPlanArn=plan["RestoreTestingPlanArn"],
            ByCreatedAfter=context.now - within,
        )
        for kind in sorted(str(one["protectedResourceType"]) for one in context.stack.inputs(SELECTION)):
            yield _completed(group, kind, jobs, within, young=plan["CreationTime"] > context.now - within)
        yield from _left(context, group, jobs)


def _completed(group: Group, kind: str, jobs: list[dict[str, Any]], within: dt.timedelta, *, young: bool) -> Line:
    subject = f"restore test of {kind}"
    done = [one for one in jobs if one.get("ResourceType") == kind and one.get("Status") == "COMPLETED"]
    if done:
        return group.ok(subject, f"one has completed within {within.days} days")
    if young:
        return group.ok(subject, f"none has completed yet, and the plan is younger than {within.days} days")
    return group.missing(subject, f"none has completed within {within.days} days", "docs/runbook.md#due, step 3")


def _left(context: VerifyContext, group: Group, jobs: list[dict[str, Any]]) -> Iterator[Line]:
    for job in jobs:
        created = str(job.get("CreatedResourceArn", ""))
        late = job["CreationDate"] < context.now - LEFT and job.get("DeletionStatus") != "SUCCESSFUL"
        if created and (late or job.get("DeletionStatus") == "FAILED") and _exists(context, created):
            found = f"a test has left {created.rpartition(':')[2]} behind"
            yield group.missing(f"copy of {job.get('ResourceType')}", found, "docs/runbook.md#due, step 4")


def _exists(context: VerifyContext, arn: str) -> bool:
    name = arn.rpartition(":")[2]
    if arn.startswith("arn:aws:s3:::"):
        return context.account.find("s3", "head_bucket", ("404", "NoSuchBucket"), Bucket=name) is not None
    absent = ("DBClusterNotFoundFault",)
    return context.account.find("rds", "describe_db_clusters", absent, DBClusterIdentifier=name) is not None


PART = Part("restore tests", (("restore tests", tests),))
