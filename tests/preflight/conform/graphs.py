"""The recorded graphs that the checks run on, and functions that plant a fault in one of them."""

from __future__ import annotations

import copy
import dataclasses
import json
import re
from collections.abc import Iterator
from functools import cache

from preflight.recording.recorder import RecordedResource, Recording
from preflight.sdk.wire import Json
from tests.assembly.topologies import ELSEWHERE, SHAPES, Shape, recorded
from tests.bootstrap.program import run_bootstrap
from tests.once import main_program
from tests.settings.stack_files import OPEN_WEBUI, as_the_engine_passes_it

Case = str | Shape
"""A committed stack, a ``VARIANT`` of staging, or a topology."""
STACKS = ("staging", "prod")
PROMPTS = "recorded prompts"
"""Staging with ``models.recordPrompts``, which adds a key, a bucket and the account's invocation logging, and with a pager and a
channel among the recipients of alarms."""
RECIPIENTS = [
    {"kind": "https", "name": "pager", "severity": "page", "urlSecret": "ai-interface/staging/alert-pager"},
    {"kind": "email", "name": "channel", "severity": "both", "address": "channel@example.com"},
    {"kind": "slack", "name": "alerts", "severity": "both", "workspaceId": "T07EA123LEP", "channelId": "C07EZ1ABC23"},
]
QUOTA = 200_000
"""Its ``models.quotaTokensPerMinute``."""
GATEWAY = "the gateway"
"""Staging with an upstream of kind ``gateway``, which adds a service with its name, roles and secrets."""
EXTERNAL = "a provider on the internet"
"""Staging with an upstream of kind ``external``, which adds the egress proxy in subnets with a way to the internet."""
KEY = "provider"
"""The name of that provider's key in ``modelKeys`` of bootstrap's environment."""
MANTLE = "Bedrock's endpoint bedrock-mantle"
"""Staging with an upstream of kind ``bedrockMantle`` in place of Bedrock's runtime, which leaves it without a guardrail."""
MANTLE_MODEL = "openai.gpt-oss-120b"
"""A model of the committed releases by its id at ``bedrock-mantle``."""
OFFICES = "office networks"
"""Staging with ``limits.rates.officeNetworks``, which adds an IP set and rules of the web ACL."""
OFFICE_BLOCK, OFFICE_PEOPLE = "203.0.113.0/28", 2000
VARIANTS = (PROMPTS, GATEWAY, EXTERNAL, MANTLE, OFFICES)
CASES: tuple[Case, ...] = (*STACKS, *VARIANTS, *SHAPES, *ELSEWHERE)
SAMPLE = [SHAPES[0], SHAPES[3], SHAPES[7], SHAPES[-1], *ELSEWHERE]
"""A new VPC with a hosted zone; a given certificate and machine clients; both in an existing VPC; three zones; other regions."""


@cache
def environment(stack: str) -> Recording:
    """The real program with a committed stack file."""
    return main_program(
        stack,
        as_the_engine_passes_it(stack),
    )


@cache
def with_open_webui(stack: str) -> Recording:
    """A committed stack with Open WebUI, whatever application its file selects."""
    config = {**as_the_engine_passes_it(stack), **OPEN_WEBUI}
    return main_program(stack, config)


@cache
def with_recorded_prompts() -> Recording:
    """Staging with ``models.recordPrompts``, ``owner.subscriptions`` and the alarms that are off by default."""
    account_id = json.loads(as_the_engine_passes_it("staging")["aws:allowedAccountIds"])[0]
    reader = f"arn:aws:iam::{account_id}:role/reader"
    models: dict[str, object] = {"recordPrompts": {"days": 30, "readerArns": [reader]}, "quotaTokensPerMinute": QUOTA}
    return _staging_with(models, subscriptions=RECIPIENTS, objectives={"canaryFromOutside": True})


@cache
def with_gateway() -> Recording:
    """Staging with the gateway in place of Chat Completions."""
    config = as_the_engine_passes_it("staging")
    upstream = {"kind": "gateway", "region": config["aws:region"]}
    groups = json.loads(config["ai-interface:models"])["groups"]
    return _staging_with({"groups": [{**group, "upstreams": [upstream]} for group in groups]})


@cache
def with_provider() -> Recording:
    """Staging with a provider on the internet before Bedrock."""
    config = as_the_engine_passes_it("staging")
    secret = f"ai-interface/staging/model-key-{KEY}"
    upstream = {"kind": "external", "hostName": "api.provider.com", "pathPrefix": "/v1", "apiKeySecret": secret}
    groups = json.loads(config["ai-interface:models"])["groups"]
    return _staging_with({"groups": [{**group, "upstreams": [upstream, *group["upstreams"]]} for group in groups]})


@cache
def at_mantle(*, preview: bool = False) -> Recording:
    """Staging with one model at ``bedrock-mantle``. ``preview``: as in a first preview, without values that AWS computes."""
    config = as_the_engine_passes_it("staging")
    upstream = {"kind": "bedrockMantle", "region": config["aws:region"]}
    group = {"name": "general", "models": [MANTLE_MODEL], "upstreams": [upstream]}
    return _staging_with({"groups": [group]}, preview=preview)


