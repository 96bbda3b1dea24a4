"""What a team chooses under ``ai-interface:edge`` reaches the load balancer, the log bucket and the firewall."""

from __future__ import annotations

import json
import runpy

import pytest

from preflight.recorder import Recording, record
from settings import SettingsError
from tests.settings.stack_files import ROOT, as_the_engine_passes_it


def staging(**edge: object) -> Recording:
    """The real program for staging, with these choices at the edge."""
    config = {**as_the_engine_passes_it("staging"), "ai-interface:edge": json.dumps(edge)}
    return record(
        lambda: runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__"), stack="staging", config=config
    )


def test_the_choices_reach_what_they_are_about() -> None:
    reader = "arn:aws:iam::111122223333:role/log-readers"
    recording = staging(
        tlsPolicy="ELBSecurityPolicy-TLS13-1-3-PQ-2025-09",
        clientCidrBlocks=["198.51.100.0/24"],
        logReaderArns=[reader],
        countOnlyRules=["core"],
        contentSecurityPolicy="default-src 'self'",
    )
    listener = next(r for r in recording.of_type("aws:lb/listener:Listener") if r.inputs["port"] == 443)
    entrances = {
        r.inputs["cidrIpv4"]
        for r in recording.of_type("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
        if "cidrIpv4" in r.inputs
    }
    bucket_policy = next(r for r in recording.of_type("aws:s3/bucketPolicy:BucketPolicy") if r.name == "edge-logs")
    (acl,) = recording.of_type("aws:wafv2/webAcl:WebAcl")
    core = next(rule for rule in acl.inputs["rules"] if rule["name"] == "core")
    assert listener.inputs["sslPolicy"] == "ELBSecurityPolicy-TLS13-1-3-PQ-2025-09"
    assert listener.inputs["routingHttpResponseContentSecurityPolicyHeaderValue"] == "default-src 'self'"
    assert entrances == {"198.51.100.0/24"}
    assert reader in bucket_policy.inputs["policy"]
    assert core["overrideAction"] == {"count": {}}


def test_a_rule_that_does_not_exist_is_a_mistake_in_the_settings() -> None:
    with pytest.raises(SettingsError) as caught:
        staging(countOnlyRules=["cores"])
    (problem,) = caught.value.problems
    assert (problem.key, problem.value, problem.fix) == (
        "ai-interface:edge.countOnlyRules",
        '"cores"',
        "did you mean core?",
    )
