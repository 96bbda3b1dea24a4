"""Services that are public because of a setting instead of a network, and services offered to other accounts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..graph.documents import document_at
from ..graph.resources import Graph, Resource
from ..graph.values import Unknown, as_mapping, listed, walk
from ..graph.verdicts import Finding, Hop, hop, not_proven, violated
from ..network.addresses import INTERNET, NO_ADDRESSES, describe, parse
from ..network.placement import as_switch

_WANTED = "access from inside the network only"


def _evaluate(resource: Resource, path: str, public: bool | None, fix: str, found: object = None) -> Iterator[Finding]:
    shown = resource.get(path) if found is None else found
    if public is None:
        yield not_proven(resource, path, [f"{resource.label}.{path}"], _WANTED, fix, what="may be on the internet")
    elif public:
        witness = (Hop("internet"), hop(resource, path, "public access"))
        yield violated(resource, path, shown, _WANTED, fix, what="is on the internet", witness=witness)


def _search(resource: Resource) -> Iterator[Finding]:
    value = resource.value("vpcOptions")
    public = None if isinstance(value, Unknown) else value in (None, {}, [])
    yield from _evaluate(resource, "vpcOptions", public, "place the domain in private subnets (vpcOptions)")


def _kubernetes(resource: Resource) -> Iterator[Finding]:
    path = "vpcConfig.publicAccessCidrs"
    public = as_switch(resource.value("vpcConfig.endpointPublicAccess"), True)
    fix = "set vpcConfig.endpointPublicAccess to false"
    if public is False:
        return
    blocks = resource.items(path)
    if public is None or isinstance(blocks, Unknown) or any(not isinstance(block, str) for block in blocks):
        place = "vpcConfig.endpointPublicAccess" if public is None else path
        yield from _evaluate(resource, place, None, fix)
        return
    admitted = NO_ADDRESSES
    for block in blocks or ["0.0.0.0/0"]:
        admitted |= parse(block) or NO_ADDRESSES
    found = f"true, for {describe(admitted)}"
    yield from _evaluate(resource, "vpcConfig.endpointPublicAccess", bool(admitted & INTERNET), fix, found)


def _transfer(resource: Resource) -> Iterator[Finding]:
    type_ = resource.value("endpointType")
    elastic = resource.value("endpointDetails.addressAllocationIds")
    public = None if isinstance(type_, Unknown) or isinstance(elastic, Unknown) else type_ in (None, "PUBLIC")
    fix = "use a VPC endpoint type without Elastic IPs"
    if public is False and elastic not in (None, []):
        yield from _evaluate(resource, "endpointDetails.addressAllocationIds", True, fix)
        return
    yield from _evaluate(resource, "endpointType", public, fix)


def _app_runner(resource: Resource) -> Iterator[Finding]:
    path = "networkConfiguration.ingressConfiguration.isPubliclyAccessible"
    fix = "set isPubliclyAccessible to false and use a VPC ingress connection"
    yield from _evaluate(resource, path, as_switch(resource.value(path), True), fix)


def _graph_database(resource: Resource) -> Iterator[Finding]:
    path = "publicConnectivity"
    yield from _evaluate(resource, path, as_switch(resource.value(path), False), "set publicConnectivity to false")


def _development_endpoint(resource: Resource) -> Iterator[Finding]:
    """Without a subnet, it has a public address, on which it accepts SSH."""
    value = resource.value("subnetId")
    public = (
        None
        if isinstance(value, Unknown) and not resource.property_dependencies.get("subnetId")
        else value in (None, "")
    )
    if not isinstance(value, Unknown) or public is None:
        yield from _evaluate(resource, "subnetId", public, "place the endpoint in a private subnet (subnetId)")


def _beanstalk(resource: Resource) -> Iterator[Finding]:
    """A web environment has a public load balancer, or a single instance with an address, unless its settings say otherwise."""
    path, fix = "settings", "set ELBScheme to internal and AssociatePublicIpAddress to false in aws:ec2:vpc"
    settings = resource.items(path)
    if isinstance(settings, Unknown) or any(_hides(as_mapping(item), *_OF_BEANSTALK) for item in settings):
        yield from _evaluate(resource, path, None, fix)
        return
    said = {
        str(item.get("name")): str(item.get("value")).lower()
        for item in map(as_mapping, settings)
        if item is not None and item.get("namespace") == "aws:ec2:vpc"
    }
    closed = resource.value("tier") == "Worker" or said.get("ELBScheme") == "internal"
    if not closed or said.get("AssociatePublicIpAddress") == "true":
        yield from _evaluate(resource, path, True, fix, "a public load balancer or address")


_OF_BEANSTALK = ("ELBScheme", "AssociatePublicIpAddress")


def _hides(setting: dict[str, Any] | None, *names: str) -> bool:
    """Whether a setting that is not known yet may be one of these."""
    if setting is None:
        return True
    name = setting.get("name")
    return isinstance(name, Unknown) or (name in names and isinstance(setting.get("value"), Unknown))


def _serverless_search(resource: Resource) -> Iterator[Finding]:
    """A network policy of serverless collections may open them to the internet."""
    fix = "set AllowFromPublic to false and list VPC endpoints in SourceVPCEs"
    if resource.value("type") != "network":
        return
    of = document_at(resource, "policy")
    if of.unknown is not None or of.unreadable:
        yield from _evaluate(resource, "policy", None, fix)
        return
    opened = [item for item in listed(of.value) if (as_mapping(item) or {}).get("AllowFromPublic") in (True, "true")]
    if opened:
        yield from _evaluate(resource, "policy", True, fix, "AllowFromPublic: true")


def _job(resource: Resource) -> Iterator[Finding]:
    """A job on Fargate may have a separate public address."""
    path, fix = "containerProperties", "set assignPublicIp to DISABLED"
    of = document_at(resource, path)
    if of.unknown is not None:
        yield from _evaluate(resource, path, None, fix)
    elif walk(of.value, "networkConfiguration.assignPublicIp") == "ENABLED":
        yield from _evaluate(resource, path, True, fix, "assignPublicIp: ENABLED")


def _data_api(resource: Resource) -> Iterator[Finding]:
    """The Data API accepts SQL on AWS's public API, protected only by credentials and not by security groups or
    subnets.
    """
    path = "enableHttpEndpoint"
    fix = "remove enableHttpEndpoint, so that clients connect inside the network"
    switched = as_switch(resource.value(path), False)
    wanted = "connections from inside the network only"
    if switched is None:
        yield not_proven(resource, path, [f"{resource.label}.{path}"], wanted, fix)
    elif switched:
        what = "accepts SQL on AWS's public API, where credentials are the only protection"
        witness = (Hop("internet"), hop(resource, path, "the Data API"))
        yield violated(resource, path, True, wanted, fix, what=what, witness=witness, latent=True)


def _offered(graph: Graph, service: Resource) -> Iterator[Finding]:
    """A VPC endpoint service is offered to the accounts in its principals, or to every account with ``*``."""
    fix = "name the accounts that may connect, and accept each connection manually"
    wanted = "named principals"
    principals = service.items("allowedPrincipals")
    named = [("allowedPrincipals", service, principals)]
    for extra in graph.of_type("ec2.VpcEndpointServiceAllowedPrinciple"):
        if service in graph.referenced(extra, "vpcEndpointServiceId", types=("ec2.VpcEndpointService",)).resources:
            named.append(("principalArn", extra, extra.items("principalArn")))
    for path, resource, values in named:
        if isinstance(values, Unknown) or any(isinstance(value, Unknown) for value in values):
            yield not_proven(
                resource,
                path,
                [f"{resource.label}.{path}"],
                wanted,
                fix,
                what="may offer its load balancer to every account",
            )
        elif "*" in values:
            accepted = service.value("acceptanceRequired") is True
            what = "offers its load balancer to every AWS account" + (
                ": each connection needs acceptance" if accepted else ""
            )
            yield violated(resource, path, values, wanted, fix, what=what, latent=accepted)


PUBLIC_BY_SETTING: dict[str, Callable[[Resource], Iterator[Finding]]] = {
    "opensearch.Domain": _search,
    "elasticsearch.Domain": _search,
    "eks.Cluster": _kubernetes,
    "transfer.Server": _transfer,
    "apprunner.Service": _app_runner,
    "neptunegraph.Graph": _graph_database,
    "rds.Cluster": _data_api,
    "batch.JobDefinition": _job,
    "elasticbeanstalk.Environment": _beanstalk,
    "glue.DevEndpoint": _development_endpoint,
    "opensearch.ServerlessSecurityPolicy": _serverless_search,
}
KINDS = (*PUBLIC_BY_SETTING, "ec2.VpcEndpointService", "ec2.VpcEndpointServiceAllowedPrinciple")


def public_services(graph: Graph) -> Iterator[Finding]:
    """Findings on services that a setting makes public."""
    for resource in graph.of_type(*PUBLIC_BY_SETTING):
        yield from PUBLIC_BY_SETTING[resource.kind](resource)
    for service in graph.of_type("ec2.VpcEndpointService"):
        yield from _offered(graph, service)
