"""A day on prod as it is declared: from an empty database to what people do, what they may not, and what two tasks share."""

from __future__ import annotations

import json

import pytest

from local.task.services import task_definition
from local.twin import Twin
from local.visitor import RequestRefusedError, Visitor

HEALTH = "aws:lb/targetGroup:TargetGroup"


@pytest.fixture(scope="module")
def member(twin: Twin) -> Visitor:
    return Visitor(twin, twin.people.member.subject).log_in()


def _logged(twin: Twin, container: str) -> list[str]:
    definitions = json.loads(task_definition(twin.stack)["containerDefinitions"])
    (options,) = [one["logConfiguration"]["options"] for one in definitions if one["name"] == container]
    return twin.endpoints.logs.of(options["awslogs-group"])


def test_the_first_deployment_prepares_an_empty_database_once(twin: Twin) -> None:
    events = [json.loads(line) for line in _logged(twin, "prepare")]
    migrated = [one for one in events if one["event"] == "schema" and one["step"] == "migrate"]
    assert [one["found"] for one in migrated] == [None]
    assert not [one for one in events if one["event"] == "failed"]
    # As many tasks as the service wants are running, each in a different availability zone.
    zones = {twin.plan.node(task.node.host).zone for task in twin.service.tasks}
    assert len(zones) == len(twin.service.tasks) == twin.stack.one("aws:ecs/service:Service")["desiredCount"]


def test_an_answer_streams_word_by_word(twin: Twin, member: Visitor) -> None:
    arrived = list(member.ask("tell me something that takes a while, please, word by word"))
    text = "".join(word for _, word in arrived)
    assert text.split() == [
        "You",
        "said:",
        "tell",
        "me",
        "something",
        "that",
        "takes",
        "a",
        "while,",
        "please,",
        "word",
        "by",
        "word",
    ]
    assert arrived[-1][0] - arrived[0][0] > 0.1  # it was not collected on the way
    assert not [one for one in twin.causes() if one.startswith("bedrock")]


def test_a_document_is_uploaded_embedded_and_quoted(twin: Twin, member: Visitor) -> None:
    text = b"The keeper of the reptiles is called Ottokar."
    made = member.upload("zoo.txt", text)
    assert "Ottokar" in member.answer("Who is the keeper?", files=[{"type": "file", "id": made}])
    buckets = [str(one["bucket"]) for one in twin.stack.all("aws:s3/bucket:Bucket")]
    stored = [key for bucket in buckets for key in twin.endpoints.buckets.objects(bucket)]
    assert [key for key in stored if made in key]


def test_a_generation_is_heard_by_a_websocket_and_stopped(member: Visitor) -> None:
    chat = member.json("POST", "/api/v1/chats/new", {"chat": {"title": "long"}})["id"]
    with member.listening() as socket:
        words = " ".join(map(str, range(2000)))
        asked = member.question(words, session_id="page", chat_id=chat, id="answer")
        task = member.json("POST", "/api/chat/completions", asked)["task_id"]
        assert member.event(socket, "chat:completion", chat)["data"]["content"]
        member.json("POST", f"/api/tasks/stop/{task}")
        member.event(socket, "chat:tasks:cancel", chat)


def test_a_message_of_one_task_appears_at_every_other(twin: Twin, member: Visitor) -> None:
    """A WebSocket stays on one task; requests go round, so one task answers it and others publish to it."""
    chat = member.json("POST", "/api/v1/chats/new", {"chat": {"title": "shared"}})["id"]
    before = len(twin.edge.around.journal.lines["access"])
    with member.listening() as socket:
        for _ in twin.service.tasks:
            asked = member.question("one two", session_id="page", chat_id=chat, id="answer")
            member.json("POST", "/api/chat/completions", asked)
            member.event(socket, "chat:completion", chat)
    lines = twin.edge.around.journal.lines["access"][before:]
    targets = {task.node.address for task in twin.service.tasks if any(task.node.address in one for one in lines)}
    assert len(targets) > 1


def test_every_replica_of_the_cache_follows_its_primary(twin: Twin) -> None:
    """Its group has no egress rule, and needs none: AWS does not filter replication."""
    roles = {member: twin.cache.client(member).info("replication") for member in twin.cache.members}

    assert sorted(one["role"] for one in roles.values()) == ["master", *["slave"] * (len(roles) - 1)]
    assert {one["master_link_status"] for one in roles.values() if one["role"] == "slave"} == {"up"}