@cache
def with_offices(*, preview: bool = False) -> Recording:
    """Staging with office networks."""
    config = as_the_engine_passes_it("staging")
    limits = json.loads(config.get("ai-interface:limits", "{}"))
    offices = {"cidrBlocks": [OFFICE_BLOCK], "peopleBehindOneAddress": OFFICE_PEOPLE}
    limits["rates"] = {**limits.get("rates", {}), "officeNetworks": offices}
    return main_program(
        "staging",
        {**config, "ai-interface:limits": json.dumps(limits)},
        preview=preview,
    )


def _staging_with(
    models: dict[str, object],
    *,
    subscriptions: list[dict[str, str]] | None = None,
    objectives: dict[str, object] | None = None,
    preview: bool = False,
) -> Recording:
    config = as_the_engine_passes_it("staging")
    owner = {**json.loads(config["ai-interface:owner"]), "subscriptions": subscriptions or []}
    own = json.loads(config["ai-interface:models"])
    return main_program(
        "staging",
        {
            **config,
            "ai-interface:models": json.dumps({**own, **models}),
            "ai-interface:owner": json.dumps(owner),
            **({"ai-interface:objectives": json.dumps(objectives)} if objectives else {}),
        },
        preview=preview,
    )


def program(case: Case) -> Recording:
    """The recording of one case, with known values."""
    if isinstance(case, Shape):
        return recorded(case)
    special = {PROMPTS: with_recorded_prompts, GATEWAY: with_gateway, EXTERNAL: with_provider, MANTLE: at_mantle}
    special[OFFICES] = with_offices
    return special[case]() if case in special else environment(case)


@cache
def account(stack: str) -> Recording:
    """The real bootstrap program with a committed stack file."""
    return run_bootstrap(stack)


@cache
def bootstrap_for(case: Case) -> Recording:
    """Bootstrap for the environment of one case: in its region, with the zone in which its program writes records."""
    recording = program(case)
    (region,) = {str(p.inputs["region"]) for p in recording.of_type("pulumi:providers:aws")}
    zones = {str(r.inputs["zoneId"]) for r in recording.of_type("aws:route53/record:Record")}
    environment: dict[str, object] = {"name": recording.stack}
    if zones:
        (environment["hostedZoneId"],) = zones
    if keys := _model_keys(recording):
        environment["modelKeys"] = keys
    return run_bootstrap(recording.stack, region=region, environments=[environment])


def _model_keys(recording: Recording) -> list[str]:
    """The names in ``modelKeys`` of the secrets that the program's tasks read."""
    name = re.compile(
        rf":secret:ai-interface/{recording.stack}/model-key-([a-z0-9-]+?)-[A-Za-z0-9]{{6}}(?![A-Za-z0-9-])"
    )
    tasks = recording.of_type("aws:ecs/taskDefinition:TaskDefinition")
    return sorted({found for one in tasks for found in name.findall(str(one.inputs["containerDefinitions"]))})


def sample_graphs() -> Iterator[Recording]:
    """The environments, the accounts, and the topologies with additional resource types or properties."""
    for stack in STACKS:
        yield environment(stack)
        yield account(stack)
    yield from map(program, VARIANTS)
    for shape in (SHAPES[1], SHAPES[-1]):
        yield recorded(shape)


def all_graphs() -> Iterator[Recording]:
    """Every environment, account and topology."""
    for stack in STACKS:
        yield environment(stack)
        yield account(stack)
    yield from map(program, VARIANTS)
    for shape in (*SHAPES, *ELSEWHERE):
        yield recorded(shape)


def graph(name: str | Shape) -> Recording:
    """A graph by its name in a parametrized test: ``staging``, ``bootstrap staging`` or a topology."""
    if isinstance(name, Shape):
        return recorded(name)
    kind, _, stack = name.rpartition(" ")
    return account(stack) if kind else environment(stack)


def managed(recording: Recording) -> list[RecordedResource]:
    """The resources that the program manages."""
    return [resource for resource in recording.resources if resource.custom and not resource.external]


def with_input(recording: Recording, token: str, path: tuple[str | int, ...], value: object) -> Recording:
    """A copy with one input changed, of the first resource of the type that has it.

    If no resource sets the input, the first that can have it gets it.
    """
    resources = list(recording.resources)
    able = [n for n, one in enumerate(resources) if one.type == token and _has(one.inputs, path)]
    if not able:
        raise LookupError(f"no {token} has {path}")
    number = next((n for n in able if _states(resources[n].inputs, path)), able[0])
    resources[number] = dataclasses.replace(resources[number], inputs=with_value(resources[number].inputs, path, value))
    return dataclasses.replace(recording, resources=resources)


def with_value(inputs: Json, path: tuple[str | int, ...], value: object) -> Json:
    """A copy of the inputs with another value at a path."""
    changed: Json = copy.deepcopy(inputs)
    parent: Json = changed
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = value
    return changed


def of_types(recording: Recording, *tokens: str) -> Recording:
    """The resources of these types and the providers of a recording, which are faster to check."""
    kept = [r for r in recording.resources if r.type in tokens or r.type.startswith("pulumi:providers:")]
    return dataclasses.replace(recording, resources=kept)


def _has(inputs: Json, path: tuple[str | int, ...]) -> bool:
    parent = inputs
    for step in path[:-1]:
        try:
            parent = parent[step]
        except (KeyError, IndexError, TypeError):
            return False
    return isinstance(parent, dict | list)


def _states(inputs: Json, path: tuple[str | int, ...]) -> bool:
    parent = inputs
    for step in path[:-1]:
        parent = parent[step]
    return path[-1] in parent if isinstance(parent, dict) else bool(parent)
