"""Access: the OIDC client at the edge, the users and administrators of the application, and machine clients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Self, cast

from pydantic import Field, StringConstraints, ValidationInfo, field_validator, model_validator
from pydantic.alias_generators import to_camel

from components.common.aws_limits import (
    CHECKED_CLAIMS,
    CLAIM_VALUES,
    FURTHER_CLAIMS,
    SESSION_COOKIE,
    SESSION_SECONDS,
    ClaimFormat,
)
from settings.errors import check, collected
from settings.people import OPEN_MAIL_DOMAINS, Blocked, NamedClaim, People, Users
from settings.provider_rules import check_provider, completed
from settings.providers import Provider
from settings.values import HostName, HttpsUrl, LogoutUrl, SecretName, Section, Whole

CLAIMS_IN_ANY_CASE = CHECKED_CLAIMS | {"aud"}
"""Claims of a machine client's token that are always checked: the audience has a separate setting, and the load
balancer checks the others."""


class TokenClaim(NamedClaim):
    """A claim in a machine client's token, and its encoding."""

    format: ClaimFormat | None = None
    """How the token encodes the claim. Omitted: a single string if one value is listed, an array if several are. ``scope``
    is usually ``space-separated-values``."""


class MachineClients(Section):
    """Programs that call the models with a signed token, under a separate host name. Omitted: no program has access."""

    host_name: HostName
    """The host name for programs; it must differ from ``domain.hostName``."""
    issuer: HttpsUrl
    """The tokens' issuer, compared with the ``iss`` claim."""
    jwks_endpoint: HttpsUrl
    """The URL from which the load balancer fetches the issuer's public keys."""
    audience: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    """The required value of the ``aud`` claim. The ALB checks the audience only if a rule requires it."""
    audience_format: ClaimFormat = ClaimFormat.SINGLE_STRING
    """How the token encodes its audience. Omitted: a single string."""
    claims: tuple[TokenClaim, ...] = Field(default=(), max_length=FURTHER_CLAIMS - 1)
    """Additional claims that a token must have, each with one of its listed values."""

    @model_validator(mode="after")
    def _claims_are_further_ones(self) -> Self:
        with collected():
            for position, claim in enumerate(self.claims):
                key = f"identity.machineClients.claims[{position}]"
                check(
                    claim.name not in CLAIMS_IN_ANY_CASE,
                    key=f"{key}.name",
                    value=claim.name,
                    allowed="a claim other than aud (the audience), exp, iss, nbf and iat, which are always checked",
                    fix="remove the claim",
                )
                check(
                    claim.name not in {earlier.name for earlier in self.claims[:position]},
                    key=f"{key}.name",
                    value=claim.name,
                    allowed="each claim once, with all of its values",
                    fix="merge its values into one list",
                )
                check(
                    len(claim.values) <= CLAIM_VALUES,
                    key=f"{key}.values",
                    value=f"a list of {len(claim.values)}",
                    allowed=f"at most {CLAIM_VALUES} values of one claim",
                    fix="have the issuer set the same value for all permitted clients",
                )
                check(
                    claim.format is not ClaimFormat.SINGLE_STRING or len(claim.values) == 1,
                    key=f"{key}.format",
                    value=ClaimFormat.SINGLE_STRING.value,
                    allowed="a format that supports several values, because several are listed",
                    fix="list one value, or set string-array or space-separated-values, whichever the token uses",
                )
                for value in claim.values:
                    check(
                        claim.format is not ClaimFormat.SPACE_SEPARATED_VALUES or " " not in value,
                        key=f"{key}.values",
                        value=value,
                        allowed="values without spaces, because spaces separate values in the token",
                        fix="write each value as a separate element of the list",
                    )
        return self


