"""Where ``prepare`` stops, and where an earlier release runs on a later one's schema."""

from __future__ import annotations

from pathlib import Path

from local.certificate import self_signed
from tests.database.application import FIRST, SECOND, image
from tests.database.room import NEW, OLD, Room, Schemas

COMPATIBLE: Schemas = {OLD: ("1111", []), NEW: ("2222", [OLD])}
INCOMPATIBLE: Schemas = {OLD: ("1111", []), NEW: ("2222", [])}
ALONE: Schemas = {OLD: ("1111", [])}
"""What a task definition carries that is older than the later release."""


def test_an_earlier_release_runs_on_a_later_schema_by_the_record_and_else_stops(room: Room, tmp_path: Path) -> None:
    old, new = image(tmp_path / "old", FIRST), image(tmp_path / "new", FIRST, SECOND)
    room.prepare(new, NEW, COMPATIBLE)

    by_record = room.prepare(old, OLD, ALONE)
    by_manifest = room.prepare(old, OLD, INCOMPATIBLE)

    assert by_record.code == 0, by_record.text
    assert by_record.said("schema")[0]["step"] == "compatible"
    assert f"release {NEW} made it" in by_manifest.reason
    assert "(before 20" in by_manifest.reason
    assert room.ask("SELECT version_num FROM alembic_version") == [("2222",)]


def test_a_wrong_password_and_a_wrong_authority_are_told_apart_and_never_shown(room: Room, tmp_path: Path) -> None:
    old = image(tmp_path / "old", FIRST)

    password = room.but(password="s3cret'value").prepare(old, OLD, ALONE)
    authority = room.but(authority=self_signed("localhost").certificate).prepare(old, OLD, ALONE)
    plain = room.but(variables={"PGSSLMODE": "disable"}).prepare(old, OLD, ALONE)

    assert password.reason.startswith("the master was not let in: its password may have been rotated")
    assert authority.reason.startswith("the database's certificate is not from the expected authority")
    assert "no encryption" in plain.reason
    for done in (password, authority, plain):
        assert "s3cret" not in done.text
        assert "p@ss" not in done.text


def test_a_task_role_that_may_not_log_in_stops_before_the_application_starts(room: Room, tmp_path: Path) -> None:
    done = room.but(variables={"AWS_SECRET_ACCESS_KEY": "another"}).prepare(image(tmp_path / "old", FIRST), OLD, ALONE)

    assert f"the application's first start as role {room.role} failed" in done.reason
    assert f'PAM authentication failed for user "{room.role}"' in done.reason
    assert room.ask("SELECT ready_at FROM ai_interface.releases") == [(None,)]


def test_the_master_is_never_locked_out(room: Room, tmp_path: Path) -> None:
    with room.server.connect(room.name) as connection:
        connection.execute(f"CREATE ROLE {room.role} LOGIN".encode())
        connection.execute(f"GRANT {room.role} TO {room.master} WITH ADMIN TRUE, INHERIT TRUE".encode())

    done = room.prepare(image(tmp_path / "old", FIRST), OLD, ALONE)

    assert f"REVOKE {room.role} FROM CURRENT_USER" in done.reason
    assert room.ask("SELECT pg_has_role(%s, 'rds_iam', 'MEMBER')", room.role) == [(False,)]
    assert room.ask("SELECT count(*) FROM pg_roles WHERE rolname = %s", f"{room.role}_owner") == [(0,)]
