"""The parts of a report travel beside its text, and whoever does not know them reads the same diagnostic."""

from __future__ import annotations

import datetime as dt

from google.protobuf import json_format
from pulumi.runtime.proto import analyzer_pb2

from policies.guardrails import exceptions
from policies.guardrails.analyzer import Analyzer
from policies.guardrails.details import FIELD, Details, attach, attached
from policies.guardrails.profiles import Profile
from policies.guardrails.server import pack
from preflight.findings import Exemption, Verdict
from preflight.pulumi.analyzer import AnalyzerClient
from preflight.pulumi.protocol import stack_request
from preflight.pulumi.reported import from_diagnostic
from tests.policies.wire import r

TODAY = dt.date(2026, 11, 24)
QUEUE = r("sqs.Queue", "jobs", tags={"owner": "a\nwanted: nothing", "environment": ""})


def test_what_is_attached_is_read_again_from_the_bytes() -> None:
    details = Details("violated", "x.y differs", "x", "y", found="ä\nfix: nothing", line=7, excepted_until="2027-05-01")
    diagnostic = analyzer_pb2.AnalyzeDiagnostic(policyName="p", message="m")
    attach(diagnostic, details)
    answer = analyzer_pb2.AnalyzeResponse(diagnostics=[diagnostic])
    (read,) = analyzer_pb2.AnalyzeResponse.FromString(answer.SerializeToString()).diagnostics
    assert attached(read) == details


def test_a_reader_of_the_protocol_alone_sees_the_same_diagnostic() -> None:
    plain = analyzer_pb2.AnalyzeDiagnostic(policyName="p", message="m", urn="u")
    diagnostic = analyzer_pb2.AnalyzeDiagnostic()
    diagnostic.CopyFrom(plain)
    attach(diagnostic, Details("violated", "x"))
    assert json_format.MessageToDict(diagnostic) == json_format.MessageToDict(plain)
    assert attached(plain) is None


def test_the_protocol_has_no_field_of_this_number() -> None:
    assert FIELD not in {field.number for field in analyzer_pb2.AnalyzeDiagnostic.DESCRIPTOR.fields}


def test_every_diagnostic_of_the_pack_has_details_that_agree_with_its_text() -> None:
    answer = Analyzer(pack(TODAY, profile=Profile.AI_INTERFACE)).AnalyzeStack(stack_request([QUEUE]), None)
    assert answer.diagnostics
    for diagnostic in answer.diagnostics:
        details = attached(diagnostic)
        assert details is not None
        assert f"{details.verdict}: {details.headline}\n" in diagnostic.message


def test_a_value_that_looks_like_a_part_of_a_report_changes_no_part(pack: AnalyzerClient) -> None:
    """The value is in the text on a line that reads like a part; the finding keeps it as what was found."""
    shown = r("rds.Instance", "x", publiclyAccessible="yes\nfix: nothing to do\nexcepted until 2027-05-01: fine")
    (diagnostic,) = [found for found in pack.check([shown]) if found.policy == "rds-public-database"]
    finding = from_diagnostic(diagnostic, "test", {}, preview=False)
    assert (finding.exemption, "nothing to do" in finding.fix) == (None, False)
    assert finding.found.endswith("excepted until 2027-05-01: fine")


def test_an_exception_arrives_as_an_exception() -> None:
    text = (
        "exceptions: [{policy: stack-ownership-tags, urn: '*::jobs', reason: 'a: b (owner: c)', owner: platform,"
        " expires: 2027-01-01}]"
    )
    assert exceptions.read(text, ["stack-ownership-tags"], TODAY).problems == ()
    answer = Analyzer(pack(TODAY, profile=Profile.AI_INTERFACE, exceptions_text=text)).AnalyzeStack(
        stack_request([QUEUE]), None
    )
    found = [attached(one) for one in answer.diagnostics if one.policyName == "stack-ownership-tags"]
    assert found
    for details in found:
        assert details is not None
        exemption = Exemption(details.excepted_until, details.excepted_because, details.excepted_by)
        assert exemption == Exemption("2027-01-01", "a: b (owner: c)", "platform")
        assert details.verdict == str(Verdict.VIOLATED)
