"""Runs a Pulumi program against Pulumi's own mock runtime and records every registration as the engine would.

The recording equals what the engine registers: URNs with every parent's type, default providers as separate
resources, a component's outputs as it registers them, stack outputs on the stack resource.
"""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast
from urllib.parse import unquote, urlsplit

import pulumi
from google.protobuf import empty_pb2
from pulumi.runtime import mocks
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.stack import run_in_stack

from preflight.errors import FakeError, ProgramError
from preflight.fakes.fakes import FakeAnswer, Fakes
from preflight.fakes.values import DEFAULT_REGION, DOCUMENTATION_ACCOUNT, Digest, Site
from preflight.recording import gaps
from preflight.recording.custom_timeouts import seconds_of
from preflight.recording.gaps import Gap, Lookups, unsupported_transform
from preflight.recording.messages import Messages
from preflight.recording.reads import Reads, follow, missing, relative
from preflight.sdk import lighter, unknown
from preflight.sdk import runtime as sdk
from preflight.sdk.schema import computed_outputs
from preflight.sdk.undecided import Undecided, postpone
from preflight.sdk.wire import SECRET, UNKNOWN, Wire, from_struct, is_signed, secret, to_struct

STACK_TYPE = "pulumi:pulumi:Stack"
_DYNAMIC = "pulumi-python:dynamic"
Message: TypeAlias = Any
"""A protobuf message of the resource monitor."""


@dataclass(frozen=True, slots=True)
class RecordedResource:
    """One registration request and the response to it."""

    urn: str
    type: str
    name: str
    parent: str
    custom: bool
    inputs: Wire
    outputs: Wire
    """A component's registered outputs; a resource's inputs and computed values."""
    dependencies: tuple[str, ...]
    property_dependencies: Mapping[str, tuple[str, ...]]
    protect: bool
    provider: str
    """``<URN>::<id>`` of the provider, including the default one; the id is unknown in a preview."""
    source_file: str
    """Relative to the working directory; empty if no line of the project created the resource."""
    source_line: int
    id: str = ""
    external: bool = False
    """Whether it is only read, not managed."""
    aliases: tuple[str, ...] = ()
    ignore_changes: tuple[str, ...] = ()
    additional_secret_outputs: tuple[str, ...] = ()
    replace_on_changes: tuple[str, ...] = ()
    delete_before_replace: bool | None = None
    retain_on_delete: bool = False
    custom_timeouts: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(slots=True)
class Recording:
    """Everything that one run registered, sorted by URN."""

    project: str
    stack: str
    preview: bool
    strict: bool = True
    """Whether a value that no fake provides is an error; otherwise it is unknown."""
    resources: list[RecordedResource] = field(default_factory=list[RecordedResource])
    messages: list[str] = field(default_factory=list[str])
    """Warnings and errors that the program logged."""
    gaps: list[Gap] = field(default_factory=list[Gap])
    """Values and resources that it does not contain, sorted."""
    opened: frozenset[str] = field(default=frozenset(), repr=False, compare=False)
    """The stack files that the run opened itself, if that was noted."""

    def of_type(self, type_: str) -> list[RecordedResource]:
        """The resources of one type, sorted by URN."""
        return [r for r in self.resources if r.type == type_]

    @property
    def outputs(self) -> Wire:
        """The stack's outputs, in wire form."""
        stacks = self.of_type(STACK_TYPE)
        return stacks[0].outputs if stacks else {}


