"""Identity: removes headers that clients must not set, converts the load balancer's claims to trusted headers, and
allows only permitted users.

Three steps, in this order: the connection manager removes every client-sent copy of a trusted header before any other
filter reads the request; a Lua filter reads the claims and returns 401 or 403 or sets the trusted headers; an RBAC
filter refuses requests without the trusted e-mail header, so that a failing script cannot allow a request.
"""

import html
import json
from functools import cache
from pathlib import Path
from typing import Any

from components.proxy.common import REQUEST_ID_LENGTH, early_mutation, framing_mutation, overwrite_header
from components.proxy.lua import compact, with_short_names
from components.proxy.settings import ProxyPeople, ProxySettings

_FILES = Path(__file__).with_name("files")
_EXPIRY_LEEWAY_SECONDS = 60
REASON = "{reason}"
"""Where the page for people without access has the kind of refusal."""
REFUSED = "%DYNAMIC_METADATA(identity:refused)%"
"""The kind of refusal in the access log: ``blocked``, ``no-claim``, ``other-value``, ``unverified``, ``groups-overage``
or ``no-email``.
``null`` for any other request."""
_LUA_FILTER = "envoy.filters.http.lua"
_RBAC_FILTER = "envoy.filters.http.rbac"

EDGE_HEADERS = ("x-amzn-oidc-accesstoken", "x-amzn-oidc-data", "x-amzn-oidc-identity")
"""Headers that the load balancer adds after a login. They are not forwarded to the application."""

_NEVER_FROM_A_CLIENT = ("forwarded", "remote-user")
_FAMILIES_NEVER_FROM_A_CLIENT = (
    "x-((envoy|original|real|remote|request|rewrite)-|(http-)?method|"
    "forwarded-([^fp]|f[^o]|for.|p[^or]|port.|pr[^o]|proto.)).*"
)
"""Only the load balancer's ``x-forwarded-`` headers are kept: ``for``, ``port`` and ``proto``, and names that
begin almost like them.

A single expression, because each is evaluated for every header of every request, and each name costs a search: fifteen
names and an expression added 1.4 percent to a minimal request. Envoy refuses an expression of more than 100 RE2
instructions.
"""


def strip_client_headers(settings: ProxySettings) -> dict[str, Any]:
    """Return the early mutation that removes every client-sent copy of a trusted header and sets the request id.

    Some servers treat ``.`` and ``_`` in header names as ``-``. Headers with a dot in the name are therefore removed,
    and the connection manager rejects names with an underscore.
    """
    names = sorted({*(name.lower() for name in settings.identity.trusted_headers), *_NEVER_FROM_A_CLIENT})
    patterns = [{"contains": "."}, {"safe_regex": {"regex": _FAMILIES_NEVER_FROM_A_CLIENT}}]
    return early_mutation(
        [
            *({"remove_on_match": {"key_matcher": pattern}} for pattern in patterns),
            *({"remove": name} for name in names),
            {"append": overwrite_header("x-request-id", f"%REQ(X-AMZN-TRACE-ID):{REQUEST_ID_LENGTH}%", formatted=True)},
            framing_mutation(),
        ]
    )


def identity_filters(settings: ProxySettings) -> list[dict[str, Any]]:
    """Return the filters that set the trusted headers for allowed users and refuse all others."""
    return [
        {
            "name": _LUA_FILTER,
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
                "default_source_code": {"inline_string": identity_script(settings)},
                # No route depends on the trusted headers, so the selected route does not change.
                "clear_route_cache": False,
            },
        },
        {
            "name": _RBAC_FILTER,
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
                # A deny rule needs a fifth fewer instructions than an allow rule.
                "rules": {
                    "action": "DENY",
                    "policies": {
                        "stranger": {
                            "permissions": [{"any": True}],
                            "principals": [
                                {"header": {"name": settings.identity.email_header, "present_match": False}}
                            ],
                        }
                    },
                },
            },
        },
    ]


