"""The pack over programs from elsewhere: no crash, and a reviewer's verdict, with known values and in a first preview."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from preflight.pulumi.analyzer import AnalyzerClient, Diagnostic
from preflight.recording.recorder import record
from tests.policies.elsewhere import more_programs, programs

SERIOUS = ("critical", "high")
VERDICTS: dict[Callable[[], None], set[str]] = {
    programs.bastion_by_component: {
        "vpc-default-security-groups-locked",
        "reachability-no-internal-endpoint-reachable",
    },
    programs.bucket_website: {"s3-public-bucket", "iam-resource-policies-are-narrow"},
    programs.cache_in_default_network: {"stack-encryption-at-rest", "reachability-no-internal-endpoint-reachable"},
    programs.fargate_behind_http: {
        "ecs-container-privileges",
        "vpc-default-security-groups-locked",
        "ecs-images-by-digest",
        "reachability-internet-paths-authenticate",
        "reachability-internet-paths-pass-a-web-acl",
        "elb-listeners-use-tls",
        "reachability-no-internal-endpoint-reachable",
        "vpc-private-subnets-have-no-internet-route",
        "ecs-secrets-not-in-environment",
        "elb-targets-use-tls",
        "ecs-task-isolation",
        "ecs-task-roles-apart",
        "vpc-upstream-egress-declared",
    },
    programs.github_deployer: {"iam-role-trust-is-narrow"},
    programs.internal_service: {"vpc-default-security-groups-locked", "elb-targets-use-tls"},
    programs.lambda_with_url: {
        "iam-identity-policies-are-narrow",
        "reachability-internet-paths-pass-a-web-acl",
        "lambda-public-function-url",
    },
    programs.nothing_of_aws: set(),
    programs.private_database: {"rds-databases-require-tls", "vpc-default-security-groups-locked"},
    programs.public_database: {
        "rds-databases-require-tls",
        "stack-encryption-at-rest",
        "reachability-no-internal-endpoint-reachable",
        "vpc-open-ingress",
        "rds-public-database",
    },
    programs.queue_worker: {"stack-encryption-at-rest"},
    more_programs.instance_with_an_elastic_address: {"reachability-no-internal-endpoint-reachable"},
    more_programs.kubernetes_cluster: {
        "vpc-default-security-groups-locked",
        "reachability-no-internal-endpoint-reachable",
    },
    more_programs.mail_user: {
        "iam-identity-policies-are-narrow",
        "cognito-sign-up-is-by-invitation",
        "iam-no-long-lived-keys",
    },
    more_programs.serverless_api: {
        "apigateway-routes-authenticate",
        "reachability-internet-paths-pass-a-web-acl",
        "stack-nothing-is-shared-publicly",
    },
    more_programs.site_behind_a_distribution: set(),
    programs.web_server: {"reachability-no-internal-endpoint-reachable", "vpc-open-ingress"},
}
# What a first preview cannot decide, because a whole document is not known yet.
UNDECIDED = {
    more_programs.site_behind_a_distribution: {"iam-resource-policies-are-narrow"},
    programs.queue_worker: {"iam-resource-policies-are-narrow"},
}


def evaluated(pack: AnalyzerClient, program: Callable[[], None], *, preview: bool) -> list[Diagnostic]:
    recording = record(program, project="elsewhere", stack="test", preview=preview)
    return pack.check(recording.resources)


def blocking(found: list[Diagnostic]) -> set[str]:
    return {item.policy for item in found if item.enforcement == "mandatory" and item.severity in SERIOUS}


@pytest.mark.parametrize("program", VERDICTS, ids=lambda program: program.__name__)
def test_blocks_what_a_reviewer_would_block(pack: AnalyzerClient, program: Callable[[], None]) -> None:
    assert blocking(evaluated(pack, program, preview=False)) == VERDICTS[program]


@pytest.mark.parametrize("program", VERDICTS, ids=lambda program: program.__name__)
def test_a_first_preview_is_judged_as_fully(pack: AnalyzerClient, program: Callable[[], None]) -> None:
    wanted = VERDICTS[program] | UNDECIDED.get(program, set())
    assert blocking(evaluated(pack, program, preview=True)) == wanted


@pytest.mark.parametrize("program", VERDICTS, ids=lambda program: program.__name__)
@pytest.mark.parametrize("preview", [False, True], ids=["known", "preview"])
def test_no_policy_stumbles(pack: AnalyzerClient, program: Callable[[], None], preview: bool) -> None:
    found = evaluated(pack, program, preview=preview)
    assert [item.message for item in found if "could not be checked" in item.message] == []