class Identity(Section):
    """The OIDC client at the edge, who may use the application, and who administers it."""

    provider: Provider | None = None
    """The kind of identity provider and its parameters (``docs/identity/``). With it, ``issuer``, the endpoints, ``scopes`` and
    the logout page may be omitted, and rules that can never hold there are refused. Omitted: any OpenID provider."""
    issuer: HttpsUrl
    """The identity provider's issuer URL, exactly as in its discovery document. It and the next three follow from
    ``provider``, if that is given."""
    authorization_endpoint: HttpsUrl
    """``authorization_endpoint`` of the discovery document, to which browsers are redirected to log in."""
    token_endpoint: HttpsUrl
    """``token_endpoint`` of the discovery document; called by the load balancer."""
    user_info_endpoint: HttpsUrl
    """``userinfo_endpoint`` of the discovery document; called by the load balancer."""
    end_session_endpoint: LogoutUrl | None = None
    """The identity provider's logout page. Omitted: logging out ends only the sessions at the edge and in the application.
    It may have a query, which some providers require (``docs/proxy.md``). The full URL is visible to anyone who requests
    the logout path: never put a secret into it."""
    client_id: Annotated[
        str,
        StringConstraints(min_length=1, max_length=256, pattern=r"^[\x21-\x7e]+$"),
        Field(description="the OIDC client's id: 1 to 256 printable characters without spaces"),
    ]
    """The client id of the edge at the identity provider."""
    client_secret_name: SecretName
    """The name of the Secrets Manager secret with the client secret (created by ``bootstrap``)."""
    scopes: tuple[
        Annotated[
            str,
            StringConstraints(pattern=r"^[A-Za-z0-9_.:/-]{1,128}$"),
            Field(description="a scope without spaces, for example openid"),
        ],
        ...,
    ] = ("openid", "email", "profile")
    """The scopes requested at login; ``openid`` and ``email`` are required."""
    session_cookie_name: Annotated[
        str,
        StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$"),
        Field(description="1 to 64 letters, digits, hyphens and underscores"),
    ] = SESSION_COOKIE
    """The name of the load balancer's session cookie; a suffix is added for each of its parts."""
    session_timeout_seconds: Whole = Field(default=28_800, ge=300, le=SESSION_SECONDS[1])
    """How long a login at the edge is valid. The application's session never lasts longer (AWS: 1 to 604800)."""
    allowed: Users
    """The users who may use the application. All other authenticated users get a 403 from the proxy."""
    blocked: Blocked = Blocked()
    """People who get a 403 from the proxy although they are in ``allowed``, and whose session at the edge would last for hours.
    Takes effect as the new tasks replace the old ones (``docs/give-access.md``). Omitted: no one. It does not apply to programs."""
    administrators: People
    """The administrators of the application. They must also be in ``allowed``, which the proxy checks first."""
    machine_clients: MachineClients | None = None
    """Programs that call the models with a signed token, under a separate host name. Omitted: no program has access."""

    @model_validator(mode="before")
    @classmethod
    def _completed_by_the_provider(cls, value: object) -> object:
        return completed(cast("Mapping[str, object]", value)) if isinstance(value, Mapping) else value

    @field_validator("allowed", "administrators")
    @classmethod
    def _at_least_one_user(cls, value: People, info: ValidationInfo) -> People:
        name = to_camel(str(info.field_name))
        with collected():
            check(
                not value.is_empty,
                key=f"identity.{name}",
                value="an empty object",
                allowed="at least one of claim (name and values), emailDomains, emails",
                fix=f"add a selector, for example {name}: {{emailDomains: [example.com]}}",
            )
            for domain in value.email_domains:
                check(
                    domain not in OPEN_MAIL_DOMAINS,
                    key=f"identity.{name}.emailDomains",
                    value=domain,
                    allowed="domains in which only your organisation issues addresses",
                    fix=f"list the individual addresses at {domain} under emails, or use a claim",
                )
        return value

    @field_validator("scopes")
    @classmethod
    def _openid(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        check(
            {"openid", "email"} <= set(value),
            key="identity.scopes",
            value=" ".join(value),
            allowed="a list that includes openid and email",
            fix="add the missing scope: the trusted e-mail header comes from the email claim",
        )
        return value

    @model_validator(mode="after")
    def _fits_the_provider(self) -> Self:
        with collected():
            check_provider(self)
        return self

    @model_validator(mode="after")
    def _administrators_get_in(self) -> Self:
        with collected():
            for address in self.administrators.emails:
                check(
                    not self.allowed.certainly_leaves_out(address),
                    key="identity.administrators.emails",
                    value=address,
                    allowed="people who are also in identity.allowed, which is checked first",
                    fix="add the address, or its domain, to identity.allowed",
                )
            for domain in self.administrators.email_domains:
                check(
                    not self.allowed.certainly_leaves_out(f"@{domain}"),
                    key="identity.administrators.emailDomains",
                    value=domain,
                    allowed="people who are also in identity.allowed, which is checked first",
                    fix="add the domain to identity.allowed.emailDomains",
                )
        return self
