"""What is overdue in an account that otherwise matches the stack: each secret by its age, each restore test by its date."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from preflight.account.lines import Line, Status
from preflight.account.session import Account
from preflight.due.calls import CALLS
from preflight.due.command import lines
from preflight.due.restores import LEFT, TOLERANCE
from preflight.due.secrets import API_KEY, CLIENT_SECRET, CLUSTER, MASTER, ROTATIONS, SECRET, named, section_of
from preflight.verify.command import stack_of
from preflight.verify.context import VerifyContext
from preflight.verify.stack import StackInCheckout
from tests.bootstrap.test_role_documents import BUILT
from tests.preflight.account.loopback import Cloud
from tests.preflight.conform.graphs import VARIANTS, program
from tests.preflight.ready.test_calls import iam_actions
from tests.preflight.verify.right_account import World, live_name, tagged
from tests.settings.stack_files import ROOT

ACCOUNT = "333344446666"
DAY = dt.timedelta(days=1)
PLAN = "arn:aws:backup:eu-west-1:333344446666:restore-testing-plan:ai_interface_staging-0a1b"


def job(kind: str, days: float, now: dt.datetime, **more: object) -> dict[str, Any]:
    """A restore job of the plan that was created so many days ago."""
    name = {"Aurora": "arn:aws:rds:eu-west-1:333344446666:cluster:", "S3": "arn:aws:s3:::"}[kind]
    return {
        "RestoreJobId": f"{kind}-{days}",
        "ResourceType": kind,
        "Status": "COMPLETED",
        "DeletionStatus": "SUCCESSFUL",
        "CreationDate": now - days * DAY,
        "CreatedResourceArn": f"{name}awsbackup-restore-test-1",
        **more,
    }


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """An account with the stack's secrets, each with a value from today, and its database."""
    stack = stack_of(ROOT, "staging")
    settings = stack.settings.model_copy(update={"account_id": ACCOUNT})
    cloud = Cloud(ACCOUNT)
    try:
        found = World(cloud, StackInCheckout(settings, stack.release, stack.recording))
        secrets = found.client("secretsmanager")
        for logical, _ in found.inputs(SECRET):
            found.arns.append(secrets.create_secret(Name=live_name(logical), SecretString="planted")["ARN"])
        for name, _ in named(found.stack):
            secrets.create_secret(Name=name, SecretString="planted")
        master = secrets.create_secret(Name="rds!cluster-1", SecretString="planted")["ARN"]
        ((_, cluster),) = found.inputs(CLUSTER)
        shown = {"DBClusterIdentifier": cluster["clusterIdentifier"], "MasterUserSecret": {"SecretArn": master}}
        cloud.answers |= {
            ("resourcegroupstaggingapi", "GetResources"): lambda asked: tagged(found, asked),
            ("rds", "DescribeDBClusters"): {"DBClusters": [shown]},
        }
        yield found
    finally:
        cloud.stop()


def told(world: World, days: float = 0, jobs: list[dict[str, Any]] | None = None, made: float = 400) -> list[Line]:
    """The command's lines so many days from now, with these restore jobs and a plan of this age in days."""
    now = dt.datetime.now(dt.UTC) + days * DAY
    plan = {"RestoreTestingPlanArn": PLAN, "CreationTime": now - made * DAY}
    chosen = [job("Aurora", 20, now), job("S3", 20, now)] if jobs is None else jobs
    world.cloud.answers[("backup", "GetRestoreTestingPlan")] = {"RestoreTestingPlan": plan}
    world.cloud.answers[("backup", "ListRestoreJobs")] = {"RestoreJobs": chosen}
    account = Account(world.stack.region, CALLS, endpoint_url=world.cloud.url, session=world.session)
    return lines(VerifyContext(world.stack, account, now))


def overdue(found: list[Line]) -> dict[str, str]:
    """Subject and fix of everything that is not ok."""
    return {line.subject: line.fix for line in found if line.status is not Status.OK}


def test_nothing_is_overdue_in_a_young_account_and_each_secret_has_its_line(world: World) -> None:
    found = told(world)
    assert overdue(found) == {}
    wanted = len(world.stack.resources(SECRET)) + len(named(world.stack)) + 1
    assert sum(line.group == "secrets" for line in found) == wanted


@pytest.mark.parametrize("days", [365, 366])
def test_a_secret_is_due_on_the_day_after_the_last_one(world: World, days: int) -> None:
    limit = world.stack.settings.secrets.maximum_age_days
    assert limit == 365
    found = overdue(told(world, days + 0.5))
    if days == limit:
        assert found == {}
    else:
        assert found["workload-session-key"] == "docs/incidents.md#rotating-the-session-key"
        assert found[world.stack.settings.identity.client_secret_name] == f"docs/incidents.md#{CLIENT_SECRET}"
        assert len(found) == sum(line.group == "secrets" for line in told(world))


