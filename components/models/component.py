"""Access to models: guardrails, the task role's permissions, and egress to private model, search and tool servers.

Everything is derived from the declared model groups. It does not enable model invocation logging, which applies to a
whole account and region and records prompts. It creates no endpoint: ``PrivateEndpoints`` does, with this component's
``statements``.
"""

import hashlib
import json
from typing import Any

import pulumi
import pulumi_aws as aws
from pydantic import Field, model_validator

from components.args import Args
from components.common.iam import policy_document, render
from components.component import Component
from components.models.iam_documents import (
    CHAT,
    ModelGroupArgs,
    ModelKeyArgs,
    ModelUpstreamArgs,
    UpstreamKind,
    bedrock_regions,
    gateway_statements,
    key_statements,
    model_keys,
    of_kind,
    task_statements,
)
from components.models.mantle import mantle_regions, mantle_statements

__all__ = ["GuardrailArgs", "ModelAccess", "ModelAccessArgs", "ModelGroupArgs"]

CONTENT = ("HATE", "INSULTS", "MISCONDUCT", "SEXUAL", "VIOLENCE")
PROMPT_ATTACK = "PROMPT_ATTACK"


class GuardrailArgs(Args):
    """The guardrail's reviewed messages and filter strengths. A change creates a new version, which a release
    delivers."""

    content_strength: str = "MEDIUM"
    """The filter strength for hate, insults, misconduct, sexual content and violence: LOW, MEDIUM or HIGH. A higher
    strength blocks content that Bedrock is less sure about."""
    prompt_attack_strength: str = "MEDIUM"
    """The filter strength for jailbreaks and prompt injection in prompts."""
    blocked_entities: list[str] = Field(default_factory=lambda: ["AWS_ACCESS_KEY", "AWS_SECRET_KEY"])
    """Bedrock's names of the types of sensitive data that are blocked in prompts and answers, such as credentials."""
    masked_entities: list[str] = Field(
        default_factory=lambda: ["CREDIT_DEBIT_CARD_NUMBER", "INTERNATIONAL_BANK_ACCOUNT_NUMBER"]
    )
    """Bedrock's names of the types of sensitive data that are masked in answers."""
    blocked_prompt_message: str = "This request was stopped by the content rules of your organisation."
    """The message to a user whose prompt is blocked."""
    blocked_answer_message: str = "The answer was stopped by the content rules of your organisation."
    """The message to a user whose answer is blocked."""

    def digest(self) -> str:
        """Twelve characters that change with the configuration."""
        return hashlib.sha256(json.dumps(self.model_dump(), sort_keys=True).encode()).hexdigest()[:12]


class SyntheticCallerArgs(Args):
    """The synthetic chat, which calls the first model of each group that answers chats."""

    task_role_name: pulumi.Output[str]
    """The role that gets permission to call these models."""
    execution_role_name: pulumi.Output[str]
    """The role with which Fargate reads their API keys when the task starts."""
    security_group_id: pulumi.Output[str]
    """Its security group, which gets an egress rule to each of these private upstreams with a security group."""


