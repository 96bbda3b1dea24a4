"""The input of ``verify``: a stack's recorded graph, the request handling of edge and proxy, settings and release."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from policies.guardrails.topology.graph.resources import Graph
from policies.guardrails.topology.http.requests import CLIENT, Identity, Outcome, ProxyFacts, Request
from policies.guardrails.topology.trace.request_path import trace
from preflight.analysis.edge_proxy import configuration, facts
from preflight.ready.wanted import properties
from preflight.recording.recorder import RecordedResource, Recording
from preflight.verify.reading import at, listed, mapped
from releases.manifest import Release
from settings import StackSettings

LISTENER = "aws:lb/listener:Listener"
RULE = "aws:lb/listenerRule:ListenerRule"
WEB_ACL = "aws:wafv2/webAcl:WebAcl"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"


@dataclass(frozen=True)
class StackInCheckout:
    """One stack in this checkout."""

    settings: StackSettings
    release: Release
    recording: Recording

    @property
    def name(self) -> str:
        """The stack's name, which is also the environment's."""
        return self.settings.environment

    @property
    def account(self) -> str:
        """The account id, 12 digits."""
        return self.settings.account_id

    @property
    def region(self) -> str:
        """The stack's region."""
        return self.settings.region

    @property
    def host(self) -> str:
        """The public host name for users."""
        return self.settings.domain.host_name

    @cached_property
    def hosts(self) -> list[str]:
        """Every host name in the listener rules, the users' first."""
        found = {host for _, hosts, _ in self.rule_paths() for host in hosts}
        return [self.host, *sorted(found - {self.host})]

    def resources(self, kind: str) -> list[RecordedResource]:
        """The recorded resources of one type, sorted by URN."""
        return self.recording.of_type(kind)

    def inputs(self, kind: str) -> list[Mapping[str, Any]]:
        """The inputs of all resources of one type, without marks of secrets."""
        return [properties(resource) for resource in self.resources(kind)]

    @cached_property
    def graph(self) -> Graph:
        """The graph for tracing requests."""
        return Graph.from_recorded(self.recording.resources)

    @cached_property
    def proxy(self) -> ProxyFacts:
        """The proxy's limits and rules."""
        return facts(configuration(self.recording))

    def follow(self, request: Request) -> Outcome:
        """The predicted outcome of a request."""
        return trace(self.graph, request, self.proxy)

    @cached_property
    def proxy_marks_answers(self) -> bool:
        """Whether the proxy sets a request id on each response, which shows that the response is the proxy's."""
        listeners = listed(at(configuration(self.recording), "static_resources", "listeners"))
        managers = [
            at(filter_, "typed_config", "always_set_request_id_in_response")
            for listener in listeners
            if listener["name"] == "inbound"
            for chain in listed(listener["filter_chains"])
            for filter_ in listed(chain["filters"])
        ]
        return True in managers

    @cached_property
    def client(self) -> str:
        """An address that the edge's security groups admit: an internet address, or the first that the settings
        allow."""
        blocks = [str(i["cidrIpv4"]) for i in self.inputs(INGRESS) if i.get("cidrIpv4")]
        networks = sorted({ipaddress.IPv4Network(block) for block in blocks})
        if any(ipaddress.IPv4Address(CLIENT) in network for network in networks) or not networks:
            return CLIENT
        return str(networks[0].network_address)

    @property
    def open_to_the_internet(self) -> bool:
        """Whether the edge admits every client."""
        return self.client == CLIENT

    @property
    def signed_in_user(self) -> Identity:
        """A user whom the proxy admits, according to its recorded configuration."""
        return Identity(self.proxy.admitted_claims())

    @cached_property
    def web_acl(self) -> Mapping[str, Any]:
        """The inputs of the edge's web ACL; empty if there is none."""
        return mapped(next(iter(self.inputs(WEB_ACL)), None))

    def rule_paths(self) -> Iterator[tuple[str, list[str], list[str]]]:
        """Name, hosts and paths of every listener rule, by priority."""
        rules = [(resource.name, properties(resource)) for resource in self.resources(RULE)]
        for name, inputs in sorted(rules, key=lambda rule: (int(rule[1].get("priority") or 0), rule[0])):
            hosts: list[str] = []
            paths: list[str] = []
            for condition in listed(inputs.get("conditions")):
                hosts += listed(at(condition, "hostHeader", "values"))
                paths += listed(at(condition, "pathPattern", "values"))
            yield name, hosts, paths

    def actions(self, rule: str) -> list[Mapping[str, Any]]:
        """The actions of the listener rule with this name, or the default actions of a listener."""
        for resource in [*self.resources(RULE), *self.resources(LISTENER)]:
            if resource.name == rule:
                inputs = properties(resource)
                return listed(inputs.get("actions")) or listed(inputs.get("defaultActions"))
        return []