def without_identity() -> dict[str, Any]:
    """Return the per-route setting for routes without identity: health, logout, machine clients."""
    return {
        _LUA_FILTER: {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.LuaPerRoute",
            "disabled": True,
        },
        _RBAC_FILTER: {"@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBACPerRoute"},
    }


def identity_script(settings: ProxySettings) -> str:
    """Return the Lua filter's code: decoder, settings as one line of JSON, script."""
    identity = settings.identity
    table: dict[str, Any] = {
        "signer": identity.signer_arn,
        "client": identity.client_id,
        "issuer": identity.issuer,
        "leeway_seconds": _EXPIRY_LEEWAY_SECONDS,
        "allowed": _people(identity.allowed),
        "administrators": _people(identity.administrators),
        "email_header": identity.email_header.lower(),
        "name_header": identity.name_header.lower(),
        "role_header": identity.role_header.lower(),
        "administrator_role": identity.administrator_role,
        "member_role": identity.member_role,
        "pages": {"401": _page_401(), "403": _page_403(settings)},
    }
    if identity.blocked_users or not identity.blocked.empty:
        users = dict.fromkeys(sorted(identity.blocked_users), True)
        table["blocked"] = {**_people(identity.blocked), "users": users}
    if identity.email_verified_required:
        table["verified"] = True
    if identity.required_claim_name:
        values = dict.fromkeys(sorted(identity.required_claim_values), True)
        table["required"] = {"claim": identity.required_claim_name, "values": values}
    by_format = any(people.claim_format for people in (identity.allowed, identity.administrators, identity.blocked))
    decoder, *scripts = _scripts(
        "dkjson_decode.lua",
        "user_id.lua",
        *(("claim_formats.lua",) if by_format else ()),
        "identity.lua",
    )
    notice = "-- JSON: dkjson 2.6, Copyright (C) 2010-2021 David Heiko Kolf, MIT licence\n"
    # Without the key, loading fails, so that Envoy does not start.
    key = f"local key = assert(os.getenv('{settings.user_key_variable}'))\n"
    return f"{notice}local json = (function() {decoder} end)()\nlocal settings = json.decode([==[{_json(table)}]==])\n{key}{' '.join(scripts)}\n"


@cache
def _scripts(*names: str) -> list[str]:
    """The files' code, small. The names that the text around them uses stay."""
    sources = [compact((_FILES / name).read_text(encoding="utf-8")) for name in names]
    return with_short_names(sources, keep=("json", "key", "settings"))


def page(title: str, *paragraphs: str) -> str:
    """Return a small self-contained page; all text is escaped."""
    body = "".join(f"<p>{html.escape(text)}</p>" for text in paragraphs)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<h1>{html.escape(title)}</h1>{body}</html>"
    )


def _page_401() -> str:
    return page("You are not signed in", "Your sign-in could not be read. Open the start page to sign in again.")


def _page_403(settings: ProxySettings) -> str:
    return page(
        "You do not have access",
        "You are signed in, but your account does not have access to this service.",
        f"To request access, write to {settings.identity.contact}, and state the reason: {REASON}.",
        f"To sign in with another account, first sign out at {settings.logout.path}.",
    )


def _people(people: ProxyPeople) -> dict[str, Any]:
    return {
        "claim": people.claim_name,
        "values": dict.fromkeys(sorted(people.claim_values), True),
        "domains": dict.fromkeys(sorted(domain.lower() for domain in people.email_domains), True),
        "emails": dict.fromkeys(sorted(email.lower() for email in people.emails), True),
        **({"format": people.claim_format} if people.claim_format else {}),
        **({"everyone": True} if people.everyone_the_provider_assigns else {}),
    }


def _json(value: dict[str, Any]) -> str:
    """One line of ASCII JSON for a Lua long string, which has no escapes and ends at the first ``]==]``."""
    # Only a string can contain "]=", and JSON can escape it in a string.
    return json.dumps(value, separators=(",", ":")).replace("]=", "]\\u003d")
