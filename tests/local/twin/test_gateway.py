"""Models behind the gateway: answers, its name, its loss and return, who reaches it, and one wrong value at a time."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import dns.message
import dns.rdatatype
import pytest

from components.gateway.settings import PORT, SERVICE
from local import litellm, open_webui
from local.aws.chat import Behaviour
from local.discovery import NAMESPACE
from local.environment import Installed
from local.faults import kill, models_behave
from local.small import running as running_small
from local.stack import Stack
from local.task.definition import definition
from local.task.deployment import FAILED
from local.task.service import Service
from local.task.services import REGISTRY, others, task_definition
from local.twin import Twin, running
from local.visitor import RequestRefusedError, Visitor
from releases.manifest import load_release
from tests.local.around import until
from tests.local.twin.breaks import Break
from tests.local.twin.conftest import needs_namespaces
from tests.local.twin.gateway import (
    BOTH,
    CONVERSE,
    EMBEDS,
    GROUPS,
    MESSAGES,
    OWN,
    SERVER,
    with_gateway,
    with_key,
)
from tests.local.twin.gateway import PORT as SERVER_PORT
from tests.local.twin.gateway_breaks import BREAKS
from tests.local.twin.test_failures import alarms

SECONDS = 240
START_SECONDS = 180
"""LiteLLM imports for half a minute, and Open WebUI for longer, where they are installed."""
DROPPED_SECONDS = 3
SLOW_SECONDS = 3.0
"""A word of an answer that is in progress when its task gets SIGTERM, and after the callers have looked the name up again."""
UNAVAILABLE = "No model server answered"
"""What the interface's proxy says if no upstream of a group answers."""
QUESTION = "tell me something that takes a while"


def installed() -> Installed:
    """The real programs, where ``LITELLM_PYTHON`` and ``OPEN_WEBUI_PYTHON`` name them."""
    (service,) = others(with_gateway())
    images = load_release(str(service["tags"]["release"])).images
    found: dict[str, dict[str, str]] = {}
    for image, program, target in (("gateway", litellm, "test-gateway"), ("interface", open_webui, "test-open-webui")):
        python, wanted = program.interpreter(), images[image].version
        assert not python or program.version(python) == wanted, f"make {target} installs the manifest's version"
        found[image] = {wanted: python} if python else {}
    return Installed(interfaces=found["interface"], gateways=found["gateway"])


@pytest.fixture(scope="module")
def twin() -> Generator[Twin]:
    needs_namespaces()
    with running(with_gateway(), bootstrap=with_key(), installed=installed()) as found:
        found.wait(START_SECONDS)
        yield found
        found.kill()


@pytest.fixture(scope="module")
def member(twin: Twin) -> Visitor:
    return Visitor(twin, twin.people.member.subject).log_in()


@pytest.fixture(scope="module")
def gateway(twin: Twin) -> Service:
    """The service."""
    return twin.others[SERVICE]


def answers(member: Visitor, group: str) -> bool:
    """Whether the model of a group answers."""
    try:
        return member.answer("hello", model=GROUPS[group]) == "You said: hello"
    except RequestRefusedError:
        return False


def asked(twin: Twin) -> tuple[set[str], int]:
    """The addresses of the gateway's name, as a task asks for it, and their TTL."""
    query = dns.message.make_query(name(twin.stack), "A")
    answer = twin.resolver.answer(query, twin.service.tasks[0].node.address, "UDP")
    found = [rrset for rrset in answer.answer if rrset.rdtype == dns.rdatatype.A]
    addresses = {str(one) for rrset in found for one in cast("list[object]", rrset)}
    return addresses, found[0].ttl if found else 0


def name(stack: Stack) -> str:
    """The name in the graph."""
    return f"{stack.one(REGISTRY)['name']}.{stack.one(NAMESPACE)['name']}"


