"""Runs the Pulumi CLI in a separate folder: backend, home, passphrase, plugins, no AWS.

The program is copied, because the engine writes a stack's encryption salt into its configuration file. An environment can be
forked, so that it is deployed once and each test changes a separate copy.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from policies.guardrails.configuration import OF_THE_STACK
from preflight.sdk.wire import Json, Wire
from tests.engine.echo.cloud import FOLDER_VARIABLE, SECRETS_VARIABLE, Cloud
from tests.engine.echo.server import installed_version
from tests.own_pack import own_configuration

REPOSITORY = Path(__file__).resolve().parents[2]
PASSPHRASE = "correct-horse-battery-staple"
PACKS = ("policies/guardrails", "policies/parity")
PACKAGES = ("aws", "tls")
TIMEOUT_SECONDS = 600


def _own_policy_configuration() -> Wire:
    """The pack's keys in this project's configuration, as settings of policies."""
    found: Wire = {}
    for full, value in own_configuration().items():
        policy, setting = OF_THE_STACK[full.partition(":")[2]]
        found.setdefault(policy, {})[setting] = value
    return found


_NOT_COPIED = shutil.ignore_patterns(
    ".*cache*",
    ".git",
    ".github",
    ".hypothesis",
    ".venv",
    "__pycache__",
    "build",
    "docs",
    "node_modules",
    "tests",
    "venv",
)


class EngineError(AssertionError):
    """The command did not exit as expected."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The output of one command."""

    command: str
    code: int
    text: str
    seconds: float
    events: list[Wire] = field(default_factory=list)

    def policy_events(self) -> list[Wire]:
        """Every policy diagnostic of the run."""
        return [event["policyEvent"] for event in self.events if "policyEvent" in event]

    def steps(self, *operations: str) -> dict[str, str]:
        """URN → operation of every step, or of the given ones, in the order of planning."""
        found: dict[str, str] = {}
        for event in self.events:
            metadata: Wire = event.get("resourcePreEvent", {}).get("metadata", {})
            if metadata and (not operations or metadata["op"] in operations):
                found.setdefault(metadata["urn"], metadata["op"])
        return found

    def changes(self) -> dict[str, int]:
        """Operation → count of the summary, unchanged ones left out."""
        for event in self.events:
            if "summaryEvent" in event:
                counts: dict[str, int] = event["summaryEvent"]["resourceChanges"]
                return {operation: count for operation, count in sorted(counts.items()) if operation != "same"}
        raise EngineError(f"{self.command} gave no summary:\n{self.text}")


