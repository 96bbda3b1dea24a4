"""The private model, search and tool servers that the interface's proxy calls, in place of those of other teams.

The graph does not have them: they stand behind a security group, or an endpoint service, of another team. Their names, ports,
authorities and keys are those in the proxy's configuration. A server behind a group gets a network interface in a private
subnet, in the groups that the tasks may connect to.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from local.authority import Authority
from local.aws.access import ENDPOINT
from local.aws.endpoints import is_of_aws, names_of
from local.aws.secrets import Secrets
from local.discovery import Discovery
from local.envoy_configuration import endpoint_of, part, static_resources
from local.names import VPC
from local.private_model import PrivateModel
from local.private_tools import EXTERNAL, MCP, SEARXNG
from local.refusals import Refusals
from local.stack import Resource, Stack
from local.task.services import interface, task_definition
from local.wiring import Node, Wiring
from preflight.conform.reaching.names import matches
from preflight.recording.recorder import Recording

GROUP, INTERFACE = "aws:ec2/securityGroup:SecurityGroup", "aws:ec2/networkInterface:NetworkInterface"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
_INJECTOR = "envoy.filters.http.credential_injector"


@dataclass(frozen=True)
class PrivateServer:
    """One server, as the proxy is configured to call it."""

    name: str
    """The host name in its requests and its certificate."""
    address: str
    """The name that the proxy resolves."""
    port: int
    prefix: str
    authority: str
    """The declared authority's certificate; empty if a public authority signed it."""
    key: str
    """The ARN of the secret with its API key; empty without one."""
    models: tuple[str, ...]
    tools: tuple[tuple[str, str], ...] = ()
    """Path and kind of each search or tool server."""

    @property
    def node(self) -> str:
        """The name and id of its network interface."""
        return f"server-{self.name}"


def declared(stack: Stack) -> list[PrivateServer]:
    """The servers that the interface's proxy calls and that the stack does not have, sorted by name and port."""
    found: dict[tuple[str, int], PrivateServer] = {}
    for one in _called(stack):
        known = found.get((one.name, one.port))
        if known is not None:
            one = replace(  # noqa: PLW2901 - one server at one place
                one,
                prefix=one.prefix or known.prefix,
                key=one.key or known.key,
                models=tuple(sorted({*one.models, *known.models})),
                tools=tuple(sorted({*one.tools, *known.tools})),
            )
        found[one.name, one.port] = one
    return [found[key] for key in sorted(found)]


def with_servers(stack: Stack) -> Stack:
    """The stack with a network interface for each server behind a security group, and those groups."""
    servers = [one for one in declared(stack) if not _endpoint(stack, one)]
    if not servers:
        return stack
    network = interface(stack)["networkConfiguration"]
    rules = [one for one in stack.all(EGRESS) if one["securityGroupId"] in network["securityGroups"]]
    own = {one.id for one in stack.all(GROUP)}
    foreign = sorted({str(one.get("referencedSecurityGroupId") or "") for one in rules} - {*own, ""})
    ingress = [
        {
            "protocol": "tcp",
            "fromPort": one.port,
            "toPort": one.port,
            "securityGroups": list(network["securityGroups"]),
        }
        for one in servers
    ]
    vpc = stack.one(VPC).id
    made = [(GROUP, one, one, {"vpcId": vpc, "ingress": ingress, "name": one}) for one in foreign]
    subnet = sorted(network["subnets"])[0]
    places: list[tuple[str, str, str, dict[str, Any]]] = [
        (INTERFACE, one.node, one.node, {"subnetId": subnet, "securityGroups": _groups(rules, foreign, one)})
        for one in servers
    ]
    recording = stack.recording
    template = stack.one(VPC).recorded
    added = [
        replace(
            template,
            urn=f"urn:pulumi:{recording.stack}::{recording.project}::{type_}::{name}",
            type=type_,
            name=name,
            id=identifier,
            inputs=inputs,
            outputs={**inputs, "id": identifier},
            dependencies=(),
            property_dependencies={},
        )
        for type_, name, identifier, inputs in [*made, *places]
    ]
    resources = sorted([*recording.resources, *added], key=lambda one: one.urn)
    return Stack.of(Recording(recording.project, recording.stack, preview=False, resources=resources))


def authorities(servers: Sequence[PrivateServer]) -> dict[str, Authority]:
    """A declared authority's certificate → the authority in its place, whose key the twin has."""
    return {one.authority: Authority.in_place_of(one.authority) for one in servers if one.authority}


def addresses(
    stack: Stack, servers: Sequence[PrivateServer], nodes: Mapping[str, Sequence[Node]]
) -> dict[str, Sequence[str]]:
    """The addresses of the names that resolve in the VPC because another team's zone has them."""
    return {one.address: [node.address for node in nodes[one.node]] for one in servers if not _endpoint(stack, one)}