def test_every_container_of_the_gateway_runs_as_declared(twin: Twin, gateway: Service) -> None:
    (service,) = others(twin.stack)
    declared = {one.name for one in definition(twin.stack, service).containers}
    assert len(gateway.tasks) == service["desiredCount"]
    for task in gateway.tasks:
        assert set(task.containers) == declared
        assert task.arn.startswith(task.definition.arn.partition(":task-definition/")[0])
    zones = {twin.plan.node(task.node.host).zone for task in gateway.tasks}
    assert len(zones) == len(gateway.tasks)


@pytest.mark.parametrize("group", GROUPS)
def test_an_answer_streams_from_each_group(twin: Twin, member: Visitor, group: str) -> None:
    before = len(twin.refusals.of("bedrock-runtime"))
    with models_behave(twin, Behaviour(seconds_a_word=0.2)):
        arrived = list(member.ask(QUESTION, model=GROUPS[group]))
    assert "".join(word for _, word in arrived) == f"You said: {QUESTION}"
    assert arrived[-1][0] - arrived[0][0] > 1  # it was not collected on the way
    assert len(twin.refusals.of("bedrock-runtime")) == before


def test_a_document_is_embedded_by_the_gateway_and_found_again(twin: Twin, member: Visitor) -> None:
    since, before = time.time(), len(twin.refusals.entries)
    file = member.upload("harbour.txt", b"The harbour master keeps the keys of the lighthouse.")

    def embedded() -> bool:
        return member.json("GET", f"/api/v1/files/{file}")["data"].get("status") == "completed"

    assert until(START_SECONDS, embedded)
    said = member.answer("who keeps the keys?", model=GROUPS[BOTH], files=[{"type": "file", "id": file}])
    assert "The harbour master keeps the keys" in said

    def counted() -> bool:
        return any(
            one.name == "Calls" and dict(one.dimensions).get("model") == EMBEDS for one in twin.metrics.since(since - 1)
        )

    assert until(30, counted)
    assert twin.refusals.entries[before:] == []


def test_the_servers_key_never_leaves_the_proxy(twin: Twin, member: Visitor) -> None:
    server = twin.servers[f"{SERVER}:{SERVER_PORT}"]
    assert server.key
    key = server.key()
    assert answers(member, OWN)
    for task in twin.service.tasks:
        holders = {name for name, one in task.containers.items() if key in json.dumps(one.spec["environment"])}
        assert holders == {"proxy"}
    server.key = lambda: key[::-1]
    try:
        with pytest.raises(RequestRefusedError, match="401"):
            member.answer("anybody?", model=GROUPS[OWN])
        assert any("another API key" in one for one in twin.refusals.of(SERVER))
    finally:
        server.key = lambda: key
    assert answers(member, OWN)


def test_a_throttled_gateway_fails_over_to_bedrock_and_a_failing_server_is_an_error_of_its_model(
    twin: Twin, member: Visitor
) -> None:
    server = twin.servers[f"{SERVER}:{SERVER_PORT}"]
    server.behaviours.default = Behaviour(status=503)
    try:
        with pytest.raises(RequestRefusedError):
            member.answer("anybody?", model=GROUPS[OWN])
        assert answers(member, BOTH)
    finally:
        server.behaviours.default = Behaviour()
    assert until(SECONDS, lambda: answers(member, OWN))


def test_the_log_of_the_gateway_becomes_metrics_of_its_models(twin: Twin, member: Visitor) -> None:
    since = time.time()
    for group in GROUPS:
        member.answer("hello", model=GROUPS[group])

    def counted() -> set[str]:
        found = [
            one for one in twin.metrics.since(since - 1) if one.name == "Calls" and one.namespace.endswith(SERVICE)
        ]
        return {dict(one.dimensions).get("model", "") for one in found} - {""}

    through = {GROUPS[group] for group in (MESSAGES, CONVERSE, BOTH)}
    assert until(30, lambda: counted() == through), counted()


def test_the_name_has_the_addresses_of_the_tasks(twin: Twin, gateway: Service) -> None:
    (record,) = twin.stack.one(REGISTRY)["dnsConfig"]["dnsRecords"]
    assert asked(twin) == ({task.node.address for task in gateway.tasks}, record["ttl"])
    with pytest.raises(LookupError):
        twin.public(name(twin.stack))


