"""Starts a policy pack as Pulumi's engine does and speaks the Analyzer protocol to it.

``python -u -m pulumi.policy <engine address> <pack folder>`` in the pack's folder, with the stack's identity
and configuration in the environment; the pack prints its port, then answers Handshake, GetAnalyzerInfo,
Configure, ConfigureStack, Analyze (each resource's inputs) and AnalyzeStack (all outputs).

The engine address leads to a closed port on purpose. pulumi-policy never connects to it; a pack that did
would be refused at once instead of getting answers that the real engine would not give.
"""

from __future__ import annotations

import json
import marshal
import os
import selectors
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, TypeAlias, cast

import grpc
import yaml
from google.protobuf import empty_pb2
from pulumi.runtime.proto import analyzer_pb2

from policies.guardrails.details import Details, attached, members_in
from policies.guardrails.topology.graph.values import as_list, as_mapping
from preflight.errors import AnalyzerError
from preflight.pulumi import children
from preflight.pulumi.forked import ForkedPack, PackFailedError, PackRefusedError
from preflight.pulumi.protocol import (
    ENFORCEMENT,
    KIND,
    RESPONSES,
    SEVERITY,
    Diagnostic,
    PackInfo,
    PolicyInfo,
    Preview,
    completed,
    fields_of,
    plain_resource,
    resource_request,
)
from preflight.sdk.wire import Json, Wire

__all__ = ["AnalyzerClient", "AnalyzerError", "Diagnostic", "PackInfo", "PolicyInfo"]

Message: TypeAlias = Any
"""A protobuf message of the Analyzer service."""

ENGINE_ADDRESS = "127.0.0.1:1"
START_TIMEOUT_SECONDS = 60.0
CALL_TIMEOUT_SECONDS = 300.0
STOP_TIMEOUT_SECONDS = 3.0
_MAX_MESSAGE_BYTES = 400 * 1024 * 1024


def serves_every_stack(folder: Path) -> bool:
    """Whether the pack declares that one process may be asked about several stacks, one after the other.

    The engine starts a process for each stack, so a pack may read its stack when it is imported. Ours take everything
    from the requests, and starting them takes longer than evaluating a stack."""
    return _declares(folder, "oneProcess")


def read_of_other_stacks(folder: Path) -> tuple[str, ...] | None:
    """The keys of other stacks' files on which the pack declares that its findings on a stack depend, and on nothing else there;
    ``None`` if it declares nothing."""
    keys = as_list(_declared(folder, "readOfOtherStacks"))
    return None if keys is None else tuple(map(str, keys))


def _declares(folder: Path, name: str) -> bool:
    return _declared(folder, name) is True


@cache
def _declared(folder: Path, name: str) -> object:
    manifest = folder / "PulumiPolicy.yaml"
    content = as_mapping(yaml.safe_load(manifest.read_text(encoding="utf-8")) if manifest.is_file() else None) or {}
    return (as_mapping(content.get("preflight")) or {}).get(name)


