"""What ``prepare`` does in a real PostgreSQL, run as its container runs it."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from tests.database.application import FIRST, SECOND, image
from tests.database.room import NEW, OLD, Room, Schemas, finished

SCHEMAS: Schemas = {OLD: ("1111", []), NEW: ("2222", [OLD])}


def test_a_first_start_makes_everything_and_leaves_the_master_its_way_in(room: Room, tmp_path: Path) -> None:
    done = room.prepare(image(tmp_path / "old", FIRST), OLD, SCHEMAS)

    assert (done.code, [line["event"] for line in done.lines]) == (
        0,
        [*["written"] * 2, "schema", "migrated", "warmed up", *["prepared"] * 4, "ready"],
    ), done.text
    assert room.ask("SELECT version_num FROM alembic_version") == [("1111",)]
    assert room.ask("SELECT extname FROM pg_extension WHERE extname = 'vector'") == [("vector",)]
    assert {way for user, way in room.door.entered if user == room.master} == {"password"}
    assert {way for user, way in room.door.entered if user == room.role} == {"token"}
    # Once more, to see that the grant of rds_iam did not take the master's password from it.
    assert room.prepare(image(tmp_path / "again", FIRST), OLD, SCHEMAS).code == 0
    assert not room.door.refused


def test_the_application_reads_and_writes_rows_and_changes_no_table(room: Room, tmp_path: Path) -> None:
    room.prepare(image(tmp_path / "old", FIRST), OLD, SCHEMAS)

    room.as_application("INSERT INTO chat (title) VALUES ('a')")
    room.as_application("UPDATE chat SET title = 'b'")
    assert room.as_application("SELECT title FROM chat") == [("b",)]
    room.as_application("DELETE FROM chat")
    assert room.as_application("SELECT version_num FROM alembic_version") == [("1111",)]
    room.as_application("INSERT INTO chunk VALUES ('a', '[1,2,3]')")
    for forbidden in (
        "CREATE TABLE public.own (id int)",
        "ALTER TABLE chat ADD COLUMN own int",
        "DROP TABLE chat",
        "TRUNCATE chat",
        "UPDATE alembic_version SET version_num = '0'",
        "SELECT * FROM ai_interface.releases",
        "CREATE SCHEMA own",
        "CREATE ROLE own",
        f"SET ROLE {room.role}_owner",
        f"SET ROLE {room.master}",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            room.as_application(forbidden)


def test_who_owns_what_and_who_is_in_whom(room: Room, tmp_path: Path) -> None:
    room.prepare(image(tmp_path / "old", FIRST), OLD, SCHEMAS)
    owner = f"{room.role}_owner"

    assert room.ask(
        "SELECT schemaname, tablename, tableowner FROM pg_tables"
        " WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2"
    ) == [
        ("ai_interface", "releases", room.master),
        (room.role, "chunk", room.role),
        ("public", "alembic_version", owner),
        ("public", "chat", owner),
    ]
    assert room.ask(
        "SELECT rolname, rolcanlogin, rolsuper, rolcreaterole, rolcreatedb, rolbypassrls FROM pg_roles"
        " WHERE rolname IN (%s, %s) ORDER BY 1",
        room.role,
        owner,
    ) == [(room.role, True, False, False, False, False), (owner, False, False, False, False, False)]
    # The master administers the application's role, as whoever creates a role does, and cannot become it.
    assert room.ask(
        "SELECT admin_option, inherit_option, set_option FROM pg_auth_members"
        " WHERE roleid = %s::regrole AND member = %s::regrole",
        room.role,
        room.master,
    ) == [(True, False, False)]
    assert room.ask("SELECT datacl::text FROM pg_database WHERE datname = current_database()") == [
        (f"{{{room.master}=CTc/{room.master},{room.role}=c/{room.master}}}",)
    ]


def test_a_start_on_its_own_schema_changes_nothing(room: Room, tmp_path: Path) -> None:
    old = image(tmp_path / "old", FIRST)
    room.prepare(old, OLD, SCHEMAS)
    before = _everything(room)

    done = room.prepare(old, OLD, SCHEMAS)

    assert done.code == 0
    assert done.said("schema") == [
        {"event": "schema", "found": "1111", "release": OLD, "revision": "1111", "step": "start"}
    ]
    assert not done.said("migrated") + done.said("warmed up")
    assert _everything(room) == before


def test_tasks_that_start_at_once_migrate_once_and_all_start(room: Room, tmp_path: Path) -> None:
    new = image(tmp_path / "new", FIRST, SECOND)

    started = [room.start(new, NEW, SCHEMAS) for _ in range(4)]
    done = [finished(process) for process in started]

    assert [one.code for one in done] == [0] * 4, [one.text for one in done]
    assert sorted(one.said("schema")[0]["step"] for one in done) == ["migrate", "start", "start", "start"]
    assert sum(len(one.said("warmed up")) for one in done) == 1
    assert room.ask("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [(0,)]


def test_a_later_release_migrates_and_rows_stay(room: Room, tmp_path: Path) -> None:
    room.prepare(image(tmp_path / "old", FIRST), OLD, SCHEMAS)
    room.as_application("INSERT INTO chat (title) VALUES ('kept')")

    done = room.prepare(image(tmp_path / "new", FIRST, SECOND), NEW, SCHEMAS)

    assert done.said("migrated") == [{"event": "migrated", "revision": "2222"}]
    assert room.as_application("SELECT title, folder FROM chat") == [("kept", None)]
    assert room.ask("SELECT release, revision, compatible_with, ready_at > recorded_at FROM ai_interface.releases") == [
        (OLD, "1111", [], True),
        (NEW, "2222", [OLD], True),
    ]


def test_a_failed_migration_is_undone_and_told_by_kind_and_place(room: Room, tmp_path: Path) -> None:
    room.prepare(image(tmp_path / "old", FIRST), OLD, SCHEMAS)
    room.as_application("INSERT INTO chat (title) VALUES ('what Ann wrote'), ('what Ann wrote')")
    before = _everything(room, records=False)
    unique = (
        "op.execute('ALTER TABLE chat ADD COLUMN folder text'); op.execute('CREATE UNIQUE INDEX one ON chat (title)')"
    )

    done = room.prepare(image(tmp_path / "new", FIRST, ("2222", unique)), NEW, SCHEMAS)

    assert "a migration failed and was rolled back: IntegrityError" in done.reason
    assert "caused by UniqueViolation (23505, chat, one) at " in done.reason
    assert "2222_step.py:6" in done.reason
    assert "Ann" not in done.text
    assert _everything(room, records=False) == before
    assert room.prepare(image(tmp_path / "mended", FIRST, SECOND), NEW, SCHEMAS).code == 0


@pytest.mark.parametrize("way", ["raise SystemExit", "raise RuntimeError", "print"])
def test_code_of_the_image_that_tells_everything_tells_the_log_nothing(room: Room, tmp_path: Path, way: str) -> None:
    telling = f"import os; text = str(dict(os.environ)); assert 'PGPASSWORD' in text; {way}(text); raise KeyError(text)"

    done = room.prepare(image(tmp_path / "new", ("1111", telling)), OLD, SCHEMAS)

    assert "at " in done.reason
    for part in ("p@ss", "p%40ss", "quoted", "PGPASSWORD"):
        assert part not in done.text


def test_a_migration_waits_for_a_table_that_is_in_use(room: Room, tmp_path: Path) -> None:
    room.prepare(image(tmp_path / "old", FIRST), OLD, SCHEMAS)
    patient = room.but(constants={"TABLE_LOCK_SECONDS = 10": "TABLE_LOCK_SECONDS = 1"})

    with room.server.connect(room.name) as busy, busy.transaction():
        busy.execute("LOCK TABLE chat IN ACCESS SHARE MODE")
        process = patient.start(image(tmp_path / "new", FIRST, SECOND), NEW, SCHEMAS)
        first = next(line for line in process.stdout or () if "in use" in line)
    done = finished(process)

    assert '"attempt": 1' in first
    assert done.said("migrated") == [{"event": "migrated", "revision": "2222"}]


def test_a_task_gives_up_waiting_for_another_and_says_where_to_look(room: Room, tmp_path: Path) -> None:
    hasty = room.but(constants={"LOCK_SECONDS = 900": "LOCK_SECONDS = 1"})
    with room.server.connect(room.name) as other:
        other.execute("SELECT pg_advisory_lock(%s)", (0x61695F696E746572,))

        done = hasty.prepare(image(tmp_path / "old", FIRST), OLD, SCHEMAS)

    assert done.said("waiting") == [{"event": "waiting", "reason": "another task prepares the database"}]
    assert "look at the log of the prepare container that is still running" in done.reason
    assert room.ask("SELECT count(*) FROM pg_roles WHERE rolname = %s", room.role) == [(0,)]


def _everything(room: Room, *, records: bool = True) -> list[list[tuple[object, ...]]]:
    """Tables, columns, indexes, permissions and members, and with ``records`` the rows that say what was done."""
    queries = [
        "SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns"
        " WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2, 3",
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname <> 'pg_catalog' ORDER BY 1",
        "SELECT relname, relacl::text FROM pg_class WHERE relacl IS NOT NULL AND relnamespace <> 11 ORDER BY 1",
        "SELECT nspname, nspacl::text FROM pg_namespace ORDER BY 1",
        "SELECT datacl::text FROM pg_database WHERE datname = current_database()",
        "SELECT roleid, member, grantor, admin_option, set_option FROM pg_auth_members ORDER BY 1, 2, 3",
        "SELECT version_num FROM alembic_version",
        *(["SELECT * FROM ai_interface.releases ORDER BY 1"] if records else []),
    ]
    return [room.ask(query) for query in queries]
