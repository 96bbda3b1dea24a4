"""Before the first deployment, no release is recorded anywhere. The rule that a release must have run in the earlier environment
then blocks a deployment of the later one, as it should. It is not a fault of the stack files, so the check lists it as
expected until the record has an entry."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from policies.parity.rules import RELEASE_ORDER
from preflight.findings import Exemption, Finding
from releases import record
from releases.environments import account_of

_UNTIL = "the first deployment"
_REASON = (
    "No environment has been deployed to its account yet. Deploy the earlier environment first: until then a deployment of "
    "this one is refused."
)


def expected(root: Path, findings: Sequence[Finding], stacks: Iterable[str], owner: str) -> list[Finding]:
    """The findings; those about the order of releases are exempt while nothing has been deployed."""
    if any(finding.rule == RELEASE_ORDER.name for finding in findings) and _nothing_deployed(root, stacks):
        exemption = Exemption(_UNTIL, _REASON, owner)
        return [replace(one, exemption=exemption) if one.rule == RELEASE_ORDER.name else one for one in findings]
    return list(findings)


def _nothing_deployed(root: Path, stacks: Iterable[str]) -> bool:
    try:
        entries = record.read(root)
    except record.RecordError:
        return False
    return not any(record.ran(entries, stack, account_of(root, stack)) for stack in stacks)
