"""Who may log in, and rates that a client evades."""

from __future__ import annotations

from policies.guardrails.topology.graph.values import Value
from tests.policies.corpus.planting import Kind, planted, rows, safe, safe_rows
from tests.topology.builders import Ref, Stack

KNOWN, LIMITS, INVITED = "elb-logins-admit-known-users", "waf-limits-requests", "cognito-sign-up-is-by-invitation"
GOOGLE, TENANT = (
    "https://accounts.google.com",
    "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0",
)


def login(issuer: str) -> dict[str, Value]:
    """A rule that asks for a login before it forwards."""
    oidc = {
        "issuer": issuer,
        "clientId": "c",
        "onUnauthenticatedRequest": "authenticate",
        "authorizationEndpoint": f"{issuer}/a",
    }
    return {"priority": 1, "actions": [{"type": "authenticate-oidc", "order": 1, "authenticateOidc": oidc}]}


rows(
    Kind.LOGIN,
    KNOWN,
    ("everyone with an account of a mail provider", "lb.ListenerRule", login(GOOGLE)),
    ("everyone of the common tenant", "lb.ListenerRule", login("https://login.microsoftonline.com/common/v2.0")),
    ("everyone of any organization's tenant", "lb.ListenerRule", login("https://login.microsoftonline.com/organizations/v2.0")),
    ("credentials for everyone of a social provider", "cognito.IdentityPool",
     {"identityPoolName": "p", "supportedLoginProviders": {"accounts.google.com": "c"}}),
    ("users of a cluster from everywhere", "eks.IdentityProviderConfig",
     {"clusterName": "c", "oidc": {"issuerUrl": GOOGLE, "clientId": "c", "identityProviderConfigName": "g"}}),
    ("tokens of everyone for an API", "apigatewayv2.Authorizer",
     {"authorizerType": "JWT", "jwtConfiguration": {"issuer": GOOGLE, "audiences": ["c"]}}),
    ("tokens of everyone at a load balancer", "lb.ListenerRule",
     {"priority": 1, "actions": [{"type": "jwt-validation", "jwtValidation": {"issuer": GOOGLE, "jwksEndpoint": f"{GOOGLE}/k"}}]}),
)  # fmt: skip


def pool(stack: Stack, **more: Value) -> None:
    """A user pool with a social provider."""
    stack.add("cognito.UserPool", "pool", adminCreateUserConfig={"allowAdminCreateUserOnly": True}, **more)
    stack.add("cognito.IdentityProvider", "google", userPoolId=Ref("pool"), providerType="Google", providerName="Google",
              providerDetails={"client_id": "c"})  # fmt: skip


@planted(Kind.LOGIN, KNOWN)
def a_pool_that_takes_everyone_of_a_social_provider(stack: Stack) -> None:
    pool(stack)


@safe(Kind.LOGIN)
def a_pool_with_a_trigger_before_the_sign_up(stack: Stack) -> None:
    pool(stack, lambdaConfig={"preSignUp": "arn:aws:lambda:eu-west-1:111122223333:function:invited"})


def acl(rate: dict[str, Value]) -> dict[str, Value]:
    """A web ACL with one limit on the rate."""
    rule: Value = {
        "name": "rate",
        "priority": 1,
        "action": {"block": {}},
        "statement": {"rateBasedStatement": {"limit": 300, **rate}},
    }
    return {"scope": "REGIONAL", "defaultAction": {"allow": {}}, "rules": [rule]}


def keys(*names: str) -> dict[str, Value]:
    """A rate by keys."""
    return {
        "aggregateKeyType": "CUSTOM_KEYS",
        "customKeys": [{name: {"name": "x", "textTransformations": []}} for name in names],
    }


rows(
    Kind.LOGIN,
    LIMITS,
    ("a rate by a header that the client writes", "wafv2.WebAcl", acl(keys("header"))),
    ("a rate by a cookie", "wafv2.WebAcl", acl(keys("cookie"))),
    ("a rate by an argument and the address", "wafv2.WebAcl", acl(keys("queryArgument", "ip"))),
    ("a rate by the address that the client says", "wafv2.WebAcl",
     acl({"aggregateKeyType": "FORWARDED_IP", "forwardedIpConfig": {"headerName": "X-Forwarded-For", "fallbackBehavior": "MATCH"}})),
)  # fmt: skip
safe_rows(Kind.LOGIN, ("the team's own tenant", "lb.ListenerRule", login(TENANT)))
