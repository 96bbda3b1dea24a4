"""The first deployment of each real stack: its own ``prepare`` container, names and variables on an empty database."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any, cast

import boto3  # pyright: ignore[reportMissingTypeStubs] - it has none
import psycopg
import pytest

from components.prepare.names import owner_of
from preflight.conform.iam.evaluator import Request, allowed
from tests.database.application import FIRST, Image, image
from tests.database.deployed import STACKS, Deployed, deployed
from tests.database.door import KEY_ID, SECRET_KEY
from tests.database.room import ADDED, PLAN_REPLACED, REPLACED, Done, Room, rented
from tests.database.server import Server

POLICY = "aws:iam/rolePolicy:RolePolicy"


@pytest.fixture(params=STACKS)
def stack(request: pytest.FixtureRequest) -> Deployed:
    return deployed(request.param)


@pytest.fixture
def room(stack: Deployed, server: Server, tmp_path: Path) -> Generator[Room]:
    with rented(server, stack, tmp_path) as found:
        yield found


@pytest.fixture
def own(tmp_path: Path) -> Image:
    return image(tmp_path / "image", FIRST)


def _prepare(room: Room, own: Image) -> Done:
    return room.prepare(own, room.deployed.release, {room.deployed.release: (own.head, [])})


def test_prepare_succeeds_twice_and_the_application_makes_its_tables(room: Room, own: Image) -> None:
    first, second = _prepare(room, own), _prepare(room, own)

    assert (first.code, second.code) == (0, 0), first.text + second.text
    assert (len(first.said("migrated")), len(second.said("migrated"))) == (1, 0)
    with _logged_in(room) as connection:
        connection.execute("CREATE TABLE notes (embedding vector(3))")
        connection.execute("INSERT INTO chat (title) VALUES ('first')")
        made = connection.execute("SELECT schemaname, tableowner FROM pg_tables WHERE tablename = 'notes'").fetchall()
    assert made == [(room.role, room.role)]
    assert room.door.entered[-1] == (room.role, "token")
    assert not room.door.refused


@pytest.mark.parametrize("taken", ["application", "owner"])
def test_a_master_with_the_name_of_another_role_ends_the_first_deployment(
    stack: Deployed, server: Server, tmp_path: Path, own: Image, taken: str
) -> None:
    planted = stack.with_master({"application": stack.role, "owner": owner_of(stack.role)}[taken])

    with rented(server, planted, tmp_path) as room:
        done = _prepare(room, own)

        assert "no role can be granted to itself: give the database another master" in done.reason
        assert room.ask("SELECT count(*) FROM pg_namespace WHERE nspname = %s", room.role) == [(0,)]


def test_nothing_but_what_is_listed_differs_from_the_task_definition(room: Room, own: Image) -> None:
    recorded = {**room.deployed.environment("prepare"), **room.deployed.secrets("prepare", room.password)}
    here = room.container_variables(own, room.deployed.release, {})

    assert {name for name in here if here[name] != recorded.get(name)} == {*REPLACED, *ADDED}
    assert set(here) - set(recorded) == set(ADDED)
    before, after = _flat(room.deployed.plan), _flat(json.loads(here["PREPARE_PLAN"]))
    assert before.keys() == after.keys()
    assert {key for key in before if before[key] != after[key]} <= set(PLAN_REPLACED)


def test_the_task_role_may_log_in_as_the_role_that_prepare_makes_and_as_no_other(stack: Deployed) -> None:
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


def _logged_in(room: Room) -> psycopg.Connection:
    """A connection as the interface container makes it: its variables, and a token of the task role."""
    variables = room.deployed.environment("interface")
    authority = room.folder / "authority.pem"
    authority.write_text(room.authority)
    rds = cast("Any", boto3).client(
        "rds",
        region_name=variables["AWS_DEFAULT_REGION"],
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=SECRET_KEY,
    )
    token = rds.generate_db_auth_token(
        DBHostname="localhost", Port=room.door.port, DBUsername=variables["DATABASE_USER"]
    )
    return psycopg.connect(
        host="localhost",
        port=room.door.port,
        dbname=variables["DATABASE_NAME"],
        user=variables["DATABASE_USER"],
        password=token,
        sslmode=variables["PGSSLMODE"],
        sslrootcert=str(authority),
    )
