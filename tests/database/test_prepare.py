"""What ``prepare`` does in a real PostgreSQL, run as its container runs it."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from tests.database.application import FIRST, SECOND, image
from tests.database.stack_database import NEW, OLD, Schemas, StackDatabase, finished

SCHEMAS: Schemas = {OLD: ("1111", []), NEW: ("2222", [OLD])}


def test_a_first_start_creates_everything_and_the_master_can_still_log_in(
    database: StackDatabase, tmp_path: Path
) -> None:
    done = database.prepare(image(tmp_path / "old", FIRST), OLD, SCHEMAS)

    assert (done.code, [line["event"] for line in done.lines]) == (
        0,
        [
            *["written"] * len(database.deployed.plan["files"]),
            "schema",
            "migrated",
            "warmed up",
            *["prepared"] * 4,
            "ready",
        ],
    ), done.text
    assert database.ask("SELECT version_num FROM alembic_version") == [("1111",)]
    assert database.ask("SELECT extname FROM pg_extension WHERE extname = 'vector'") == [("vector",)]
    assert {method for user, method in database.login.logins if user == database.master} == {"password"}
    assert {method for user, method in database.login.logins if user == database.role} == {"token"}
    # A second run shows that the grant of rds_iam did not disable the master's password.
    assert database.prepare(image(tmp_path / "again", FIRST), OLD, SCHEMAS).code == 0
    assert not database.login.refusals


def test_the_application_reads_and_writes_rows_and_changes_no_table(database: StackDatabase, tmp_path: Path) -> None:
    database.prepare(image(tmp_path / "old", FIRST), OLD, SCHEMAS)

    database.as_application("INSERT INTO chat (title) VALUES ('a')")
    database.as_application("UPDATE chat SET title = 'b'")
    assert database.as_application("SELECT title FROM chat") == [("b",)]
    database.as_application("DELETE FROM chat")
    assert database.as_application("SELECT version_num FROM alembic_version") == [("1111",)]
    database.as_application("INSERT INTO chunk VALUES ('a', '[1,2,3]')")
    for forbidden in (
        "CREATE TABLE public.own (id int)",
        "ALTER TABLE chat ADD COLUMN own int",
        "DROP TABLE chat",
        "TRUNCATE chat",
        "UPDATE alembic_version SET version_num = '0'",
        "SELECT * FROM ai_interface.releases",
        "CREATE SCHEMA own",
        "CREATE ROLE own",
        f"SET ROLE {database.role}_owner",
        f"SET ROLE {database.master}",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            database.as_application(forbidden)


def test_owners_and_memberships(database: StackDatabase, tmp_path: Path) -> None:
    database.prepare(image(tmp_path / "old", FIRST), OLD, SCHEMAS)
    owner = f"{database.role}_owner"

    assert database.ask(
        "SELECT schemaname, tablename, tableowner FROM pg_tables"
        " WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2"
    ) == [
        ("ai_interface", "releases", database.master),
        (database.role, "chunk", database.role),
        ("public", "alembic_version", owner),
        ("public", "chat", owner),
    ]
    assert database.ask(
        "SELECT rolname, rolcanlogin, rolsuper, rolcreaterole, rolcreatedb, rolbypassrls FROM pg_roles"
        " WHERE rolname IN (%s, %s) ORDER BY 1",
        database.role,
        owner,
    ) == [(database.role, True, False, False, False, False), (owner, False, False, False, False, False)]
    # The master administers the application's role, because it created it, but cannot become it.
    assert database.ask(
        "SELECT admin_option, inherit_option, set_option FROM pg_auth_members"
        " WHERE roleid = %s::regrole AND member = %s::regrole",
        database.role,
        database.master,
    ) == [(True, False, False)]
    assert database.ask("SELECT datacl::text FROM pg_database WHERE datname = current_database()") == [
        (f"{{{database.master}=CTc/{database.master},{database.role}=c/{database.master}}}",)
    ]


def test_a_start_on_its_own_schema_changes_nothing(database: StackDatabase, tmp_path: Path) -> None:
    old = image(tmp_path / "old", FIRST)
    database.prepare(old, OLD, SCHEMAS)
    before = _everything(database)

    done = database.prepare(old, OLD, SCHEMAS)

    assert done.code == 0
    assert done.events("schema") == [
        {"event": "schema", "found": "1111", "release": OLD, "revision": "1111", "step": "start"}
    ]
    assert not done.events("migrated") + done.events("warmed up")
    assert _everything(database) == before


def test_tasks_that_start_at_once_migrate_once_and_all_start(database: StackDatabase, tmp_path: Path) -> None:
    new = image(tmp_path / "new", FIRST, SECOND)

    started = [database.start(new, NEW, SCHEMAS) for _ in range(4)]
    done = [finished(process) for process in started]

    assert [one.code for one in done] == [0] * 4, [one.text for one in done]
    assert sorted(one.events("schema")[0]["step"] for one in done) == ["migrate", "start", "start", "start"]
    assert sum(len(one.events("warmed up")) for one in done) == 1
    assert database.ask("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [(0,)]


def test_a_later_release_migrates_and_rows_stay(database: StackDatabase, tmp_path: Path) -> None:
    database.prepare(image(tmp_path / "old", FIRST), OLD, SCHEMAS)
    database.as_application("INSERT INTO chat (title) VALUES ('kept')")

    done = database.prepare(image(tmp_path / "new", FIRST, SECOND), NEW, SCHEMAS)

    assert done.events("migrated") == [{"event": "migrated", "revision": "2222"}]
    assert database.as_application("SELECT title, folder FROM chat") == [("kept", None)]
    assert database.ask(
        "SELECT release, revision, compatible_with, ready_at > recorded_at FROM ai_interface.releases"
    ) == [
        (OLD, "1111", [], True),
        (NEW, "2222", [OLD], True),
    ]


def test_a_failed_migration_is_rolled_back_and_logged_with_its_type_and_location(
    database: StackDatabase, tmp_path: Path
) -> None:
    database.prepare(image(tmp_path / "old", FIRST), OLD, SCHEMAS)
    database.as_application("INSERT INTO chat (title) VALUES ('what Ann wrote'), ('what Ann wrote')")
    before = _everything(database, records=False)
    unique = (
        "op.execute('ALTER TABLE chat ADD COLUMN folder text'); op.execute('CREATE UNIQUE INDEX one ON chat (title)')"
    )

    done = database.prepare(image(tmp_path / "new", FIRST, ("2222", unique)), NEW, SCHEMAS)

    assert "a migration failed and was rolled back: IntegrityError" in done.reason
    assert "caused by UniqueViolation (23505, chat, one) at " in done.reason
    assert "2222_step.py:6" in done.reason
    assert "Ann" not in done.text
    assert _everything(database, records=False) == before
    assert database.prepare(image(tmp_path / "fixed", FIRST, SECOND), NEW, SCHEMAS).code == 0


@pytest.mark.parametrize("method", ["raise SystemExit", "raise RuntimeError", "print"])
def test_secrets_that_the_images_code_prints_do_not_reach_the_log(
    database: StackDatabase, tmp_path: Path, method: str
) -> None:
    telling = (
        f"import os; text = str(dict(os.environ)); assert 'PGPASSWORD' in text; {method}(text); raise KeyError(text)"
    )

    done = database.prepare(image(tmp_path / "new", ("1111", telling)), OLD, SCHEMAS)

    assert "at " in done.reason
    for part in ("p@ss", "p%40ss", "quoted", "PGPASSWORD"):
        assert part not in done.text


def test_a_migration_waits_for_a_table_that_is_in_use(database: StackDatabase, tmp_path: Path) -> None:
    database.prepare(image(tmp_path / "old", FIRST), OLD, SCHEMAS)
    patient = database.changed(constants={"TABLE_LOCK_SECONDS = 10": "TABLE_LOCK_SECONDS = 1"})

    with database.server.connect(database.name) as busy, busy.transaction():
        busy.execute("LOCK TABLE chat IN ACCESS SHARE MODE")
        process = patient.start(image(tmp_path / "new", FIRST, SECOND), NEW, SCHEMAS)
        first = next(line for line in process.stdout or () if "in use" in line)
    done = finished(process)

    assert '"attempt": 1' in first
    assert done.events("migrated") == [{"event": "migrated", "revision": "2222"}]


def test_a_task_stops_waiting_for_another_and_names_the_log_to_read(database: StackDatabase, tmp_path: Path) -> None:
    hasty = database.changed(constants={"LOCK_SECONDS = 900": "LOCK_SECONDS = 1"})
    with database.server.connect(database.name) as other:
        other.execute("SELECT pg_advisory_lock(%s)", (0x61695F696E746572,))

        done = hasty.prepare(image(tmp_path / "old", FIRST), OLD, SCHEMAS)

    assert done.events("waiting") == [{"event": "waiting", "reason": "another task is preparing the database"}]
    assert "look at the log of the prepare container that is still running" in done.reason
    assert database.ask("SELECT count(*) FROM pg_roles WHERE rolname = %s", database.role) == [(0,)]


def _everything(database: StackDatabase, *, records: bool = True) -> list[list[tuple[object, ...]]]:
    """Tables, columns, indexes, permissions and members, and with ``records`` the recorded releases."""
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
    return [database.ask(query) for query in queries]