@dataclass(frozen=True, slots=True)
class Engine:
    """One environment of the engine: a program, a backend, a home and a cloud."""

    root: Path
    stack: str
    folder: str = ""
    accepts_secrets: bool = True
    """Whether its providers do."""

    @property
    def project(self) -> Path:
        """Where the program is."""
        return self.root / "project" / self.folder

    @property
    def cloud(self) -> Cloud:
        """The resources of the fake provider."""
        return Cloud(self.root / "cloud")

    @classmethod
    def create(cls, root: Path, program: Path, stack: str, folder: str = "", *, accepts_secrets: bool = True) -> Engine:
        """A new environment with a copy of ``program`` and a stack without resources.

        ``folder`` is where in the copy the project is.
        """
        for part in ("home", "state", "cloud"):
            (root / part).mkdir(parents=True)
        shutil.copytree(program, root / "project", ignore=_NOT_COPIED)
        python_environment(root / "project" / ".venv")
        for package in PACKAGES:
            install_provider(root / "home" / "plugins", package)
        engine = cls(root, stack, folder, accepts_secrets)
        engine.pulumi("stack", "init", stack)
        return engine

    def fork(self, root: Path) -> Engine:
        """A copy of the environment, which can be changed separately."""
        shutil.copytree(self.root, root, symlinks=True)
        return replace(self, root=root)

    def environment(self) -> dict[str, str]:
        """The CLI's variables: none of the caller's, except the folders of programs other than Python's."""
        return {
            "PATH": clean_path(os.environ["PATH"]),
            "HOME": os.environ["HOME"],
            "LANG": "C.UTF-8",
            "PULUMI_HOME": str(self.root / "home"),
            "PULUMI_BACKEND_URL": (self.root / "state").as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_DEBUG_COMMANDS": "true",  # for --event-log
            "PULUMI_ENABLE_STREAMING_JSON_PREVIEW": "true",
            FOLDER_VARIABLE: str(self.root / "cloud"),
            SECRETS_VARIABLE: str(self.accepts_secrets).lower(),
            **{name: value for name, value in os.environ.items() if name.startswith(("npm_config_", "PIP_", "UV_"))},
        }

    def pulumi(
        self, *arguments: str, code: int | None = 0, cwd: Path | None = None, without: Sequence[str] = ()
    ) -> Outcome:
        """Run one command, ``without`` some variables. Any exit code but ``code`` is an error; None takes any."""
        process = self.start(*arguments, cwd=cwd, without=without)
        started = time.monotonic()
        try:
            text, _ = process.communicate(timeout=TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            text = stop(process)
            raise EngineError(f"pulumi {' '.join(arguments)} took over {TIMEOUT_SECONDS} s:\n{text}") from None
        outcome = Outcome(" ".join(arguments), process.returncode, text, time.monotonic() - started, self._events())
        if code is not None and (process.returncode == 0) != (code == 0):
            raise EngineError(f"pulumi {outcome.command} exited with {process.returncode}:\n{_verdict(text)}")
        return outcome

    def start(self, *arguments: str, cwd: Path | None = None, without: Sequence[str] = ()) -> subprocess.Popen[str]:
        """Start one command and leave it running."""
        (self.root / "events.jsonl").unlink(missing_ok=True)
        return subprocess.Popen(  # noqa: S603 - the command line under test
            ["pulumi", *arguments, "--non-interactive", "--color", "never"],  # noqa: S607 - found on PATH on purpose
            cwd=cwd or self.project,
            env={key: value for key, value in self.environment().items() if key not in without},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )

    def documented(self, words: Sequence[str], *arguments: str, code: int | None = 0) -> Outcome:
        """Run a documented command, with options for running without a terminal and for readable output."""
        return self.pulumi(*words, "--event-log", str(self.root / "events.jsonl"), *arguments, code=code)

    def operation(self, kind: str, *arguments: str, packs: Sequence[str] = ()) -> list[str]:
        """The arguments of preview, up, refresh or destroy on this stack."""
        confirm = [] if kind == "preview" else ["--yes"]
        given = [argument for pack in packs for argument in ("--policy-pack", pack)]
        events = str(self.root / "events.jsonl")
        return [kind, "--stack", self.stack, *confirm, "--event-log", events, *given, *arguments]

    def configured_packs(self) -> list[str]:
        """The packs with the configuration of this project's stacks, which ``policy analyze`` does not pass to them."""
        words: list[str] = []
        for number, pack in enumerate(PACKS):
            file = self.root / f"policy-config-{number}.json"
            file.write_text(json.dumps(_own_policy_configuration() if pack.endswith("guardrails") else {}))
            words += ["--policy-pack", pack, "--policy-pack-config", str(file)]
        return words

    def preview(self, *arguments: str, packs: Sequence[str] = (), code: int | None = 0) -> Outcome:
        """What an update would do."""
        return self.pulumi(*self.operation("preview", *arguments, packs=packs), code=code)

    def up(self, *arguments: str, packs: Sequence[str] = (), code: int | None = 0) -> Outcome:
        """Update with a preview, as in the README."""
        return self.pulumi(*self.operation("up", *arguments, packs=packs), code=code)

    def refresh(self, *arguments: str, code: int | None = 0) -> Outcome:
        """Compare the state with the cloud."""
        return self.pulumi(*self.operation("refresh", *arguments), code=code)

    def destroy(self, *arguments: str, code: int | None = 0) -> Outcome:
        """Delete everything."""
        return self.pulumi(*self.operation("destroy", *arguments), code=code)

    def set(self, path: str, value: str) -> None:
        """Change one value of the stack's configuration by its path."""
        self.pulumi("config", "set", "--stack", self.stack, "--path", path, value)

    def export(self, *arguments: str) -> Wire:
        """The state; secrets stay encrypted unless ``--show-secrets`` is given."""
        target = self.root / "export.json"
        self.pulumi("stack", "export", "--stack", self.stack, "--file", str(target), *arguments)
        return json.loads(target.read_text())

    def resources(self, *arguments: str) -> list[Wire]:
        """The resources of the state, sorted by URN."""
        found: list[Wire] = self.export(*arguments)["deployment"].get("resources", [])
        return sorted(found, key=lambda resource: resource["urn"])

    def _events(self) -> list[Wire]:
        path = self.root / "events.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def install_provider(plugins: Path, package: str) -> None:
    """Install the fake provider where the engine looks for the version that the SDK requires."""
    folder = plugins / f"resource-{package}-v{installed_version(package)}"
    folder.mkdir(parents=True)
    start = folder / f"pulumi-resource-{package}"
    start.write_text(
        f'#!/bin/sh\nPYTHONPATH="{REPOSITORY}" exec "{sys.executable}" -P -m tests.engine.echo {package} "$@"\n'
    )
    start.chmod(0o755)


def python_environment(folder: Path) -> None:
    """A virtual environment with access to this one's packages, for further installations."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)  # noqa: S603
    installed = Path(sysconfig.get_path("purelib"))
    (folder / installed.relative_to(sys.prefix) / "installed.pth").write_text(f"{installed}\n")


def clean_path(path: str) -> str:
    """``path`` without this environment's programs: an operator's shell has no environment activated."""
    own = {Path(sys.executable).parent, Path(sys.prefix) / Path(sys.executable).parent.name}
    return os.pathsep.join(part for part in path.split(os.pathsep) if part and Path(part) not in own)


def stop(process: subprocess.Popen[str]) -> str:
    """Kill the CLI without cleanup, as when a machine is lost. The providers notice it and exit."""
    os.killpg(process.pid, signal.SIGKILL)
    return process.communicate()[0]


def _verdict(text: str) -> str:
    """The diagnostics in the output, without the list of steps."""
    begins = [position for word in ("\nDiagnostics:", "\nPolicies:", "\nerror:") if (position := text.find(word)) > 0]
    return text[min(begins, default=0) :]


def by_type(resources: Iterable[Wire], type_: str) -> list[Wire]:
    """Those of one type."""
    return [resource for resource in resources if resource["type"] == type_]


def custom(resources: Iterable[Wire]) -> list[Wire]:
    """Those that a provider keeps, providers themselves aside."""
    return [r for r in resources if r["custom"] and not r["type"].startswith("pulumi:providers:")]


def name_of(urn: str) -> str:
    """The logical name in a URN."""
    return urn.rpartition("::")[2]


def only(items: Sequence[Json]) -> Json:
    """The one item there is."""
    if len(items) != 1:
        raise EngineError(f"expected one, found {len(items)}: {items}")
    return items[0]
