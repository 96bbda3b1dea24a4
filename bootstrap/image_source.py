"""Reads an image from the registry that publishes it, with an anonymous token (OCI distribution API).

Redirects to a registry's storage are followed without the token. Nothing is trusted but the digests: a manifest's is
verified here, a blob's in ``image_repository``. Error messages contain no URL, because that of a blob in a registry's
storage is a credential.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from http import HTTPStatus
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from bootstrap.copy_tools import CopyError
from bootstrap.image_manifests import MEDIA_TYPES, Descriptor, Manifest, parse
from releases.registry import MOST_BYTES, RegistryError, repository_url, token_in, token_url

CONNECT_SECONDS, READ_SECONDS = 10, 60
ATTEMPTS = 6
"""How often a request is sent, and how often the download of one blob is started or continued, before the copy fails."""
LONGEST_WAIT_SECONDS = 60
"""Upper limit of the wait before an attempt, also for a registry that asks for a longer one."""
TEMPORARY = frozenset({429, 500, 502, 503, 504})
"""Statuses after which a request is sent again."""
CHUNK_BYTES = 1024 * 1024


class Source:
    """One repository of a registry."""

    def __init__(self, source: str, *, wait_seconds: float = 1.0) -> None:
        """``source``: registry and repository. ``wait_seconds``: the first wait, doubled with every further attempt."""
        self.name = source
        self._url = repository_url(source)
        self._wait = wait_seconds
        self._token = ""
        self._session = requests.Session()
        # Without it, a password for the host in ~/.netrc replaces the token.
        self._session.auth = self._authorized
        again = Retry(
            total=ATTEMPTS - 1,
            backoff_factor=wait_seconds,
            backoff_max=LONGEST_WAIT_SECONDS,
            retry_after_max=LONGEST_WAIT_SECONDS,
            status_forcelist=TEMPORARY,
            raise_on_status=False,
        )
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=again))

    def manifest(self, digest: str) -> Manifest:
        """The manifest with this digest; ``CopyError`` if the registry does not have it, or sends something else."""
        with self._get(f"manifests/{digest}", digest, {"Accept": ", ".join(MEDIA_TYPES)}) as answer:
            body = b""
            try:
                for piece in answer.iter_content(CHUNK_BYTES):
                    body += piece
                    if len(body) > MOST_BYTES:
                        raise CopyError(f"{self.name}@{digest}: the manifest exceeds {MOST_BYTES} bytes")
            except requests.RequestException as error:
                raise self._unreachable(error) from None
        return parse(body, answer.headers.get("Content-Type", ""), digest)

    def blob(self, wanted: Descriptor) -> Iterator[bytes]:
        """The bytes of a blob, never more than its size. A download that breaks off is continued where it ended."""
        received, reason = 0, ""
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(min(self._wait * 2**attempt, LONGEST_WAIT_SECONDS))
            try:
                for piece in self._from(wanted, received):
                    received += len(piece)
                    yield piece
            except requests.RequestException as error:
                reason = _reason(error)
            if received == wanted.size:
                return
        raise CopyError(
            f"{self.name}: {wanted.digest} broke off after {received} of {wanted.size} bytes, {ATTEMPTS} times"
            f"{f': {reason}' if reason else ''}.\nRun the command again: what was copied is skipped."
        )

    def _from(self, wanted: Descriptor, start: int) -> Iterator[bytes]:
        """The bytes from ``start`` on. A registry without ranges sends the first ones again, which are dropped."""
        # Compressed for the transfer, the bytes would not have the blob's digest.
        headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={start}-"} if start else {})}
        with self._get(f"blobs/{wanted.digest}", wanted.digest, headers) as answer:
            position = start if answer.status_code == HTTPStatus.PARTIAL_CONTENT else 0
            for piece in answer.iter_content(CHUNK_BYTES):
                fresh = piece[max(start - position, 0) :]
                position += len(piece)
                if position > wanted.size:
                    raise CopyError(
                        f"{self.name}: {wanted.digest} has more than the {wanted.size} bytes of its manifest"
                    )
                if fresh:
                    yield fresh

    def _get(self, path: str, what: str, headers: dict[str, str]) -> requests.Response:
        answer = self._send(f"{self._url}/{path}", headers)
        if answer.status_code == HTTPStatus.UNAUTHORIZED:
            answer.close()
            self._token = self._new_token(answer.headers.get("WWW-Authenticate", ""))
            answer = self._send(f"{self._url}/{path}", headers)
        if answer.status_code not in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
            answer.close()
            raise CopyError(f"{self.name}@{what}: {_status(answer.status_code)}")
        return answer

    def _new_token(self, challenge: str) -> str:
        self._token = ""
        try:
            with self._send(token_url(challenge), {}) as answer:
                if answer.status_code != HTTPStatus.OK:
                    raise CopyError(f"{self.name}: no anonymous token: {_status(answer.status_code)}")
                return token_in(answer.content)
        except RegistryError as error:
            raise CopyError(f"{self.name}: {error}.\n{_LOG_IN}") from None
        except requests.RequestException as error:
            raise self._unreachable(error) from None

    def _send(self, url: str, headers: dict[str, str]) -> requests.Response:
        try:
            return self._session.get(url, headers=headers, stream=True, timeout=(CONNECT_SECONDS, READ_SECONDS))
        except requests.RequestException as error:
            raise self._unreachable(error) from None

    def _authorized(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token and (request.url or "").startswith(f"{self._url}/"):
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def _unreachable(self, error: requests.RequestException) -> CopyError:
        host = urlsplit(error.request.url or "").hostname if error.request else None
        return CopyError(
            f"{self.name}: {host or urlsplit(self._url).hostname} did not answer: {_reason(error)}.\n"
            "A proxy is set with HTTPS_PROXY, its certificate authority with REQUESTS_CA_BUNDLE."
        )


_LOG_IN = "Log in to the registry with crane, skopeo or docker, and copy with --tool and its name."


def _status(code: int) -> str:
    if code == HTTPStatus.NOT_FOUND:
        return "the registry does not have it"
    if code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return f"the registry does not serve it without a login (status {code}).\n{_LOG_IN}"
    if code == HTTPStatus.TOO_MANY_REQUESTS:
        return (
            f"the registry's rate limit is reached (status {code}, {ATTEMPTS} times). Docker Hub counts anonymous "
            f"downloads by address, for hours.\nRun the command again later or from another address; what was copied is "
            f"skipped. {_LOG_IN}"
        )
    return f"the registry returned status {code}"


def _reason(error: requests.RequestException) -> str:
    """The error's kind: its text may contain the URL of a blob, which is a credential."""
    inner = getattr(error.args[0], "reason", None) if error.args else None
    return type(inner if isinstance(inner, Exception) else error).__name__
