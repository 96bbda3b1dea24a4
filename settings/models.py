"""The offered models, their upstreams and the budget.

A task can reach only the upstreams declared here.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self, assert_never

from pydantic import Field, StringConstraints, model_validator

from components.common.aws_limits import PROMPT_RECORD_DAYS, foundation_model, profile_area
from settings.edge import RoleArn
from settings.errors import check, collected
from settings.known_models import Serves, documented
from settings.upstreams import (
    BedrockUpstream,
    ExternalUpstream,
    GatewayUpstream,
    MantleUpstream,
    PrivateUpstream,
    Upstream,
    check_external,
    check_mantle_ids,
    check_private,
    check_profiles,
    model_region,
)
from settings.values import Section, Slug, Whole

BilledService = Annotated[
    str,
    StringConstraints(pattern=r"^\S(.{0,98}\S)?$"),
    Field(description="a service's name as it appears on the bill, for example Amazon Bedrock"),
]


ModelId = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$"),
    Field(description="a model id that the upstream accepts, for example openai.gpt-oss-120b-1:0"),
]


class KnownModel(Section):
    """The API that a kind of upstream serves for a model, if ``settings/known_models.tsv`` does not list it or is out
    of date."""

    id: ModelId
    """The model's id without the prefix of an inference profile."""
    kind: Literal["bedrock", "bedrockMantle", "gateway"]
    """The kind of upstream."""
    serves: Serves = Serves.CHAT
    """``chat``: it serves Chat Completions. ``embeddings``: it serves embeddings (kind ``gateway`` only). ``neither``: it
    serves none of them, and offering the model is refused."""
    source: Annotated[
        str,
        StringConstraints(min_length=10, max_length=500),
        Field(description="10 to 500 characters: the page that documents it, or how it was tested"),
    ]
    """The page that documents it, or how it was tested, for the reviewer."""


class ModelGroup(Section):
    """Models offered under one base path, and the upstreams that serve them in failover order."""

    name: Slug
    """The base path: ``/<name>/v1`` on the proxy's outbound listener."""
    models: tuple[ModelId, ...] = Field(min_length=1)
    """Model ids. Every upstream of the group must serve all of them, because request bodies are not rewritten."""
    upstreams: tuple[Upstream, ...] = Field(min_length=1)
    """In failover order, each server once. A host may be listed again with another port. The same host and port with
    another security group or certificate is the same server and is refused."""

    serves: tuple[Literal["chat", "embeddings"], ...] = Field(default=("chat",), min_length=1)
    """The application's use of the models. ``chat``: ``POST /chat/completions``; the models are offered to users.
    ``embeddings``: ``POST /embeddings``; the first model of the first such group embeds documents. The proxy forwards
    nothing else."""


class PromptRecords(Section):
    """Bedrock's model invocation logging: every prompt and answer is recorded. It applies to the whole account and
    region, and the guardrails pack reports it until an exception allows it."""

    days: Whole = Field(ge=1, le=PROMPT_RECORD_DAYS)
    """How long the records are kept, in days."""
    reader_arns: tuple[RoleArn, ...] = Field(min_length=1)
    """The roles that may read the records; every other principal is denied."""


