"""Actions and conditions of the listeners, generated from the table in ``rules.py``."""

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from components.edge.args import ClaimFormat, MachineClientsArgs, OidcArgs, TokenClaimArgs
from components.edge.rules import EdgeRule, Lane

HSTS = "max-age=63072000; includeSubDomains"
"""Two years. No preload: it applies to the whole domain and is hard to undo."""

AUTHENTICATE, DENY = "authenticate", "deny"

NOT_FOUND: aws.lb.ListenerDefaultActionFixedResponseArgsDict = {
    "content_type": "text/plain",
    "message_body": "Not found\n",
    "status_code": "404",
}
"""The response to blocked and to undeclared paths, so that the two cannot be distinguished."""


def kept_secret(value: str | None) -> pulumi.Output[str]:
    """The client secret as a Pulumi secret, even if it is passed as plain text.

    An empty secret stays empty, and AWS refuses it when the rule is created.
    """
    return pulumi.Output.secret(value) if value else pulumi.Output.from_input("")


def login(oidc: OidcArgs, on_unauthenticated: str) -> aws.lb.ListenerRuleActionArgs:
    """Require a session. Both lanes use the same cookie, so one login is enough."""
    return aws.lb.ListenerRuleActionArgs(
        type="authenticate-oidc",
        order=1,
        authenticate_oidc=aws.lb.ListenerRuleActionAuthenticateOidcArgs(
            issuer=oidc.issuer,
            authorization_endpoint=oidc.authorization_endpoint,
            token_endpoint=oidc.token_endpoint,
            user_info_endpoint=oidc.user_info_endpoint,
            client_id=oidc.client_id,
            client_secret=pulumi.Output.unsecret(oidc.client_secret).apply(kept_secret),
            scope=" ".join(oidc.scopes),
            session_cookie_name=oidc.session_cookie_name,
            session_timeout=oidc.session_timeout_seconds,
            on_unauthenticated_request=on_unauthenticated,
            authentication_request_extra_params=oidc.extra_parameters or None,
        ),
    )


def token(machine: MachineClientsArgs) -> aws.lb.ListenerRuleActionArgs:
    """Require a valid token with the audience and every additional claim."""
    required = [
        TokenClaimArgs(name="aud", values=[machine.audience], format=machine.audience_format),
        *machine.claims,
    ]
    return aws.lb.ListenerRuleActionArgs(
        type="jwt-validation",
        order=1,
        jwt_validation=aws.lb.ListenerRuleActionJwtValidationArgs(
            issuer=machine.issuer,
            jwks_endpoint=machine.jwks_endpoint,
            additional_claims=[
                aws.lb.ListenerRuleActionJwtValidationAdditionalClaimArgs(
                    name=claim.name, format=_format(claim).value, values=claim.values
                )
                for claim in required
            ],
        ),
    )


def _format(claim: TokenClaimArgs) -> ClaimFormat:
    if claim.format is not None:
        return claim.format
    return ClaimFormat.SINGLE_STRING if len(claim.values) == 1 else ClaimFormat.STRING_ARRAY


def actions(
    rule: EdgeRule,
    *,
    target_group_arn: pulumi.Output[str],
    oidc: OidcArgs,
    machine: MachineClientsArgs | None,
) -> Sequence[aws.lb.ListenerRuleActionArgs]:
    """The rule's actions in order: an authentication always precedes a forward."""
    if rule.lane is Lane.BLOCKED:
        return [
            aws.lb.ListenerRuleActionArgs(
                type="fixed-response",
                order=1,
                fixed_response=aws.lb.ListenerRuleActionFixedResponseArgs(**NOT_FOUND),
            )
        ]
    if rule.lane is Lane.MACHINE:
        if machine is None:
            raise ValueError(f"rule {rule.key} is for machine clients, but none are configured")
        first = token(machine)
    else:
        first = login(oidc, AUTHENTICATE if rule.lane is Lane.PAGE else DENY)
    forward = aws.lb.ListenerRuleActionArgs(type="forward", order=2, target_group_arn=target_group_arn)
    return [first, forward]


def conditions(rule: EdgeRule) -> Sequence[aws.lb.ListenerRuleConditionArgs]:
    """Host and path, both required."""
    return [
        aws.lb.ListenerRuleConditionArgs(
            host_header=aws.lb.ListenerRuleConditionHostHeaderArgs(values=list(rule.hosts))
        ),
        aws.lb.ListenerRuleConditionArgs(
            path_pattern=aws.lb.ListenerRuleConditionPathPatternArgs(values=list(rule.paths))
        ),
    ]
