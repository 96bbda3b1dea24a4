"""The account's baseline: nothing unless it is asked for, and what is made passes the guardrails."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bootstrap.account_baseline import TRAIL, bucket_policy, key_statements, trail_arn
from bootstrap.configuration import Baseline
from preflight.pulumi.analyzer import AnalyzerClient
from preflight.recording.recorder import Recording
from tests.bootstrap.program import run_bootstrap
from tests.own_pack import EVERYTHING as EVERY_POLICY
from tests.policies.wire import PACK

ACCOUNT, REGION = "111122223333", "eu-west-1"
EVERYTHING = {"trail": True, "guardDuty": True, "config": True, "accessAnalyzer": True}
KINDS = {
    "trail": {"aws:cloudtrail/trail:Trail", "aws:s3/bucket:Bucket"},
    "guardDuty": {"aws:guardduty/detector:Detector"},
    "config": {
        "aws:cfg/deliveryChannel:DeliveryChannel",
        "aws:cfg/recorder:Recorder",
        "aws:cfg/recorderStatus:RecorderStatus",
        "aws:iam/serviceLinkedRole:ServiceLinkedRole",
        "aws:s3/bucket:Bucket",
    },
    "accessAnalyzer": {"aws:accessanalyzer/analyzer:Analyzer"},
}


def kinds(recording: Recording) -> set[str]:
    """The types of the baseline, without the settings of its bucket."""
    own = {r.type for r in recording.resources if r.name.startswith("baseline") and r.type.startswith("aws:")}
    return {kind for kind in own if not kind.startswith("aws:s3/bucket") or kind == "aws:s3/bucket:Bucket"}


@pytest.fixture(scope="module")
def everything() -> Recording:
    return run_bootstrap("staging", accountBaseline=EVERYTHING)


@pytest.fixture(scope="module")
def pack() -> Iterator[AnalyzerClient]:
    with AnalyzerClient.start(Path(PACK), stack="staging", config=EVERY_POLICY) as running:
        yield running


def test_each_part_is_made_only_if_it_is_asked_for() -> None:
    assert set(Baseline.model_fields) == {"trail", "guard_duty", "config", "access_analyzer"}
    assert kinds(run_bootstrap("staging")) == set()
    for part, wanted in KINDS.items():
        assert kinds(run_bootstrap("staging", accountBaseline={part: True})) == wanted, part


def findings(pack: AnalyzerClient, recording: Recording) -> set[str]:
    return {f"{found.policy}: {found.message}" for found in pack.check(recording.resources)}


def test_the_guardrails_find_nothing_that_is_not_there_without_it(pack: AnalyzerClient, everything: Recording) -> None:
    assert sorted(findings(pack, everything) - findings(pack, run_bootstrap("staging"))) == []


def one(recording: Recording, kind: str) -> dict[str, Any]:
    (found,) = recording.of_type(kind)
    return dict(found.inputs)


def test_the_trail_is_the_one_that_ready_asks_for_and_that_the_documents_name(everything: Recording) -> None:
    trail = one(everything, "aws:cloudtrail/trail:Trail")
    assert (trail["isMultiRegionTrail"], trail["enableLogFileValidation"], trail["enableLogging"]) == (True, True, True)
    assert trail["eventSelectors"] == [{"includeManagementEvents": True, "readWriteType": "All"}]
    assert trail["name"] == TRAIL
    (key,) = [r for r in everything.of_type("aws:kms/key:Key") if r.name == "account-key"]
    assert trail["kmsKeyId"] == key.outputs["arn"]
    sids = {statement["Sid"] for statement in json.loads(key.inputs["policy"])["Statement"]}
    assert sids == {"RolesOfThisAccount", *(statement.sid for statement in key_statements(ACCOUNT, REGION))}


def test_the_logs_are_protected_and_only_the_trail_and_the_recorder_write_them(everything: Recording) -> None:
    (bucket,) = [r for r in everything.of_type("aws:s3/bucket:Bucket") if r.name == "baseline-logs"]
    assert bucket.protect
    (made,) = [r for r in everything.of_type("aws:s3/bucketPolicy:BucketPolicy") if r.name == "baseline-logs"]
    policy = json.loads(made.inputs["policy"])
    assert policy == json.loads(bucket_policy(bucket.outputs["arn"], ACCOUNT, REGION))
    allowed = {
        s["Sid"]: (s["Principal"]["Service"], s["Condition"]) for s in policy["Statement"] if s["Effect"] == "Allow"
    }
    acl = {"s3:x-amz-acl": ["bucket-owner-full-control"]}
    assert allowed["TrailWrites"] == (
        ["cloudtrail.amazonaws.com"],
        {"StringEquals": {"aws:SourceArn": [trail_arn(ACCOUNT, REGION)], **acl}},
    )
    assert allowed["RecorderWrites"] == (
        ["config.amazonaws.com"],
        {"StringEquals": {"aws:SourceAccount": [ACCOUNT], **acl}},
    )
    assert len(allowed) == 4
