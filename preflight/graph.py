"""One stack's resources as JSON: what the engine would register, without a secret's value."""

from __future__ import annotations

from preflight.recorder import RecordedResource, Recording
from preflight.wire import Wire, mask


def graph(recording: Recording) -> Wire:
    """An object with the sorted ``resources``; secrets are masked."""
    return {
        "project": recording.project,
        "stack": recording.stack,
        "resources": [_entry(resource) for resource in recording.resources],
    }


def _entry(resource: RecordedResource) -> Wire:
    return {
        "urn": resource.urn,
        "type": resource.type,
        "name": resource.name,
        "parent": resource.parent,
        "custom": resource.custom,
        "id": resource.id,
        "inputs": mask(resource.inputs),
        "outputs": mask(resource.outputs),
        "dependencies": list(resource.dependencies),
        "property_dependencies": {name: list(urns) for name, urns in resource.property_dependencies.items()},
        "protect": resource.protect,
        "provider": resource.provider,
        "source_file": resource.source_file,
        "source_line": resource.source_line,
        "external": resource.external,
        "aliases": list(resource.aliases),
        "ignore_changes": list(resource.ignore_changes),
        "additional_secret_outputs": list(resource.additional_secret_outputs),
        "replace_on_changes": list(resource.replace_on_changes),
        "delete_before_replace": resource.delete_before_replace,
        "retain_on_delete": resource.retain_on_delete,
        "custom_timeouts": dict(resource.custom_timeouts),
    }
