"""Policies that the evaluator cannot evaluate: whether they allow a request is unknown, so a check reports them, and
nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from preflight.conform.iam.evaluator import not_understood
from preflight.findings import Finding, Verdict
from preflight.recording.recorder import RecordedResource, Recording
from preflight.sdk.wire import unwrap

OPERATORS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html"
ENDPOINT, BUCKET = "aws:ec2/vpcEndpoint:VpcEndpoint", "aws:s3/bucketPolicy:BucketPolicy"
KEY, POLICY, ROLE_POLICY = "aws:kms/key:Key", "aws:iam/policy:Policy", "aws:iam/rolePolicy:RolePolicy"


def findings(recording: Recording, rule: str, resources: Iterable[RecordedResource]) -> list[Finding]:
    """One finding for each statement of the resources' policies that cannot be evaluated."""
    return [
        Finding(
            environment=recording.stack,
            rule=rule,
            verdict=Verdict.NOT_PROVEN,
            headline=f"{resource.type} {resource.name}: statement {name} of its policy cannot be evaluated",
            urn=resource.urn,
            found=f"{what}, which the evaluation of policies does not know; no request was checked",
            wanted=f"operators that IAM has ({OPERATORS}), and elements that preflight/conform/iam/evaluator.py implements",
            fix="correct the name, or write the statement with another element",
            pack="conform",
            source_file=resource.source_file,
            source_line=resource.source_line,
        )
        for resource in resources
        for name, statement in _statements(resource)
        for what in not_understood(statement)
    ]


def of_types(recording: Recording, *types: str) -> Iterator[RecordedResource]:
    """The resources of these types."""
    return (resource for type_ in types for resource in recording.of_type(type_))


def _statements(resource: RecordedResource) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """``Sid`` or position, and content, of each statement of the resource's ``policy``."""
    document = unwrap(resource.inputs.get("policy"))
    read = json.loads(document) if isinstance(document, str) else document
    found = cast("Mapping[str, Any]", read or {}).get("Statement", [])
    for number, statement in enumerate(
        cast("list[Mapping[str, Any]]", found if isinstance(found, list) else [found]), 1
    ):
        yield str(statement.get("Sid", number)), statement
