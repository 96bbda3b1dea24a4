"""``preflight check`` of the bootstrap program is clean: what its roles need is excepted, with the reason."""

from __future__ import annotations

import json

import pytest

from tests.preflight.commands.test_command_line import preflight
from tests.settings.stack_files import ROOT


@pytest.mark.slow
def test_no_policy_is_violated_without_an_exception() -> None:
    done = preflight(ROOT / "bootstrap", "check", "--format", "json")

    report = json.loads(done.stdout)
    assert [(one["rule"], one["urn"]) for one in report["findings"] if one["mandatory"]] == []
    assert {one["name"]: bool(one["exceptions"]) for one in report["environments"]} == {"prod": True, "staging": True}
    assert done.returncode == 0
