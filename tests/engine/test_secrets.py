"""No secret value in what the engine prints, plans, logs, reports or keeps in clear text."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import pytest

from preflight.sdk.wire import SIGNATURE, Json
from tests.engine.conftest import Deployed
from tests.engine.harness import by_type, name_of, only

pytestmark = pytest.mark.engine

CACHE = "aws:elasticache/replicationGroup:ReplicationGroup"
TASK = "aws:ecs/taskDefinition:TaskDefinition"
VERSION = "aws:secretsmanager/secretVersion:SecretVersion"
SHORTEST = 12
"""The shortest secret to search for: a shorter text, such as a number, occurs anywhere."""
MARKER = re.compile("-----|BEGIN|PRIVATE|OPENSSH")
PIECE = 32
"""Any part of this length of a long secret, such as a key, counts as a leak."""


def _secrets(deployed: Deployed) -> set[str]:
    """Every secret text of the state: the OIDC client secret, keys, what is derived from them.

    A certificate is public, also where it is stored beside its key as a secret. Of a URL the password is secret, not
    the host.
    """
    shown = deployed.engine.export("--show-secrets")
    texts = {_password(text) for value in _wrapped(shown) for text in _texts(json.loads(value))}
    return {text for text in texts if len(text) >= SHORTEST and not text.startswith("-----BEGIN CERTIFICATE-----")}


def _password(text: str) -> str:
    """The password of a URL that has one; any other text as it is."""
    return (urlsplit(text).password if text.startswith("rediss://") else None) or text


def _wrapped(value: Json) -> Iterator[str]:
    if isinstance(value, dict):
        entries = cast("dict[str, Json]", value)
        if SIGNATURE in entries and "plaintext" in entries:
            yield entries["plaintext"]
        else:
            for item in entries.values():
                yield from _wrapped(item)
    elif isinstance(value, list):
        for item in cast("list[Json]", value):
            yield from _wrapped(item)


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in cast("dict[str, Json]", value).values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in cast("list[Json]", value):
            yield from _texts(item)


def _pieces(secret: str) -> Iterator[str]:
    """The secret, its lines, and pieces of it as they are and as JSON shows them."""
    for line in {secret, *re.split(r"\s+", secret)}:
        for start in range(0, max(1, len(line) - PIECE + 1), PIECE):
            piece = line[start : start + PIECE]
            if len(piece) >= SHORTEST and not MARKER.search(piece):
                yield piece
                yield json.dumps(piece)[1:-1]


def _leaks(deployed: Deployed, text: str) -> list[str]:
    """The beginnings of the secrets that ``text`` holds."""
    found = [piece for secret in _secrets(deployed) for piece in _pieces(secret) if piece in text]
    return sorted({f"{piece[:4]}…" for piece in found})


def test_the_secrets_that_are_searched_for_are_those_of_the_design(deployed: Deployed) -> None:
    secrets = _secrets(deployed)
    assert any(secret.startswith("offline-") for secret in secrets), "the OIDC client secret"
    assert any("PRIVATE KEY" in secret for secret in secrets), "the proxy's key"
    derived = {secret for secret in secrets if re.fullmatch("[0-9a-f]{64}", secret)}
    assert derived == {_stored(deployed, "workload-session-key"), _stored(deployed, "state-cache-url")}


def test_the_caches_password_is_the_one_in_its_url(deployed: Deployed) -> None:
    cache = only(by_type(deployed.engine.resources("--show-secrets"), CACHE))["inputs"]
    assert json.loads(cache["authToken"]["plaintext"]) == _stored(deployed, "state-cache-url")


def test_no_container_gets_a_secret_as_text(deployed: Deployed) -> None:
    tasks = [task["inputs"] for task in by_type(deployed.engine.resources("--show-secrets"), TASK)]
    assert tasks
    assert _leaks(deployed, json.dumps(tasks)) == []


def test_the_search_finds_a_secret_where_there_is_one(deployed: Deployed) -> None:
    shown = json.dumps(deployed.engine.export("--show-secrets"))
    assert len(_leaks(deployed, shown)) >= 3


def _stored(deployed: Deployed, name: str) -> str:
    """What Secrets Manager was given for this secret; of a URL its password."""
    versions = by_type(deployed.engine.resources("--show-secrets"), VERSION)
    version = only([entry for entry in versions if name_of(entry["urn"]) == f"{name}-version"])
    return _password(json.loads(version["inputs"]["secretString"]["plaintext"]))


@pytest.mark.parametrize("run", ["first_preview", "up", "second_preview"])
def test_no_secret_is_printed_or_in_the_event_stream(deployed: Deployed, run: str) -> None:
    outcome = getattr(deployed, run)
    assert _leaks(deployed, outcome.text + json.dumps(outcome.events)) == []


def test_no_secret_is_in_clear_text_in_the_state(deployed: Deployed) -> None:
    kept = [path for path in (deployed.engine.root / "state").rglob("*") if path.is_file()]
    text = "".join(_content(path) for path in kept)
    assert "ai-interface" in text
    assert _leaks(deployed, text) == []


def test_no_secret_is_in_the_home_folder_or_the_program(deployed: Deployed) -> None:
    folders = (deployed.engine.root / "home", deployed.engine.project)
    paths = [path for folder in folders for path in folder.rglob("*") if path.is_file() and ".venv" not in path.parts]
    assert _leaks(deployed, "".join(_content(path) for path in paths)) == []


def test_no_secret_is_in_the_plan_or_the_diff_of_a_change(deployed: Deployed, tmp_path: Path) -> None:
    engine = deployed.fork(tmp_path)
    engine.set("ai-interface:identity.clientId", "another-client")
    plan = tmp_path / "plan.json"
    shown = engine.preview("--diff", "--show-replacement-steps", "--save-plan", str(plan))
    assert "authenticateOidc" in plan.read_text()
    assert _leaks(deployed, plan.read_text() + shown.text + json.dumps(shown.events)) == []


def test_no_secret_is_in_the_engines_own_logs(deployed: Deployed, tmp_path: Path) -> None:
    """Up to the level at which Pulumi writes whole property values on purpose (9; see docs/engine-tests.md)."""
    engine = deployed.fork(tmp_path)
    engine.set("ai-interface:identity.clientId", "another-client")
    verbose = engine.up("--logtostderr", "--verbose=7", "--diff")
    assert "registering resource" in verbose.text
    assert _leaks(deployed, verbose.text) == []


def _content(path: Path) -> str:
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return data.decode(errors="replace")
