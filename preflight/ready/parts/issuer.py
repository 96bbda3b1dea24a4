"""The identity provider: its discovery document matches the settings, and the load balancer can reach it.

The load balancer calls the token and user-info endpoints over IPv4 and resolves them with public DNS (Elastic Load Balancing,
"Authenticate users", prerequisites): https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-authenticate-users.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, cast
from urllib.parse import urlsplit

from preflight.account.lines import Group, Line, joined
from preflight.ready.context import Part, ReadyContext
from preflight.ready.outside import OK

WELL_KNOWN = "/.well-known/openid-configuration"
"""OpenID Connect Discovery 1.0, section 4."""


def people(context: ReadyContext, group: Group) -> Iterator[Line]:
    """The edge's login settings match the issuer's discovery document."""
    identity = context.wanted.settings.identity
    document = _document(context, group, identity.issuer)
    if isinstance(document, Line):
        yield document
        return
    file = f"Pulumi.{context.wanted.stack}.yaml"
    for key, field, value in (
        ("issuer", "issuer", identity.issuer),
        ("authorizationEndpoint", "authorization_endpoint", identity.authorization_endpoint),
        ("tokenEndpoint", "token_endpoint", identity.token_endpoint),
        ("userInfoEndpoint", "userinfo_endpoint", identity.user_info_endpoint),
    ):
        line = _same(group, f"identity.{key}", value, document.get(field), file)
        # With a provider, the endpoints follow from its parameters and cannot be written.
        yield replace(line, fix=f"correct identity.provider in {file}") if line.fix and identity.provider else line
    if identity.end_session_endpoint is not None:
        yield _logout(group, identity.end_session_endpoint, document.get("end_session_endpoint"), file)
    yield _supports(group, "identity.scopes", identity.scopes, document.get("scopes_supported"), "scopes")
    yield _supports(group, "code flow", ["code"], document.get("response_types_supported"), "response types")
    provider = identity.provider
    if provider is not None and identity.allowed.everyone_the_provider_assigns:
        yield group.cannot_tell(
            "identity.allowed.everyoneTheProviderAssigns",
            f"everyone who can log in at {provider.title} gets access; whether it requires assignment cannot be read from here",
            f"check at {provider.title}: {provider.assignment}; then log in with an account that is not assigned, which has to fail",
        )
    claims = sorted(
        {who.claim.name for who in (identity.allowed, identity.administrators, identity.blocked) if who.claim}
    )
    if claims:
        yield _supports(group, "claims", claims, document.get("claims_supported"), "claims")


def machines(context: ReadyContext, group: Group) -> Iterator[Line]:
    """The URL of the keys that verify machine clients' tokens is the one that the issuer publishes."""
    clients = context.wanted.settings.identity.machine_clients
    if clients is None:
        return
    document = _document(context, group, clients.issuer)
    if isinstance(document, Line):
        yield document
        return
    file = f"Pulumi.{context.wanted.stack}.yaml"
    yield _same(group, "identity.machineClients.issuer", clients.issuer, document.get("issuer"), file)
    yield _same(group, "identity.machineClients.jwksEndpoint", clients.jwks_endpoint, document.get("jwks_uri"), file)


def reachable(context: ReadyContext, group: Group) -> Iterator[Line]:
    """Every endpoint that the load balancer calls has public IPv4 addresses."""
    identity = context.wanted.settings.identity
    called = {"tokenEndpoint": identity.token_endpoint, "userInfoEndpoint": identity.user_info_endpoint}
    if identity.machine_clients is not None:
        called["machineClients.jwksEndpoint"] = identity.machine_clients.jwks_endpoint
    hosts: dict[str, list[str]] = {}
    for key, url in called.items():
        hosts.setdefault(str(urlsplit(url).hostname), []).append(f"identity.{key}")
    for host, keys in sorted(hosts.items()):
        addresses, private = context.dns.private(host)
        yield group.holds(
            f"addresses of {host}",
            bool(addresses) and not private,
            f"{joined(keys)}: IPv4 {joined(addresses)}"
            + (f", of which {joined(private)} is not public" if private else ""),
            "publish the endpoint under a name that public DNS resolves to public IPv4 addresses: the load balancer "
            "calls it over the internet, and otherwise logins fail with HTTP 500",
        )


def _document(context: ReadyContext, group: Group, issuer: str) -> Mapping[str, Any] | Line:
    """The issuer's discovery document, or the line that explains why it is missing."""
    url = issuer.removesuffix("/") + WELL_KNOWN
    status, body = context.https.get(url)
    fix = f"correct the issuer in Pulumi.{context.wanted.stack}.yaml: it is the URL to which {WELL_KNOWN} is appended"
    if status != OK:
        return group.missing("discovery document", f"{url} returns HTTP {status}", fix)
    try:
        content = json.loads(body)
    except ValueError:
        return group.missing("discovery document", f"{url} is not JSON", fix)
    if not isinstance(content, dict):
        return group.missing("discovery document", f"{url} is not a JSON object", fix)
    return cast("Mapping[str, Any]", content)


def _same(group: Group, key: str, value: str, published: object, file: str) -> Line:
    shown = str(published)[:200] if published else "nothing"
    return group.holds(
        key,
        published == value,
        f"{value} matches the issuer's document" if published == value else f"{value}; the issuer publishes {shown}",
        f"write {key}: {shown} in {file}, or configure the issuer to publish it",
    )


def _logout(group: Group, value: str, published: object, file: str) -> Line:
    subject = "identity.endSessionEndpoint"
    if not published:
        return group.cannot_tell(
            subject,
            "the issuer publishes no end_session_endpoint",
            "compare it with the logout URL in the provider's documentation",
        )
    return _same(group, subject, value.partition("?")[0], str(published).partition("?")[0], file)


def _supports(group: Group, subject: str, wanted: tuple[str, ...] | list[str], published: object, kind: str) -> Line:
    if not isinstance(published, list):
        return group.cannot_tell(
            subject,
            f"the issuer does not publish its {kind}",
            f"check in the provider's configuration that it supports {joined(wanted)}",
        )
    offered = [str(item) for item in cast("list[object]", published)]
    lost = [item for item in wanted if item not in offered]
    fix = f"configure the provider to offer {joined(lost)} to the client, or use the supported values: {joined(sorted(offered))[:300]}"
    if lost and kind == "claims":  # optional, and may be incomplete: OpenID Connect Discovery 1.0, section 3
        return group.cannot_tell(
            subject, f"{joined(lost)} is not among the published claims, a list that may be incomplete", fix
        )
    return group.holds(
        subject, not lost, f"{joined(wanted)} offered" if not lost else f"{joined(lost)} is not among the {kind}", fix
    )


PART = Part("identity provider", (("people", people), ("machine clients", machines), ("addresses", reachable)))
