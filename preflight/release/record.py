"""Adds a deployed release to ``releases/deployed.yaml``: for the deploy job, after a successful deployment."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Sequence

from releases import attestation
from releases import record as records
from releases.attestation import Key
from releases.environments import Environments, account_of
from releases.record import Deployment
from releases.refusal import Refusal

Sign = Callable[[str, bytes], bytes]
"""Environment and message → signature by the environment's key."""


def attest(
    environments: Environments,
    environment: str,
    release: str,
    now: dt.datetime,
    sign: Sign,
    *,
    commit: str = "",
    run: str = "",
    approvers: Sequence[str] = (),
) -> Deployment:
    """The entry of a deployment, signed if a public key is committed for the environment.

    :param approvers: GitHub users as ``@login``
    :raises Refusal: a value is not valid, the record is not as it was signed, or the key did not sign
    """
    environments.known(environment)
    if release not in environments.versions():
        raise Refusal(f"release {release} has no manifest", f"manifests: {', '.join(environments.versions())}")
    account = account_of(environments.root, environment)
    try:
        environments.ran(environment)
        entry = Deployment(
            environment=environment,
            release=release,
            at=now.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            account=account,
            commit=commit,
            run=run,
            approved_by=", ".join(approvers),
        )
        key = attestation.key_of(environments.root, environment)
        if key is None:
            return entry
        entry = attestation.signed(
            entry, _earlier(environments, environment), lambda message: sign(environment, message)
        )
        if not attestation.verifies(key, entry):
            raise Refusal(
                f"KMS signed with another key than the one in {attestation.place(environment)}",
                f"if the key was replaced, write the new one: python -m preflight release key {environment} --write",
            )
    except records.RecordError as error:
        raise Refusal("the record is unchanged", str(error)) from None
    return entry


def add(environments: Environments, entry: Deployment) -> str:
    """Add an entry; returns what was done, as a sentence. The last release recorded there is not added again.

    :raises Refusal: the record would not be valid with it
    """
    root, environment = environments.root, environments.known(entry.environment)
    if entry.release not in environments.versions():
        raise Refusal(f"release {entry.release} has no manifest", f"manifests: {', '.join(environments.versions())}")
    account = account_of(root, environment)
    if entry.account != account:
        raise Refusal(f"the entry is for account {entry.account}", f"Pulumi.{environment}.yaml names {account}")
    try:
        if environments.ran(environment)[-1:] == [entry.release]:
            return f"{records.FILE} already has release {entry.release} as the last one on {environment}"
        found = attestation.problem(root, [*records.read(root), entry], environment, account)
    except records.RecordError as error:
        raise Refusal("the record is unchanged", str(error)) from None
    if found:
        raise Refusal(
            f"the record is unchanged: with this entry, {found}",
            "run the job again: it signs an entry that follows the current record",
        )
    path = root / records.FILE
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    path.write_text(records.with_entry(before, entry), encoding="utf-8")
    return f"recorded release {entry.release} on {environment} in {records.FILE}"


def as_json(entry: Deployment) -> str:
    """The entry on one line, for another job."""
    return json.dumps(entry.fields(), sort_keys=True)


def of_json(text: str) -> Deployment:
    """The entry in the output of ``attest``. :raises Refusal: it is not one"""
    try:
        return records.entry_of(json.loads(text), "the entry")
    except (ValueError, records.RecordError) as error:
        raise Refusal(
            "the record is unchanged", f"--entry is the output of preflight release attest: {error}"
        ) from None


def key(environments: Environments, environment: str, public_key: str) -> Key:
    """The public key's file, with which every entry from now on has to be signed.

    The existing entries are pinned. :raises Refusal: the environment or the record is not valid
    """
    environments.known(environment)
    try:
        earlier = _earlier(environments, environment)
    except records.RecordError as error:
        raise Refusal("nothing was written", str(error)) from None
    return Key(environment, public_key, len(earlier), attestation.chain(earlier) if earlier else "")


def _earlier(environments: Environments, environment: str) -> list[Deployment]:
    account = account_of(environments.root, environment)
    return [entry for _, entry in attestation.of(records.read(environments.root), environment, account)]
