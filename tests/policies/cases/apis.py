"""Policies on the routes of APIs."""

from __future__ import annotations

import json
from typing import Any

from policies.guardrails.topology.graph.values import Value
from tests.policies.wire import UNKNOWN, case, r

ROUTES, DOCUMENTS = "apigateway-routes-authenticate", "apigateway-documents-authenticate"
_STATEMENT = {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"}
OPEN = json.dumps({"Statement": [_STATEMENT]})
NETWORK = json.dumps({"Statement": [{**_STATEMENT, "Condition": {"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}}}]})


def of(api: dict[str, Any], kind: str, logical: str, **inputs: Value) -> dict[str, Any]:
    """A resource of an API, which it refers to as a first preview does."""
    path = {"apigateway.RestApiPolicy": "restApiId", "apigatewayv2.Route": "apiId"}.get(kind, "restApi")
    return r(kind, logical, **{path: UNKNOWN, "needs": {path: api}, **inputs})


def method(api: dict[str, Any], authorization: str = "NONE") -> dict[str, Any]:
    return of(api, "apigateway.Method", "get", httpMethod="GET", authorization=authorization)


def body(**operation: Value) -> str:
    """An OpenAPI document with one route."""
    integration = {"x-amazon-apigateway-integration": {"type": "aws_proxy", "uri": "arn:x"}}
    schemes = {"own": {"type": "oauth2", "x-amazon-apigateway-authorizer": {"type": "jwt"}}}
    return json.dumps({"paths": {"/a": {"get": {**integration, **operation}}}, "securityDefinitions": schemes})


def rest(**inputs: Value) -> dict[str, Any]:
    return r("apigateway.RestApi", "api", **inputs)


PRIVATE = rest(endpointConfiguration={"types": "PRIVATE"})
SOCKET = r("apigatewayv2.Api", "socket", protocolType="WEBSOCKET")
WEB = r("apigatewayv2.Api", "web", protocolType="HTTP")

CASES = [
    case(ROUTES, "an open method", method(rest()), rest(), says=["violated get.authorization"]),
    case(ROUTES, "a signed method", method(rest(), "AWS_IAM"), rest()),
    case(ROUTES, "a signed method of an API for every account", method(rest(policy=OPEN), "AWS_IAM"), rest(policy=OPEN),
         says=["violated get.authorization"]),
    case(ROUTES, "a method for one network", method(rest(policy=NETWORK)), rest(policy=NETWORK)),
    case(ROUTES, "a method for one network by a separate policy", method(rest()), rest(),
         of(rest(), "apigateway.RestApiPolicy", "limit", policy=NETWORK)),
    case(ROUTES, "a method with a policy for everyone", method(rest(policy=OPEN)), rest(policy=OPEN),
         says=["violated get.authorization"]),
    case(ROUTES, "a method of a private API", method(PRIVATE), PRIVATE),
    case(ROUTES, "a method whose API may be private", method(rest()), WEB,
         rest(endpointConfiguration={"types": UNKNOWN}, needs={"endpointConfiguration": WEB}), says=["not proven get.authorization"]),
    case(ROUTES, "a preflight request", of(rest(), "apigateway.Method", "ask", httpMethod="OPTIONS", authorization="NONE"), rest()),
    case(ROUTES, "an open route", r("apigatewayv2.Route", routeKey="GET /"), says=["violated x.authorizationType"]),
    case(ROUTES, "a route with tokens", of(WEB, "apigatewayv2.Route", "x", routeKey="GET /", authorizationType="JWT"), WEB),
    case(ROUTES, "a route of preflight requests", of(WEB, "apigatewayv2.Route", "x", routeKey="OPTIONS /"), WEB),
    case(ROUTES, "a connection that opens with a login", SOCKET,
         of(SOCKET, "apigatewayv2.Route", "open", routeKey="$connect", authorizationType="CUSTOM"),
         of(SOCKET, "apigatewayv2.Route", "send", routeKey="send")),
    case(ROUTES, "a connection that opens without a login", SOCKET,
         of(SOCKET, "apigatewayv2.Route", "open", routeKey="$connect", authorizationType="NONE"),
         of(SOCKET, "apigatewayv2.Route", "send", routeKey="send"), says=["violated open.authorizationType"]),
    case(ROUTES, "a connection that nothing opens", SOCKET, of(SOCKET, "apigatewayv2.Route", "send", routeKey="send"),
         says=["violated send.authorizationType"]),
    case(ROUTES, "unknown", r("apigatewayv2.Route", routeKey="GET /", authorizationType=UNKNOWN, needs={"authorizationType": WEB}), says=["not proven x.authorizationType"]),
    case(ROUTES, "not applicable", WEB),
    case(DOCUMENTS, "an open operation", rest(body=body()), says=["violated api.body[get"]),
    case(DOCUMENTS, "an operation with a login", rest(body=body(security=[{"own": []}]))),
    case(DOCUMENTS, "a signed operation", rest(body=body(**{"x-amazon-apigateway-auth": {"type": "AWS_IAM"}}))),
    case(DOCUMENTS, "a signed operation of an API for every account",
         rest(body=body(**{"x-amazon-apigateway-auth": {"type": "AWS_IAM"}}), policy=OPEN), says=["violated api.body[get"]),
    case(DOCUMENTS, "an operation for one network", rest(body=body(), policy=NETWORK)),
    case(DOCUMENTS, "an operation of a private API", rest(body=body(), endpointConfiguration={"types": "PRIVATE"})),
    case(DOCUMENTS, "a document in a separate resource", r("apigateway.RestApiPut", "put", body=body()), says=["violated put.body[get"]),
    case(DOCUMENTS, "an HTTP API's document", r("apigatewayv2.Api", "web", protocolType="HTTP", body=body()),
         says=["violated web.body[get"]),
    case(DOCUMENTS, "an implied route", r("apigatewayv2.Api", "web", protocolType="HTTP", target="arn:x"), says=["violated web.target"]),
    case(DOCUMENTS, "no document", rest(), WEB),
    case(DOCUMENTS, "unknown", rest(body=UNKNOWN), says=["not proven api.body"]),
    case(DOCUMENTS, "not applicable", r("apigatewayv2.Route", routeKey="GET /")),
]  # fmt: skip
