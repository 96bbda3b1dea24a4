"""A release from its manifest to prod and back, with the commands and the offline engine as people use them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.preflight.release.projects import FIRST, SECOND, THIRD, preflight, records, whole

PEOPLE = [
    *("--built-by", "@example/ai-platform", "--reviewed-by", "@example/ai-model-reviewers"),
    *("--approved-by", "@example/ai-release-managers", "--prompt-reviewed-by", "@example/ai-prompt-reviewers"),
]
OTHER_PROXY = "proxy=docker.io/envoyproxy/envoy:distroless-v1.39.2@sha256:" + "5e" * 32
MESSAGE = "Please ask the service desk about this."


def done(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def graph(folder: Path, stack: str) -> str:
    return done(preflight(folder, "graph", stack))


def deploy(folder: Path, stack: str) -> tuple[str, str]:
    """What the deploy job does, with the offline engine in the place of AWS: run the stack and record its output.

    Returns the release and the graph.
    """
    deployed = graph(folder, stack)
    resources = json.loads(deployed)["resources"]
    release = next(r for r in resources if r["type"] == "pulumi:pulumi:Stack")["outputs"]["release"]
    done(preflight(folder, "release", "record", stack, "--release", release))
    return release, deployed


def pointer(folder: Path, stack: str) -> str:
    content = yaml.safe_load((folder / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))
    return content["config"]["ai-interface:release"]


def test_release_staging_promote_bad_deploy_rollback_and_the_graph_is_the_first_one(tmp_path: Path) -> None:
    folder = whole(tmp_path)
    done(preflight(folder, "release", "promote", "prod"))
    assert deploy(folder, "prod")[0] == SECOND

    # A new proxy and another wording: a release.
    guardrail = folder / "prompts" / "guardrail.yaml"
    text = guardrail.read_text(encoding="utf-8")
    guardrail.write_text(text.replace("blockedPromptMessage: This", f"blockedPromptMessage: {MESSAGE} This"))
    edited = preflight(folder, "check")
    assert edited.returncode == 2
    assert "prompts/guardrail.yaml" in edited.stderr
    assert "python -m preflight release new" in edited.stderr
    done(preflight(folder, "release", "new", THIRD, "--image", OTHER_PROXY, *PEOPLE))
    first = graph(folder, "prod")  # with the new manifest on file: the program may depend on later schemas
    assert MESSAGE not in first

    # Prod waits for staging.
    early = preflight(folder, "release", "promote", "prod", "--release", THIRD)
    assert (early.returncode, pointer(folder, "prod")) == (1, SECOND)
    assert f"release {THIRD} is not recorded on staging" in early.stderr
    done(preflight(folder, "release", "promote", "staging"))
    assert deploy(folder, "staging")[0] == THIRD

    # Promoted, deployed, and found to be bad.
    promoted = done(preflight(folder, "release", "promote", "prod"))
    assert f"release {SECOND} → {THIRD}" in promoted
    assert "5e5e5e" in promoted
    deployed, bad = deploy(folder, "prod")
    assert deployed == THIRD
    assert "5e" * 32 in bad
    assert MESSAGE in bad
    assert bad != first

    # Back, without a build.
    back = done(preflight(folder, "release", "rollback", "prod"))
    assert f"release {THIRD} → {SECOND}" in back
    assert MESSAGE in back
    assert deploy(folder, "prod") == (SECOND, first)
    assert done(preflight(folder, "check")).endswith("clean: every policy is proven in every environment\n")


def test_a_release_is_not_promoted_while_the_environments_are_not_equal(tmp_path: Path) -> None:
    folder = whole(tmp_path)
    path = folder / "Pulumi.prod.yaml"
    text = path.read_text(encoding="utf-8").replace(
        "config:\n", "config:\n  ai-interface:limits: {promptMebibytes: 3}\n"
    )
    path.write_text(text, encoding="utf-8")
    refused = preflight(folder, "release", "promote", "prod")
    assert refused.returncode == 1
    assert f"with release {SECOND} on prod the check has" in refused.stderr
    assert "service-task.containerDefinitions[proxy]" in refused.stderr
    assert path.read_text(encoding="utf-8") == text


@pytest.mark.parametrize(("recorded", "clean"), [([("staging", FIRST)], True), ([("staging", SECOND)], False)])
def test_the_check_finds_a_prod_that_runs_ahead_of_staging(
    tmp_path: Path, recorded: list[tuple[str, str]], clean: bool
) -> None:
    folder = whole(tmp_path)
    records(folder, *recorded)
    checked = preflight(folder, "check", "--stack", "prod")
    assert checked.returncode == (0 if clean else 1), checked.stderr
    assert ("violated: release 2026.10.1 is not recorded on staging" in checked.stdout) is not clean
