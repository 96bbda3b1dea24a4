"""Tables of cases, by subject."""

from __future__ import annotations

from tests.policies.cases import (
    apis,
    containers,
    data,
    edge,
    elsewhere,
    firewall_rules,
    firewalls,
    held,
    identity,
    logs,
    messages,
    network,
    openings,
    operations,
    proxies,
    restores,
    stores,
    watching,
    wired,
    wiring,
    world,
)

SUBJECTS = (
    apis,
    containers,
    data,
    edge,
    elsewhere,
    firewall_rules,
    firewalls,
    held,
    identity,
    logs,
    messages,
    network,
    openings,
    operations,
    proxies,
    restores,
    stores,
    watching,
    wired,
    wiring,
    world,
)
ALL = [case for subject in SUBJECTS for case in subject.CASES]
