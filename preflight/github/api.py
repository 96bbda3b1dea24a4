"""Reads GitHub's REST API. Nothing is changed, no redirect is followed, and the token is sent to one host only and never
printed."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

from preflight.account.lines import CannotTellError
from preflight.errors import PreflightError

PUBLIC = "https://api.github.com"
VERSION = "2022-11-28"
"""The version of the API, https://docs.github.com/rest/about-the-rest-api/api-versions."""
SECONDS = 20.0
LARGEST_ANSWER = 10_000_000
"""The maximum size of one page in bytes."""
MOST_PAGES = 100
"""The maximum number of pages of one list; each has up to 100 elements."""
_NEXT = re.compile(r'<([^>]+)>;\s*rel="next"')
_OK, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _TOO_MANY = 200, 401, 403, 404, 429


class GitHubError(PreflightError):
    """GitHub cannot be queried at all (exit code 2)."""


@dataclass
class GitHub:
    """Read access to one repository."""

    repository: str
    """``owner/name``."""
    token: str = field(repr=False)
    url: str = PUBLIC
    """The API's base URL. GitHub Enterprise Server has ``https://<host>/api/v3``."""
    _answers: dict[str, Any] = field(default_factory=dict[str, Any], repr=False)

    def get(self, path: str, needs: str) -> Any:  # noqa: ANN401 - any JSON value
        """The answer for a path of the repository, such as ``/environments``; an empty path is the repository itself.

        :param needs: the token's permission, for the message if GitHub refuses
        :raises CannotTellError: GitHub refuses or does not answer
        """
        found = self.find(path, needs)
        if found is None:
            raise self._refused(_NOT_FOUND, "Not Found", needs)
        return found

    def find(self, path: str, needs: str, absent: str = "") -> Any:  # noqa: ANN401
        """As ``get``. ``None`` if GitHub responds 404 with the message ``absent``: with any other message, 404 also means
        that the token may not see the resource."""
        return self._read(f"/repos/{self.repository}{path}", needs, absent)

    def outside(self, path: str, needs: str) -> Any:  # noqa: ANN401
        """As ``get``, for a path that does not belong to the repository."""
        found = self._read(path, needs, "")
        if found is None:
            raise self._refused(_NOT_FOUND, "Not Found", needs)
        return found

    def every(self, path: str, needs: str, key: str = "") -> list[Any]:
        """The elements of all pages; ``key`` names the list if the answer is an object."""
        place = first = f"/repos/{self.repository}{path}?per_page=100"
        if first in self._answers:
            return self._answers[first]
        found: list[Any] = []
        for _ in range(MOST_PAGES):
            page, following = self._page(place, needs)
            found += page[key] if key else page
            if not following:
                self._answers[first] = found
                return found
            place = following
        raise CannotTellError(f"{path} has more than {MOST_PAGES} pages", "remove what is no longer used")

    def _read(self, path: str, needs: str, absent: str) -> Any:  # noqa: ANN401
        if path not in self._answers:
            status, content, _ = self._send(path)
            if status == _NOT_FOUND and absent and _message(content) == absent:
                content = None
            elif status != _OK:
                raise self._refused(status, _message(content), needs)
            self._answers[path] = content
        return self._answers[path]

    def _page(self, path: str, needs: str) -> tuple[Any, str]:
        status, content, following = self._send(path)
        if status != _OK:
            raise self._refused(status, _message(content), needs)
        return content, following

    def _send(self, path: str) -> tuple[int, Any, str]:
        """Status, content, and the path of the next page."""
        base = urlsplit(self.url)
        made = http.client.HTTPConnection if base.scheme == "http" else http.client.HTTPSConnection
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {self.token}",
            "User-Agent": "ai-interface-preflight",
            "X-GitHub-Api-Version": VERSION,
        }
        try:
            connection = made(str(base.hostname), base.port, timeout=SECONDS)
            try:
                connection.request("GET", base.path.rstrip("/") + path, headers=headers)
                answer = connection.getresponse()
                body = answer.read(LARGEST_ANSWER + 1)
            finally:
                connection.close()
        except (OSError, http.client.HTTPException) as error:
            raise GitHubError(
                f"{self.url} did not answer: {error}\nfix: run the command from a network that can reach GitHub's API; for "
                "GitHub Enterprise Server set GITHUB_API_URL to https://<host>/api/v3"
            ) from None
        if len(body) > LARGEST_ANSWER:
            raise CannotTellError(f"{path} returns more than {LARGEST_ANSWER} bytes", "check GITHUB_API_URL")
        try:
            content: Any = json.loads(body) if body else None
        except ValueError:
            raise CannotTellError(
                f"{path} does not return JSON (status {answer.status})", "check GITHUB_API_URL"
            ) from None
        return answer.status, content, self._following(answer.getheader("Link") or "")

    def _following(self, link: str) -> str:
        """The path of the next page, if it is on the same host."""
        found = _NEXT.search(link)
        if found is None:
            return ""
        base, place = urlsplit(self.url), urlsplit(found[1])
        if (place.scheme, place.netloc) != (base.scheme, base.netloc):
            raise CannotTellError(f"GitHub names a next page on another host, {place.netloc}", "check GITHUB_API_URL")
        return place.path.removeprefix(base.path.rstrip("/")) + (f"?{place.query}" if place.query else "")

    def _refused(self, status: int, message: str, needs: str) -> Exception:
        said = f"GitHub returned {status}" + (f" ({message})" if message else "")
        if status == _UNAUTHORIZED:
            return GitHubError(
                "GitHub does not accept the token.\nfix: set GITHUB_TOKEN to a valid token, or log in with gh auth login"
            )
        if status == _TOO_MANY or "rate limit" in message.lower():
            return CannotTellError(said, "wait until the rate limit is reset, then run the command again")
        if status in {_FORBIDDEN, _NOT_FOUND}:
            return CannotTellError(said, f"use a token with the permission {needs} on {self.repository}")
        if 300 <= status < 400:  # noqa: PLR2004 - redirects
            return CannotTellError(
                f"{said}: the repository has another name now",
                "set continuousIntegration.repository in bootstrap/Pulumi.*.yaml to the current name; the roles trust that name",
            )
        return CannotTellError(said, "run the command again later")


