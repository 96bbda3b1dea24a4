"""Resources that may expose something and are not modelled: each type is named once, never skipped.

The table ``data/types.tsv`` states for each type of the AWS provider whether it is modelled, and of the others what they
can hold. A type that is not in the table is newer than it, and named with the properties that look like an exposure. Of
other providers, only those that cannot expose anything are silent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...entry.load_balancing import BALANCERS
from ...entry.public_services import KINDS as PUBLIC_KINDS
from ...graph.resources import Graph, Resource
from ...graph.types import kinds
from ...graph.values import Unknown, as_list, as_mapping
from ...graph.verdicts import Finding, not_proven
from ...network.instances import INSTANCE_KINDS
from ...network.placement_rows import ROWS

PLACED = frozenset(
    {
        *ROWS, *INSTANCE_KINDS, *BALANCERS, *PUBLIC_KINDS,
        "apigateway.RestApi", "apigateway.VpcLink", "apigatewayv2.Api", "apigatewayv2.VpcLink",
        "cloudfront.Distribution", "cloudfront.VpcOrigin", "globalaccelerator.Accelerator",
        "globalaccelerator.EndpointGroup", "lambda.FunctionUrl", "ec2.LaunchTemplate", "ec2.LaunchConfiguration",
    }
)  # fmt: skip
"""Types whose place in the network, or whose path from the internet, is evaluated."""

SUSPECT_PROPERTIES = (
    "subnetId", "subnetIds", "subnets", "securityGroupIds", "securityGroups", "vpcSecurityGroupIds", "publiclyAccessible",
    "vpcConfig", "vpcOptions", "networkConfiguration", "associatePublicIpAddress", "policy",
    "resourcePolicy", "principal", "acl",
)  # fmt: skip
"""Properties by which a type that is newer than the table may expose something."""

_SILENT = frozenset({"pulumi", "random", "tls", "std", "time", "null", "archive"})
"""Packages that only compute values, and Pulumi's own types."""
_NATIVE = ("aws-native", "awscc")
_HOLDS = re.compile(
    r"polic|principal|public|subnet|securitygroup|vpc|acl$|accesscontrol|cidr|grant|permission|template|desiredstate|share"
    r"|accountid|authorization|authtype|visibility|launchpermission",
    re.IGNORECASE,
)
"""Names of properties that can hold a policy, a principal, an address or a public switch."""
_MOST = 6
_WITH_ADDRESSES = frozenset(
    [
        "apigateway",
        "apigatewayv2",
        "apprunner",
        "appsync",
        "autoscaling",
        "cloudfront",
        "docdb",
        "ec2",
        "ecs",
        "efs",
        "eks",
        "elasticache",
        "elasticbeanstalk",
        "elasticloadbalancing",
        "elasticloadbalancingv2",
        "globalaccelerator",
        "lambda",
        "lightsail",
        "memorydb",
        "msk",
        "neptune",
        "opensearchservice",
        "rds",
        "redshift",
        "redshiftserverless",
        "transfer",
        "vpclattice",
    ]
)
"""Services of which a resource can listen or have an address, regardless of the names of its properties."""
_SHELL = re.compile(r"command:|\w+-(nodejs|python):dynamic")
_INTERNAL = (
    ("service.beta.kubernetes.io/aws-load-balancer-internal", ("true", "0.0.0.0/0")),
    ("service.beta.kubernetes.io/aws-load-balancer-scheme", ("internal",)),
    ("alb.ingress.kubernetes.io/scheme", ("internal",)),
)
_INNER = re.compile(
    r"kubernetes:(core|apps|batch|autoscaling|policy|storage\.k8s\.io|node\.k8s\.io|scheduling\.k8s\.io|coordination\.k8s\.io"
    r"|discovery\.k8s\.io|events\.k8s\.io|resource\.k8s\.io|networking\.k8s\.io)/\w+:(?!Ingress|CustomResource)"
)
"""Groups of Kubernetes whose resources stay inside the cluster: all but ingresses. Others open an entry, give rights, or
declare resources that the plan does not show."""


def _of_kubernetes(resource: Resource) -> str:
    kind = resource.type.rpartition(":")[2]
    if resource.value("spec.hostNetwork") is True or resource.value("spec.template.spec.hostNetwork") is True:
        return "a pod in the node's network (hostNetwork)"
    if _closed(resource):
        return ""
    if kind == "Service" and resource.type.startswith("kubernetes:core/v1:"):
        type_ = resource.value("spec.type")
        listening = isinstance(type_, Unknown) or type_ in ("LoadBalancer", "NodePort")
        return (
            f"a service of type {type_}, which can be public" if listening or resource.value("spec.externalIPs") else ""
        )
    if any(True for _ in _host_ports(resource.properties)):
        return "a port of the node (hostPort)"
    outer = "a path into the cluster, rights in it, or resources that the plan does not show"
    return "" if _INNER.match(resource.type) else outer


