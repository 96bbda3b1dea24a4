"""Adds what was deployed to ``releases/deployed.yaml``: for the deploy job, after a deployment that succeeded."""

from __future__ import annotations

import datetime as dt

from policies.parity import deployed
from preflight.release.project import Releases
from preflight.release.refusal import Refusal


def record(
    releases: Releases, environment: str, release: str, now: dt.datetime, *, commit: str = "", run: str = ""
) -> str:
    """Add an entry; what was done, in a sentence. A release that is the last one recorded there is not added again."""
    releases.environment(environment)
    if release not in releases.versions():
        raise Refusal(f"release {release} has no manifest", f"manifests: {', '.join(releases.versions())}")
    account = deployed.account_of(releases.root, environment)
    try:
        ran = deployed.ran(deployed.read(releases.root), environment, account)
        entry = deployed.Deployment(
            environment=environment,
            release=release,
            at=now.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            account=account,
            commit=commit,
            run=run,
        )
    except deployed.RecordError as error:
        raise Refusal("the record is unchanged", str(error)) from None
    if ran[-1:] == [release]:
        return f"{deployed.FILE} already has release {release} as the last one on {environment}"
    path = releases.root / deployed.FILE
    before = path.read_text(encoding="utf-8") if path.is_file() else "deployments:\n"
    before = before if before.endswith("\n") else before + "\n"
    path.write_text(before.replace("deployments: []\n", "deployments:\n") + entry.as_text(), encoding="utf-8")
    return f"recorded release {release} on {environment} in {deployed.FILE}"
