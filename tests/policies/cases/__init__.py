"""Tables of cases, by subject."""

from __future__ import annotations

from tests.policies.cases import (
    containers,
    data,
    edge,
    elsewhere,
    firewall_rules,
    firewalls,
    held,
    identity,
    network,
    openings,
    operations,
    proxies,
    stores,
    wiring,
)

SUBJECTS = (
    containers,
    data,
    edge,
    elsewhere,
    firewall_rules,
    firewalls,
    held,
    identity,
    network,
    openings,
    operations,
    proxies,
    stores,
    wiring,
)
ALL = [case for subject in SUBJECTS for case in subject.CASES]