class ModelAccessArgs(Args):
    """Arguments of ``ModelAccess``."""

    environment: str
    """The environment's name, part of names in AWS."""
    account_id: str
    """The account of the stack."""
    groups: list[ModelGroupArgs] = Field(min_length=1)
    """The declared model groups. No other model is reachable."""
    tool_servers: list[ModelUpstreamArgs] = Field(default_factory=list[ModelUpstreamArgs])
    """Private search and tool servers that the task calls, as upstreams of kind ``private``."""
    guardrail: GuardrailArgs = GuardrailArgs()
    """The guardrail's filters. Omitted: the default filters."""
    task_role_name: pulumi.Output[str]
    """The role that gets permission to call the declared models."""
    gateway_role_name: pulumi.Output[str] | None = None
    """The gateway's role, which gets permission to call the models of upstreams of kind ``gateway``, with the guardrail
    only. Required with such an upstream.
    Omitted: no upstream is of that kind."""
    execution_role_name: pulumi.Output[str] | None = None
    """The role with which Fargate reads the API keys of private upstreams when a task starts. Required with an API key.
    Omitted: no upstream has one."""
    region: str = ""
    """The region of the secrets with API keys. Required with an API key. Omitted: no upstream has one."""
    security_group_id: pulumi.Output[str]
    """The task's security group, which gets an egress rule to each private upstream with a security group."""
    synthetic: SyntheticCallerArgs | None = None
    """The synthetic chat. Omitted: there is none."""
    tags: dict[str, str]
    """Tags of every resource."""

    @property
    def asked(self) -> list[ModelGroupArgs]:
        """The groups that answer chats, each with its first model."""
        return [
            group.model_copy(update={"models": group.models[:1], "serves": [CHAT]})
            for group in self.groups
            if CHAT in group.serves
        ]

    @property
    def servers(self) -> list[ModelUpstreamArgs]:
        """Every declared upstream and every tool server."""
        return [*(upstream for group in self.groups for upstream in group.upstreams), *self.tool_servers]

    @model_validator(mode="after")
    def _tool_servers_are_private(self) -> "ModelAccessArgs":
        if any(one.kind != UpstreamKind.PRIVATE for one in self.tool_servers):
            raise ValueError("tool_servers has an upstream of another kind: use private, for which no model is needed")
        return self

    @model_validator(mode="after")
    def _gateway_has_a_role(self) -> "ModelAccessArgs":
        if of_kind(self.groups, UpstreamKind.GATEWAY) and self.gateway_role_name is None:
            raise ValueError("an upstream of kind gateway needs gateway_role_name: the role of GatewayIdentity")
        if model_keys(self.servers) and (self.execution_role_name is None or not self.region):
            raise ValueError("an upstream with an api_key needs execution_role_name and region: Fargate reads the key")
        return self


