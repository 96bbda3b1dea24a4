"""Machine clients: their own host name, and the tokens that the load balancer accepts there."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Generator
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from local.stack import Resource, Stack
from tests.assembly.topologies import SHAPES, recorded
from tests.local.edge.declared import logins, tokens, values
from tests.local.edge.world import RULE, World, world

Claims = dict[str, Any]


@pytest.fixture(scope="module")
def machines() -> Generator[World]:
    """The edge of a stack that lets machine clients in."""
    shape = next(one for one in SHAPES if one.machine_clients and one.hosted_zone)
    stack = Stack.of(recorded(shape))
    (host,) = {value for one in _rules(stack) for value in values(one, "hostHeader")}
    options = _options(stack)
    login = next(one for rule in stack.all(RULE) for one in logins(rule))
    (people,) = {value for one in stack.all(RULE) for value in values(one, "hostHeader")} - {host}
    sections = {
        "domain": {"hostName": people},
        "identity": {
            **login,
            "machineClients": {"jwksEndpoint": options["jwksEndpoint"]},
            "allowed": {"emailDomains": ["example.com"]},
        },
    }
    with world(stack, sections=sections) as made:
        made.names[host] = made.names[made.host]
        yield made


def _rules(stack: Stack) -> list[Resource]:
    return [one for one in stack.all(RULE) if tokens(one)]


def _options(stack: Stack) -> dict[str, Any]:
    return tokens(_rules(stack)[0])[0]


def _valid(made: World) -> Claims:
    options = _options(made.stack)
    claims: Claims = {"iss": options["issuer"], "exp": int(made.clock()) + 60, "sub": "machine"}
    for one in options["additionalClaims"]:
        array = one["format"] == "string-array"
        claims[one["name"]] = [one["values"][0]] if array else one["values"][0]
    return claims


def _status(made: World, token: str) -> int:
    rule = _rules(made.stack)[0]
    url = f"https://{values(rule, 'hostHeader')[0]}{values(rule, 'pathPattern')[0].replace('*', 'x')}"
    return made.browser().get(url, {"Authorization": f"Bearer {token}"} if token else {}).status


def test_a_valid_token_is_forwarded_as_it_is(machines: World) -> None:
    """The target verifies it again, so it has to get it."""
    token = machines.provider.machine_token(_valid(machines))
    assert _status(machines, token) == 200
    assert machines.target.requests[-1].value("authorization") == f"Bearer {token}"


WRONG: list[Callable[[Claims], Claims]] = [
    lambda claims: {**claims, "iss": "https://another.example.com"},
    lambda claims: {**claims, "aud": ["another"]},
    lambda claims: {**claims, "aud": "models"},
    lambda claims: {**claims, "scope": "models.read"},
    lambda claims: {**claims, "exp": claims["exp"] - 120},
    lambda claims: {**claims, "nbf": claims["exp"]},
    lambda claims: {key: value for key, value in claims.items() if key != "exp"},
]


@pytest.mark.parametrize("change", WRONG)
def test_another_claim_than_the_declared_is_401(machines: World, change: Callable[[Claims], Claims]) -> None:
    """Issuer, audience and its form, a further claim, the times."""
    before = len(machines.target.requests)
    assert _status(machines, machines.provider.machine_token(change(_valid(machines)))) == 401
    assert len(machines.target.requests) == before


def test_a_token_of_another_key_or_none_is_401(machines: World) -> None:
    """Nor does an unsigned one help."""
    assert _status(machines, "") == 401
    assert _status(machines, "nonsense") == 401
    forged = jwt.encode({"alg": "RS256"}, _valid(machines), RSAKey.generate_key(2048, auto_kid=False))
    assert _status(machines, forged) == 401
    assert _status(machines, machines.provider.machine_token(_valid(machines), "PS256")) == 401, "RS256 is required"
    parts = [base64.urlsafe_b64encode(json.dumps(one).encode()).decode() for one in ({"alg": "none"}, _valid(machines))]
    assert _status(machines, ".".join([*parts, ""])) == 401