def test_no_other_host_reaches_the_gateway(twin: Twin, gateway: Service) -> None:
    """A connection from the interface's tasks is open at once; every other one is dropped, whoever it is from."""
    address = gateway.tasks[0].node.address
    own = {node.name for node in twin.plan.of(twin.service.primary.settings.resource.recorded.urn)}
    hosts = [node.name for node in twin.plan.nodes if node.v4 and node.v4 != address] + [
        h.name for h in twin.plan.hosts
    ]
    assert own < set(hosts)

    def opens(host: str) -> bool:
        with twin.wiring.open(host) as made:
            made.settimeout(SECONDS if host in own else DROPPED_SECONDS)
            try:
                made.connect(twin.wiring.target(host, address, PORT))
            except OSError:
                return False
            return True

    with ThreadPoolExecutor(16) as pool:
        opened = {host for host, one in zip(hosts, pool.map(opens, hosts), strict=True) if one}
    assert opened == own
    neighbour = gateway.tasks[1].node.host
    assert [one for one in twin.dropped() if one.startswith(f"network: {neighbour} → ") and f"port {PORT}:" in one]


def test_failing_models_are_counted_by_the_gateways_alarm(twin: Twin, member: Visitor) -> None:
    with alarms(twin) as raised:
        with models_behave(twin, Behaviour(status=503)), pytest.raises(RequestRefusedError):
            member.answer("anybody?", model=GROUPS[CONVERSE])
        failures = "Failures"
        assert until(
            30, lambda: any(one.name == failures and one.value for one in twin.metrics.since(time.time() - 60))
        )
    assert "gateway-failures" in raised
    assert until(60, lambda: answers(member, CONVERSE))


def test_a_replaced_task_has_another_address_and_calls_go_on(twin: Twin, gateway: Service) -> None:
    before, _ = asked(twin)
    refused: list[str] = []
    answered: list[str] = []
    over = threading.Event()

    def ask() -> None:
        person = Visitor(twin, twin.people.member.subject).log_in()
        while not over.is_set():
            try:
                answered.append(person.answer("hello", model=GROUPS[MESSAGES]))
            except RequestRefusedError as error:
                refused.append(str(error))

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        assert until(SECONDS, lambda: answered)
        stopped = gateway.tasks[0]
        gateway.stop_task(stopped)
        assert stopped.node.address not in asked(twin)[0]  # before it gets its SIGTERM
        assert until(SECONDS, lambda: stopped not in gateway.tasks and gateway.complete), twin.causes()
        changed, _ = asked(twin)
        assert until(10, lambda: asked(twin)[0] == {task.node.address for task in gateway.tasks})
        assert changed != before
        count = len(answered)
        assert until(SECONDS, lambda: len(answered) > count + 10), refused
    finally:
        over.set()
        asking.join(SECONDS)
    # Envoy has the address for up to five seconds, and then tries the other task.
    assert len(refused) <= 1, refused


def test_a_killed_task_leaves_the_name(twin: Twin, gateway: Service) -> None:
    killed = gateway.tasks[-1]
    kill(killed, "gateway")
    assert until(10, lambda: killed.node.address not in asked(twin)[0])
    assert until(SECONDS, lambda: killed not in gateway.tasks and gateway.complete), twin.causes()
    assert "container gateway ended with exit code 137" in gateway.causes[-1]


def ids(gateway: Service) -> set[str]:
    """The tasks that have not stopped."""
    return {task.id for task in gateway.tasks}


def with_container(stack: Stack, change: Callable[[dict[str, Any]], None]) -> Stack:
    """The stack with another definition of LiteLLM's container."""
    task = task_definition(stack, others(stack)[0])
    containers: list[dict[str, Any]] = json.loads(task["containerDefinitions"])
    change(next(one for one in containers if one["name"] == SERVICE))
    return stack.changed(task, containerDefinitions=json.dumps(containers))


def _shorter_stop(container: dict[str, Any]) -> None:
    container["stopTimeout"] -= 1


def _another_version(container: dict[str, Any]) -> None:
    for one in container["secrets"]:
        one["valueFrom"] = one["valueFrom"][:-1] + ("0" if one["valueFrom"][-1] != "0" else "1")


