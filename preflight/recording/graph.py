"""One stack's resources as JSON: as the engine would register them, without secret values."""

from __future__ import annotations

from typing import cast

from preflight.recording.recorder import RecordedResource, Recording
from preflight.sdk.wire import Wire, mask


def graph(recording: Recording) -> Wire:
    """An object with the sorted ``resources``; secrets are masked."""
    return {
        "project": recording.project,
        "stack": recording.stack,
        "resources": [_entry(resource) for resource in recording.resources],
    }


def to_recording(content: Wire) -> Recording:
    """A recording from the output of ``graph``; its secrets are masks."""
    resources = [RecordedResource(**_tuples(entry)) for entry in content["resources"]]
    return Recording(content["project"], content["stack"], preview=False, resources=resources)


def _tuples(entry: Wire) -> Wire:
    by_property = {name: tuple(urns) for name, urns in entry["property_dependencies"].items()}
    lists = {name: tuple(cast("list[str]", value)) for name, value in entry.items() if isinstance(value, list)}
    return {**entry, **lists, "property_dependencies": by_property}


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
