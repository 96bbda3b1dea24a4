"""The task's container definitions as a pure function: the proxy's model side, then what asks it. No container runs as root."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from components.prepare import compact, packed
from components.proxy.settings import ProxySettings
from components.service.fargate import (
    Definition,
    environment_variables,
    envoy_container,
    locked_down,
    secret_variables,
)
from components.service.task_definition import check_size, encoded
from components.synthetic.settings import (
    ANSWER_SECONDS,
    ANSWER_TOKENS,
    METRICS_NAMESPACE,
    NAME,
    PROMPT,
    PROXY,
    PROXY_MEBIBYTES,
)

PLAN_VARIABLE = "SYNTHETIC_CHAT_PLAN"
USER = 65534
"""A user without files: the script needs none."""
STOP_SECONDS = 30
SCRIPT = packed({"components.synthetic.probe": compact(Path(__file__).with_name("probe.py").read_text("utf-8"))})
"""The command's text."""


@dataclass(frozen=True, kw_only=True)
class SyntheticPlan:
    """All inputs of the container definitions, with known values."""

    environment: str
    region: str
    groups: Sequence[tuple[str, str]]
    """Group and the model that is asked."""
    interface_image: str
    """The application's image by digest, for its Python."""
    proxy_image: str
    """Envoy's image by digest."""
    proxy_arguments: Sequence[str]
    """Envoy's arguments, ``model_arguments`` of the settings that ``asking`` returns."""
    proxy_secrets: Mapping[str, str]
    """Variable → name of a secret in ``secret_references``."""
    secret_references: Mapping[str, str]
    """Secret → ``valueFrom``."""
    log_group_names: Mapping[str, str]
    """Container → log group."""


def container_definitions(plan: SyntheticPlan) -> str:
    """The definitions as JSON. Raises ``ValueError`` if AWS would refuse their size."""
    made = [_proxy(plan), _probe(plan)]
    text = encoded(made)
    check_size(text, made)
    return text


def _proxy(plan: SyntheticPlan) -> Definition:
    return {
        **_common(plan, PROXY),
        **envoy_container(None, PROXY_MEBIBYTES),
        "image": plan.proxy_image,
        "command": list(plan.proxy_arguments),
        "secrets": secret_variables(plan.proxy_secrets, plan.secret_references),
    }


def _probe(plan: SyntheticPlan) -> Definition:
    instructions = {
        "environment": plan.environment,
        "groups": sorted([group, model] for group, model in plan.groups),
        "namespace": METRICS_NAMESPACE,
        "port": ProxySettings.model_port,
        "prompt": PROMPT,
        "seconds": ANSWER_SECONDS,
        "tokens": ANSWER_TOKENS,
    }
    return {
        **_common(plan, NAME),
        "entryPoint": ["python3"],
        "command": ["-I", "-c", SCRIPT],
        "image": plan.interface_image,
        # The task ends with it.
        "essential": True,
        "user": f"{USER}:{USER}",
        "environment": environment_variables({PLAN_VARIABLE: json.dumps(instructions, separators=(",", ":"))}),
        "secrets": [],
        "dependsOn": [{"containerName": PROXY, "condition": "START"}],
    }


def _common(plan: SyntheticPlan, name: str) -> Definition:
    return locked_down(name, log_group=plan.log_group_names[name], region=plan.region, stop_seconds=STOP_SECONDS)
