"""The task's permissions on Bedrock, as IAM documents generated from the declared model groups.

Pure functions. The task role's policy and the endpoint's policy use the same statements, so both refuse an undeclared
model. A private upstream needs a security group rule and, for its API key, a permission of the execution role.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import assert_never

from pydantic import Field, model_validator

from components.args import Args, Input
from components.common.aws_limits import GLOBAL_PROFILES, foundation_model, profile_area
from components.common.iam import Effect, Statement

INVOKE = ("bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream")
"""The IAM actions that authorize Chat Completions, Converse and InvokeModel."""

CHAT, EMBEDDINGS = "chat", "embeddings"
"""The uses that a group may serve."""

GUARDRAIL = "bedrock:GuardrailIdentifier"

_OTHER_GUARDRAILS = "RefuseOtherGuardrails"

PROFILE = "bedrock:InferenceProfileArn"
"""The profile through which a model is called; absent if the model is called by its own id
(https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-prereq.html)."""


class UpstreamKind(StrEnum):
    """The kinds of upstream. Code that depends on the kind matches every member, so that a new one fails in the type
    checker wherever it is missing."""

    BEDROCK = "bedrock"
    BEDROCK_MANTLE = "bedrockMantle"
    EXTERNAL = "external"
    GATEWAY = "gateway"
    PRIVATE = "private"

    @property
    def required_fields(self) -> tuple[str, ...]:
        """The fields of ``ModelUpstreamArgs`` that this kind cannot be without."""
        match self:
            case UpstreamKind.BEDROCK | UpstreamKind.BEDROCK_MANTLE | UpstreamKind.GATEWAY:
                return ("region",)
            case UpstreamKind.PRIVATE | UpstreamKind.EXTERNAL:
                return ("host_name",)
            case _:
                assert_never(self)

    @property
    def is_server_of_this_network(self) -> bool:
        """Whether the task reaches a server of the caller, in this VPC or through a VPC endpoint service."""
        match self:
            case UpstreamKind.PRIVATE:
                return True
            case UpstreamKind.BEDROCK | UpstreamKind.BEDROCK_MANTLE | UpstreamKind.GATEWAY | UpstreamKind.EXTERNAL:
                return False
            case _:
                assert_never(self)


class ModelKeyArgs(Args):
    """An existing secret with the API key of a model server."""

    name: str
    """The secret as the caller names it; the key of its entry in ``ModelAccess.api_key_references``."""
    secret_arn: Input[str]
    """The secret's full ARN."""
    kms_key_arn: Input[str]
    """The customer managed key that encrypts it."""


