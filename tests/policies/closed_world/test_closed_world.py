"""The table of resource types is complete, is what the SDK and the review give, and silences nothing that may expose."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import pytest

from policies.guardrails.topology.graph import types
from policies.guardrails.topology.graph.resources import Graph, Resource
from policies.guardrails.topology.graph.types import Kind, kinds
from policies.guardrails.topology.reachability.claims.not_modelled import PLACED, not_modelled
from tests.policies.closed_world import generate
from tests.policies.closed_world.generate import OF_A_TYPE, classified, committed, holders, reviewed, table
from tests.policies.sdk_schema import tokens
from tests.policies.wire import token

NAMED = sorted(kind for kind, row in kinds().items() if row.class_ in ("grants", "endpoint"))
SILENT = sorted(kind for kind, row in kinds().items() if row.class_ == "none")
LEFT = sorted((kind, path) for kind, row in kinds().items() for path in row.unread)
LEAST = 1500
"""The number of types below which the SDK cannot have been read in full."""


def found(kind: str, **properties: object) -> list[str]:
    resource = Resource(f"urn:{kind}", token(kind), "x", properties=properties)
    return [finding.found for finding in not_modelled(Graph([resource]))]


def nested(path: str, leaf: str = "x") -> dict[str, Any]:
    """A value at a path."""
    value: Any = leaf
    for step in reversed(path.split(".")):
        value = {step: value}
    return value


def _never(_kind: str, _path: str) -> bool:
    return False


def test_every_type_of_the_sdk_is_in_the_table() -> None:
    assert len(tokens()) > LEAST
    assert sorted(tokens()) == sorted(kinds()), (
        "run python -m tests.policies.closed_world --write and review the change"
    )


def test_a_row_says_what_it_holds_or_why_it_holds_nothing() -> None:
    assert {row.class_ for row in kinds().values()} == set(OF_A_TYPE)
    assert [kind for kind, row in kinds().items() if row.class_ != "modelled" and not row.note] == []


@pytest.mark.slow
def test_the_table_is_what_the_sdk_the_pack_and_the_review_give() -> None:
    assert table() == committed(), "run python -m tests.policies.closed_world --write and review the change"


def test_each_type_that_may_expose_something_is_named_with_what_it_can_hold() -> None:
    assert [kind for kind in NAMED if found(kind) != [f"can hold {kinds()[kind].note}"]] == []


def test_a_type_is_named_once_with_the_number_of_its_resources() -> None:
    resources = [Resource(f"urn:{name}", token("amplify.App"), name) for name in "abc"]
    [finding] = not_modelled(Graph(resources))
    assert finding.urn == "urn:a"
    assert "as 2 more of this type" in finding.found


def test_a_type_that_cannot_expose_anything_is_silent() -> None:
    assert [kind for kind in SILENT if found(kind)] == []


@pytest.mark.parametrize(("kind", "path"), LEFT)
def test_a_property_that_no_policy_reads_is_named_when_it_is_set(kind: str, path: str) -> None:
    assert found(kind) == []
    [message] = found(kind, **nested(path))
    assert path in message


def test_a_type_that_is_newer_than_the_table_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(types, "kinds", dict)
    monkeypatch.setattr("policies.guardrails.topology.reachability.claims.not_modelled.kinds", dict[str, Kind])
    [message] = found("sqs.Queue", policy="{}")
    assert "does not know: policy" in message


def _forget() -> None:
    """Read the source again: the modules may have changed."""
    generate.tables.cache_clear()
    generate.read_words.cache_clear()


@pytest.fixture
def reread() -> Iterator[None]:
    _forget()
    yield
    _forget()


@pytest.mark.usefixtures("reread")
@pytest.mark.parametrize(
    ("gone", "kind", "path"),
    [
        (("iam", "rules.iam."), "amp.ResourcePolicy", "policyDocument"),
        (("shared_with", "rules.iam."), "ram.ResourceShareAssociationsExclusive", "principals"),
        (("public_switches", "rules.stack."), "grafana.Workspace", "networkAccessControl"),
    ],
)
def test_a_property_that_no_module_reads_any_more_is_noticed(
    gone: tuple[str, str], kind: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (classified(kind).class_, generate.unread(kind)) == ("modelled", {})
    left = [module for module in generate.modules() if module != gone[0] and not module.startswith(gone[1])]
    monkeypatch.setattr(generate, "modules", lambda: left)
    _forget()
    assert any(found.startswith(path) for found in generate.unread(kind))
    assert classified(kind).class_ == "grants"


def test_a_new_type_with_a_policy_is_not_taken_for_harmless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate, "reviewed", tuple)
    monkeypatch.setattr(generate, "is_read", _never)
    assert classified("sqs.QueuePolicy").class_ == "grants"
    assert classified("synthetics.Canary").class_ == "endpoint"


PARTS = {
    "agentregistry.Registry": "a client of its identity provider",
    "bedrock.AgentcoreGateway": "a client of its identity provider",
    "bedrock.AgentcoreRegistry": "a client of its identity provider",
    "dms.InstanceProfile": "settings of instances that the service makes; its public switch is read",
    "ec2clientvpn.NetworkAssociation": "reported by vpc-joined-networks-are-named",
    "fsx.S3AccessPointAttachment": "a network that limits callers",
    "grafana.Workspace": "a client of data sources",
    "s3.AccessPoint": "a network that limits callers",
    "sagemaker.Workforce": "a network that limits callers",
    "vpclattice.ServiceNetworkVpcAssociation": "reported by vpc-joined-networks-are-named",
}
"""Evaluated types whose subnets or groups are not their own place, with what they are; parts of the network aside."""
_OF_THE_NETWORK = ("ec2.", "vpc.SecurityGroup")


@pytest.mark.slow
def test_every_evaluated_type_with_own_subnets_or_groups_is_placed() -> None:
    evaluated = [kind for kind, row in kinds().items() if row.class_ == "modelled" and kind not in PLACED]
    left = [
        kind for kind in evaluated if not kind.startswith(_OF_THE_NETWORK) and "a network" in holders(kind).values()
    ]
    assert left == sorted(PARTS)


def test_every_row_of_the_review_is_about_something() -> None:
    rows = [row for row in reviewed() if row.path == "-"]
    assert [row.kinds for row in rows if row.kinds not in tokens() or row.verdict not in OF_A_TYPE] == []


@pytest.mark.slow
def test_every_property_of_the_review_is_one_that_can_hold_something() -> None:
    held = {kind: holders(kind) for kind in tokens()}
    idle = [
        row
        for row in reviewed()
        if row.path != "-"
        and not any(fnmatchcase(path, row.path) for kind in held if fnmatchcase(kind, row.kinds) for path in held[kind])
    ]
    assert [(row.kinds, row.path) for row in idle] == []
