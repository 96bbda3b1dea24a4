"""A login uses an issuer that knows the team's users, or a proxy behind it refuses the others.

Everyone can have an account at a public provider such as accounts.google.com or the common tenant of Entra ID, so a login
there proves only that someone has one.

A proxy of this stack that refuses unauthorized requests counts as the restriction. The policy cannot see checks inside an
application, or who may have an account at an issuer that it does not list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...access_filters import access_filters
from ...checks import containers
from ...proxies import proxy_of
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.documents import document_at
from ...topology.graph.resources import Graph, Resource, Unknown
from ...topology.graph.values import as_mapping
from ...topology.graph.verdicts import Finding, not_proven, violated
from ...topology.iam.callers import is_hosted

_PUBLIC = re.compile(
    r"https?://(accounts\.google\.com|login\.live\.com|appleid\.apple\.com|(www|limited|graph)\.facebook\.com"
    r"|api\.login\.yahoo\.com|www\.amazon\.com|(www\.)?linkedin\.com|gitlab\.com|github\.com|slack\.com|id\.twitch\.tv"
    r"|discord\.com|login\.salesforce\.com|token\.actions\.githubusercontent\.com"
    r"|(login\.microsoftonline\.com|sts\.windows\.net)/(common|organizations|consumers|9188040d-6c67-4c5b-b112-36a304b66dad))"
    r"([/:?].*)?",
    re.IGNORECASE,
)
"""Issuers of which everyone can have an account, and of Entra ID the tenants that stand for all of them."""
_LOGINS = "supportedLoginProviders"
_SOCIAL = ("Facebook", "Google", "LoginWithAmazon", "SignInWithApple")
_OF_SOME = ("email", "groups", "hd", "oid", "roles", "sub", "tid")
_WANTED = "an issuer of the team's own users, or a proxy behind it that refuses others"
_FIX = "use the team's own tenant, or restrict who may use the application in the proxy behind the login"
_ISSUERS = {
    "apigatewayv2.Authorizer": ("jwtConfiguration.issuer",),
    "appsync.GraphQLApi": ("openidConnectConfig.issuer",),
    "eks.IdentityProviderConfig": ("oidc.issuerUrl",),
    "bedrock.AgentcoreGateway": ("authorizerConfiguration.customJwtAuthorizer.discoveryUrl",),
}
_ACTIONS = {"lb.Listener": "defaultActions", "lb.ListenerRule": "actions"}
_OF_ACTION = (
    "authenticateOidc.issuer",
    "authenticateOidc.authorizationEndpoint",
    "jwtValidation.issuer",
)


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each login of a load balancer, an API or a user pool."""
    tasks = graph.of_type("ecs.TaskDefinition")
    unknown = [
        f"{task.label}.containerDefinitions"
        for task in tasks
        if document_at(task, "containerDefinitions").unknown is not None
    ]
    restricted = any(map(_refuses, tasks))
    for resource in graph.of_type(*_ACTIONS):
        if not restricted:
            yield from _first(resource, list(_in_actions(resource)), unknown)
    for resource in graph.of_type(*_ISSUERS):
        yield from _first(resource, list(_ISSUERS[resource.kind]), [])
    for pool in graph.of_type("cognito.IdentityPool"):
        hosts = [host for host in as_mapping(pool.value(_LOGINS)) or {} if is_hosted(host)]
        if hosts:
            fix = "let users of the team's own user pool or provider in"
            what = "issues AWS credentials to everyone with an account there"
            yield violated(pool, _LOGINS, ", ".join(sorted(hosts)), _WANTED, fix, what=what)
    for provider in graph.of_type("cognito.IdentityProvider"):
        yield from _of_pool(graph, provider)


def _refuses(task: Resource) -> bool:
    """Whether a proxy in a task refuses requests of clients or users that it does not know."""
    found, _ = containers(task, _WANTED, _FIX)
    proxies = [proxy for container in found if (proxy := proxy_of(container)) is not None]
    managers = [
        m for proxy in proxies for listener in proxy.inbound() for chain in listener.chains for m in chain.managers
    ]
    return bool(managers) and all(access_filters(manager) for manager in managers)


def _in_actions(resource: Resource) -> Iterator[str]:
    path = _ACTIONS[resource.kind]
    actions = resource.items(path)
    for index in range(0 if isinstance(actions, Unknown) else len(actions)):
        yield from (f"{path}[{index}].{name}" for name in _OF_ACTION)


def _first(resource: Resource, paths: list[str], unknown: list[str]) -> Iterator[Finding]:
    """One finding for each resource, since its endpoints are those of one provider; not proven while the proxies behind it
    are not known."""
    for path in paths:
        issuer = resource.value(path)
        if isinstance(issuer, str) and _PUBLIC.fullmatch(issuer) and not _by_claims(resource, path):
            if unknown:
                yield not_proven(resource, path, unknown, _WANTED, _FIX, found=issuer)
                return
            yield violated(resource, path, issuer, _WANTED, _FIX, what="admits everyone with an account there")
            return


def _by_claims(resource: Resource, path: str) -> bool:
    """Whether a token has to have a claim that only some users' tokens have."""
    claims = (
        resource.items(f"{path.rpartition('.')[0]}.additionalClaims") if path.endswith("jwtValidation.issuer") else []
    )
    named = [] if isinstance(claims, Unknown) else [(as_mapping(item) or {}).get("name") for item in claims]
    return any(name in _OF_SOME for name in named)


def _of_pool(graph: Graph, provider: Resource) -> Iterator[Finding]:
    """A provider of a user pool: each of its users gets a user of the pool, unless a trigger refuses the sign-up."""
    type_, issuer = provider.value("providerType"), provider.value("providerDetails.oidc_issuer")
    public = type_ in _SOCIAL or (isinstance(issuer, str) and _PUBLIC.fullmatch(issuer) is not None)
    pools = graph.referenced(provider, "userPoolId", ("cognito.UserPool",), ("id", "arn")).resources
    if public and not any(pool.value("lambdaConfig.preSignUp") not in (None, "") for pool in pools):
        found = issuer if isinstance(issuer, str) else type_
        fix = "add a pre-sign-up trigger that rejects users who are not invited, or use the team's own provider"
        yield violated(provider, "providerType", found, _WANTED, fix, what="admits everyone with an account there")


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.HIGH,
    remediation=_FIX,
    types=tuple(sorted({*_ACTIONS, *_ISSUERS, "cognito.IdentityPool", "cognito.IdentityProvider"})),
)
