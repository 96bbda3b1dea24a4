"""A pull request that changes the identity provider shows who is admitted then."""

from __future__ import annotations

import json
import runpy

import pytest

from preflight.analysis.diff import changes
from preflight.analysis.edge_proxy import configuration, facts
from preflight.recording.recorder import Recording, record
from settings.stack import PREFIX
from tests.settings.identity_providers import identity
from tests.settings.stack_files import ROOT, Values, as_the_engine_passes_it

EVERYONE = "everyone who can log in at the identity provider {} use the application, without another rule"


def staging(section: Values | None = None) -> Recording:
    config = as_the_engine_passes_it("staging")
    if section is not None:
        config[f"{PREFIX}identity"] = json.dumps(section)
    return record(
        lambda: runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__"), stack="staging", config=config
    )


@pytest.fixture(scope="module")
def committed() -> Recording:
    return staging()


@pytest.fixture(scope="module")
def assigned() -> Recording:
    return staging(identity("okta", allowed={"everyoneTheProviderAssigns": True}))


def sentences(before: Recording, after: Recording) -> list[str]:
    return [one.text for one in changes("staging", before, after).changes if one.section == "identity"]


def test_everyone_is_a_sentence_in_both_directions(committed: Recording, assigned: Recording) -> None:
    assert facts(configuration(assigned)).allowed_everyone
    assert EVERYONE.format("may") in sentences(committed, assigned)
    assert EVERYONE.format("may no longer") in sentences(assigned, committed)
    assert not [text for text in sentences(committed, assigned) if "allowed everyone" in text]


def test_the_claim_that_an_organisation_requires_is_shown(committed: Recording) -> None:
    google = staging(identity("googleWorkspace"))
    found = facts(configuration(google))
    assert (found.required_claim, found.required_values) == ("hd", ("example.com",))
    assert "the proxy's required values: none → example.com" in sentences(committed, google)
