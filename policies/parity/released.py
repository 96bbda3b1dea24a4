"""What the running release is checked against: its manifest, and the environment before.

A stack without a ``release`` tag has no releases and is not checked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import yaml

from policies.guardrails.topology.graph.values import Unknown
from policies.parity import deployed
from policies.parity.shape import Shape

ORDER = "releases-pass-the-earlier-environment"
MANIFEST = "releases-deliver-their-manifest"

POLICIES = {
    ORDER: "A release runs in a later environment only after its deployment to the environment before it is recorded.",
    MANIFEST: "Every release has a manifest, and every container runs an image that the manifest pins by digest.",
}
_IMAGE = re.compile(r"containerDefinitions\[([^\]]+)\]\.image")
_DIGEST = re.compile(r"@(sha256:[0-9a-f]{64})$")

Found = tuple[str, str, str, str, str, str]
"""Policy, URN, headline, found, wanted, fix."""


def evaluated(running: Shape, environments: Sequence[str], root: Path) -> list[Found]:
    """What is wrong with the release of the running stack, in the project that has ``root``."""
    urn = next((item.urn for item in running.items.values() if "tags.release" in item.following), "")
    if not running.release:
        return []
    return [*_of_order(running, urn, environments, root), *_of_manifest(running, urn, root)]


def _of_order(running: Shape, urn: str, environments: Sequence[str], root: Path) -> list[Found]:
    if running.environment not in environments[1:]:
        return []
    before = environments[environments.index(running.environment) - 1]
    account = deployed.account_of(root, before)
    headline = f"release {running.release} is not recorded on {before}"
    wanted = f"a release that {deployed.FILE} records on {before}" + (f" in account {account}" if account else "")
    fix = f"deploy it to {before} first (the deploy job records it), or run a release that {before} has run"
    try:
        recorded = deployed.ran(deployed.read(root), before, account)
    except deployed.RecordError as error:
        return [(ORDER, urn, headline, str(error), wanted, deployed.FIX)]
    if running.release in recorded:
        return []
    return [(ORDER, urn, headline, f"recorded there: {', '.join(dict.fromkeys(recorded)) or 'nothing'}", wanted, fix)]


def _of_manifest(running: Shape, urn: str, root: Path) -> list[Found]:
    place = f"releases/{running.release}.yaml"
    pinned = _pinned(root / place)
    if pinned is None:
        fix = "run a release with a manifest; preflight release new writes one"
        return [(MANIFEST, urn, f"release {running.release} has no manifest", "nothing", place, fix)]
    found: list[Found] = []
    for item in running.items.values():
        for name, image in sorted(item.following.items()):
            container = _IMAGE.fullmatch(name)
            if container is None or isinstance(image, Unknown):
                continue
            digest = _DIGEST.search(str(image))
            if digest is None or digest[1] not in pinned:
                headline = f"{item.kind} {container[1]} runs an image that release {running.release} does not name"
                wanted = f"one of the digests in {place}: {', '.join(sorted(pinned)) or 'none'}"
                fix = "use the image from the manifest; another image needs another release"
                found.append((MANIFEST, item.urn, headline, str(image), wanted, fix))
    return found


def _pinned(path: Path) -> set[str] | None:
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return None
    images = cast("Mapping[str, Any]", content).get("images") if isinstance(content, Mapping) else None
    if not isinstance(images, Mapping):
        return set()
    entries = cast("Mapping[str, Any]", images).values()
    return {str(cast("Mapping[str, Any]", e).get("digest")) for e in entries if isinstance(e, Mapping)}
