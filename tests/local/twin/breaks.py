"""One value of a stack put wrong, each in one resource: what a first deployment, or a first user, would meet."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from local.authority import Authority
from local.data.database import authority
from local.stack import Resource, Stack
from local.task.services import task_definition
from local.twin import Twin
from local.visitor import PENDING, Visitor

TASK = "aws:ecs/taskDefinition:TaskDefinition"
CLUSTER = "aws:rds/cluster:Cluster"
POLICY = "aws:iam/rolePolicy:RolePolicy"
ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
TARGETS = "aws:lb/targetGroup:TargetGroup"
RULE = "aws:lb/listenerRule:ListenerRule"
DOMAINS = "aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList"


@dataclass(frozen=True)
class Break:
    """A change, and the words by which the twin names its cause."""

    name: str
    change: Callable[[Stack], Stack]
    cause: str
    """A regular expression over what the twin says."""
    found_by: tuple[str, ...]
    """The policies and checks of ``make check`` that report it without another environment to compare with, sorted."""
    use: Callable[[Twin], object] | None = None
    """The user's action that shows the fault; ``None`` if no task becomes healthy."""


def container(stack: Stack, name: str, change: Callable[[dict[str, Any]], None]) -> Stack:
    """The stack with one container changed."""
    task = task_definition(stack)
    definitions: list[dict[str, Any]] = json.loads(task["containerDefinitions"])
    (found,) = [one for one in definitions if one["name"] == name]
    change(found)
    return stack.changed(task, containerDefinitions=json.dumps(definitions))


def variable(stack: Stack, name: str, key: str, value: str | None) -> Stack:
    """The stack with another value for a container's variable, or without it."""

    def change(found: dict[str, Any]) -> None:
        environment: list[dict[str, str]] = found["environment"]
        assert key in [one["name"] for one in environment]
        kept = [one for one in environment if one["name"] != key]
        found["environment"] = [*kept, *([] if value is None else [{"name": key, "value": value}])]

    return container(stack, name, change)


def value(stack: Stack, name: str, key: str) -> str:
    """A container's variable."""
    definitions: list[dict[str, Any]] = json.loads(task_definition(stack)["containerDefinitions"])
    (found,) = [one for one in definitions if one["name"] == name]
    return next(one["value"] for one in found["environment"] if one["name"] == key)


def without_action(stack: Stack, resource: Resource, action: str) -> Stack:
    """The stack with a policy that does not allow an action."""
    document: dict[str, Any] = json.loads(resource["policy"])
    hits = 0
    for statement in document["Statement"]:
        if statement["Effect"] == "Allow" and action in statement["Action"]:
            actions = [one for one in statement["Action"] if one != action]
            statement["Action"] = actions or ["sts:GetCallerIdentity"]
            hits += 1
    assert hits, action
    return stack.changed(resource, policy=json.dumps(document))


def policy_with(stack: Stack, type_: str, action: str) -> Resource:
    """The policy that allows an action."""
    found = [one for one in stack.all(type_) if f'"{action}"' in str(one.get("policy") or "")]
    return next(one for one in found if type_ != POLICY or one["role"] == _role_of_the_task(stack))


def _role_of_the_task(stack: Stack) -> str:
    return str(stack.by_arn(str(task_definition(stack)["taskRoleArn"]))["name"])


def _another_secret(stack: Stack) -> Stack:
    def change(found: dict[str, Any]) -> None:
        (secret,) = [one for one in found["secrets"] if one["name"] == "REDIS_URL"]
        arn, _, rest = secret["valueFrom"].partition(":secret:")
        secret["valueFrom"] = f"{arn}:secret:{rest.replace('cache', 'cash', 1)}"
        assert rest != rest.replace("cache", "cash", 1)

    return container(stack, "interface", change)


def _cache_port(stack: Stack) -> Stack:
    (rule,) = [one for one in stack.all(EGRESS) if one["description"] == "Cache"]
    return stack.changed(rule, fromPort=rule["fromPort"] + 1, toPort=rule["toPort"] + 1)


def _health_path(stack: Stack) -> Stack:
    group = stack.one(TARGETS)
    check: Mapping[str, Any] = group["healthCheck"]
    return stack.changed(group, healthCheck={**check, "path": f"{check['path']}z"})


def _another_authority(stack: Stack) -> Stack:
    """The database's authority of another region in the trust file: the kind of certificate, and another subject."""
    plan: dict[str, Any] = json.loads(value(stack, "prepare", "PREPARE_PLAN"))
    trust = value(stack, "prepare", "PGSSLROOTCERT")
    own = authority(stack).subject
    other = own.replace(stack.region, "us-east-1" if stack.region != "us-east-1" else "us-west-2")
    assert other != own
    assert trust in plan["files"]
    plan["files"][trust] = Authority.make(other).certificate
    return variable(stack, "prepare", "PREPARE_PLAN", json.dumps(plan))


def _session_cookie(stack: Stack) -> Stack:
    rules = [one for one in stack.all(RULE) if _login(one).get("onUnauthenticatedRequest") == "deny"]
    changed = stack
    for rule in rules:
        # Copied with the marks of its secrets.
        actions: list[dict[str, Any]] = copy.deepcopy(rule.recorded.inputs["actions"])
        actions[0]["authenticateOidc"]["sessionCookieName"] = "ApiSession"
        changed = changed.changed(rule, actions=actions)
    assert rules
    return changed


def _login(rule: Resource) -> dict[str, Any]:
    for action in rule["actions"]:
        if login := action.get("authenticateOidc"):
            return login
    return {}


def _sign_in(twin: Twin) -> object:
    return Visitor(twin, twin.people.member.subject).log_in()


