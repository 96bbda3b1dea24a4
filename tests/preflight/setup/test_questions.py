"""What is asked, in which order, which forms are accepted, and which answers exclude each other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from preflight.errors import ConfigurationError
from preflight.setup import answers as collected
from preflight.setup import project as files_of
from preflight.setup.question import ENVIRONMENTS, Question
from preflight.setup.questions import PARAMETER, Known, kind_of, parameters, questions, warnings
from settings.providers import KINDS, IdentityProvider
from tests.preflight.setup.answered import PROVIDERS, answers
from tests.settings.stack_files import ROOT

KNOWN = files_of.known(ROOT)


def asked(provider: str) -> list[Question]:
    return list(questions({"provider": provider}, KNOWN))


def every_question() -> Iterator[tuple[str, Question]]:
    for provider in sorted(PROVIDERS):
        for question in asked(provider):
            yield provider, question


def refused(values: dict[str, str]) -> str:
    with pytest.raises(ConfigurationError) as caught:
        collected.complete(values, "test", KNOWN)
    return str(caught.value)


# -- order -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("provider", sorted(PROVIDERS))
def test_each_thing_is_asked_for_staging_and_then_for_prod(provider: str) -> None:
    of_one = [question for question in asked(provider) if question.environment]
    assert of_one
    for first, second in zip(of_one[::2], of_one[1::2], strict=True):
        assert (first.environment, second.environment) == ENVIRONMENTS
        assert first.key.removeprefix("staging") == second.key.removeprefix("prod")


def test_no_key_is_about_one_environment_without_its_name() -> None:
    named = {"staging": "staging", "prod": "prod"}
    for _, question in every_question():
        wanted = named.get(question.environment or "", "")
        assert question.key.startswith(wanted)
        assert bool(wanted) == question.key.startswith(ENVIRONMENTS), question.key


# -- forms -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("written", ["2222-3333-4444", "2222 3333 4444", " 222233334444 "])
def test_an_account_may_have_hyphens_or_spaces(written: str) -> None:
    found = collected.complete(answers(stagingAccount=written), "test", KNOWN)
    assert found["stagingAccount"] == "222233334444"


def test_an_account_with_another_number_of_digits_is_refused() -> None:
    assert "stagingAccount: '2222-3333-444' is not valid" in refused(answers(stagingAccount="2222-3333-444"))


@pytest.mark.parametrize(
    "written",
    [
        "https://github.com/acme/ai-interface",
        "https://github.com/acme/ai-interface.git",
        "https://github.com/acme/ai-interface/",
        "git@github.com:acme/ai-interface.git",
        "ssh://git@github.com/acme/ai-interface.git",
        "github.com/acme/ai-interface",
    ],
)
def test_a_repository_may_be_given_as_its_url(written: str) -> None:
    assert collected.complete(answers(repository=written), "test", KNOWN)["repository"] == "acme/ai-interface"


def test_a_repository_elsewhere_is_refused() -> None:
    assert "repository: " in refused(answers(repository="https://gitlab.com/acme/ai-interface"))


def host_questions() -> list[tuple[str, Question]]:
    """Every question that takes a host name or a list of them, and nothing but names."""
    return [
        (provider, question)
        for provider, question in every_question()
        if not question.problem("login.acme.example.org", {})
        and question.problem("login acme", {})
        and question.problem("LOGIN", {})
        and not question.key.endswith(("Users", "Administrators"))
        and question.key != "models"
    ]


def test_a_host_name_may_be_given_as_its_url_wherever_one_is_asked_for() -> None:
    found = host_questions()
    assert {question.key for _, question in found} == {
        *("stagingHost", "prodHost"),
        *(f"{PARAMETER}{name}" for name in ("domain", "domains")),
    }
    for provider, question in found:
        for written in ("https://login.acme.example.org/", "https://Login.acme.example.org", "login.acme.example.org."):
            assert question.read(written) == "login.acme.example.org", (provider, question.key)
        assert question.problem(question.read("https://login.acme.example.org/path"), {})
        assert question.problem(question.read("https://login.acme.example.org:8443/"), {})


@pytest.mark.parametrize(
    ("key", "written", "meant"),
    [
        ("stagingHostedZone", "/hostedzone/Z0ACMESTAG0000000001", "Z0ACMESTAG0000000001"),
        ("region", "US-EAST-2", "us-east-2"),
        ("provider", "Okta", "okta"),
        ("size", "Small", "small"),
    ],
)
def test_what_consoles_and_people_write_is_read(key: str, written: str, meant: str) -> None:
    assert collected.complete({**answers(), key: written}, "test", KNOWN)[key] == meant


@pytest.mark.parametrize("kind", KINDS, ids=kind_of)
def test_an_identity_provider_may_be_given_by_its_title(kind: type[IdentityProvider]) -> None:
    question = next(one for one in questions({}) if one.key == "provider")
    assert question.read(kind.title) == kind_of(kind)


@pytest.mark.parametrize("kind", KINDS, ids=kind_of)
def test_every_required_parameter_of_a_provider_has_a_question_with_a_valid_example(
    kind: type[IdentityProvider],
) -> None:
    own = [one for one in asked(kind_of(kind)) if one.key.startswith(PARAMETER)]
    assert len(own) == len(parameters(kind))
    for question in own:
        assert question.problem(question.example, {}) == ""


# -- what answers exclude ----------------------------------------------------------------------------------------------


def test_a_subject_of_staging_s_client_is_refused_for_prod_where_each_client_has_its_own() -> None:
    wrong = answers("entraId")
    wrong["prodAdministrators"] = wrong["stagingAdministrators"]
    text = refused(wrong)
    assert "prodAdministrators: " in text
    assert "for each client" in text
    assert "entra-id.md" in text


def test_it_has_no_default_there_and_one_elsewhere() -> None:
    given = answers("entraId")
    del given["prodAdministrators"]
    assert "prodAdministrators: is missing" in refused(given)
    assert collected.complete(answers("okta"), "test", KNOWN)["prodAdministrators"] == "groups=assistant-admins"


def test_one_client_for_both_environments_has_one_subject() -> None:
    shared = answers("entraId", prodClientId="one", stagingClientId="one")
    shared["prodAdministrators"] = shared["stagingAdministrators"]
    assert collected.complete(shared, "test", KNOWN)


def test_the_committed_networks_are_the_defaults() -> None:
    given = answers()
    del given["stagingNetwork"], given["prodNetwork"]
    found = collected.complete(given, "test", KNOWN)
    assert {one: found[f"{one}Network"] for one in ENVIRONMENTS} == dict(KNOWN.networks)


@pytest.mark.parametrize("block", ["10.0.0.0/8", "10.0.0.0/21", "10.40.0.1/18", "100.64.0.0/16", "10.40"])
def test_a_network_that_the_settings_refuse_is_refused(block: str) -> None:
    assert f"stagingNetwork: '{block}' is not valid; allowed: a network of /16 to /20" in refused(
        answers(stagingNetwork=block)
    )


def test_a_network_of_another_size_is_refused_because_parity_would_refuse_it() -> None:
    assert "prodNetwork: '10.50.0.0/17' is not valid; allowed: a block of staging's size, /18" in refused(
        answers(prodNetwork="10.50.0.0/17")
    )


def test_overlapping_networks_are_a_warning_about_peering() -> None:
    found = collected.complete(answers(prodNetwork="10.40.0.0/18"), "test", KNOWN)
    assert [text for text in warnings(found) if "can never be peered" in text]
    assert warnings(collected.complete(answers(), "test", KNOWN)) == []


def test_prod_has_another_host_than_staging() -> None:
    assert "prodHost: " in refused(answers(prodHost="assistant.staging.acme.example.org"))


def test_a_model_that_no_release_lists_is_refused_with_those_that_one_does() -> None:
    text = refused(answers(models="openai.gpt-oss-9b-1:0"))
    assert "models: 'openai.gpt-oss-9b-1:0' is not valid; allowed: ids with commas between them, of " in text
    assert "openai.gpt-oss-120b-1:0" in text
    assert "titan" not in text
    assert "anthropic" not in text


def test_without_releases_any_model_is_accepted() -> None:
    found = collected.complete(answers(models="openai.gpt-oss-9b-1:0"), "test", Known())
    assert found["models"] == "openai.gpt-oss-9b-1:0"


# -- the file ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("provider", sorted(PROVIDERS))
def test_the_printed_questions_are_a_file_of_answers(provider: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("questions") / "answers.yaml"
    path.write_text(collected.listed(KNOWN, provider), encoding="utf-8")
    read = collected.read(path)
    assert list(read) == [question.key for question in asked(provider)]
    given = answers(provider)
    filled = {key: value or given.get(key, "") for key, value in read.items()}
    filled["provider"] = provider
    assert collected.complete(filled, "test", KNOWN)["provider"] == provider


def test_values_are_read_as_they_are_written(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("answers") / "answers.yaml"
    path.write_text("stagingAccount: 012345670123\nacceptUnverifiedEmail: no\nstagingUsers: [a.example, b.example]\n")
    assert collected.read(path) == {
        "stagingAccount": "012345670123",
        "acceptUnverifiedEmail": "no",
        "stagingUsers": "a.example, b.example",
    }


def test_an_earlier_key_is_refused_with_the_present_ones() -> None:
    text = refused(answers(users="groups=assistants", hostedZone="Z0ACMEPROD0000000001"))
    assert "users: no such answer; write stagingUsers or prodUsers" in text
    assert "hostedZone: no such answer; write stagingHostedZone or prodHostedZone" in text
