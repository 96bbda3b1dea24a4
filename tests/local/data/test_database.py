"""The database of prod, as the graph says: who gets in and how, its rights, parameters, endpoints and metrics."""

from __future__ import annotations

import json
import time

import pytest

from components.data.certificates import database_authority
from local.authority import Authority
from local.data.database import NAMESPACE, Database, InvalidDatabaseError, authority
from local.data.postgres import NoEngineError
from local.wiring import Loopback
from tests.local.around import World, nodes, stack_of, until, variables
from tests.local.data.clients import as_master, query, signed

CLUSTER, GROUP = "aws:rds/cluster:Cluster", "aws:rds/clusterParameterGroup:ClusterParameterGroup"
READ_ONLY = "cannot execute CREATE TABLE in a read-only transaction"


@pytest.fixture(scope="module")
def application(prod: World) -> str:
    """The application's role, as prepare makes it."""
    role = next(one["value"] for one in variables(prod.stack, "prepare") if one["name"] == "DATABASE_USER")
    made = as_master(prod, f"CREATE ROLE {role} LOGIN", f"GRANT rds_iam TO {role}")
    assert "rows" in made, made
    return role


def test_the_master_of_the_graph_gets_in_by_tls_and_is_no_superuser(prod: World) -> None:
    query_ = "SELECT rolname, rolsuper, rolcreaterole, pg_has_role('rds_superuser', 'MEMBER') FROM pg_roles WHERE rolname = current_user"
    cluster = prod.stack.one(CLUSTER)

    told = as_master(prod, query_, "SELECT current_database()", "CREATE EXTENSION IF NOT EXISTS vector")

    assert told["rows"][:2] == [[[cluster["masterUsername"], False, True, True]], [[cluster["databaseName"]]]]
    assert "permission denied" in as_master(prod, "CREATE ROLE other SUPERUSER")["problem"]


def test_a_connection_needs_tls_and_the_current_password(prod: World) -> None:
    plain = as_master(prod, sslmode="disable", sslrootcert="")

    assert "no encryption" in plain["problem"]
    assert "password authentication failed" in as_master(prod, password="wrong")["problem"]
    assert prod.database.causes[-1].endswith(f"{prod.database.master} could not log in: the password is wrong")


def test_only_the_authority_of_the_region_verifies_it(prod: World) -> None:
    other = prod.database.server.folder / "other.pem"
    other.write_text(Authority.in_place_of(database_authority("us-east-1")).certificate)
    own = Authority.in_place_of(database_authority(prod.stack.region))

    assert "certificate verify failed" in as_master(prod, sslrootcert=str(other))["problem"]
    assert prod.database.issuer.subject == own.subject


def _writer(prod: World) -> str:
    return str(prod.database.cluster["endpoint"])


def test_every_name_of_the_cluster_is_in_the_certificate(prod: World) -> None:
    for name in prod.database.names():
        assert as_master(prod, "SELECT 1", host=name)["rows"] == [[[1]]], name


def test_a_role_with_rds_iam_gets_in_by_a_token_and_not_by_the_password(prod: World, application: str) -> None:
    told = query(prod, "SELECT current_user", user=application, token=signed(prod, application))
    password = json.loads(prod.database.managed_secret()[1])["password"]

    assert told["rows"] == [[[application]]]
    assert prod.database.entered[-1] == (application, "token")
    refused = query(prod, user=application, password=password)
    assert f'PAM authentication failed for user "{application}"' in refused["problem"]
    assert query(prod, user="unknown", password=password)["problem"].count("password authentication failed")
    assert "there is no such role" in prod.database.causes[-1]


def test_what_the_login_refuses_is_logged_and_counted(prod: World, application: str) -> None:
    since = time.time()
    other = signed(prod, prod.database.master)

    assert "PAM authentication failed" in query(prod, user=application, token=other)["problem"]

    names = [one.name for one in prod.database.metrics.since(since)]
    assert {"IamDbAuthConnectionRequests", "IamDbAuthConnectionFailure"} == set(names)
    assert prod.database.causes[-1].startswith(
        f"database {prod.database.cluster.name}: {application} could not log in by IAM"
    )


def test_parameters_of_the_group_are_applied(prod: World) -> None:
    given = {one["name"]: one["value"] for one in prod.stack.one(GROUP)["parameters"]}
    ask = "SELECT name, CASE setting WHEN 'on' THEN '1' WHEN 'off' THEN '0' ELSE setting END FROM pg_settings"

    rows = dict(as_master(prod, ask)["rows"][0])

    known = {name: value for name, value in given.items() if name in rows}
    assert {name: rows[name] for name in known} == known
    assert set(given) - set(known) == {"rds.force_ssl", *prod.database.not_emulated}
    assert prod.database.not_emulated == ()


