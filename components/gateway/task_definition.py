"""The gateway's container definitions as a pure function: LiteLLM, then its Envoy, then what delays Envoy's end. No container
runs as root."""

from collections.abc import Mapping
from dataclasses import dataclass

from components.gateway import drain, envoy, litellm
from components.gateway.settings import PORT, GatewaySettings
from components.service.fargate import (
    Definition,
    environment_variables,
    envoy_container,
    health_check,
    locked_down,
    secret_variables,
)
from components.service.task_definition import check_size, encoded

PROXY, TRANSLATOR = "gateway-proxy", "gateway"
CONTAINERS = (PROXY, TRANSLATOR)
"""The containers that serve requests; each has its own log group. The names differ from those of the interface's task."""
USER = 65534
"""The user that LiteLLM's image for users other than root runs as."""
START_SECONDS = 120
"""LiteLLM imports for about 15 seconds on one vCPU."""

_DRAIN_MEBIBYTES = 32

CERTIFICATE, PRIVATE_KEY, KEY = "gateway-certificate", "gateway-private-key", "gateway-key"
PROXY_SECRETS = {
    envoy.CERTIFICATE_VARIABLE: CERTIFICATE,
    envoy.PRIVATE_KEY_VARIABLE: PRIVATE_KEY,
    litellm.KEY_VARIABLE: KEY,
}
"""Variable → secret of the container with Envoy."""
TRANSLATOR_SECRETS = {litellm.KEY_VARIABLE: KEY}


@dataclass(frozen=True, kw_only=True)
class GatewayPlan:
    """All inputs of the container definitions, with known values."""

    settings: GatewaySettings
    image: str
    """LiteLLM's image by digest."""
    proxy_image: str
    """Envoy's image by digest."""
    secret_references: Mapping[str, str]
    """Secret → ``valueFrom``."""
    log_group_names: Mapping[str, str]
    """Container → log group."""
    stop_seconds: int


def container_definitions(plan: GatewayPlan) -> str:
    """The definitions as JSON, in the order in which the containers start. Raises ``ValueError`` if AWS would refuse
    their size."""
    made = definitions(plan)
    text = encoded(made)
    check_size(text, made)
    return text


def definitions(plan: GatewayPlan) -> list[Definition]:
    """The containers in start order, without a check of their size."""
    return [_translator(plan), _proxy(plan), _drain(plan)]


def _translator(plan: GatewayPlan) -> Definition:
    entry_point, *arguments = litellm.command()
    return {
        **_common(plan, TRANSLATOR),
        "entryPoint": [entry_point],
        "command": arguments,
        "image": plan.image,
        "essential": True,
        "user": f"{USER}:{USER}",
        "environment": environment_variables(litellm.environment(plan.settings)),
        "secrets": secret_variables(TRANSLATOR_SECRETS, plan.secret_references),
        "healthCheck": health_check(litellm.HEALTH_COMMAND, START_SECONDS),
    }


def _proxy(plan: GatewayPlan) -> Definition:
    return {
        **_common(plan, PROXY),
        **envoy_container(PORT, plan.settings.proxy_memory_bytes // (1024 * 1024)),
        "image": plan.proxy_image,
        "command": envoy.envoy_arguments(plan.settings),
        "secrets": secret_variables(PROXY_SECRETS, plan.secret_references),
        # The port is open once LiteLLM answers: a task that is found by its name works.
        "dependsOn": [{"containerName": TRANSLATOR, "condition": "HEALTHY"}],
    }


def _drain(plan: GatewayPlan) -> Definition:
    entry_point, *arguments = drain.command(plan.stop_seconds)
    return {
        **_common(plan, drain.NAME, log=PROXY),
        "entryPoint": [entry_point],
        "command": arguments,
        "image": plan.image,
        # Without it, the task works and a deployment cuts answers.
        "essential": False,
        "user": f"{USER}:{USER}",
        "memory": _DRAIN_MEBIBYTES,
        "dependsOn": [{"containerName": PROXY, "condition": "START"}],
    }


def _common(plan: GatewayPlan, name: str, log: str = "") -> Definition:
    return locked_down(
        name, log_group=plan.log_group_names[log or name], region=plan.settings.region, stop_seconds=plan.stop_seconds
    )
