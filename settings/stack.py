"""``StackSettings``: the settings of one environment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from pydantic import StrictBool

from settings.configuration import Configuration
from settings.consistency import inconsistencies
from settings.data import Data
from settings.edge import Edge
from settings.errors import Problem, SettingsError
from settings.identity import Identity
from settings.limits import Limits
from settings.models import Models
from settings.objectives import Objectives
from settings.retention import Retention
from settings.rotation import Secrets
from settings.sections import Capacity, Domain, Network, Owner
from settings.tools import Tools
from settings.use import Use
from settings.values import ReleaseVersion, Slug

PREFIX = "ai-interface:"
"""The project's configuration namespace: keys of the stack file read ``ai-interface:<key>``."""


def refused(environment: str, problems: Iterable[Problem]) -> SettingsError:
    """The error for problems that only the program can detect, in the same format as problems found while reading."""
    return SettingsError(f"{StackSettings.subject} {environment} (Pulumi.{environment}.yaml)", problems)


class StackSettings(Configuration):
    """All settings of one environment, that is, everything that can differ between environments."""

    prefix: ClassVar[str] = PREFIX
    subject: ClassVar[str] = "the settings of stack"
    misplaced: ClassVar[Mapping[str, str]] = {
        "state": "write data instead: the section was renamed, its keys are unchanged",
        "firewall": "write sizes and rates under limits, and rules in count mode under edge.countOnlyRules",
    }

    owner: Owner
    domain: Domain
    release: ReleaseVersion
    """The version of the manifest in ``releases/`` that this environment runs."""
    application: Slug = "open-webui"
    """The preset of the application that runs behind the proxy: the name of a module in
    ``components/applications/presets/``, with hyphens."""
    network: Network
    identity: Identity
    limits: Limits = Limits()
    capacity: Capacity = Capacity()
    models: Models
    tools: Tools = Tools()
    data: Data = Data()
    edge: Edge = Edge()
    retention: Retention = Retention()
    secrets: Secrets = Secrets()
    objectives: Objectives = Objectives()
    use: Use = Use()
    allow_deletion: StrictBool = False
    """True: resources that handle user traffic or store data may be deleted. Set it only to take the environment down.
    The guardrails pack reports it, and the next update without it restores the protection."""

    @classmethod
    def between_sections(cls, sections: Mapping[str, object]) -> list[Problem]:
        """Problems between the sections that are present and valid."""
        return inconsistencies(sections)
