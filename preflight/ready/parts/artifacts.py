"""The images and the client secret exist before the service refers to them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from preflight.account.lines import Group, Line, joined
from preflight.ready.context import Part, ReadyContext
from preflight.ready.wanted import Image

INDEXES = (
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.index.v1+json",
)
"""Media types of a manifest that lists one image for each platform."""


def images(context: ReadyContext, group: Group) -> Iterator[Line]:
    """Every image of the task is in ECR with its digest and the release's tag, for the task's processor architecture."""
    wanted = context.wanted
    copy = f".venv/bin/python -m bootstrap.copy_images --stack {wanted.stack}"
    for image in wanted.images:
        found = context.account.find(
            "ecr",
            "describe_images",
            ("ImageNotFoundException", "RepositoryNotFoundException"),
            image.region,
            registryId=image.registry,
            repositoryName=image.repository,
            imageIds=[{"imageDigest": image.digest}],
        )
        if not found or not found["imageDetails"]:
            yield group.missing(image.repository, f"{image.digest} is not in the repository", copy)
            continue
        details = found["imageDetails"][0]
        tag = wanted.release.tag
        yield group.holds(
            image.repository,
            tag in details.get("imageTags", []),
            f"{image.digest} with the tags {joined(sorted(details.get('imageTags', [])))}",
            f"{copy} (without the tag {tag} the image expires as untagged)",
        )
        yield _platform(context, group, image, str(details.get("imageManifestMediaType", "")))


def _platform(context: ReadyContext, group: Group, image: Image, media_type: str) -> Line:
    subject, wanted = f"{image.repository} platform", context.wanted.architecture
    if media_type not in INDEXES:
        return group.cannot_tell(
            subject,
            f"the image is for one platform, which its manifest ({media_type or 'of no type'}) does not name",
            f"check that it is linux/{wanted}: crane config {image.repository}@{image.digest}",
        )
    answer = context.account.ask(
        "ecr",
        "batch_get_image",
        image.region,
        registryId=image.registry,
        repositoryName=image.repository,
        imageIds=[{"imageDigest": image.digest}],
        acceptedMediaTypes=list(INDEXES),
    )
    manifest: dict[str, Any] = json.loads(answer["images"][0]["imageManifest"]) if answer.get("images") else {}
    platforms = sorted(
        f"{entry['platform'].get('os')}/{entry['platform'].get('architecture')}"
        for entry in manifest.get("manifests", [])
        if entry.get("platform", {}).get("os") not in {None, "unknown"}
    )
    return group.holds(
        subject,
        f"linux/{wanted}" in platforms,
        f"the index contains {joined(platforms)}",
        f"copy an image that supports linux/{wanted}, or change capacity.architecture",
    )


def client_secret(context: ReadyContext, group: Group) -> Iterator[Line]:
    """The client secret has a current value. The value itself is never read."""
    name = context.wanted.settings.identity.client_secret_name
    yield from _secret(
        context, group, name, f"run pulumi up in bootstrap/, which creates it for {context.wanted.stack}"
    )


def model_keys(context: ReadyContext, group: Group) -> Iterator[Line]:
    """Every secret with a model server's API key has a current value, and the tags without which the tasks' permissions
    boundary denies it. The value itself is never read."""
    for name in context.wanted.model_keys:
        yield from _secret(
            context,
            group,
            name,
            f"add it to modelKeys of {context.wanted.stack} in bootstrap/ and run pulumi up there, or correct apiKeySecret",
        )


def alert_endpoints(context: ReadyContext, group: Group) -> Iterator[Line]:
    """Every secret with a pager's URL has a current value. The value itself is never read."""
    creation = f"add it to alertEndpoints of {context.wanted.stack} in bootstrap/ and run pulumi up there, or correct urlSecret"
    for name in context.wanted.alert_endpoints:
        yield from _secret(context, group, name, creation)


def put_value(name: str) -> str:
    """The command that reads a secret's value from the terminal, so that it is in no history, file or process list."""
    return (
        'read -rs SECRET; printf %s "$SECRET" | aws secretsmanager put-secret-value '
        f"--secret-id {name} --secret-string file:///dev/stdin; unset SECRET"
    )


def _secret(context: ReadyContext, group: Group, name: str, creation: str) -> Iterator[Line]:
    found = context.account.find("secretsmanager", "describe_secret", ("ResourceNotFoundException",), SecretId=name)
    if found is None:
        yield group.missing(name, "does not exist", creation)
        return
    if found.get("DeletedDate"):
        yield group.missing(name, "is scheduled for deletion", f"aws secretsmanager restore-secret --secret-id {name}")
        return
    stages = {stage for held in found.get("VersionIdsToStages", {}).values() for stage in held}
    yield group.holds(
        name,
        "AWSCURRENT" in stages,
        "has a current value" if "AWSCURRENT" in stages else "has no value yet",
        put_value(name),
    )
    stack = context.wanted.stack
    tags = {tag["Key"]: tag["Value"] for tag in found.get("Tags", [])}
    yield group.holds(
        f"{name} environment",
        tags.get("environment") == stack,
        f"environment tag: {tags.get('environment', 'none')}",
        f"run pulumi up in bootstrap/: the environment's roles read only secrets with the tag environment {stack}",
    )


IMAGES = Part("images", (("images", images),))
SECRET = Part(
    "client secret",
    (("client secret", client_secret), ("model keys", model_keys), ("alert endpoints", alert_endpoints)),
)
