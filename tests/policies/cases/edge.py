"""Policies on load balancers, listeners, target groups and the paths through them."""

from __future__ import annotations

import json
from typing import Any

from policies.guardrails.topology.graph.values import Value
from tests.policies.wire import UNKNOWN, case, r, secret

ANY_ADDRESS = "0.0.0.0"  # noqa: S104 - where the described proxy listens; nothing here does
TOPIC = r("sns.Topic", "topic")
POLICY = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
NOT_FOUND = {"type": "fixed-response", "fixedResponse": {"contentType": "text/plain", "statusCode": "404"}}
REDIRECT = {"type": "redirect", "redirect": {"protocol": "HTTPS", "port": "443", "statusCode": "HTTP_301"}}
OIDC: dict[str, Any] = {
    "authorizationEndpoint": "https://login.example.com/authorize",
    "issuer": "https://login.example.com",
    "tokenEndpoint": "https://login.example.com/token",
    "userInfoEndpoint": "https://login.example.com/me",
    "clientId": "app",
    "clientSecret": secret("s3cr3t"),
    "sessionTimeout": 28_800,
    "onUnauthenticatedRequest": "deny",
}
FORWARD = {"type": "forward", "targetGroupArn": UNKNOWN, "order": 2}


def login(**changed: Value) -> dict[str, Any]:
    return {"type": "authenticate-oidc", "order": 1, "authenticateOidc": {**OIDC, **changed}}


def https(**changed: Value) -> dict[str, Any]:
    return r(
        "lb.Listener",
        **{"protocol": "HTTPS", "port": 443, "sslPolicy": POLICY, "defaultActions": [NOT_FOUND], **changed},
    )


def rule(*actions: dict[str, Any]) -> dict[str, Any]:
    return r("lb.ListenerRule", actions=list(actions))


def balancer(**changed: Value) -> dict[str, Any]:
    good = {"dropInvalidHeaderFields": True, "idleTimeout": 60, "clientKeepAlive": 3600}
    return r("lb.LoadBalancer", **{**good, **changed})


MANAGER = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
TARGETS = r("lb.TargetGroup", "targets", targetType="ip", deregistrationDelay=600)


def proxy(
    *, idle: str = "90s", stream: str = "600s", address: str = ANY_ADDRESS, upgrade: bool = False, **more: Value
) -> dict[str, Any]:
    """A task whose first container is Envoy with this configuration."""
    route: dict[str, Any] = {"max_stream_duration": {"max_stream_duration": stream}}
    if upgrade:
        route["upgrade_configs"] = [{"upgrade_type": "websocket"}]
    manager = {"@type": MANAGER, "common_http_protocol_options": {"idle_timeout": idle}, "routes": [{"route": route}]}
    chain = {"filters": [{"name": "http", "typed_config": manager}]}
    listener = {"address": {"socket_address": {"address": address, "port_value": 8443}}, "filter_chains": [chain]}
    configuration = json.dumps({"static_resources": {"listeners": [listener]}})
    container = {"name": "proxy", "image": "x", "command": ["--config-yaml", configuration]}
    return r("ecs.TaskDefinition", containerDefinitions=json.dumps([container]), **more)


BUCKET = r("s3.Bucket", "logs", bucket="app-logs")
DEFAULT_TYPE = "violated x.defaultActions[0].type"

