"""The effect of a change on the stacks of a project that keeps no record of its deployments, with types that are not listed here."""

from __future__ import annotations

from collections.abc import Callable

import pulumi
import pulumi_aws as aws

from preflight.analysis.since import StackChange, refused_lines
from preflight.changes.monitor import planned
from preflight.changes.refusals import refusals
from preflight.recording.recorder import record
from preflight.review.operation import steps


def change(before: Callable[[], object], after: Callable[[], object]) -> list[str]:
    plan = planned(after, record(before, strict=False), config={}, strict=False)
    refused = tuple((refusal, None) for refusal in refusals(plan))
    change = StackChange("dev", plan, running=False, settings=(), refused=refused, has_record=False)
    return [*refused_lines(change), *steps(plan)]


def files(mode: str, *, protect: bool = False, cidr: str = "10.0.0.0/16") -> Callable[[], object]:
    def program() -> None:
        aws.efs.FileSystem("files", performance_mode=mode)
        aws.ec2.Vpc("main", cidr_block=cidr, opts=pulumi.ResourceOptions(protect=protect))

    return program


def test_a_type_without_a_row_is_not_called_changed_in_place() -> None:
    (line,) = change(files("generalPurpose"), files("maxIO"))
    assert line == "in place or replaced, which is not known here for these types: efs.FileSystem"


def test_refusals_are_shown_although_it_is_not_known_whether_the_stack_runs() -> None:
    first, *_ = change(files("maxIO", protect=True), files("maxIO", protect=True, cidr="10.1.0.0/16"))
    assert first.startswith("on a running stack, refused by Pulumi, at preview: ")
    assert "ec2.Vpc main" in first