@contextlib.contextmanager
def running(
    stack: Stack,
    servers: Sequence[PrivateServer],
    *,
    wiring: Wiring,
    nodes: Mapping[str, Sequence[Node]],
    public: Authority,
    private: Mapping[str, Authority],
    secrets: Secrets,
    refusals: Refusals,
) -> Generator[dict[str, PrivateModel]]:
    """The servers until the block ends, by ``name:port``."""
    with contextlib.ExitStack() as held:
        made: dict[str, PrivateModel] = {}
        for one in servers:
            endpoint = _endpoint(stack, one)
            key = one.key
            made[f"{one.name}:{one.port}"] = held.enter_context(
                PrivateModel(
                    wiring,
                    nodes[endpoint.id if endpoint else one.node],
                    one.port,
                    one.name,
                    (private[one.authority] if one.authority else public).issue(one.name),
                    one.models,
                    refusals,
                    prefix=one.prefix,
                    tools=dict(one.tools),
                    key=(lambda key=key: secrets.value(key)) if key else None,
                )
            )
        yield made


def _groups(rules: Sequence[Resource], foreign: Sequence[str], server: PrivateServer) -> list[str]:
    """The groups of other teams to which the tasks may connect on the server's port."""
    admitted = [one for one in rules if int(one["fromPort"]) <= server.port <= int(one["toPort"])]
    return sorted({str(one.get("referencedSecurityGroupId") or "") for one in admitted} & set(foreign))


def _endpoint(stack: Stack, server: PrivateServer) -> Resource | None:
    """The stack's endpoint to the service in another VPC that has the server."""
    found = [one for one in stack.all(ENDPOINT) if not is_of_aws(one)]
    return next((one for one in found if any(matches(name, server.address) for name in names_of(one))), None)


def _called(stack: Stack) -> Iterator[PrivateServer]:
    """Return what the clusters of the proxy's configuration name, except for AWS's and the stack's own services."""
    discovery = Discovery(stack, stack.one(VPC).id)
    own = {*discovery.names(), *(name for one in stack.all(ENDPOINT) if is_of_aws(one) for name in names_of(one))}
    for container in task_definition(stack).document("containerDefinitions"):
        keys = {str(one["name"]): str(one["valueFrom"]) for one in container.get("secrets") or ()}
        for configuration in static_resources(container.get("command") or ()):
            yield from _of_configuration(configuration, own, keys)


def _of_configuration(
    configuration: Mapping[str, Any], own: set[str], keys: Mapping[str, str]
) -> Iterator[PrivateServer]:
    clusters: dict[str, Mapping[str, Any]] = {str(one["name"]): one for one in configuration["clusters"]}
    variables = {
        str(one["name"]): str(one["generic_secret"]["secret"]["environment_variable"])
        for one in configuration.get("secrets") or ()
    }
    routes = [route for one in configuration["listeners"] for route in _routes(one)]
    offered = {
        str(route["match"]["path"]).split("/")[1]: [str(model["id"]) for model in _models(route)]
        for route in routes
        if str(route["match"].get("path") or "").endswith("/v1/models")
    }
    for route in routes:
        action: Mapping[str, Any] = route.get("route") or {}
        cluster = clusters.get(str(action.get("cluster") or ""), {})
        tls = part(cluster, "transport_socket", "typed_config")
        place = endpoint_of(cluster) if "common_tls_context" in tls else None
        # A provider on the internet is an internal listener: the tunnel to it.
        if place is None or "host_rewrite_literal" not in action:
            continue
        if any(matches(pattern, str(place["address"])) for pattern in own):
            continue
        path, kind = str(action["prefix_rewrite"]), _tool(route)
        trusted = part(tls, "common_tls_context", "validation_context", "trusted_ca")
        yield PrivateServer(
            name=str(tls["sni"]),
            address=str(place["address"]),
            port=int(place["port_value"]),
            prefix="" if kind else path,
            authority=str(trusted.get("inline_string") or ""),
            key=keys.get(variables.get(_injected(cluster), ""), ""),
            models=() if kind else tuple(sorted(offered[str(route["match"]["prefix"]).split("/")[1]])),
            tools=((path, kind),) if kind else (),
        )


def _tool(route: Mapping[str, Any]) -> str:
    """The kind of search or tool server to which a route of the application's listener leads; empty for a model's."""
    path = str(route["match"].get("path") or "")
    if path.startswith("/tools/"):
        return MCP
    if path != "/search":
        return ""
    (method,) = route["match"]["headers"]
    return SEARXNG if method["string_match"]["safe_regex"]["regex"] == "GET" else EXTERNAL


def _routes(listener: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for chain in listener["filter_chains"]:
        for one in chain["filters"]:
            for host in one["typed_config"].get("route_config", {}).get("virtual_hosts") or ():
                yield from host["routes"]


def _models(route: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return json.loads(route["direct_response"]["body"]["inline_string"])["data"]


def _injected(cluster: Mapping[str, Any]) -> str:
    """The name of the secret that the cluster adds to its requests; empty for none."""
    for options in cluster.get("typed_extension_protocol_options", {}).values():
        for one in options.get("http_filters") or ():
            if one["name"] == _INJECTOR:
                return str(one["typed_config"]["credential"]["typed_config"]["credential"]["name"])
    return ""
