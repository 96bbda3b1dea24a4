"""Entry points other than load balancers, as edges that forward traffic.

CloudFront with custom and VPC origins, Global Accelerator, API Gateway with VPC links, Lambda function URLs. A target
of an entry point is reachable through it even if the target has only private addresses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from ..graph.resources import Graph, Resource, host_of
from ..graph.values import Unknown
from ..graph.verdicts import Hop, hop
from ..network.instances import INSTANCES
from ..network.paths import INTERNET, MISSED, PASSED, Edge, Pass
from ..waf.associations import WebAclAssociations
from .api_bodies import operations
from .api_callers import bounded, is_private, policies_of
from .load_balancing import BALANCERS, LoadBalancing
from .published import published

_DOMAIN_KEYS = (
    "dnsName",
    "functionUrl",
    "apiEndpoint",
    "publicDns",
    "id",
    "arn",
)
_ORIGINS = (*BALANCERS, "lambda.FunctionUrl", *INSTANCES, "apigatewayv2.Api", "apigateway.RestApi")
_FUNCTION_KEYS = ("arn", "invokeArn", "qualifiedArn", "qualifiedInvokeArn", "name", "id")
_INTEGRATED = (
    "lb.Listener",
    "lb.LoadBalancer",
    "servicediscovery.Service",
    "lambda.Function",
    "apigateway.VpcLink",
    "apigatewayv2.VpcLink",
)


_REST_HOST = re.compile(r"([a-z0-9]+)\.execute-api\.")


@dataclass(frozen=True, slots=True)
class _EntryPoint:
    """The property by which an entry point names its target, and the checks that traffic on it passes."""

    entry: Resource
    path: str
    authentication: Pass = MISSED
    protected: Resource | None = None

    def edge(
        self, source: str, target: str, hops: tuple[Hop, ...], web_acl: Pass = MISSED, *, final: bool = False
    ) -> Edge:
        """The edge for this property."""
        protected = self.protected or self.entry
        return Edge(
            source, target, self.entry, self.path, hops, web_acl, self.authentication, protected=protected, final=final
        )


class EntryPoints:
    """Every entry point of a stack and the targets it forwards to."""

    def __init__(self, graph: Graph, web_acls: WebAclAssociations, balancing: LoadBalancing) -> None:
        self.graph = graph
        self.web_acls = web_acls
        self.balancing = balancing
        self._hosts = self._served_hosts()
        self._aliases = self._aliased_records()
        self._registered = self._registrations()

    def edges(self) -> Iterator[Edge]:
        """All edges from the internet to entry points and from them to their targets."""
        yield from published(self.graph, self.web_acls)
        for distribution in self.graph.of_type("cloudfront.Distribution", "cloudfront.MultitenantDistribution"):
            yield from self._distribution(distribution)
        yield from self._accelerators()
        yield from self._http_apis()
        yield from self._rest_apis()
        for api in self.graph.of_type("apigatewayv2.Api", "apigateway.RestApi"):
            yield from self._imported(api)
        for url in self.graph.of_type("lambda.FunctionUrl"):
            yield from self._function_url(url)

    # -- where an entry point leads -------------------------------------------------------------------------------------

    def _into(self, source: str, target: Resource, entry_point: _EntryPoint) -> Iterator[Edge]:
        """Edges from an entry point to one target that it names."""
        step = hop(entry_point.entry, entry_point.path, f"forwards to {target.label}")
        if target.kind == "lb.LoadBalancer":
            web_acl = self.web_acls.passed(target)
            for listener in self.balancing.listeners.get(target.urn, ()):
                yield entry_point.edge(source, listener.urn, (step, hop(listener, "port")), web_acl)
        elif target.kind == "lb.Listener":
            balancers = self.graph.referenced(target, "loadBalancerArn", types=("lb.LoadBalancer",)).resources
            web_acl = self.web_acls.passed(balancers[0]) if balancers else MISSED
            yield entry_point.edge(source, target.urn, (step,), web_acl)
        elif target.kind == "elb.LoadBalancer":
            yield entry_point.edge(source, target.urn, (step,))
        elif target.kind == "servicediscovery.Service":
            for service in self._registered.get(target.urn, ()):
                yield entry_point.edge(source, service.urn, (step, hop(service, "serviceRegistries")), final=True)
        else:
            yield entry_point.edge(source, target.urn, (step,), final=True)

    def _unclear(
        self,
        source: str,
        entry_point: _EntryPoint,
        kinds: tuple[str, ...] = (*_ORIGINS, "cloudfront.VpcOrigin", "s3.Bucket", "s3.BucketV2"),
        keys: tuple[str, ...] = (*_DOMAIN_KEYS, "bucketRegionalDomainName", "bucketDomainName"),
    ) -> Iterator[Edge]:
        """An edge to a target that is not known yet: it may be any resource of this stack."""
        unknown = self.graph.referenced(entry_point.entry, entry_point.path, types=kinds, keys=keys).unknowns
        if unknown:
            names = tuple(f"{entry_point.entry.label}.{item.path}" for item in unknown)
            step = hop(entry_point.entry, entry_point.path, "forwards to a target that is not known yet")
            yield replace(
                entry_point.edge(source, f"{entry_point.entry.urn}#{entry_point.path}", (step,), final=True),
                unknowns=names,
            )

    def _registrations(self) -> dict[str, list[Resource]]:
        found: dict[str, list[Resource]] = {}
        for service in self.graph.of_type("ecs.Service"):
            if service.value("serviceRegistries") is not None:
                for registry in self.graph.referenced(
                    service, "serviceRegistries", types=("servicediscovery.Service",)
                ):
                    found.setdefault(registry.urn, []).append(service)
        return found

    # -- CloudFront ---------------------------------------------------------------------------------------------

    def _distribution(self, distribution: Resource) -> Iterator[Edge]:
        if distribution.value("enabled") is False:
            return
        web_acl = self.web_acls.named(distribution, "webAclId")
        step = hop(distribution, "enabled", "serves the internet")
        yield Edge(INTERNET, distribution.urn, distribution, "enabled", (step,), web_acl, protected=distribution)
        origins = distribution.items("origins")
        if isinstance(origins, Unknown):
            unknowns = (f"{distribution.label}.origins",)
            yield Edge(
                distribution.urn,
                f"{distribution.urn}#origins",
                distribution,
                "origins",
                (step,),
                unknowns=unknowns,
                final=True,
            )
            return
        authentication = _signed(distribution)
        for index, _ in enumerate(origins):
            path = f"origins[{index}]"
            for target in self._origin(distribution, path):
                yield from self._into(distribution.urn, target, _EntryPoint(distribution, path, authentication))
            for name in (_private(distribution), "domainName"):
                yield from self._unclear(distribution.urn, _EntryPoint(distribution, f"{path}.{name}", authentication))

    def _origin(self, distribution: Resource, path: str) -> list[Resource]:
        private = f"{path}.{_private(distribution)}"
        if distribution.value(private) is not None:
            origins = self.graph.referenced(distribution, private, types=("cloudfront.VpcOrigin",)).resources
            return [
                target
                for origin in origins
                for target in self.graph.referenced(origin, "vpcOriginEndpointConfig", types=(*BALANCERS, *INSTANCES))
            ]
        return self._by_domain(distribution, f"{path}.domainName")

    def _by_domain(self, resource: Resource, path: str) -> list[Resource]:
        found = self.graph.referenced(resource, path, types=_ORIGINS, keys=_DOMAIN_KEYS).resources
        domain = resource.value(path)
        if not found and isinstance(domain, str):
            host = (urlsplit(domain if "//" in domain else f"//{domain}").hostname or domain).rstrip(".").lower()
            named = _REST_HOST.match(host)
            apis = self.graph.identified(named[1], ("apigateway.RestApi", "apigatewayv2.Api"), ("id",)) if named else []
            found = tuple(self._hosts.get(host, ()) or apis or self._aliases.get(host, ()))
        return list(found)

    def _served_hosts(self) -> dict[str, list[Resource]]:
        """The hosts of the stack's own entry points, of which some outputs are URLs."""
        found: dict[str, list[Resource]] = {}
        for origin in self.graph.of_type(*_ORIGINS):
            for key in _DOMAIN_KEYS:
                host = host_of(value) if isinstance(value := origin.value(key), str) else ""
                if host and (host != value or key in ("dnsName", "publicDns")):
                    found.setdefault(host.lower(), []).append(origin)
        return found

    def _aliased_records(self) -> dict[str, list[Resource]]:
        """The targets of the stack's own DNS records."""
        found: dict[str, list[Resource]] = {}
        for record in self.graph.of_type("route53.Record"):
            for key in ("name", "fqdn"):
                name = record.value(key)
                if not isinstance(name, str):
                    continue
                for path in ("aliases", "records"):
                    if record.value(path) is not None:
                        targets = self.graph.referenced(record, path, types=_ORIGINS, keys=_DOMAIN_KEYS).resources
                        found.setdefault(name.rstrip(".").lower(), []).extend(targets)
        return found

    # -- Global Accelerator -------------------------------------------------------------------------------------

    def _accelerators(self) -> Iterator[Edge]:
        elastic: dict[str, list[Resource]] = {}
        for address in self.graph.of_type("ec2.Eip"):
            for path in ("instance", "networkInterface"):
                if address.value(path) not in (None, ""):
                    holders = self.graph.referenced(address, path, types=(*INSTANCES, "ec2.NetworkInterface")).resources
                    elastic.setdefault(address.urn, []).extend(holders)
        for group in self.graph.of_type("globalaccelerator.EndpointGroup"):
            listeners = self.graph.referenced(group, "listenerArn", types=("globalaccelerator.Listener",)).resources
            accelerators = [
                accelerator
                for listener in listeners
                for accelerator in self.graph.referenced(
                    listener, "acceleratorArn", types=("globalaccelerator.Accelerator",)
                )
            ]
            if accelerators and all(accelerator.value("enabled") is False for accelerator in accelerators):
                continue
            steps = tuple(hop(item) for item in (*accelerators, *listeners))
            path = "endpointConfigurations"
            yield Edge(
                INTERNET,
                group.urn,
                group,
                path,
                (*steps, hop(group, path, "accepts internet traffic")),
                protected=group,
            )
            kinds = (*BALANCERS, *INSTANCES, "ec2.Eip")
            keys = ("arn", "id", "allocationId")
            for target in self.graph.referenced(group, path, types=kinds, keys=keys):
                for final in elastic.get(target.urn, [target]):
                    yield from self._into(group.urn, final, _EntryPoint(group, path))
            yield from self._unclear(group.urn, _EntryPoint(group, path), kinds, keys)

    # -- API Gateway --------------------------------------------------------------------------------------------

    def _http_apis(self) -> Iterator[Edge]:
        for api in self.graph.of_type("apigatewayv2.Api"):
            step = hop(api, "protocolType", "a public API")
            yield Edge(
                INTERNET, api.urn, api, "protocolType", (step,), self._stage_web_acl(api, "apigatewayv2"), protected=api
            )
            if api.value("target") is not None:
                for target in self._integrated(api, "target"):
                    yield from self._into(api.urn, target, _EntryPoint(api, "target"))
        for route in self.graph.of_type("apigatewayv2.Route"):
            apis = self.graph.referenced(route, "apiId", types=("apigatewayv2.Api",)).resources
            integrations = self.graph.referenced(route, "target", types=("apigatewayv2.Integration",)).resources
            authentication = _authorization(route, "authorizationType")
            for api in apis:
                for integration in integrations:
                    for target in self._integrated(integration, "integrationUri"):
                        yield from self._into(
                            api.urn, target, _EntryPoint(route, "authorizationType", authentication, api)
                        )

    def _rest_apis(self) -> Iterator[Edge]:
        methods: dict[tuple[str, str], Resource] = {}
        for method in self.graph.of_type("apigateway.Method"):
            for api in self.graph.referenced(method, "restApi", types=("apigateway.RestApi",)):
                methods.setdefault((api.urn, _resource_key(self.graph, method)), method)
        for api in self.graph.of_type("apigateway.RestApi"):
            private = is_private(api)
            if private:
                continue
            unknowns = (f"{api.label}.endpointConfiguration.types",) if private is None else ()
            step = hop(api, "endpointConfiguration", "a public API")
            web_acl = self._stage_web_acl(api, "apigateway")
            yield Edge(
                INTERNET, api.urn, api, "endpointConfiguration", (step,), web_acl, unknowns=unknowns, protected=api
            )
        for integration in self.graph.of_type("apigateway.Integration"):
            for api in self.graph.referenced(integration, "restApi", types=("apigateway.RestApi",)):
                method = methods.get((api.urn, _resource_key(self.graph, integration)))
                entry = method or integration
                authentication = _authorization(method, "authorization") if method else MISSED
                if method is not None and method.value("authorization") == "AWS_IAM":
                    authentication = bounded(policies_of(self.graph, api), without=PASSED)
                for target in self._integrated(integration, "uri"):
                    yield from self._into(api.urn, target, _EntryPoint(entry, "authorization", authentication, api))

    def _imported(self, api: Resource) -> Iterator[Edge]:
        """The target of an API's OpenAPI document: it is in the document's text, so the path ends at the document."""
        for operation in operations(api):
            step = hop(api, operation.place, "forwards to its integration")
            signed = operation.signed and api.kind == "apigateway.RestApi"
            entry_point = _EntryPoint(
                api,
                operation.place,
                bounded(policies_of(self.graph, api), without=PASSED) if signed else operation.authentication,
            )
            yield entry_point.edge(api.urn, f"{api.urn}#{operation.place}", (step,), final=True)

    def _stage_web_acl(self, api: Resource, module: str) -> Pass:
        """The web ACL in front of an API: it covers every stage; HTTP APIs cannot have one."""
        found: list[Pass] = []
        path = "apiId" if module == "apigatewayv2" else "restApi"
        for stage in self.graph.of_type(f"{module}.Stage"):
            if api in self.graph.referenced(stage, path, types=(f"{module}.Api", f"{module}.RestApi")).resources:
                found.append(self.web_acls.passed(stage))
        missing = [state for state in found if state.value is not True]
        if not found or missing:
            return missing[0] if missing else MISSED
        return PASSED

    def _integrated(self, integration: Resource, uri: str) -> list[Resource]:
        """The target of an integration: through a VPC link, a load balancer or a service; otherwise a function or
        address."""
        found: list[Resource] = []
        for path in dict.fromkeys((uri, "integrationTarget", "connectionId")):
            if integration.value(path) in (None, ""):
                continue
            keys = (*_FUNCTION_KEYS, "dnsName") if path != "connectionId" else ("id",)
            for target in self.graph.referenced(integration, path, types=_INTEGRATED, keys=keys):
                if target.kind == "apigateway.VpcLink":
                    found += self.graph.referenced(target, "targetArn", types=("lb.LoadBalancer",)).resources
                elif target.kind != "apigatewayv2.VpcLink":
                    found.append(target)
        return found or [
            *self._by_domain(integration, uri),
            *([] if self._by_domain(integration, uri) else [integration]),
        ]

    # -- Lambda function URLs -----------------------------------------------------------------------------------

    def _function_url(self, url: Resource) -> Iterator[Edge]:
        type_ = url.value("authorizationType")
        authentication = MISSED if type_ == "NONE" else PASSED
        if isinstance(type_, Unknown) or type_ is None:
            authentication = Pass(None, (f"{url.label}.authorizationType",))
        steps: tuple[Hop, ...] = (hop(url, "authorizationType", str(type_)),)
        functions = self.graph.referenced(
            url, "functionName", types=("lambda.Function",), keys=_FUNCTION_KEYS
        ).resources
        target = functions[0].urn if functions else url.urn
        guarded = PASSED if authentication.value is True else MISSED
        yield Edge(
            INTERNET, target, url, "authorizationType", steps, guarded, authentication, protected=url, final=True
        )


