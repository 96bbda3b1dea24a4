"""GitHub's API on loopback: one repository whose settings are right, in the form of GitHub's OpenAPI description."""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

from preflight.github.environments import KINDS
from preflight.github.expected import Expected, expected
from preflight.github.workflows import _others  # pyright: ignore[reportPrivateUsage]

ROOT = Path(__file__).resolve().parents[3]
TOKEN = "planted-token-of-github"
ACTIONS_APP = 15368
RULESET = 42
PER_PAGE = 2
"""Fewer elements than requested, as GitHub may return, so that every list has several pages."""
LISTS = {"environments": "environments", "secrets": "secrets", "deployment-branch-policies": "branch_policies"}
"""The last part of a path → the name of the list in the answer's object."""


@dataclass
class Hub:
    """The repository, and the server that answers for it."""

    expected: Expected = field(default_factory=lambda: expected(ROOT))
    answers: dict[str, Any] = field(default_factory=dict[str, Any])
    """Path of the repository → content, or status and message."""
    asked: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """Path and authorization of every request."""
    prefix: str = ""
    """The path of the API's base URL, as GitHub Enterprise Server has one."""
    link_host: str = ""
    """The host in the links to next pages; empty: this one."""

    def __post_init__(self) -> None:
        self.answers |= right(self.expected)
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                hub.answer(self)

            def log_message(self, format: str, *args: object) -> None:
                del format, args

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}{self.prefix}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    @contextmanager
    def kept(self) -> Generator[None]:
        """Revert changes at the end of the block."""
        before = copy.deepcopy(self.answers)
        try:
            yield
        finally:
            self.answers = before
            self.prefix = self.link_host = ""
            self.asked.clear()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(request.path)
        self.asked.append((request.path, request.headers.get("Authorization", "")))
        path = parts.path.removeprefix(self.prefix)
        own = path.removeprefix(f"/repos/{self.expected.repository}")
        found: Any = self.answers.get(own, (404, "Not Found"))
        status = 200
        headers: dict[str, str] = {}
        if isinstance(found, tuple):
            status, message = cast("tuple[int, str]", found)
            found = {"message": message, "documentation_url": "https://docs.github.com/rest"}
        elif isinstance(found, list) or own.rpartition("/")[2] in LISTS:
            found, headers = self._page(own, found, int(parse_qs(parts.query).get("page", ["1"])[0]))
        body = json.dumps(found).encode()
        request.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)

    def _page(self, path: str, content: Any, number: int) -> tuple[Any, dict[str, str]]:  # noqa: ANN401
        key = LISTS.get(path.rpartition("/")[2], "")
        everything = content[key] if key else content
        page = everything[(number - 1) * PER_PAGE : number * PER_PAGE]
        headers: dict[str, str] = {}
        if number * PER_PAGE < len(everything):
            host = self.link_host or self.url.removesuffix(self.prefix)
            place = f"{host}{self.prefix}/repos/{self.expected.repository}{path}?per_page=100&page={number + 1}"
            headers["Link"] = f'<{place}>; rel="next", <{place}>; rel="last"'
        return ({**content, key: page} if key else page), headers


def user(login: str) -> dict[str, Any]:
    return {"login": login, "id": 1, "type": "User", "site_admin": False}


def reviewer(person: str) -> dict[str, Any]:
    name, _, team = person.removeprefix("@").partition("/")
    return {"type": "Team", "reviewer": {"slug": team, "id": 7}} if team else {"type": "User", "reviewer": user(name)}


def environment(name: str, reviewers: tuple[str, ...] = ()) -> dict[str, Any]:
    rules: list[dict[str, Any]] = [{"id": 1, "node_id": "R", "type": "branch_policy"}]
    if reviewers:
        listed = [reviewer(person) for person in reviewers]
        rules.append(
            {"id": 2, "node_id": "R", "type": "required_reviewers", "prevent_self_review": True, "reviewers": listed}
        )
    return {
        "id": 1,
        "node_id": "E",
        "name": name,
        "can_admins_bypass": False,
        "protection_rules": rules,
        "deployment_branch_policy": {"protected_branches": False, "custom_branch_policies": True},
    }


def right(wanted: Expected) -> dict[str, Any]:
    """Every answer for a repository whose settings are right."""
    source = {"ruleset_source_type": "Repository", "ruleset_source": wanted.repository, "ruleset_id": RULESET}
    review = {
        "required_approving_review_count": 1,
        "dismiss_stale_reviews_on_push": True,
        "require_code_owner_review": True,
        "require_last_push_approval": True,
        "required_review_thread_resolution": False,
    }
    checks = {
        "strict_required_status_checks_policy": False,
        "required_status_checks": [{"context": name, "integration_id": ACTIONS_APP} for name in wanted.checks],
    }
    names = [f"{name}{kind}" for name in wanted.approvers for kind in KINDS]
    policies = {
        f"/environments/{name}/deployment-branch-policies": {
            "total_count": 1,
            "branch_policies": [{"id": 1, "node_id": "P", "name": "main", "type": "branch"}],
        }
        for name in names
    }
    return {
        "": {"id": 1, "name": wanted.repository.partition("/")[2], "default_branch": "main"},
        "/rules/branches/main": [
            {"type": "deletion", **source},
            {"type": "non_fast_forward", **source},
            {"type": "pull_request", "parameters": review, **source},
            {"type": "required_status_checks", "parameters": checks, **source},
        ],
        "/branches/main/protection": (404, "Branch not protected"),
        f"/rulesets/{RULESET}": {
            "id": RULESET,
            "name": "main is reviewed",
            "target": "branch",
            "source_type": "Repository",
            "source": wanted.repository,
            "enforcement": "active",
            "bypass_actors": [],
        },
        "/apps/github-actions": {"id": ACTIONS_APP, "slug": "github-actions", "name": "GitHub Actions"},
        "/codeowners/errors": {"errors": []},
        "/environments": {
            "total_count": len(names),
            "environments": [environment(n, wanted.approvers[n] if n in wanted.reviewed else ()) for n in names],
        },
        **policies,
        "/actions/permissions": {"enabled": True, "allowed_actions": "selected", "sha_pinning_required": True},
        "/actions/permissions/selected-actions": {
            "github_owned_allowed": True,
            "verified_allowed": False,
            "patterns_allowed": [f"{name}@*" for name in _others(wanted)],
        },
        "/actions/permissions/workflow": {
            "default_workflow_permissions": "read",
            "can_approve_pull_request_reviews": False,
        },
        "/actions/secrets": {"total_count": 0, "secrets": []},
    }


def classic(wanted: Expected) -> dict[str, Any]:
    """The same rules as classic branch protection."""
    return {
        "required_pull_request_reviews": {
            "dismiss_stale_reviews": True,
            "require_code_owner_reviews": True,
            "required_approving_review_count": 1,
            "require_last_push_approval": True,
        },
        "required_status_checks": {
            "contexts": list(wanted.checks),
            "checks": [{"context": name, "app_id": ACTIONS_APP} for name in wanted.checks],
        },
        "enforce_admins": {"url": "https://api.github.com/x", "enabled": True},
        "allow_force_pushes": {"enabled": False},
        "allow_deletions": {"enabled": False},
    }


Change = Callable[[Hub], None]