def _newcomer(twin: Twin) -> object:
    """Someone who is not the first: the application makes the first person an administrator."""
    _sign_in(twin)
    return Visitor(twin, twin.people.administrator.subject).log_in()


def _ask(twin: Twin) -> object:
    return Visitor(twin, twin.people.member.subject).log_in().answer("is anybody there?")


def _upload(twin: Twin) -> object:
    return Visitor(twin, twin.people.member.subject).log_in().upload("zoo.txt", b"The zebra is striped.")


def _listen(twin: Twin) -> object:
    """A WebSocket, and an answer that another task may send through the cache."""
    person = Visitor(twin, twin.people.member.subject).log_in()
    chat = person.json("POST", "/api/v1/chats/new", {"chat": {"title": "shared"}})["id"]
    with person.listening() as socket:
        person.json(
            "POST", "/api/chat/completions", person.question("one", session_id="page", chat_id=chat, id="answer")
        )
        return person.event(socket, "chat:completion", chat)


def _allowed_domain(stack: Stack) -> Stack:
    """The DNS Firewall's list without the model's name."""
    changed = stack
    for one in stack.all(DOMAINS):
        domains: list[str] = one["domains"]
        kept = [name for name in domains if not name.startswith("bedrock-runtime")]
        if kept != domains:
            changed = changed.changed(one, domains=kept)
    assert changed is not stack
    return changed


PERMISSIONS, REACH, VARIABLES = "conform-permissions", "conform-reach", "conform-variables"
BREAKS = (
    Break(
        "the master user is the owner role of the database",
        lambda stack: stack.changed(stack.one(CLUSTER), masterUsername=value(stack, "prepare", "DATABASE_USER")),
        r"prepare ended with exit code 1.*no role can be granted to itself", ("rds-iam-logins-are-not-the-master",),
    ),
    Break("a secret's ARN", _another_secret, r"container interface, secret REDIS_URL, valueFrom \S+cash\S+: secretsmanager:GetSecretValue", (PERMISSIONS, REACH)),
    Break(
        "the database's port",
        lambda stack: variable(stack, "prepare", "DATABASE_PORT", "5433"),
        r"network: service-\S+ → state-database\S* port 5433: no egress rule", (REACH, VARIABLES),
    ),
    Break(
        "a missing variable",
        lambda stack: variable(stack, "interface", "DATABASE_NAME", None),
        r"container interface ended .*Pgvector requires setting PGVECTOR_DB_URL or using Postgres", (VARIABLES,),
    ),
    Break(
        "a missing variable of prepare",
        lambda stack: variable(stack, "prepare", "DATABASE_NAME", None),
        r"prepare ended with exit code 1.*these variables are empty: DATABASE_NAME", (VARIABLES,),
    ),
    Break(
        "a task role without s3:PutObject",
        lambda stack: without_action(stack, policy_with(stack, POLICY, "s3:PutObject"), "s3:PutObject"),
        r"s3: s3:PutObject on \S+: no statement of role \S+ policies allows it", (PERMISSIONS, REACH),
        _upload,
    ),
    Break(
        "an execution role without secretsmanager:GetSecretValue",
        lambda stack: without_action(stack, _execution(stack), "secretsmanager:GetSecretValue"),
        r"secretsmanager:GetSecretValue on \S+: no statement of role \S*execution\S* policies allows it", (PERMISSIONS, REACH, "ecs-tasks-may-read-their-secrets"),
    ),
    Break(
        "an endpoint policy without the model's action",
        lambda stack: without_action(
            stack, policy_with(stack, ENDPOINT, "bedrock:InvokeModelWithResponseStream"),
            "bedrock:InvokeModelWithResponseStream",
        ),
        r"endpoint policy.*bedrock:InvokeModelWithResponseStream|bedrock:InvokeModelWithResponseStream.*endpoint policy", (REACH,),
        _ask,
    ),
    Break("a security group closed towards the cache", _cache_port, r"network: service-\S+ → state-cache\S* port \d+: no egress rule", (REACH, "reachability-connected-parts-can-connect", "vpc-network-acl-entries-are-used"), _listen),
    Break("the health check's path", _health_path, r"healthCheck: HTTPS /healthz .*wanted 200", ("proxy-open-routes-are-health-checks",)),
    Break("another certificate authority for the database", _another_authority, r"container prepare ended .*not from the expected authority.*certificate verify failed", ("conform-database-trust",)),
    Break(
        "another database user for the application",
        lambda stack: variable(stack, "interface", "DATABASE_USER", "reader"),
        r"database \S+: reader could not log in: there is no such role", (PERMISSIONS, VARIABLES),
    ),
    Break("the session cookie's name on the API's rules", _session_cookie, r"edge: no session in the cookie ApiSession-0", ("elb-logins-agree",), _sign_in),
    Break(
        "the database's DNS name",
        lambda stack: variable(
            stack, "prepare", "DATABASE_HOST", value(stack, "prepare", "DATABASE_HOST").replace(".cluster-", ".cluster-ro")
        ),
        r"dns: \S+ queried \S+cluster-ro\S+ A: \S+ no endpoint, store or record", (REACH, VARIABLES),
    ),
    Break(
        "a role of new people that waits for an administrator",
        lambda stack: variable(stack, "interface", "DEFAULT_USER_ROLE", PENDING),
        r"the account waits for its activation",
        (),
        _newcomer,
    ),
    Break("a DNS Firewall without the model's name", _allowed_domain, r"dns: \S+ queried bedrock-runtime\S+ A: .*blocked by DNS Firewall rule", (REACH,), _ask),
)  # fmt: skip


def _execution(stack: Stack) -> Resource:
    found = [one for one in stack.all(POLICY) if "ReadSecrets" in str(one["policy"]) or "workload" in one.name]
    return next(one for one in found if '"secretsmanager:GetSecretValue"' in str(one["policy"]))
