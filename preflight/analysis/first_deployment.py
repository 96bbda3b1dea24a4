"""Before an environment is deployed for the first time, no release is recorded for it. The rule that a release must have run there
then blocks a deployment of the next environment, as it should. It is not a fault of the stack files, so the check lists it as
expected until the record has an entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from policies.parity.rules import RELEASE_ORDER
from preflight.findings import Exemption, Finding
from releases import attestation, record
from releases.environments import account_of


def expected(root: Path, findings: Sequence[Finding], order: Sequence[str], owner: str) -> list[Finding]:
    """The findings; those about the order of releases are exempt where the earlier environment has not been deployed.

    ``order`` lists the environments in the order in which a release passes them.
    """
    if not any(finding.rule == RELEASE_ORDER.name for finding in findings):
        return list(findings)
    try:
        undeployed = {stack for stack in order if not attestation.ran(root, stack, account_of(root, stack))}
    except record.RecordError:
        return list(findings)
    return [_expected(finding, order, undeployed, owner) for finding in findings]


def _expected(finding: Finding, order: Sequence[str], undeployed: set[str], owner: str) -> Finding:
    position = order.index(finding.environment) if finding.environment in order else 0
    before = order[position - 1] if position else ""
    if finding.rule != RELEASE_ORDER.name or before not in undeployed:
        return finding
    reason = f"{before} has not been deployed to its account yet. Deploy it first: until then a deployment of {finding.environment} is refused."
    return replace(finding, exemption=Exemption(f"{before} is deployed", reason, owner))
