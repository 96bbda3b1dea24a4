"""The API keys of private and external upstreams and of tool servers: existing secrets, of which only the description is read.

A key is never in the plan or the state: the look-up returns the secret's ARN and its KMS key, and ECS hands the value to the
proxy's container when a task starts.
"""

from collections.abc import Iterator, Sequence

import pulumi_aws as aws

from components.models import ModelKeyArgs
from components.service import upstreams
from components.service.tools import tool_key_variable as variable_of_tool_key
from settings import Problem, StackSettings
from settings.stack import PREFIX, refused
from settings.tools import SearchServer, ToolServer
from settings.upstreams import ExternalUpstream, PrivateUpstream, server_of

KeyedUpstream = ExternalUpstream | PrivateUpstream


def upstream_name(group: str, upstream: KeyedUpstream) -> str:
    """The upstream's name at the proxy."""
    return upstreams.upstream_name(group, upstream.host_name, upstream.port)


def key_variable(group: str, upstream: KeyedUpstream) -> str:
    """The proxy's environment variable with the upstream's API key; empty if it has none."""
    if upstream.api_key_secret is None:
        return ""
    return upstreams.model_key_variable(group, upstream.host_name, upstream.port)


def tool_key_variable(server: SearchServer | ToolServer) -> str:
    """The proxy's environment variable with the API key of a search or tool server; empty if it has none."""
    if server.api_key_secret is None:
        return ""
    return variable_of_tool_key(None if isinstance(server, SearchServer) else server.name)


def key_secrets(settings: StackSettings, groups: Sequence[str] | None = None) -> dict[str, str]:
    """Variable of the proxy → the secret's key in the service's ``secret_references``. ``groups``: only those of these model groups."""
    return {variable: reference(secret) for _, variable, secret in _keyed(settings, groups)}


def reference(secret: str) -> str:
    """The key in ``secret_references``, which also has the secrets that the stack generates."""
    return f"model-key:{secret}"


def look_up_keys(settings: StackSettings) -> dict[str, ModelKeyArgs]:
    """Secret as the settings name it → its ARN and KMS key. Raises ``SettingsError`` for a secret with the AWS managed key,
    which the permissions boundary of the stack's roles does not let them use."""
    found: dict[str, ModelKeyArgs] = {}
    problems: list[Problem] = []
    for key, _, name in _keyed(settings):
        if name in found:
            continue
        secret = aws.secretsmanager.get_secret(arn=name) if name.startswith("arn:") else _by_name(name)
        if not secret.kms_key_id or secret.kms_key_id.endswith("alias/aws/secretsmanager"):
            problems.append(
                Problem(
                    key=f"{PREFIX}{key}.apiKeySecret",
                    value=secret.name,
                    allowed="a secret that is encrypted with a customer managed key, such as the one that bootstrap creates",
                    fix=f"aws secretsmanager update-secret --secret-id {secret.name} --kms-key-id <the key's ARN>",
                )
            )
            continue
        kms_key = aws.kms.get_key(key_id=secret.kms_key_id)
        found[name] = ModelKeyArgs(name=reference(name), secret_arn=secret.arn, kms_key_arn=kms_key.arn)
    if problems:
        raise refused(settings.environment, problems)
    return found


def _by_name(name: str) -> aws.secretsmanager.GetSecretResult:
    return aws.secretsmanager.get_secret(name=name)


def _keyed(settings: StackSettings, groups: Sequence[str] | None = None) -> Iterator[tuple[str, str, str]]:
    """The key of each server with an API key, the proxy's variable for it, and its secret. ``groups``: only those of these model
    groups, and of no tool server."""
    for position, group in enumerate(settings.models.groups):
        if groups is not None and group.name not in groups:
            continue
        for place, upstream in enumerate(group.upstreams):
            server = server_of(upstream)
            if server is not None and server.api_key_secret is not None:
                key = f"models.groups[{position}].upstreams[{place}]"
                yield key, key_variable(group.name, server), server.api_key_secret
    for key, server in settings.tools.located() if groups is None else ():
        if server.api_key_secret is not None:
            yield key, tool_key_variable(server), server.api_key_secret
