"""Arguments that several components share."""

from collections.abc import Callable

import pulumi

from releases.manifest import REQUIRED_IMAGES, Release
from settings import StackSettings
from settings.upstreams import Upstream

MEBIBYTE = 1024 * 1024
REPOSITORY = "ai-interface"
"""Image repositories are ``ai-interface/<image>``; ``bootstrap`` creates them."""


def tags(settings: StackSettings) -> dict[str, str]:
    """The tags of every resource. They do not include the release, because a new release would then change every
    resource."""
    return {"owner": settings.owner.team, "environment": settings.environment, "project": REPOSITORY}


def repository_arns(settings: StackSettings, *names: str) -> list[str]:
    """Image repositories, sorted; without names, those of the interface's task."""
    registry = f"arn:aws:ecr:{settings.region}:{settings.account_id}:repository/{REPOSITORY}"
    return [f"{registry}/{name}" for name in sorted(names or REQUIRED_IMAGES)]


def image(settings: StackSettings, release: Release, name: str) -> str:
    """The image by digest, in the account's repository."""
    registry = f"{settings.account_id}.dkr.ecr.{settings.region}.amazonaws.com"
    return f"{registry}/{REPOSITORY}/{name}@{release.images[name].digest}"


def longest_silence(settings: StackSettings, calls: Callable[[Upstream], object]) -> int:
    """How long a server of the upstreams for which ``calls`` is true may be silent, in seconds. At least one must exist."""
    return max(
        settings.limits.timeouts.silence_seconds(len(group.upstreams))
        for group in settings.models.groups
        if any(calls(upstream) for upstream in group.upstreams)
    )


def together(*lists: pulumi.Output[list[str]]) -> pulumi.Output[list[str]]:
    """Several lists as one, sorted."""
    return pulumi.Output.all(*lists).apply(lambda known: sorted(str(one) for listed in known for one in listed))