def _message(content: object) -> str:
    found = cast("Mapping[str, object]", content).get("message") if isinstance(content, Mapping) else None
    return " ".join(str(found or "").split())


def token(environment: Mapping[str, str]) -> str:
    """The token in ``GITHUB_TOKEN`` or ``GH_TOKEN``, or the one of the logged-in ``gh``.

    :raises GitHubError: there is none
    """
    for name in ("GITHUB_TOKEN", "GH_TOKEN"):
        if found := environment.get(name, "").strip():
            return found
    if (gh := shutil.which("gh", path=environment.get("PATH", ""))) is not None:
        host = urlsplit(api_url(environment)).hostname or ""
        wanted = ["--hostname", host] if host != urlsplit(PUBLIC).hostname else []
        try:
            done = subprocess.run(  # noqa: S603 - gh itself
                [gh, "auth", "token", *wanted],
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=False,
                env=dict(environment),
            )
        except (OSError, subprocess.TimeoutExpired):
            done = None
        if done is not None and done.returncode == 0 and done.stdout.strip():
            return done.stdout.strip()
    raise GitHubError(
        "there is no token for GitHub.\nfix: set GITHUB_TOKEN to a fine-grained token of this repository with read access to "
        "Actions, Administration, Environments, Metadata and Secrets, or log in with gh auth login"
    )


def api_url(environment: Mapping[str, str]) -> str:
    """The API's base URL: ``GITHUB_API_URL``, which every job on GitHub has, or the public one.

    :raises GitHubError: it is not a URL, or would send the token unencrypted to another machine
    """
    url = environment.get("GITHUB_API_URL", "").rstrip("/") or PUBLIC
    parts = urlsplit(url)
    local = parts.hostname in {"127.0.0.1", "::1", "localhost"}
    if not parts.hostname or (parts.scheme != "https" and not (parts.scheme == "http" and local)):
        raise GitHubError(
            f"GITHUB_API_URL is {url!r}, not an https URL.\nfix: set it to https://api.github.com, or to https://<host>/api/v3"
        )
    return url


def client(repository: str) -> GitHub:
    """The client with the process's token and base URL."""
    return GitHub(repository, token(os.environ), api_url(os.environ))
