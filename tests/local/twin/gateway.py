"""Staging with models behind the gateway: the committed file with other model groups, recorded as the committed one is."""

from __future__ import annotations

import functools
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, cast

import yaml

from local.stack import Stack
from preflight.recording.recorder import Recording
from tests.preflight.release.projects import edit, whole

STACK = "staging"
RECORD = """
import pickle, sys
from pathlib import Path
from local.stack import recorded
_, stack, file = sys.argv
Path(file).write_bytes(pickle.dumps(recorded(stack).recording))
"""
SECONDS = 300
DIRECT, MESSAGES, CONVERSE, BOTH = "open", "haiku", "sonnet", "both"
"""The groups: Bedrock's Chat Completions, the gateway by each of Bedrock's own APIs, and the gateway before Bedrock."""
GROUPS = {
    DIRECT: "openai.gpt-oss-120b-1:0",
    MESSAGES: "anthropic.claude-3-haiku-20240307-v1:0",
    CONVERSE: "eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
    BOTH: "openai.gpt-oss-20b-1:0",
}
"""Group → its model."""


def declared(region: str) -> dict[str, Any]:
    """The model groups."""
    bedrock, gateway = {"kind": "bedrock", "region": region}, {"kind": "gateway", "region": region}
    profile = {**gateway, "destinationRegions": sorted({region, "eu-central-1", "eu-north-1", "eu-west-3"})}
    upstreams = {DIRECT: [bedrock], MESSAGES: [gateway], CONVERSE: [profile], BOTH: [gateway, bedrock]}
    groups = [{"name": name, "models": [GROUPS[name]], "upstreams": upstreams[name]} for name in GROUPS]
    return {"groups": groups, "gateway": {"messagesModels": [GROUPS[MESSAGES]]}}


@functools.cache
def with_gateway() -> Stack:
    """Run the program in a copy of the project, for a stack file and a release with these models."""
    with tempfile.TemporaryDirectory(prefix="stack-file-") as name:
        folder = whole(Path(name))
        config = _read(folder, f"Pulumi.{STACK}.yaml")["config"]
        models = declared(str(config["aws:region"]))
        edit(folder, f"Pulumi.{STACK}.yaml", config={**config, "ai-interface:models": models})
        release, approved = f"releases/{config['ai-interface:release']}.yaml", "releases/models.yaml"
        reviewed = _read(folder, approved)["models"]
        reviewer = reviewed[0]["reviewedBy"]
        missing = sorted(set(GROUPS.values()) - {one["id"] for one in reviewed})
        added = [{"id": one, "reviewedBy": reviewer, "reason": "for the tests of the twin"} for one in missing]
        edit(folder, approved, models=[*reviewed, *added])
        edit(folder, release, models=sorted({*_read(folder, release)["models"], *GROUPS.values()}))
        file = folder / "recording"
        command = [sys.executable, "-c", RECORD, STACK, str(file)]
        done = subprocess.run(  # noqa: S603 - the copy's own program
            command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False
        )
        assert done.returncode == 0, done.stderr
        return Stack.of(cast("Recording", pickle.loads(file.read_bytes())))  # noqa: S301 - written by the line above


def _read(folder: Path, file: str) -> dict[str, Any]:
    return yaml.safe_load((folder / file).read_text(encoding="utf-8"))
