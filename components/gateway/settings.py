"""The gateway's settings: models, guardrail and limits, as plain frozen values.

This module does not depend on Pulumi. A guardrail's id is an ``Output`` in the program: build the settings inside one
``apply``.
"""

from dataclasses import dataclass
from enum import StrEnum

from components.common.aws_limits import GATEWAY_PORT
from components.proxy.settings import ProxyLimits

PORT = GATEWAY_PORT
"""The port on which the gateway's proxy accepts connections from the interface's proxy. The private network ACL admits
the port of the interface's proxy, 8443, from the load balancer only."""
TRANSLATOR_PORT = 4001
"""LiteLLM's loopback port. If its default, 4000, is in use, it starts on a random one."""
SERVICE = "gateway"
"""The ECS service's name."""
PROCESSES = 1
"""LiteLLM starts one worker, which uses one vCPU at most."""
METRICS_NAMESPACE = "ai-interface/gateway"
"""The CloudWatch namespace of usage and errors."""
CLIENT_NAME = "proxy.ai-interface.internal"
"""The DNS name in the interface's client certificate, the only one that the gateway accepts."""


class Api(StrEnum):
    """The Bedrock API to which the gateway translates Chat Completions."""

    CONVERSE = "converse"
    """Converse and ConverseStream, one form for all models."""
    MESSAGES = "invoke"
    """Anthropic's Messages by InvokeModel and InvokeModelWithResponseStream, for features of Claude that Converse does
    not have. The value is LiteLLM's name of the route."""
    EMBEDDINGS = "embeddings"
    """InvokeModel of an embedding model, in the form of its provider, without the guardrail."""


@dataclass(frozen=True, kw_only=True)
class GatewayModel:
    """A model under the name by which the application calls it, which is also Bedrock's."""

    id: str
    """Id of a model or of an inference profile."""
    api: Api = Api.CONVERSE


@dataclass(frozen=True, kw_only=True)
class GatewaySettings:
    """All inputs of the gateway's configurations."""

    environment: str
    """A dimension of the metrics."""
    region: str
    """The region of Bedrock's endpoint."""
    models: tuple[GatewayModel, ...]
    guardrail_id: str
    guardrail_version: str
    authority: str
    """The certificate (PEM) of the CA that signed the interface's client certificate."""
    prompt_bytes: int = ProxyLimits.prompt_bytes
    """The maximum request body."""
    request_headers_seconds: int = ProxyLimits.request_headers_seconds
    request_body_seconds: int = ProxyLimits.request_body_seconds
    """The maximum time from the first byte of a request to the last byte of its body."""
    keep_alive_seconds: int = 150
    """How long an idle connection from the interface's proxy is kept. Must be longer than that proxy keeps it (60)."""
    model_deadline_seconds: int = ProxyLimits.model_deadline_seconds
    """The maximum duration of a model's answer."""
    model_idle_seconds: int = ProxyLimits.model_deadline_seconds
    """How long Bedrock may be silent. The interface's proxy asks the next upstream sooner if there is one."""
    model_requests: int = 1024
    """The maximum number of concurrent requests to one task. A request above the limit gets a 503 immediately."""
    maximum_connections: int = 2048
    """The maximum number of concurrent connections from the interface's proxies."""
    proxy_memory_bytes: int = 128 * 1024 * 1024
    """The memory of the container with Envoy."""
