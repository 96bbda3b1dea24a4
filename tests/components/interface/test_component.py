"""The whole interface from one component: what staging's program makes of its parts, with zone and client as outputs."""

import datetime as dt
import json
from collections import Counter
from functools import cache
from typing import Any

import pulumi
import pytest
from pulumi.errors import InputPropertiesError
from pulumi.output import UNKNOWN

from assembly.common import image, repository_arns
from components.host.provider import PackageProvider
from components.package import COMPONENTS, NAME, VERSION
from policies.guardrails import exceptions
from policies.guardrails.evaluation import Evaluation, Policy, Report
from policies.guardrails.rules import RULES
from policies.guardrails.topology.graph.resources import Graph, Resource
from preflight.recording.recorder import Recording, record
from preflight.sdk.wire import unwrap
from releases.manifest import load_release
from settings import StackSettings
from tests.preflight.conform.graphs import with_open_webui
from tests.settings.stack_files import as_the_engine_passes_it, own_values, parse
from tests.tasks import interface_task

STACK, OWN = "staging", "chat"
TASK = "aws:ecs/taskDefinition:TaskDefinition"


def settings() -> StackSettings:
    return parse({**own_values(STACK), "application": "open-webui"})


@cache
def inputs() -> dict[str, Any]:
    """Staging's values, as a program in another language passes them."""
    chosen, own = settings(), own_values(STACK)
    release = load_release(chosen.release)
    identity = own["identity"]
    return {
        "environment": STACK,
        "accountId": chosen.account_id,
        "region": chosen.region,
        "hostName": chosen.domain.host_name,
        "hostedZoneId": chosen.domain.hosted_zone_id,
        "cidrBlock": own["network"]["cidrBlock"],
        "availabilityZones": own["network"]["availabilityZones"],
        "oidc": {
            **{key: identity[key] for key in ("issuer", "authorizationEndpoint", "tokenEndpoint", "userInfoEndpoint")},
            "clientId": identity["clientId"],
            "clientSecret": "canary-client-secret",
        },
        **{
            kind: {"claimName": identity[kind]["claim"]["name"], "claimValues": identity[kind]["claim"]["values"]}
            for kind in ("allowed", "administrators")
        },
        "logoutUrl": identity["endSessionEndpoint"],
        "contactEmail": chosen.owner.contact,
        "runbookUrl": chosen.owner.runbook,
        "images": {
            "release": release.version,
            "interface": image(chosen, release, "interface"),
            "proxy": image(chosen, release, "proxy"),
            "repositoryArns": repository_arns(chosen),
            "schemas": [{"release": release.version, "revision": release.schema_.revision}],
        },
        "groups": own["models"]["groups"],
        "size": own["capacity"],
        "database": own["data"]["database"],
        "retention": {
            "applicationLogDays": chosen.retention.application_log_days,
            "flowLogDays": chosen.retention.flow_log_days,
            "firewallLogDays": chosen.retention.firewall_log_days,
            "accessLogDays": chosen.retention.edge_access_log_days,
            "backupDays": chosen.data.backup_days,
        },
        "tags": {"owner": chosen.owner.team, "environment": STACK, "project": "ai-interface"},
    }


def made(name: str = OWN, *, preview: bool = False, **changes: Any) -> Recording:  # noqa: ANN401
    """The recorded component. The zone is an output, unknown in a first preview; so is the client, and its secret is one."""
    provider = PackageProvider(COMPONENTS, NAME, VERSION)

    def program() -> None:
        given = {**inputs(), **changes}
        if preview:
            given["hostedZoneId"] = pulumi.Output.from_input(UNKNOWN)
            given["oidc"] = {**given["oidc"], "clientId": pulumi.Output.from_input(UNKNOWN)}
        else:
            given["hostedZoneId"] = pulumi.Output.from_input(given["hostedZoneId"])
        given["oidc"] = {**given["oidc"], "clientSecret": pulumi.Output.secret(given["oidc"]["clientSecret"])}
        provider.construct(name, "ai-interface:index:AIInterface", given)

    config = {key: one for key, one in as_the_engine_passes_it(STACK).items() if key.startswith("aws:")}
    return record(program, project="consumer", stack=STACK, config=config, preview=preview)


@pytest.fixture(scope="module")
def whole() -> Recording:
    return made()


@pytest.fixture(scope="module")
def program() -> Recording:
    return with_open_webui(STACK)


