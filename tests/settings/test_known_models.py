"""What is known about models: the table in ``settings/``, ``models.known`` in a stack file, and a warning about the rest."""

from __future__ import annotations

import datetime
import re
from pathlib import Path
from typing import get_args

import pytest

import assembly
from components.common.aws_limits import profile_area
from components.models.iam_documents import UpstreamKind
from preflight.recording.recorder import record
from settings import SettingsError, StackSettings, known_models
from settings.known_models import COLUMNS, Serves, documented
from settings.models import KnownModel
from tests.settings.mistakes_in_models import LLAMA, PRIVATE
from tests.settings.stack_files import Values, changed, own_values, parse

KINDS = set(get_args(KnownModel.model_fields["kind"].annotation))
"""The kinds of which AWS documents which models they serve."""
ROWS = known_models.known_models()
UNKNOWN = "meta.llama4-scout-17b-instruct-v1:0"


def offering(*models: str, **more: object) -> StackSettings:
    values: Values = {
        "models.groups[0].models": list(models),
        **{f"models.{key}": value for key, value in more.items()},
    }
    return parse(changed(own_values(), values))


def warnings(settings: StackSettings) -> list[str]:
    return record(lambda: assembly.warn_about_unknown_models(settings)).messages


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.kind} {row.models}")
def test_a_row_is_about_one_kind_and_models_by_their_own_ids(row: known_models.Row) -> None:
    assert row.kind in KINDS
    assert row.source.startswith("https://")
    assert row.checked <= datetime.datetime.now(tz=datetime.UTC).date()
    assert profile_area(row.models) is None
    assert "*" not in row.models[:-1]
    assert sum(other.models == row.models and other.kind == row.kind for other in ROWS) == 1
    assert documented(row.kind, row.models.replace("*", "x")) is row


def test_the_models_of_the_committed_stacks_are_known() -> None:
    assert [parse(own_values(stack)).models.unknown for stack in ("staging", "prod")] == [(), ()]


def test_the_row_that_names_most_of_an_id_decides() -> None:
    assert [documented("bedrock", model) for model in ("deepseek.v3.2", "deepseek.r1-v1:0")] == [
        next(row for row in ROWS if row.models == models) for models in ("deepseek.v3*", "deepseek.r1-*")
    ]
    assert documented("bedrock", "global.moonshotai.kimi-k3") == documented("bedrock", "moonshotai.kimi-k3")
    assert documented("bedrock", UNKNOWN) is None


def test_an_exact_row_decides_over_a_longer_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        known_models.Row("bedrock", models, Serves.CHAT, datetime.date.min, "") for models in ("a.b*", "a.b", "a.*")
    ]
    monkeypatch.setattr(known_models, "known_models", lambda: tuple(rows))

    assert [documented("bedrock", model) for model in ("a.b", "a.bc", "a.c")] == rows[1::-1] + rows[2:]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("bedrock\tm\tchat\t2026-11-29", "not enough values"),
        ("bedrock\tm\tspeech\t2026-11-29\thttps://example.com", "speech"),
        ("bedrock\tm\tchat\tyesterday\thttps://example.com", "yesterday"),
        ("bedrock\tm\tchat\t2026-11-29\thttps://example.com\t/v1", r"path /v1: a row of bedrockMantle"),
        ("bedrockMantle\tm\tchat\t2026-11-29\thttps://example.com", r"path \(none\): a row of bedrockMantle"),
        ("bedrockMantle\tm\tchat\t2026-11-29\thttps://example.com\t/v2", r"path /v2: a row of bedrockMantle"),
        ("bedrockMantle\tm\tneither\t2026-11-29\thttps://example.com\t/v1", r"path /v1: a row of bedrockMantle"),
        ("bedrockMantle\tm\tchat\t2026-11-29\thttps://example.com\t/v1\t", "positional arguments"),
    ],
)
def test_a_line_that_is_not_a_row_is_named(
    line: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "known_models.tsv"
    table.write_text("\t".join(COLUMNS) + f"\n{line}\n", encoding="utf-8")
    monkeypatch.setattr(known_models, "TABLE", table)

    with pytest.raises(ValueError, match=rf"known_models.tsv:2: .*{told}"):
        known_models.known_models.__wrapped__()


def test_an_unknown_model_is_accepted_with_a_warning_that_explains_how_to_accept_it() -> None:
    settings = offering("openai.gpt-oss-120b-1:0", UNKNOWN)

    assert settings.models.groups[0].models[1] == UNKNOWN
    (warning,) = warnings(settings)
    assert warning.startswith("warning: ai-interface:models.groups[0].models: it is not documented ")
    assert f" serves {UNKNOWN}. If it does not, every request to the model fails." in warning
    assert f"models.known (id: {UNKNOWN}, kind: bedrock, " in warning


def test_a_known_model_causes_no_warning() -> None:
    assert warnings(offering("openai.gpt-oss-120b-1:0", "qwen.qwen3-32b-v1:0", "global.zai.glm-5.3")) == []


def test_what_the_stack_file_knows_is_accepted_without_a_warning_by_profile_too() -> None:
    assert warnings(offering(UNKNOWN, known=[LLAMA])) == []
    assert warnings(offering(f"global.{UNKNOWN}", known=[LLAMA])) == []


def test_the_stack_file_decides_over_the_table() -> None:
    nova = "global.amazon.nova-2-lite-v1:0"
    known = {"id": "amazon.nova-2-lite-v1:0", "kind": "bedrock", "source": "tried in the account on 2026-11-28"}

    assert offering(nova, known=[known]).models.serves("bedrock", nova) is Serves.CHAT


def at_mantle(model: str, *known: Values, path: str = "/v1") -> StackSettings:
    upstream = {"kind": "bedrockMantle", "region": "eu-west-1", "pathPrefix": path}
    group = {"name": "mantle", "models": [model], "upstreams": [upstream]}
    return parse(changed(own_values(), {"models.groups": [group], "models.known": list(known)}))


def test_an_unknown_model_of_bedrock_mantle_is_accepted_with_a_warning_too() -> None:
    (warning,) = warnings(at_mantle("openai.gpt-9"))

    assert "whether bedrock-mantle's Chat Completions API serves openai.gpt-9" in warning
    assert "models.known (id: openai.gpt-9, kind: bedrockMantle, " in warning
    assert warnings(at_mantle("openai.gpt-oss-120b")) == []


def test_what_the_stack_file_knows_of_bedrock_mantle_decides_over_the_tables_path() -> None:
    known: Values = {"id": "google.gemma-4-31b", "kind": "bedrockMantle", "source": "tried in the account"}

    with pytest.raises(SettingsError, match="pathPrefix"):
        at_mantle("google.gemma-4-31b")
    assert warnings(at_mantle("google.gemma-4-31b", path="/openai/v1")) == []
    assert warnings(at_mantle("google.gemma-4-31b", known)) == []


def test_a_private_server_may_serve_any_model() -> None:
    settings = parse(
        changed(own_values(), {"models.groups": [{"name": "own", "models": ["anthropic.any"], "upstreams": [PRIVATE]}]})
    )

    assert warnings(settings) == []


def test_the_document_has_a_row_for_every_kind() -> None:
    document = (Path(__file__).parents[2] / "docs/models.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| ", document.partition("## ")[0], re.MULTILINE)
    assert sorted(rows) == sorted(UpstreamKind)