class ModelAccess(Component):
    """Guardrails by region, the task role's model policy, and rules to private upstreams."""

    guardrail_ids: pulumi.Output[dict[str, str]]
    """Region → id of the guardrail that the proxy sends with every request to Bedrock in that region."""
    guardrail_versions: pulumi.Output[dict[str, str]]
    """Region → version of the guardrail."""
    regions: list[str]
    """The regions whose ``bedrock-runtime`` is called; each needs an endpoint."""
    mantle_regions: list[str]
    """The regions whose ``bedrock-mantle`` is called; each needs an endpoint. No guardrail applies there."""
    statements: pulumi.Output[list[dict[str, Any]]]
    """The task role's model permissions as IAM JSON objects. The endpoint policies repeat them for the task role
    only."""
    gateway_statements: pulumi.Output[list[dict[str, Any]]]
    """The gateway's role's, likewise."""
    mantle_statements: pulumi.Output[list[dict[str, Any]]]
    """The task role's permissions on ``bedrock-mantle``, likewise."""
    api_key_references: pulumi.Output[dict[str, str]]
    """Name of each API key → ``valueFrom`` of the proxy's container: the secret's ARN without a version, so a task gets the
    version that is current when it starts."""
    api_key_arns: pulumi.Output[list[str]]
    """The ARNs of the same secrets, for the Secrets Manager endpoint's policy."""
    synthetic_key_arns: pulumi.Output[list[str]]
    """The ARNs of the secrets that the synthetic chat's task reads."""
    synthetic_statements: pulumi.Output[list[dict[str, Any]]]
    """The synthetic chat's permissions on Bedrock, likewise."""
    synthetic_mantle_statements: pulumi.Output[list[dict[str, Any]]]
    """Its permissions on ``bedrock-mantle``, likewise."""

    def __init__(self, name: str, args: ModelAccessArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = ModelAccessArgs.model_validate(args)
        super().__init__("ai-interface:index:ModelAccess", name, args, opts)
        child = pulumi.ResourceOptions(parent=self)
        regions = bedrock_regions(args.groups)
        guardrails = {region: self._guardrail(name, region, args, child) for region in regions}
        versions = {
            region: self._guardrail_version(name, region, args, one, child) for region, one in guardrails.items()
        }
        self.guardrail_ids = pulumi.Output.all(**{region: one.guardrail_id for region, one in guardrails.items()})
        self.guardrail_versions = pulumi.Output.all(**{region: one.version for region, one in versions.items()})
        arns = pulumi.Output.all(**{region: one.guardrail_arn for region, one in guardrails.items()})
        self.regions = regions
        self.statements = self._permissions(
            f"{name}-task-policy", args.task_role_name, args, of_kind(args.groups, UpstreamKind.BEDROCK), arns
        )
        self.gateway_statements = self._permissions(
            f"{name}-gateway-policy", args.gateway_role_name, args, of_kind(args.groups, UpstreamKind.GATEWAY), arns
        )
        self.mantle_regions = mantle_regions(args.groups)
        self.mantle_statements = self._mantle_permissions(name, args, child)
        tools = [(one, "Tools") for one in args.tool_servers]
        self._ways_to_private_upstreams(name, args.security_group_id, [*tools, *_models(args.groups)], args.tags, child)
        self._api_keys(name, args, child)
        self._synthetic(f"{name}-synthetic", args, arns, child)
        self.register_outputs(
            {
                "guardrailIds": self.guardrail_ids,
                "guardrailVersions": self.guardrail_versions,
                "regions": self.regions,
                "statements": self.statements,
                "gatewayStatements": self.gateway_statements,
                "mantleRegions": self.mantle_regions,
                "mantleStatements": self.mantle_statements,
                "apiKeyReferences": self.api_key_references,
                "apiKeyArns": self.api_key_arns,
                "syntheticKeyArns": self.synthetic_key_arns,
                "syntheticStatements": self.synthetic_statements,
                "syntheticMantleStatements": self.synthetic_mantle_statements,
            }
        )

    def _guardrail(
        self, name: str, region: str, args: ModelAccessArgs, child: pulumi.ResourceOptions
    ) -> aws.bedrock.Guardrail:
        chosen = args.guardrail
        filters = [
            aws.bedrock.GuardrailContentPolicyConfigFiltersConfigArgs(
                type=kind, input_strength=chosen.content_strength, output_strength=chosen.content_strength
            )
            for kind in CONTENT
        ]
        # Bedrock detects prompt attacks only in input and refuses any other output strength.
        attack = aws.bedrock.GuardrailContentPolicyConfigFiltersConfigArgs(
            type=PROMPT_ATTACK, input_strength=chosen.prompt_attack_strength, output_strength="NONE"
        )
        entities = [(entity, "BLOCK") for entity in sorted(chosen.blocked_entities)]
        entities += [(entity, "ANONYMIZE") for entity in sorted(chosen.masked_entities)]
        return aws.bedrock.Guardrail(
            f"{name}-guardrail-{region}",
            name=f"ai-interface-{args.environment}",
            description="Content, prompt-attack and sensitive-data rules of every model call",
            region=region,
            blocked_input_messaging=chosen.blocked_prompt_message,
            blocked_outputs_messaging=chosen.blocked_answer_message,
            content_policy_config=aws.bedrock.GuardrailContentPolicyConfigArgs(filters_configs=[*filters, attack]),
            sensitive_information_policy_config=aws.bedrock.GuardrailSensitiveInformationPolicyConfigArgs(
                pii_entities_configs=[
                    aws.bedrock.GuardrailSensitiveInformationPolicyConfigPiiEntitiesConfigArgs(
                        type=type_, action=action
                    )
                    for type_, action in entities
                ]
            ),
            tags=args.tags,
            opts=child,
        )

    def _guardrail_version(
        self,
        name: str,
        region: str,
        args: ModelAccessArgs,
        guardrail: aws.bedrock.Guardrail,
        child: pulumi.ResourceOptions,
    ) -> aws.bedrock.GuardrailVersion:
        # The description contains the configuration's digest: a changed configuration replaces the version resource,
        # which publishes a new version. Older versions are retained for tasks that still use them.
        return aws.bedrock.GuardrailVersion(
            f"{name}-guardrail-version-{region}",
            guardrail_arn=guardrail.guardrail_arn,
            description=f"configuration {args.guardrail.digest()}",
            region=region,
            skip_destroy=True,
            opts=child,
        )

    def _permissions(
        self,
        name: str,
        role_name: pulumi.Output[str] | None,
        args: ModelAccessArgs,
        groups: list[ModelGroupArgs],
        guardrail_arns: pulumi.Output[dict[str, str]],
    ) -> pulumi.Output[list[dict[str, Any]]]:
        """One role's policy, if there are groups for it; its statements for the endpoint's policy."""
        if not groups or role_name is None:
            return pulumi.Output.from_input(list[dict[str, Any]]())
        stated = gateway_statements if groups[0].upstreams[0].kind == UpstreamKind.GATEWAY else task_statements
        statements = guardrail_arns.apply(lambda known: stated(groups, known, args.account_id))
        aws.iam.RolePolicy(
            name, role=role_name, policy=statements.apply(policy_document), opts=pulumi.ResourceOptions(parent=self)
        )
        return statements.apply(lambda known: [render(one) for one in known])

    def _mantle_permissions(
        self, name: str, args: ModelAccessArgs, child: pulumi.ResourceOptions
    ) -> pulumi.Output[list[dict[str, Any]]]:
        statements = mantle_statements(args.groups, args.account_id)
        if statements:
            policy = policy_document(statements)
            aws.iam.RolePolicy(f"{name}-mantle-policy", role=args.task_role_name, policy=policy, opts=child)
        return pulumi.Output.from_input([render(one) for one in statements])

    def _synthetic(
        self,
        name: str,
        args: ModelAccessArgs,
        guardrail_arns: pulumi.Output[dict[str, str]],
        child: pulumi.ResourceOptions,
    ) -> None:
        """Permissions of the synthetic chat: it may call the models that it asks, and nothing else."""
        caller = args.synthetic
        asked = args.asked if caller else []
        keys = model_keys(upstream for group in asked for upstream in group.upstreams)
        mantle = mantle_statements(asked, args.account_id)
        self.synthetic_key_arns = _secret_arns(keys)
        self.synthetic_mantle_statements = pulumi.Output.from_input([render(one) for one in mantle])
        self.synthetic_statements = self._permissions(
            f"{name}-policy",
            caller.task_role_name if caller else None,
            args,
            of_kind(asked, UpstreamKind.BEDROCK),
            guardrail_arns,
        )
        if caller is None:
            return
        self._ways_to_private_upstreams(name, caller.security_group_id, _models(asked), args.tags, child)
        if mantle:
            policy = policy_document(mantle)
            aws.iam.RolePolicy(f"{name}-mantle-policy", role=caller.task_role_name, policy=policy, opts=child)
        _permit_keys(name, keys, caller.execution_role_name, args.region, child)

    def _ways_to_private_upstreams(
        self,
        name: str,
        client: pulumi.Output[str],
        servers: list[tuple[ModelUpstreamArgs, str]],
        tags: dict[str, str],
        child: pulumi.ResourceOptions,
    ) -> None:
        private = {
            server: f"{what} at {up.host_name}"
            # One rule for a group and port that both have.
            for up, what in servers
            if (server := up.private_server) is not None
        }
        for (group_id, port), description in sorted(private.items()):
            aws.vpc.SecurityGroupEgressRule(
                f"{name}-to-{group_id}-{port}",
                security_group_id=client,
                referenced_security_group_id=group_id,
                ip_protocol="tcp",
                from_port=port,
                to_port=port,
                description=description,
                tags=tags,
                opts=child,
            )

    def _api_keys(self, name: str, args: ModelAccessArgs, child: pulumi.ResourceOptions) -> None:
        keys = model_keys(args.servers)
        # Without arguments, Output.all is a list.
        self.api_key_references = (
            pulumi.Output.all(**{key.name: key.secret_arn for key in keys})
            if keys
            else pulumi.Output.from_input(dict[str, str]())
        )
        self.api_key_arns = _secret_arns(keys)
        if args.execution_role_name is not None:
            _permit_keys(name, keys, args.execution_role_name, args.region, child)


def _secret_arns(keys: list[ModelKeyArgs]) -> pulumi.Output[list[str]]:
    """The ARNs of the keys' secrets, without duplicates, sorted."""
    return pulumi.Output.all(*(key.secret_arn for key in keys)).apply(lambda arns: sorted({str(arn) for arn in arns}))


def _permit_keys(
    name: str, keys: list[ModelKeyArgs], role: pulumi.Output[str], region: str, child: pulumi.ResourceOptions
) -> None:
    """Permit the role to read the API keys, if there are any."""
    if not keys:
        return
    kms_keys = pulumi.Output.all(*(key.kms_key_arn for key in keys))
    policy = pulumi.Output.all(_secret_arns(keys), kms_keys).apply(
        lambda known: policy_document(key_statements(known[0], known[1], region))
    )
    aws.iam.RolePolicy(f"{name}-keys-policy", role=role, policy=policy, opts=child)


def _models(groups: list[ModelGroupArgs]) -> list[tuple[ModelUpstreamArgs, str]]:
    return [(upstream, "Models") for group in groups for upstream in group.upstreams]
