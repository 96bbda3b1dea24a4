"""The provider: Pulumi's ResourceProvider protocol for the fake AWS.

It refuses what AWS's provider refuses (unknown and missing inputs, a name in use, deletion of a protected or used resource),
reports which changes replace a resource, preserves secrets, returns values in AWS's form
(``preflight.conform.round_trip``), and computes outputs with the offline engine's fakes, so that both engines have the same
values.
"""

from __future__ import annotations

import importlib.util
import json
import os
import threading
import time
from concurrent import futures
from pathlib import Path
from typing import TypeAlias

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from preflight.changes.computed import computed_again
from preflight.conform import round_trip
from preflight.fakes.fakes import FakeAnswer, Fakes
from preflight.recording.recorder import site_of
from preflight.sdk.schema import computed_outputs
from preflight.sdk.wire import UNKNOWN, Json, Wire, from_struct, has_unknown, to_struct
from preflight.sdk.wire import unwrap as plain
from tests.engine.echo import arguments, deletion, replacement
from tests.engine.echo.cloud import SECRETS_VARIABLE, Cloud
from tests.engine.echo.schemas import SCHEMAS

Message: TypeAlias = Json
"""A protobuf message of the ResourceProvider service."""

GUARDRAIL_VERSION = "aws:bedrock/guardrailVersion:GuardrailVersion"
SERVICE = "aws:ecs/service:Service"
TASK_DEFINITION = "aws:ecs/taskDefinition:TaskDefinition"
MAX_MESSAGE = 400 * 1024 * 1024


