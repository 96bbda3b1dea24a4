"""The state of the fake AWS: one file for each resource, an operations log, and failures that a test requests.

All provider processes of a run share the folder, and it remains when the engine is killed, like AWS.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from preflight.sdk.wire import Json, Wire

FOLDER_VARIABLE = "ECHO_CLOUD"
SECRETS_VARIABLE = "ECHO_ACCEPTS_SECRETS"
"""Whether the provider accepts secrets, ``true`` or ``false``. If not, the engine tracks the secret marks."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a test requested for one operation on one resource."""

    fail: str = ""
    seconds: float = 0.0


class Cloud:
    """The existing resources, shared by all provider processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._live = folder / "live"
        self._live.mkdir(parents=True, exist_ok=True)
        self._read: dict[str, tuple[int, Wire]] = {}

    @classmethod
    def from_environment(cls) -> Cloud:
        """The cloud in the test's folder."""
        return cls(Path(os.environ[FOLDER_VARIABLE]))

    # What tests say.

    def tell(self, operation: str, name: str, *, fail: str = "", seconds: float = 0.0, times: int = 1_000_000) -> None:
        """Let ``operation`` (create, update, delete, read, preview) on the resource called ``name`` fail or be slow."""
        with self._locked():
            rules = self._rules()
            rules.append({"operation": operation, "name": name, "fail": fail, "seconds": seconds, "times": times})
            (self._folder / "control.json").write_text(json.dumps(rules))

    def behave(self) -> None:
        """Forget all requests of the test."""
        (self._folder / "control.json").unlink(missing_ok=True)

    def operations(self, *kinds: str) -> list[Wire]:
        """What was done so far, oldest first."""
        log = self._folder / "operations.jsonl"
        entries = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        return [entry for entry in entries if not kinds or entry["operation"] in kinds]

    def forget_operations(self) -> None:
        """Start a new log."""
        (self._folder / "operations.jsonl").unlink(missing_ok=True)

    def live(self) -> list[Wire]:
        """Every resource that exists, sorted by type and id."""
        found: list[Wire] = []
        for path in self._live.glob("*.json"):
            with suppress(FileNotFoundError):  # deleted by another operation meanwhile
                changed = path.stat().st_mtime_ns
                if self._read.get(path.name, (0, {}))[0] != changed:
                    self._read[path.name] = (changed, json.loads(path.read_text()))
                found.append(self._read[path.name][1])
        return sorted(found, key=lambda entry: (entry["type"], entry["id"]))

    def fill(self, identifier: str, what: str) -> None:
        """Put an object, a backup or an image into a bucket, a vault or a repository."""
        with self._locked():
            held = self._noted("contents.json")
            held[identifier] = sorted({*held.get(identifier, []), what})
            self._note("contents.json", held)

    def empty(self, identifier: str) -> None:
        """Remove everything from it."""
        with self._locked():
            held = self._noted("contents.json")
            if held.pop(identifier, None):
                self._note("contents.json", held)

    def contents(self, identifier: str) -> list[str]:
        """Its contents."""
        return self._noted("contents.json").get(identifier, [])

    # Called by the provider.

    def told(self, operation: str, name: str) -> Told:
        """The requested behaviour for this operation; counts as used."""
        with self._locked():
            rules = self._rules()
            for rule in rules:
                if rule["operation"] == operation and rule["name"] == name and rule["times"] > 0:
                    rule["times"] -= 1
                    (self._folder / "control.json").write_text(json.dumps(rules))
                    return Told(rule["fail"], rule["seconds"])
        return Told()

    def log(self, operation: str, type_: str, name: str, **more: Json) -> None:
        """Log one operation."""
        entry = {"at": round(time.time(), 3), "operation": operation, "type": type_, "name": name, **more}
        with self._locked(), (self._folder / "operations.jsonl").open("a") as log:
            log.write(json.dumps(entry, sort_keys=True) + "\n")

    def creations(self, urn: str) -> int:
        """How often a resource with this URN was created."""
        return self._noted("creations.json").get(urn, 0)

    def count_creation(self, urn: str) -> None:
        """One more."""
        with self._locked():
            counts = self._noted("creations.json")
            counts[urn] = counts.get(urn, 0) + 1
            self._note("creations.json", counts)

    def reserve(self, type_: str, name: str) -> None:
        """Reserve a name that no resource has, so that it cannot be used again."""
        with self._locked():
            names = self._noted("reserved.json")
            names[type_] = sorted({*names.get(type_, []), name})
            self._note("reserved.json", names)

    def reserved(self, type_: str, name: str) -> bool:
        """Whether the name is reserved."""
        return name in self._noted("reserved.json").get(type_, [])

    def put(self, type_: str, identifier: str, inputs: Wire, outputs: Wire, urn: str) -> None:
        """Create or change a resource."""
        entry = {"type": type_, "id": identifier, "inputs": inputs, "outputs": outputs, "urn": urn}
        path = self._path(type_, identifier)
        scratch = path.with_suffix(f".{os.getpid()}.{time.monotonic_ns()}.new")
        scratch.write_text(json.dumps(entry, sort_keys=True))
        scratch.replace(path)

    def get(self, type_: str, identifier: str) -> Wire | None:
        """The resource, or None if it does not exist."""
        path = self._path(type_, identifier)
        return json.loads(path.read_text()) if path.exists() else None

    def remove(self, type_: str, identifier: str) -> None:
        """Delete a resource."""
        self._path(type_, identifier).unlink(missing_ok=True)

    def _path(self, type_: str, identifier: str) -> Path:
        return self._live / f"{hashlib.sha256(f'{type_} {identifier}'.encode()).hexdigest()[:32]}.json"

    def _rules(self) -> list[Wire]:
        path = self._folder / "control.json"
        return json.loads(path.read_text()) if path.exists() else []

    def _noted(self, name: str) -> Wire:
        path = self._folder / name
        return json.loads(path.read_text()) if path.exists() else {}

    def _note(self, name: str, value: Wire) -> None:
        path = self._folder / name
        scratch = path.with_suffix(".new")
        scratch.write_text(json.dumps(value, sort_keys=True))
        scratch.replace(path)

    @contextmanager
    def _locked(self) -> Generator[None]:
        with (self._folder / "lock").open("a") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
