"""The first deployment of each real stack: its ``prepare`` container, names and variables on an empty database."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any, cast

import boto3  # pyright: ignore[reportMissingTypeStubs] - it has none
import psycopg
import pytest

from components.prepare.names import owner_of
from local.data.postgres import PostgresServer
from preflight.conform.iam.evaluator import Request, allowed
from tests.database.application import FIRST, Image, image
from tests.database.deployed import STACKS, Deployed, deployed
from tests.database.rds_login import KEY_ID, SECRET_KEY
from tests.database.stack_database import ADDED, PLAN_REPLACED, REPLACED, ContainerExit, StackDatabase, stack_database

POLICY = "aws:iam/rolePolicy:RolePolicy"


@pytest.fixture(params=STACKS)
def stack(request: pytest.FixtureRequest) -> Deployed:
    return deployed(request.param)


@pytest.fixture
def database(stack: Deployed, server: PostgresServer, tmp_path: Path) -> Generator[StackDatabase]:
    with stack_database(server, stack, tmp_path) as found:
        yield found


@pytest.fixture
def own(tmp_path: Path) -> Image:
    return image(tmp_path / "image", FIRST)


def _prepare(database: StackDatabase, own: Image) -> ContainerExit:
    return database.prepare(own, database.deployed.release, {database.deployed.release: (own.head, [])})


def test_prepare_succeeds_twice_and_the_application_makes_its_tables(database: StackDatabase, own: Image) -> None:
    first, second = _prepare(database, own), _prepare(database, own)

    assert (first.code, second.code) == (0, 0), first.text + second.text
    assert (len(first.events("migrated")), len(second.events("migrated"))) == (1, 0)
    with _logged_in(database) as connection:
        connection.execute("CREATE TABLE notes (embedding vector(3))")
        connection.execute("INSERT INTO chat (title) VALUES ('first')")
        made = connection.execute("SELECT schemaname, tableowner FROM pg_tables WHERE tablename = 'notes'").fetchall()
    assert made == [(database.role, database.role)]
    assert database.login.logins[-1] == (database.role, "token")
    assert not database.login.refusals


@pytest.mark.parametrize("taken", ["application", "owner"])
def test_a_master_with_the_name_of_another_role_ends_the_first_deployment(
    stack: Deployed, server: PostgresServer, tmp_path: Path, own: Image, taken: str
) -> None:
    planted = stack.with_master({"application": stack.role, "owner": owner_of(stack.role)}[taken])

    with stack_database(server, planted, tmp_path) as database:
        done = _prepare(database, own)

        assert "no role can be granted to itself: give the database another master" in done.reason
        assert database.ask("SELECT count(*) FROM pg_namespace WHERE nspname = %s", database.role) == [(0,)]


def test_nothing_but_what_is_listed_differs_from_the_task_definition(database: StackDatabase, own: Image) -> None:
    recorded = {**database.deployed.environment("prepare"), **database.deployed.secrets("prepare", database.password)}
    here = database.container_variables(own, database.deployed.release, {})

    assert {name for name in here if here[name] != recorded.get(name)} == {*REPLACED, *ADDED}
    assert set(here) - set(recorded) == set(ADDED)
    before, after = _flat(database.deployed.plan), _flat(json.loads(here["PREPARE_PLAN"]))
    assert before.keys() == after.keys()
    assert {key for key in before if before[key] != after[key]} <= set(PLAN_REPLACED)


def test_the_task_role_may_log_in_only_as_the_role_that_prepare_creates(stack: Deployed) -> None:
    policies = [json.loads(one.inputs["policy"]) for one in stack.recording.of_type(POLICY)]
    statements = [s for policy in policies for s in policy["Statement"] if "rds-db:connect" in s["Action"]]
    (cluster,) = stack.recording.of_type("aws:rds/cluster:Cluster")
    account = str(cluster.outputs["arn"]).split(":")[4]

    def may(user: str) -> bool:
        database = f"arn:aws:rds-db:{stack.region}:{account}:dbuser:{cluster.outputs['clusterResourceId']}"
        principal = f"arn:aws:iam::{account}:role/task"
        request = Request(action="rds-db:connect", resource=f"{database}/{user}", principal=principal)
        return allowed(request, statements)

    assert may(stack.environment("interface")["DATABASE_USER"])
    assert stack.environment("interface")["DATABASE_USER"] == stack.role
    assert not may(stack.master)
    assert not may(owner_of(stack.role))


def _flat(plan: dict[str, Any]) -> dict[str, Any]:
    database = plan.pop("database")
    return {**plan, **{f"database.{key}": value for key, value in database.items()}}


def _logged_in(database: StackDatabase) -> psycopg.Connection:
    """Connect as the interface container does: with its variables and a token of the task role."""
    variables = database.deployed.environment("interface")
    authority = database.folder / "authority.pem"
    authority.write_text(database.authority)
    rds = cast("Any", boto3).client(
        "rds",
        region_name=variables["AWS_DEFAULT_REGION"],
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=SECRET_KEY,
    )
    token = rds.generate_db_auth_token(
        DBHostname="localhost", Port=database.login.port, DBUsername=variables["DATABASE_USER"]
    )
    return psycopg.connect(
        host="localhost",
        port=database.login.port,
        dbname=variables["DATABASE_NAME"],
        user=variables["DATABASE_USER"],
        password=token,
        sslmode=variables["PGSSLMODE"],
        sslrootcert=str(authority),
    )
