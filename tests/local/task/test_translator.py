"""The stand-in for LiteLLM between the gateway's Envoy and Bedrock, held to what ``make test-gateway`` asks of the real one."""

from __future__ import annotations

import os
from collections.abc import Generator
from unittest import mock

import pytest

from local.aws.chat import Behaviour
from local.litellm import VARIABLE
from tests.gateway import test_embeddings, test_errors, test_logs, test_translation
from tests.gateway.direct import to_litellm
from tests.gateway.program import CONVERSE
from tests.gateway.world import FAST, World, world
from tests.namespaces import require_namespaces

QUIET_SECONDS = 3
"""This runs in ``make test``, beside other tests: a line of the log may take longer."""

# Collected here with the fixture below.
test_a_question = test_translation.test_a_question_is_answered_with_its_usage
test_a_stream = test_translation.test_a_stream_arrives_word_by_word
test_a_tool = test_translation.test_a_tool_is_called_and_its_result_returns
test_a_streamed_call = test_translation.test_a_streamed_call_of_a_tool_has_all_of_its_arguments
test_an_image = test_translation.test_an_image_arrives_byte_for_byte
test_a_limit = test_translation.test_the_limit_of_an_answer_is_passed_on
test_a_parameter = test_translation.test_a_parameter_that_a_model_does_not_have_is_left_out
test_statuses = test_errors.test_a_throttle_and_an_outage_keep_their_status
test_no_cooldown = test_errors.test_an_error_of_one_model_does_not_stop_it_for_the_next_caller
test_a_broken_stream = test_errors.test_a_stream_that_breaks_does_not_look_complete
test_a_silent_model = test_errors.test_a_silent_model_ends_within_the_idle_time
test_an_undeclared_model = test_errors.test_an_undeclared_model_is_refused_and_bedrock_is_not_asked
test_another_guardrail = test_errors.test_another_guardrail_or_its_draft_is_denied_by_the_roles_policy
test_no_guardrail = test_errors.test_a_call_without_a_guardrail_is_denied
test_no_prompt = test_logs.test_no_log_has_a_prompt_an_answer_or_a_name_that_a_caller_wrote
test_usage = test_logs.test_usage_is_a_metric_of_the_model
test_errors_as_metrics = test_logs.test_errors_are_metrics_by_who_caused_them
test_the_format = test_logs.test_a_line_has_the_embedded_metric_format
test_vectors = test_embeddings.test_each_text_gets_its_vector_in_order
test_a_parameter_of_embeddings = test_embeddings.test_a_parameter_that_the_model_does_not_have_is_left_out
test_no_vector_of_a_chat_model = test_embeddings.test_a_chat_model_embeds_nothing
test_no_chat_of_an_embedding_model = test_embeddings.test_an_embedding_model_chats_with_no_one
test_operations = test_embeddings.test_each_group_has_its_own_operation_only
test_usage_of_embeddings = test_embeddings.test_usage_is_counted_and_no_log_has_a_text


@pytest.fixture(scope="module")
def served() -> Generator[World]:
    """The gateway's task with the stand-in."""
    require_namespaces()
    quiet = mock.patch.object(test_logs, "QUIET_SECONDS", QUIET_SECONDS)
    with quiet, mock.patch.dict(os.environ, {VARIABLE: ""}), world() as made:
        yield made


@pytest.fixture
def gateway(served: World) -> Generator[World]:
    """The same, without refusals, and with models that answer, after each test."""
    served.refusals.entries.clear()
    served.wait()
    yield served
    served.bedrock.behaviours.of.clear()
    served.bedrock.behaviours.default = FAST


def test_a_call_without_the_key_is_refused(gateway: World) -> None:
    assert to_litellm(gateway, "/v1/chat/completions", "POST") == 401
    assert to_litellm(gateway, "/health/liveliness") == 200


def test_it_has_no_other_route(gateway: World) -> None:
    assert {to_litellm(gateway, path) for path in ("/", "/v1/models", "/key/list")} == {404}


def test_an_outage_of_the_endpoint_is_not_an_answer(gateway: World) -> None:
    gateway.bedrock.behave(CONVERSE, Behaviour(breaks_after=0))
    assert gateway.ask("hello").status == 503
