"""Tables of cases, by subject."""

from __future__ import annotations

from tests.policies.cases import containers, data, edge, firewall_rules, firewalls, identity, network, operations

SUBJECTS = (containers, data, edge, firewall_rules, firewalls, identity, network, operations)
ALL = [case for subject in SUBJECTS for case in subject.CASES]
