"""What people do, on two tasks of prod: each container as recorded, requests as the load balancer sends them."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Generator
from typing import Any

import pytest
from cryptography import x509
from websockets.sync.client import ClientConnection

from components.applications.documents import UNSUPPORTED
from local.task.services import task_definition
from local.task.task import Task
from tests.local.around import World, stack_of, until, variables
from tests.local.people import Person, port_of

MODELS = "/api/models"


@pytest.fixture(scope="module")
def tasks(prod: World) -> Generator[tuple[Task, Task]]:
    with prod.task("task-1") as one, prod.task("task-2") as two:
        assert one.wait(60), one.cause
        assert two.wait(60), two.cause
        yield one, two


@pytest.fixture
def ann(prod: World) -> Person:
    return Person(prod.stack, prod.wiring, prod.outside, "ann")


def _question(text: str, model: str, **more: object) -> dict[str, Any]:
    return {"model": model, "stream": True, "messages": [{"role": "user", "content": text}], **more}


def _model(person: Person, task: Task) -> str:
    status, answer = person.ask(task.node, "GET", MODELS)
    assert status == 200, answer
    return answer["data"][0]["id"]


def _said(stream: str) -> str:
    lines = [json.loads(line[6:]) for line in stream.splitlines() if line.startswith("data: {")]
    deltas = [choice["delta"] for one in lines for choice in one.get("choices", [])]
    return "".join(delta.get("content") or "" for delta in deltas)


def _event(socket: ClientConnection, kind: str) -> dict[str, Any]:
    """The next event of a kind."""
    while True:
        text = str(socket.recv(20))
        if text.startswith("42"):
            _, event = json.loads(text[2:])
            if event["data"]["type"] == kind:
                return event


def test_a_person_signs_in_by_the_headers_that_only_the_proxy_sets(
    prod: World, tasks: tuple[Task, Task], ann: Person
) -> None:
    root = Person(prod.stack, prod.wiring, prod.outside, "root", administrator=True)
    stranger = Person(prod.stack, prod.wiring, prod.outside, "eve", allowed=False)

    assert root.sign_in(tasks[0].node)["role"] == "admin"
    assert (ann.sign_in(tasks[0].node)["role"], ann.sign_in(tasks[1].node)["role"]) == ("user", "user")
    assert ann.ask(tasks[1].node, "GET", "/api/v1/auths/", **{"x-user-email": "root@example.com"})[1]["name"] == "ann"
    assert stranger.ask(tasks[0].node, "POST", "/api/v1/auths/signin", {"email": "", "password": ""})[0] == 403


def test_a_chat_of_one_task_is_read_at_the_other(tasks: tuple[Task, Task], ann: Person) -> None:
    one, two = (task.node for task in tasks)
    ann.sign_in(one)
    made = ann.ask(one, "POST", "/api/v1/chats/new", {"chat": {"title": "written here"}})[1]["id"]

    assert ann.ask(two, "GET", f"/api/v1/chats/{made}")[1]["title"] == "written here"
    ann.ask(two, "DELETE", f"/api/v1/chats/{made}")
    assert made not in [chat["id"] for chat in ann.ask(one, "GET", "/api/v1/chats/?page=1")[1]]


def test_an_answer_streams_through_the_proxy_with_a_signed_request(
    prod: World, tasks: tuple[Task, Task], ann: Person
) -> None:
    ann.sign_in(tasks[0].node)
    model = _model(ann, tasks[0])

    status, stream = ann.ask(tasks[0].node, "POST", "/api/chat/completions", _question("one two three", model))

    assert (status, _said(stream).split()) == (200, ["You", "said:", "one", "two", "three"])
    assert prod.refusals.of("bedrock") == []


def test_the_line_of_a_model_call_leads_to_user_request_and_tokens(
    prod: World, tasks: tuple[Task, Task], ann: Person
) -> None:
    ann.sign_in(tasks[0].node)
    trace = f"Root=1-{int(time.time()):08x}-{time.time_ns():024x}"
    question = _question("one two three", _model(ann, tasks[0]))
    ann.ask(tasks[0].node, "POST", "/api/chat/completions", question, **{"x-amzn-trace-id": trace})

    def written() -> list[dict[str, Any]]:
        lines = map(json.loads, prod.endpoints.logs.of("/ai-interface/prod/proxy"))
        return sorted((line for line in lines if line["request_id"] == trace), key=lambda line: line["side"])

    assert until(20, lambda: len(written()) > 1), written()  # Envoy writes its log every second.
    lines = written()
    containers = json.loads(task_definition(prod.stack)["containerDefinitions"])
    (proxy,) = [one for one in containers if one["name"] == "proxy"]
    references: dict[str, str] = {one["name"]: one["valueFrom"] for one in proxy["secrets"]}
    versions = prod.stack.all("aws:secretsmanager/secretVersion:SecretVersion")
    (key,) = [
        str(one["secretString"]) for one in versions if references["PROXY_USER_KEY"].endswith(str(one["versionId"]))
    ]
    user = hmac.new(key.encode(), b"ann@example.com", hashlib.sha256).hexdigest()[:16]
    assert [(line["side"], line["user"]) for line in lines] == [("inbound", user), ("models", user)]
    assert lines[1]["input_tokens"] > 0
    assert lines[1]["output_tokens"] == len(["You", "said:", "one", "two", "three"])


def test_a_document_is_stored_embedded_and_quoted(prod: World, tasks: tuple[Task, Task], ann: Person) -> None:
    ann.sign_in(tasks[0].node)
    text = b"The deputy of the zebra enclosure is Ludmilla."
    body = b'--b\r\ncontent-disposition: form-data; name="file"; filename="zoo.txt"\r\ncontent-type: text/plain\r\n\r\n'
    form = {"content-type": "multipart/form-data; boundary=b"}
    status, made = ann.ask(tasks[0].node, "POST", "/api/v1/files/", body + text + b"\r\n--b--\r\n", **form)
    assert status == 200, made

    asked = _question("Who is the deputy?", _model(ann, tasks[1]), files=[{"type": "file", "id": made["id"]}])
    status, stream = ann.ask(tasks[1].node, "POST", "/api/chat/completions", asked)

    assert "Ludmilla" in _said(stream)
    (content,) = prod.endpoints.buckets.objects(_bucket(prod)).values()
    assert content == text
    assert ann.ask(tasks[1].node, "GET", f"/api/v1/files/{made['id']}/content")[1] == text.decode()


@pytest.mark.parametrize("extension", UNSUPPORTED)
def test_a_format_that_cannot_be_read_is_refused_with_its_name(
    tasks: tuple[Task, Task], ann: Person, extension: str
) -> None:
    ann.sign_in(tasks[0].node)
    body = b'--b\r\ncontent-disposition: form-data; name="file"; filename="old.%s"\r\n\r\nbytes\r\n--b--\r\n'
    form = {"content-type": "multipart/form-data; boundary=b"}
    status, answer = ann.ask(tasks[0].node, "POST", "/api/v1/files/", body % extension.encode(), **form)

    assert (status, f"File type {extension} is not allowed" in str(answer)) == (400, True)


def _bucket(prod: World) -> str:
    return next(one["value"] for one in variables(prod.stack, "interface") if one["name"] == "S3_BUCKET_NAME")


def test_a_generation_of_one_task_is_heard_and_stopped_at_the_other(tasks: tuple[Task, Task], ann: Person) -> None:
    one, two = (task.node for task in tasks)
    ann.sign_in(one)
    chat = ann.ask(one, "POST", "/api/v1/chats/new", {"chat": {"title": "long"}})[1]["id"]
    model = _model(ann, tasks[0])
    with ann.listening(two) as socket:
        ids = {"session_id": "page", "chat_id": chat, "id": "answer"}
        asked = _question(" ".join(map(str, range(1000))), model, **ids)
        task = ann.ask(one, "POST", "/api/chat/completions", asked)[1]["task_id"]
        assert _event(socket, "chat:completion")["data"]["data"]["content"].startswith("You")
        assert ann.ask(two, "POST", f"/api/tasks/stop/{task}")[0] == 200
        assert _event(socket, "chat:tasks:cancel")["chat_id"] == chat
    deadline = time.monotonic() + 5
    messages: dict[str, Any] = {}
    while not messages and time.monotonic() < deadline:
        messages = ann.ask(two, "GET", f"/api/v1/chats/{chat}")[1]["chat"].get("history", {}).get("messages", {})
    assert messages["answer"]["content"].startswith("You ")
    assert " 999" not in messages["answer"]["content"]


def test_signing_out_ends_the_session_and_names_where_the_edge_ends_its_own(
    prod: World, tasks: tuple[Task, Task], ann: Person
) -> None:
    ann.sign_in(tasks[0].node)
    status, answer = ann.ask(tasks[0].node, "POST", "/api/v1/auths/signout")

    assert (status, answer["redirect_url"]) == (200, f"{ann.origin}/logout")
    assert ann.cookies["token"] in {"", '""'}
    ann.cookies.clear()
    assert ann.ask(tasks[0].node, "GET", "/api/v1/auths/")[0] == 403


def test_the_proxy_shows_the_certificate_of_the_graph(prod: World, tasks: tuple[Task, Task], ann: Person) -> None:
    with ann.connection(tasks[0].node, port_of(prod.stack)) as socket:
        shown = x509.load_der_x509_certificate(socket.getpeercert(binary_form=True) or b"")
    names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert (
        names.get_values_for_type(x509.DNSName)
        == stack_of("prod").one("tls:index/selfSignedCert:SelfSignedCert")["dnsNames"]
    )