class ModelUpstreamArgs(Args):
    """A model server: Bedrock in one region, directly, by its endpoint ``bedrock-mantle`` or through the gateway, a private
    OpenAI-compatible server, or a provider on the internet."""

    kind: str
    """``bedrock``, ``bedrockMantle``, ``external``, ``gateway`` or ``private``."""
    region: str = ""
    """Bedrock's region. Empty: the upstream is not Bedrock."""
    destination_regions: list[str] = Field(default_factory=list[str])
    """The regions to which Bedrock may send a prompt to one of the group's inference profiles. Required for a profile
    that is not ``global``: the caller needs permission in each of them. Bedrock's page of the model lists them."""
    host_name: str = ""
    """The DNS name of a private server or of a provider. Empty: the upstream is Bedrock."""
    port: int = 443
    """A private server's port."""
    security_group_id: str = ""
    """A private server's security group. The task may connect to this group on this port only. Empty: the server is behind
    an endpoint service."""
    endpoint_service: str = ""
    """The endpoint service of a private server in another VPC. ``PrivateEndpoints`` creates its endpoint.
    Empty: the server is in this VPC or is no private one."""
    api_key: ModelKeyArgs | None = None
    """The API key of a private server or a provider. Omitted: it needs none, which no provider does."""
    path_prefix: str = "/v1"
    """The path below which a provider or ``bedrock-mantle`` serves ``/chat/completions``. Other kinds have a fixed path."""
    ca_certificate: str = ""
    """The PEM certificate of the CA that signed a private server's. Empty: a public CA did."""
    signing_service: str = "bedrock-mantle"
    """The service name in signatures for ``bedrock-mantle``: ``bedrock-mantle`` or ``bedrock``."""

    @model_validator(mode="after")
    def _is_complete(self) -> "ModelUpstreamArgs":
        if self.kind not in list(UpstreamKind):
            raise ValueError(f"kind {self.kind!r}: use {' or '.join(UpstreamKind)}")
        if missing := [field for field in UpstreamKind(self.kind).required_fields if not getattr(self, field)]:
            raise ValueError(f"an upstream of kind {self.kind} needs {' and '.join(missing)}")
        if UpstreamKind(self.kind).is_server_of_this_network and bool(self.security_group_id) == bool(
            self.endpoint_service
        ):
            raise ValueError(f"an upstream of kind {self.kind} needs either security_group_id or endpoint_service")
        return self

    @property
    def bedrock_region(self) -> str | None:
        """The region whose ``bedrock-runtime`` the upstream calls, with the guardrail; ``None`` for any other upstream."""
        kind = UpstreamKind(self.kind)
        match kind:
            case UpstreamKind.BEDROCK | UpstreamKind.GATEWAY:
                return self.region
            case UpstreamKind.BEDROCK_MANTLE | UpstreamKind.PRIVATE | UpstreamKind.EXTERNAL:
                return None
            case _:
                assert_never(kind)

    @property
    def mantle_region(self) -> str | None:
        """The region whose ``bedrock-mantle`` the upstream calls, where no guardrail applies; ``None`` for any other upstream."""
        kind = UpstreamKind(self.kind)
        match kind:
            case UpstreamKind.BEDROCK_MANTLE:
                return self.region
            case UpstreamKind.BEDROCK | UpstreamKind.GATEWAY | UpstreamKind.PRIVATE | UpstreamKind.EXTERNAL:
                return None
            case _:
                assert_never(kind)

    @property
    def private_server(self) -> tuple[str, int] | None:
        """Security group and port to which the task needs egress; ``None`` for an upstream behind a VPC endpoint or the egress
        proxy, whose component adds the rule."""
        kind = UpstreamKind(self.kind)
        match kind:
            case UpstreamKind.BEDROCK | UpstreamKind.BEDROCK_MANTLE | UpstreamKind.EXTERNAL | UpstreamKind.GATEWAY:
                return None
            case UpstreamKind.PRIVATE:
                return (self.security_group_id, self.port) if self.security_group_id else None
            case _:
                assert_never(kind)


class ModelGroupArgs(Args):
    """Models under one base path, and the upstreams that serve them in failover order."""

    name: str
    """The group's name, which is its base path in the proxy."""
    models: list[str] = Field(min_length=1)
    """Ids of models or cross-region inference profiles. Every upstream serves all of them."""
    upstreams: list[ModelUpstreamArgs] = Field(min_length=1)
    """The upstreams, in failover order."""
    serves: list[str] = Field(default_factory=lambda: [CHAT], min_length=1)
    """``chat``, ``embeddings`` or both. Omitted: chats. Calls for embeddings pass no guardrail."""

    @model_validator(mode="after")
    def _can_be_served(self) -> "ModelGroupArgs":
        if unknown := sorted(set(self.serves) - {CHAT, EMBEDDINGS}):
            raise ValueError(f"serves has {', '.join(unknown)}: use {CHAT} or {EMBEDDINGS}")
        kinds = {up.kind for up in self.upstreams}
        if EMBEDDINGS in self.serves and (
            {UpstreamKind.BEDROCK, UpstreamKind.BEDROCK_MANTLE} & kinds
            or (UpstreamKind.GATEWAY in kinds and CHAT in self.serves)
        ):
            raise ValueError(
                f"model group {self.name} serves {', '.join(self.serves)}: embeddings of Bedrock need a separate group with "
                "upstreams of kind gateway"
            )
        return self


def model_keys(servers: Iterable[ModelUpstreamArgs]) -> list[ModelKeyArgs]:
    """The servers' API keys, each name once, sorted."""
    found = {server.api_key.name: server.api_key for server in servers if server.api_key is not None}
    return [found[name] for name in sorted(found)]


def key_statements(secret_arns: Sequence[str], kms_key_arns: Sequence[str], region: str) -> list[Statement]:
    """The execution role's statements: read the API keys of model servers, and decrypt these secrets only."""
    secrets = sorted(set(secret_arns))
    return [
        Statement(sid="ReadModelKeys", actions=["secretsmanager:GetSecretValue"], resources=secrets),
        Statement(
            sid="DecryptModelKeys",
            actions=["kms:Decrypt"],
            resources=sorted(set(kms_key_arns)),
            conditions={
                "StringEquals": {
                    "kms:EncryptionContext:SecretARN": secrets,
                    "kms:ViaService": [f"secretsmanager.{region}.amazonaws.com"],
                }
            },
        ),
    ]


