"""A VPC that exists: what AWS says of its route tables goes to the network, and may not contradict the settings."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi_aws as aws
import pytest

from assembly.existing import existing_network
from preflight.recording.recorder import record
from settings import SettingsError
from settings.sections import ExistingNetwork

PRIVATE = ("subnet-00000003", "subnet-00000004")
GIVEN = ExistingNetwork(
    vpc_id="vpc-00000001",
    public_subnet_ids=("subnet-00000001", "subnet-00000002"),
    private_subnet_ids=PRIVATE,
    private_route_table_ids=("rtb-00000001",),
)


def aws_says(monkeypatch: pytest.MonkeyPatch, tables: Mapping[str, Mapping[str, str]]) -> None:
    """AWS's answers: table → subnet → what associates the two."""

    def used(**_: object) -> aws.ec2.GetRouteTablesResult:
        return aws.ec2.GetRouteTablesResult(filters=None, id="x", ids=list(tables), region="x", tags={}, vpc_id=None)

    class Table:
        def __init__(self, route_table_id: str) -> None:
            self.associations = [
                aws.ec2.outputs.GetRouteTableAssociationResult(
                    gateway_id="",
                    main=False,
                    route_table_association_id=association,
                    route_table_id=route_table_id,
                    subnet_id=subnet,
                )
                for subnet, association in tables[route_table_id].items()
            ]

    monkeypatch.setattr(aws.ec2, "get_route_tables", used)
    monkeypatch.setattr(aws.ec2, "get_route_table", Table)


def test_offline_no_association_is_known_so_nothing_is_claimed() -> None:
    found: list[list[str]] = []
    record(lambda: found.append(existing_network(GIVEN, "test").private_route_table_association_ids))

    assert found == [[]]


def test_each_private_subnet_s_association_follows_the_order_of_the_zones(monkeypatch: pytest.MonkeyPatch) -> None:
    aws_says(
        monkeypatch, {"rtb-00000001": {PRIVATE[1]: "rtbassoc-2", "subnet-99999999": "other", PRIVATE[0]: "rtbassoc-1"}}
    )

    assert existing_network(GIVEN, "test").private_route_table_association_ids == ["rtbassoc-1", "rtbassoc-2"]


def test_a_subnet_that_uses_the_main_table_leaves_the_routes_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    aws_says(monkeypatch, {"rtb-00000001": {PRIVATE[0]: "rtbassoc-1"}})

    assert existing_network(GIVEN, "test").private_route_table_association_ids == []


def test_a_subnet_with_another_table_than_the_settings_say_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    aws_says(monkeypatch, {"rtb-00000001": {PRIVATE[0]: "rtbassoc-1"}, "rtb-00000002": {PRIVATE[1]: "rtbassoc-2"}})

    with pytest.raises(SettingsError) as caught:
        existing_network(GIVEN, "test")
    (problem,) = caught.value.problems
    assert (problem.key, problem.value, problem.allowed) == (
        "ai-interface:network.existing.privateRouteTableIds",
        "rtb-00000001",
        "the route table that subnet-00000004 uses in AWS: rtb-00000002",
    )
