"""Envoy's configuration as text: what is read back is what was written, and the text stays small."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from components.proxy.text import configuration_text
from components.service.task_definition import MAXIMUM_BYTES
from local.certificate import self_signed
from policies.guardrails.topology.graph.documents import document
from tests.once import main_program
from tests.settings.stack_files import as_the_engine_passes_it
from tests.tasks import interface_task

AUTHORITY = self_signed("models.internal.example.com")
# What Envoy's reader and PyYAML agree on: text with every printable character, including the line end.
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], include_characters="\n\t"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(TEXT, VALUES, max_size=5))
def test_what_is_read_back_is_what_was_written(configuration: dict[str, object]) -> None:
    # Twice the same, so that anchors are written wherever they can be.
    doubled = {"first": configuration, "second": [configuration, configuration]}
    assert yaml.safe_load(configuration_text(doubled)) == doubled


def test_a_repeated_value_is_written_once_and_named_afterwards() -> None:
    policy = {"attempts": 3, "backoff": "0.25s"}
    assert (
        configuration_text({"a": policy, "b": [policy], "c": "it's"})
        == "{'a':&a {attempts: 3,backoff: '0.25s'},'b':[*a],'c':'it''s'}"
    )


def test_a_repeated_key_is_written_once_and_keeps_its_place() -> None:
    assert (
        configuration_text({"a": {"idle_timeout": 1}, "b": {"idle_timeout": "x"}})
        == "{'a':{&a idle_timeout: 1},'b':{*a : 'x'}}"
    )


def test_a_text_with_line_ends_keeps_them() -> None:
    assert configuration_text({"code": 'say("hi")\nend\n'}) == '{code: "say(\\"hi\\")\\nend\\n"}'


@pytest.mark.parametrize("text", ["{'a':", "&1 &2", "\t- x: [", "{'a':*1}"])
def test_what_is_no_document_is_read_as_none(text: str) -> None:
    assert document(text) is None


def test_failover_over_several_upstreams_in_two_groups_fits_into_a_task_definition() -> None:
    def private(name: str) -> Mapping[str, object]:
        host = f"{name}.models.internal.example.com"
        server = {"hostName": host, "securityGroupId": "sg-0123456789abcdef0"}
        return {"kind": "private", **server, "caCertificate": AUTHORITY.certificate}

    def group(name: str, model: str, *servers: str) -> Mapping[str, object]:
        # Bedrock answers in the stack's own region only, so the further upstreams are private servers.
        upstreams = [{"kind": "bedrock", "region": "eu-west-1"}, *map(private, servers)]
        return {"name": name, "models": [model], "upstreams": upstreams}

    servers = ("first-large", "second-large", "first-small")
    large = group("large", "openai.gpt-oss-120b-1:0", *servers[:2])
    models = {"groups": [large, group("small", "openai.gpt-oss-20b-1:0", *servers[2:])]}
    config = {**as_the_engine_passes_it("staging"), "ai-interface:models": json.dumps(models)}
    task = interface_task(main_program("staging", config))
    written = str(task.inputs["containerDefinitions"])
    assert [server for server in servers if f"{server}.models.internal" not in written] == []
    assert len(written) < MAXIMUM_BYTES
