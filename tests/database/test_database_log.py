"""What a person wrote is in no line of the database's log, with the parameters that the stacks set and without an application.

``test_canary.py`` does the same with the real Open WebUI; this runs in ``make test``.
"""

from __future__ import annotations

import contextlib

import psycopg
import pytest

from local.data.postgres import running
from tests.database.deployed import STACKS, deployed
from tests.database.server import VERSION
from tests.database.test_canary import recorded_parameters

WORD = "canary7f3a9c"
REFUSED = {
    "a check": "INSERT INTO chat VALUES (2, '@')",
    "a key that is there": "INSERT INTO chat VALUES (1, '@')",
    "a value that is too long": "INSERT INTO short VALUES ('@')",
    "a missing table": "SELECT * FROM gone WHERE title = '@'",
    "a missing column": "SELECT missing FROM chat WHERE title = '@'",
    "a division": "SELECT 1 / (length('@') - length('@'))",
    "a row of another table": "INSERT INTO message VALUES ('@')",
    "wrong syntax in a statement": "SELEC title FROM chat WHERE title = '@'",
}
"""What is refused → the statement, as a driver sends it that writes values, here ``@``, into the text."""


def written(parameters: dict[str, str]) -> str:
    """The log of a server with these parameters that refuses each statement, with a parameter too."""
    lines: list[str] = []
    with running(VERSION, parameters, lines.append) as server:
        server.run(
            "postgres",
            "CREATE TABLE chat (id int PRIMARY KEY, title text)",
            "INSERT INTO chat VALUES (1, 'one')",
            "ALTER TABLE chat ADD CONSTRAINT broken CHECK (id < 2)",
            "CREATE TABLE short (title varchar(3))",
            "CREATE TABLE kept (title text PRIMARY KEY)",
            "CREATE TABLE message (title text REFERENCES kept)",
        )
        with server.connect("postgres") as connection:
            for statement in REFUSED.values():
                with pytest.raises(psycopg.Error):
                    connection.execute(statement.replace("@", WORD).encode())
            with pytest.raises(psycopg.errors.CheckViolation):
                connection.execute(b"INSERT INTO chat VALUES (3, %s)", [WORD])
            with contextlib.suppress(psycopg.Error):
                connection.execute(b"SELECT pg_sleep(0.01), %s::text", [WORD])
    return "\n".join(lines)


@pytest.mark.parametrize("stack", STACKS)
def test_no_line_has_the_word_and_each_refusal_has_its_line(stack: str) -> None:
    log = written(recorded_parameters(deployed(stack)))
    assert WORD not in log
    assert log.count("ERROR:") == len(REFUSED) + 1
    assert 'violates check constraint "broken"' in log


def test_with_postgresqls_own_parameters_the_word_is_written() -> None:
    assert written({}).count(WORD) >= len(REFUSED)
