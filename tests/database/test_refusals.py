"""When ``prepare`` stops, and when an earlier release runs on a later one's schema."""

from __future__ import annotations

from pathlib import Path

from local.certificate import self_signed
from tests.database.application import FIRST, SECOND, image
from tests.database.stack_database import NEW, OLD, Schemas, StackDatabase

COMPATIBLE: Schemas = {OLD: ("1111", []), NEW: ("2222", [OLD])}
INCOMPATIBLE: Schemas = {OLD: ("1111", []), NEW: ("2222", [])}
ALONE: Schemas = {OLD: ("1111", [])}
"""The schemas in a task definition that is older than the later release."""


def test_an_earlier_release_runs_on_a_later_schema_only_if_the_record_allows_it(
    database: StackDatabase, tmp_path: Path
) -> None:
    old, new = image(tmp_path / "old", FIRST), image(tmp_path / "new", FIRST, SECOND)
    database.prepare(new, NEW, COMPATIBLE)

    by_record = database.prepare(old, OLD, ALONE)
    by_manifest = database.prepare(old, OLD, INCOMPATIBLE)

    assert by_record.code == 0, by_record.text
    assert by_record.events("schema")[0]["step"] == "compatible"
    assert f"release {NEW} made it" in by_manifest.reason
    assert "(before 20" in by_manifest.reason
    assert database.ask("SELECT version_num FROM alembic_version") == [("2222",)]


def test_a_wrong_password_and_a_wrong_authority_have_different_reasons_without_the_password(
    database: StackDatabase, tmp_path: Path
) -> None:
    old = image(tmp_path / "old", FIRST)

    password = database.changed(password="s3cret'value").prepare(old, OLD, ALONE)
    authority = database.changed(authority=self_signed("localhost").certificate).prepare(old, OLD, ALONE)
    plain = database.changed(variables={"PGSSLMODE": "disable"}).prepare(old, OLD, ALONE)

    assert password.reason.startswith("the master's login was refused: its password may have been rotated")
    assert authority.reason.startswith("the database's certificate is not from the expected authority")
    assert "no encryption" in plain.reason
    for done in (password, authority, plain):
        assert "s3cret" not in done.text
        assert "p@ss" not in done.text


def test_a_task_role_that_may_not_log_in_stops_before_the_application_starts(
    database: StackDatabase, tmp_path: Path
) -> None:
    done = database.changed(variables={"AWS_SECRET_ACCESS_KEY": "another"}).prepare(
        image(tmp_path / "old", FIRST), OLD, ALONE
    )

    assert f"the application's first start as role {database.role} failed" in done.reason
    assert f'PAM authentication failed for user "{database.role}"' in done.reason
    assert database.ask("SELECT ready_at FROM ai_interface.releases") == [(None,)]


def test_the_master_is_never_locked_out(database: StackDatabase, tmp_path: Path) -> None:
    with database.server.connect(database.name) as connection:
        connection.execute(f"CREATE ROLE {database.role} LOGIN".encode())
        connection.execute(f"GRANT {database.role} TO {database.master} WITH ADMIN TRUE, INHERIT TRUE".encode())

    done = database.prepare(image(tmp_path / "old", FIRST), OLD, ALONE)

    assert f"REVOKE {database.role} FROM CURRENT_USER" in done.reason
    assert database.ask("SELECT pg_has_role(%s, 'rds_iam', 'MEMBER')", database.role) == [(False,)]
    assert database.ask("SELECT count(*) FROM pg_roles WHERE rolname = %s", f"{database.role}_owner") == [(0,)]
