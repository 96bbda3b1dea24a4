"""How old a secret may become."""

from __future__ import annotations

from pydantic import Field

from settings.values import Section, Whole


class Secrets(Section):
    """The secrets that the stack creates or names."""

    maximum_age_days: Whole = Field(default=365, ge=30, le=730)
    """A secret whose value is older is due for rotation: ``preflight due``, which the nightly check runs, opens an issue with the
    section that describes how. Nothing is rotated by itself, except the database's master password."""
