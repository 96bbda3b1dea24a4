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
from releases.manifest import load_release, versions
from tests.database.deployed import deployed_with
from tests.database.interface import Services, Task, pythons, reachable_folder, remove, schemas
from tests.database.stack_database import NEW, OLD, Schemas, finished, stack_database
from tests.database.task_dependencies import cache, models, uploads

INSTALLED = pythons()
SECONDS = 900
pytestmark = [
    pytest.mark.skipif(not INSTALLED, reason="open-webui is not installed: make test-database"),
    pytest.mark.skipif(not shutil.which("redis-server"), reason="redis-server is not installed: Debian has it"),
]
Make = Callable[..., Task]


@pytest.fixture
def services(server: PostgresServer) -> Generator[Services]:
    """The empty database of staging, a cache, a bucket and a model."""
    stack = deployed_with(NEW)
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

        def make(release: str, known: Schemas | None = None) -> Task:
            folder = reachable_folder()
            stack.callback(remove, folder)
            version = load_release(release).images["interface"].version
            return Task(services, release, INSTALLED[version], folder, known)

        yield make


def test_a_manifest_names_the_last_migration_of_its_image() -> None:
    for release in (load_release(version) for version in versions()):
        python = Path(INSTALLED[release.images["interface"].version])
        (scripts,) = python.parent.parent.glob("lib/python*/site-packages/open_webui/migrations")

        assert (release.version, release.schema_.revision) == (release.version, revisions(scripts).head)


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


def test_the_earlier_release_runs_beside_the_later_one_on_its_schema(task: Make) -> None:
    compatible = schemas({NEW: [OLD]})
    for release in (OLD, NEW):
        done = finished(task(release, compatible).prepare(), SECONDS)
        assert (done.code, len(done.events("migrated"))) == (0, 1), done.text
    new, old = task(NEW, compatible), task(OLD, compatible)
    prepared = finished(new.prepare(), SECONDS), finished(old.prepare(), SECONDS)

    assert [one.events("schema")[0]["step"] for one in prepared] == ["start", "compatible"]
    with new.started(prepared[0]) as later, old.started(prepared[1]) as earlier:
        ann = later.sign_in()
        assert earlier.sign_in()
        by_later = later.write("by the later", **ann)
        by_earlier = earlier.write("by the earlier", **ann)
        for one in (later, earlier):
            assert one.titles(**ann) == ["by the earlier", "by the later"]
            assert one.ask("GET", f"/api/v1/chats/{by_later}", **ann)["title"] == "by the later"
        earlier.ask("POST", f"/api/v1/chats/{by_later}", {"chat": {"title": "renamed"}}, **ann)
        later.ask("DELETE", f"/api/v1/chats/{by_earlier}", **ann)
        for one in (later, earlier):
            assert one.titles(**ann) == ["renamed"]


def test_the_earlier_release_stops_if_it_is_not_declared_compatible(task: Make) -> None:
    for release in (OLD, NEW):
        assert finished(task(release, schemas({NEW: []})).prepare(), SECONDS).code == 0

    done = finished(task(OLD, schemas({NEW: []})).prepare(), SECONDS)

    assert f"release {NEW} made it, and earlier releases that work on it are: no earlier one" in done.reason
    assert "restore the database to a point before" in done.reason