def bedrock_regions(groups: Iterable[ModelGroupArgs]) -> list[str]:
    """The regions whose ``bedrock-runtime`` is called, sorted."""
    return sorted({region for group in groups for up in group.upstreams if (region := up.bedrock_region)})


@dataclass(frozen=True, slots=True)
class ModelArns:
    """Every ARN that calls to the declared models in one region are authorized against, sorted."""

    models: list[str]
    """The models that are called by their own id."""
    profiles: list[str]
    """The cross-region inference profiles, in the region of the call."""
    behind_profiles: list[str]
    """The models behind the profiles, in each region to which a profile may send a prompt. Bedrock authorizes the
    caller for the region that it selects, so one that is missing fails some of the calls."""


def model_arns(groups: Iterable[ModelGroupArgs], region: str, account_id: str) -> ModelArns:
    """The ARNs of the declared models in ``region``. Raises ``ValueError`` for a profile whose destinations are not
    declared."""
    models, profiles, behind = set[str](), set[str](), set[str]()
    for group in groups:
        for upstream in (up for up in group.upstreams if up.bedrock_region == region):
            for model in group.models:
                if profile_area(model) is None:
                    models.add(_foundation(region, model))
                    continue
                profiles.add(f"arn:aws:bedrock:{region}:{account_id}:inference-profile/{model}")
                behind |= {_foundation(one, foundation_model(model)) for one in _destinations(group, upstream, model)}
    return ModelArns(sorted(models), sorted(profiles), sorted(behind))


def _destinations(group: ModelGroupArgs, upstream: ModelUpstreamArgs, model: str) -> list[str]:
    """The regions in the ARNs of the model behind a profile. A global profile is authorized in the region of the call
    and once without a region, whichever region it selects."""
    if profile_area(model) == GLOBAL_PROFILES:
        return [upstream.region, ""]
    if not upstream.destination_regions:
        raise ValueError(
            f"model group {group.name}: {model} is an inference profile that sends prompts to other regions; "
            "list them in the upstream's destinationRegions (Bedrock's documentation names them for each profile)"
        )
    return upstream.destination_regions


def _foundation(region: str, model: str) -> str:
    return f"arn:aws:bedrock:{region}::foundation-model/{model}"


def _statements(groups: Sequence[ModelGroupArgs], guardrails: Mapping[str, str], account_id: str) -> list[Statement]:
    """A role's statements. ``guardrails``: region → ARN of the guardrail.

    A model behind an inference profile may be called through a declared profile only: by its own id it would also answer
    in the profile's other regions, if a way to them existed.

    Any published version is accepted, because tasks with an earlier version still run during a deployment and after a
    rollback. The draft is not accepted: anyone with console access can change it.

    AWS does not document that Chat Completions calls contain the condition key ``bedrock:GuardrailIdentifier``
    (https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-permissions-id.html covers only InvokeModel and
    Converse). A grant or denial that required the key could reject every call. Therefore the proxy sets the guardrail
    on each request, and the denials apply only when the key is present and names another guardrail or the draft.
    """
    granted = _grants(groups, guardrails, account_id)
    return [*granted, *_denials(guardrails)] if granted else []


def _grants(groups: Sequence[ModelGroupArgs], guardrails: Mapping[str, str], account_id: str) -> list[Statement]:
    statements: list[Statement] = []
    for region in bedrock_regions(groups):
        label = region.replace("-", "")
        arns = model_arns(groups, region, account_id)
        if arns.models:
            statements.append(Statement(sid=f"InvokeListedModels{label}", actions=INVOKE, resources=arns.models))
        if arns.profiles:
            statements += [
                Statement(sid=f"InvokeListedProfiles{label}", actions=INVOKE, resources=arns.profiles),
                Statement(
                    sid=f"InvokeModelsOfProfiles{label}",
                    actions=INVOKE,
                    resources=arns.behind_profiles,
                    conditions={"ArnLike": {PROFILE: arns.profiles}},
                ),
            ]
        statements += [
            Statement(
                sid=f"ApplyGuardrail{label}",
                actions=["bedrock:ApplyGuardrail"],
                resources=[guardrails[region]],
            ),
        ]
    return statements


