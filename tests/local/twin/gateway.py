"""Staging with every kind of upstream in its network: the committed file with other model groups, recorded as the committed one
is. Bedrock's Chat Completions, models and embeddings behind the gateway, and a server of another team with an API key."""

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
from tests.bootstrap.program import run_bootstrap, stack_file
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
MESSAGES, CONVERSE, BOTH, OWN, DOCUMENTS = "haiku", "sonnet", "both", "own", "docs"
"""The groups: the gateway by each of Bedrock's APIs, the gateway before Bedrock, a server of another team, and embeddings by the
gateway. Other stacks have Bedrock alone, and its other endpoint (``graphs.MANTLE``): with them, the task definition would be too
large."""
GROUPS = {
    MESSAGES: "anthropic.claude-3-haiku-20240307-v1:0",
    CONVERSE: "eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
    BOTH: "openai.gpt-oss-20b-1:0",
    OWN: "qwen3-235b",
}
"""Group of chat models → its model."""
EMBEDS = "amazon.titan-embed-text-v2:0"
SERVER, PORT, KEY = "llm.example.com", 9443, "llm"
"""Host and port of the other team's server, and the name of its key in bootstrap's ``modelKeys``."""


def declared(region: str) -> dict[str, Any]:
    """The model groups."""
    bedrock, gateway = {"kind": "bedrock", "region": region}, {"kind": "gateway", "region": region}
    profile = {**gateway, "destinationRegions": sorted({region, "eu-central-1", "eu-north-1", "eu-west-3"})}
    own = {
        "kind": "private",
        "hostName": SERVER,
        "port": PORT,
        "securityGroupId": "sg-0123456789abcdef0",
        "apiKeySecret": f"ai-interface/{STACK}/model-key-{KEY}",
    }
    upstreams = {
        MESSAGES: [gateway],
        CONVERSE: [profile],
        BOTH: [gateway, bedrock],
        OWN: [own],
    }
    groups = [{"name": name, "models": [GROUPS[name]], "upstreams": upstreams[name]} for name in GROUPS]
    embeds = {"name": DOCUMENTS, "models": [EMBEDS], "serves": ["embeddings"], "upstreams": [gateway]}
    return {"groups": [*groups, embeds], "gateway": {"messagesModels": [GROUPS[MESSAGES]]}}


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
        offered = {*GROUPS.values(), EMBEDS}
        missing = sorted(offered - {one["id"] for one in reviewed})
        added = [{"id": one, "reviewedBy": reviewer, "reason": "for the tests of the twin"} for one in missing]
        edit(folder, approved, models=[*reviewed, *added])
        edit(folder, release, models=sorted({*_read(folder, release)["models"], *offered}))
        file = folder / "recording"
        command = [sys.executable, "-c", RECORD, STACK, str(file)]
        done = subprocess.run(  # noqa: S603 - the copy's own program
            command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False
        )
        assert done.returncode == 0, done.stderr
        return Stack.of(cast("Recording", pickle.loads(file.read_bytes())))  # noqa: S301 - written by the line above


@functools.cache
def with_key() -> Stack:
    """Bootstrap of the account, with the secret for that server's key."""
    (environment,) = stack_file(STACK)["ai-interface-bootstrap:environments"]
    return Stack.of(run_bootstrap(STACK, environments=[{**environment, "modelKeys": [KEY]}]))


def _read(folder: Path, file: str) -> dict[str, Any]:
    return yaml.safe_load((folder / file).read_text(encoding="utf-8"))
