"""One report a cause: with all its places, worst first, and nothing lost on the way to a reader of the details."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from pulumi.runtime.proto import analyzer_pb2

from policies.guardrails.analyzer import Analyzer
from policies.guardrails.details import members_in
from policies.guardrails.grouping import MOST_NAMED, REACH
from policies.guardrails.profiles import Profile
from policies.guardrails.server import pack
from policies.guardrails.topology.graph.values import Value
from preflight.pulumi.protocol import resource_request, stack_request
from tests.policies.wire import UNKNOWN, r

BUCKETS = [r("s3.BucketAcl", f"site-{number}", acl="public-read") for number in range(3)]
TABLES = [r("dynamodb.Table", f"table-{number:02}", tags={"owner": "a"}) for number in range(30)]


def analyzer(*, preview: bool = False, profile: Profile = Profile.AI_INTERFACE) -> Analyzer:
    served = Analyzer(pack(dt.date(2030, 1, 1), profile=profile))
    served.ConfigureStack(analyzer_pb2.AnalyzerStackConfigureRequest(dry_run=preview), None)
    return served


def stack(served: Analyzer, resources: list[dict[str, Any]], policy: str) -> list[Value]:
    answer = served.AnalyzeStack(stack_request(resources), None)
    return [found for found in answer.diagnostics if found.policyName == policy]


def alone(served: Analyzer, resource: dict[str, Any], policy: str) -> list[Value]:
    answer = served.Analyze(resource_request(resource, {}), None)
    return [found for found in answer.diagnostics if found.policyName == policy]


def test_a_rule_about_tags_reports_once_with_a_list() -> None:
    (found,) = stack(analyzer(), TABLES, "stack-ownership-tags")
    *first, also = found.message.splitlines()
    assert "violated: dynamodb.Table table-00.tags.environment" in first
    assert also.startswith("also (29): dynamodb.Table table-01.tags.environment, dynamodb.Table table-02")
    assert also.endswith(f"and {29 - MOST_NAMED} more")
    assert [member.details.resource for member in members_in(found)] == [
        f"dynamodb.Table table-{number:02}" for number in range(30)
    ]


def test_one_finding_is_a_diagnostic_without_a_list() -> None:
    (found,) = stack(analyzer(), TABLES[:1], "stack-ownership-tags")
    assert "also (" not in found.message
    assert members_in(found) == []


def test_a_preview_reports_the_cause_once_at_its_end() -> None:
    served = analyzer(preview=True)
    assert [alone(served, bucket, "s3-public-bucket") for bucket in BUCKETS] == [[], [], []]
    (found,) = stack(served, BUCKETS, "s3-public-bucket")
    assert found.enforcementLevel == analyzer_pb2.MANDATORY
    assert found.message.splitlines()[-1] == "also (2): s3.BucketAcl site-1.acl, s3.BucketAcl site-2.acl"
    assert stack(served, BUCKETS, "s3-public-bucket") == []  # reported, so no longer held back


def test_an_update_reports_before_each_resource_exists() -> None:
    served = analyzer()
    assert [len(alone(served, bucket, "s3-public-bucket")) for bucket in BUCKETS] == [1, 1, 1]
    assert stack(served, BUCKETS, "s3-public-bucket") == []


def test_a_resource_that_is_analyzed_again_counts_once() -> None:
    served = analyzer(preview=True)
    for bucket in (*BUCKETS, BUCKETS[0]):
        alone(served, bucket, "s3-public-bucket")
    (found,) = stack(served, BUCKETS, "s3-public-bucket")
    assert len(members_in(found)) == len(BUCKETS)


def test_another_fix_is_another_report() -> None:
    block = r("s3.BucketPublicAccessBlock", "open", blockPublicAcls=False)
    served = analyzer(preview=True)
    for resource in (*BUCKETS, block):
        alone(served, resource, "s3-public-bucket")
    found = stack(served, [*BUCKETS, block], "s3-public-bucket")
    fixes = [[line for line in item.message.splitlines() if line.startswith("fix: ")] for item in found]
    assert all(len(fix) == 1 for fix in fixes)
    assert len({fix for (fix,) in fixes}) == len(found) > 1


@pytest.mark.parametrize("profile", list(Profile))
def test_what_blocks_comes_first_and_the_worst_of_it_before_the_rest(profile: Profile) -> None:
    served = analyzer(preview=True, profile=profile)
    resources = [*BUCKETS, *TABLES, r("rds.Instance", "db", publiclyAccessible=True), r("sns.Topic", "news")]
    for resource in resources:
        served.Analyze(resource_request(resource, {}), None)
    answer = served.AnalyzeStack(stack_request(resources), None)
    order = [(item.enforcementLevel == analyzer_pb2.ADVISORY, -item.severity) for item in answer.diagnostics]
    by_verdict = [
        ("not proven: " in item.message.splitlines()[1], *key)
        for item, key in zip(answer.diagnostics, order, strict=True)
    ]
    assert [advice for advice, _ in order] == sorted(advice for advice, _ in order)
    blocking = [key for key in by_verdict if not key[1]]
    assert blocking == sorted(blocking)


GROUP = r(
    "ec2.SecurityGroup",
    "open",
    ingress=[{"protocol": "tcp", "fromPort": 22, "toPort": 22, "cidrBlocks": ["0.0.0.0/0"]}],
)
INSTANCE = r("ec2.Instance", "host", vpcSecurityGroupIds=UNKNOWN, needs={"vpcSecurityGroupIds": GROUP})


def reported(served: Analyzer, *resources: dict[str, Any]) -> list[tuple[str, str]]:
    """What is reported at the end of a preview about the port that a group opens."""
    for resource in resources:
        served.Analyze(resource_request(resource, {}), None)
    answer = served.AnalyzeStack(stack_request(resources), None)
    return [
        (found.policyName, found.urn)
        for found in answer.diagnostics
        if "allows" in found.message or "is open" in found.message
    ]


def test_an_open_port_that_reaches_something_is_one_finding() -> None:
    assert {name for name, _ in reported(analyzer(preview=True), GROUP, INSTANCE)} == {REACH}


def test_an_open_port_that_reaches_nothing_is_still_a_finding() -> None:
    assert {name for name, _ in reported(analyzer(preview=True), GROUP)} == {"vpc-open-ingress"}


def test_the_stricter_of_two_findings_is_kept() -> None:
    database = r("redshift.Cluster", "public", publiclyAccessible=True)
    served = analyzer(preview=True, profile=Profile.EXPOSURE)
    served.Analyze(resource_request(database, {}), None)
    answer = served.AnalyzeStack(stack_request([database]), None)
    found = [item.policyName for item in answer.diagnostics if "publiclyAccessible" in item.message]
    assert found == ["rds-public-database"]


def test_a_public_function_url_is_one_cause_with_the_permission_that_it_needs() -> None:
    url = r("lambda.FunctionUrl", "url", functionName="api", authorizationType="NONE")
    opens = {"principal": "*", "functionUrlAuthType": "NONE"}
    by_url = r("lambda.Permission", "by-url", action="lambda:InvokeFunctionUrl", function="api", **opens)
    invoked = r(
        "lambda.Permission",
        "invoked",
        action="lambda:InvokeFunction",
        function="api",
        principal="*",
        invokedViaFunctionUrl=True,
    )
    direct = r("lambda.Permission", "direct", action="lambda:InvokeFunction", function="api", principal="*")
    other = r("lambda.Permission", "other", action="lambda:InvokeFunctionUrl", function="job", **opens)

    assert _reported(url, by_url, invoked) == {"url"}
    assert _reported(url, by_url, direct, other) == {"url", "direct", "other"}
    signed = {**url, "inputs": {"functionName": "api", "authorizationType": "AWS_IAM"}}
    assert _reported(signed, by_url) == {"by-url"}
    assert _reported(by_url) == {"by-url"}


def test_a_function_that_is_known_later_is_the_same_one() -> None:
    function = r("lambda.Function", "api")
    needs = {"functionName": function, "function": function}
    url = r("lambda.FunctionUrl", "url", functionName=UNKNOWN, authorizationType="NONE", needs=needs)
    by_url = r(
        "lambda.Permission", "by-url", action="lambda:InvokeFunctionUrl", function=UNKNOWN, principal="*", needs=needs
    )

    assert _reported(function, url, by_url) == {"url"}


def _reported(*resources: dict[str, Any]) -> set[str]:
    """The names of the resources that block in a preview."""
    served = analyzer(preview=True)
    for resource in resources:
        alone(served, resource, "")
    answer = served.AnalyzeStack(stack_request(resources), None)
    policies = ("lambda-public-function-url", "stack-nothing-is-shared-publicly")
    found = [item for item in answer.diagnostics if item.policyName in policies]
    members = [member.urn for item in found for member in members_in(item)] + [item.urn for item in found]
    return {urn.rpartition("::")[2] for urn in members}