class EchoProvider(provider_pb2_grpc.ResourceProviderServicer):
    """One provider process for one package."""

    def __init__(self, package: str, version: str, cloud: Cloud, *, accepts_secrets: bool = True) -> None:
        arguments.load(package)
        self._accepts_secrets = accepts_secrets
        self._package = package
        self._version = version
        self._cloud = cloud
        self._site = site_of({})
        self._importing = threading.Lock()

    # What the plugin is.

    def Handshake(self, request: Message, context: grpc.ServicerContext) -> Message:  # noqa: N802
        """Return the supported kinds of values."""
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=self._accepts_secrets)

    def GetPluginInfo(self, request: Message, context: grpc.ServicerContext) -> Message:  # noqa: N802
        """The version that was asked for."""
        return plugin_pb2.PluginInfo(version=self._version)

    def GetSchema(self, request: Message, context: grpc.ServicerContext) -> Message:  # noqa: N802
        """A schema with the types of the YAML program only: programs in other languages bring their SDK."""
        content: Wire = {"name": self._package, "version": self._version, **SCHEMAS.get(self._package, {})}
        return provider_pb2.GetSchemaResponse(schema=json.dumps(content))

    def CheckConfig(self, request: Message, context: grpc.ServicerContext) -> Message:  # noqa: N802
        """Accept the provider's settings unchanged."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Message, context: grpc.ServicerContext) -> Message:  # noqa: N802
        """No setting of the provider replaces its resources."""
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, request: Message, context: grpc.ServicerContext) -> Message:  # noqa: N802
        """Support secrets and previews, and read the stack's region and account."""
        prefix = f"{self._package}:config:"
        self._site = site_of({key.replace(prefix, "aws:"): value for key, value in request.variables.items()})
        return provider_pb2.ConfigureResponse(acceptSecrets=self._accepts_secrets, supportsPreview=True)

    def Cancel(self, request: Message, context: grpc.ServicerContext) -> Message:  # noqa: N802
        """Do nothing: slow operations end by themselves."""
        return empty_pb2.Empty()

    # Look-ups.

    def Invoke(self, request: Message, context: grpc.ServicerContext) -> Message:  # noqa: N802
        """Answer a lookup as the offline engine does."""
        args = from_struct(request.args)
        self._cloud.log("invoke", request.tok, "")
        response = provider_pb2.InvokeResponse()
        to_struct(Fakes(self._site).call(request.tok, args), getattr(response, "return"))
        return response

    # One resource.

    def Check(self, request: Message, context: grpc.ServicerContext) -> Message:  # noqa: N802
        """Refuse invalid inputs, and generate names that the program omits."""
        type_, name = self._known_type(request.urn), _name_of(request.urn)
        news, olds = from_struct(request.news), from_struct(request.olds)
        failures = arguments.check(type_, news)
        if not failures:
            news = self._named(type_, name, request.urn, news, olds)
            length = len(str(plain(news.get(replacement.name_property(type_), ""))))
            if length > replacement.LONGEST_NAME.get(type_, length):
                reason = f"is {length} characters long, AWS takes {replacement.LONGEST_NAME[type_]}"
                failures.append(arguments.Failure(replacement.name_property(type_), reason))
        refused = [provider_pb2.CheckFailure(property=f.path, reason=f"{f.path} {f.reason}") for f in failures]
        return provider_pb2.CheckResponse(inputs=to_struct(news), failures=refused)

    def Diff(self, request: Message, context: grpc.ServicerContext) -> Message:  # noqa: N802
        """Report the changed inputs, and those that replace the resource."""
        type_ = self._known_type(request.urn)
        olds, news = from_struct(request.old_inputs), from_struct(request.news)
        ignored = set(request.ignoreChanges)
        declared, planned = plain(olds), plain(news)
        differing = {
            *replacement.differing(round_trip.compared(type_, declared), round_trip.compared(type_, planned)),
            *_returned_otherwise(type_, plain(from_struct(request.olds)), planned),
        }
        changed = sorted(differing - ignored)
        replaced = [name for name in changed if replacement.replaces(type_, name)]
        kinds = provider_pb2.PropertyDiff
        detailed = {
            name: kinds(
                kind=kinds.UPDATE_REPLACE if name in replaced else kinds.UPDATE,
                inputDiff=True,
            )
            for name in changed
        }
        response = provider_pb2.DiffResponse
        return response(
            changes=response.DIFF_SOME if changed else response.DIFF_NONE,
            diffs=changed,
            replaces=replaced,
            detailedDiff=detailed,
            hasDetailedDiff=True,
            deleteBeforeReplace=bool(replaced) and _keeps_its_given_name(type_, olds, news),
        )

    def Create(self, request: Message, context: grpc.ServicerContext) -> Message:  # noqa: N802
        """Create the resource; at preview return the values that are known beforehand."""
        type_, name = self._known_type(request.urn), _name_of(request.urn)
        inputs = from_struct(request.properties)
        if request.preview:
            self._obey("preview", type_, name, context)
            planned = self._fakes().resource(type_, name, _without_bookkeeping(inputs), request.urn, preview=True)
            return provider_pb2.CreateResponse(properties=to_struct(planned.outputs))
        if has_unknown(inputs):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"{type_} {name}: an input is still unknown at create")
        self._obey("create", type_, name, context)
        if taken := self._name_taken(type_, inputs):
            context.abort(grpc.StatusCode.ALREADY_EXISTS, f"{type_} {name}: {taken} already exists")
        if missing := self._missing_snapshot(type_, inputs):
            context.abort(grpc.StatusCode.NOT_FOUND, f"{type_} {name}: there is no snapshot {missing}")
        if type_ == SERVICE and (unused := self._unused_target_groups(inputs)):
            text = f"{type_} {name}: target group {unused[0]} does not have an associated load balancer"
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, text)
        identifier, outputs = self._made(type_, name, inputs, request.urn)
        outputs = round_trip.returned(type_, outputs)
        self._cloud.count_creation(request.urn)
        self._exists(type_, identifier, inputs, outputs, request.urn)
        self._cloud.log("create", type_, name, id=identifier)
        self._obey("created", type_, name, context)
        return provider_pb2.CreateResponse(id=identifier, properties=to_struct(outputs))

    def Read(self, request: Message, context: grpc.ServicerContext) -> Message:  # noqa: N802
        """The current resource; an empty id if it does not exist."""
        type_, name = self._known_type(request.urn), _name_of(request.urn)
        self._obey("read", type_, name, context)
        found = self._cloud.get(type_, request.id)
        if found is None:
            return provider_pb2.ReadResponse()
        inputs, properties = from_struct(request.inputs), from_struct(request.properties)
        return provider_pb2.ReadResponse(
            id=request.id,
            inputs=to_struct(_as_it_is(inputs, found["inputs"])),
            properties=to_struct(_as_it_is(properties, found["outputs"])),
        )

    def Update(self, request: Message, context: grpc.ServicerContext) -> Message:  # noqa: N802
        """Change the resource in place, keeping computed values."""
        type_, name = self._known_type(request.urn), _name_of(request.urn)
        olds, news = from_struct(request.olds), from_struct(request.news)
        if request.preview:
            self._obey("preview", type_, name, context)
            planned = _updated(olds, from_struct(request.old_inputs), news)
            changed = replacement.differing(plain(from_struct(request.old_inputs)), plain(news))
            planned |= dict.fromkeys(computed_again(type_, changed), UNKNOWN)
            return provider_pb2.UpdateResponse(properties=to_struct(planned))
        self._obey("update", type_, name, context)
        if self._cloud.get(type_, request.id) is None:
            context.abort(grpc.StatusCode.NOT_FOUND, f"{type_} {name}: {request.id} does not exist")
        outputs = round_trip.returned(type_, _updated(olds, from_struct(request.old_inputs), news))
        changed = replacement.differing(plain(from_struct(request.old_inputs)), plain(news))
        if again := computed_again(type_, changed):
            made = self._made(type_, name, news, request.urn)[1]
            outputs |= {output: made[output] for output in again if output in made}
        self._exists(type_, request.id, news, outputs, request.urn)
        self._cloud.log("update", type_, name, id=request.id, changed=changed)
        return provider_pb2.UpdateResponse(properties=to_struct(outputs))

    def Delete(self, request: Message, context: grpc.ServicerContext) -> Message:  # noqa: N802
        """Delete the resource, unless it is protected or in use."""
        type_, name = self._known_type(request.urn), _name_of(request.urn)
        self._obey("delete", type_, name, context)
        found = self._cloud.get(type_, request.id)
        if found is not None:
            live = self._cloud.live()
            if reason := deletion.refusal(found, live, self._cloud.contents(request.id)):
                context.abort(grpc.StatusCode.FAILED_PRECONDITION, f"{type_} {name}: {reason}")
            self._remove(found, live)
        self._cloud.log("delete", type_, name, id=request.id)
        return empty_pb2.Empty()

    def _remove(self, found: Wire, live: list[Wire]) -> None:
        """Delete a resource and what AWS deletes with it; keep what skips destruction, and a final snapshot."""
        if found["inputs"].get("skipDestroy"):
            return
        if snapshot := deletion.final_snapshot(found):
            self._cloud.put(snapshot["type"], snapshot["id"], snapshot["inputs"], snapshot["outputs"], "")
        for entry in (found, *deletion.parts(found, live)):
            self._cloud.remove(entry["type"], entry["id"])
        if found["type"] in deletion.EMPTIED_BY:  # a bucket's settings have the bucket's name as their id
            self._cloud.empty(found["id"])
        if deletion.keeps_its_name(found):
            self._cloud.reserve(found["type"], found["inputs"].get("name", ""))

    def _known_type(self, urn: str) -> str:
        """The type in a URN, with its SDK module loaded here, because imports in parallel calls fail."""
        type_ = _type_of(urn)
        with self._importing:
            arguments.argument_class(type_)
            computed_outputs(type_)
        return type_

    def _exists(self, type_: str, identifier: str, inputs: Wire, outputs: Wire, urn: str) -> None:
        self._cloud.put(type_, identifier, round_trip.returned(type_, plain(inputs)), plain(outputs), urn)
        for bucket in deletion.filled_by(type_, plain(inputs)):
            self._cloud.fill(bucket, f"logs of {identifier}")

    def _obey(self, operation: str, type_: str, name: str, context: grpc.ServicerContext) -> None:
        told = self._cloud.told(operation, name)
        if told.seconds:
            self._cloud.log(f"slow {operation}", type_, name)
            time.sleep(told.seconds)
        if told.fail:
            self._cloud.log(f"failed {operation}", type_, name)
            context.abort(grpc.StatusCode.INTERNAL, told.fail)

    def _named(self, type_: str, name: str, urn: str, news: Wire, olds: Wire) -> Wire:
        """The inputs with the name that pulumi-aws would generate, marked as a default of the provider."""
        key = replacement.name_property(type_)
        cls = arguments.argument_class(type_)
        optional = cls is not None and key in arguments.shape(cls).types and key not in arguments.shape(cls).required
        if not optional or key in news or f"{key}Prefix" in news or not type_.startswith("aws:"):
            return {**news, "__defaults": []}
        if key in olds.get("__defaults", []):
            given = olds[key]
        else:
            given = self._made(type_, name, {}, urn)[1].get(key) or f"{name}-{self._cloud.creations(urn):07x}"
        return {**news, "__defaults": [key], key: given}

    def _made(self, type_: str, name: str, inputs: Wire, urn: str) -> tuple[str, Wire]:
        """Id and outputs of a new resource; they differ from those of a deleted one."""
        generation = self._cloud.creations(urn)
        seed = urn if generation == 0 else f"{urn}~{generation}"
        answer = self._fakes().resource(type_, name, _without_bookkeeping(inputs), seed, preview=False)
        if type_ == TASK_DEFINITION:  # the family stays, the revision counts up
            return answer.id, {**answer.outputs, "revision": generation + 1, "arn": _revised(answer, generation + 1)}
        if type_ == GUARDRAIL_VERSION:  # AWS counts them, too
            version = str(generation + 1)
            return f"{answer.outputs['guardrailArn']},{version}", {**answer.outputs, "version": version}
        return answer.id, answer.outputs

    def _fakes(self) -> Fakes:
        fakes = Fakes(self._site)
        for entry in self._cloud.live():
            fakes.remember(entry["id"], entry["outputs"])
        return fakes

    def _name_taken(self, type_: str, inputs: Wire) -> str:
        key = replacement.UNIQUE_NAMES.get(type_)
        wanted = plain(inputs.get(key)) if key else None
        if not wanted:
            return ""
        taken = any(e["type"] == type_ and e["inputs"].get(key) == wanted for e in self._cloud.live())
        return str(wanted) if taken or self._cloud.reserved(type_, str(wanted)) else ""

    def _missing_snapshot(self, type_: str, inputs: Wire) -> str:
        wanted = str(plain(inputs.get("snapshotIdentifier")) or "") if type_ == deletion.CLUSTER else ""
        return wanted if wanted and self._cloud.get(deletion.SNAPSHOT, wanted.rpartition(":")[2]) is None else ""

    def _unused_target_groups(self, inputs: Wire) -> list[str]:
        """Target groups of a service that no listener or rule forwards to."""
        properties = deletion.HOLDERS["aws:lb/targetGroup:TargetGroup"]
        listeners = [entry["inputs"] for entry in self._cloud.live() if entry["type"].startswith("aws:lb/listener")]
        used = {arn for listener in listeners for arn in deletion.held(listener, properties)}
        return sorted(set(deletion.held(plain(inputs), properties)) - used)


