"""Every container image is pinned by digest and comes from an allowed registry.

A tag can be moved to different content after review; a digest cannot. Because the registry is part of the name, an
image from another registry shows up in review.

The policy cannot see whether the digest exists in the registry, or the content of the image.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...checks import containers
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource, Unknown
from ...topology.graph.verdicts import Finding, not_proven, violated

DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
_FIX = "name the image as <registry>/<repository>@sha256:<digest>; a release manifest lists the digests"
_SCHEMA = {
    "registries": {
        "type": "array",
        "items": {"type": "string", "format": "python-regex"},
        "default": [r"\d{12}\.dkr\.ecr(-fips)?\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/"],
        "description": "Regular expressions for the allowed registries, matched at the start of an image's name.",
    }
}


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate each container's image, or a function's."""
    wanted = "an image by digest from an allowed registry"
    if resource.kind == "lambda.Function":
        image = resource.value("imageUri")
        if isinstance(image, Unknown):
            yield not_proven(resource, "imageUri", [image], wanted, _FIX)
        elif image is not None:
            yield from _image(resource, "imageUri", str(image), settings)
        return
    found, undecided = containers(resource, wanted, _FIX)
    yield from undecided
    for container in found:
        yield from _image(resource, container.path("image"), str(container.get("image", "")), settings)


def _image(resource: Resource, path: str, image: str, settings: Settings) -> Iterator[Finding]:
    if not DIGEST.search(image):
        yield violated(resource, path, image, "an image by digest: ...@sha256:<64 hexadecimal digits>", _FIX)
    allowed = settings["registries"]
    if not any(re.match(pattern, image) for pattern in allowed):
        wanted = f"a registry that matches {' or '.join(allowed)}"
        yield violated(
            resource,
            path,
            image,
            wanted,
            "copy the image to an allowed registry",
            what="comes from a registry that is not allowed",
        )


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.HIGH,
    remediation=_FIX,
    types=("ecs.TaskDefinition", "lambda.Function"),
    schema=_SCHEMA,
)
