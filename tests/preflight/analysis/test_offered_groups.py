"""The groups of models that the stack files offer as comments pass every check once they are chosen, also together with a
server of one's own that needs a key."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.preflight.release.projects import ROOT, preflight, whole

STACKS = ("prod", "staging")
OWN = """      - name: own
        models: [qwen3-235b]
        upstreams:
          - kind: private
            hostName: llm.example.com
            securityGroupId: sg-0123456789abcdef0
            apiKeySecret: ai-interface/{stack}/model-key-llm
"""
pytestmark = pytest.mark.slow


def uncommented(text: str) -> str:
    """The text without the ``# `` in front of each line of a group that is offered."""
    return "\n".join(_lines(text.splitlines())) + "\n"


def _lines(lines: list[str]) -> Iterator[str]:
    inside = False
    for line in lines:
        inside = line.startswith("      # - name: ") or (inside and line.startswith("      #   "))
        yield re.sub(r"^( *)# ", r"\1", line) if inside else line


def groups(text: str) -> list[dict[str, object]]:
    return yaml.safe_load(text)["config"]["ai-interface:models"]["groups"]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = whole(tmp_path_factory.mktemp("offered"))
    for stack in STACKS:
        path = folder / f"Pulumi.{stack}.yaml"
        path.write_text(uncommented(path.read_text(encoding="utf-8")), encoding="utf-8")
    preflight(folder, "shapes", "--write")
    return folder


def with_an_own_server(folder: Path) -> None:
    """A server with a key in every stack, its secret in every bootstrap stack, and its model in every release."""
    for stack in STACKS:
        insert(folder / f"Pulumi.{stack}.yaml", before="      - name: claude\n", text=OWN.format(stack=stack))
        insert(folder / f"bootstrap/Pulumi.{stack}.yaml", before="      hostedZoneId:", text="      modelKeys: [llm]\n")
    for manifest in sorted((folder / "releases").glob("20*.yaml")):
        insert(manifest, before="guardrail:\n", text="  - qwen3-235b\n")
    models = folder / "releases/models.yaml"
    models.write_text(
        models.read_text(encoding="utf-8")
        + '  - {id: qwen3-235b, reviewedBy: "@example/ai-model-reviewers", reason: Runs on our own servers.}\n',
        encoding="utf-8",
    )


def insert(path: Path, *, before: str, text: str) -> None:
    content = path.read_text(encoding="utf-8")
    assert content.count(before) == 1, (path, before)
    path.write_text(content.replace(before, text + before), encoding="utf-8")


@pytest.mark.parametrize("stack", STACKS)
def test_an_open_model_is_on_and_claude_and_embeddings_are_offered(stack: str) -> None:
    text = (ROOT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8")
    assert [one["name"] for one in groups(text)] == ["general"]
    assert [one["name"] for one in groups(uncommented(text))] == ["general", "claude", "documents"]


@pytest.mark.parametrize("command", ["check", "conform"])
def test_what_is_offered_passes_once_it_is_chosen_in_both_stacks(project: Path, command: str) -> None:
    done = preflight(project, command)
    assert done.returncode == 0, done.stdout
    assert "clean" in done.stdout


def test_documents_are_embedded_and_claude_is_listed(project: Path) -> None:
    graph = preflight(project, "graph", "prod", "--format", "json").stdout
    assert '{"name":"RAG_EMBEDDING_MODEL","value":"amazon.titan-embed-text-v2:0"}' in graph.replace('\\"', '"')
    assert "anthropic.claude-sonnet-4-5" in graph


def test_an_own_server_with_a_key_passes_as_well(project: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(project, tmp_path / "all"))
    with_an_own_server(folder)
    preflight(folder, "shapes", "--write")
    for command in ("check", "conform"):
        done = preflight(folder, command)
        assert done.returncode == 0, done.stdout
        assert "clean" in done.stdout