def serve(package: str, version: str) -> None:
    """Serve one package until the engine exits; like every plugin, print the port on the first line."""
    options = [("grpc.max_receive_message_length", MAX_MESSAGE), ("grpc.max_send_message_length", MAX_MESSAGE)]
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16), options=options)
    accepts = {"true": True, "false": False}[os.environ[SECRETS_VARIABLE]]
    provider = EchoProvider(package, version, Cloud.from_environment(), accepts_secrets=accepts)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)  # noqa: T201 - the protocol's first line
    engine = os.getppid()
    while os.getppid() == engine and server.wait_for_termination(timeout=1):
        pass


def installed_version(package: str) -> str:
    """The version of the plugin that the installed SDK asks for."""
    spec = importlib.util.find_spec(f"pulumi_{package}")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"pulumi_{package} is not installed")
    described: dict[str, str] = json.loads((Path(spec.origin).parent / "pulumi-plugin.json").read_text())
    return described["version"]


def _type_of(urn: str) -> str:
    return urn.split("::")[2].rsplit("$", maxsplit=1)[-1]


def _name_of(urn: str) -> str:
    return urn.split("::", 3)[3]


def _returned_otherwise(type_: str, state: Wire, news: Wire) -> set[str]:
    """Inputs that the program declares in another form than AWS returns, which differ from the state."""
    returned = round_trip.returned(type_, news)
    names = {name for name in {*news, *returned} if news.get(name) != returned.get(name)}
    return {name for name in names if state.get(name) != news.get(name)}


def _without_bookkeeping(inputs: Wire) -> Wire:
    return {key: value for key, value in inputs.items() if not key.startswith("__")}


def _keeps_its_given_name(type_: str, olds: Wire, news: Wire) -> bool:
    """Whether the new resource has the same fixed name, so that the old one has to be deleted first."""
    key = replacement.name_property(type_)
    return key in news and key not in news.get("__defaults", []) and plain(olds.get(key)) == plain(news.get(key))


def _updated(outputs: Wire, old_inputs: Wire, news: Wire) -> Wire:
    dropped = set(old_inputs) - set(news)
    kept = {key: value for key, value in outputs.items() if key not in dropped}
    return {**kept, **_without_bookkeeping(news)}


def _as_it_is(known: Wire, actual: Wire) -> Wire:
    """``known`` with changes made outside of the engine; unchanged values stay secret."""
    same = {key: value for key, value in known.items() if key in actual and plain(value) == actual[key]}
    return {**actual, **same}


def _revised(answer: FakeAnswer, revision: int) -> str:
    return f"{str(answer.outputs['arn']).rpartition(':')[0]}:{revision}"
