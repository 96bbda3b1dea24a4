"""Mutants that no policy reports, and why that is accepted: patterns over their labels."""

from __future__ import annotations

ACCEPTED: dict[str, str] = {}
