"""The model servers in the proxy's configuration, and the IAM requests of each."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from policies.guardrails.topology.graph.documents import document
from preflight.conform.reaching.model import TASK, Ask, ClientCall

_BEDROCK = re.compile(r"bedrock-runtime\.([a-z0-9-]+)\.amazonaws\.com")
_MANTLE = re.compile(r"bedrock-mantle\.([a-z0-9-]+)\.api\.aws")
_INFER, _MODEL = "bedrock-mantle:CreateInference", "bedrock-mantle:model"
"""The IAM action of Chat Completions at ``bedrock-mantle``, and its condition key
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_bedrock-mantle.html)."""
_GUARDRAIL, _VERSION = "x-amzn-bedrock-guardrailidentifier", "x-amzn-bedrock-guardrailversion"
_INVOKE = ("bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream")
"""The IAM actions of Bedrock's Chat Completions, without and with streaming
(https://docs.aws.amazon.com/bedrock/latest/userguide/inference-chat-completions.html)."""
_GLOBAL = "global."
_PROFILES = ("apac.", "au.", "ca.", "eu.", _GLOBAL, "in.", "jp.", "us-gov.", "us.")
"""Prefixes of the ids of inference profiles
(https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html)."""


def model_calls(container: Mapping[str, Any], account: str) -> Iterator[ClientCall]:
    """Every address that a cluster of the proxy connects to, except the task's own, and every destination to which it opens
    tunnels."""
    for argument in cast("list[str]", container.get("command") or []):
        if "static_resources" not in argument:
            continue
        configuration = cast("dict[str, Any]", document(argument))
        asked = _asked(configuration, account)
        clusters = configuration["static_resources"]["clusters"]
        for address, port in sorted({place for cluster in clusters for place in _addresses(cluster)}):
            asks = tuple(asked.get(address, ()))
            what = f"the model server {address}"
            yield ClientCall(str(container["name"]), what, address, port, "command", TASK if asks else "", asks)
        for host, port in _tunnels(configuration):
            what = f"the model provider {host}"
            yield ClientCall(str(container["name"]), what, host, port, "command", internet=True)


def _tunnels(configuration: object) -> list[tuple[str, int]]:
    """Host and port of the destinations for which CONNECT is forwarded, sorted."""
    found: set[tuple[str, int]] = set()
    for host in (one for node in _nodes(configuration) for one in cast("list[Any]", node.get("virtual_hosts") or [])):
        routes = cast("list[dict[str, Any]]", host.get("routes") or [])
        if any("connect_matcher" in route["match"] and "route" in route for route in routes):
            for domain in cast("list[str]", host["domains"]):
                name, _, port = domain.partition(":")
                found.add((name, int(port or 443)))
    return sorted(found)


def _asked(configuration: object, account: str) -> dict[str, list[Ask]]:
    """Host → the IAM requests for its Bedrock models, derived from the routes to it."""
    routes = [node for node in _nodes(configuration) if "match" in node]
    offered = {group: models for route in routes for group, models in _offered(route)}
    found: dict[str, list[Ask]] = {}
    for route in routes:
        host = str(_inside(route, "route").get("host_rewrite_literal", ""))
        group = str(route.get("name", "")).removeprefix("upstream-").partition(":")[0]
        if mantle := _MANTLE.fullmatch(host):
            project = f"arn:aws:bedrock-mantle:{mantle[1]}:{account}:project/default"
            asks = [Ask(_INFER, project, {_MODEL: (model,)}) for model in offered.get(group, ())]
            found.setdefault(host, []).extend(asks)
        if (region := _BEDROCK.fullmatch(host)) is None:
            continue
        added = cast("list[dict[str, Any]]", route.get("request_headers_to_add") or [])
        headers = {str(one["header"]["key"]): str(one["header"]["value"]) for one in added}
        found.setdefault(host, []).extend(_of_models(offered.get(group, ()), headers, region[1], account))
    return found


def _of_models(models: tuple[str, ...], headers: Mapping[str, str], region: str, account: str) -> Iterator[Ask]:
    context: dict[str, tuple[str, ...]] = {}
    if identifier := headers.get(_GUARDRAIL):
        guardrail = f"arn:aws:bedrock:{region}:{account}:guardrail/{identifier}"
        context["bedrock:guardrailidentifier"] = (f"{guardrail}:{headers.get(_VERSION, 'DRAFT')}",)
        yield Ask("bedrock:ApplyGuardrail", guardrail)
    for model in models:
        profile = f"arn:aws:bedrock:{region}:{account}:inference-profile/{model}"
        own = profile if model.startswith(_PROFILES) else f"arn:aws:bedrock:{region}::foundation-model/{model}"
        for action in _INVOKE:
            yield Ask(action, own, context)
        # The configuration does not name the regions to which other profiles send a prompt.
        for place in (region, "") if model.startswith(_GLOBAL) else ():
            behind = f"arn:aws:bedrock:{place}::foundation-model/{model.removeprefix(_GLOBAL)}"
            for action in _INVOKE:
                yield Ask(action, behind, {**context, "bedrock:inferenceprofilearn": (profile,)})


def _offered(route: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Group → its models, from the routes that answer with the list of models."""
    text = str(_inside(route, "direct_response", "body").get("inline_string", ""))
    if not text.startswith('{"object":"list"'):
        return
    listed = cast("list[dict[str, str]]", json.loads(text)["data"])
    for group in sorted({one["owned_by"] for one in listed}):
        yield group, tuple(sorted(one["id"] for one in listed if one["owned_by"] == group))


def _inside(node: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    """The object at this path of keys; empty if there is none."""
    for key in keys:
        node = cast("dict[str, Any]", node.get(key) or {})
    return node


def _addresses(value: object) -> Iterator[tuple[str, int]]:
    """Every socket address of a cluster, except the task's own."""
    for node in _nodes(value):
        socket = cast("dict[str, Any] | None", node.get("socket_address"))
        if socket is not None and not _is_loopback(str(socket["address"])):
            yield str(socket["address"]), int(socket["port_value"])


def _nodes(value: object) -> Iterator[dict[str, Any]]:
    """Every object nested in a value."""
    if isinstance(value, dict):
        node = cast("dict[str, Any]", value)
        yield node
        for item in node.values():
            yield from _nodes(item)
    elif isinstance(value, list):
        for item in cast("list[object]", value):
            yield from _nodes(item)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"