def _host_ports(value: object) -> Iterator[object]:
    if (mapping := as_mapping(value)) is not None:
        if mapping.get("hostPort") not in (None, 0):
            yield mapping["hostPort"]
        for item in mapping.values():
            yield from _host_ports(item)
    for item in as_list(value) or []:
        yield from _host_ports(item)


def _closed(resource: Resource) -> bool:
    """Whether annotations limit its load balancer to the network."""
    annotations = as_mapping(resource.value("metadata.annotations")) or {}
    return any(annotations.get(key) in values for key, values in _INTERNAL)


def _of_others(graph: Graph, resource: Resource) -> str:
    package, _, rest = resource.type.partition(":")
    if (package in _SILENT and "dynamic" not in resource.type) or package.startswith("pulumi:"):
        return ""
    if _SHELL.match(resource.type):
        return "a program or shell command, which can change anything that its credentials allow"
    if package == "kubernetes":
        return _of_kubernetes(resource)
    if "/" not in rest and (not resource.properties or graph.has_children(resource)):
        return ""  # a component: its resources are part of the plan
    if package in _NATIVE:
        return _of_native(resource, rest)
    return f"properties of the provider {package}, which are not evaluated: policies, addresses, public switches"


def _of_native(resource: Resource, rest: str) -> str:
    """The content that a resource of AWS, declared by another provider, can hold, by its service and its properties."""
    declared = {name: item for name, item in resource.properties.items() if resource.declares(name)}
    named = sorted({name for name in _names_in(declared) if _HOLDS.search(name)})
    if not named and rest.partition(":")[0].partition("/")[0] not in _WITH_ADDRESSES:
        return ""
    return f"{', '.join(named[:_MOST]) or 'an address or a listener'}, which are evaluated for the provider aws only"


def _names_in(value: object) -> Iterator[str]:
    if (mapping := as_mapping(value)) is not None:
        for name, item in mapping.items():
            yield name
            yield from _names_in(item)
    for item in as_list(value) or []:
        yield from _names_in(item)


def _of_aws(resource: Resource) -> str:
    if resource.kind in ("ecs.Service", "ecs.TaskSet") and resource.value("vpcLatticeConfigurations") not in (None, []):
        return "an offer through VPC Lattice (vpcLatticeConfigurations)"
    row = kinds().get(resource.kind)
    if row is None:
        named = [name for name in SUSPECT_PROPERTIES if resource.value(name) not in (None, [], {}, "")]
        return f"what this version of the pack does not know{': ' if named else ''}{', '.join(named)}"
    if row.class_ == "modelled":
        left = [path for path in row.unread if _is_set(resource.properties, path.split("."))]
        return f"{', '.join(left)}, which no policy reads" if left else ""
    return "" if row.class_ == "none" else row.note


def _is_set(value: object, steps: list[str]) -> bool:
    """Whether a property is set, in any element of the lists on its path."""
    if not steps or isinstance(value, Unknown):
        return value not in (None, "", [], {}, False) if not isinstance(value, Unknown) else True
    if (items := as_list(value)) is not None:
        return any(_is_set(item, steps) for item in items)
    found = (as_mapping(value) or {}).get(steps[0])
    return found is not None and _is_set(found, steps[1:])


def _held(graph: Graph, resource: Resource) -> str:
    if resource.type.startswith("aws:"):
        return _of_aws(resource)
    return _of_others(graph, resource)


def not_modelled(graph: Graph) -> Iterator[Finding]:
    """One finding for each type of which a resource may expose something that is not evaluated."""
    wanted = "a modelled resource type, or an exception that names the reviewer"
    fix = "review its exposure, and record an exception with an owner and an expiry date"
    seen: dict[str, list[tuple[Resource, str]]] = {}
    for resource in graph:
        if what := _held(graph, resource):
            seen.setdefault(resource.type, []).append((resource, what))
    for _, resources in sorted(seen.items()):
        first, held = resources[0][0], "; ".join(dict.fromkeys(what for _, what in resources))
        more = f" (as {len(resources) - 1} more of this type)" if resources[1:] else ""
        unknowns = [f"the exposure of {first.label}"]
        yield not_proven(first, "", unknowns, wanted, fix, found=f"can hold {held}{more}", what="is not modelled")
