"""Adds a deployed release to ``releases/deployed.yaml``: for the deploy job, after a successful deployment."""

from __future__ import annotations

import datetime as dt

from releases import record as records
from releases.environments import Environments, account_of
from releases.refusal import Refusal


def record(
    environments: Environments, environment: str, release: str, now: dt.datetime, *, commit: str = "", run: str = ""
) -> str:
    """Add an entry; returns what was done, as a sentence. The last release recorded there is not added again.

    :raises Refusal: the release, the environment or a value of the entry is not valid
    """
    environments.known(environment)
    if release not in environments.versions():
        raise Refusal(f"release {release} has no manifest", f"manifests: {', '.join(environments.versions())}")
    try:
        ran = environments.ran(environment)
        entry = records.Deployment(
            environment=environment,
            release=release,
            at=now.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            account=account_of(environments.root, environment),
            commit=commit,
            run=run,
        )
    except records.RecordError as error:
        raise Refusal("the record is unchanged", str(error)) from None
    if ran[-1:] == [release]:
        return f"{records.FILE} already has release {release} as the last one on {environment}"
    path = environments.root / records.FILE
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    path.write_text(records.with_entry(before, entry), encoding="utf-8")
    return f"recorded release {release} on {environment} in {records.FILE}"
