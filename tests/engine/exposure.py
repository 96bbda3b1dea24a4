"""A forbidden change: the tasks' port is opened to the internet, in two steps."""

from __future__ import annotations

from pathlib import Path

from tests.engine.harness import Engine

POLICY = "reachability-no-internal-endpoint-reachable"
"""What refuses it."""
ON_ONE_RESOURCE = "vpc-open-ingress"
"""What refuses each of its rules alone."""

_RULES = """

from pulumi_aws import vpc  # noqa: E402

for half in ("0.0.0.0/1", "128.0.0.0/1"):
    vpc.SecurityGroupIngressRule(
        f"shortcut-{half}",
        security_group_id=private.workload.security_group_id,
        ip_protocol="tcp",
        from_port=8443,
        to_port=8443,
        cidr_ipv4=half,
        tags={"owner": settings.owner.team, "environment": settings.environment, "project": "ai-interface"},
    )
"""


def open_the_task_port(engine: Engine) -> None:
    """Add the rules to the environment's copy of the program."""
    add_rules(engine.project / "__main__.py")


def add_rules(program: Path) -> None:
    """Add the rules to a copy of the program."""
    program.write_text(program.read_text(encoding="utf-8") + _RULES, encoding="utf-8")
