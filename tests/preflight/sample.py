"""A small project with a program, two stacks and a pack of another team, to run the whole engine on."""

from __future__ import annotations

from pathlib import Path

PROGRAM = """
import pulumi
import pulumi_aws as aws

config = pulumi.Config()
queue = aws.sqs.Queue("jobs", visibility_timeout_seconds=config.require_int("timeout"), tags={"of": pulumi.get_stack()})
pulumi.export("arn", queue.arn)
"""
PACK = """
from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy, StackValidationPolicy

def short(args, report):
    if args.resource_type == "aws:sqs/queue:Queue" and args.props["visibilityTimeoutSeconds"] > 60:
        report("Queue jobs.visibilityTimeoutSeconds is long\\n%d seconds, at most 60: lower it"
               % args.props["visibilityTimeoutSeconds"], args.urn)

def named(args, report):
    for resource in args.resources:
        if resource.resource_type == "aws:sqs/queue:Queue" and not resource.props["arn"].startswith("arn:"):
            report("Queue jobs.arn is odd", resource.urn)

PolicyPack("sample", [
    ResourceValidationPolicy("short-timeouts", "Timeouts are short.", short, EnforcementLevel.MANDATORY),
])
"""
CARELESS_PACK = PACK.replace(
    "])\n",
    """    StackValidationPolicy("named", "All have an ARN.", named, EnforcementLevel.MANDATORY),
])
""",
)
"""With a policy that uses a computed value without checking whether it is known."""


def sample_project(
    folder: Path, program: str = PROGRAM, pack: str = PACK, timeouts: tuple[int, int] = (30, 30)
) -> Path:
    """Write the project; ``timeouts`` are those of the stacks blue and green."""
    (folder / "policies" / "sample").mkdir(parents=True)
    (folder / "Pulumi.yaml").write_text("name: shop\nruntime: python\nconfig:\n  timeout: {type: integer}\n")
    for stack, timeout in zip(("blue", "green"), timeouts, strict=True):
        (folder / f"Pulumi.{stack}.yaml").write_text(f"config:\n  aws:region: eu-west-1\n  shop:timeout: {timeout}\n")
    (folder / "__main__.py").write_text(program)
    (folder / "policies" / "sample" / "__main__.py").write_text(pack)
    (folder / "policies" / "sample" / "PulumiPolicy.yaml").write_text("runtime: python\nversion: 1.0.0\n")
    return folder
