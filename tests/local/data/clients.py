"""Programs on a host of the network that connect to the state as a task would."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from tests.local.around import World

QUERY = """
import json, sys, boto3, psycopg
given = json.loads(sys.argv[1])
token = given.pop("token", None)
if token:
    rds = boto3.client("rds", region_name=token.pop("region"), aws_access_key_id=token.pop("key"),
        aws_secret_access_key=token.pop("secret"), aws_session_token=token.pop("session"))
    given["password"] = rds.generate_db_auth_token(**token)
queries = given.pop("queries")
try:
    with psycopg.connect(**given, autocommit=True, connect_timeout=5) as connection:
        told = []
        for query in queries:
            done = connection.execute(query)
            told.append(done.fetchall() if done.description else [])
        print(json.dumps({"rows": told}, default=str))
except psycopg.Error as problem:
    print(json.dumps({"problem": str(problem)}))
"""


def query(world: World, *queries: str, host: str = "", **given: Any) -> dict[str, Any]:  # noqa: ANN401 - libpq's own
    """Connect by the address that a name of the database has now; rows, or the problem.

    libpq verifies the name and connects to the address (``host`` and ``hostaddr``).
    """
    database = world.database
    name = host or str(database.cluster["endpoint"])
    authority = database.server.folder / "authority.pem"
    authority.write_text(database.issuer.certificate)
    asked = {
        "host": name,
        "hostaddr": database.names()[name],
        "port": database.port,
        "dbname": database.name,
        "sslmode": "verify-full",
        "sslrootcert": str(authority),
        "queries": queries,
        **given,
    }
    command = world.wiring.command(world.outside.host, [sys.executable, "-c", QUERY, json.dumps(asked)])
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=True)  # noqa: S603
    return json.loads(done.stdout)


def as_master(world: World, *queries: str, **given: Any) -> dict[str, Any]:  # noqa: ANN401 - libpq's own
    """The same as the master, with the password of the managed secret."""
    _, secret = world.database.managed_secret()
    found = json.loads(secret)
    return query(world, *queries, **{"user": found["username"], "password": found["password"], **given})


def signed(world: World, user: str, **changes: str) -> dict[str, str]:
    """What a token is made for: the cluster's endpoint, its port and this user."""
    session = world.session
    made = {
        "DBHostname": str(world.database.cluster["endpoint"]),
        "Port": str(world.database.port),
        "DBUsername": user,
        "region": world.stack.region,
        "key": session.key_id,
        "secret": session.secret_key,
        "session": session.token,
    }
    return {**made, **changes}
