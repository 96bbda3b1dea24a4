"""Images and the client secret: what the service refers to exists before it does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from preflight.account.lines import Group, Line, joined
from preflight.ready.asking import Asking, Part
from preflight.ready.wanted import Image

INDEXES = (
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.index.v1+json",
)
"""Media types of a manifest that names one image a platform."""


def images(asking: Asking, group: Group) -> Iterator[Line]:
    """Every image of the task is in ECR by its digest, with the release's tag, for the task's processor."""
    wanted = asking.wanted
    copy = (
        f".venv/bin/python -m bootstrap.copy_images --release {wanted.release.version} "
        f"--account {wanted.account} --region {wanted.region}"
    )
    for image in wanted.images:
        found = asking.account.find(
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
        yield _platform(asking, group, image, str(details.get("imageManifestMediaType", "")))


def _platform(asking: Asking, group: Group, image: Image, media_type: str) -> Line:
    subject, wanted = f"{image.repository} platform", asking.wanted.architecture
    if media_type not in INDEXES:
        return group.cannot_tell(
            subject,
            f"the image is for one platform, which its manifest ({media_type or 'of no type'}) does not name",
            f"see that it is linux/{wanted}: crane config {image.repository}@{image.digest}",
        )
    answer = asking.account.ask(
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
        f"the index has {joined(platforms)}",
        f"copy an image that has linux/{wanted}, or change capacity.architecture",
    )


def client_secret(asking: Asking, group: Group) -> Iterator[Line]:
    """The client secret has a current value. The value itself is never read."""
    wanted, name = asking.wanted, asking.wanted.settings.identity.client_secret_name
    found = asking.account.find("secretsmanager", "describe_secret", ("ResourceNotFoundException",), SecretId=name)
    if found is None:
        yield group.missing(name, "does not exist", f"run pulumi up in bootstrap/, which makes it for {wanted.stack}")
        return
    if found.get("DeletedDate"):
        yield group.missing(name, "is scheduled for deletion", f"aws secretsmanager restore-secret --secret-id {name}")
        return
    stages = {stage for held in found.get("VersionIdsToStages", {}).values() for stage in held}
    yield group.holds(
        name,
        "AWSCURRENT" in stages,
        "has a current value" if "AWSCURRENT" in stages else "has no value yet",
        'read -rs SECRET; printf %s "$SECRET" | aws secretsmanager put-secret-value '
        f"--secret-id {name} --secret-string file:///dev/stdin; unset SECRET",
    )
    tags = {tag["Key"]: tag["Value"] for tag in found.get("Tags", [])}
    yield group.holds(
        f"{name} environment",
        tags.get("environment") == wanted.stack,
        f"is tagged environment {tags.get('environment', 'nothing')}",
        f"run pulumi up in bootstrap/: CI's roles read only secrets with the tag environment {wanted.stack}",
    )


IMAGES = Part("images", (("images", images),))
SECRET = Part("client secret", (("client secret", client_secret),))
