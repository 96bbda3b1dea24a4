"""Profiles: each policy belongs to the least one that needs it, and the own stacks are held to all of them."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pytest

from policies.guardrails.configuration import policies
from policies.guardrails.profiles import Profile, place_of, table
from policies.guardrails.rule import Level, Rule
from policies.guardrails.rules import RULES
from policies.guardrails.server import evaluation
from policies.guardrails.topology.graph.resources import Graph
from preflight.pulumi.analyzer import AnalyzerClient
from preflight.pulumi.packs import packs_of
from preflight.pulumi.project import Project
from preflight.recording.recorder import record
from tests.own_pack import ROOT
from tests.policies.elsewhere import more_programs, programs
from tests.policies.wire import PACK, r

STRICTER = (Level.DISABLED, Level.ADVISORY, Level.MANDATORY)
OPEN_BUCKET = r("s3.BucketAcl", acl="public-read")


def test_every_policy_has_one_line() -> None:
    assert sorted(table()) == sorted(rule.name for rule in RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_wider_profile_is_never_milder(rule: Rule) -> None:
    levels = [STRICTER.index(place_of(rule, profile).level) for profile in Profile]
    assert levels == sorted(levels)
    assert place_of(rule, Profile.AI_INTERFACE).level is rule.level
    assert place_of(rule, Profile.AI_INTERFACE).settings == {}


def test_the_baseline_has_every_policy_that_enforces_a_control() -> None:
    outside = [r.name for r in RULES if r.controls and place_of(r, Profile.BASELINE).level is Level.DISABLED]
    assert outside == []


def test_exposure_has_no_policy_about_anything_but_reach_and_grants() -> None:
    subjects = {rule.name.split("-")[0] for rule in RULES if place_of(rule, Profile.EXPOSURE).level is Level.MANDATORY}
    assert subjects <= {"apigateway", "reachability", "elb", "iam", "lambda", "rds", "s3", "stack", "vpc"}
    assert {"waf", "logs", "kms", "cloudwatch", "backup"} & subjects == set()


def test_a_settings_of_a_profile_exists() -> None:
    by_name = {rule.name: rule for rule in RULES}
    for name, places in table().items():
        for place in places.values():
            for key, value in place.settings.items():
                assert value in by_name[name].schema[key]["enum"], name


@pytest.mark.parametrize("folder", [ROOT, ROOT / "bootstrap"], ids=["the stacks", "bootstrap"])
def test_the_own_stacks_are_held_to_every_policy_at_its_own_level(folder: Path) -> None:
    project = Project.load(folder)
    assert project.stacks() != []
    for stack in project.stacks():
        running = policies(RULES, {}, project.stack(stack).config)
        assert {policy.rule.name: policy.level for policy in running} == {rule.name: rule.level for rule in RULES}


def test_preflight_gives_the_pack_the_configuration_of_the_stack() -> None:
    project = Project.load(ROOT)
    stack = project.stack(project.stacks()[0])
    assert Path(PACK).resolve() in packs_of(ROOT)
    with AnalyzerClient.start(PACK, project=project.name, stack=stack.name, config=stack.config) as own:
        assert {policy.enforcement for policy in own.info().policies} == {"mandatory", "advisory"}
        assert len(own.info().policies) == len(RULES)


def test_a_foreign_stack_is_held_to_exposure() -> None:
    with AnalyzerClient.start(PACK, project="theirs", stack="test") as theirs:
        levels = {policy.name: policy.enforcement for policy in theirs.info().policies}
        found = theirs.check([OPEN_BUCKET, r("sqs.Queue", "jobs")])
    assert levels == {rule.name: str(place_of(rule, Profile.EXPOSURE).level) for rule in RULES}
    assert {(item.policy, item.enforcement) for item in found} == {
        ("s3-public-bucket", "mandatory"),
        ("stack-profile-is-chosen", "advisory"),
    }


FOREIGN = (
    programs.bucket_website,
    programs.fargate_behind_http,
    programs.public_database,
    programs.web_server,
    more_programs.kubernetes_cluster,
    more_programs.serverless_api,
)
OF_THIS_PROJECT = ("ai-interface", "ai-platform", "InterfaceService", "exceptions.yaml", "Open WebUI")


def test_a_copy_says_nothing_about_this_project(tmp_path: Path) -> None:
    folder = tmp_path / "their-guardrails"
    shutil.copytree(PACK, folder, ignore=shutil.ignore_patterns("__pycache__"))
    assert [path.name for path in folder.glob("*.yaml")] == ["PulumiPolicy.yaml"]
    with AnalyzerClient.start(folder, project="theirs", stack="test", dry_run=True) as pack:
        for program in FOREIGN:
            found = pack.check(record(program, project="theirs", stack="test").resources)
            assert found
            for item in found:
                assert item.urn.startswith("urn:pulumi:test::theirs::") or item.policy == "stack-profile-is-chosen"
                said = item.message.removeprefix("violated: the stack has no profile of policies")
                allowed = ("exposure or baseline or ai-interface",)  # the names of the profiles
                for text in allowed:
                    said = said.replace(text, "")
                assert [word for word in OF_THIS_PROJECT if word in said] == []


@pytest.mark.parametrize("years", [0, 1, 5, 30])
def test_no_day_makes_a_finding_about_the_pack_itself(years: int) -> None:
    today = dt.date(2026, 11, 30) + dt.timedelta(days=365 * years)
    graph = Graph.from_recorded(record(programs.web_server, project="theirs", stack="test").resources)
    found, _ = evaluation(policies(RULES, {}, {}), today).on_stack(graph)
    assert {report.rule.name for report in found if not report.finding.urn} == {"stack-profile-is-chosen"}


def test_a_stack_without_resources_needs_no_profile() -> None:
    assert evaluation(policies(RULES, {}, {}), dt.date(2026, 11, 30)).on_stack(Graph([]))[0] == []


def test_an_exposure_one_change_away_is_advice_outside_the_own_stacks() -> None:
    rule = next(rule for rule in RULES if rule.name == "reachability-no-internal-endpoint-reachable")
    graph = Graph.from_recorded(record(programs.public_database, project="theirs", stack="test").resources)
    found: dict[Profile, set[Level]] = {}
    for profile in Profile:
        reports, _ = evaluation(
            policies([rule], {}, {"guardrails:profile": str(profile)}), dt.date(2026, 11, 30)
        ).on_stack(graph)
        found[profile] = {report.level for report in reports if report.finding.latent}
    assert found == {
        Profile.EXPOSURE: {Level.ADVISORY},
        Profile.BASELINE: {Level.ADVISORY},
        Profile.AI_INTERFACE: {Level.MANDATORY},
    }
