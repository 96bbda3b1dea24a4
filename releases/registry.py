"""Reads the digest of a tag from its registry (OCI distribution API), without credentials.

The digest is computed from the manifest that the registry sent. Redirects are not followed. Plain HTTP is used with
loopback addresses only.
"""

from __future__ import annotations

import hashlib
import http.client
import ipaddress
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any

TIMEOUT_SECONDS = 15
MOST_BYTES = 4 * 1024 * 1024
"""Registries accept manifests of at most 4 MiB (OCI distribution specification)."""
ACCEPTED = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
"""The index comes first: a multi-platform tag refers to it, and it is the object that is copied."""
DOCKER_HUB = {"docker.io": "registry-1.docker.io"}
"""Image host names that differ from the registry's host name."""
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class RegistryError(Exception):
    """The registry returned no digest. The message contains the reason."""


def digest_of(source: str, tag: str) -> str:
    """The digest of ``source:tag``; ``source`` is registry and repository."""
    url = f"{repository_url(source)}/manifests/{urllib.parse.quote(tag)}"
    headers = {"Accept": ", ".join(ACCEPTED)}
    try:
        body, answered = _get(url, headers)
    except urllib.error.HTTPError as error:
        with error:
            if error.code != http.client.UNAUTHORIZED:
                raise RegistryError(_status(error.code, f"{source}:{tag}")) from None
            challenge = error.headers.get("WWW-Authenticate", "")
        try:
            body, answered = _get(url, {**headers, "Authorization": f"Bearer {_token(challenge)}"})
        except urllib.error.HTTPError as again:
            with again:
                raise RegistryError(_status(again.code, f"{source}:{tag}")) from None
    found = f"sha256:{hashlib.sha256(body).hexdigest()}"
    said = answered.get("Docker-Content-Digest", found)
    if said != found or not _DIGEST.fullmatch(said):
        raise RegistryError(
            f"the registry's header has digest {said[:80]}, but the manifest that it sent has digest {found}"
        )
    return found


def repository_url(source: str) -> str:
    """The address of a repository in the distribution API; ``source`` is registry and repository."""
    host, _, repository = source.partition("/")
    if host in DOCKER_HUB and "/" not in repository:
        repository = f"library/{repository}"
    scheme = "http" if _is_local(host) else "https"
    return f"{scheme}://{DOCKER_HUB.get(host, host)}/v2/{repository}"


def token_url(challenge: str) -> str:
    """The address from which the registry's ``WWW-Authenticate`` header has clients get a token.

    :raises RegistryError: it asks for something other than a token, or its address is not HTTPS
    """
    scheme, _, rest = challenge.partition(" ")
    parts: dict[str, str] = dict(_CHALLENGE.findall(rest))
    realm = urllib.parse.urlsplit(parts.get("realm", ""))
    if scheme.lower() != "bearer" or not (realm.scheme == "https" or _is_local(realm.netloc)):
        raise RegistryError("the registry requires a login, which this command does not support")
    query = urllib.parse.urlencode({name: parts[name] for name in ("service", "scope") if name in parts})
    return urllib.parse.urlunsplit(realm._replace(query=query))


def token_in(body: bytes) -> str:
    """The token in a token service's response; raises ``RegistryError`` if there is none."""
    try:
        content: Any = json.loads(body)
        token = content.get("token") or content.get("access_token")
    except (ValueError, AttributeError):
        token = None
    if not isinstance(token, str):
        raise RegistryError("the registry does not issue an anonymous token")
    return token


def _token(challenge: str) -> str:
    """An anonymous token from the service that the registry names."""
    try:
        body, _ = _get(token_url(challenge), {})
    except urllib.error.HTTPError as error:
        with error:
            raise RegistryError(f"the registry does not issue an anonymous token (status {error.code})") from None
    return token_in(body)


def _get(url: str, headers: Mapping[str, str]) -> tuple[bytes, Mapping[str, str]]:
    """Body and headers of a response with status 200; raises ``HTTPError`` for any other status."""
    request = urllib.request.Request(url, headers=dict(headers))  # noqa: S310 - https, or http to this machine
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        with opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
            body: bytes = answer.read(MOST_BYTES + 1)
            answered = dict(answer.headers)
    except urllib.error.HTTPError:
        raise
    except (OSError, http.client.HTTPException) as error:
        host = urllib.parse.urlsplit(url).netloc
        reason = getattr(error, "reason", None) or error
        raise RegistryError(f"{host} cannot be reached: {reason}") from None
    if len(body) > MOST_BYTES:
        raise RegistryError("the registry's response exceeds the maximum size of a manifest")
    return body, answered


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Refuses redirects, which would send the token to another host."""

    def redirect_request(self, *_: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The redirect response is then raised as an ``HTTPError``."""
        return


def _status(code: int, reference: str) -> str:
    if code == http.client.NOT_FOUND:
        return f"the registry has no {reference}"
    if code in (http.client.UNAUTHORIZED, http.client.FORBIDDEN):
        return f"the registry does not serve {reference} without a login (status {code})"
    return f"the registry returned status {code}"


def _is_local(host: str) -> bool:
    name = host.rpartition(":")[0] if ":" in host else host
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
