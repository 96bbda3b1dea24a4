"""The pack as a process: where it may lie, how it is configured, what it never prints."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from policies.guardrails.topology.graph.values import Value
from preflight.pulumi.analyzer import AnalyzerClient, Diagnostic
from tests.own_pack import EVERYTHING
from tests.policies.cases.containers import GOOD, task
from tests.policies.wire import PACK, UNKNOWN, diagnostics, r, said, secret

OPEN_DATABASE = r("rds.Instance", publiclyAccessible=True)
PLAIN_LISTENER = r("lb.Listener", protocol="TCP", port=443)


@contextmanager
def running(
    folder: Path | str = PACK, config: Mapping[str, str] = EVERYTHING, **options: Value
) -> Generator[AnalyzerClient]:
    with AnalyzerClient.start(Path(folder), stack="test", config=config, **options) as pack:
        yield pack


def excepting(folder: Path) -> AbstractContextManager[AnalyzerClient]:
    return running(folder, config={**EVERYTHING, "guardrails:exceptions": "exceptions.yaml"})


@pytest.fixture
def copied(tmp_path: Path) -> Callable[..., Path]:
    def copy(exceptions: str = "exceptions: []\n") -> Path:
        folder = tmp_path / "some where" / "our-rules"
        shutil.copytree(PACK, folder)
        (folder / "exceptions.yaml").write_text(exceptions)
        return folder

    return copy


def entry(**changed: str) -> str:
    values = {
        "policy": "rds-public-database",
        "urn": "urn:pulumi:test::*::aws:rds/instance:Instance::x",
        "reason": "A demonstration with invented data",
        "owner": "team@example.com",
        "expires": "2999-01-01",
        **changed,
    }
    lines = [
        f"    {key}: {value!r}" if key != "expires" else f"    {key}: {value}" for key, value in values.items() if value
    ]
    return "exceptions:\n  -\n" + "\n".join(lines) + "\n"


def near(days: int) -> str:
    return (dt.datetime.now(dt.UTC).date() + dt.timedelta(days=days)).isoformat()


def levels(found: list[Diagnostic]) -> list[tuple[str, str]]:
    return sorted((item.policy, item.enforcement) for item in found)


def test_a_copy_under_another_name_works(copied: Callable[..., Path]) -> None:
    with running(copied()) as pack:
        assert said(diagnostics(pack, [OPEN_DATABASE], "rds-public-database")) == ("violated x.publiclyAccessible",)


def test_the_rules_import_without_a_server_and_without_pulumi() -> None:
    code = (
        "import sys, policies.guardrails.rules; print(sorted({'pulumi', 'grpc', 'pulumi_policy'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - our own code
    assert answer.stdout.strip() == "[]"


def test_a_message_names_place_value_wish_and_fix(pack: AnalyzerClient) -> None:
    [found] = diagnostics(pack, [OPEN_DATABASE], "rds-public-database")
    assert found.message.splitlines() == [
        "violated: rds.Instance x.publiclyAccessible",
        "found: true",
        "wanted: false",
        "fix: set publiclyAccessible to false",
    ]
    assert (found.enforcement, found.severity, found.urn) == ("mandatory", "critical", OPEN_DATABASE["urn"])


def test_a_secret_is_judged_and_never_printed(pack: AnalyzerClient) -> None:
    hidden = "hunter2-hunter2"
    resources = [
        task(environment=[{"name": "DB_PASSWORD", "value": hidden}]),
        r(
            "ecs.TaskDefinition",
            "marked",
            containerDefinitions=secret(json.dumps([{**GOOD, "image": hidden, "user": hidden}])),
        ),
        r("lambda.Function", environment={"variables": {"TOKEN": secret(hidden), "API_KEY": hidden}}),
        r("rds.Cluster", masterPassword=hidden, masterUsername=secret("admin"), engine=secret(hidden)),
        r("lb.Listener", protocol="HTTPS", sslPolicy=secret(hidden)),
        r("sns.Topic", tags=secret({"owner": hidden})),
        r(
            "iam.RolePolicy",
            policy=secret(json.dumps({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})),
        ),
    ]
    messages = [str(found) for found in diagnostics(pack, resources)]
    assert len(messages) > 10
    assert [message for message in messages if hidden in message] == []


def test_a_first_preview_defers_what_one_resource_does_not_know() -> None:
    unclear = r("rds.Instance", publiclyAccessible=UNKNOWN)
    with running(dry_run=True) as pack:
        [found] = diagnostics(pack, [unclear], "rds-public-database")
    assert found.enforcement == "advisory"
    assert found.message.splitlines()[0] == "not proven: rds.Instance x.publiclyAccessible"
    assert found.message.splitlines()[-1].startswith(
        "later: checked again when the value is known, before the resource is created"
    )


def test_an_update_blocks_on_what_is_not_known(pack: AnalyzerClient) -> None:
    [found] = diagnostics(pack, [r("rds.Instance", publiclyAccessible=UNKNOWN)], "rds-public-database")
    assert (found.enforcement, "later:" in found.message) == ("mandatory", False)


def test_what_only_the_provider_will_choose_counts_as_not_set(pack: AnalyzerClient) -> None:
    topic = {
        **r("sns.Topic", "topic"),
        "outputs": {"tagsAll": UNKNOWN, "tags": {"owner": "a", "environment": "b"}, "arn": UNKNOWN},
    }
    group = {**r("cloudwatch.LogGroup"), "outputs": {"retentionInDays": UNKNOWN, "kmsKeyId": UNKNOWN}}
    assert said(diagnostics(pack, [topic], "stack-ownership-tags")) == ()
    assert said(diagnostics(pack, [group], "logs-groups-kept-and-encrypted")) == (
        "violated x.kmsKeyId",
        "violated x.retentionInDays",
    )


def test_a_team_chooses_levels_and_settings() -> None:
    with running() as pack:
        pack.configure(
            {
                "rds-public-database": {"enforcementLevel": "disabled"},
                "elb-listeners-use-tls": {"enforcementLevel": "advisory", "policies": ["ELBSecurityPolicy-Ours"]},
                "stack-ownership-tags": {"keys": ["team"], "notProven": "advise"},
            }
        )
        listener = r("lb.Listener", "ours", protocol="HTTPS", sslPolicy="ELBSecurityPolicy-Ours")
        topic = r("sns.Topic", "topic", tags=UNKNOWN, needs={"tags": OPEN_DATABASE})
        found = diagnostics(pack, [OPEN_DATABASE, PLAIN_LISTENER, listener, topic])
    chosen = {"rds-public-database", "elb-listeners-use-tls", "stack-ownership-tags"}
    ours = [item for item in found if item.policy in chosen and item.urn != OPEN_DATABASE["urn"]]
    assert sorted((item.policy, item.enforcement, item.urn.rpartition("::")[2]) for item in ours) == [
        ("elb-listeners-use-tls", "advisory", "x"),
        ("stack-ownership-tags", "advisory", "topic"),
        ("stack-ownership-tags", "mandatory", "ours"),
        ("stack-ownership-tags", "mandatory", "x"),
    ]
    assert [item for item in found if item.policy == "rds-public-database"] == []


def test_an_excepted_finding_stays_visible_as_advice(copied: Callable[..., Path]) -> None:
    expires = near(100)
    with excepting(copied(entry(expires=expires))) as pack:
        found = diagnostics(pack, [OPEN_DATABASE])
    [excepted] = [item for item in found if item.policy == "rds-public-database"]
    assert excepted.enforcement == "advisory"
    last = excepted.message.splitlines()[-1]
    assert last == f"excepted until {expires}: A demonstration with invented data (owner: team@example.com)"
    assert [item for item in found if item.policy == "stack-exceptions-current"] == []


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"expires": "2020-01-01"}, "violated: exceptions.yaml entry 1 has expired"),
        ({"expires": "2999-01-01"}, "violated: exceptions.yaml entry 1 is valid for too long"),
        ({"expires": "soon"}, "violated: exceptions.yaml entry 1 has no valid expiry date"),
        ({"expires": ""}, "violated: exceptions.yaml entry 1 has no expires"),
        ({"owner": ""}, "violated: exceptions.yaml entry 1 has no owner"),
        ({"reason": " "}, "violated: exceptions.yaml entry 1 has no reason"),
        ({"policy": "public-databse"}, "violated: exceptions.yaml entry 1 does not name a policy"),
        ({"urn": "*"}, "violated: exceptions.yaml entry 1 is too wide"),
        ({"urn": "urn:pulumi:test::*"}, "violated: exceptions.yaml entry 1 is too wide"),
        ({"covers": "all"}, "violated: exceptions.yaml entry 1 has an invalid value for covers"),
        ({"until": "tomorrow"}, "violated: exceptions.yaml entry 1 has an unknown key"),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else "",
)
def test_an_entry_that_is_not_in_order_excepts_nothing(
    copied: Callable[..., Path], changed: dict[str, str], says: str
) -> None:
    with excepting(copied(entry(**{"expires": near(30), **changed}))) as pack:
        found = diagnostics(pack, [OPEN_DATABASE])
    assert ("rds-public-database", "mandatory") in levels(found)
    problems = [item.message.splitlines()[0] for item in found if item.policy == "stack-exceptions-current"]
    assert problems == [says]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("exceptions: [", "violated: exceptions.yaml is unreadable"),
        ("exceptions: none", "violated: exceptions.yaml is not a list"),
        ("exceptions: [all]", "violated: exceptions.yaml entry 1 is not an entry"),
    ],
)
def test_a_file_that_is_not_in_order_is_a_finding(copied: Callable[..., Path], text: str, says: str) -> None:
    with excepting(copied(text)) as pack:
        found = diagnostics(pack, [OPEN_DATABASE], "stack-exceptions-current")
    assert [item.message.splitlines()[0] for item in found] == [says]


def test_an_entry_that_matches_nothing_is_unused(copied: Callable[..., Path]) -> None:
    with excepting(copied(entry(expires=near(30)))) as pack:
        found = diagnostics(pack, [r("rds.Instance", publiclyAccessible=False)], "stack-exceptions-current")
    assert [item.message.splitlines()[0] for item in found] == ["violated: exceptions.yaml entry 1 is unused"]


@pytest.mark.parametrize(
    "changed",
    [
        {"urn": "urn:pulumi:prod::*::aws:rds/instance:Instance::x"},
        {"urn": "urn:pulumi:*::other::aws:rds/instance:Instance::x"},
        {"covers": "not proven"},
    ],
    ids=["for another stack", "for another project", "for a first preview only"],
)
def test_an_entry_may_have_nothing_to_do_here(copied: Callable[..., Path], changed: dict[str, str]) -> None:
    with excepting(copied(entry(expires=near(30), **changed))) as pack:
        found = diagnostics(pack, [r("rds.Instance", publiclyAccessible=False)], "stack-exceptions-current")
    assert found == []


def test_an_entry_for_one_property_excepts_no_other(copied: Callable[..., Path]) -> None:
    both = r("ecs.TaskDefinition", networkMode="host", pidMode="host")
    text = entry(
        policy="ecs-task-isolation",
        urn="*aws:ecs/taskDefinition:TaskDefinition::x",
        property="pidMode",
        expires=near(30),
    )
    with excepting(copied(text)) as pack:
        found = diagnostics(pack, [both], "ecs-task-isolation")
    assert sorted((said([item])[0], item.enforcement) for item in found) == [
        ("violated x.networkMode", "mandatory"),
        ("violated x.pidMode", "advisory"),
    ]
