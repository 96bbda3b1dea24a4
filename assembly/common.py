"""What several components are told in the same words."""

from releases.manifest import IMAGES, Release
from settings import StackSettings

MEBIBYTE = 1024 * 1024
REPOSITORY = "ai-interface"
"""Image repositories are ``ai-interface/<image>``; ``bootstrap`` makes them."""


def tags(settings: StackSettings) -> dict[str, str]:
    """What every resource carries. The release is not among them: it would touch the whole stack."""
    return {"owner": settings.owner.team, "environment": settings.environment, "project": REPOSITORY}


def repository_arns(settings: StackSettings) -> list[str]:
    """The image repositories, sorted."""
    registry = f"arn:aws:ecr:{settings.region}:{settings.account_id}:repository/{REPOSITORY}"
    return [f"{registry}/{name}" for name in sorted(IMAGES)]


def image(settings: StackSettings, release: Release, name: str) -> str:
    """The image's copy, by digest, in the account's own repository."""
    registry = f"{settings.account_id}.dkr.ecr.{settings.region}.amazonaws.com"
    return f"{registry}/{REPOSITORY}/{name}@{release.images[name].digest}"