CASES = [
    case("elb-listeners-use-tls", "HTTPS by a recommended policy", https()),
    case("elb-listeners-use-tls", "HTTP that redirects", r("lb.Listener", protocol="HTTP", port=80, defaultActions=[REDIRECT])),
    case("elb-listeners-use-tls", "HTTP that refuses", r("lb.Listener", protocol="HTTP", port=80, defaultActions=[NOT_FOUND])),
    case("elb-listeners-use-tls", "HTTP that forwards", r("lb.Listener", protocol="HTTP", port=80, defaultActions=[FORWARD]),
         says=[DEFAULT_TYPE]),
    case("elb-listeners-use-tls", "HTTP that answers",
         r("lb.Listener", protocol="HTTP", defaultActions=[{"type": "fixed-response", "fixedResponse": {"statusCode": "200"}}]),
         says=[DEFAULT_TYPE]),
    case("elb-listeners-use-tls", "a redirect that is not for good",
         r("lb.Listener", protocol="HTTP", defaultActions=[{"type": "redirect", "redirect": {"statusCode": "HTTP_302"}}]),
         says=["violated x.defaultActions[0].redirect.protocol", "violated x.defaultActions[0].redirect.statusCode"]),
    case("elb-listeners-use-tls", "no policy", https(sslPolicy=None), says=["violated x.sslPolicy"]),
    case("elb-listeners-use-tls", "a weak policy", https(sslPolicy="ELBSecurityPolicy-2016-08"), says=["violated x.sslPolicy"]),
    case("elb-listeners-use-tls", "plain TCP", r("lb.Listener", protocol="TCP", port=443, defaultActions=[FORWARD]),
         says=["violated x.protocol"]),
    case("elb-listeners-use-tls", "unknown", https(sslPolicy=UNKNOWN), says=["not proven x.sslPolicy"]),
    case("elb-listeners-use-tls", "unknown protocol", https(protocol=UNKNOWN), says=["not proven x.protocol"]),
    case("elb-listeners-use-tls", "not applicable", TOPIC),
    case("elb-listener-default-denies", "404", https()),
    case("elb-listener-default-denies", "a forward", https(defaultActions=[FORWARD]), says=[DEFAULT_TYPE]),
    case("elb-listener-default-denies", "a 200", https(defaultActions=[{"type": "fixed-response", "fixedResponse": {"statusCode": "200"}}]),
         says=["violated x.defaultActions[0].fixedResponse.statusCode"]),
    case("elb-listener-default-denies", "unknown", https(defaultActions=UNKNOWN), says=["not proven x.defaultActions"]),
    case("elb-listener-default-denies", "unknown status", https(defaultActions=[{"type": "fixed-response", "fixedResponse": UNKNOWN}]),
         says=["not proven x.defaultActions[0].fixedResponse.statusCode"]),
    case("elb-listener-default-denies", "a listener in HTTP", r("lb.Listener", protocol="HTTP", defaultActions=[FORWARD])),
    case("elb-listener-default-denies", "not applicable", TOPIC),
    case("elb-forwarding-rules-authenticate", "a login first", rule(login(), FORWARD)),
    case("elb-forwarding-rules-authenticate", "a token first", rule({"type": "jwt-validation", "jwtValidation": {}}, FORWARD)),
    case("elb-forwarding-rules-authenticate", "no login", rule(FORWARD), says=["violated x.actions[0].type"]),
    case("elb-forwarding-rules-authenticate", "a default that forwards", https(defaultActions=[FORWARD]), says=[DEFAULT_TYPE]),
    case("elb-forwarding-rules-authenticate", "a TCP listener", r("lb.Listener", protocol="TCP", defaultActions=[FORWARD])),
    case("elb-forwarding-rules-authenticate", "an answer of its own", rule(NOT_FOUND)),
    case("elb-forwarding-rules-authenticate", "unknown", r("lb.ListenerRule", actions=UNKNOWN), says=["not proven x.actions"]),
    case("elb-forwarding-rules-authenticate", "unknown type", rule({"type": UNKNOWN}), says=["not proven x.actions"]),
    case("elb-forwarding-rules-authenticate", "not applicable", TOPIC),
    case("elb-login-actions-are-strict", "strict", rule(login(), FORWARD)),
    case("elb-login-actions-are-strict", "strangers pass", rule(login(onUnauthenticatedRequest="allow"), FORWARD),
         says=["violated x.actions[0].authenticateOidc.onUnauthenticatedRequest"]),
    case("elb-login-actions-are-strict", "a session of a week, which is the default", rule(login(sessionTimeout=None), FORWARD),
         says=["violated x.actions[0].authenticateOidc.sessionTimeout"]),
    case("elb-login-actions-are-strict", "an endpoint in plain HTTP", rule(login(tokenEndpoint="http://login.example.com/token"), FORWARD),
         says=["violated x.actions[0].authenticateOidc.tokenEndpoint"]),
    case("elb-login-actions-are-strict", "a token for any audience",
         rule({"type": "jwt-validation", "jwtValidation": {"additionalClaims": [{"name": "scope"}]}}, FORWARD),
         says=["violated x.actions[0].jwtValidation.additionalClaims"]),
    case("elb-login-actions-are-strict", "a token for our audience",
         rule({"type": "jwt-validation", "jwtValidation": {"additionalClaims": [{"name": "aud"}]}}, FORWARD)),
    case("elb-login-actions-are-strict", "unknown", rule(login(sessionTimeout=UNKNOWN), FORWARD),
         says=["not proven x.actions[0].authenticateOidc.sessionTimeout"]),
    case("elb-login-actions-are-strict", "all actions unknown", r("lb.ListenerRule", actions=UNKNOWN), says=["not proven x.actions"]),
    case("elb-login-actions-are-strict", "no login at all", rule(NOT_FOUND)),
    case("elb-login-actions-are-strict", "not applicable", TOPIC),
    case("elb-response-headers-set", "set", https(
        routingHttpResponseStrictTransportSecurityHeaderValue="max-age=63072000; includeSubDomains",
        routingHttpResponseXContentTypeOptionsHeaderValue="nosniff", routingHttpResponseServerEnabled=False)),
    case("elb-response-headers-set", "missing", https(), says=[
        "violated x.routingHttpResponseStrictTransportSecurityHeaderValue",
        "violated x.routingHttpResponseXContentTypeOptionsHeaderValue", "violated x.routingHttpResponseServerEnabled"]),
    case("elb-response-headers-set", "HSTS for a day", https(
        routingHttpResponseStrictTransportSecurityHeaderValue="max-age=86400",
        routingHttpResponseXContentTypeOptionsHeaderValue="nosniff", routingHttpResponseServerEnabled=False),
        says=["violated x.routingHttpResponseStrictTransportSecurityHeaderValue"]),
    case("elb-response-headers-set", "a redirect that hides the server", r("lb.Listener", protocol="HTTP", routingHttpResponseServerEnabled=False)),
    case("elb-response-headers-set", "a redirect that tells it", r("lb.Listener", protocol="HTTP"),
         says=["violated x.routingHttpResponseServerEnabled"]),
    case("elb-response-headers-set", "TLS without HTTP", r("lb.Listener", protocol="TLS")),
    case("elb-response-headers-set", "unknown", https(
        routingHttpResponseStrictTransportSecurityHeaderValue=UNKNOWN,
        routingHttpResponseXContentTypeOptionsHeaderValue="nosniff", routingHttpResponseServerEnabled=False),
        says=["not proven x.routingHttpResponseStrictTransportSecurityHeaderValue"]),
    case("elb-response-headers-set", "not applicable", TOPIC),
    case("elb-targets-use-tls", "TLS", r("lb.TargetGroup", protocol="HTTPS", healthCheck={"protocol": "HTTPS"})),
    case("elb-targets-use-tls", "plain HTTP", r("lb.TargetGroup", protocol="HTTP"),
         says=["violated x.protocol", "violated x.healthCheck.protocol"]),
    case("elb-targets-use-tls", "a health check in plain HTTP", r("lb.TargetGroup", protocol="HTTPS", healthCheck={"protocol": "HTTP"}),
         says=["violated x.healthCheck.protocol"]),
    case("elb-targets-use-tls", "a function", r("lb.TargetGroup", targetType="lambda")),
    case("elb-targets-use-tls", "unknown", r("lb.TargetGroup", protocol=UNKNOWN), says=["not proven x.protocol"]),
    case("elb-targets-use-tls", "not applicable", TOPIC),
    case("elb-load-balancer-hardening", "hardened", balancer(desyncMitigationMode="strictest")),
    case("elb-load-balancer-hardening", "defaults", r("lb.LoadBalancer"), says=["violated x.dropInvalidHeaderFields"]),
    case("elb-load-balancer-hardening", "soft", r("lb.LoadBalancer", dropInvalidHeaderFields=True, desyncMitigationMode="monitor",
         enableWafFailOpen=True, xffHeaderProcessingMode="preserve"),
         says=["violated x.desyncMitigationMode", "violated x.enableWafFailOpen", "violated x.xffHeaderProcessingMode"]),
    case("elb-load-balancer-hardening", "unknown", balancer(dropInvalidHeaderFields=UNKNOWN), says=["not proven x.dropInvalidHeaderFields"]),
    case("elb-load-balancer-hardening", "a network load balancer", r("lb.LoadBalancer", loadBalancerType="network")),
    case("elb-load-balancer-hardening", "not applicable", TOPIC),
    case("elb-load-balancer-zones", "two subnets", balancer(subnets=["subnet-a", "subnet-b"])),
    case("elb-load-balancer-zones", "two subnets that are not known yet", (A := r("ec2.Subnet", "a")), (B := r("ec2.Subnet", "b")),
         balancer(subnets=UNKNOWN, needs={"subnets": [A, B]})),
    case("elb-load-balancer-zones", "one subnet", balancer(subnets=["subnet-a"]), says=["violated x.subnets"]),
    case("elb-load-balancer-zones", "two mappings", balancer(subnetMappings=[{"subnetId": "a"}, {"subnetId": "b"}])),
    case("elb-load-balancer-zones", "unknown", balancer(subnets=UNKNOWN, needs={"subnets": TOPIC}), says=["not proven x.subnets"]),
    case("elb-load-balancer-zones", "not said", balancer(), says=["not proven x.subnets"]),
    case("elb-load-balancer-zones", "not applicable", TOPIC),
    case("elb-load-balancers-log", "to a bucket", balancer(accessLogs={"enabled": True, "bucket": "logs"})),
    case("elb-load-balancers-log", "to a bucket that is not known yet", BUCKET,
         balancer(accessLogs={"enabled": True, "bucket": UNKNOWN}, needs={"accessLogs": BUCKET})),
    case("elb-load-balancers-log", "nowhere", balancer(), says=["violated x.accessLogs.enabled"]),
    case("elb-load-balancers-log", "switched off", balancer(accessLogs={"enabled": False, "bucket": "logs"}),
         says=["violated x.accessLogs.enabled"]),
    case("elb-load-balancers-log", "unknown", balancer(accessLogs={"enabled": UNKNOWN, "bucket": "logs"}, needs={"accessLogs": TOPIC}),
         says=["not proven x.accessLogs.enabled"]),
    case("elb-load-balancers-log", "not applicable", TOPIC),
    case("elb-timeouts-in-order", "stated", balancer(), r("lb.TargetGroup", "targets", deregistrationDelay=600)),
    case("elb-timeouts-in-order", "left to defaults, which fit", r("lb.LoadBalancer"), r("lb.TargetGroup", "targets"), proxy(idle="61s", stream="300s")),
    case("elb-timeouts-in-order", "left to defaults, which do not fit", r("lb.LoadBalancer"), r("lb.TargetGroup", "targets"),
         proxy(idle="60s", stream="301s"), says=["violated x.containerDefinitions[proxy].keep-alive", "violated x.containerDefinitions[proxy].stream"]),
    case("elb-timeouts-in-order", "longer than can be", balancer(idleTimeout=4001, clientKeepAlive=604_801), r("lb.TargetGroup", "targets",
         deregistrationDelay="3601"), says=["violated x.idleTimeout", "violated x.clientKeepAlive", "violated targets.deregistrationDelay"]),
    case("elb-timeouts-in-order", "unknown", balancer(idleTimeout=UNKNOWN, needs={"idleTimeout": TOPIC}), says=["not proven x.idleTimeout"]),
    case("elb-timeouts-in-order", "not applicable", TOPIC),
    case("elb-timeouts-in-order", "a proxy that fits", balancer(), TARGETS, proxy()),
    case("elb-timeouts-in-order", "a proxy that closes before the load balancer", balancer(), TARGETS, proxy(idle="60s"),
         says=["violated x.containerDefinitions[proxy].keep-alive"]),
    case("elb-timeouts-in-order", "a stream that a deployment cuts", balancer(), TARGETS, proxy(stream="601s"),
         says=["violated x.containerDefinitions[proxy].stream"]),
    case("elb-timeouts-in-order", "a WebSocket that a deployment closes", balancer(), TARGETS, proxy(stream="9999s", upgrade=True)),
    *(case("elb-timeouts-in-order", f"a proxy of a service {how}", balancer(), TARGETS, proxy(idle="60s", arn="arn:task"),
           r("ecs.Service", "service", taskDefinition="arn:task", **loads), says=says)
      for how, loads, says in (("without a load balancer", {}, []), ("with one", {"loadBalancers": [{"targetGroupArn": "arn:tg"}]},
                               ["violated x.containerDefinitions[proxy].keep-alive"]))),
    case("elb-timeouts-in-order", "a proxy that only the task itself reaches", balancer(), TARGETS, proxy(idle="1s", address="127.0.0.1")),
    case("elb-timeouts-in-order", "containers that are not known", balancer(), TARGETS,
         r("ecs.TaskDefinition", containerDefinitions=UNKNOWN, needs={"containerDefinitions": TOPIC}), says=["not proven x.containerDefinitions"]),
    case("elb-timeouts-in-order", "an unknown idle timeout before a proxy",
         balancer(idleTimeout=UNKNOWN, needs={"idleTimeout": TOPIC}), TARGETS, proxy(),
         says=["not proven x.idleTimeout", "not proven x.idleTimeout"]),
    case("elb-timeouts-in-order", "a network load balancer", r("lb.LoadBalancer", loadBalancerType="network")),
    case("elb-timeouts-in-order", "a function behind the load balancer", r("lb.TargetGroup", "targets", targetType="lambda")),
    case("elb-load-balancers-log", "to no bucket", balancer(accessLogs={"enabled": True}), says=["violated x.accessLogs.bucket"]),
    case("elb-load-balancers-log", "a gateway load balancer", r("lb.LoadBalancer", loadBalancerType="gateway")),
    case("elb-listeners-use-tls", "no protocol, with a certificate", r("lb.Listener", port=443, certificateArn="arn:c"),
         says=["violated x.protocol"]),
    case("elb-listeners-use-tls", "HTTP without an action", r("lb.Listener", protocol="HTTP", port=80), says=["violated x.defaultActions"]),
    case("elb-listeners-use-tls", "HTTP with unknown actions", r("lb.Listener", protocol="HTTP", defaultActions=UNKNOWN),
         says=["not proven x.defaultActions"]),
    case("elb-listener-default-denies", "an action of an unknown kind", https(defaultActions=[{"type": UNKNOWN}]),
         says=["not proven x.defaultActions[0].type"]),
    case("elb-login-actions-are-strict", "a session of just a working day", rule(login(sessionTimeout=43_200), FORWARD)),
    case("elb-login-actions-are-strict", "a session that ends at once", rule(login(sessionTimeout=0), FORWARD),
         says=["violated x.actions[0].authenticateOidc.sessionTimeout"]),
    case("elb-login-actions-are-strict", "claims that are not known",
         rule({"type": "jwt-validation", "jwtValidation": {"additionalClaims": UNKNOWN}}, FORWARD),
         says=["not proven x.actions[0].jwtValidation.additionalClaims"]),
]  # fmt: skip
