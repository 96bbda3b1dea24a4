"""A stack's requirements on its account, read from its recorded graph, its settings and its release. No value is
repeated here: every requirement comes from one of the three."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from preflight.recording.recorder import RecordedResource, Recording
from preflight.sdk.wire import unwrap
from releases.manifest import Release
from settings import StackSettings
from settings.alerts import HttpsSubscription
from settings.upstreams import BedrockUpstream, GatewayUpstream, MantleUpstream, bedrock_region, server_of

ARCHITECTURES = {"X86_64": "amd64", "ARM64": "arm64"}
"""ECS's name of a processor architecture → the one in an image's manifest (OCI image index specification, ``platform``)."""


@dataclass(frozen=True)
class Image:
    """An image that the task definition names."""

    registry: str
    """The account whose registry contains it."""
    region: str
    repository: str
    digest: str


@dataclass(frozen=True)
class Wanted:
    """One stack's needs."""

    settings: StackSettings
    release: Release
    graph: Recording
    bootstrap: Recording | None
    """The resources that ``bootstrap/`` creates for the stack's account; ``None`` if none of its stack files lists the
    stack."""
    backend: str
    """The URL of Pulumi's state backend; empty: Pulumi Cloud."""
    state_bucket: str
    """The state bucket in bootstrap's settings; empty: Pulumi Cloud."""
    record_key: str = ""
    """The committed public key of the environment's entries in the record, as PEM; empty: they need no signature."""

    @property
    def stack(self) -> str:
        """The stack's name, which is also the environment's."""
        return self.settings.environment

    @property
    def account(self) -> str:
        """The account id, 12 digits."""
        return self.settings.account_id

    @property
    def region(self) -> str:
        """The stack's region."""
        return self.settings.region

    def inputs(self, kind: str) -> list[Mapping[str, Any]]:
        """The inputs of all resources of one type, such as ``aws:lb/listener:Listener``, without marks of secrets."""
        return [properties(resource) for resource in self.graph.of_type(kind)]

    def count(self, kind: str) -> int:
        """The number of resources of one type."""
        return len(self.graph.of_type(kind))

    @property
    def zones(self) -> list[str]:
        """The availability zones by name."""
        return sorted(self.settings.network.availability_zones)

    @cached_property
    def task(self) -> Mapping[str, Any]:
        """The task definition's inputs."""
        return self.inputs("aws:ecs/taskDefinition:TaskDefinition")[0]

    @property
    def containers(self) -> list[Mapping[str, Any]]:
        """The containers of the task."""
        return json.loads(self.task["containerDefinitions"])

    @property
    def architecture(self) -> str:
        """The processor architecture as image manifests name it."""
        return ARCHITECTURES[self.task["runtimePlatform"]["cpuArchitecture"]]

    @property
    def images(self) -> list[Image]:
        """The images of the task, without duplicates, sorted."""
        found: set[Image] = set()
        for container in self.containers:
            name, _, digest = container["image"].partition("@")
            host, _, repository = name.partition("/")
            account, _, _, region, *_ = host.split(".")
            found.add(Image(account, region, repository, digest))
        return sorted(found, key=lambda image: image.repository)

    @property
    def bedrock_models(self) -> list[tuple[str, str]]:
        """Region and model of every model that ``bedrock-runtime`` serves, sorted."""
        return sorted(
            {
                (region, model)
                for group in self.settings.models.groups
                for upstream in group.upstreams
                if (region := bedrock_region(upstream)) is not None
                for model in group.models
            }
        )

    @property
    def mantle_models(self) -> list[tuple[str, str]]:
        """Region and model of every model that ``bedrock-mantle`` serves, sorted."""
        return sorted(
            {
                (upstream.region, model)
                for group in self.settings.models.groups
                for upstream in group.upstreams
                if isinstance(upstream, MantleUpstream)
                for model in group.models
            }
        )

    @property
    def embedding_models(self) -> set[str]:
        """The models of groups that serve only embeddings."""
        return {model for group in self.settings.models.groups if "chat" not in group.serves for model in group.models}

    @property
    def model_keys(self) -> list[str]:
        """The secrets with API keys of declared servers, by name or ARN as the settings name them, sorted."""
        tools = {one.api_key_secret for _, one in self.settings.tools.located() if one.api_key_secret is not None}
        return sorted(
            tools
            | {
                server.api_key_secret
                for group in self.settings.models.groups
                for upstream in group.upstreams
                if (server := server_of(upstream)) is not None and server.api_key_secret is not None
            }
        )

    @property
    def alert_endpoints(self) -> list[str]:
        """The secrets with the URLs of pagers, sorted."""
        return sorted(
            {one.url_secret for one in self.settings.owner.subscriptions if isinstance(one, HttpsSubscription)}
        )

    def destinations(self, region: str, model: str) -> set[str]:
        """The regions to which the settings let Bedrock of a region send a prompt to an inference profile."""
        return {
            destination
            for group in self.settings.models.groups
            if model in group.models
            for upstream in group.upstreams
            if isinstance(upstream, BedrockUpstream | GatewayUpstream) and upstream.region == region
            for destination in upstream.destination_regions
        }

    @property
    def hosts(self) -> list[str]:
        """The public host names: the users', and the machine clients' if there are any."""
        machine = self.settings.identity.machine_clients
        return [self.settings.domain.host_name, *([machine.host_name] if machine else [])]

    def made_by_bootstrap(self, kind: str) -> list[tuple[RecordedResource, Mapping[str, Any]]]:
        """Resources of one type that ``bootstrap/`` creates, with their inputs."""
        if self.bootstrap is None:
            return []
        return [(resource, properties(resource)) for resource in self.bootstrap.of_type(kind)]


def properties(resource: RecordedResource) -> Mapping[str, Any]:
    """The inputs of a resource as the provider receives them."""
    return cast("Mapping[str, Any]", unwrap(resource.inputs))


def statements(document: str) -> Iterator[Mapping[str, Any]]:
    """The statements of a policy document."""
    content = json.loads(document)["Statement"]
    yield from content if isinstance(content, list) else [content]


def several(value: object) -> list[str]:
    """A field of a policy document, which may be a string or a list of strings."""
    return [str(item) for item in cast("list[object]", value)] if isinstance(value, list) else [str(value)]