def test_a_deployment_replaces_every_task_finishes_answers_and_a_faulty_one_is_rolled_back(
    twin: Twin, member: Visitor, gateway: Service
) -> None:
    before = ids(gateway)
    with models_behave(twin, Behaviour(seconds_a_word=SLOW_SECONDS)):
        answer = member.ask(QUESTION, model=GROUPS[CONVERSE])
        _, first = next(answer)
    gateway.deploy(with_container(twin.stack, _shorter_stop))
    # The deployment stops the task that writes it.
    words = [first, *(word for _, word in answer)]
    assert "".join(words) == f"You said: {QUESTION}"
    assert gateway.wait(SECONDS), gateway.causes
    assert not before & ids(gateway)
    assert asked(twin)[0] == {task.node.address for task in gateway.tasks}
    kept = ids(gateway)
    faulty = gateway.deploy(with_container(twin.stack, _another_version))
    assert until(SECONDS, lambda: faulty.rollout == FAILED), gateway.causes
    assert "container gateway, secret GATEWAY_KEY" in faulty.causes[0]
    assert gateway.wait(SECONDS)
    assert ids(gateway) == kept
    assert until(30, lambda: answers(member, CONVERSE))


def test_a_stopped_gateway_is_an_error_of_its_models_and_others_go_on(
    twin: Twin, member: Visitor, gateway: Service
) -> None:
    desired = gateway.primary.settings.desired
    with alarms(twin) as raised:
        gateway.scale(0)
        # As long as ECS waits for both containers, one after the other.
        longest = sum(one.stop_seconds for one in gateway.primary.definition.containers)
        assert until(SECONDS + longest, lambda: not gateway.tasks)
        for group in (MESSAGES, CONVERSE):
            with pytest.raises(RequestRefusedError, match=rf"503.*{UNAVAILABLE}"):
                member.answer("anybody?", model=GROUPS[group])
        assert answers(member, BOTH), "Bedrock itself is the second upstream"
        gateway.measure()
    assert "gateway-tasks-missing" in raised
    assert asked(twin) == (set(), 0)
    assert any("Cloud Map has no healthy task under this name" in one for one in twin.refusals.of("dns"))
    gateway.scale(desired)
    assert until(SECONDS, lambda: gateway.complete)
    for group in GROUPS:
        # The proxy may leave out an upstream that failed often for a minute after its return.
        assert until(SECONDS, lambda group=group: answers(member, group)), (group, asked(twin), twin.causes()[-5:])


@pytest.mark.parametrize("broken", BREAKS, ids=[one.name for one in BREAKS])
def test_one_wrong_value_is_named(broken: Break) -> None:
    needs_namespaces()
    with running(broken.change(with_gateway()), bootstrap=with_key(), installed=installed()) as twin:
        twin.wait(START_SECONDS)
        assert broken.use
        use, named = broken.use, re.compile(broken.cause, re.DOTALL)

        def refused() -> bool:
            with pytest.raises(RequestRefusedError):
                use(twin)
            return named.search("\n".join(twin.causes())) is not None

        # The first request may be refused because the other side is not in service yet; what is wrong is named after it.
        assert until(SECONDS, refused), "\n".join(twin.causes())
        other = Visitor(twin, twin.people.member.subject).log_in()
        assert until(SECONDS, lambda: answers(other, OWN))
        twin.kill()


def test_make_local_answers_from_each_group() -> None:
    with running_small(with_gateway(), bootstrap=with_key(), installed=installed()) as environment:
        environment.wait(START_SECONDS)
        visitor = Visitor(environment, environment.people.member.subject).log_in()
        assert [visitor.answer("hello", model=model) for model in GROUPS.values()] == ["You said: hello"] * len(GROUPS)
        (service,) = environment.others.values()
        (task,) = service.tasks
        task.containers["gateway"].kill()
        assert until(SECONDS, lambda: task not in service.tasks and service.complete)
        assert until(60, lambda: answers(visitor, CONVERSE)), environment.causes()
        environment.kill()
