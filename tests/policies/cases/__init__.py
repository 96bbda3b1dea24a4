"""Tables of cases, by subject."""

from __future__ import annotations

from tests.policies.cases import containers, edge, firewalls

ALL = [*containers.CASES, *edge.CASES, *firewalls.CASES]
