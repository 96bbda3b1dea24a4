"""The egress proxy's container definition as a pure function: Envoy, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass

from components.egress import envoy
from components.egress.settings import SERVICE, EgressSettings
from components.service.fargate import Definition, envoy_container, locked_down, secret_variables
from components.service.task_definition import check_size, encoded

CONTAINERS = (SERVICE,)
"""The containers of the task; each has its own log group. The name differs from those of the interface's task."""
CERTIFICATE, PRIVATE_KEY = "egress-certificate", "egress-private-key"
SECRETS = {envoy.CERTIFICATE_VARIABLE: CERTIFICATE, envoy.PRIVATE_KEY_VARIABLE: PRIVATE_KEY}
"""Variable → secret."""


@dataclass(frozen=True, kw_only=True)
class EgressPlan:
    """All inputs of the container definitions, with known values."""

    settings: EgressSettings
    image: str
    """Envoy's image by digest."""
    region: str
    secret_references: Mapping[str, str]
    """Secret → ``valueFrom``."""
    log_group_names: Mapping[str, str]
    """Container → log group."""
    stop_seconds: int


def container_definitions(plan: EgressPlan) -> str:
    """The definitions as JSON. Raises ``ValueError`` if AWS would refuse their size."""
    made = [_proxy(plan)]
    text = encoded(made)
    check_size(text, made)
    return text


def _proxy(plan: EgressPlan) -> Definition:
    return {
        **locked_down(
            SERVICE, log_group=plan.log_group_names[SERVICE], region=plan.region, stop_seconds=plan.stop_seconds
        ),
        **envoy_container(plan.settings.port, plan.settings.memory_bytes // (1024 * 1024)),
        "image": plan.image,
        "command": envoy.envoy_arguments(plan.settings),
        "secrets": secret_variables(SECRETS, plan.secret_references),
    }
