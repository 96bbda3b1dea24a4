"""Each setting of the repository: right, wrong, and hidden from the token."""

from __future__ import annotations

from typing import Any

import pytest

from preflight.account.lines import Line, Status
from preflight.github.api import GitHub
from preflight.github.command import check, settings
from tests.preflight.github.hub import RULESET, TOKEN, Change, Hub, classic, reviewer

OWN_APP = 987
BYPASS = f"/rulesets/{RULESET}"


def lines(hub: Hub) -> dict[str, Line]:
    answer = check(hub.expected, GitHub(hub.expected.repository, TOKEN, hub.url))
    return {f"{line.group}: {line.subject}": line for line in answer.lines}


def not_ok(hub: Hub) -> dict[str, Line]:
    return {name: line for name, line in lines(hub).items() if line.status is not Status.OK}


def test_a_repository_with_every_setting_is_ok(hub: Hub) -> None:
    found = lines(hub)
    assert {line.status for line in found.values()} == {Status.OK}
    assert len(found) == len(list(settings(hub.expected)))
    assert {f"prod: {what}" for what in ("branch", "reviewers", "self-review", "administrators")} <= {
        line.subject for line in found.values()
    }
    assert "environments: staging: reviewers" not in found


def put(path: str, content: Any) -> Change:  # noqa: ANN401
    return lambda hub: hub.answers.update({path: content})


def rule(kind: str, **parameters: object) -> Change:
    """Change parameters of one rule."""

    def change(hub: Hub) -> None:
        found = next(one for one in hub.answers["/rules/branches/main"] if one["type"] == kind)
        found["parameters"].update(parameters)

    return change


def without(kind: str) -> Change:
    def change(hub: Hub) -> None:
        hub.answers["/rules/branches/main"] = [o for o in hub.answers["/rules/branches/main"] if o["type"] != kind]

    return change


def of(name: str, **values: object) -> Change:
    """Change an environment."""

    def change(hub: Hub) -> None:
        next(one for one in hub.answers["/environments"]["environments"] if one["name"] == name).update(values)

    return change


def reviewers(**values: object) -> Change:
    def change(hub: Hub) -> None:
        prod = next(one for one in hub.answers["/environments"]["environments"] if one["name"] == "prod")
        prod["protection_rules"][1].update(values)

    return change


def no_environment(name: str) -> Change:
    def change(hub: Hub) -> None:
        listed = hub.answers["/environments"]["environments"]
        hub.answers["/environments"]["environments"] = [one for one in listed if one["name"] != name]

    return change


def actors(*listed: tuple[str, int | None]) -> Change:
    made = [{"actor_type": kind, "actor_id": number, "bypass_mode": "always"} for kind, number in listed]
    return lambda hub: hub.answers[BYPASS].update(bypass_actors=made)


def allow(**values: object) -> Change:
    return lambda hub: hub.answers["/actions/permissions/selected-actions"].update(values)


def policies(name: str, *listed: tuple[str, str]) -> Change:
    made = [{"id": 1, "name": pattern, "type": kind} for kind, pattern in listed]
    return put(f"/environments/{name}/deployment-branch-policies", {"total_count": len(made), "branch_policies": made})