def test_logging_out_ends_both_sessions(twin: Twin) -> None:
    person = Visitor(twin, twin.people.member.subject).log_in()
    left = person.json("POST", "/api/v1/auths/signout")
    assert left["redirect_url"] == person.url("/logout")
    person.browser.get(left["redirect_url"], follow=False)
    person.token = ""
    assert person.send("GET", "/api/v1/auths/").status == 401  # the edge: no session at all
    assert person.browser.get(person.url("/"), follow=False).status == 302


def test_a_user_who_is_not_allowed_learns_whom_to_ask(twin: Twin) -> None:
    with pytest.raises(RequestRefusedError, match="403") as refused:
        Visitor(twin, twin.people.stranger.subject).log_in()
    contact = next(one["endpoint"] for one in twin.stack.all("aws:sns/topicSubscription:TopicSubscription"))
    assert str(contact) in str(refused.value)


def test_an_administrator_is_one_by_the_claim_alone(twin: Twin, member: Visitor) -> None:
    administrator = Visitor(twin, twin.people.administrator.subject).log_in()
    assert administrator.json("GET", "/api/v1/auths/")["role"] == "admin"
    assert member.json("GET", "/api/v1/auths/")["role"] == "user"


def test_spoofed_identity_headers_do_not_arrive(twin: Twin, member: Visitor) -> None:
    identity = [one for one in _trusted_headers(twin) if "role" in one or "email" in one]
    assert identity
    for header in identity:
        value = "admin" if "role" in header else twin.people.administrator.email
        answer = member.send("GET", "/api/v1/auths/", **{header: value})
        # The web ACL blocks what claims to be the load balancer's; the proxy replaces the rest.
        assert answer.status == 403 or json.loads(answer.body)["email"] == twin.people.member.email
    assert Visitor(twin, "").send("GET", "/api/v1/auths/", **{identity[0]: "admin"}).status in {401, 403}


def _trusted_headers(twin: Twin) -> list[str]:
    definitions = json.loads(task_definition(twin.stack)["containerDefinitions"])
    found = {
        one["value"]
        for container in definitions
        for one in container.get("environment", [])
        if one["name"].startswith("WEBUI_AUTH_TRUSTED_")
    }
    return sorted({*found, "x-amzn-oidc-data"})


@pytest.mark.parametrize("what", ["body", "upload", "no length", "url", "cookies", "header"])
def test_what_is_too_large_is_refused(twin: Twin, member: Visitor, what: str) -> None:
    """Every form of it, by whichever part has the limit; none reaches the application."""
    megabyte = 1 << 20
    before = len([line for line in _logged(twin, "interface") if "Traceback" in line])
    if what == "url":
        answer = member.browser.get(member.url("/?q=" + "x" * 20_000), follow=False)
    elif what == "cookies":
        answer = member.send("GET", "/api/v1/auths/", cookie="a=" + "x" * 60_000)
    elif what == "header":
        answer = member.send("GET", "/api/v1/auths/", **{"x-long": "x" * 30_000})
    elif what == "no length":
        chunks = b"".join(b"10000\r\n" + b"x" * 0x10000 + b"\r\n" for _ in range(2)) + b"0\r\n\r\n"
        answer = member.send("POST", "/api/v1/chats/new", chunks, **{"transfer-encoding": "chunked"})
    else:
        path = "/api/v1/files/" if what == "upload" else "/api/v1/chats/new"
        answer = member.send("POST", path, b"x" * (80 * megabyte if what == "upload" else 10 * megabyte))
    assert answer.status in {400, 403, 411, 413, 414, 431, 494}
    assert len([line for line in _logged(twin, "interface") if "Traceback" in line]) == before


def test_an_undeclared_path_or_host_leads_nowhere(twin: Twin, member: Visitor) -> None:
    assert member.send("GET", "/metrics").status == 404
    assert member.send("GET", "/api/v1/auths/", Host="elsewhere.example").status == 404


def test_what_the_twin_does_not_emulate_is_listed_and_what_it_emulates_is_not(twin: Twin) -> None:
    left = twin.stack.not_emulated()
    for rule in twin.stack.all("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"):
        opens = {name for name in rule.recorded.inputs if "Port" in name or "cidr" in name or name.endswith("Id")}
        assert opens
        assert not opens & left[rule.type]
        assert {"description", "tags"} <= left[rule.type]
    groups = [one["statement"] for one in twin.stack.one("aws:wafv2/webAcl:WebAcl")["rules"]]
    names = [one["managedRuleGroupStatement"]["name"] for one in groups if "managedRuleGroupStatement" in one]
    assert names
    assert all(any(name in line for line in twin.not_emulated) for name in names)
