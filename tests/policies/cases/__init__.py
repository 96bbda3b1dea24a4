"""Tables of cases, by subject."""

from __future__ import annotations

from tests.policies.cases import (
    containers,
    data,
    edge,
    elsewhere,
    firewall_rules,
    firewalls,
    identity,
    network,
    operations,
    proxies,
)

SUBJECTS = (containers, data, edge, elsewhere, firewall_rules, firewalls, identity, network, operations, proxies)
ALL = [case for subject in SUBJECTS for case in subject.CASES]
