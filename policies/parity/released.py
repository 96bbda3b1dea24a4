"""Checks the running release against its manifest and the previous environment."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from policies.guardrails.topology.graph.values import Unknown
from policies.guardrails.topology.graph.verdicts import Finding, Verdict
from policies.parity.rules import RELEASE_MANIFEST, RELEASE_ORDER, RELEASE_RECORD, ParityRule
from policies.parity.shape import Shape
from releases import attestation, record
from releases.environments import FOLDER, account_of
from releases.manifest import load_release, versions
from settings.errors import SettingsError

_IMAGE = re.compile(r"containerDefinitions\[([^\]]+)\]\.image")
_DIGEST = re.compile(r"@(sha256:[0-9a-f]{64})$")


def evaluated(running: Shape, environments: Sequence[str], root: Path) -> list[tuple[ParityRule, Finding]]:
    """The problems of the running stack's release, in the project in ``root``."""
    urn = next((item.urn for item in running.items.values() if "tags.release" in item.following), "")
    return [
        *((RELEASE_ORDER, finding) for finding in _of_order(running, urn, environments, root)),
        *((RELEASE_RECORD, finding) for finding in _of_record(running, urn, root)),
        *((RELEASE_MANIFEST, finding) for finding in _of_manifest(running, urn, root / FOLDER)),
    ]


def _of_order(running: Shape, urn: str, environments: Sequence[str], root: Path) -> Iterator[Finding]:
    if running.environment not in environments[1:]:
        return
    before = environments[environments.index(running.environment) - 1]
    account = account_of(root, before)
    subject, what = f"release {running.release}", f"is not recorded on {before}"
    wanted = f"a release that {record.FILE} records on {before}" + (f" in account {account}" if account else "")
    fix = f"deploy the release to {before} first (the deploy job records it), or use a release that {before} has already run"
    try:
        recorded = attestation.ran(root, before, account)
    except record.RecordError as error:
        yield _violation(urn, subject, what, str(error), wanted, record.FIX)
        return
    if running.release not in recorded:
        found = f"recorded there: {', '.join(dict.fromkeys(recorded)) or 'nothing'}"
        yield _violation(urn, subject, what, found, wanted, fix)


def _of_record(running: Shape, urn: str, root: Path) -> Iterator[Finding]:
    """The stack's own entries, which decide to which release it can be rolled back."""
    environment = running.environment
    try:
        if attestation.key_of(root, environment) is None:
            return
        found = attestation.problem(root, record.read(root), environment, account_of(root, environment))
    except record.RecordError as error:
        found = str(error)
    if found:
        wanted = f"entries that the key in {attestation.place(environment)} signed, in their order"
        yield _violation(urn, f"the record of {environment}", "is not as it was signed", found, wanted, record.FIX)


def _of_manifest(running: Shape, urn: str, folder: Path) -> Iterator[Finding]:
    place = f"{FOLDER}/{running.release}.yaml"
    if running.release not in versions(folder):
        fix = "use a release that has a manifest; preflight release new creates one"
        yield _violation(urn, f"release {running.release}", "has no manifest", "nothing", place, fix)
        return
    try:
        pinned = sorted(image.digest for image in load_release(running.release, folder).images.values())
    except SettingsError as error:
        found = "; ".join(f"{problem.key}: {problem.value}" for problem in error.problems)
        fix = f"restore {place} from git: a manifest must never be changed"
        yield _violation(urn, f"release {running.release}", "has a manifest that is not valid", found, place, fix)
        return
    for item in running.items.values():
        for name, image in sorted(item.following.items()):
            container = _IMAGE.fullmatch(name)
            if container is None or isinstance(image, Unknown):
                continue
            digest = _DIGEST.search(str(image))
            if digest is None or digest[1] not in pinned:
                what = f"runs an image that is not part of release {running.release}"
                wanted = f"one of the digests in {place}: {', '.join(pinned)}"
                fix = "use the image from the manifest, or create a new release with the other image"
                yield _violation(item.urn, f"{item.kind} {container[1]}", what, str(image), wanted, fix)


def _violation(  # noqa: PLR0917 - in the order in which a person reads them
    urn: str, subject: str, what: str, found: str, wanted: str, fix: str
) -> Finding:
    return Finding(Verdict.VIOLATED, urn, subject, "", found, wanted, fix, what)
