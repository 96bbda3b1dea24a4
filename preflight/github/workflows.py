"""The permissions of workflows in the repository (https://docs.github.com/rest/actions/permissions)."""

from __future__ import annotations

from collections.abc import Iterator

from preflight.account.lines import joined
from preflight.github.api import GitHub
from preflight.github.expected import Expected
from preflight.github.setting import ADMINISTRATION, Found, Setting

GROUP = "workflows"
_BY_GITHUB = ("actions", "github")
"""Owners of the actions that ``github_owned_allowed`` admits."""


def settings(expected: Expected) -> Iterator[Setting]:
    """The settings of GitHub Actions."""
    place = f"repos/{expected.repository}/actions"
    token = (
        f"gh api --method PUT {place}/permissions/workflow -f default_workflow_permissions=read "
        "-F can_approve_pull_request_reviews=false"
    )
    yield Setting(GROUP, "default token", "a workflow that asks for nothing can only read", token, _token)
    yield Setting(GROUP, "approvals by workflows", "no workflow approves a pull request", token, _approves)
    only = f"gh api --method PUT {place}/permissions -F enabled=true -f allowed_actions=selected -F sha_pinning_required=true"
    yield Setting(GROUP, "pinned actions", "every action is pinned by the full digest of a commit", only, _pinned)
    patterns = " ".join(f"-f 'patterns_allowed[]={name}@*'" for name in _others(expected))
    yield Setting(
        GROUP,
        "allowed actions",
        f"only GitHub's own actions and {joined(_others(expected))} run",
        f"{only} && gh api --method PUT {place}/permissions/selected-actions -F github_owned_allowed=true "
        f"-F verified_allowed=false {patterns}",
        lambda github: _allowed(github, expected),
    )
    yield Setting(
        GROUP,
        "secrets of the repository",
        "there are none: the workflows pass all of them to the job that deploys. Secrets belong to the environments",
        "move each to the environment that needs it (gh secret set NAME --env ENVIRONMENT), then gh secret delete NAME",
        _secrets,
    )


def _others(expected: Expected) -> list[str]:
    return [name for name in expected.actions if name.partition("/")[0] not in _BY_GITHUB]


def _token(github: GitHub) -> Found:
    found = str(github.get("/actions/permissions/workflow", ADMINISTRATION)["default_workflow_permissions"])
    return found == "read", f"the default permissions are {found}"


def _approves(github: GitHub) -> Found:
    may = github.get("/actions/permissions/workflow", ADMINISTRATION)["can_approve_pull_request_reviews"] is not False
    return not may, "allowed" if may else "refused"


def _pinned(github: GitHub) -> Found:
    required = github.get("/actions/permissions", ADMINISTRATION).get("sha_pinning_required") is True
    return required, "required" if required else "not required: a tag can be moved to other code"


def _allowed(github: GitHub, expected: Expected) -> Found:
    allowed = str(github.get("/actions/permissions", ADMINISTRATION).get("allowed_actions"))
    if allowed != "selected":
        return False, f"allowed: {allowed}"
    chosen = github.get("/actions/permissions/selected-actions", ADMINISTRATION)
    patterns: list[str] = sorted(chosen.get("patterns_allowed") or ())
    if chosen.get("verified_allowed"):
        return False, "every action of a verified creator is allowed"
    named = {one.partition("@")[0]: one for one in patterns}
    if surplus := [one for name, one in named.items() if name not in _others(expected)]:
        return False, f"allowed, but not used: {joined(surplus)}"
    refused = [name for name in _others(expected) if name not in named]
    if refused or not chosen.get("github_owned_allowed"):
        missing = refused or ["GitHub's own actions"]
        return False, f"the workflows use {joined(missing)}, which the settings refuse"
    return True, f"allowed: GitHub's own actions, {joined(patterns)}"


def _secrets(github: GitHub) -> Found:
    names = sorted(one["name"] for one in github.every("/actions/secrets", "Secrets (read)", "secrets"))
    return not names, f"secrets: {joined(names)}"
