"""Starts a policy pack as Pulumi's engine does and speaks the Analyzer protocol to it.

``python -u -m pulumi.policy <engine address> <pack folder>`` in the pack's folder, with the stack's identity
and configuration in the environment; the pack prints its port, then answers Handshake, GetAnalyzerInfo,
Configure, ConfigureStack, Analyze (each resource's inputs) and AnalyzeStack (all outputs).

The engine address leads to a closed port on purpose. pulumi-policy never connects to it; a pack that did
would be refused at once instead of getting answers that the real engine would not give.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, TypeAlias, cast

import grpc
import yaml
from google.protobuf import empty_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

from policies.guardrails.details import attached
from preflight.errors import AnalyzerError
from preflight.pulumi import children
from preflight.pulumi.protocol import (
    ENFORCEMENT,
    KIND,
    SEVERITY,
    Diagnostic,
    PackInfo,
    PolicyInfo,
    fields_of,
    providers_of,
    resource_request,
    stack_request,
)
from preflight.sdk.wire import Json, Wire, to_struct

__all__ = ["AnalyzerClient", "AnalyzerError", "Diagnostic", "PackInfo", "PolicyInfo"]

Message: TypeAlias = Any
"""A protobuf message of the Analyzer service."""

ENGINE_ADDRESS = "127.0.0.1:1"
START_TIMEOUT_SECONDS = 60.0
CALL_TIMEOUT_SECONDS = 300.0
STOP_TIMEOUT_SECONDS = 3.0
_MAX_MESSAGE_BYTES = 400 * 1024 * 1024


class AnalyzerClient:
    """One running pack for one stack. Use it as a context manager: the pack is always stopped.

    ``start`` returns as soon as the process runs, so that several packs start side by side; the first call
    waits for its port.
    """

    def __init__(self, folder: Path, process: subprocess.Popen[bytes], errors: IO[bytes], identity: Wire) -> None:
        self.folder = folder
        self._process = process
        self._errors = errors
        self._identity = identity
        self._channel: grpc.Channel | None = None
        self._stub: Any = None
        self._info: PackInfo | None = None

    @classmethod
    def start(
        cls,
        folder: Path | str,
        *,
        project: str = "ai-interface",
        stack: str = "test",
        organization: str = "organization",
        dry_run: bool = False,
        config: Mapping[str, str] | None = None,
        secret_keys: Iterable[str] = (),
        tags: Mapping[str, str] | None = None,
    ) -> Self:
        """Start the pack in ``folder`` for one stack; ``dry_run`` is true for a preview."""
        folder = Path(folder).resolve()
        if not (folder / "PulumiPolicy.yaml").is_file():
            raise AnalyzerError(f"{folder} is not a policy pack: it has no PulumiPolicy.yaml")
        environment = {
            **os.environ,
            "PULUMI_ORGANIZATION": organization,
            "PULUMI_PROJECT": project,
            "PULUMI_STACK": stack,
            "PULUMI_DRY_RUN": "true" if dry_run else "false",
            "PULUMI_CONFIG": json.dumps(dict(sorted((config or {}).items()))),
        }
        errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the pack
        with children.starting() as running:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter on a named folder
                [sys.executable, "-u", "-m", "pulumi.policy", ENGINE_ADDRESS, str(folder)],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
            running.add(process.pid)
        identity = {
            "project": project,
            "stack": stack,
            "organization": organization,
            "dry_run": dry_run,
            "config": dict(config or {}),
            "config_secret_keys": sorted(secret_keys),
            "tags": dict(tags or {}),
        }
        return cls(folder, process, errors, identity)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def process_id(self) -> int:
        """The pack's process."""
        return self._process.pid

    def info(self) -> PackInfo:
        """The pack's name, version (PulumiPolicy.yaml wins, as in the engine) and policies."""
        if self._info is None:
            answer = self._call("GetAnalyzerInfo", empty_pb2.Empty())
            manifest = cast("Wire", yaml.safe_load((self.folder / "PulumiPolicy.yaml").read_text()) or {})
            policies = (
                PolicyInfo(
                    name=policy.name,
                    kind=KIND[policy.policy_type],
                    description=policy.description,
                    enforcement=ENFORCEMENT[policy.enforcementLevel],
                    severity=SEVERITY[policy.severity],
                    remediation=policy.remediation_steps,
                    url=policy.url,
                )
                for policy in answer.policies
            )
            version = str(manifest.get("version") or answer.version)
            self._info = PackInfo(answer.name, version, tuple(sorted(policies, key=lambda p: p.name)))
        return self._info

    def configure(self, policies: Mapping[str, Mapping[str, Json]]) -> None:
        """Set enforcement levels and properties by policy, as ``--policy-pack-config`` does."""
        levels = {name: number for number, name in ENFORCEMENT.items()}
        request = analyzer_pb2.ConfigureAnalyzerRequest()
        for name, settings in policies.items():
            properties = dict(settings)
            level = properties.pop("enforcementLevel", None)
            target = request.policyConfig[name]
            current = next((p.enforcement for p in self.info().policies if p.name == name), "advisory")
            target.enforcementLevel = cast("Any", levels[level or current])
            to_struct(properties, target.properties)
        self._call("Configure", request)

    def analyze(self, resource: object, providers: Mapping[str, Json] | None = None) -> list[Diagnostic]:
        """Run the resource policies on the *inputs* of one resource (a ``RecordedResource`` or its mapping)."""
        return self._diagnostics(self._call("Analyze", resource_request(resource, providers or {})))

    def analyze_stack(self, resources: Iterable[object]) -> list[Diagnostic]:
        """Run the stack policies on the *outputs* of all resources."""
        return self._diagnostics(self._call("AnalyzeStack", stack_request(resources)))

    def check(self, resources: Iterable[object]) -> list[Diagnostic]:
        """Send the requests of one preview: every resource's inputs, then the whole stack."""
        resources = list(resources)
        kinds = {policy.kind for policy in self.info().policies}
        found: list[Diagnostic] = []
        if "resource" in kinds:
            providers = providers_of(resources)
            for resource in resources:
                # A resource that is only read is not registered: the engine shows it to stack policies alone.
                if not fields_of(resource).get("external"):
                    found.extend(self.analyze(resource, providers))
        if "stack" in kinds:
            found.extend(self.analyze_stack(resources))
        return found

    def stop(self) -> None:
        """Terminate the pack; kill it if it does not end within 3 seconds."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_TIMEOUT_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        children.gone(self._process.pid)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._errors.close()

    def _call(self, method: str, request: Message) -> Message:
        if self._stub is None:
            self._connect()
        try:
            return getattr(self._stub, method)(request, timeout=CALL_TIMEOUT_SECONDS)
        except grpc.RpcError as error:
            if method == "Handshake" and cast("Any", error).code() == grpc.StatusCode.UNIMPLEMENTED:
                return None
            raise self._failure(f"did not answer {method}: {cast('Any', error).details()}") from error

    def _connect(self) -> None:
        port = self._read_port()
        limits = [
            ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
            ("grpc.max_send_message_length", _MAX_MESSAGE_BYTES),
        ]
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=limits)
        self._stub = analyzer_pb2_grpc.AnalyzerStub(self._channel)
        threading.Thread(target=self._drain, daemon=True).start()
        handshake = analyzer_pb2.AnalyzerHandshakeRequest(
            engine_address=ENGINE_ADDRESS, root_directory=str(self.folder), program_directory=str(self.folder)
        )
        self._call("Handshake", handshake)
        self._call("ConfigureStack", analyzer_pb2.AnalyzerStackConfigureRequest(**self._identity))

    def _read_port(self) -> int:
        stdout = self._process.stdout
        if stdout is None:
            raise self._failure("has no output")
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            if not selector.select(START_TIMEOUT_SECONDS):
                raise self._failure(f"did not print its port within {START_TIMEOUT_SECONDS:.0f} seconds")
        line = stdout.readline().decode(errors="replace").strip()
        if not line.isdigit():
            if not line:
                self._process.wait(STOP_TIMEOUT_SECONDS)
            raise self._failure(
                f"printed {line!r} instead of its port" if line else "stopped before it printed its port"
            )
        return int(line)

    def _drain(self) -> None:
        stdout = self._process.stdout
        try:
            while stdout is not None and stdout.read(65536):
                pass
        except (OSError, ValueError):
            return  # closed by stop()

    def _failure(self, what: str) -> AnalyzerError:
        code = self._process.poll()
        ended = "" if code is None else f" (exit code {code})"
        self._errors.seek(0)
        errors = self._errors.read().decode(errors="replace").strip()
        tail = "\n".join(f"  {line}" for line in errors.splitlines()[-20:])
        return AnalyzerError(f"policy pack {self.folder.name} {what}{ended}" + (f"\n{tail}" if tail else ""))

    def _diagnostics(self, answer: Message) -> list[Diagnostic]:
        pack = self.info()
        severities = {policy.name: policy.severity for policy in pack.policies}
        return [
            Diagnostic(
                pack=pack.name,
                policy=found.policyName,
                urn=found.urn,
                message=found.message.removeprefix(found.description).lstrip("\n"),
                description=found.description,
                enforcement=ENFORCEMENT[found.enforcementLevel],
                severity=SEVERITY[found.severity] or severities.get(found.policyName, ""),
                details=attached(found),
            )
            for found in answer.diagnostics
        ]
