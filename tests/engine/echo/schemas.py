"""The types that a YAML program of the tests creates itself: pulumi-yaml resolves a type by the package's schema."""

from __future__ import annotations

from preflight.sdk.wire import Wire

_TEXT: Wire = {"type": "string"}
_TAGS: Wire = {"type": "object", "additionalProperties": _TEXT}


def _resource(inputs: tuple[str, ...], outputs: tuple[str, ...]) -> Wire:
    given: Wire = dict.fromkeys(inputs, _TEXT) | {"tags": _TAGS}
    made: Wire = dict.fromkeys(outputs, _TEXT)
    return {"inputProperties": given, "properties": {**given, **made}, "required": list(outputs)}


SCHEMAS: dict[str, Wire] = {
    "aws": {
        "meta": {"moduleFormat": "(.*)(?:/[^/]*)"},
        "resources": {
            "aws:acm/certificate:Certificate": _resource(("domainName", "validationMethod"), ("arn",)),
            "aws:route53/zone:Zone": _resource(("name",), ("arn", "zoneId")),
        },
    }
}
"""Package → its resources, as far as they are used."""
