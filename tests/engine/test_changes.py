"""The plans behind ``docs/changes.md`` are what Pulumi's real engine does, step by step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from preflight.changes.refusals import Party
from tests.engine.conftest import Deployed
from tests.engine.echo.deletion import SNAPSHOT
from tests.engine.harness import Engine, Outcome, by_type, only
from tests.engine.takedown import allow_deletion
from tests.preflight.changes.edits import EDITS, Edit
from tests.preflight.changes.rows import Row, rows
from tests.settings.stack_files import changed

pytestmark = pytest.mark.engine

REPLACED = ("create-replacement", "replace", "delete-replaced")
TITLES = (
    "release (the release before)",
    "owner.team",
    "owner.contact",
    "domain.hostName",
    "domain.hostedZoneId",
    "network.cidrBlock",
    "network.cidrBlock (deletion allowed in the same change)",
    "network.availabilityZones (a zone added)",
    "network.availabilityZones (a zone replaced)",
    "identity.clientSecretName",
    "identity.machineClients (added)",
    "limits.promptMebibytes",
    "models.groups (a group added)",
    "data.database.snapshotIdentifier",
    "data.cache.replicas",
    "edge.clientCidrBlocks",
    "allowDeletion",
)
"""One of each kind, except another account or region and an existing VPC, which the fake provider does not have."""


def _change(engine: Engine, values: dict[str, Any]) -> None:
    """Edit the stack file by hand."""
    path = engine.project / f"Pulumi.{engine.stack}.yaml"
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    content["config"] = changed(content["config"], values)
    path.write_text(yaml.safe_dump(content), encoding="utf-8")


def _steps(outcome: Outcome) -> dict[str, str]:
    """URN → what happens to it, in the plan's words."""
    found: dict[str, str] = {}
    for event in outcome.events:
        metadata = event.get("resourcePreEvent", {}).get("metadata", {})
        if (
            metadata
            and metadata["op"] not in ("same", "read", "refresh")
            and "pulumi:providers:" not in metadata["urn"]
        ):
            found[metadata["urn"]] = "replace" if metadata["op"] in REPLACED else metadata["op"]
    return dict(sorted(found.items()))


def _of(title: str) -> tuple[Edit, Row]:
    return next(edit for edit in EDITS if edit.title == title), rows(*TITLES)[title]


@pytest.mark.parametrize("title", TITLES)
def test_the_engine_does_what_the_table_says(staging: Deployed, tmp_path: Path, title: str) -> None:
    edit, row = _of(title)
    engine = staging.fork(tmp_path)
    _change(engine, edit.changes)
    refused = any(party == Party.PULUMI for party, *_ in row.refusals)
    preview = engine.preview(code=1 if refused else 0)
    assert _steps(preview) == dict(row.steps)
    assert ("marked for protection" in preview.text or "because it is protected" in preview.text) is refused


def test_another_block_is_refused_before_anything_is_touched(staging: Deployed, tmp_path: Path) -> None:
    engine = staging.fork(tmp_path)
    edit, row = _of("network.cidrBlock")
    _change(engine, edit.changes)
    refused = engine.up(code=1)
    places = [place for party, place, *_ in row.refusals if party == Party.PULUMI]
    assert "network-vpc" in refused.text
    assert places[0] == "ec2.Vpc network-vpc.cidrBlock"
    assert engine.cloud.operations("create", "update", "delete") == []


def test_an_update_that_only_aws_would_refuse_stops_half_way(staging: Deployed, tmp_path: Path) -> None:
    """What the pull request's check is for: the engine lets one update unprotect the network and replace it."""
    engine = staging.fork(tmp_path)
    _change(engine, _of("network.cidrBlock (deletion allowed in the same change)")[0].changes)
    engine.up(code=1)
    assert engine.cloud.operations("create") != []


def test_another_network_is_reached_as_the_page_says(staging: Deployed, tmp_path: Path) -> None:
    engine = staging.fork(tmp_path)
    allow_deletion(engine)
    engine.destroy()
    snapshot = only([entry["id"] for entry in engine.cloud.live() if entry["type"] == SNAPSHOT])
    _change(
        engine,
        {
            "ai-interface:network.cidrBlock": "10.40.0.0/16",
            "ai-interface:data.database.snapshotIdentifier": snapshot,
            "ai-interface:allowDeletion": False,
        },
    )
    engine.up()
    resources = engine.resources()
    assert only(by_type(resources, "aws:ec2/vpc:Vpc"))["inputs"]["cidrBlock"] == "10.40.0.0/16"
    assert [r["urn"] for r in resources] == [r["urn"] for r in staging.engine.resources()]
    assert engine.preview().changes() == {}
