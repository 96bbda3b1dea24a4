"""Tables of cases, by subject."""

from __future__ import annotations

from tests.policies.cases import containers, data, edge, firewalls, identity

ALL = [*containers.CASES, *data.CASES, *edge.CASES, *firewalls.CASES, *identity.CASES]
