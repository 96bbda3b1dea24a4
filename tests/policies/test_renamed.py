"""The former ids of policies: what a team wrote for one still applies."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from policies.guardrails import exceptions
from policies.guardrails.analyzer import Analyzer, given
from policies.guardrails.configuration import Given, configured
from policies.guardrails.data_files import FOLDER
from policies.guardrails.profiles import Profile
from policies.guardrails.renamed import renamed
from policies.guardrails.rule import Level, Rule
from policies.guardrails.rules import RULES
from policies.guardrails.server import pack
from policies.guardrails.topology.graph.values import Value
from preflight.pulumi import protocol
from preflight.pulumi.analyzer import AnalyzerClient
from tests.own_pack import EVERYTHING
from tests.policies.wire import PACK, diagnostics, r, said

BY_NAME = {rule.name: rule for rule in RULES}
FORMER = sorted(renamed())
TODAY = dt.datetime.now(dt.UTC).date()
PACK_OF_TODAY = Analyzer(pack(TODAY, profile=Profile.AI_INTERFACE))
BARE_TOPIC = r("sns.Topic", tags={"owner": "a", "environment": "b"})


def completed(**chosen: Mapping[str, Value]) -> dict[str, Given]:
    """A configuration as the engine sends it: every present policy with its defaults, and what a team wrote on top."""
    written = {
        name: {"enforcementLevel" if key == "level" else key: value for key, value in values.items()}
        for name, values in chosen.items()
    }
    request = protocol.completed(PACK_OF_TODAY.GetAnalyzerInfo(None, None), written)
    return {name: given(config) for name, config in request.policyConfig.items()}


def test_every_line_gives_one_former_id_the_present_one_of_a_policy() -> None:
    lines = (FOLDER / "renamed.tsv").read_text(encoding="utf-8").splitlines()
    former = [line.split("\t")[0] for line in lines]
    assert former == sorted(set(former))
    assert {line.split("\t")[1] for line in lines} <= set(BY_NAME)
    assert len(renamed()) == len(lines) > 100


def test_no_former_id_is_a_present_one() -> None:
    assert set(renamed()) & set(BY_NAME) == set()


def test_an_exception_for_any_former_id_is_in_force_for_the_present_policy() -> None:
    entries = "".join(
        f"  - policy: {name}\n    urn: '*::aws:sns/topic:Topic::x'\n    reason: a reason\n    owner: team@example.com\n"
        f"    expires: {(TODAY + dt.timedelta(days=30)).isoformat()}\n"
        for name in FORMER
    )
    found = exceptions.read(f"exceptions:\n{entries}", BY_NAME, TODAY)
    assert found.problems == ()
    assert [entry.policy for entry in found.in_force] == [renamed()[name] for name in FORMER]


def test_an_id_that_no_policy_ever_had_is_still_refused() -> None:
    entry = "exceptions:\n  - policy: access-logs-expires\n    urn: '*::aws:s3/bucket:Bucket::x'\n    reason: a\n    owner: b\n"
    found = exceptions.read(f"{entry}    expires: {(TODAY + dt.timedelta(days=30)).isoformat()}\n", BY_NAME, TODAY)
    assert [problem.what for problem in found.problems] == ["does not name a policy"]


@pytest.mark.parametrize("former", FORMER)
def test_a_level_under_a_former_id_holds_although_the_engine_sends_the_present_default(former: str) -> None:
    rule = BY_NAME[renamed()[former]]
    other = Level.MANDATORY if rule.level is Level.ADVISORY else Level.ADVISORY
    policy = configured(rule, completed(**{former: {"level": other}}))
    assert (policy.level, policy.settings) == (other, rule.settings({}))


def settable() -> Iterator[tuple[str, Rule, str, Value]]:
    """A former id, its policy, a setting, and a value that is not its default."""
    for former in FORMER:
        rule = BY_NAME[renamed()[former]]
        for key, schema in sorted(rule.schema.items()):
            default = schema["default"]
            value: Value
            if "enum" in schema:
                value = next(item for item in schema["enum"] if item != default)
            elif isinstance(default, bool):
                value = not default
            elif isinstance(default, int | float):
                value = default + 1
            else:
                value = [*default, "another"] if isinstance(default, list) else f"{default}-another"
            yield former, rule, key, value


def test_every_setting_under_a_former_id_holds_although_the_engine_sends_the_present_default() -> None:
    chosen = list(settable())
    assert len(chosen) > len(FORMER)
    for former, rule, key, value in chosen:
        policy = configured(rule, completed(**{former: {"level": rule.level, key: value}}))
        assert policy.settings == rule.settings({key: value}), (former, key)


def test_what_is_written_under_the_present_id_prevails() -> None:
    rule = BY_NAME["stack-ownership-tags"]
    written = {
        "ownership-tags": {"level": Level.ADVISORY, "keys": ["former"], "notProven": "advise"},
        "stack-ownership-tags": {"level": Level.DISABLED, "keys": ["present"]},
    }
    policy = configured(rule, completed(**written))
    assert (policy.level, policy.settings) == (
        Level.DISABLED,
        rule.settings({"keys": ["present"], "notProven": "advise"}),
    )


def test_the_running_pack_takes_a_former_id() -> None:
    with AnalyzerClient.start(Path(PACK), stack="test", config=EVERYTHING) as pack:
        pack.configure(
            {
                "ownership-tags": {"enforcementLevel": "advisory", "keys": ["owner", "team"]},
                "stack-ownership-tags": {},
                "public-database": {"enforcementLevel": "disabled"},
            }
        )
        tags = diagnostics(pack, [BARE_TOPIC], "stack-ownership-tags")
        database = diagnostics(pack, [r("rds.Instance", publiclyAccessible=True)], "rds-public-database")
    assert (said(tags), {found.enforcement for found in tags}) == (("violated x.tags.team",), {"advisory"})
    assert database == []