class RecordingMonitor(mocks.MockMonitor):
    """A ``MockMonitor`` that keeps whole registration requests and responds with faithful fakes."""

    def __init__(self, fakes: Fakes, recording: Recording, config: Mapping[str, str]) -> None:
        super().__init__(fakes)  # pyright: ignore[reportArgumentType] - every method that would use it is replaced
        self.strict = recording.strict
        self._fakes = fakes
        self._recording = recording
        self._config = config
        self._qualified: dict[str, str] = {}
        self.lookups = Lookups()
        self.recorded: dict[str, RecordedResource] = {}
        self.known: dict[str, frozenset[str]] = {}

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """The engine's URN, with the type of every ancestor except the stack."""
        parent_type = self._qualified.get(parent, "")
        qualified = f"{parent_type}${type_}" if parent_type not in {"", STACK_TYPE} else type_
        urn = f"urn:pulumi:{self._recording.stack}::{self._recording.project}::{qualified}::{name}"
        self._qualified[urn] = qualified
        return urn

    def RegisterResource(self, request: Message) -> Message:  # noqa: N802 - the service's name
        """Record a registration and respond to it."""
        if request.custom:
            postpone(self._recording.preview)
        urn = self.make_urn(request.parent, request.type, request.name)
        where = ":".join(map(str, _source(request.sourcePosition)))
        if request.transforms:
            raise ProgramError(unsupported_transform(where))
        inputs = from_struct(request.object)
        identifier, outputs, answered = "", dict[str, Any](), dict[str, Any]()
        if request.custom:
            answer = self.answer(request, urn, inputs)
            identifier, self.known[urn] = answer.id, answer.known
            outputs = _with_secrets(answer.outputs, request.additionalSecretOutputs)
            answered = self._completed(request, {key: value for key, value in outputs.items() if key != "id"})
        elif request.remote:
            self.lookups.gaps.add(Gap(where, f"what the component {request.type} {request.name!r} creates", True))
            answered = self._completed(request, {})
        if request.type.startswith(_DYNAMIC):
            self.lookups.gaps.add(Gap(where, f"what the dynamic provider of {request.name!r} returns"))
        self._keep(urn, request, self.cleaned(inputs), self.cleaned(outputs), identifier)
        return lighter.response(urn, identifier, answered)

    def _completed(self, request: Message, outputs: Wire) -> Wire:
        """The outputs with a stand-in for each that AWS computes and no fake provides."""
        cls = None if self.strict else sdk.resource_class(request.type)
        if cls is None:
            return outputs
        computed = set(sdk.property_types(cls)) if request.remote else computed_outputs(request.type)
        shaped = unknown.of_type(cls, request.name, outputs)
        return {**{key: value for key, value in shaped.items() if key in computed}, **outputs}

    def answer(self, request: Message, urn: str, inputs: Wire) -> FakeAnswer:
        """Id and outputs of a custom resource."""
        if request.importId:
            return self._fakes.existing(request.type, request.name, request.importId, inputs, urn)
        return self._fakes.resource(request.type, request.name, inputs, urn, preview=self._recording.preview)

    def ReadResource(self, request: Message) -> Message:  # noqa: N802
        """Record a resource that exists already."""
        postpone(self._recording.preview)
        urn = self.make_urn(request.parent, request.type, request.name)
        state = from_struct(request.properties)
        answer = self._fakes.read(request.type, request.name, request.id, state, urn)
        self.known[urn] = answer.known
        outputs = _with_secrets(answer.outputs, request.additionalSecretOutputs)
        self._keep(urn, request, self.cleaned(state), self.cleaned(outputs), request.id, external=True)
        answered = {key: value for key, value in outputs.items() if key != "id"}
        return resource_pb2.ReadResourceResponse(urn=urn, properties=to_struct(answered))

    def Invoke(self, request: Message) -> Message:  # noqa: N802
        """Respond to a look-up."""
        postpone(self._recording.preview)
        args = from_struct(request.args)
        if request.tok == "pulumi:pulumi:getResource":
            found = self.recorded[args["urn"]]
            answer: Wire | None = {"urn": found.urn, "id": found.id, "state": found.outputs}
        else:
            self._provider(request.tok, request.provider, request.version)
            answer = self._looked_up(request.tok, args)
        response: Message = resource_pb2.ResourceInvokeResponse()
        if answer is None:
            response.unknown = True
            return response
        to_struct(answer, getattr(response, "return"))
        return response

    def cleaned(self, properties: Wire) -> Wire:
        """The properties with unknown values in place of their stand-ins, which a strict recording has none of."""
        return properties if self.strict else unknown.cleaned(properties)

    def _looked_up(self, token: str, args: Wire) -> Wire | None:
        """The answer of a fake, or unknown values; ``None`` if not even their form is known."""
        if self.strict or self._fakes.answers(token):
            return self._fakes.call(token, args)
        return self.lookups.answer(token, args)

    def RegisterResourceOutputs(self, request: Message) -> Message:  # noqa: N802
        """Record the outputs that a component or the stack registers."""
        current = self.recorded[request.urn]
        self.recorded[request.urn] = dataclasses.replace(current, outputs=self.cleaned(from_struct(request.outputs)))
        return empty_pb2.Empty()

    def _keep(
        self, urn: str, request: Message, inputs: Wire, outputs: Wire, identifier: str, *, external: bool = False
    ) -> None:
        custom = external or request.custom
        file, line = _source(request.sourcePosition)
        dependencies = getattr(request, "propertyDependencies", {})
        before = getattr(request, "deleteBeforeReplaceDefined", False)
        timeouts = getattr(request, "customTimeouts", None)
        self.recorded[urn] = RecordedResource(
            urn=urn,
            type=request.type,
            name=request.name,
            parent=request.parent,
            custom=custom,
            inputs=inputs,
            outputs=outputs,
            dependencies=tuple(sorted(request.dependencies)),
            property_dependencies={k: tuple(sorted(dependencies[k].urns)) for k in sorted(dependencies)},
            protect=bool(getattr(request, "protect", False)),
            provider=self._provider(request.type, request.provider, request.version) if custom else "",
            source_file=file,
            source_line=line,
            id=identifier,
            external=external,
            aliases=tuple(self.alias(request, alias) for alias in getattr(request, "aliases", ())),
            ignore_changes=tuple(sorted(getattr(request, "ignoreChanges", ()))),
            additional_secret_outputs=tuple(sorted(request.additionalSecretOutputs)),
            replace_on_changes=tuple(sorted(getattr(request, "replaceOnChanges", ()))),
            delete_before_replace=bool(request.deleteBeforeReplace) if before else None,
            retain_on_delete=bool(getattr(request, "retainOnDelete", False)),
            custom_timeouts={} if timeouts is None else seconds_of(timeouts),
        )

    def alias(self, request: Message, alias: Message) -> str:
        """The URN of an earlier name."""
        if alias.urn:
            return alias.urn
        spec = alias.spec
        parent = "" if spec.noParent else spec.parentUrn or request.parent
        qualified = parent.split("::")[2] if parent else STACK_TYPE
        kind = spec.type or request.type
        stack, project = spec.stack or self._recording.stack, spec.project or self._recording.project
        qualified = kind if qualified == STACK_TYPE else f"{qualified}${kind}"
        return f"urn:pulumi:{stack}::{project}::{qualified}::{spec.name or request.name}"

    def _provider(self, token: str, explicit: str, version: str) -> str:
        package = token.partition(":")[0]
        if explicit or token.startswith("pulumi:providers:"):
            return explicit
        name = "default" + ("_" + version.replace(".", "_").replace("-", "_") if version else "")
        urn = self.make_urn("", f"pulumi:providers:{package}", name)
        identifier = UNKNOWN if self._recording.preview else Digest(urn).uuid()
        if urn not in self.recorded:
            inputs: Wire = {
                key.partition(":")[2]: value for key, value in self._config.items() if key.startswith(f"{package}:")
            }
            if version:
                inputs["version"] = version
            self.recorded[urn] = RecordedResource(
                urn=urn,
                type=f"pulumi:providers:{package}",
                name=name,
                parent="",
                custom=True,
                inputs=inputs,
                outputs=dict(inputs),
                dependencies=(),
                property_dependencies={},
                protect=False,
                provider="",
                source_file="",
                source_line=0,
                id="" if self._recording.preview else identifier,
            )
        return f"{urn}::{identifier}"


