"""``StackSettings``: the settings of one environment, read once from ``pulumi.Config``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Self

import pulumi
from pydantic import Field, StringConstraints

from settings.sections import Capacity, Domain, Identity, Limits, Models, Network, Owner, ReleaseVersion, Retention, Section


class StackSettings(Section):
    """Everything that differs, or could differ, between two environments."""

    environment: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,14}[a-z0-9]$")]
    """The stack's name: the ``environment`` tag and part of physical names."""
    region: str
    """``aws:region``."""
    account_id: Annotated[str, StringConstraints(pattern=r"^\d{12}$")]
    """``aws:allowedAccountIds`` holds exactly this account; the provider refuses any other."""
    owner: Owner
    domain: Domain
    release: ReleaseVersion
    """The manifest in ``releases/`` that runs here."""
    network: Network
    identity: Identity
    limits: Limits = Limits()
    capacity: Capacity = Capacity()
    models: Models
    retention: Retention = Retention()

    @classmethod
    def load(cls) -> Self:
        """Read the running stack's configuration; raises :class:`SettingsError` with every problem found."""
        raise NotImplementedError