class Gateway(Section):
    """The service that translates Chat Completions for upstreams of kind ``gateway``. Without such an upstream it has no
    effect."""

    cpu_units: Whole = Field(default=1024, ge=256, le=16_384, description="a size that Fargate offers")
    """CPU of a task, in units of 1/1024 vCPU. A task uses one vCPU at most."""
    memory_mebibytes: Whole = Field(
        default=2048, ge=2048, le=122_880, description="2048 or more, and a size of Fargate"
    )
    """Memory of a task. The gateway needs about 700 MiB before its first request."""
    minimum_tasks: Whole = Field(default=2, ge=1, le=100)
    """The minimum number of running tasks."""
    maximum_tasks: Whole = Field(default=4, ge=1, le=100)
    """The maximum number of tasks."""
    messages_models: tuple[ModelId, ...] = ()
    """Models of Anthropic that are called by the Messages API (InvokeModel) instead of Converse, for features that Converse
    does not have."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        with collected():
            check(
                self.minimum_tasks <= self.maximum_tasks,
                key="models.gateway.maximumTasks",
                value=str(self.maximum_tasks),
                allowed=f"minimumTasks ({self.minimum_tasks}) or more",
                fix=f"set it to {self.minimum_tasks} or more",
            )
            for position, model in enumerate(self.messages_models):
                check(
                    foundation_model(model).startswith("anthropic."),
                    key=f"models.gateway.messagesModels[{position}]",
                    value=model,
                    allowed="models of Anthropic: other models do not have the Messages API",
                    fix="remove it: the gateway calls it by Converse",
                )
        return self


_API = {
    "bedrock": "Bedrock's Chat Completions API",
    "bedrockMantle": "bedrock-mantle's Chat Completions API",
    "gateway": "Converse",
}
"""Kind of upstream → what it calls for chats."""
_EMBEDDINGS_FIX = (
    "offer the model in a group with serves: [chat], or choose a model that settings/known_models.tsv lists with embeddings; if "
    "Bedrock serves embeddings with this one, say so in models.known"
)
_OTHERWISE = {
    "bedrock": "choose another model, or put this one into a separate group with an upstream of kind gateway, which calls "
    "Converse; if Bedrock serves it by now, say so in models.known",
    "bedrockMantle": "use kind: gateway with the id that bedrock-runtime has for the model (Claude has only the Messages API at "
    "bedrock-mantle), or choose another model; if bedrock-mantle serves it by now, say so in models.known",
    "gateway": "choose another model; if Bedrock serves it by now, say so in models.known",
}
"""Kind of upstream → what to do with a model that it does not serve."""


class Models(Section):
    """The destinations of prompts. Only the upstreams declared here are reachable."""

    groups: tuple[ModelGroup, ...] = Field(min_length=1)
    tokens_per_hour: Whole = Field(default=5_000_000, ge=1, description="1 or more")
    """An alarm fires when hourly token usage (prompts plus answers) exceeds this number. No request is blocked."""
    quota_tokens_per_minute: Whole | None = Field(default=None, ge=1, description="1 or more")
    """The account's quota of tokens per minute for one model of Bedrock (Service Quotas; the lowest if they differ). An alarm fires at
    80 percent of it. Omitted: the first alarm is the one on refused calls."""
    monthly_budget_usd: Whole = Field(default=1000, ge=1, description="1 or more")
    """The owner is notified at 80 percent of actual and at 100 percent of forecast spend. No request is blocked."""
    billed_services: tuple[BilledService, ...] = Field(default=("Amazon Bedrock",), min_length=1, max_length=20)
    """The services whose cost the budget tracks, by their names on the bill. A model sold through AWS Marketplace is
    billed under a separate name, such as ``Claude Sonnet 4.5 (Amazon Bedrock Edition)``: unless that name is listed,
    the budget does not include the model."""
    record_prompts: PromptRecords | None = None
    """Record prompts and answers. Omitted: neither is recorded anywhere."""
    gateway: Gateway = Gateway()
    """The gateway's size."""
    known: tuple[KnownModel, ...] = ()
    """Bedrock models that ``settings/known_models.tsv`` does not list, or for which it is out of date. A model in
    neither causes a warning."""

    def serves(self, kind: str, model: str) -> Serves | None:
        """The API that an upstream of this kind serves for a model or an inference profile; ``None`` if it is not
        known."""
        own = [one.serves for one in self.known if (one.kind, one.id) == (kind, foundation_model(model))]
        if own:
            return own[0]
        row = documented(kind, model)
        return row.serves if row else None

    @property
    def unknown(self) -> tuple[str, ...]:
        """A sentence for each model that its upstream is not documented to serve."""
        return tuple(
            f"models.groups[{position}].models: it is not documented whether {_API[kind]} serves {model}. If it does not, "
            "every request to the model fails. Look up the model's page in the Bedrock user guide, then add the model "
            f"to models.known (id: {foundation_model(model)}, kind: {kind}, source: the page), or a row to "
            "settings/known_models.tsv."
            for position, group in enumerate(self.groups)
            for kind in sorted({upstream.kind for upstream in group.upstreams if model_region(upstream)})
            for model in group.models
            if "chat" in group.serves and self.serves(kind, model) is None
        )

    @model_validator(mode="after")
    def _declared_once_and_served(self) -> Self:
        names = [g.name for g in self.groups]
        models = [m for g in self.groups for m in g.models]
        with collected():
            check(
                len(set(names)) == len(names),
                key="models.groups",
                value=", ".join(names),
                allowed="groups with distinct names, because each name is a base path",
                fix="rename one of the groups",
            )
            check(
                len(set(models)) == len(models),
                key="models.groups",
                value=", ".join(sorted({m for m in models if models.count(m) > 1})),
                allowed="each model in one group, once: the interface lists the models of all groups together",
                fix="remove the model from all groups but one, and list that group's other upstreams for failover",
            )
            for position, group in enumerate(self.groups):
                key = f"models.groups[{position}]"
                servers = [upstream.server for upstream in group.upstreams]
                for place, server in enumerate(servers):
                    check(
                        server not in servers[:place],
                        key=f"{key}.upstreams[{place}]",
                        value=server,
                        allowed="a region, or a host and port, that no earlier upstream of the group has: trying the same "
                        "server again is not failover, even with another security group or certificate",
                        fix="remove it, or name another server",
                    )
                self._upstreams_are_complete(group, key)
                kinds = sorted({upstream.kind for upstream in group.upstreams if model_region(upstream)})
                if _uses_can_be_served(group, kinds, f"{key}.serves"):
                    for kind in kinds:
                        if "chat" in group.serves:
                            self._chat_is_served(group, kind, f"{key}.models")
                        else:
                            self._embeddings_are_served(group, kind, f"{key}.models")
            known_ids = [(one.kind, one.id) for one in self.known]
            for position, one in enumerate(self.known):
                check(
                    (one.kind, one.id) not in known_ids[:position] and profile_area(one.id) is None,
                    key=f"models.known[{position}].id",
                    value=one.id,
                    allowed="each model once, by its own id: an entry also applies to the model's inference profiles",
                    fix=f"remove the entry, or write {foundation_model(one.id)}",
                )
        return self

    def _upstreams_are_complete(self, group: ModelGroup, key: str) -> None:
        for place, upstream in enumerate(group.upstreams):
            match upstream:
                case BedrockUpstream() | GatewayUpstream():
                    check_profiles(group.models, upstream, key, place)
                case MantleUpstream():
                    check_mantle_ids(group.models, key)
                    self._paths_are_those_of_the_models(group.models, upstream, f"{key}.upstreams[{place}]")
                case PrivateUpstream():
                    check_private(upstream, f"{key}.upstreams[{place}]")
                case ExternalUpstream():
                    check_external(upstream, f"{key}.upstreams[{place}]")
                case _:
                    assert_never(upstream)

    def _chat_is_served(self, group: ModelGroup, kind: str, key: str) -> None:
        for model in group.models:
            row = documented(kind, model)
            said = f"{row.source}, read on {row.checked}" if row else "models.known"
            check(
                self.serves(kind, model) in {Serves.CHAT, None},
                key=key,
                value=model,
                allowed=f"models that {_API[kind]} serves, which this one is not ({said})",
                fix="set serves of the group to [embeddings]"
                if self.serves(kind, model) is Serves.EMBEDDINGS
                else _OTHERWISE[kind],
            )

    def _paths_are_those_of_the_models(self, models: tuple[str, ...], upstream: MantleUpstream, key: str) -> None:
        """An entry of ``models.known`` overrides the table's path too: its author has read the model's page."""
        stated = {one.id for one in self.known if one.kind == upstream.kind}
        for model in models:
            row = documented(upstream.kind, model)
            path = row.path if row and model not in stated else ""
            check(
                path in {"", upstream.path_prefix},
                key=f"{key}.pathPrefix",
                value=upstream.path_prefix,
                allowed=f"{path}, below which bedrock-mantle serves {model} ({row.source if row else ''}): with another path every "
                "request to the model fails",
                fix=f"set pathPrefix to {path}, and put models with another path into a separate group",
            )

    def _embeddings_are_served(self, group: ModelGroup, kind: str, key: str) -> None:
        """Embeddings pass no guardrail, so a model that is not known to serve only them is refused."""
        for model in group.models:
            check(
                self.serves(kind, model) is Serves.EMBEDDINGS,
                key=key,
                value=model,
                allowed="models of which it is documented that Bedrock serves embeddings with them: calls for embeddings pass no "
                "guardrail",
                fix=_EMBEDDINGS_FIX,
            )


def _uses_can_be_served(group: ModelGroup, kinds: list[str], key: str) -> bool:
    """Check what a group serves against the kinds of its upstreams that call Bedrock."""
    written = ", ".join(group.serves)
    distinct = check(
        len(set(group.serves)) == len(group.serves),
        key=key,
        value=written,
        allowed="chat, embeddings or both, without duplicates",
        fix="remove the duplicate",
    )
    direct = check(
        "embeddings" not in group.serves or not {"bedrock", "bedrockMantle"} & set(kinds),
        key=key,
        value=written,
        allowed="chat only in a group with an upstream of kind bedrock or bedrockMantle: Bedrock's OpenAI-compatible API has no "
        "embeddings",
        fix="put the embedding model into a separate group with an upstream of kind gateway, which calls InvokeModel",
    )
    return all(
        (
            distinct,
            direct,
            check(
                len(group.serves) == 1 or "gateway" not in kinds,
                key=key,
                value=written,
                allowed="either chat or embeddings in a group with an upstream of kind gateway: chats need the guardrail, and "
                "calls for embeddings pass none",
                fix="make two groups",
            ),
        )
    )
