"""The GitHub environments, which decide which jobs may assume CI's roles (https://docs.github.com/rest/deployments)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from preflight.account.lines import CannotTellError, joined
from preflight.github.api import GitHub
from preflight.github.expected import BRANCH, Expected
from preflight.github.setting import ACTIONS, Found, Setting, within

GROUP = "environments"
KINDS = ("", "-images", "-preview", "-record")
"""Suffixes of the GitHub environments of one environment: those that ``bootstrap/`` names in the roles' trust policies."""
_POLICY = (
    "-F 'deployment_branch_policy[protected_branches]=false' -F 'deployment_branch_policy[custom_branch_policies]=true'"
)
_BY_HAND = (
    "in Settings, Environments, {name}, turn off Allow administrators to bypass configured protection rules; GitHub's API "
    "cannot set it"
)


def settings(expected: Expected) -> Iterator[Setting]:
    """The settings of every environment."""
    for environment in expected.approvers:
        for kind in KINDS:
            name = f"{environment}{kind}"
            yield Setting(
                GROUP,
                f"{name}: branch",
                f"only jobs on {BRANCH} run in it, so no other branch can assume its role",
                _restrict(expected, name),
                lambda github, name=name: _branch(github, name),
            )
            if kind or environment not in expected.reviewed:
                continue
            yield from _approved(expected, name)


def _approved(expected: Expected, name: str) -> Iterator[Setting]:
    """The settings of an environment whose deployments need an approval."""
    wanted = expected.approvers[name]
    yield Setting(
        GROUP,
        f"{name}: reviewers",
        f"{joined(wanted)} (owner.environmentApprovers) are the only ones who approve deployments",
        _review(expected, name, wanted),
        lambda github: _reviewers(github, expected, name, wanted),
    )
    yield Setting(
        GROUP,
        f"{name}: self-review",
        "who starts a deployment cannot approve it",
        _review(expected, name, wanted),
        lambda github: _self(github, name),
    )
    yield Setting(
        GROUP,
        f"{name}: administrators",
        "administrators need the approval too",
        _BY_HAND.format(name=name),
        lambda github: _administrators(github, name),
    )


def _restrict(expected: Expected, name: str) -> str:
    place = f"repos/{expected.repository}/environments/{name}"
    added = f"gh api --method POST {place}/deployment-branch-policies -f name={BRANCH} -f type=branch"
    if name in expected.reviewed:  # a second PUT without the reviewers would remove them
        return f"{_review(expected, name, expected.approvers[name])} && {added}"
    return f"gh api --method PUT {place} {_POLICY} && {added}"


def _review(expected: Expected, name: str, wanted: tuple[str, ...]) -> str:
    reviewers = " ".join(
        f"-F 'reviewers[][type]={kind}' -F \"reviewers[][id]=$(gh api {path} --jq .id)\""
        for kind, path in map(_identified, wanted)
    )
    place = f"repos/{expected.repository}/environments/{name}"
    return f"gh api --method PUT {place} {reviewers} -F prevent_self_review=true {_POLICY}"


def _identified(person: str) -> tuple[str, str]:
    """The kind of a reviewer, and the path of the answer with its id."""
    owner, _, team = person.removeprefix("@").partition("/")
    return ("Team", f"orgs/{owner}/teams/{team}") if team else ("User", f"users/{owner}")


def _environment(github: GitHub, name: str) -> Mapping[str, Any] | None:
    found = github.every("/environments", ACTIONS, "environments")
    return next((one for one in found if one["name"] == name), None)


def _branch(github: GitHub, name: str) -> Found:
    found = _environment(github, name)
    if found is None:
        return False, "does not exist; a job that names it creates it without any rule"
    policy = found.get("deployment_branch_policy")
    if policy is None:
        return False, "every branch and tag may run jobs in it"
    if not policy.get("custom_branch_policies"):
        return False, "every protected branch may run jobs in it"
    listed = github.every(
        f"/environments/{quote(name, safe='')}/deployment-branch-policies", ACTIONS, "branch_policies"
    )
    names = sorted(f"{one.get('type', 'branch')} {one['name']}" for one in listed)
    return names == [f"branch {BRANCH}"], f"jobs of {joined(names)} run in it"


def _rule(github: GitHub, name: str) -> Mapping[str, Any]:
    """The rule with the reviewers; empty if there is none."""
    rules = within(_environment(github, name)).get("protection_rules") or ()
    return within(next((one for one in rules if one["type"] == "required_reviewers"), None))


def _reviewers(github: GitHub, expected: Expected, name: str, wanted: tuple[str, ...]) -> Found:
    organization = expected.repository.partition("/")[0]
    found = sorted(
        f"@{organization}/{one['reviewer']['slug']}" if one["type"] == "Team" else f"@{one['reviewer']['login']}"
        for one in _rule(github, name).get("reviewers") or ()
    )
    same = bool(found) and {one.lower() for one in found} == {one.lower() for one in wanted}
    return same, f"required reviewers: {joined(found)}"


def _self(github: GitHub, name: str) -> Found:
    refused = _rule(github, name).get("prevent_self_review") is True
    return refused, "refused" if refused else "allowed"


def _administrators(github: GitHub, name: str) -> Found:
    found = _environment(github, name)
    if found is None:
        return False, "the environment does not exist"
    if "can_admins_bypass" not in found:
        raise CannotTellError(
            "GitHub's answer does not contain it",
            _BY_HAND.format(name=name),
        )
    allowed = found["can_admins_bypass"] is not False
    return not allowed, "may deploy without the approval" if allowed else "need the approval too"
