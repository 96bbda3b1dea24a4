"""Policies on a proxy beside the application, read from its configuration in the task definition."""

from __future__ import annotations

import json
from typing import Any

from policies.guardrails.topology.graph.values import Value
from tests.policies.cases.containers import GOOD, NO_TASK, UNKNOWN_TASK, UNPROVEN
from tests.policies.cases.edge import ANY_ADDRESS
from tests.policies.wire import UNKNOWN, case, r

TYPE = "type.googleapis.com/envoy.extensions.filters"
MAPPED = [{"containerPort": 8443}]
AT = "violated x.containerDefinitions[proxy]"


def http_filter(kind: str, name: str = "", **config: Value) -> dict[str, Any]:
    return {"name": name or kind, "typed_config": {"@type": f"{TYPE}.http.{kind}", **config}}


def rbac(**rules: Value) -> dict[str, Any]:
    usual = {"policies": {"known": {"permissions": [{"any": True}], "principals": [principal("x-user")]}}}
    return http_filter("rbac.v3.RBAC", "rbac", rules={**usual, **rules})


def principal(header: str, **matcher: Value) -> dict[str, Any]:
    return {"header": {"name": header, **(matcher or {"present_match": True})}}


def open_to_all(**more: Value) -> dict[str, Any]:
    return rbac(policies={"all": {"permissions": [{"any": True}], "principals": [{"any": True}], **more}})


def denies(action: str | int, who: Value, **more: Value) -> dict[str, Any]:
    return rbac(action=action, policies={"stranger": {"permissions": [{"any": True}], "principals": [who], **more}})


ROUTER = http_filter("router.v3.Router", "router")
JWT = http_filter(
    "jwt_authn.v3.JwtAuthentication", rules=[{"match": {"prefix": "/"}, "requires": {"provider_name": "idp"}}]
)
STRIPPED = [{"name": "strip", "typed_config": {"mutations": [{"remove": "x-user"}]}}]
TOO_LARGE = {
    "match": {"prefix": "/", "headers": [{"name": "content-length", "invert_match": True, "range_match": {"start": "0", "end": "9"}}]},
    "direct_response": {"status": 413},
    "name": "too-large",
}  # fmt: skip
ON = {
    "match": {"prefix": "/"},
    "name": "all",
    "route": {"cluster": "app", "timeout": "0s", "max_stream_duration": {"max_stream_duration": "600s"}},
}
OFF = {"rbac": {"@type": f"{TYPE}.http.rbac.v3.RBACPerRoute"}}
HEALTH = {"match": {"path": "/health"}, "name": "health", "route": {"cluster": "app"}, "typed_per_filter_config": OFF}


def manager(*filters: Value, routes: Value = (TOO_LARGE, ON), host: Value = None, **more: Value) -> dict[str, Any]:
    return {
        "@type": f"{TYPE}.network.http_connection_manager.v3.HttpConnectionManager",
        "request_headers_timeout": "10s",
        "stream_idle_timeout": "120s",
        "early_header_mutation_extensions": STRIPPED,
        "http_filters": [*(filters or (rbac(),)), ROUTER],
        "route_config": {"virtual_hosts": [{"name": "app", "domains": ["*"], "routes": list(routes), **(host or {})}]},
        **more,
    }


def listening(
    found: Value, *, address: str = ANY_ADDRESS, port: int = 8443, tls: bool = True, **more: Value
) -> dict[str, Any]:
    chain: dict[str, Any] = {"filters": [{"name": "http", "typed_config": found}]}
    if tls:
        chain["transport_socket"] = {"name": "tls"}
    socket = {"address": address, "port_value": port}
    return {"name": "in", "address": {"socket_address": socket}, "filter_chains": [chain], **more}


def cluster(address: str = "127.0.0.1", **more: Value) -> dict[str, Any]:
    end = {"endpoint": {"address": {"socket_address": {"address": address, "port_value": 443}}}}
    return {"name": "out", "type": "STRICT_DNS", "load_assignment": {"endpoints": [{"lb_endpoints": [end]}]}, **more}