def test_a_rotated_secret_is_young_again_and_its_earlier_value_does_not_count(world: World) -> None:
    client, name = world.client("secretsmanager"), world.stack.settings.identity.client_secret_name
    client.put_secret_value(SecretId=name, SecretString="another")
    versions = client.list_secret_version_ids(SecretId=name)["Versions"]
    assert {stage for one in versions for stage in one["VersionStages"]} == {"AWSCURRENT", "AWSPREVIOUS"}
    assert name not in overdue(told(world))


def test_no_line_contains_a_value(world: World) -> None:
    assert not [line for line in told(world, 500) if "planted" in f"{line}"]


@pytest.mark.parametrize("name", sorted(VARIANTS))
def test_every_secret_of_every_variant_has_a_section_that_says_what_a_rotation_does(name: str) -> None:
    anchors = {
        re.sub(r"[^a-z0-9 -]", "", line.lstrip("# ").lower()).replace(" ", "-")
        for line in (ROOT / "docs" / "incidents.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("#")
    }
    assert {section_of(one.name) for one in program(name).of_type(SECRET)} <= anchors
    assert {section for _, section in ROTATIONS} | {CLIENT_SECRET, MASTER, API_KEY} <= anchors


def test_a_secret_without_a_section_is_an_error() -> None:
    with pytest.raises(LookupError, match=r"add it to preflight/due/secrets\.py"):
        section_of("another-secret")


def test_a_test_that_did_not_complete_in_time_is_overdue(world: World) -> None:
    now = dt.datetime.now(dt.UTC)
    failed = overdue(told(world, jobs=[job("Aurora", 3, now, Status="FAILED", DeletionStatus=None), job("S3", 3, now)]))
    assert failed == {"restore test of Aurora": "docs/runbook.md#due, step 3"}
    assert set(overdue(told(world, jobs=[]))) == {"restore test of Aurora", "restore test of S3"}


def test_a_young_plan_has_not_failed_yet(world: World) -> None:
    found = [line for line in told(world, jobs=[], made=2) if line.group == "restore tests"]
    assert {line.status for line in found} == {Status.OK}
    assert all(line.found.startswith("none has completed yet") for line in found)


def test_the_time_follows_the_settings(world: World) -> None:
    months = world.stack.settings.data.restore_test_months
    (asked, *_) = [line.found for line in told(world) if line.group == "restore tests"]
    assert asked == f"one has completed within {31 * months + TOLERANCE.days} days"


@pytest.mark.parametrize("status", ["FAILED", "DELETING"])
def test_a_copy_that_was_left_behind_is_named_until_it_is_gone(world: World, status: str) -> None:
    now, late = dt.datetime.now(dt.UTC), LEFT.days + 1
    jobs = [job("Aurora", late, now, DeletionStatus=status), job("S3", late, now, DeletionStatus=status)]
    # The bucket is gone: someone has deleted it. The cluster is still there.
    assert set(overdue(told(world, jobs=jobs))) == {"copy of Aurora"}
    world.client("s3").create_bucket(
        Bucket="awsbackup-restore-test-1", CreateBucketConfiguration={"LocationConstraint": world.stack.region}
    )
    try:
        assert set(overdue(told(world, jobs=jobs))) == {"copy of Aurora", "copy of S3"}
    finally:
        world.client("s3").delete_bucket(Bucket="awsbackup-restore-test-1")


def test_a_bucket_may_take_days_to_empty(world: World) -> None:
    now = dt.datetime.now(dt.UTC)
    young = [job("Aurora", 1, now), job("S3", LEFT.days - 1, now, DeletionStatus="DELETING")]
    assert overdue(told(world, jobs=young)) == {}


def test_the_wrong_account_is_asked_nothing(world: World) -> None:
    elsewhere = StackInCheckout(
        world.stack.settings.model_copy(update={"account_id": "111111111111"}),
        world.stack.release,
        world.stack.recording,
    )
    account = Account(world.stack.region, CALLS, endpoint_url=world.cloud.url, session=world.session)
    (line,) = lines(VerifyContext(elsewhere, account, dt.datetime.now(dt.UTC)))
    assert line.status is Status.MISSING
    assert account.made == {("sts", "get_caller_identity")}


def test_each_call_only_reads_and_the_role_of_the_nightly_check_may_make_it() -> None:
    needed = {action for actions in CALLS.values() for action in actions}
    assert {iam_actions()[action.lower()] for action in needed} <= {"List", "Read"}
    allowed = {action for one in yaml.safe_load(BUILT["preview"])["Statement"] for action in one["Action"]}
    assert [one for one in sorted(needed - {"sts:GetCallerIdentity"}) if not covered(one, allowed)] == []


def covered(action: str, allowed: set[str]) -> bool:
    """Whether an action is in a policy that may have wildcards."""
    return any(re.fullmatch(one.replace("*", ".*"), action) for one in allowed)
