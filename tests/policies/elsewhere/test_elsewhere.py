"""The pack over programs from elsewhere: no crash, and a reviewer's verdict, with known values and in a first preview."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from preflight.pulumi.analyzer import Analyzer, Diagnostic
from preflight.recording.recorder import record
from tests.policies.elsewhere import more_programs, programs

SERIOUS = ("critical", "high")
VERDICTS: dict[Callable[[], None], set[str]] = {
    programs.bastion_by_component: {"default-security-groups-locked", "no-internal-endpoint-reachable"},
    programs.bucket_website: {"buckets-are-private", "public-bucket", "resource-policies-are-narrow"},
    programs.cache_in_default_network: {"encryption-at-rest", "no-internal-endpoint-reachable"},
    programs.fargate_behind_http: {
        "container-privileges",
        "default-security-groups-locked",
        "images-by-digest",
        "internet-paths-authenticate",
        "internet-paths-pass-a-firewall",
        "listeners-use-tls",
        "no-internal-endpoint-reachable",
        "private-subnets-have-no-way-out",
        "secrets-not-in-environment",
        "targets-use-tls",
        "task-isolation",
        "task-roles-apart",
        "upstream-egress-declared",
    },
    programs.github_deployer: {"role-trust-is-narrow"},
    programs.internal_service: {"default-security-groups-locked", "targets-use-tls"},
    programs.lambda_with_url: {
        "identity-policies-are-narrow",
        "internet-paths-authenticate",
        "internet-paths-pass-a-firewall",
        "public-function-url",
    },
    programs.nothing_of_aws: set(),
    programs.private_database: {"databases-require-tls", "default-security-groups-locked"},
    programs.public_database: {
        "databases-require-tls",
        "encryption-at-rest",
        "no-internal-endpoint-reachable",
        "open-ingress",
        "public-database",
    },
    programs.queue_worker: {"encryption-at-rest"},
    more_programs.instance_with_an_elastic_address: {"no-internal-endpoint-reachable"},
    more_programs.kubernetes_cluster: {"default-security-groups-locked", "no-internal-endpoint-reachable"},
    more_programs.mail_user: {"identity-policies-are-narrow", "logins-are-by-invitation", "no-long-lived-keys"},
    more_programs.serverless_api: {
        "internet-paths-authenticate",
        "internet-paths-pass-a-firewall",
        "public-function-url",
    },
    more_programs.site_behind_a_distribution: set(),
    programs.web_server: {"no-internal-endpoint-reachable", "open-ingress"},
}
# What a first preview cannot decide, because a whole document is not known yet.
UNDECIDED = {
    more_programs.site_behind_a_distribution: {"resource-policies-are-narrow"},
    programs.queue_worker: {"resource-policies-are-narrow"},
}


def evaluated(pack: Analyzer, program: Callable[[], None], *, preview: bool) -> list[Diagnostic]:
    recording = record(program, project="elsewhere", stack="test", preview=preview)
    return pack.check(recording.resources)


def blocking(found: list[Diagnostic]) -> set[str]:
    return {item.policy for item in found if item.enforcement == "mandatory" and item.severity in SERIOUS}


@pytest.mark.parametrize("program", VERDICTS, ids=lambda program: program.__name__)
def test_blocks_what_a_reviewer_would_block(pack: Analyzer, program: Callable[[], None]) -> None:
    assert blocking(evaluated(pack, program, preview=False)) == VERDICTS[program]


@pytest.mark.parametrize("program", VERDICTS, ids=lambda program: program.__name__)
def test_a_first_preview_is_judged_as_fully(pack: Analyzer, program: Callable[[], None]) -> None:
    wanted = VERDICTS[program] | UNDECIDED.get(program, set())
    assert blocking(evaluated(pack, program, preview=True)) == wanted


@pytest.mark.parametrize("program", VERDICTS, ids=lambda program: program.__name__)
@pytest.mark.parametrize("preview", [False, True], ids=["known", "preview"])
def test_no_policy_stumbles(pack: Analyzer, program: Callable[[], None], preview: bool) -> None:
    found = evaluated(pack, program, preview=preview)
    assert [item.message for item in found if "could not be judged" in item.message] == []