def tls(**context: Value) -> dict[str, Any]:
    return {
        "transport_socket": {
            "typed_config": {"common_tls_context": {"validation_context": context}, "sni": "models.example.com"}
        }
    }


CONNECT: dict[str, Any] = {
    "name": "tunnel",
    "match": {"connect_matcher": {}},
    "route": {"cluster": "out", "timeout": "60s"},
}
TUNNELS: dict[str, Any] = {"name": "tunnel", "internal_listener": {}, "filter_chains": [{"filters": [{"name": "tcp", "typed_config": {
    "@type": f"{TYPE}.network.tcp_proxy.v3.TcpProxy", "tunneling_config": {"hostname": "models.example.com:443"}}}]}]}  # fmt: skip


def tunnelled(**more: Value) -> dict[str, Any]:
    address = {"envoy_internal_address": {"server_listener_name": "tunnel"}}
    return {
        "name": "out",
        "load_assignment": {"endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}]},
        **more,
    }


def container(listeners: list[Value], clusters: list[Value] | None = None, **more: Value) -> dict[str, Any]:
    static = {"listeners": listeners, "clusters": clusters or [cluster()]}
    text = json.dumps({"static_resources": static, **more})
    return {**GOOD, "name": "proxy", "command": ["--config-yaml", text], "portMappings": MAPPED}


def task(*containers: dict[str, Any], **more: Value) -> dict[str, Any]:
    return r("ecs.TaskDefinition", containerDefinitions=json.dumps(containers), **more)


def proxy(*listeners: Value, clusters: list[Value] | None = None, **more: Value) -> dict[str, Any]:
    return task(container(list(listeners) or [listening(manager())], clusters, **more))


YAML = """
static_resources:
  listeners:
    - name: in
      address: {socket_address: {address: "::", port_value: 8443}}
      filter_chains:
        - transport_socket: {name: tls}
          filters:
            - typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                http_filters: []
"""
NOT_ENVOY = {**GOOD, "name": "proxy", "command": ["static_resources: ["]}
APP: dict[str, Any] = {**GOOD, "name": "app", "portMappings": []}
ALONE = r(
    "ecs.TaskDefinition",
    "task",
    id="family",
    arn="arn:task",
    containerDefinitions=json.dumps([{**GOOD, "portMappings": MAPPED}]),
)
BOTH = r("ecs.TaskDefinition", "task", id="family", arn="arn:task", containerDefinitions=json.dumps([
    container([listening(manager())]), APP]))  # fmt: skip
OPENED = r("ecs.TaskDefinition", "task", id="family", arn="arn:task", containerDefinitions=json.dumps([
    container([listening(manager())]), {**APP, "portMappings": [{"containerPort": 8080}]}]))  # fmt: skip
AMONG = {"containerName": "proxy", "containerPort": 8443}


def service(*entries: dict[str, Any], kind: str = "ecs.Service", **more: Value) -> dict[str, Any]:
    return r(kind, **{"taskDefinition": "arn:task", "loadBalancers": list(entries), **more})


CHECK_ONLY = [
    {"name": ":method", "string_match": {"exact": "GET"}},
    {"name": "content-length", "present_match": False},
]


def health_route(path: str, headers: Value = CHECK_ONLY) -> dict[str, Any]:
    return proxy(listening(manager(routes=({**HEALTH, "match": {"path": path, "headers": headers}}, ON))))


def targets(path: Value, **more: Value) -> dict[str, Any]:
    return r("lb.TargetGroup", "t", arn="arn:t", healthCheck={"path": path}, **more)


CHECKED = "proxy-open-routes-are-health-checks"
ENTER, AUTHORIZE = "ecs-targets-are-the-proxy", "proxy-authorizes"
LIMIT, VERIFY = "proxy-limits-requests", "proxy-verifies-upstreams"
CASES = [
    case(AUTHORIZE, "by rbac", proxy()),
    case(AUTHORIZE, "by rbac, the action as a number", proxy(listening(manager(rbac(action=0))))),
    case(AUTHORIZE, "by rbac, the header in other letters", proxy(listening(manager(rbac(policies={"p": {
         "permissions": [{"any": True}], "principals": [principal("X-User")]}}))))),
    case(AUTHORIZE, "by a token", proxy(listening(manager(JWT)))),
    case(AUTHORIZE, "by another service", proxy(listening(manager(http_filter("ext_authz.v3.ExtAuthz"))))),
    case(AUTHORIZE, "by a login", proxy(listening(manager(http_filter("oauth2.v3.OAuth2"))))),
    case(AUTHORIZE, "no filter", proxy(listening(manager(http_filter("lua.v3.Lua")))), says=[f"{AT}.listeners[in].http_filters"]),
    case(AUTHORIZE, "a filter behind the router", proxy(listening(manager(ROUTER, rbac()))), says=[f"{AT}.listeners[in].http_filters"]),
    case(AUTHORIZE, "a filter that is switched off", proxy(listening(manager({**rbac(), "disabled": True}))),
         says=[f"{AT}.listeners[in].http_filters"]),
    case(AUTHORIZE, "rules that let in everybody", proxy(listening(manager(open_to_all()))), says=[f"{AT}.listeners[in].http_filters"]),
    case(AUTHORIZE, "everybody on one path", proxy(listening(manager(open_to_all(permissions=[{"url_path": {"path": {"exact": "/"}}}]))))),
    case(AUTHORIZE, "rules that keep out somebody", proxy(listening(manager(rbac(action="DENY")))), says=[f"{AT}.listeners[in].http_filters"]),
    *(case(AUTHORIZE, f"rules that keep out who lacks a header, {how}", proxy(listening(manager(denies(action, principal)))))
      for how, action, principal in (
          ("absent", "DENY", principal("x-user", present_match=False)), ("by number", 1, principal("x-user", present_match=False)),
          ("not present", "DENY", principal("x-user", present_match=True, invert_match=True)),
          ("not those who have it", "DENY", {"not_id": principal("x-user")}))),
    case(AUTHORIZE, "rules that keep them out on one path", proxy(listening(manager(denies(
         "DENY", principal("x-user", present_match=False), permissions=[{"url_path": {"path": {"exact": "/"}}}])))),
         says=[f"{AT}.listeners[in].http_filters"]),
    *(case(AUTHORIZE, f"rules that keep them out on a {key}", proxy(listening(manager(denies("DENY", principal("x-user", present_match=False), **{key: {}})))),
           says=[f"{AT}.listeners[in].http_filters"]) for key in ("condition", "checked_condition")),
    case(AUTHORIZE, "rules that keep them out for a header that clients may write", proxy(listening(manager(
         denies("DENY", principal("x-user", present_match=False)), early_header_mutation_extensions=[]))),
         says=[f"{AT}.listeners[in].http_filters"]),
    *(case(AUTHORIZE, f"rules that let in who lacks a header, {how}", proxy(listening(manager(rbac(policies={"p": {
         "permissions": [{"any": True}], "principals": [principal]}})))), says=[f"{AT}.listeners[in].http_filters"])
      for how, principal in (("absent", principal("x-user", present_match=False)), ("not present", {"not_id": principal("x-user")}))),
    case(AUTHORIZE, "rules that only write a log", proxy(listening(manager(rbac(action="LOG")))), says=[f"{AT}.listeners[in].http_filters"]),
    case(AUTHORIZE, "rules without a policy", proxy(listening(manager(rbac(policies={})))), says=[f"{AT}.listeners[in].http_filters"]),
    case(AUTHORIZE, "rules that are only tried out", proxy(listening(manager(http_filter("rbac.v3.RBAC", shadow_rules={"policies": {}})))),
         says=[f"{AT}.listeners[in].http_filters"]),
    case(AUTHORIZE, "a token that may be missing", proxy(listening(manager(http_filter("jwt_authn.v3.JwtAuthentication", rules=[
         {"requires": {"requires_any": {"requirements": [{"provider_name": "idp"}, {"allow_missing": {}}]}}}])))),
         says=[f"{AT}.listeners[in].http_filters"]),
    case(AUTHORIZE, "a token on some paths", proxy(listening(manager(http_filter("jwt_authn.v3.JwtAuthentication", rules=[
         {"match": {"prefix": "/public"}}, {"requires": {"provider_name": "idp"}}])))), says=[f"{AT}.listeners[in].http_filters"]),
    case(AUTHORIZE, "tokens without a rule", proxy(listening(manager(http_filter("jwt_authn.v3.JwtAuthentication")))),
         says=[f"{AT}.listeners[in].http_filters"]),
    case(AUTHORIZE, "another service that may be down",
         proxy(listening(manager(http_filter("ext_authz.v3.ExtAuthz", failure_mode_allow=True)))), says=[f"{AT}.listeners[in].http_filters"]),
    case(AUTHORIZE, "a header that clients may write", proxy(listening(manager(early_header_mutation_extensions=[]))),
         says=[f"{AT}.listeners[in].http_filters"]),
    *(case(AUTHORIZE, f"a header taken off by {how}", proxy(listening(manager(early_header_mutation_extensions=[
        {"typed_config": {"mutations": [{"remove_on_match": {"key_matcher": matcher}}]}}]))))
      for how, matcher in {"name": {"exact": "x-user"}, "beginning": {"prefix": "x-"}, "end": {"suffix": "-user"},
                           "a part": {"contains": "use"}, "pattern": {"safe_regex": {"regex": "x-.*"}}}.items()),
    case(AUTHORIZE, "another header taken off", proxy(listening(manager(early_header_mutation_extensions=[
         {"typed_config": {"mutations": [{"remove_on_match": {"key_matcher": {"safe_regex": {"regex": "x-(" }}}}]}}]))),
         says=[f"{AT}.listeners[in].http_filters"]),
    case(AUTHORIZE, "a header with a certain value", proxy(listening(manager(
         rbac(policies={"p": {"principals": [principal("x-key", string_match={"exact": "k"})]}}))))),
    case(AUTHORIZE, "health checks without it", proxy(listening(manager(routes=(HEALTH, TOO_LARGE, ON))))),
    case(AUTHORIZE, "another path without it", proxy(listening(manager(routes=({**HEALTH, "match": {"path": "/admin"}}, ON)))),
         says=[f"{AT}.listeners[in].routes[health]"]),
    case(AUTHORIZE, "a health check by its match", health_route("/ready")),
    *(case(AUTHORIZE, f"a health check {what}", health_route("/ready", headers), says=[f"{AT}.listeners[in].routes[health]"])
      for what, headers in (
          ("with any method", CHECK_ONLY[1:]), ("with a body", CHECK_ONLY[:1]),
          ("with any method but GET", [{**CHECK_ONLY[0], "invert_match": True}, CHECK_ONLY[1]]),
          ("by POST", [{"name": ":method", "string_match": {"exact": "POST"}}, CHECK_ONLY[1]]))),
    case(CHECKED, "the target group's path", health_route("/ready"), targets("/ready")),
    case(CHECKED, "a route with the filter", proxy(), targets("/ready")),
    case(CHECKED, "a proxy that nothing is read of", task(NOT_ENVOY), targets("/ready")),
    case(CHECKED, "another path", health_route("/admin"), targets("/ready"), says=[f"{AT}.listeners[in].routes[health]"]),
    case(CHECKED, "the default path", health_route("/"), r("lb.TargetGroup", "t", arn="arn:t")),
    case(CHECKED, "no target group", health_route("/ready"), says=[f"{AT}.listeners[in].routes[health]"]),
    case(CHECKED, "an unknown path", health_route("/ready"), targets(UNKNOWN, needs={"healthCheck": [ALONE]}),
         says=["not proven x.containerDefinitions[proxy].listeners[in].routes[health]"]),
    case(CHECKED, "unknown", UNKNOWN_TASK, says=UNPROVEN),
    case(CHECKED, "not applicable: no task", targets("/ready")),
    case(AUTHORIZE, "all paths below one without it", proxy(listening(manager(routes=({**HEALTH, "match": {"prefix": "/health"}}, ON)))),
         says=[f"{AT}.listeners[in].routes[health]"]),
    case(AUTHORIZE, "a host without it", proxy(listening(manager(host={"typed_per_filter_config": OFF}))),
         says=[f"{AT}.listeners[in].routes[all]"]),
    case(AUTHORIZE, "a host without it that answers by itself", proxy(listening(manager(host={"typed_per_filter_config": OFF}, routes=(TOO_LARGE,))))),
    case(AUTHORIZE, "a host without it and a route with it", proxy(listening(manager(host={"typed_per_filter_config": OFF}, routes=(
         {**ON, "typed_per_filter_config": {"rbac": {"@type": f"{TYPE}.http.rbac.v3.RBACPerRoute", "rbac": {"rules": {}}}}},))))),
    case(AUTHORIZE, "one of two filters switched off", proxy(listening(manager(rbac(), JWT, routes=({**ON, "typed_per_filter_config": OFF},))))),
    case(AUTHORIZE, "a filter switched off by its flag", proxy(listening(manager(JWT, routes=(
         {**ON, "typed_per_filter_config": {"jwt_authn.v3.JwtAuthentication": {"disabled": True}}},)))),
         says=[f"{AT}.listeners[in].routes[all]"]),
    case(AUTHORIZE, "clear text", proxy(listening(manager(), tls=False)), says=[f"{AT}.listeners[in].transport_socket"]),
    case(AUTHORIZE, "a way out on loopback", proxy(listening(manager()), listening(manager(ROUTER), address="127.0.0.1", tls=False))),
    case(AUTHORIZE, "a way out by name of the host", proxy(listening(manager(ROUTER), address="localhost", tls=False))),
    case(AUTHORIZE, "a way out inside Envoy", proxy({"name": "up", "internal_listener": {}, "filter_chains": []})),
    case(AUTHORIZE, "a way out by a socket file", proxy({"name": "up", "address": {"pipe": {"path": "/tmp/s"}}, "filter_chains": [  # noqa: S108
         {"filters": [{"typed_config": manager(ROUTER)}]}]})),
    case(AUTHORIZE, "a way out on every address", proxy(listening(manager(ROUTER), port=9080, tls=False)),
         says=[f"{AT}.listeners[in].http_filters", f"{AT}.listeners[in].transport_socket"]),
    case(AUTHORIZE, "a way out on a second address", proxy(listening(manager(ROUTER), address="127.0.0.1", additional_addresses=[
         {"address": {"socket_address": {"address": ANY_ADDRESS, "port_value": 9080}}}])), says=[f"{AT}.listeners[in].http_filters"]),
    case(AUTHORIZE, "bytes handed on unread", proxy({"name": "in", "address": {"socket_address": {"address": "10.0.0.1"}}, "default_filter_chain": {
         "transport_socket": {}, "filters": [{"typed_config": {"@type": f"{TYPE}.network.tcp_proxy.v3.TcpProxy"}}]}}),
         says=[f"{AT}.listeners[in]"]),
    case(AUTHORIZE, "an administration interface on loopback", proxy(admin={"address": {"socket_address": {"address": "::1"}}})),
    case(AUTHORIZE, "an administration interface for everybody", proxy(admin={"address": {"socket_address": {"address": ANY_ADDRESS}}}),
         says=[f"{AT}.admin"]),
    case(AUTHORIZE, "a configuration in YAML", task({**GOOD, "name": "proxy", "command": [YAML]}), says=[f"{AT}.listeners[in].http_filters"]),
    case(AUTHORIZE, "a configuration in the environment", task({**GOOD, "name": "proxy", "environment": [{"name": "ENVOY", "value": YAML}]}),
         says=[f"{AT}.listeners[in].http_filters"]),
    case(AUTHORIZE, "a text that is no configuration", task(NOT_ENVOY)),
    case(AUTHORIZE, "unknown", UNKNOWN_TASK, says=UNPROVEN),
    case(AUTHORIZE, "not applicable", NO_TASK),
    case(LIMIT, "bounded", proxy()),
    case(LIMIT, "bounded by a filter", proxy(listening(manager(http_filter("buffer.v3.Buffer", max_request_bytes=9), routes=(ON,))))),
    case(LIMIT, "no limit on bodies", proxy(listening(manager(routes=(ON,)))), says=[f"{AT}.listeners[in].http_filters"]),
    case(LIMIT, "a 413 for something else", proxy(listening(manager(routes=({**TOO_LARGE, "match": {"prefix": "/"}}, ON)))),
         says=[f"{AT}.listeners[in].http_filters"]),
    case(LIMIT, "another answer for large bodies", proxy(listening(manager(routes=({**TOO_LARGE, "direct_response": {"status": 200}}, ON)))),
         says=[f"{AT}.listeners[in].http_filters"]),
    case(LIMIT, "no time for headers", proxy(listening(manager(request_headers_timeout=None))), says=[f"{AT}.listeners[in].request_headers_timeout"]),
    case(LIMIT, "silence for ever", proxy(listening(manager(stream_idle_timeout="0s"))), says=[f"{AT}.listeners[in].stream_idle_timeout"]),
    case(LIMIT, "silence by default", proxy(listening(manager(stream_idle_timeout=None)))),
    case(LIMIT, "a stream for ever", proxy(listening(manager(routes=(TOO_LARGE, {"name": "all", "route": {"cluster": "app", "timeout": "0s"}})))),
         says=[f"{AT}.listeners[in].routes[all]"]),
    case(LIMIT, "a stream by default", proxy(listening(manager(routes=(TOO_LARGE, {"name": "all", "route": {"cluster": "app"}}))))),
    case(LIMIT, "streams bounded for all routes", proxy(listening(manager(
         routes=(TOO_LARGE, {"name": "all", "route": {"cluster": "app", "timeout": "0s"}}),
         common_http_protocol_options={"max_stream_duration": "600s"})))),
    case(LIMIT, "tunnels only", proxy(listening(manager(routes=(CONNECT,))))),
    case(LIMIT, "tunnels and requests", proxy(listening(manager(routes=(CONNECT, ON)))), says=[f"{AT}.listeners[in].http_filters"]),
    case(LIMIT, "no proxy", task(APP)),
    case(LIMIT, "unknown", UNKNOWN_TASK, says=UNPROVEN),
    case(LIMIT, "not applicable", NO_TASK),
    case(VERIFY, "inside the task", proxy()),
    case(VERIFY, "a checked certificate", proxy(clusters=[cluster("models.example.com", **tls(
         trusted_ca={"filename": "/ca"}, match_typed_subject_alt_names=[{"san_type": "DNS"}]))])),
    case(VERIFY, "a pinned certificate", proxy(clusters=[cluster("models.example.com", **tls(verify_certificate_hash=["aa"]))])),
    case(VERIFY, "authorities by another way", proxy(clusters=[cluster("models.example.com", transport_socket={"typed_config": {
         "common_tls_context": {"validation_context_sds_secret_config": {"name": "ca"}}}})])),
    case(VERIFY, "names by the server's name", proxy(clusters=[cluster("models.example.com", **tls(trusted_ca={"filename": "/ca"}),
         typed_extension_protocol_options={"http": {"upstream_http_protocol_options": {"auto_san_validation": True}}})])),
    case(VERIFY, "clear text", proxy(clusters=[cluster("models.example.com")]), says=[f"{AT}.clusters[out].transport_socket"]),
    case(VERIFY, "clear text to an address of the network", proxy(clusters=[cluster("10.0.0.7")]), says=[f"{AT}.clusters[out].transport_socket"]),
    case(VERIFY, "every certificate", proxy(clusters=[cluster("models.example.com", **tls(match_typed_subject_alt_names=[{"san_type": "DNS"}]))]),
         says=[f"{AT}.clusters[out].transport_socket"]),
    case(VERIFY, "every name", proxy(clusters=[cluster("models.example.com", **tls(trusted_ca={"filename": "/ca"}))]),
         says=[f"{AT}.clusters[out].transport_socket"]),
    case(VERIFY, "an address that only Envoy finds out", proxy(clusters=[{"name": "out", "type": "ORIGINAL_DST"}]),
         says=[f"{AT}.clusters[out].transport_socket"]),
    case(VERIFY, "a group of other clusters", proxy(clusters=[{"name": "out", "cluster_type": {"name": "aggregate"}}])),
    case(VERIFY, "a tunnel without a checked certificate", proxy(TUNNELS, clusters=[tunnelled(**tls(trusted_ca={"filename": "/ca"}))]),
         says=[f"{AT}.clusters[out].transport_socket"]),
    case(VERIFY, "a tunnel in clear text", proxy(TUNNELS, clusters=[tunnelled()]), says=[f"{AT}.clusters[out].transport_socket"]),
    case(VERIFY, "a tunnel with a checked certificate", proxy(TUNNELS, clusters=[tunnelled(**tls(
         trusted_ca={"filename": "/ca"}, match_typed_subject_alt_names=[{"san_type": "DNS"}]))])),
    case(VERIFY, "a listener of Envoy's own that opens no tunnel", proxy({**TUNNELS, "filter_chains": []}, clusters=[tunnelled()])),
    case(VERIFY, "unknown", UNKNOWN_TASK, says=UNPROVEN),
    case(VERIFY, "not applicable", NO_TASK),
    case(ENTER, "the proxy", BOTH, service(AMONG)),
    case(ENTER, "a task set's proxy", BOTH, service(AMONG, kind="ecs.TaskSet")),
    case(ENTER, "the application", OPENED, service({"containerName": "app", "containerPort": 8080}),
         says=["violated task.containerDefinitions[app].portMappings", "violated x.loadBalancers[0]"]),
    case(ENTER, "a port of the application that is not mapped", BOTH, service({"containerName": "app", "containerPort": 8080}),
         says=["violated x.loadBalancers[0]"]),
    case(ENTER, "another port of the proxy", BOTH, service({"containerName": "proxy", "containerPort": 9901}), says=["violated x.loadBalancers[0]"]),
    case(ENTER, "a container that is not there", BOTH, service({"containerName": "gone", "containerPort": 8443}),
         says=["violated x.loadBalancers[0]"]),
    case(ENTER, "a port mapping past the proxy", OPENED, says=["violated task.containerDefinitions[app].portMappings"]),
    case(ENTER, "a task without a proxy", ALONE, service({"containerName": "api", "containerPort": 8443})),
    case(ENTER, "a classic load balancer without a container", BOTH, service({"elbName": "old"})),
    case(ENTER, "another stack's task", service(AMONG)),
    case(ENTER, "a port that is not known", BOTH, service({"containerName": "proxy", "containerPort": UNKNOWN}, needs={"loadBalancers": NO_TASK}),
         says=["not proven x.loadBalancers[0]"]),
    case(ENTER, "unknown", UNKNOWN_TASK, r("ecs.Service", "s", taskDefinition=UNKNOWN, loadBalancers=[AMONG], needs={"taskDefinition": UNKNOWN_TASK}),
         says=UNPROVEN),
    case(ENTER, "not applicable", NO_TASK),
]  # fmt: skip
