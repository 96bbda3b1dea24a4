"""A pull request that changes the identity provider shows who is admitted then."""

from __future__ import annotations

import json

import pytest

from preflight.analysis.edge_proxy import configuration, facts
from preflight.recording.recorder import Recording
from preflight.review import identity as identity_review
from preflight.review.side import Side
from settings.stack import PREFIX
from tests.once import main_program
from tests.settings.identity_providers import identity
from tests.settings.stack_files import Values, as_the_engine_passes_it

EVERYONE = "everyone who can log in at the identity provider"


def staging(section: Values | None = None) -> Recording:
    config = as_the_engine_passes_it("staging")
    if section is not None:
        config[f"{PREFIX}identity"] = json.dumps(section)
    return main_program("staging", config)


@pytest.fixture(scope="module")
def committed() -> Recording:
    return staging()


@pytest.fixture(scope="module")
def assigned() -> Recording:
    return staging(identity("okta", allowed={"everyoneTheProviderAssigns": True}))


def sentences(before: Recording, after: Recording) -> list[str]:
    return list(identity_review.sentences(Side(before), Side(after)))


def test_everyone_is_a_sentence_in_both_directions(committed: Recording, assigned: Recording) -> None:
    assert facts(configuration(assigned)).allowed_everyone
    assert f"allowed to use the application: additionally {EVERYONE}" in sentences(committed, assigned)
    assert f"allowed to use the application: no longer {EVERYONE}" in sentences(assigned, committed)


def test_the_claim_that_an_organisation_requires_is_shown(committed: Recording) -> None:
    google = staging(identity("googleWorkspace"))
    found = facts(configuration(google))
    assert (found.required_claim, found.required_values) == ("hd", ("example.com",))
    assert "everyone must have: additionally people whose claim hd has example.com" in sentences(committed, google)