class AnalyzerClient:
    """One running pack for one stack. Use it as a context manager: the pack is always stopped.

    ``start`` returns as soon as the process runs, so that several packs start side by side; the first call
    waits for its port.
    """

    def __init__(
        self,
        folder: Path,
        process: subprocess.Popen[bytes] | ForkedPack,
        errors: IO[bytes],
        identity: dict[str, Any],
    ) -> None:
        self.folder = folder
        self._process = process
        self._errors = errors
        self._identity = identity
        self._channel: grpc.Channel | None = None
        self._stub: Any = None
        self._connected = False
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
        forked: bool = False,
    ) -> Self:
        """Start the pack in ``folder`` for one stack; ``dry_run`` is true for a preview.

        ``forked`` starts a pack of this installation without gRPC (``preflight.pulumi.forked``).
        """
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
        process = ForkedPack(folder, environment, errors) if forked else _started(folder, environment, errors)
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
        """Set enforcement levels and properties by policy, as ``--policy-pack-config`` does.

        As the engine does it (pkg/resource/analyzer/config.go): each policy's defaults, then the pack's initial
        configuration, then ``all``, then what is given. Raises ``AnalyzerError`` if the pack refuses it.
        """
        answer = self._call("GetAnalyzerInfo", empty_pb2.Empty())
        self._call("Configure", completed(answer, policies))
        self._info = None

    def configure_stack(self, stack: str, config: Mapping[str, str], secret_keys: Iterable[str]) -> None:
        """Go on to another stack of the same project, in a pack that keeps nothing of a stack (``serves_every_stack``)."""
        self._identity |= {"stack": stack, "config": dict(config), "config_secret_keys": sorted(secret_keys)}
        self._info = None  # levels may depend on the stack's configuration
        if self._connected:
            self._call("ConfigureStack", analyzer_pb2.AnalyzerStackConfigureRequest(**self._identity))

    def analyze(self, resource: object, providers: Mapping[str, Json] | None = None) -> list[Diagnostic]:
        """Run the resource policies on the *inputs* of one resource (a ``RecordedResource`` or its mapping)."""
        if isinstance(self._process, ForkedPack):
            request = marshal.dumps(plain_resource(fields_of(resource)))
        else:
            request = resource_request(resource, providers or {}).SerializeToString()
        return self._diagnostics(self._calls("Analyze", [request])[0])

    def analyze_stack(self, resources: Iterable[object]) -> list[Diagnostic]:
        """Run the stack policies on the *outputs* of all resources."""
        request = Preview(resources).stack(plain=isinstance(self._process, ForkedPack))
        return self._diagnostics(self._calls("AnalyzeStack", [request])[0])

    def check(self, resources: Iterable[object] | Preview) -> list[Diagnostic]:
        """Send the requests of one preview: every resource's inputs, then the whole stack."""
        preview = resources if isinstance(resources, Preview) else Preview(resources)
        kinds = {policy.kind for policy in self.info().policies}
        plain = isinstance(self._process, ForkedPack)
        found: list[Diagnostic] = []
        if "resource" in kinds:
            for answer in self._calls("Analyze", preview.resources(plain=plain)):
                found.extend(self._diagnostics(answer))
        if "stack" in kinds:
            for answer in self._calls("AnalyzeStack", [preview.stack(plain=plain)]):
                found.extend(self._diagnostics(answer))
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
        if isinstance(self._process, ForkedPack):
            self._process.close()
        elif self._process.stdout is not None:
            self._process.stdout.close()
        self._errors.close()

    def _call(self, method: str, request: Message) -> Message:
        """The response to one request; ``None`` to a handshake that the pack does not know."""
        (answer,) = self._calls(method, [request.SerializeToString()])
        return answer

    def _calls(self, method: str, requests: Iterable[bytes]) -> list[Message]:
        """The responses to serialized requests of one method."""
        if not self._connected:
            self._connect()
        if isinstance(self._process, ForkedPack):
            return self._asked(self._process, method, requests)
        return [self._over_grpc(method, request) for request in requests]

    def _asked(self, process: ForkedPack, method: str, requests: Iterable[bytes]) -> list[Message]:
        try:
            responses = process.call(method, requests, CALL_TIMEOUT_SECONDS)
        except PackRefusedError as error:
            raise AnalyzerError(f"policy pack {self.folder.name}: {error}") from error
        except PackFailedError as error:
            raise self._failure(f"did not answer {method}: {error}") from error
        return [RESPONSES[method].FromString(response) for response in responses]

    def _over_grpc(self, method: str, request: bytes) -> Message:
        try:
            return self._stub[method](request, timeout=CALL_TIMEOUT_SECONDS)
        except grpc.RpcError as error:
            if method == "Handshake" and cast("Any", error).code() == grpc.StatusCode.UNIMPLEMENTED:
                return None
            details = cast("Any", error).details()
            if cast("Any", error).code() == grpc.StatusCode.INVALID_ARGUMENT:
                raise AnalyzerError(f"policy pack {self.folder.name}: {details}") from error
            raise self._failure(f"did not answer {method}: {details}") from error

    def _connect(self) -> None:
        if not isinstance(self._process, ForkedPack):
            self._dial()
        self._connected = True
        handshake = analyzer_pb2.AnalyzerHandshakeRequest(
            engine_address=ENGINE_ADDRESS, root_directory=str(self.folder), program_directory=str(self.folder)
        )
        self._call("Handshake", handshake)
        self._call("ConfigureStack", analyzer_pb2.AnalyzerStackConfigureRequest(**self._identity))

    def _dial(self) -> None:
        port = self._read_port()
        limits = [
            ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
            ("grpc.max_send_message_length", _MAX_MESSAGE_BYTES),
        ]
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=limits)
        self._stub = {
            method: self._channel.unary_unary(
                f"/pulumirpc.Analyzer/{method}", response_deserializer=response.FromString
            )
            for method, response in RESPONSES.items()
        }
        threading.Thread(target=self._drain, daemon=True).start()

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
        if not answer.diagnostics:
            return []
        pack = self.info()
        severities = {policy.name: policy.severity for policy in pack.policies}
        return [
            Diagnostic(
                pack=pack.name,
                policy=found.policyName,
                urn=urn,
                message=message.removeprefix(found.description).lstrip("\n"),
                description=found.description,
                enforcement=ENFORCEMENT[found.enforcementLevel],
                severity=SEVERITY[found.severity] or severities.get(found.policyName, ""),
                details=details,
            )
            for found in answer.diagnostics
            for urn, message, details in _each(found)
        ]


def _started(folder: Path, environment: Mapping[str, str], errors: IO[bytes]) -> subprocess.Popen[bytes]:
    """The pack as the engine starts it."""
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
    return process


def _each(found: Message) -> Iterator[tuple[str, str, Details | None]]:
    """The reports for which a diagnostic stands: URN, message and details of each."""
    members = members_in(found)
    if not members:
        yield found.urn, found.message, attached(found)
    yield from ((member.urn, member.message, member.details) for member in members)
