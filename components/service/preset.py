"""A preset of an application with the proxy in front of it, as one argument of ``InterfaceService``.

It computes the container's definition and Envoy's arguments, which a program in another language cannot.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pulumi
from pydantic import Field, model_validator

from components.applications.application import ApplicationArgs
from components.applications.catalogue import DEFAULT, find_preset
from components.applications.preset import Deployment, Embeddings, Preset
from components.args import Args, Input
from components.common.aws_limits import SESSION_COOKIE, SESSION_SECONDS
from components.models.iam_documents import CHAT, EMBEDDINGS, ModelGroupArgs, UpstreamKind
from components.proxy.args import AccessArgs, ProxyLimitsArgs
from components.proxy.configuration import envoy_arguments, model_arguments
from components.proxy.settings import ProxyLogout, ProxyModelGroup, ProxySettings
from components.service.tools import ToolsArgs
from components.service.upstreams import CLIENT_SECRETS, key_secrets, kinds, proxy_egress, proxy_upstream
from components.synthetic.asking import asking

MEBIBYTE = 1024 * 1024
OPERATIONS = {CHAT: "/chat/completions", EMBEDDINGS: "/embeddings"}
"""Use of a group → the operation that the proxy forwards below its base path."""


def _no_values() -> pulumi.Output[dict[str, str]]:
    return pulumi.Output.from_input(dict[str, str]())


class PresetArgs(Args):
    """An application that is known by name, behind the proxy."""

    application: str = DEFAULT
    """The application's name."""
    environment: str = ""
    """The environment's name: the dimension of the metrics that ``ProxyLogAlarms`` counts in the proxy's log, and part of the
    names of gateway and egress proxy. Omitted: the log's lines have none."""
    host_names: list[str] = Field(min_length=1)
    """The public host names, the primary one first, as the edge's."""
    access: AccessArgs
    """Who may use the interface."""
    groups: list[ModelGroupArgs] = Field(min_length=1)
    """The model groups, as those of ``ModelAccess``."""
    tools: ToolsArgs = ToolsArgs()
    """The private search and tool servers. Omitted: none."""
    machine_host_names: list[str] = Field(default_factory=list[str])
    """Public host names of machine clients, as the edge's. Omitted: there are none."""
    limits: ProxyLimitsArgs = ProxyLimitsArgs()
    """Sizes and times. Omitted: the defaults of each."""
    load_balancer_arn: pulumi.Output[str]
    """The edge's load balancer, the only signer whose claims the proxy accepts."""
    guardrail_ids: pulumi.Output[dict[str, str]] = Field(default_factory=_no_values)
    """``guardrailIds`` of ``ModelAccess``. Omitted: no upstream is of kind ``bedrock``."""
    guardrail_versions: pulumi.Output[dict[str, str]] = Field(default_factory=_no_values)
    """``guardrailVersions`` of ``ModelAccess``. Omitted: no upstream is of kind ``bedrock``."""
    private_service_names: pulumi.Output[dict[str, str]] = Field(default_factory=_no_values)
    """``privateServiceNames`` of ``PrivateEndpoints``. Omitted: no upstream has an ``endpoint_service``."""
    gateway_authority: Input[str] | None = None
    """``authority`` of ``GatewayIdentity``. Omitted: no upstream is of kind ``gateway``."""
    egress_authority: Input[str] | None = None
    """``authority`` of ``EgressIdentity``. Omitted: no upstream is of kind ``external``."""
    session_cookie_name: str = SESSION_COOKIE
    """The load balancer's session cookie, as the edge's."""
    session_timeout_seconds: int = Field(default=28_800, ge=SESSION_SECONDS[0], le=SESSION_SECONDS[1])
    """How long a login is valid, as the edge's."""
    logout_url: str = ""
    """The identity provider's logout page. Empty: a page states that the session here has ended."""
    database_connections: int = Field(default=30, ge=1)
    """The maximum number of database connections of one task."""
    prompt_environment: dict[str, str] = Field(default_factory=dict[str, str])
    """Prompt templates and default model parameters, as the application's environment variables."""
    version: str = ""
    """The publisher's version of the application's image. Empty: unknown."""

    @model_validator(mode="after")
    def _can_be_served(self) -> "PresetArgs":
        preset = find_preset(self.application)
        if self.database_connections < preset.least_database_connections:
            raise ValueError(
                f"database_connections is {self.database_connections}, and the connection pools of {self.application} need "
                f"{preset.least_database_connections}: raise it"
            )
        used = kinds(self.groups)
        for kind, field, value, component in (
            (UpstreamKind.GATEWAY, "gateway_authority", self.gateway_authority, "GatewayIdentity"),
            (UpstreamKind.EXTERNAL, "egress_authority", self.egress_authority, "EgressIdentity"),
        ):
            if kind in used and (value is None or not self.environment):
                raise ValueError(
                    f"groups has an upstream of kind {kind}: set environment, and {field} to authority of {component}"
                )
        return self

    @property
    def _preset(self) -> Preset:
        return find_preset(self.application)

    def container(self, region: str) -> ApplicationArgs:
        """The application's container, with database, cache and bucket of ``Data``."""
        embedding = next((group for group in self.groups if EMBEDDINGS in group.serves), None)
        return self._preset.application(
            Deployment(
                origin=f"https://{self.host_names[0]}",
                model_base_urls=[_base_url(group) for group in self.groups if CHAT in group.serves],
                embeddings=Embeddings(base_url=_base_url(embedding), model=embedding.models[0]) if embedding else None,
                version=self.version,
                search=self.tools.application_search(),
                tool_servers=self.tools.application_servers(),
                session_seconds=self.session_timeout_seconds,
                upload_mebibytes=self.limits.upload_bytes // MEBIBYTE,
                model_deadline_seconds=self.limits.model_deadline_seconds,
                prompt_environment=self.prompt_environment,
                region=region,
                shared_data=True,
                database_connections=self.database_connections,
            )
        )

    def proxy_arguments(self) -> pulumi.Output[list[str]]:
        """Envoy's arguments with the whole configuration."""
        return self._known().apply(lambda known: envoy_arguments(self.settings(known)))

    def asking_arguments(self) -> pulumi.Output[list[str]]:
        """Envoy's arguments in the task of the synthetic chat."""
        return self._known().apply(lambda known: model_arguments(asking(self.settings(known))))

    def _known(self) -> pulumi.Output[dict[str, Any]]:
        return pulumi.Output.all(
            signer=self.load_balancer_arn,
            client=self.access.client_id,
            ids=self.guardrail_ids,
            versions=self.guardrail_versions,
            names=self.private_service_names,
            gateway=self.gateway_authority or "",
            egress=self.egress_authority or "",
        )

    def secrets(self) -> dict[str, str]:
        """Variable of the proxy → secret in ``secret_references`` of ``InterfaceService``: client certificates and API keys."""
        return {**key_secrets(self.groups), **self.tools.key_secrets()}

    def asking_secrets(self) -> dict[str, str]:
        """The same in the task of the synthetic chat, which asks the groups that answer chats."""
        clients = {kind: secrets for kind, secrets in CLIENT_SECRETS.items() if kind in kinds(self.groups)}
        return {
            **key_secrets(group for group in self.groups if CHAT in group.serves),
            **{variable: secret for secrets in clients.values() for variable, secret in secrets.items()},
        }

    def settings(self, known: Mapping[str, Any]) -> ProxySettings:
        """The proxy's settings. ``known``: the values of the outputs, by the names in ``proxy_arguments``."""
        preset = self._preset
        return ProxySettings(
            host_names=tuple(self.host_names),
            environment=self.environment,
            identity=self.access.identity(
                signer_arn=known["signer"],
                client_id=known["client"],
                headers=preset.headers,
            ),
            limits=replace(self.limits.limits(self.session_timeout_seconds), tool_seconds=self.tools.timeout_seconds),
            application=preset.proxy,
            logout=ProxyLogout(edge_cookie_name=self.session_cookie_name, redirect_url=self.logout_url),
            model_groups=tuple(
                ProxyModelGroup(
                    name=group.name,
                    models=tuple(group.models),
                    upstreams=tuple(
                        proxy_upstream(self.environment, group.name, upstream, known) for upstream in group.upstreams
                    ),
                    operations=tuple(OPERATIONS[use] for use in _uses(group.serves)),
                )
                for group in self.groups
            ),
            tools=self.tools.proxy_tools(known["names"]),
            egress=proxy_egress(self.environment, known["egress"])
            if UpstreamKind.EXTERNAL in kinds(self.groups)
            else None,
            machine_host_names=tuple(self.machine_host_names),
        )


def _uses(serves: Sequence[str]) -> list[str]:
    return [use for use in OPERATIONS if use in serves]


def _base_url(group: ModelGroupArgs) -> str:
    return f"http://127.0.0.1:{ProxySettings.model_port}/{group.name}/v1"