FAULTS: list[tuple[Change, str, str, str]] = [
    (put("", {"default_branch": "develop"}), "branch main: default branch", "is develop", "default_branch=main"),
    (without("pull_request"), "branch main: pull requests", "no rule requires", "--ruleset"),
    (rule("pull_request", required_approving_review_count=0), "branch main: pull requests", "approvals: 0", "rulesets"),
    (
        rule("pull_request", require_code_owner_review=False),
        "branch main: review by code owners",
        "not required",
        "--rule",
    ),
    (
        rule("pull_request", dismiss_stale_reviews_on_push=False),
        "branch main: approvals end",
        "not required",
        "--ruleset",
    ),
    (
        rule("pull_request", require_last_push_approval=False),
        "branch main: approval of the",
        "not required",
        "--ruleset",
    ),
    (
        without("required_status_checks"),
        "branch main: required checks",
        "not required: check, engine, test",
        "--ruleset",
    ),
    (
        rule("required_status_checks", required_status_checks=[{"context": n} for n in ("check", "engine", "test")]),
        "branch main: required checks",
        "any user or app with write access",
        "--ruleset",
    ),
    (without("non_fast_forward"), "branch main: force pushes", "allowed", "--ruleset"),
    (without("deletion"), "branch main: deletion", "allowed", "--ruleset"),
    (actors(("Integration", 15368)), "branch main: bypass", "every workflow with contents: write", "bypass list"),
    (actors(("RepositoryRole", 5)), "branch main: bypass", "RepositoryRole 5", "bypass list"),
    (actors(("OrganizationAdmin", None)), "branch main: bypass", "OrganizationAdmin", "bypass list"),
    (actors(("DeployKey", None)), "branch main: bypass", "DeployKey", "bypass list"),
    (actors(("Integration", 1), ("Integration", 2)), "branch main: bypass", "the app 1, the app 2", "bypass list"),
    (
        put(
            "/codeowners/errors",
            {"errors": [{"line": 3, "column": 1, "kind": "Unknown owner", "path": "X", "message": ""}]},
        ),
        "branch main: code owners",
        "X, line 3: Unknown owner",
        "owners --write",
    ),
    (no_environment("staging-preview"), "environments: staging-preview: branch", "does not exist", "staging-preview"),
    (of("staging", deployment_branch_policy=None), "environments: staging: branch", "every branch", "staging"),
    (
        of("prod-record", deployment_branch_policy={"protected_branches": True, "custom_branch_policies": False}),
        "environments: prod-record: branch",
        "every protected branch",
        "prod-record",
    ),
    (
        policies("staging", ("branch", "main"), ("branch", "*")),
        "environments: staging: branch",
        "branch *",
        "-f name=main",
    ),
    (policies("staging", ("tag", "main")), "environments: staging: branch", "tag main", "-f name=main"),
    (reviewers(reviewers=[reviewer("@someone")]), "environments: prod: reviewers", "@someone", "ai-prod-approvers"),
    (reviewers(reviewers=[]), "environments: prod: reviewers", "reviewers: none", "ai-prod-approvers"),
    (reviewers(prevent_self_review=False), "environments: prod: self-review", "allowed", "prevent_self_review=true"),
    (of("prod", can_admins_bypass=True), "environments: prod: administrators", "without the approval", "Settings"),
    (
        lambda hub: hub.answers["/actions/permissions/workflow"].update(default_workflow_permissions="write"),
        "workflows: default token",
        "are write",
        "default_workflow_permissions=read",
    ),
    (
        lambda hub: hub.answers["/actions/permissions/workflow"].update(can_approve_pull_request_reviews=True),
        "workflows: approvals by workflows",
        "allowed",
        "can_approve_pull_request_reviews=false",
    ),
    (
        lambda hub: hub.answers["/actions/permissions"].update(sha_pinning_required=False),
        "workflows: pinned actions",
        "not required",
        "sha_pinning_required=true",
    ),
    (
        lambda hub: hub.answers["/actions/permissions"].update(allowed_actions="all"),
        "workflows: allowed actions",
        "allowed: all",
        "selected-actions",
    ),
    (allow(verified_allowed=True), "workflows: allowed actions", "verified creator", "verified_allowed=false"),
    (allow(patterns_allowed=["*/*"]), "workflows: allowed actions", "not used: */*", "patterns_allowed"),
    (allow(patterns_allowed=[]), "workflows: allowed actions", "which the settings refuse", "patterns_allowed"),
    (allow(github_owned_allowed=False), "workflows: allowed actions", "GitHub's own actions", "github_owned_allowed"),
    (
        put("/actions/secrets", {"total_count": 3, "secrets": [{"name": name} for name in "ABC"]}),
        "workflows: secrets of the repository",
        "A, B, C",
        "gh secret",
    ),
]


@pytest.mark.parametrize(("plant", "subject", "found", "fix"), FAULTS, ids=[f"{f[1]}: {f[2]}" for f in FAULTS])
def test_a_wrong_setting_is_missing_with_its_fix(hub: Hub, plant: Change, subject: str, found: str, fix: str) -> None:
    plant(hub)
    wrong = {name: line for name, line in not_ok(hub).items() if name.startswith(subject)}
    assert wrong, "the fault was not found"
    (line,) = wrong.values()
    assert line.status is Status.MISSING
    assert found in line.found
    assert fix in line.fix


