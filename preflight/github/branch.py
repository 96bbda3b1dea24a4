"""The rules of the branch that is deployed, from rulesets (https://docs.github.com/rest/repos/rules) and from classic
protection (https://docs.github.com/rest/branches/branch-protection). GitHub applies both; the stricter one decides."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from preflight.account.lines import CannotTellError, joined
from preflight.github.api import GitHub
from preflight.github.expected import BRANCH, Expected
from preflight.github.setting import ADMINISTRATION, METADATA, Found, Setting, within

GROUP = f"branch {BRANCH}"
RULESET = "python -m preflight github --ruleset"
_UNPROTECTED = "Branch not protected"
_RULES_WRITE = "Administration (write), which GitHub requires to show who may bypass a ruleset"
_REVIEW = {
    "require_code_owner_review": ("review by code owners", "require_code_owner_reviews"),
    "dismiss_stale_reviews_on_push": ("approvals end with a new push", "dismiss_stale_reviews"),
    "require_last_push_approval": ("approval of the last push", "require_last_push_approval"),
}
"""Parameter of a ruleset → subject, and the same parameter of classic protection."""
_WHY = {
    "require_code_owner_review": "a code owner of each changed file approves it, so only owner.environmentApprovers approve "
    "changes to workflows and to the last environment",
    "dismiss_stale_reviews_on_push": "a commit that is pushed after the approval needs a new one",
    "require_last_push_approval": "someone other than the author of the last push approves it",
}


@dataclass(frozen=True)
class Rules:
    """All active rules of the branch."""

    by_type: Mapping[str, list[Mapping[str, Any]]]
    """Type of a rule → the parameters of each."""
    rulesets: tuple[int, ...]
    classic: Mapping[str, Any] | None
    """Classic protection; ``None`` if there is none, or if the token may not read it."""
    unread: CannotTellError | None
    """Why classic protection could not be read."""

    def settled(self, holds: bool, found: str) -> Found:
        """The result, which is inconclusive if the part that could not be read may satisfy it."""
        if not holds and self.unread is not None:
            raise CannotTellError(f"{found}; classic branch protection: {self.unread.reason}", self.unread.fix)
        return holds, found


def rules(github: GitHub) -> Rules:
    """Read them."""
    by_type: dict[str, list[Mapping[str, Any]]] = {}
    rulesets: set[int] = set()
    for rule in github.every(f"/rules/branches/{BRANCH}", METADATA):
        by_type.setdefault(rule["type"], []).append(rule.get("parameters") or {})
        if "ruleset_id" in rule:
            rulesets.add(rule["ruleset_id"])
    classic, unread = None, None
    try:
        classic = github.find(f"/branches/{BRANCH}/protection", ADMINISTRATION, absent=_UNPROTECTED)
    except CannotTellError as error:
        unread = error
    return Rules(by_type, tuple(sorted(rulesets)), classic, unread)


def settings(expected: Expected) -> Iterator[Setting]:
    """The settings of the branch."""
    fix = f"{RULESET} | gh api --method POST repos/{expected.repository}/rulesets --input -"
    yield Setting(
        GROUP,
        "default branch",
        f"the workflows deploy {BRANCH}",
        f"gh api --method PATCH repos/{expected.repository} -f default_branch={BRANCH}",
        _default,
    )
    yield Setting(
        GROUP, "pull requests", "every change passes a pull request with at least one approval", fix, _approvals
    )
    for name, (subject, _) in _REVIEW.items():
        yield Setting(GROUP, subject, _WHY[name], fix, lambda github, name=name: _parameter(github, name))
    yield Setting(
        GROUP,
        "required checks",
        f"{joined(expected.checks)} pass, as reported by GitHub Actions",
        fix,
        lambda github: _checks(github, expected),
    )
    for kind, classic, subject, why in (
        ("non_fast_forward", "allow_force_pushes", "force pushes", "no reviewed commit is replaced"),
        ("deletion", "allow_deletions", "deletion", "the branch cannot be deleted"),
    ):
        yield Setting(
            GROUP, subject, why, fix, lambda github, kind=kind, classic=classic: _refuses(github, kind, classic)
        )
    yield Setting(
        GROUP,
        "bypass",
        "every change of the branch is reviewed. At most one app may bypass the rules, the one that commits "
        "releases/deployed.yaml: GitHub Actions as a whole would let every workflow with contents: write do so",
        "remove every other actor from the bypass list of the ruleset (Settings, Rules), and turn on "
        '"Do not allow bypassing the above settings" in classic protection',
        _bypass,
    )
    yield Setting(
        GROUP,
        "code owners",
        "GitHub ignores a line of CODEOWNERS with an unknown owner, or one without write access",
        "create the team or grant it write access, or correct owner in the stack files and run "
        "python -m preflight owners --write",
        _owners,
    )


def ruleset(expected: Expected, actions_app: int | None) -> str:
    """The body of a request that creates a ruleset with these rules, as JSON."""
    source = {} if actions_app is None else {"integration_id": actions_app}
    body = {
        "name": f"{BRANCH} is reviewed",
        "target": "branch",
        "enforcement": "active",
        "bypass_actors": [],
        "conditions": {"ref_name": {"include": [f"refs/heads/{BRANCH}"], "exclude": []}},
        "rules": [
            {"type": "deletion"},
            {"type": "non_fast_forward"},
            {
                "type": "pull_request",
                "parameters": {
                    "required_approving_review_count": 1,
                    "required_review_thread_resolution": False,
                    **dict.fromkeys(_REVIEW, True),
                },
            },
            {
                "type": "required_status_checks",
                "parameters": {
                    "strict_required_status_checks_policy": False,
                    "required_status_checks": [{"context": name, **source} for name in expected.checks],
                },
            },
        ],
    }
    return json.dumps(body, indent=2) + "\n"


def actions_app(github: GitHub) -> int:
    """The id of the app whose token the workflows have."""
    return int(github.outside("/apps/github-actions", METADATA)["id"])


def _default(github: GitHub) -> Found:
    name = str(github.get("", METADATA).get("default_branch"))
    return name == BRANCH, f"the default branch is {name}"


def _approvals(github: GitHub) -> Found:
    found = rules(github)
    counts = [int(one.get("required_approving_review_count", 0)) for one in found.by_type.get("pull_request", ())]
    if reviews := within(found.classic, "required_pull_request_reviews"):
        counts.append(int(reviews.get("required_approving_review_count", 0)))
    if not counts:
        return found.settled(False, "no rule requires a pull request")
    return found.settled(max(counts) >= 1, f"required approvals: {max(counts)}")


def _parameter(github: GitHub, name: str) -> Found:
    found = rules(github)
    reviews = within(found.classic, "required_pull_request_reviews")
    given = [one.get(name) is True for one in found.by_type.get("pull_request", ())]
    holds = any(given) or reviews.get(_REVIEW[name][1]) is True
    return found.settled(holds, "required" if holds else "not required")


def _checks(github: GitHub, expected: Expected) -> Found:
    found = rules(github)
    required: dict[str, set[int | None]] = {}
    for one in found.by_type.get("required_status_checks", ()):
        for check in one.get("required_status_checks", ()):
            required.setdefault(check["context"], set()).add(check.get("integration_id"))
    for check in within(found.classic, "required_status_checks").get("checks", ()):
        required.setdefault(check["context"], set()).add(check.get("app_id"))
    if missing := [name for name in expected.checks if name not in required]:
        return found.settled(False, f"not required: {joined(missing)}")
    app = actions_app(github)
    if anyone := [name for name in expected.checks if app not in required[name]]:
        return found.settled(
            False, f"required, but any user or app with write access may report them as passed: {joined(anyone)}"
        )
    return found.settled(True, f"required from GitHub Actions: {joined(expected.checks)}")


def _refuses(github: GitHub, kind: str, classic: str) -> Found:
    found = rules(github)
    protected = found.classic is not None and within(found.classic, classic).get("enabled") is not True
    holds = kind in found.by_type or protected
    return found.settled(holds, "refused" if holds else "allowed")


def _bypass(github: GitHub) -> Found:
    found = rules(github)
    if not found.rulesets and found.classic is None:
        return found.settled(False, "no rule protects the branch, so everyone with write access changes it directly")
    actors = [*_of_rulesets(github, found), *_of_classic(found)]
    apps = {name for app, name in actors if app}
    wrong = sorted({name for app, name in actors if not app})
    if len(apps) > 1:
        wrong += sorted(apps)
    if wrong:
        return False, f"not bound by the rules: {joined(wrong)}"
    return found.settled(
        True, f"only {joined(apps)} is not bound by the rules" if apps else "every user and app is bound by the rules"
    )


def _of_rulesets(github: GitHub, found: Rules) -> Iterator[tuple[bool, str]]:
    """Whether the actor is an app other than GitHub Actions, and its name in a sentence."""
    for number in found.rulesets:
        read = github.get(f"/rulesets/{number}", METADATA)
        if "bypass_actors" not in read:
            name = read.get("name", number)
            raise CannotTellError(
                f"GitHub does not show who may bypass the ruleset {name!r}",
                f"use a token with the permission {_RULES_WRITE}",
            )
        for actor in read["bypass_actors"] or ():
            kind, number_of_actor = actor["actor_type"], actor.get("actor_id")
            if kind != "Integration":
                yield False, kind if number_of_actor is None else f"{kind} {number_of_actor}"
            elif number_of_actor == actions_app(github):
                yield False, "GitHub Actions, that is, every workflow with contents: write"
            else:
                yield True, f"the app {number_of_actor}"


def _of_classic(found: Rules) -> Iterator[tuple[bool, str]]:
    if found.classic is None:
        return
    # Rulesets bind administrators even if classic protection does not.
    if not found.rulesets and not within(found.classic, "enforce_admins").get("enabled"):
        yield False, "administrators (classic protection)"
    allowed = within(found.classic, "required_pull_request_reviews", "bypass_pull_request_allowances")
    for user in allowed.get("users") or ():
        yield False, f"the user {user['login']}"
    for team in allowed.get("teams") or ():
        yield False, f"the team {team['slug']}"
    for app in allowed.get("apps") or ():
        own = app.get("slug") != "github-actions"
        yield own, f"the app {app['id']}" if own else "GitHub Actions, that is, every workflow with contents: write"


def _owners(github: GitHub) -> Found:
    errors = github.get(f"/codeowners/errors?ref={BRANCH}", "Contents (read)")["errors"]
    listed = [f"{one['path']}, line {one['line']}: {one['kind']}" for one in errors]
    return not errors, f"GitHub does not understand {joined(listed)}" if errors else "GitHub reports no error"
