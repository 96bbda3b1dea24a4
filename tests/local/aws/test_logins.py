"""The task's credentials server, and logins to the database by IAM."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from local.aws.access import Access
from local.aws.credentials import RENEWED, TaskCredentials
from local.aws.database_login import DatabaseLogin
from local.aws.sessions import Issuer, RefusedError, now
from local.refusals import Refusals
from local.stack import Resource, Stack
from local.task.services import task_definition
from local.wiring import Loopback, Node
from tests.local.aws.calls import database_token
from tests.local.aws.world import STACKS, TASK_ID, bootstrap, stack

NODE = Node("task-1", "10.0.0.1")
USER = "interface"


def served(of: Stack, issuer: Issuer) -> TaskCredentials:
    return TaskCredentials(of, Loopback(), NODE, TASK_ID, issuer)


def issuer_of(of: Stack) -> Issuer:
    return Issuer(Access(of, bootstrap(of.name)))


def ask(credentials: TaskCredentials) -> httpx.Response:
    return httpx.get(credentials.environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"], timeout=5)


@pytest.mark.parametrize("name", STACKS)
def test_a_container_gets_credentials_of_the_task_role(name: str) -> None:
    of = stack(name)
    issuer = issuer_of(of)
    with served(of, issuer) as credentials:
        given = ask(credentials).json()
        assert given["RoleArn"] == task_definition(of)["taskRoleArn"]
        session = issuer.find(given["AccessKeyId"])
        assert session is not None
        assert (given["SecretAccessKey"], given["Token"]) == (session.secret_key, session.token)
        assert ask(credentials).json() == given
        uri = credentials.environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
        assert httpx.get(f"{uri}x", timeout=5).status_code == 404


def test_credentials_are_renewed_before_they_expire() -> None:
    of = stack("prod")
    issuer = issuer_of(of)
    with served(of, issuer) as credentials:
        first = ask(credentials).json()
        issuer.clock = lambda: now() + issuer.lifetime - RENEWED + timedelta(seconds=5)
        assert ask(credentials).json()["AccessKeyId"] != first["AccessKeyId"]


def test_a_task_role_that_does_not_trust_ecs_or_is_missing_is_named() -> None:
    of = stack("prod")
    role = of.by_arn(str(task_definition(of)["taskRoleArn"]))
    document = role.document("assumeRolePolicy")
    document["Statement"][0]["Condition"]["StringEquals"]["aws:SourceAccount"] = ["000000000000"]
    changed = of.changed(role, assumeRolePolicy=json.dumps(document))
    with served(changed, issuer_of(changed)) as credentials:
        answer = ask(credentials)
        assert (answer.status_code, answer.json()["code"]) == (400, "AccessDenied")
        (cause,) = credentials.refusals.of("task credentials")
        assert "StringEquals aws:SourceAccount 000000000000, the request contains 444455556666" in cause
    without = of.changed(task_definition(of), taskRoleArn=None)
    refusals = Refusals()
    with pytest.raises(RefusedError, match="has no taskRoleArn"):
        replace(served(without, issuer_of(of)), refusals=refusals).renew()


def login(of: Stack, **changed: str) -> str:
    """Why a login of the task is refused."""
    issuer = issuer_of(of)
    (cluster,) = of.all("aws:rds/cluster:Cluster")
    session = issuer.assume(str(task_definition(of)["taskRoleArn"]), NODE, TASK_ID)
    given: dict[str, Any] = {
        "host": cluster["endpoint"],
        "port": int(cluster["port"]),
        "user": USER,
        "region": of.region,
        **changed,
    }
    return DatabaseLogin(issuer.access, issuer, cluster).refusal(database_token(session, **given), USER)


@pytest.mark.parametrize("name", STACKS)
def test_the_task_logs_in_with_a_token_for_its_own_user_host_and_region(name: str) -> None:
    of = stack(name)
    (cluster,) = of.all("aws:rds/cluster:Cluster")
    assert login(of) == ""
    assert login(of, host=cluster["readerEndpoint"]) == ""
    assert "the token is for the user interface_admin, not for interface" in login(of, user="interface_admin")
    assert "host other:5432, which is not rds-db's" in login(of, host="other")
    assert "signed for the region us-east-1" in login(of, region="us-east-1")


def cluster_of(of: Stack) -> Resource:
    return of.one("aws:rds/cluster:Cluster")


def test_a_cluster_without_iam_and_a_policy_for_another_cluster_are_named() -> None:
    of = stack("prod")
    assert login(of.changed(cluster_of(of), iamDatabaseAuthenticationEnabled=False)).endswith("is not on")
    cause = login(of.changed(cluster_of(of), clusterResourceId="cluster-OTHER"))
    assert "rds-db:connect on" in cause
    assert "cluster-OTHER/interface: no statement of role workload-task" in cause