def record(
    program: Callable[[], Any],
    *,
    project: str = "ai-interface",
    stack: str = "test",
    organization: str = "organization",
    config: Mapping[str, str] | None = None,
    secret_keys: tuple[str, ...] = (),
    preview: bool | Undecided = False,
    strict: bool = True,
    monitored: Callable[[Fakes, Recording, Mapping[str, str]], RecordingMonitor] = RecordingMonitor,
) -> Recording:
    """Run ``program`` once and return what it registered. Errors of the program are raised unchanged.

    A look-up, or a computed output that the program reads, for which no fake exists raises ``FakeError``, in both modes; without
    ``strict`` it is unknown, and one of the recording's ``gaps``. An ``Undecided`` preview forks. ``monitored`` creates a different monitor than the default one,
    which is for a stack without resources.
    """
    config = dict(config or {})
    recording = Recording(project, stack, cast("bool", preview), strict)
    monitor = monitored(Fakes(site_of(config)), recording, _provider_config(config, secret_keys))
    reads = Reads(unknown=monitor.lookups.missing)
    loop = sdk.event_loop()
    _configure(monitor, recording, organization)
    pulumi.runtime.set_all_config(dict(config), list(secret_keys))
    follow(reads)
    gaps.follow(None if strict else monitor.lookups)
    restore = sdk.call_inline(loop, preview)
    try:
        sdk.wait_for(run_in_stack(lambda: _settling(program)))
    except Exception as error:
        _note_missing(reads, monitor, error)
        for gap in sorted(monitor.lookups.gaps):
            error.add_note(f"not known here: {gap.what} ({gap.place})")
        raise
    finally:
        follow(None)
        gaps.follow(None)
        restore()
        _discard_tasks(loop)
    recording.preview = bool(preview)
    _note_missing(reads, monitor, None)
    recording.gaps = sorted(monitor.lookups.gaps)
    recording.resources = sorted(monitor.recorded.values(), key=lambda r: r.urn)
    return recording