def kinds(recording: Recording) -> Counter[str]:
    return Counter(r.type for r in recording.resources if r.type.startswith(("aws:", "tls:")))


def test_it_creates_what_the_projects_program_creates(whole: Recording, program: Recording) -> None:
    assert kinds(whole) == kinds(program)


def test_every_resource_belongs_to_the_component(whole: Recording) -> None:
    own = [r for r in whole.resources if r.type.startswith(("aws:", "tls:"))]

    assert len(own) > 200
    assert [r.urn for r in own if "ai-interface:index:AIInterface$ai-interface:index:" not in r.urn] == []


def envoy(recording: Recording) -> str:
    """The proxy's arguments, without the values that AWS chooses."""
    task = interface_task(recording)
    containers = json.loads(unwrap(task.inputs["containerDefinitions"]))
    text = json.dumps(next(one for one in containers if one["name"] == "proxy")["command"])
    (balancer,) = recording.of_type("aws:lb/loadBalancer:LoadBalancer")
    (guardrail,) = recording.of_type("aws:bedrock/guardrail:Guardrail")
    return text.replace(balancer.outputs["arn"], "BALANCER").replace(guardrail.outputs["guardrailId"], "GUARDRAIL")


def test_the_proxy_is_configured_as_in_the_projects_program(whole: Recording, program: Recording) -> None:
    text = envoy(whole)

    assert "BALANCER" in text
    assert "GUARDRAIL" in text
    assert text == envoy(program)


def reports(recording: Recording) -> list[Report]:
    none = exceptions.read("exceptions: []", [rule.name for rule in RULES], dt.datetime.now(tz=dt.UTC).date())
    evaluation = Evaluation([Policy.of(rule) for rule in RULES], none)
    resources = [Resource.from_recorded(one) for one in recording.resources]
    found, _ = evaluation.on_stack(Graph(resources))
    return [*found, *(report for one in resources for report in evaluation.on_resource(one))]


def findings(recording: Recording) -> set[tuple[str, str]]:
    """Policy and resource of each finding, without the component's own name in front of it."""
    return {(one.rule.name, one.finding.urn.rpartition("::")[2].removeprefix(f"{OWN}-")) for one in reports(recording)}


def test_the_guardrails_report_nothing_but_what_the_project_has_exceptions_for(
    whole: Recording, program: Recording
) -> None:
    found, known = findings(whole), findings(program)

    assert known, "the project's exceptions"
    assert found <= known
    assert [policy for policy, _ in found if policy.startswith(("reachability-", "lb-", "wafv2-"))] == []


def test_the_first_preview_with_zone_and_client_unknown_reports_no_exposure() -> None:
    recording = made(preview=True)

    assert len(recording.resources) > 200
    assert [one for one in findings(recording) if one[0].startswith("reachability-")] == []


def test_a_certificate_of_the_caller_takes_the_place_of_the_zone() -> None:
    arn = f"arn:aws:acm:{inputs()['region']}:{inputs()['accountId']}:certificate/0"

    recording = made(hostedZoneId=None, certificateArn=arn)

    listeners = recording.of_type("aws:lb/listener:Listener")
    assert {r.inputs["certificateArn"] for r in listeners if "certificateArn" in r.inputs} == {arn}
    assert recording.of_type("aws:route53/record:Record") == []


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        ({"allowed": {}}, "allowed", "admits no one"),
        ({"hostedZoneId": None}, "hostedZoneId", "exactly one of hostedZoneId"),
        ({"limits": {"cookieBytes": 1}}, "limits.cookieBytes", "allowed: 4096 or more"),
        ({"availabilityZones": ["eu-west-1a"]}, "availabilityZones", "allowed: 2 to 3 entries"),
        ({"retention": {"flowLogDays": 31}}, "retention.flowLogDays", "value: 31; allowed: one of 1, 3, 5"),
    ],
)
def test_a_wrong_argument_is_refused_before_anything_is_registered(
    change: dict[str, Any], path: str, words: str
) -> None:
    with pytest.raises(InputPropertiesError) as caught:
        made(**change)

    (one,) = caught.value.errors or []
    assert one["property_path"].removesuffix(" (value not shown)") == path
    assert words in one["reason"]


def test_a_name_that_is_too_long_for_the_load_balancer_is_refused() -> None:
    with pytest.raises(InputPropertiesError, match="use at most 10"):
        made("conversation")
