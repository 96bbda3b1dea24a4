"""Checks the size of the task definition before any resource is created.

All of its content is known from the settings and the release, except a few identifiers that AWS assigns. They are
replaced by placeholders of at least the same length, so the result is about one percent too large.
"""

from assembly.common import image
from assembly.egress import EGRESS_SECRETS, external_hosts
from assembly.gateway import uses_gateway
from assembly.model_keys import key_secrets
from assembly.task import GATEWAY_SECRETS, application, preset, proxy, schemas
from assembly.tools import private_servers
from components.monitoring.operations import CONTAINERS
from components.proxy import ProxySettings, envoy_arguments
from components.service.component import PROXY_SECRETS
from components.service.task_definition import MAXIMUM_BYTES, TaskPlan, definitions, encoded
from releases.manifest import Release
from releases.prompts import Prompts
from settings import Problem, StackSettings
from settings.stack import PREFIX, refused
from settings.upstreams import bedrock_region

SECRET, HOST = "s" * 140, "h" * 80
"""At least as long as a secret's ARN with its version, and as the name of a database, a cache or a bucket."""
SIGNER_NAME = "edge-balancer-0123456/0123456789abcdef"
AUTHORITY = "-----BEGIN CERTIFICATE-----\n" + ("c" * 64 + "\n") * 12 + "-----END CERTIFICATE-----\n"
"""At least as long as the certificate of an authority with an elliptic curve key."""
NAME = "n" * 120
"""At least as long as the DNS name of an endpoint."""
GUARDRAIL = ("g" * 12, "v" * 4)
"""A guardrail's id and version."""


def largest_task(settings: StackSettings, release: Release, prompts: Prompts) -> tuple[int, dict[str, int]]:
    """The maximum size of the container definitions in bytes, and each container's share of it."""
    container = application(settings, prompts, release)
    gateway = uses_gateway(settings)
    proxy_secrets = {
        **PROXY_SECRETS,
        **(GATEWAY_SECRETS if gateway else {}),
        **(EGRESS_SECRETS if external_hosts(settings) else {}),
        **key_secrets(settings),
    }
    secrets = {
        *container.secret_environment.values(),
        *container.prepare_secret_environment.values(),
        *proxy_secrets.values(),
    }
    values = {*container.value_environment.values(), *container.prepare_value_environment.values()}
    regions = {
        region
        for group in settings.models.groups
        for upstream in group.upstreams
        if (region := bedrock_region(upstream)) is not None
    }
    services = {
        server.endpoint_service: NAME for server in private_servers(settings) if server.endpoint_service is not None
    }
    signer = f"arn:aws:elasticloadbalancing:{settings.region}:{settings.account_id}:loadbalancer/app/{SIGNER_NAME}"
    plan = TaskPlan(
        application=container,
        proxy_image=image(settings, release, "proxy"),
        interface_image=image(settings, release, "interface"),
        proxy_arguments=envoy_arguments(
            proxy(
                settings,
                preset(settings),
                signer,
                dict.fromkeys(regions, GUARDRAIL),
                AUTHORITY if gateway else "",
                service_names=services,
                egress_authority=AUTHORITY,
            )
        ),
        proxy_secrets=proxy_secrets,
        proxy_memory_mebibytes=ProxySettings.memory_bytes // (1024 * 1024),
        secret_references=dict.fromkeys(secrets, SECRET),
        data_values=dict.fromkeys(values, HOST),
        release=release.version,
        schemas=schemas(release),
        log_group_names={name: f"/ai-interface/{settings.environment}/{name}" for name in CONTAINERS},
        region=settings.region,
        stop_seconds=settings.limits.timeouts.stop_seconds,
    )
    made = definitions(plan)
    return len(encoded(made).encode()), {str(one["name"]): len(encoded([one]).encode()) for one in made}


def check_task_size(settings: StackSettings, release: Release, prompts: Prompts) -> None:
    """Raise :class:`SettingsError` if AWS would refuse the task definition because of its size."""
    size, shares = largest_task(settings, release, prompts)
    if size < MAXIMUM_BYTES:
        return
    upstreams = sum(len(group.upstreams) for group in settings.models.groups)
    listed = ", ".join(f"{name} {share}" for name, share in shares.items())
    problem = Problem(
        f"{PREFIX}models.groups",
        f"{len(settings.models.groups)} groups with {upstreams} upstreams: a task definition of {size} bytes ({listed})",
        f"less than {MAXIMUM_BYTES} bytes: AWS accepts no larger task definition",
        "list fewer upstreams or groups, remove unneeded root certificates from caCertificate, or allow people by a "
        "claim instead of by individual addresses (identity.allowed)",
    )
    raise refused(settings.environment, [problem])