async def _settling(program: Callable[[], Any]) -> None:
    program()
    await sdk.settled()


def site_of(config: Mapping[str, str]) -> Site:
    """The account and region that the AWS provider is configured for."""
    accounts = [part for part in config.get("aws:allowedAccountIds", "").split('"') if part.isdigit()]
    return Site(accounts[0] if accounts else DOCUMENTATION_ACCOUNT, config.get("aws:region") or DEFAULT_REGION)


def _provider_config(config: Mapping[str, str], secret_keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: secret(value) if key in secret_keys else value for key, value in config.items()}


def _configure(monitor: RecordingMonitor, recording: Recording, organization: str) -> None:
    logger = logging.Logger(f"preflight.{recording.stack}")
    logger.addHandler(Messages(recording.messages))
    features = set(cast("Message", monitor).GetDeploymentInfo(empty_pb2.Empty()).supportedFeatures)
    sdk.configure(
        monitor=monitor,
        monitor_features=features,
        engine=mocks.MockEngine(logger),
        project=recording.project,
        stack=recording.stack,
        dry_run=recording.preview,
        organization=organization,
    )


def _note_missing(reads: Reads, monitor: RecordingMonitor, cause: Exception | None) -> None:
    if isinstance(cause, FakeError):
        return
    for (resource, python_name), where in sorted(reads.places.items(), key=lambda item: (item[1], item[0][1])):
        urn = sdk.urn_of(resource)
        name = sdk.wire_names(type(resource)).get(python_name, python_name)
        if urn in monitor.known and name not in monitor.known[urn]:
            found = monitor.recorded[urn]
            if name in computed_outputs(found.type):
                if monitor.strict:
                    raise FakeError(missing(f"{found.type} {found.name!r}", name, where)) from cause
                monitor.lookups.gaps.add(Gap(where, f"{name} of {found.type} {found.name!r}"))


def _discard_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel unfinished tasks: after a failure many registrations never finish, and would log errors later."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks and not loop.is_running():
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))


def _with_secrets(outputs: Wire, names: list[str]) -> Wire:
    marked = {name: secret(outputs[name]) for name in names if name in outputs and not is_signed(outputs[name], SECRET)}
    return {**outputs, **marked}


def _source(position: Message) -> tuple[str, int]:
    path = _own_path(position.uri)
    return (relative(path), position.line) if path else ("", 0)


@functools.lru_cache(maxsize=4096)
def _own_path(uri: str) -> str:
    """The path of a source file; empty for one of a library."""
    path = unquote(urlsplit(uri).path)
    return "" if "/site-packages/" in path or "/lib/python" in path else path