def test_a_reader_takes_no_writes_and_a_failover_makes_it_the_writer(prod: World) -> None:
    database = prod.database
    reader, writer = str(database.cluster["readerEndpoint"]), _writer(prod)
    before = dict(database.names())
    assert READ_ONLY in as_master(prod, "CREATE TABLE a (b int)", host=reader)["problem"]

    database.failover(600, 600)
    assert "server closed the connection unexpectedly" in as_master(prod, "SELECT 1")["problem"]
    database.answer()
    # The name still has the previous writer's address, which takes no writes now.
    assert database.names() == before
    assert READ_ONLY in as_master(prod, "CREATE TABLE a (b int)")["problem"]
    assert "session is read-only" in as_master(prod, target_session_attrs="read-write")["problem"]
    database.answer(renamed=True)

    assert database.names()[writer] == before[reader]
    assert "rows" in as_master(prod, "CREATE TABLE a (b int)", "DROP TABLE a")
    database.failover(0, 0)
    assert database.names() == before


def test_a_stopped_cluster_refuses_connections_and_keeps_its_data(prod: World) -> None:
    as_master(prod, "CREATE TABLE kept (a int)")
    prod.database.stop()

    assert "Connection refused" in as_master(prod, "SELECT 1")["problem"]

    prod.database.start()
    assert as_master(prod, "SELECT count(*) FROM kept", "DROP TABLE kept")["rows"][0] == [[0]]


def test_a_rotated_password_is_in_the_managed_secret_and_the_previous_one_ends(prod: World) -> None:
    arn, previous = prod.database.managed_secret()
    prod.database.rotate()

    assert prod.database.managed_secret()[0] == arn
    assert "rows" in as_master(prod, "SELECT 1")
    assert "password authentication failed" in as_master(prod, password=json.loads(previous)["password"])["problem"]


def test_metrics_have_the_dimensions_that_alarms_read(prod: World) -> None:
    since = time.time()
    prod.database.measure()

    emitted = {(one.name, one.dimensions) for one in prod.database.metrics.since(since)}
    alarms = [
        one for one in prod.stack.all("aws:cloudwatch/metricAlarm:MetricAlarm") if one.get("namespace") == NAMESPACE
    ]
    read = {(str(one["metricName"]), frozenset(one["dimensions"].items())) for one in alarms}
    unknown = {name for name, _ in read - emitted}
    # What only the real hardware has.
    assert unknown == {"CPUUtilization", "FreeableMemory", "VolumeBytesUsed"}


def test_logs_are_exported_to_the_groups_that_the_cluster_names(prod: World) -> None:
    groups = {str(one["name"]) for one in prod.stack.all("aws:cloudwatch/logGroup:LogGroup")}
    as_master(prod, "SELECT 1")

    exported = {
        f"/aws/rds/cluster/{prod.stack.one(CLUSTER)['clusterIdentifier']}/{one}"
        for one in ("postgresql", "iam-db-auth-error")
    }
    assert exported <= groups
    # PostgreSQL writes them to a pipe, which another thread reads.
    assert until(10, lambda: all(prod.endpoints.logs.of(group) for group in exported))
    server = min(exported, key=lambda one: "iam" in one)
    assert until(10, lambda: any("connection authorized" in line for line in prod.endpoints.logs.of(server)))


REFUSED = {
    "the family": (GROUP, {"family": "aurora-postgresql17"}, "family is aurora-postgresql17"),
    "the group": (CLUSTER, {"dbClusterParameterGroupName": "other"}, "dbClusterParameterGroupName"),
    "the identifier": (CLUSTER, {"clusterIdentifier": "other"}, "no instance refers to its clusterIdentifier"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_cluster_that_rds_would_not_make_is_refused(name: str) -> None:
    type_, inputs, message = REFUSED[name]
    stack = stack_of("prod")
    broken = stack.changed(stack.one(type_), **inputs)

    with pytest.raises(InvalidDatabaseError, match=message):
        Database(broken, Loopback(), nodes(broken, 1), authority(broken), lambda _token, _user: "")


def test_an_engine_that_is_not_installed_is_named() -> None:
    stack = stack_of("prod")
    broken = stack.changed(stack.one(CLUSTER), engineVersion="15")
    broken = broken.changed(broken.one(GROUP), family="aurora-postgresql15")

    with pytest.raises(NoEngineError, match="no PostgreSQL 15"):
        Database(broken, Loopback(), nodes(broken, 1), authority(broken), lambda _token, _user: "")
