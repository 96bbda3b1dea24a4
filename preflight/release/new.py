"""Writes the files of a new release."""

from __future__ import annotations

from preflight.release.project import ReleaseProject
from releases.draft import Changes, Draft, draft


def new(project: ReleaseProject, asked: Changes) -> Draft:
    """Write ``releases/<version>.yaml`` and the texts that no earlier release has delivered."""
    environments = project.environments
    names = [name for name in environments.names if environments.path(name).is_file()]
    found = draft(environments, asked, (project.settings(name).owner for name in names))
    for place, content in found.files.items():
        path = project.root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return found