def test_every_setting_has_a_fault_here(hub: Hub) -> None:
    kinds = {f"{one.group}: {one.subject.rpartition(': ')[2]}" for one in settings(hub.expected)}
    planted = {f"{subject.partition(': ')[0]}: {subject.rpartition(': ')[2]}" for _, subject, _, _ in FAULTS}
    assert [kind for kind in sorted(kinds) if not any(kind.startswith(one) for one in planted)] == []


def test_only_the_settings_of_the_fault_change(hub: Hub) -> None:
    reviewers(reviewers=[reviewer("@someone")], prevent_self_review=False)(hub)
    assert set(not_ok(hub)) == {"environments: prod: reviewers", "environments: prod: self-review"}


def test_one_separate_app_may_commit_the_record(hub: Hub) -> None:
    actors(("Integration", OWN_APP))(hub)
    assert not_ok(hub) == {}
    assert lines(hub)["branch main: bypass"].found == f"only the app {OWN_APP} is not bound by the rules"


def test_classic_protection_counts_as_much_as_a_ruleset(hub: Hub) -> None:
    put("/rules/branches/main", [])(hub)
    assert "branch main: bypass" in not_ok(hub)
    put("/branches/main/protection", classic(hub.expected))(hub)
    assert not_ok(hub) == {}


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (
            {"enforce_admins": {"url": "u", "enabled": False}},
            "not bound by the rules: administrators (classic protection)",
        ),
        ({"allow_force_pushes": {"enabled": True}}, "allowed"),
        ({"required_pull_request_reviews": {"require_code_owner_reviews": True}}, "required approvals: 0"),
    ],
)
def test_what_classic_protection_leaves_open_is_missing(hub: Hub, change: dict[str, Any], found: str) -> None:
    put("/rules/branches/main", [])(hub)
    put("/branches/main/protection", classic(hub.expected) | change)(hub)
    assert found in [line.found for line in not_ok(hub).values() if line.status is Status.MISSING]


def test_classic_bypasses_are_named(hub: Hub) -> None:
    protection = classic(hub.expected)
    protection["required_pull_request_reviews"]["bypass_pull_request_allowances"] = {
        "users": [{"login": "someone"}],
        "teams": [{"slug": "owners"}],
        "apps": [{"id": 15368, "slug": "github-actions"}],
    }
    put("/rules/branches/main", [])(hub)
    put("/branches/main/protection", protection)(hub)
    (line,) = not_ok(hub).values()
    assert "GitHub Actions, that is, every workflow" in line.found
    assert "the team owners, the user someone" in line.found


def test_a_branch_without_any_rule_is_missing(hub: Hub) -> None:
    put("/rules/branches/main", [])(hub)
    wrong = not_ok(hub)
    assert {line.status for line in wrong.values()} == {Status.MISSING}
    assert len(wrong) == 8


def test_what_the_token_may_not_read_is_not_called_missing(hub: Hub) -> None:
    put("/rules/branches/main", [])(hub)
    put("/branches/main/protection", (404, "Not Found"))(hub)
    wrong = not_ok(hub)
    assert {line.status for line in wrong.values()} == {Status.CANNOT_TELL}
    assert all("Administration (read)" in line.fix for line in wrong.values())


def test_a_ruleset_that_hides_its_bypass_list_is_not_called_safe(hub: Hub) -> None:
    del hub.answers[BYPASS]["bypass_actors"]
    (line,) = not_ok(hub).values()
    assert (line.subject, line.status) == ("bypass", Status.CANNOT_TELL)
    assert "Administration (write)" in line.fix


def test_an_answer_without_the_administrators_setting_is_not_called_safe(hub: Hub) -> None:
    del next(one for one in hub.answers["/environments"]["environments"] if one["name"] == "prod")["can_admins_bypass"]
    (line,) = not_ok(hub).values()
    assert (line.subject, line.status) == ("prod: administrators", Status.CANNOT_TELL)


@pytest.mark.parametrize("status", [403, 404])
def test_without_any_permission_every_line_names_the_one_it_needs(hub: Hub, status: int) -> None:
    hub.answers = dict.fromkeys(hub.answers, (status, "Resource not accessible by personal access token"))
    found = lines(hub)
    assert {line.status for line in found.values()} == {Status.CANNOT_TELL}
    assert [line.fix for line in found.values() if "use a token with the permission" not in line.fix] == []
