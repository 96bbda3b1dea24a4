"""A configuration that names something which does not exist is refused, with the nearest right one."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from policies.guardrails.configuration import Given, MisconfiguredError, policies
from policies.guardrails.evaluation import Policy
from policies.guardrails.profiles import Profile, place_of
from policies.guardrails.rule import Level
from policies.guardrails.rules import RULES
from policies.guardrails.server import evaluation
from preflight.errors import AnalyzerError, ConfigurationError
from preflight.pulumi.analyzer import AnalyzerClient
from preflight.sdk.wire import Json
from tests.own_pack import EVERYTHING
from tests.policies.wire import PACK, diagnostics, r

BY_NAME = {rule.name: rule for rule in RULES}
EXPOSURE_ONLY: Mapping[str, str] = {}


def chosen(given: Mapping[str, Given], stack: Mapping[str, str] = EXPOSURE_ONLY) -> dict[str, Policy]:
    return {policy.rule.name: policy for policy in policies(RULES, given, stack)}


def refused(given: Mapping[str, Given], stack: Mapping[str, str] = EXPOSURE_ONLY) -> list[str]:
    with pytest.raises(MisconfiguredError) as error:
        policies(RULES, given, stack)
    first, *mistakes = str(error.value).splitlines()
    assert re.fullmatch(r"the configuration of the policies has \d+ mistakes?:", first)
    return [mistake.removeprefix("- ") for mistake in mistakes]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (
            {"rds-public-databse": Given()},
            "rds-public-databse is not a policy of this pack; fix: write rds-public-database",
        ),
        (
            {"ownership-tag": Given()},
            "ownership-tag is not a policy of this pack; fix: write ownership-tags",
        ),
        (
            {"zzz": Given()},
            "zzz is not a policy of this pack; fix: remove it, or write a name that the pack's README.md lists",
        ),
        (
            {"ecs-images-by-digest": Given(settings={"registry": ["ghcr\\.io/"]})},
            "ecs-images-by-digest.registry is not a setting of the policy; allowed: enforcementLevel, notProven, "
            "registries; fix: write registries",
        ),
        (
            {"ecs-images-by-digest": Given(settings={"registries": ["ghcr\\.io/(acme"]})},
            'ecs-images-by-digest.registries[0] is "ghcr\\\\.io/(acme"; allowed: a regular expression of Python; fix: '
            "correct it: missing ), unterminated subpattern at position 9",
        ),
        (
            {"ecs-images-by-digest": Given(settings={"notProven": "blok"})},
            'ecs-images-by-digest.notProven is "blok"; allowed: block or advise; fix: write block',
        ),
        (
            {"s3-access-logs-expire": Given(settings={"maximumDays": 0})},
            "s3-access-logs-expire.maximumDays is 0; allowed: at least 1; fix: write a number in this range",
        ),
        (
            {"s3-access-logs-expire": Given(settings={"maximumDays": "30"})},
            's3-access-logs-expire.maximumDays is "30"; allowed: a value of type integer; fix: write a value of type integer',
        ),
        (
            {"vpc-open-ingress": Given(settings={"ports": [443, True]})},
            "vpc-open-ingress.ports[1] is true; allowed: a value of type integer; fix: write a value of type integer",
        ),
        (
            {"vpc-upstream-egress-declared": Given(settings={"networks": ["10.0.0.1/8"]})},
            'vpc-upstream-egress-declared.networks[0] is "10.0.0.1/8"; allowed: a CIDR block such as 203.0.113.0/24; fix: '
            "correct it: 10.0.0.1/8 has host bits set",
        ),
        (
            {"iam-grants-stay-in-the-account": Given(settings={"accounts": ["1234"]})},
            'iam-grants-stay-in-the-account.accounts[0] is "1234"; allowed: an AWS account id: 12 digits; fix: correct it',
        ),
        (
            {"stack-profile-is-chosen": Given(settings={"profile": "base-line"})},
            'stack-profile-is-chosen.profile is "base-line"; allowed: exposure or baseline or ai-interface; fix: write '
            "baseline",
        ),
    ],
    ids=str,
)
def test_names_key_value_allowed_and_fix(given: Mapping[str, Given], says: str) -> None:
    assert refused(given) == [says]


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        (
            "guardrails:profil",
            "baseline",
            "guardrails:profil in the stack's configuration is not a key; allowed: guardrails:baseline, "
            "guardrails:exceptions, guardrails:profile; fix: write guardrails:profile",
        ),
        (
            "guardrails:profile",
            "everything",
            'guardrails:profile in the stack\'s configuration is "everything"; allowed: exposure or baseline or '
            "ai-interface; fix: write one of these",
        ),
    ],
)
def test_a_mistake_in_the_stacks_configuration(key: str, value: str, says: str) -> None:
    assert refused({}, {key: value}) == [says]


def test_every_mistake_is_named_at_once() -> None:
    given = {"zzz": Given(), "ecs-images-by-digest": Given(settings={"registry": [], "notProven": 1})}
    assert len(refused(given, {"guardrails:x": "y"})) == 4


def test_every_misspelt_policy_leads_to_the_right_one() -> None:
    for name in BY_NAME:
        middle = len(name) // 2
        (said,) = refused({name[:middle] + name[middle + 1 :]: Given()})
        assert said.endswith(f"fix: write {name}"), name


def test_every_default_is_a_value_that_is_allowed() -> None:
    given = {rule.name: Given(settings=rule.settings({})) for rule in RULES}
    assert chosen(given) == chosen({})


def test_the_policy_configuration_takes_precedence_over_the_stacks() -> None:
    given = {"stack-profile-is-chosen": Given(settings={"profile": "exposure"})}
    levels = {name: policy.level for name, policy in chosen(given, EVERYTHING).items()}
    assert levels == {name: place_of(rule, Profile.EXPOSURE).level for name, rule in BY_NAME.items()}


@pytest.mark.parametrize("level", [Level.MANDATORY, Level.ADVISORY, Level.DISABLED])
@pytest.mark.parametrize("profile", list(Profile))
def test_a_level_that_is_given_holds_in_every_profile(profile: Profile, level: Level) -> None:
    for name in ("rds-public-database", "ecs-images-by-digest", "sns-topics-require-tls"):
        running = chosen({name: Given(level)}, {"guardrails:profile": str(profile)})
        assert running[name].level is level


def test_a_setting_adds_its_policy_to_the_profile() -> None:
    assert chosen({})["ecs-images-by-digest"].level is Level.DISABLED
    added = chosen({"ecs-images-by-digest": Given(settings={"registries": ["ghcr\\.io/acme/"]})})
    assert added["ecs-images-by-digest"].level is Level.MANDATORY


def test_a_level_for_all_keeps_to_the_profile() -> None:
    given = {name: Given(Level.ADVISORY) for name in (*BY_NAME, "all")} | {
        "ecs-images-by-digest": Given(Level.MANDATORY)
    }
    running = chosen(given)
    assert running["rds-public-database"].level is Level.ADVISORY
    assert running["sns-topics-require-tls"].level is Level.DISABLED
    assert running["ecs-images-by-digest"].level is Level.MANDATORY


def test_a_file_that_does_not_exist_is_refused() -> None:
    given = {"stack-exceptions-current": Given(settings={"file": "no/such.yaml"})}
    with pytest.raises(
        MisconfiguredError, match=r"stack-exceptions-current\.file is no/such\.yaml, which cannot be read"
    ):
        evaluation(policies(RULES, given, {}), dt.date(2026, 11, 30))


def configured(given: Mapping[str, Mapping[str, Json]], config: Mapping[str, str] | None = None) -> AnalyzerClient:
    pack = AnalyzerClient.start(Path(PACK), stack="test", config=config)
    try:
        pack.configure(given)
    except BaseException:
        pack.stop()
        raise
    return pack


def test_the_running_pack_refuses_and_says_why() -> None:
    with pytest.raises(AnalyzerError) as error:
        configured({"rds-public-databse": {"enforcementLevel": "disabled"}})
    assert str(error.value).splitlines() == [
        "policy pack guardrails: the configuration of the policies has 1 mistake:",
        "- rds-public-databse is not a policy of this pack; fix: write rds-public-database",
    ]
    with pytest.raises(ConfigurationError, match="allowed: advisory, disabled, mandatory, remediate"):
        configured({"rds-public-database": {"enforcementLevel": "off"}})


def test_the_running_pack_refuses_a_stack_whose_configuration_is_wrong() -> None:
    with pytest.raises(AnalyzerError, match="guardrails:profile"):
        configured({}, config={"guardrails:profile": "strict"})


def test_the_running_pack_takes_the_profile_of_the_policy_configuration() -> None:
    queue = r("sqs.Queue", "jobs")
    given = {
        "stack-profile-is-chosen": {"profile": "ai-interface"},
        "stack-ownership-tags": {"enforcementLevel": "advisory"},
    }
    with configured(given) as pack:
        levels = {policy.name: policy.enforcement for policy in pack.info().policies}
        assert {found.enforcement for found in diagnostics(pack, [queue], "stack-ownership-tags")} == {"advisory"}
        assert diagnostics(pack, [queue], "stack-profile-is-chosen") == []
    assert levels == {name: str(rule.level) for name, rule in BY_NAME.items()} | {"stack-ownership-tags": "advisory"}
