"""The release to which an environment may move: forward (``promotable``) or back (``rollback_target``).

These functions select the release; ``preflight release`` checks the environments with it and writes the stack file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from releases import record
from releases.acceptance import unreviewed
from releases.environments import Environments
from releases.manifest import Release, compatible, number
from releases.refusal import Refusal
from settings.errors import SettingsError
from settings.sections import Owner


def promotable(environments: Environments, environment: str, version: str) -> Release:
    """The release to promote to ``environment``: ``version``, or, if that is empty, the release that the previous
    environment runs.

    :raises Refusal: the previous environment has not run it, or it is not newer than the current one
    :raises SettingsError: it has no valid manifest
    """
    environments.known(environment)
    earlier = environments.before(environment)
    recorded = environments.ran(earlier) if earlier else []
    release = environments.release(version or _default(environments, earlier, recorded))
    current = environments.pointer(environment)
    if release.version == current:
        raise Refusal(f"{environment} already has release {current}", "deploy it; no change is needed")
    if current in environments.versions() and number(release.version) < number(current):
        do = f"to roll back, use: python -m preflight release rollback {environment}"
        raise Refusal(f"release {release.version} is older than {current}, which {environment} runs", do)
    if earlier and release.version not in recorded:
        raise Refusal(
            f"release {release.version} is not recorded on {earlier} (recorded there: {_list(recorded)})",
            f"deploy it to {earlier} first; the deploy job records it in {record.FILE}",
        )
    return release


def check_reviewed(environments: Environments, environment: str, release: Release, owner: Owner) -> None:
    """Check that the people named in an environment's settings have reviewed and approved the release.

    :raises SettingsError: one of the required reviews is missing
    """
    if problems := unreviewed(release, owner, environments.folder):
        raise SettingsError(f"release {release.version} for {environment}", problems)


def _default(environments: Environments, earlier: str, recorded: Sequence[str]) -> str:
    if recorded:
        return recorded[-1]
    if earlier:
        raise Refusal(f"no release is recorded on {earlier}", f"deploy one to {earlier} first")
    versions = environments.versions()
    if not versions:
        raise Refusal("there is no release", "write one: python -m preflight release new --help")
    return versions[-1]


def no_way_back(environments: Environments, environment: str, release: Release) -> str:
    """A warning if the current release does not start on the new one's schema; otherwise empty."""
    current = environments.pointer(environment)
    # A pointer to a release without a manifest can only be moved forwards.
    if current not in environments.versions() or compatible(release, environments.release(current)):
        return ""
    return (
        f"Rollback will not be possible, because release {current} does not start on the schema of {release.version} "
        "(schema.compatibleWith). Take a restore point of the database before you deploy."
    )


def rollback_target(
    environments: Environments, environment: str, version: str, *, database_restored: bool = False
) -> Release:
    """The release to which ``environment`` rolls back: ``version``, or the last one recorded before the current one.

    :raises Refusal: it did not run there, or does not start on the schema to which a newer release migrated the
    database
    """
    environments.known(environment)
    current = environments.pointer(environment)
    recorded = environments.ran(environment)
    earlier = recorded[: recorded.index(current)] if current in recorded else recorded
    earlier = [name for name in earlier if name != current]
    if not earlier:
        raise Refusal(
            f"no release before {current} is recorded on {environment}",
            f"there is no release to roll back to: deploy a newer one, or check {record.FILE}",
        )
    if version and version not in earlier:
        raise Refusal(
            f"release {version} did not run on {environment} before {current}", f"choose one of {_list(earlier)}"
        )
    target = environments.release(version or earlier[-1])
    if not database_restored:
        _check_schema(environments, environment, target, {current, *recorded})
    return target


def _check_schema(environments: Environments, environment: str, target: Release, ran: Iterable[str]) -> None:
    """Every newer release that ran here, or whose deployment started, may have migrated the schema, and no migration is
    reversed."""
    for version in sorted({*ran} & {*environments.versions()}, key=number, reverse=True):
        if number(version) > number(target.version) and not compatible(environments.release(version), target):
            schema = environments.release(version).schema_
            raise Refusal(
                f"release {target.version} does not start on schema {schema.revision}, to which release {version} "
                f"migrated {environment}'s database (its schema.compatibleWith: {_list(schema.compatible_with)})",
                "There are two options.\n"
                f"  Restore point: restore the database to a point before {version} was deployed (docs/runbook.md),\n"
                f"    which loses all user data written since then; then run this command again with --database-restored.\n"
                f"  Forward fix: keep the schema and release a fixed application on it:\n"
                f"    python -m preflight release new --help",
            )


def _list(names: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(names)) or "none"
