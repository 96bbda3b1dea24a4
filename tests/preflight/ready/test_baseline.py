"""The account's baseline: what is missing, and what this account cannot show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from preflight.account.lines import Status
from tests.preflight.account.loopback import Refusal
from tests.preflight.ready.aws_responses import ANALYZER, BLOCKS, DETECTOR, RECORDER, TRAIL
from tests.preflight.ready.faults import Fault, check, denied, lines, parameters, says
from tests.preflight.ready.right_account import second_factor
from tests.preflight.ready.world import World

PART = "account baseline"
OFFER = "accountBaseline in bootstrap/"


def trails(*listed: dict[str, Any]) -> Any:  # noqa: ANN401
    return says("cloudtrail", "DescribeTrails", {"trailList": list(listed)})


def selectors(**values: Any) -> Any:  # noqa: ANN401
    return says("cloudtrail", "GetEventSelectors", values)


def fault(name: str, plant: Any, subject: str, found: str, fix: str = OFFER) -> Fault:  # noqa: ANN401
    return Fault(name, PART, plant, subject, fix, found=found)


def advanced(*fields: tuple[str, str]) -> dict[str, Any]:
    return {"FieldSelectors": [{"Field": field, "Equals": [value]} for field, value in fields]}


MANAGEMENT = ("eventCategory", "Management")
ANALYZERS = ("accessanalyzer", "ListAnalyzers")
FAULTS = [
    fault("no trail", trails(), "CloudTrail", "no trail"),
    fault("one region", trails({**TRAIL, "IsMultiRegionTrail": False}), "CloudTrail", "management lacks all regions"),
    fault(
        "no validation", trails({**TRAIL, "LogFileValidationEnabled": False}), "CloudTrail", "validation of log files"
    ),
    fault("stopped", says("cloudtrail", "GetTrailStatus", {"IsLogging": False}), "CloudTrail", "lacks logging"),
    fault(
        "writes only",
        selectors(EventSelectors=[{"IncludeManagementEvents": True, "ReadWriteType": "WriteOnly"}]),
        "CloudTrail",
        "every call",
    ),
    fault(
        "without KMS",
        selectors(
            EventSelectors=[
                {
                    "IncludeManagementEvents": True,
                    "ReadWriteType": "All",
                    "ExcludeManagementEventSources": ["kms.amazonaws.com"],
                }
            ]
        ),
        "CloudTrail",
        "every call of the management plane",
    ),
    fault(
        "advanced reads",
        selectors(AdvancedEventSelectors=[advanced(MANAGEMENT, ("readOnly", "true"))]),
        "CloudTrail",
        "every call of the management plane",
    ),
    fault("no detector", says("guardduty", "ListDetectors", {"DetectorIds": []}), "GuardDuty", "has no detector"),
    fault(
        "suspended detector",
        says("guardduty", "GetDetector", {**DETECTOR, "Status": "DISABLED"}),
        "GuardDuty",
        "is DISABLED",
    ),
    fault(
        "no recorder",
        says("config", "DescribeConfigurationRecorders", {"ConfigurationRecorders": []}),
        "Config",
        "no recorder records every type of resource: none",
    ),
    fault(
        "stopped recorder",
        says(
            "config",
            "DescribeConfigurationRecorderStatus",
            {"ConfigurationRecordersStatus": [{"name": "default", "recording": False}]},
        ),
        "Config",
        "default is stopped",
    ),
    fault(
        "some types",
        says(
            "config",
            "DescribeConfigurationRecorders",
            {"ConfigurationRecorders": [{**RECORDER, "recordingGroup": {"allSupported": False}}]},
        ),
        "Config",
        "default records",
    ),
    fault("no analyzer", says(*ANALYZERS, {"analyzers": []}), "Access Analyzer", "is active in eu-west-1: none"),
    fault(
        "only unused access",
        says(*ANALYZERS, {"analyzers": [{**ANALYZER, "type": "ACCOUNT_UNUSED_ACCESS"}]}),
        "Access Analyzer",
        "outside (ACCOUNT_UNUSED_ACCESS, ACTIVE)",
    ),
    fault(
        "failed analyzer",
        says(*ANALYZERS, {"analyzers": [{**ANALYZER, "status": "FAILED"}]}),
        "Access Analyzer",
        "outside (ACCOUNT, FAILED)",
    ),
    fault(
        "no block",
        says("s3control", "GetPublicAccessBlock", Refusal("NoSuchPublicAccessBlockConfiguration", status=404)),
        "public buckets",
        "BlockPublicAcls, BlockPublicPolicy, IgnorePublicAcls, RestrictPublicBuckets",
        "aws s3control put-public-access-block",
    ),
    fault(
        "half a block",
        says(
            "s3control",
            "GetPublicAccessBlock",
            {"PublicAccessBlockConfiguration": {**BLOCKS, "RestrictPublicBuckets": False}},
        ),
        "public buckets",
        "for the account: RestrictPublicBuckets",
        "aws s3control",
    ),
]


@parameters(FAULTS)
def test_what_the_baseline_lacks_is_missing_with_its_fix(staging: World, fault: Fault) -> None:
    check(staging, fault)


def test_an_account_with_the_whole_baseline_is_ok(staging: World) -> None:
    found = lines(staging, PART)
    assert [(line.status, line.subject) for line in found] == [
        (Status.OK, subject)
        for subject in ("CloudTrail", "GuardDuty", "Config", "Access Analyzer", "public buckets", "root user")
    ]


def test_either_form_of_selector_counts(staging: World) -> None:
    selectors(AdvancedEventSelectors=[advanced(MANAGEMENT), advanced(("eventCategory", "Data"))])(staging)
    assert lines(staging, PART)[0].status is Status.OK


def test_the_root_user_needs_a_second_factor(staging: World) -> None:
    second_factor(staging, present=False)
    try:
        (line,) = [line for line in lines(staging, PART) if line.status is not Status.OK]
    finally:
        second_factor(staging, present=True)
    assert (line.subject, line.status, line.found) == ("root user", Status.MISSING, "has no second factor")


@pytest.mark.parametrize(
    ("summary", "found"),
    [
        ({"AccountPasswordPresent": 0, "AccountMFAEnabled": 0, "AccountAccessKeysPresent": 0}, "is protected"),
        ({"AccountPasswordPresent": 0, "AccountMFAEnabled": 1, "AccountAccessKeysPresent": 1}, "has an access key"),
    ],
)
def test_a_root_user_without_a_password_needs_no_second_factor(
    staging: World, summary: dict[str, int], found: str
) -> None:
    says("iam", "GetAccountSummary", {"SummaryMap": summary})(staging)
    assert lines(staging, PART)[-1].found == found


def test_what_another_account_of_the_organization_may_have_is_not_called_missing(staging: World) -> None:
    says(*ANALYZERS, {"analyzers": []})(staging)
    says("organizations", "DescribeOrganization", {"Organization": {"Id": "o-example"}})(staging)
    (line,) = [line for line in lines(staging, PART) if line.status is not Status.OK]
    assert (line.subject, line.status) == ("Access Analyzer", Status.CANNOT_TELL)
    assert "delegated administrator" in line.found


def not_found(service: str, operation: str) -> Callable[[World], None]:
    return says(service, operation, Refusal("TrailNotFoundException"))


@pytest.mark.parametrize("plant", [denied, not_found])
def test_a_trail_of_the_organization_that_a_member_cannot_read_is_not_called_missing(
    staging: World, plant: Callable[[str, str], Callable[[World], None]]
) -> None:
    plant("cloudtrail", "GetTrailStatus")(staging)
    (line,) = [line for line in lines(staging, PART) if line.status is not Status.OK]
    assert (line.subject, line.status) == ("CloudTrail", Status.CANNOT_TELL)
