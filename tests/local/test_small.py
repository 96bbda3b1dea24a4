"""``make local`` is the twin's own stack with less: what it leaves out is named, and everything else is the graph's."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, cast

import pytest

from local.aws.chat import Behaviour
from local.environment import DidNotStartError
from local.small import PLAN, PREPARE, reduced, running
from local.stack import Stack
from local.task.definition import definition
from local.task.image import Images
from local.task.plain import NOWHERE, PlainPlace
from local.task.services import SERVICE, task_definition
from local.task.surroundings import Surroundings
from local.visitor import RequestRefusedError, Visitor
from local.wiring import LOOPBACK, Loopback, Node
from policies.guardrails.topology.graph.documents import document
from tests.local.around import stack_of
from tests.local.aws.world import STACKS, bootstrap
from tests.local.twin.breaks import BREAKS, Break
from tests.preflight.conform.graphs import MANTLE, MANTLE_MODEL, program

NODE = Node("task-1", "10.0.0.4")
SHARED = ("aws:rds/cluster:Cluster", "aws:elasticache/replicationGroup:ReplicationGroup", "aws:s3/bucket:Bucket")
"""What only ``make twin`` has."""
NAMES = ("endpoint", "readerEndpoint", "primaryEndpointAddress", "readerEndpointAddress", "bucket")


def containers(stack: Stack) -> dict[str, dict[str, Any]]:
    """The container definitions by name."""
    found = cast("list[dict[str, Any]]", task_definition(stack).document("containerDefinitions"))
    return {one["name"]: one for one in found}


@pytest.mark.parametrize("name", STACKS)
def test_everything_else_is_the_graphs(name: str) -> None:
    stack = stack_of(name)
    small = reduced(stack)
    assert small.one(SERVICE)["desiredCount"] == 1
    changed = {one.urn for one in stack.recording.resources} - {
        one.urn for one, other in zip(stack.recording.resources, small.recording.resources, strict=True) if one == other
    }
    assert changed <= {stack.one(SERVICE).recorded.urn, task_definition(stack).recorded.urn}
    before, after = containers(stack), containers(small)
    assert before.keys() - after.keys() == {"cleaner"}, "without a bucket, what it would remove are the only copies"
    for one, made in after.items():
        same = before[one].keys() - {"environment", "secrets", "command"}
        assert {key: made[key] for key in same} == {key: before[one][key] for key in same}
        values = {variable["name"]: variable["value"] for variable in before[one].get("environment", [])}
        for variable in made["environment"]:
            assert variable["value"] == values[variable["name"]] or variable["name"] == PLAN
        assert [word for word in before[one]["command"] if word in made["command"]] == made["command"]


@pytest.mark.parametrize("name", STACKS)
def test_no_container_names_what_is_not_there(name: str) -> None:
    stack = stack_of(name)
    names = {str(found) for type_ in SHARED for one in stack.all(type_) for key in NAMES if (found := one.get(key))}
    assert len(names) > 3
    before, after = (
        json.dumps([[one.get("environment"), one.get("secrets")] for one in containers(of).values()])
        for of in (stack, reduced(stack))
    )
    assert [one for one in names if one in before], "the graph's own containers name the stores"
    assert not [one for one in names if one in after]
    plan = next(one for one in containers(reduced(stack))[PREPARE]["environment"] if one["name"] == PLAN)
    assert json.loads(plan["value"])["database"] is None


def place(paths: dict[str, str] | None = None, resolve: Any = None) -> PlainPlace:  # noqa: ANN401 - a function or nothing
    """Where a container of the first task is."""
    around = Surroundings(
        stack=stack_of("staging"), wiring=Loopback(), images=Images(stack_of("staging"), Path("/")),
        agents=cast("Any", None), authorities=[], trust="", resolver="10.0.0.2", resolve=resolve,
    )  # fmt: skip
    return PlainPlace(NODE, around, paths or {}, Path("/"))


def test_paths_and_ports_of_the_container_become_those_of_this_machine() -> None:
    made = place({"/srv": "/var/volumes/srv", "/srv/data": "/var/volumes/data", "/tmp": "/var/volumes/tmp"})  # noqa: S108
    assert made.text("/srv/data/one:/srv:/srv2:/tmp") == "/var/volumes/data/one:/var/volumes/srv:/srv2:/var/volumes/tmp"
    assert made.text('{"a":"/srv/data"}') == '{"a":"/var/volumes/data"}'
    assert made.text("https://chat.example.com/srv/data") == "https://chat.example.com/srv/data"
    port = made.port(8080)
    assert port != 8080
    assert made.text("http://127.0.0.1:8080/health http://localhost:8080") == (
        f"http://{LOOPBACK}:{port}/health http://{LOOPBACK}:{port}"
    )
    assert made.text("10.0.0.1:8080") == "10.0.0.1:8080"
    assert made.command(["serve", "--port", "8080"], {})[1:] == ["--port", str(port)]


@pytest.mark.parametrize("name", STACKS)
def test_envoy_listens_and_connects_on_loopback_alone(name: str) -> None:
    asked: list[str] = []

    def resolve(wanted: str, source: str) -> str:
        assert source == NODE.address
        asked.append(wanted)
        raise LookupError(wanted)

    found = definition(stack_of(name)).container("proxy")
    assert found
    made = place(resolve=resolve)
    (text,) = [one for one in made.command(found.command, {}) if "static_resources" in one]
    configuration = cast("dict[str, Any]", document(text))
    static = configuration["static_resources"]
    addresses = [json.dumps(one) for one in (*static["listeners"], *static["clusters"])]
    sockets = [one.count('"socket_address"') for one in addresses]
    assert sum(sockets) == sum(one.count(f'"socket_address": {{"address": "{LOOPBACK}"') for one in addresses) > 3
    assert asked, "the models' names"
    assert {one["type"] for one in static["clusters"] if "socket_address" in json.dumps(one)} == {"STATIC"}
    # A name that the network does not have leads nowhere: neither to this machine's resolver nor to a listener.
    assert {address for address, _ in cast("Loopback", made.around.wiring).ports if address == NOWHERE} == {NOWHERE}


@pytest.mark.parametrize("name", STACKS)
def test_a_person_logs_in_asks_and_uploads(name: str) -> None:
    with running(stack_of(name), bootstrap=bootstrap(name)) as environment:
        environment.wait()
        for person in (environment.people.member, environment.people.administrator):
            visitor = Visitor(environment, person.subject).log_in()
            assert visitor.json("GET", "/api/v1/auths/")["email"] == person.email
            assert visitor.answer("what is striped?").startswith("You said: what is striped?")
            assert visitor.upload("zoo.txt", b"The zebra is striped.")
        page = environment.browser().login(environment.people.stranger.subject, environment.url)
        assert page.status == 403
        environment.kill()


def test_a_person_asks_a_model_at_bedrock_mantle() -> None:
    with running(Stack.of(program(MANTLE)), bootstrap=bootstrap("staging")) as environment:
        environment.wait()
        visitor = Visitor(environment, environment.people.member.subject).log_in()
        assert visitor.answer("what is striped?").startswith("You said: what is striped?")
        assert environment.endpoints.bedrock == {}
        environment.endpoints.mantle["eu-west-1"].behave(MANTLE_MODEL, Behaviour(status=403))
        with pytest.raises((RequestRefusedError, TimeoutError)):
            visitor.answer("and now?")
        environment.kill()


LOCAL = {
    "an execution role without secretsmanager:GetSecretValue",
    "an endpoint policy without the model's action",
    "a DNS Firewall without the model's name",
}
"""Those of the twin's breaks whose cause lies on the request's path, one for each part that has to name it."""


@pytest.mark.parametrize("broken", [one for one in BREAKS if one.name in LOCAL], ids=lambda one: one.name)
def test_a_wrong_value_is_named_here_too(broken: Break) -> None:
    with running(broken.change(stack_of("staging")), bootstrap=bootstrap("staging")) as environment:
        if broken.use is None:
            with pytest.raises(DidNotStartError):
                environment.wait()
        else:
            environment.wait()
            with pytest.raises((RequestRefusedError, TimeoutError)):
                Visitor(environment, environment.people.member.subject).log_in().answer("is anybody there?")
        said = "\n".join(environment.said())
        environment.kill()
    assert re.search(broken.cause, said, re.DOTALL), said
