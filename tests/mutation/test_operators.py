"""The operators change exactly what they describe, and a sample of their mutants is reported."""

from __future__ import annotations

import datetime as dt
import json
import runpy
from dataclasses import asdict
from pathlib import Path

import pytest

from preflight.pulumi.project import Project
from preflight.recording.recorder import record
from tests.mutation.operators import Mutant, Record, mutants
from tests.mutation.score import StackEvaluation
from tests.policies.wire import r

ROOT = Path(__file__).parents[2]
TODAY = dt.datetime.now(dt.UTC).date()
POLICY: dict[str, object] = {
    "Statement": [{"Sid": "A", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:x", "Condition": {}}]
}


def recorded(*resources: Record) -> list[Record]:
    return [{**resource, "outputs": dict(resource["inputs"])} for resource in resources]


def made(*resources: Record) -> dict[str, Mutant]:
    found = {f"{mutant.operator} {mutant.place}".strip(): mutant for mutant in mutants(recorded(*resources))}
    assert found
    return found


def inputs(mutant: Mutant) -> dict[str, object]:
    assert mutant.changed is not None
    return mutant.changed["inputs"]


def test_a_boolean_is_dropped_and_flipped() -> None:
    found = made(r("kms.Key", enableKeyRotation=True))
    assert sorted(found) == ["delete", "drop enableKeyRotation", "flip enableKeyRotation"]
    assert inputs(found["flip enableKeyRotation"]) == {"enableKeyRotation": False}
    assert inputs(found["drop enableKeyRotation"]) == {}


def test_a_default_is_not_dropped() -> None:
    assert sorted(made(r("s3.Bucket", forceDestroy=False))) == ["delete", "flip forceDestroy"]


def test_a_rule_is_widened_in_blocks_ports_and_protocol() -> None:
    found = made(r("vpc.SecurityGroupIngressRule", cidrIpv4="10.0.0.0/8", fromPort=443, toPort=443, ipProtocol="tcp"))
    assert sorted(found) == ["delete", "weaken ipProtocol", "widen cidrIpv4", "widen fromPort", "widen toPort"]
    assert inputs(found["widen cidrIpv4"])["cidrIpv4"] == "0.0.0.0/0"
    assert inputs(found["weaken ipProtocol"])["ipProtocol"] == "-1"


def test_a_statement_is_widened_and_loses_its_condition() -> None:
    found = made(r("iam.RolePolicy", policy=json.dumps(POLICY)))
    assert sorted(found) == ["delete", "drop policy[A].Condition", "widen policy[A].Action", "widen policy[A].Resource"]
    widened = json.loads(str(inputs(found["widen policy[A].Action"])["policy"]))
    assert widened["Statement"][0]["Action"] == "*"


def test_what_others_refer_to_is_not_deleted() -> None:
    bucket = r("s3.Bucket", "b", id="b-1")
    found = made(bucket, r("s3.BucketPolicy", "p", bucket="b-1", policy=json.dumps(POLICY), needs={"bucket": bucket}))
    assert [mutant.name for mutant in found.values() if mutant.operator == "delete"] == ["p"]


def test_a_reference_is_led_to_the_next_of_the_same_type() -> None:
    first, second = r("ec2.SecurityGroup", "a", id="sg-a"), r("ec2.SecurityGroup", "b", id="sg-b")
    found = made(first, second, r("lb.LoadBalancer", securityGroups=["sg-a"], needs={"securityGroups": first}))
    swapped = found["swap securityGroups → b"]
    assert inputs(swapped)["securityGroups"] == ["sg-b"]
    assert swapped.changed is not None
    assert swapped.changed["property_dependencies"] == {"securityGroups": (second["urn"],)}


@pytest.fixture(scope="module")
def staging() -> list[Record]:
    stack = Project.load(ROOT).stack("staging")
    recording = record(
        lambda: runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__"),
        stack="staging",
        config=stack.config,
        secret_keys=stack.secret_keys,
    )
    return [asdict(resource) for resource in recording.resources]


def test_the_guardrails_alone_report_every_weakening_of_staging(staging: list[Record]) -> None:
    evaluate = StackEvaluation(staging, TODAY)
    sample = [mutant for mutant in mutants(staging) if mutant.operator == "weaken"]
    assert len(sample) > 50
    assert [mutant.label for mutant in sample if not evaluate.reports(mutant)] == []