def _denials(guardrails: Mapping[str, str]) -> list[Statement]:
    return [
        # A negated operator also matches if the key is absent, with or without IfExists, so there is a second
        # condition.
        Statement(
            sid=_OTHER_GUARDRAILS,
            effect=Effect.DENY,
            actions=INVOKE,
            resources=["*"],
            conditions={
                "Null": {GUARDRAIL: ["false"]},
                "StringNotLike": {GUARDRAIL: [f"{arn}:*" for arn in guardrails.values()]},
            },
        ),
        Statement(
            sid="RefuseDraftGuardrails",
            effect=Effect.DENY,
            actions=INVOKE,
            resources=["*"],
            conditions={"StringEquals": {GUARDRAIL: [f"{arn}:DRAFT" for arn in guardrails.values()]}},
        ),
        Statement(
            sid="RefuseBearerTokens", effect=Effect.DENY, actions=["bedrock:CallWithBearerToken"], resources=["*"]
        ),
    ]


def of_kind(groups: Iterable[ModelGroupArgs], kind: UpstreamKind) -> list[ModelGroupArgs]:
    """The groups with upstreams of one kind, without their other upstreams."""
    found = ((group, [up for up in group.upstreams if up.kind == kind]) for group in groups)
    return [group.model_copy(update={"upstreams": upstreams}) for group, upstreams in found if upstreams]


def gateway_statements(
    groups: Sequence[ModelGroupArgs], guardrails: Mapping[str, str], account_id: str
) -> list[Statement]:
    """The gateway's role's statements. It calls Converse and InvokeModel only, and such calls contain the guardrail's
    condition key (https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-permissions-id.html), so a call without
    the guardrail is denied too, also if a caller sends another one.

    Embedding models are exempt, and exactly they: AWS does not document that a guardrail applies to their InvokeModel calls,
    so such a call names none, and a statement that required one could reject all of them."""
    of_gateway = of_kind(groups, UpstreamKind.GATEWAY)
    chat = [group for group in of_gateway if EMBEDDINGS not in group.serves]
    embeddings = _embedding_grants([group for group in of_gateway if EMBEDDINGS in group.serves], account_id)
    exempt = sorted({arn for one in embeddings for arn in one.resources})
    versions = [f"{arn}:*" for arn in guardrails.values()]
    if not of_gateway:
        return []
    statements: list[Statement] = []
    for one in [*_grants(chat, guardrails, account_id), *embeddings, *_denials(guardrails)]:
        if one.sid == _OTHER_GUARDRAILS:
            # A negated operator also matches if the key is absent.
            to = {"resources": [], "not_resources": exempt} if exempt else {"resources": one.resources}
            statements.append(replace(one, conditions={"StringNotLike": {GUARDRAIL: versions}}, **to))
        elif one.effect is Effect.ALLOW and set(one.actions) == set(INVOKE):
            statements.append(replace(one, conditions={**one.conditions, "StringLike": {GUARDRAIL: versions}}))
        else:
            statements.append(one)
    return statements


def _embedding_grants(groups: Sequence[ModelGroupArgs], account_id: str) -> list[Statement]:
    """InvokeModel on the embedding models, without a stream: no other action serves them."""
    statements: list[Statement] = []
    for region in bedrock_regions(groups):
        label, arns = region.replace("-", ""), model_arns(groups, region, account_id)
        if own := sorted([*arns.models, *arns.profiles]):
            statements.append(Statement(sid=f"EmbedWithListedModels{label}", actions=INVOKE[:1], resources=own))
        if arns.profiles:
            statements.append(
                Statement(
                    sid=f"EmbedWithModelsOfProfiles{label}",
                    actions=INVOKE[:1],
                    resources=arns.behind_profiles,
                    conditions={"ArnLike": {PROFILE: arns.profiles}},
                )
            )
    return statements


def task_statements(
    groups: Sequence[ModelGroupArgs], guardrails: Mapping[str, str], account_id: str
) -> list[Statement]:
    """The task role's statements: for the models that its proxy calls itself. ``guardrails``: region → ARN of the
    guardrail."""
    return _statements(of_kind(groups, UpstreamKind.BEDROCK), guardrails, account_id)
