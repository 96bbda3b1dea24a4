"""The offered models, their upstreams and the budget.

A task can reach only the upstreams declared here.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self, assert_never

from pydantic import Field, StringConstraints, model_validator

from components.common.aws_limits import PROMPT_RECORD_DAYS
from settings.edge import RoleArn
from settings.errors import check, collected
from settings.values import (
    AwsRegion,
    HostName,
    Section,
    SecurityGroupId,
    Slug,
    Whole,
)

CHAT_COMPLETIONS_MODELS = ("openai.gpt-oss-",)
"""Prefixes of the Bedrock model ids that the Chat Completions API serves. Other models support InvokeModel or Converse
only, which the proxy does not translate to; add a prefix once the model's page in the Bedrock user guide lists the API."""

BilledService = Annotated[
    str,
    StringConstraints(pattern=r"^\S(.{0,98}\S)?$"),
    Field(description="a service's name as it appears on the bill, for example Amazon Bedrock"),
]


class BedrockUpstream(Section):
    """Amazon Bedrock's OpenAI-compatible Chat Completions API in the stack's region, called through an interface
    endpoint."""

    kind: Literal["bedrock"]
    """``bedrock`` for this kind of upstream."""
    region: AwsRegion
    """The stack's region. Use cross-region inference profiles for capacity in other regions."""

    @property
    def server(self) -> str:
        """Identifies the upstream within its group."""
        return f"bedrock in {self.region}"


class PrivateUpstream(Section):
    """An OpenAI-compatible server (for example vLLM) in this VPC or a peered one, reached over TLS."""

    kind: Literal["private"]
    """``private`` for this kind of upstream."""
    host_name: HostName
    """The server's DNS name; its certificate must be valid for it."""
    port: Whole = Field(default=443, ge=1, le=65_535)
    """The server's TCP port."""
    security_group_id: SecurityGroupId
    """The server's security group. The tasks' egress rule allows this group and port only."""
    ca_certificate: Annotated[
        str,
        StringConstraints(pattern=r"^(-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE-----\n?)+$"),
        Field(
            description="only one or more certificates in PEM format",
            json_schema_extra={"secret": True, "fix": "paste the CA's certificate below the key, after a |"},
        ),
    ]
    """The PEM certificate of the CA that signed the server's certificate (public, not a secret)."""

    @property
    def server(self) -> str:
        """Identifies the upstream within its group: one host may have several model servers on different ports."""
        return f"{self.host_name}:{self.port}"


Upstream = Annotated[BedrockUpstream | PrivateUpstream, Field(discriminator="kind")]


def bedrock_region(upstream: Upstream) -> str | None:
    """The region whose Bedrock the upstream calls; ``None`` for an upstream that does not call Bedrock."""
    match upstream:
        case BedrockUpstream():
            return upstream.region
        case PrivateUpstream():
            return None
        case _:
            assert_never(upstream)


ModelId = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$"),
    Field(description="a model id that the upstream accepts, for example openai.gpt-oss-120b-1:0"),
]


class ModelGroup(Section):
    """Models offered under one base path, and the upstreams that serve them in failover order."""

    name: Slug
    """The base path: ``/<name>/v1`` on the proxy's outbound listener."""
    models: tuple[ModelId, ...] = Field(min_length=1)
    """Model ids. Every upstream of the group must serve all of them, because request bodies are not rewritten."""
    upstreams: tuple[Upstream, ...] = Field(min_length=1)
    """In failover order, each server once. A host may be listed again with another port. The same host and port with
    another security group or certificate is the same server and is refused."""


class PromptRecords(Section):
    """Bedrock's model invocation logging: every prompt and answer is recorded. It applies to the whole account and
    region, and the guardrails pack reports it until an exception allows it."""

    days: Whole = Field(ge=1, le=PROMPT_RECORD_DAYS)
    """How long the records are kept, in days."""
    reader_arns: tuple[RoleArn, ...] = Field(min_length=1)
    """The roles that may read the records; every other principal is denied."""


class Models(Section):
    """The destinations of prompts. Only the upstreams declared here are reachable."""

    groups: tuple[ModelGroup, ...] = Field(min_length=1)
    tokens_per_hour: Whole = Field(default=5_000_000, ge=1, description="1 or more")
    """An alarm fires when hourly token usage (prompts plus answers) exceeds this number. No request is blocked."""
    monthly_budget_usd: Whole = Field(default=1000, ge=1, description="1 or more")
    """The owner is notified at 80 percent of actual and at 100 percent of forecast spend. No request is blocked."""
    billed_services: tuple[BilledService, ...] = Field(default=("Amazon Bedrock",), min_length=1, max_length=20)
    """The services whose cost the budget tracks, by their names on the bill. A model sold through AWS Marketplace is
    billed under a separate name, such as ``Claude Sonnet 4.5 (Amazon Bedrock Edition)``: unless that name is listed,
    the budget does not include the model."""
    record_prompts: PromptRecords | None = None
    """Record prompts and answers. Omitted: neither is recorded anywhere."""

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
                if not any(bedrock_region(upstream) for upstream in group.upstreams):
                    continue
                for model in group.models:
                    check(
                        model.startswith(CHAT_COMPLETIONS_MODELS),
                        key=f"{key}.models",
                        value=model,
                        allowed="models that Bedrock's Chat Completions API supports: ids that begin with "
                        + ", ".join(CHAT_COMPLETIONS_MODELS),
                        fix="choose one of these models, or serve this one from a private upstream",
                    )
        return self