def _private(distribution: Resource) -> str:
    """Where an origin names a VPC origin."""
    several = distribution.kind == "cloudfront.MultitenantDistribution"
    return "vpcOriginConfigs[0].vpcOriginId" if several else "vpcOriginConfig.vpcOriginId"


def _signed(distribution: Resource) -> Pass:
    """Whether every cache behavior requires signed URLs or cookies."""
    paths = ["defaultCacheBehavior"]
    for name in ("orderedCacheBehaviors", "cacheBehaviors"):
        ordered = distribution.items(name)
        paths += [f"{name}[{index}]" for index in range(0 if isinstance(ordered, Unknown) else len(ordered))]
    for path in paths:
        enabled = distribution.value(f"{path}.trustedKeyGroups.enabled")
        if enabled is not None:
            if isinstance(enabled, Unknown):
                return Pass(None, (f"{distribution.label}.{path}",))
            if not enabled:
                return MISSED
            continue
        signers = [distribution.value(f"{path}.{name}") for name in ("trustedKeyGroups", "trustedSigners")]
        if any(isinstance(value, Unknown) for value in signers):
            return Pass(None, (f"{distribution.label}.{path}",))
        if not any(value not in (None, []) for value in signers):
            return MISSED
    return PASSED


def _authorization(resource: Resource, path: str) -> Pass:
    value = resource.value(path)
    if isinstance(value, Unknown):
        return Pass(None, (f"{resource.label}.{path}",))
    return MISSED if value in (None, "", "NONE") else PASSED


def _resource_key(graph: Graph, resource: Resource) -> str:
    """The API resource and method of a resource, known or not."""
    method = str(resource.value("httpMethod"))
    path = resource.value("resourceId")
    if isinstance(path, str):
        return f"{path} {method}"
    owners = graph.referenced(resource, "resourceId", types=("apigateway.Resource", "apigateway.RestApi")).resources
    return f"{owners[0].urn if owners else ''} {method}"
