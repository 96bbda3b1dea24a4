"""Who gets in: the OIDC client at the edge, who may enter, who administers, and programs with a token."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, ValidationInfo, field_validator, model_validator
from pydantic.alias_generators import to_camel

from settings.errors import check, collected
from settings.values import Email, HostName, HttpsUrl, LogoutUrl, SecretName, Section, Whole

OPEN_MAIL_DOMAINS = frozenset(
    {
        "aol.com",
        "gmail.com",
        "gmx.com",
        "gmx.de",
        "gmx.net",
        "googlemail.com",
        "hotmail.com",
        "icloud.com",
        "live.com",
        "mail.com",
        "msn.com",
        "outlook.com",
        "proton.me",
        "protonmail.com",
        "web.de",
        "yahoo.com",
        "yandex.com",
        "zoho.com",
    }
)
"""Where anybody can register an address: allowing such a domain allows the internet."""

CLAIMS_IN_ANY_CASE = frozenset({"aud", "exp", "iss", "nbf", "iat"})
"""Of a machine client's token: the audience has a setting of its own, the load balancer checks the others."""
MOST_CLAIM_VALUES = 10
"""Of one claim that an ALB compares (ALB: JWT verification)."""


class Claim(Section):
    """A claim of the identity provider's user-info answer and the values that count."""

    name: Annotated[
        str,
        StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_:./-]{0,127}$"),
        Field(description="the name of a claim, for example groups"),
    ]
    values: tuple[Annotated[str, StringConstraints(min_length=1, max_length=256)], ...] = Field(min_length=1)


class People(Section):
    """Who is meant: members by claim, by e-mail domain or by address. At least one must be given."""

    claim: Claim | None = None
    """Everyone whose claim holds one of the values (a string claim, or a list that contains it)."""
    email_domains: tuple[HostName, ...] = ()
    """Everyone with an address in one of these domains. Subdomains are not included."""
    emails: tuple[Email, ...] = ()
    """These addresses. Case is ignored."""

    @property
    def nobody(self) -> bool:
        """Whether nothing is said about who is meant."""
        return self.claim is None and not self.email_domains and not self.emails

    def certainly_leaves_out(self, email: str) -> bool:
        """Whether an address is outside by what is written here; a claim may always let it in."""
        domain = email.rpartition("@")[2].lower()
        return (
            self.claim is None
            and domain not in self.email_domains
            and email.lower() not in {e.lower() for e in self.emails}
        )


class ClaimFormat(StrEnum):
    """How a machine client's token writes a claim."""

    SINGLE_STRING = "single-string"
    STRING_ARRAY = "string-array"
    SPACE_SEPARATED_VALUES = "space-separated-values"


class TokenClaim(Claim):
    """A claim of a machine client's token, and how the token writes it."""

    format: ClaimFormat | None = None
    """Omitted: one string where one value is named, a list where several are. ``scope`` is usually
    ``space-separated-values``."""


class MachineClients(Section):
    """Programs that call the model path with a signed token, under a host name of their own."""

    host_name: HostName
    issuer: HttpsUrl
    jwks_endpoint: HttpsUrl
    audience: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    """Checked as the ``aud`` claim: the ALB itself has no audience check."""
    audience_format: ClaimFormat = ClaimFormat.SINGLE_STRING
    """How the token writes its audience. Omitted: one string."""
    claims: tuple[TokenClaim, ...] = Field(default=(), max_length=9)
    """Further claims that a token must hold, each with one of its values."""

    @model_validator(mode="after")
    def _claims_are_further_ones(self) -> Self:
        with collected():
            for position, claim in enumerate(self.claims):
                key = f"identity.machineClients.claims[{position}]"
                check(
                    claim.name not in CLAIMS_IN_ANY_CASE,
                    key=f"{key}.name",
                    value=claim.name,
                    allowed="a claim besides aud (the audience) and exp, iss, nbf and iat, which are checked in any case",
                    fix="remove the claim",
                )
                check(
                    claim.name not in {earlier.name for earlier in self.claims[:position]},
                    key=f"{key}.name",
                    value=claim.name,
                    allowed="each claim once, with all its values",
                    fix="write its values in one list",
                )
                check(
                    len(claim.values) <= MOST_CLAIM_VALUES,
                    key=f"{key}.values",
                    value=f"a list of {len(claim.values)}",
                    allowed=f"at most {MOST_CLAIM_VALUES} values of one claim",
                    fix="have the issuer give one value to all who may call",
                )
                check(
                    claim.format is not ClaimFormat.SINGLE_STRING or len(claim.values) == 1,
                    key=f"{key}.format",
                    value=ClaimFormat.SINGLE_STRING.value,
                    allowed="a format that holds several values, since several are named",
                    fix="name one value, or write string-array or space-separated-values as the token does",
                )
                for value in claim.values:
                    check(
                        claim.format is not ClaimFormat.SPACE_SEPARATED_VALUES or " " not in value,
                        key=f"{key}.values",
                        value=value,
                        allowed="values without spaces, which separate them in the token",
                        fix="write each value as one element of the list",
                    )
        return self


