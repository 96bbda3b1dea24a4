"""The real Open WebUI of two releases on one database, as their tasks run it (``make test-database``).

It takes minutes, because each start loads gigabytes.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from components.prepare.schema import revisions
from local.certificate import self_signed
from local.data.postgres import PostgresServer
from releases.manifest import Update
from tests.database.interface import Services, Task, pythons, reachable_folder, remove
from tests.database.stack_database import Schemas, finished, stack_database
from tests.database.task_dependencies import cache, models, uploads
from tests.database.upcoming import application_versions, known, releases

INSTALLED = pythons()
SECONDS = 900
OLD, NEW = releases()
pytestmark = [
    pytest.mark.skipif(not INSTALLED, reason="open-webui is not installed: make test-database"),
    pytest.mark.skipif(not shutil.which("redis-server"), reason="redis-server is not installed: Debian has it"),
]
Make = Callable[..., Task]


@pytest.fixture
def services(server: PostgresServer) -> Generator[Services]:
    """The empty database of staging, a cache, a bucket and a model."""
    stack = known(NEW).deployed
    bucket = stack.environment("interface")["S3_BUCKET_NAME"]
    with (
        tempfile.TemporaryDirectory() as folder,
        stack_database(server, stack, Path(folder)) as database,
        tempfile.TemporaryDirectory() as trusted,
        cache(self_signed("localhost"), Path(trusted)) as cached,
        uploads(bucket, stack.region) as stored,
        models() as model_url,
    ):
        # The application's user has to read the certificate.
        Path(trusted).chmod(0o755)
        yield Services(database, cached, stored, model_url)


@pytest.fixture
def task(services: Services) -> Generator[Make]:
    """Create tasks of a release."""
    with contextlib.ExitStack() as stack:

        def make(release: str, schemas: Schemas | None = None) -> Task:
            folder = reachable_folder()
            stack.callback(remove, folder)
            version = known(release).release.images["interface"].version
            return Task(services, release, INSTALLED[version], folder, schemas)

        yield make


def test_a_manifest_names_the_last_migration_of_its_image() -> None:
    for release in (known(version).release for version in releases()):
        python = Path(INSTALLED[release.images["interface"].version])
        (scripts,) = python.parent.parent.glob("lib/python*/site-packages/open_webui/migrations")

        assert (release.version, release.schema_.revision) == (release.version, revisions(scripts).head)


def test_the_versions_to_install_are_those_of_the_releases() -> None:
    found = [known(version).release.images["interface"].version for version in releases()]

    assert application_versions() == found
    assert found[0] != found[1]


def test_two_tasks_of_a_release_start_at_once_on_an_empty_database(task: Make, services: Services) -> None:
    tasks = [task(NEW), task(NEW)]
    done = [finished(process, SECONDS) for process in [one.prepare() for one in tasks]]

    assert [one.code for one in done] == [0, 0], [one.text for one in done]
    assert sorted(one.events("schema")[0]["step"] for one in done) == ["migrate", "start"]
    with tasks[0].started(done[0]) as first, tasks[1].started(done[1]) as second:
        ann = first.sign_in()
        first.write("written here, read there", **ann)
        assert second.titles(**ann) == ["written here, read there"]
        uploaded = first.upload("notes.txt", b"kept for both", **ann)
        assert second.content(uploaded, **ann) == b"kept for both"
        assert list(services.uploads.objects().values()) == [b"kept for both"]
        with first.listening(), second.listening():
            # Each task sends its messages to the other's browsers through the cache.
            assert services.cache.listeners("socketio") == 2
    database = services.database
    assert {method for user, method in database.login.logins if user == database.master} == {"password"}
    assert {method for user, method in database.login.logins if user == database.role} == {"token"}
    assert not database.login.refusals
    assert database.ask("SELECT tableowner FROM pg_tables WHERE tablename = 'document_chunk'") == [(database.role,)]


def test_an_update_with_a_restart_and_its_rollback_keep_what_people_wrote(task: Make, services: Services) -> None:
    assert known(NEW).release.update is Update.RESTART
    old = task(OLD)
    prepared = finished(old.prepare(), SECONDS)
    assert prepared.code == 0, prepared.text
    with old.started(prepared) as earlier:
        ann = earlier.sign_in()
        by_earlier = earlier.write("before the update", **ann)
        uploaded = earlier.upload("before.txt", b"before the update", **ann)

    # Every old task has stopped. Two new ones start at once: one migrates what people wrote, the other waits for it.
    tasks = [task(NEW), task(NEW)]
    done = [finished(process, SECONDS) for process in [one.prepare() for one in tasks]]
    assert [one.code for one in done] == [0, 0], [one.text for one in done]
    assert sorted(one.events("schema")[0]["step"] for one in done) == ["migrate", "start"]
    with tasks[0].started(done[0]) as later:
        assert later.titles(**ann) == ["before the update"], "the session of before the update is still valid"
        assert later.content(uploaded, **ann) == b"before the update"
        later.ask("POST", f"/api/v1/chats/{by_earlier}", {"chat": {"title": "renamed by the later"}}, **ann)
        by_later = later.write("after the update", **ann)
        later.sign_in("bob")
        kept = later.upload("after.txt", b"after the update", **ann)

    # The rollback runs the old task definition, whose manifests do not name the new release.
    assert NEW not in known(OLD).deployed.plan["database"]["schemas"]
    back = task(OLD)
    prepared = finished(back.prepare(), SECONDS)
    assert prepared.code == 0, prepared.text
    assert prepared.events("schema")[0]["step"] == "compatible"
    with back.started(prepared) as earlier:
        assert earlier.titles(**ann) == ["after the update", "renamed by the later"]
        assert earlier.content(kept, **ann) == b"after the update"
        assert earlier.sign_in("bob")
        assert earlier.sign_in("eve"), "someone who signs in for the first time"
        earlier.ask("POST", f"/api/v1/chats/{by_later}", {"chat": {"title": "renamed by the earlier"}}, **ann)
        earlier.ask("DELETE", f"/api/v1/chats/{by_earlier}", **ann)
        earlier.write("during the rollback", **ann)

    # Forwards again, on the schema that is already there.
    again = task(NEW)
    prepared = finished(again.prepare(), SECONDS)
    assert prepared.code == 0, prepared.text
    assert prepared.events("schema")[0]["step"] == "start"
    with again.started(prepared) as later:
        assert later.titles(**ann) == ["during the rollback", "renamed by the earlier"]
        assert later.sign_in("eve")
    assert sorted(services.uploads.objects().values()) == [b"after the update", b"before the update"]


def test_the_earlier_release_stops_if_it_is_not_declared_compatible(task: Make) -> None:
    old, new = (known(version).release.schema_.revision for version in (OLD, NEW))
    undeclared: Schemas = {OLD: (old, []), NEW: (new, [])}
    for release in (OLD, NEW):
        assert finished(task(release, undeclared).prepare(), SECONDS).code == 0

    done = finished(task(OLD, undeclared).prepare(), SECONDS)

    assert f"release {NEW} made it, and earlier releases that work on it are: no earlier one" in done.reason
    assert "restore the database to a point before" in done.reason