class Identity(Section):
    """The OIDC client at the edge, who may enter, and who administers."""

    issuer: HttpsUrl
    authorization_endpoint: HttpsUrl
    token_endpoint: HttpsUrl
    user_info_endpoint: HttpsUrl
    end_session_endpoint: LogoutUrl | None = None
    """The identity provider's logout page; without it logout ends the edge's and the application's session only. It may
    have a query, which some providers need (``docs/proxy.md``). Everybody who logs out sees all of it, and so does
    everybody who asks for the logout path: never write a secret into it."""
    client_id: Annotated[
        str,
        StringConstraints(min_length=1, max_length=256, pattern=r"^[\x21-\x7e]+$"),
        Field(description="the OIDC client's id: 1 to 256 printable characters without spaces"),
    ]
    client_secret_name: SecretName
    """The Secrets Manager secret that holds the client secret (made by ``bootstrap``)."""
    scopes: tuple[
        Annotated[
            str,
            StringConstraints(pattern=r"^[A-Za-z0-9_.:/-]{1,128}$"),
            Field(description="a scope without spaces, for example openid"),
        ],
        ...,
    ] = ("openid", "email", "profile")
    session_cookie_name: Annotated[
        str,
        StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$"),
        Field(description="1 to 64 letters, digits, hyphens and underscores"),
    ] = "AWSELBAuthSessionCookie"
    session_timeout_seconds: Whole = Field(default=28_800, ge=300, le=604_800)
    """How long a login lasts at the edge; the application's own session is never longer. AWS: 1 to 604800."""
    allowed: People
    """Who may enter. Authentication is not authorization: without this, everyone the provider knows would."""
    administrators: People
    """Who administers the application; they must be allowed in too (the proxy checks ``allowed`` first)."""
    machine_clients: MachineClients | None = None
    """Omitted: no machine client gets in."""

    @field_validator("allowed", "administrators")
    @classmethod
    def _somebody(cls, value: People, info: ValidationInfo) -> People:
        name = to_camel(str(info.field_name))
        with collected():
            check(
                not value.nobody,
                key=f"identity.{name}",
                value="nobody",
                allowed="at least one of claim (name and values), emailDomains, emails",
                fix=f"say who is meant, for example {name}: {{emailDomains: [example.com]}}",
            )
            for domain in value.email_domains:
                check(
                    domain not in OPEN_MAIL_DOMAINS,
                    key=f"identity.{name}.emailDomains",
                    value=domain,
                    allowed="domains whose addresses only your organisation gives out",
                    fix=f"name the people of {domain} one by one under emails, or use a claim",
                )
        return value

    @field_validator("scopes")
    @classmethod
    def _openid(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        check(
            {"openid", "email"} <= set(value),
            key="identity.scopes",
            value=" ".join(value),
            allowed="a list that has openid and email",
            fix="add the missing scope: the trusted e-mail header comes from the email claim",
        )
        return value

    @model_validator(mode="after")
    def _administrators_get_in(self) -> Self:
        with collected():
            for address in self.administrators.emails:
                check(
                    not self.allowed.certainly_leaves_out(address),
                    key="identity.administrators.emails",
                    value=address,
                    allowed="people who are allowed in: identity.allowed is checked first",
                    fix="add the address, or its domain, to identity.allowed",
                )
            for domain in self.administrators.email_domains:
                check(
                    not self.allowed.certainly_leaves_out(f"@{domain}"),
                    key="identity.administrators.emailDomains",
                    value=domain,
                    allowed="people who are allowed in: identity.allowed is checked first",
                    fix="add the domain to identity.allowed.emailDomains",
                )
        return self
