"""The settings of a stack as arguments of ``AIInterface``, in the spelling of a caller in another language.

It reads every section of the settings, as ``assembly`` does for the parts, so that a key of the settings that the component has
no argument for shows as a difference between the two graphs.
"""

from __future__ import annotations

from typing import Any, cast

import pulumi
import pulumi_aws as aws

from assembly.alerts import alert_subscriptions
from assembly.common import MEBIBYTE, image, repository_arns, tags
from assembly.existing import existing_network
from assembly.gateway import IMAGE, uses_gateway
from assembly.model_keys import look_up_keys
from assembly.public import _office_rates  # pyright: ignore[reportPrivateUsage] - the limits that the settings derive
from assembly.task import preset, schemas
from components.args import Args
from components.host.models import spelled
from components.models.iam_documents import ModelKeyArgs
from releases.manifest import Release, load_release, stops_before_start, versions
from releases.prompts import Prompts
from settings import StackSettings
from settings.people import People
from settings.tools import SearchServer, ToolServer
from settings.upstreams import Upstream, server_of

Values = dict[str, Any]


def translated(settings: StackSettings, release: Release, prompts: Prompts) -> Values:
    """The arguments. To be called inside a program: it looks up secrets and route tables."""
    keys, chosen = look_up_keys(settings), prompts.guardrail
    return {
        **_place(settings),
        **_people(settings),
        **_limits(settings),
        "images": _images(settings, release),
        "application": settings.application,
        "groups": [
            {
                "name": group.name,
                "models": list(group.models),
                "serves": list(group.serves),
                "upstreams": [_upstream(one, keys) for one in group.upstreams],
            }
            for group in settings.models.groups
        ],
        **({"gateway": _gateway(settings, release)} if uses_gateway(settings) else {}),
        "tools": {
            **({"search": _server(settings.tools.search, keys)} if settings.tools.search else {}),
            "servers": [_server(one, keys) for one in settings.tools.servers],
            "timeoutSeconds": settings.tools.timeout_seconds,
        },
        "guardrail": {
            "contentStrength": chosen.content_strength.value,
            "promptAttackStrength": chosen.prompt_attack_strength.value,
            "blockedEntities": list(chosen.blocked_entities),
            "maskedEntities": list(chosen.masked_entities),
            "blockedPromptMessage": chosen.blocked_prompt_message,
            "blockedAnswerMessage": chosen.blocked_answer_message,
        },
        "promptEnvironment": dict(prompts.environment),
        "tokensPerHour": settings.models.tokens_per_hour,
        "quotaTokensPerMinute": settings.models.quota_tokens_per_minute,
        "monthlyBudgetUsd": settings.models.monthly_budget_usd,
        "billedServices": list(settings.models.billed_services),
        "recordPrompts": {
            "days": settings.models.record_prompts.days,
            "readerArns": list(settings.models.record_prompts.reader_arns),
        }
        if settings.models.record_prompts
        else None,
        "objectives": as_spelled(settings.objectives.model_dump(exclude={"synthetic_chat"})),
        "syntheticChat": as_spelled(settings.objectives.synthetic_chat.model_dump()),
        **_data(settings),
        "allowDeletion": settings.allow_deletion,
        "tags": tags(settings),
    }


def _place(settings: StackSettings) -> Values:
    network, domain, owner = settings.network, settings.domain, settings.owner
    found = existing_network(network.existing, settings.environment) if network.existing else None
    return {
        "environment": settings.environment,
        "accountId": settings.account_id,
        "region": settings.region,
        "hostName": domain.host_name,
        "hostedZoneId": domain.hosted_zone_id,
        "certificateArn": domain.certificate_arn,
        "cidrBlock": str(network.cidr_block),
        "availabilityZones": list(network.availability_zones),
        "endpointZones": network.endpoint_zones,
        "existingNetwork": found and as_spelled(dict(found)),
        "contactEmail": owner.contact,
        "subscriptions": [
            {"name": one.name, "severity": one.severity, "protocol": one.protocol, "endpoint": one.endpoint}
            for one in alert_subscriptions(settings)
        ],
        "runbookUrl": owner.runbook,
    }


def _people(settings: StackSettings) -> Values:
    identity = settings.identity
    provider, machine = identity.provider, identity.machine_clients
    required = (provider.required_claim if provider else None) or ("", ())
    secret = aws.secretsmanager.get_secret_version_output(secret_id=identity.client_secret_name).secret_string
    return {
        "oidc": {
            "issuer": identity.issuer,
            "authorizationEndpoint": identity.authorization_endpoint,
            "tokenEndpoint": identity.token_endpoint,
            "userInfoEndpoint": identity.user_info_endpoint,
            "clientId": identity.client_id,
            "clientSecret": pulumi.Output.secret(secret),
            "scopes": list(identity.scopes),
            "sessionCookieName": identity.session_cookie_name,
            "sessionTimeoutSeconds": identity.session_timeout_seconds,
            "extraParameters": dict(provider.extra_parameters) if provider else {},
        },
        "allowed": _selectors(settings, identity.allowed),
        "everyoneTheProviderAssigns": identity.allowed.everyone_the_provider_assigns,
        "administrators": _selectors(settings, identity.administrators),
        "blocked": _selectors(settings, identity.blocked),
        "blockedUsers": list(identity.blocked.users),
        "requiredClaimName": required[0],
        "requiredClaimValues": list(required[1]),
        "emailVerifiedRequired": provider is not None and provider.verifies_email,
        "logoutUrl": identity.end_session_endpoint or "",
        "machineClients": {
            "hostName": machine.host_name,
            "issuer": machine.issuer,
            "jwksEndpoint": machine.jwks_endpoint,
            "audience": machine.audience,
            "audienceFormat": machine.audience_format.value,
            "claims": [
                {"name": one.name, "values": list(one.values), "format": one.format and one.format.value}
                for one in machine.claims
            ],
        }
        if machine
        else None,
    }


def _selectors(settings: StackSettings, people: People) -> Values:
    claim, provider = people.claim, settings.identity.provider
    encoding = (claim.format or (provider.encoding(claim.name) if provider else None)) if claim else None
    return {
        "claimName": claim.name if claim else "",
        "claimValues": list(claim.values) if claim else [],
        "claimFormat": encoding.value if encoding else "",
        "emailDomains": list(people.email_domains),
        "emails": list(people.emails),
    }


def _limits(settings: StackSettings) -> Values:
    limits, edge = settings.limits, settings.edge
    rates, offices = limits.rates, limits.rates.office_networks
    return {
        "limits": as_spelled(
            {
                "prompt_bytes": limits.prompt_mebibytes * MEBIBYTE,
                "upload_bytes": limits.upload_mebibytes * MEBIBYTE,
                **limits.model_dump(include={"cookie_bytes", "header_bytes", "query_bytes", "uri_bytes"}),
                **rates.model_dump(exclude={"people_behind_one_address", "office_networks"}),
                **_office_rates(rates, preset(settings).arrival),
            }
        ),
        "officeCidrBlocks": [str(one) for one in offices.cidr_blocks] if offices else [],
        "timeouts": as_spelled(limits.timeouts.model_dump()),
        "clientCidrBlocks": [str(one) for one in edge.client_cidr_blocks],
        "edge": {
            "tlsPolicy": edge.tls_policy.value,
            "contentSecurityPolicy": edge.content_security_policy,
            "logReaderArns": list(edge.log_reader_arns),
            "countOnlyRules": list(edge.count_only_rules),
            "paths": {name: list(paths) for name, paths in edge.paths},
        },
    }


def _images(settings: StackSettings, release: Release) -> Values:
    known = versions()
    later = [load_release(version) for version in known[known.index(release.version) + 1 :]]
    return {
        "release": release.version,
        "interface": image(settings, release, "interface"),
        "proxy": image(settings, release, "proxy"),
        "repositoryArns": repository_arns(settings),
        "egressRepositoryArns": repository_arns(settings, "proxy"),
        "schemas": [as_spelled(dict(one)) for one in schemas(release)],
        "version": release.images["interface"].version,
        "stopBeforeStart": stops_before_start(release, later),
    }


def _gateway(settings: StackSettings, release: Release) -> Values:
    size = as_spelled(settings.models.gateway.model_dump())
    return {
        **size,
        "messagesModels": list(settings.models.gateway.messages_models),
        "image": image(settings, release, IMAGE),
        "repositoryArns": repository_arns(settings, IMAGE, "proxy"),
    }


def _upstream(upstream: Upstream, keys: dict[str, ModelKeyArgs]) -> Values:
    given = as_spelled(upstream.model_dump(exclude={"api_key_secret"}))
    server = server_of(upstream)
    return {**given, **_key(server.api_key_secret if server else None, keys)}


def _server(server: SearchServer | ToolServer, keys: dict[str, ModelKeyArgs]) -> Values:
    unused = {"api_key_secret"} if isinstance(server, SearchServer) else {"api_key_secret", "kind"}
    return {**as_spelled(server.model_dump(exclude=unused)), **_key(server.api_key_secret, keys)}


def _key(secret: str | None, keys: dict[str, ModelKeyArgs]) -> Values:
    return {"apiKey": as_spelled(dict(keys[secret]))} if secret else {}


def _data(settings: StackSettings) -> Values:
    data, kept, capacity = settings.data, settings.retention, settings.capacity
    return {
        "size": as_spelled({**capacity.model_dump(), "architecture": capacity.architecture.value}),
        "database": as_spelled(data.database.model_dump()),
        "cache": as_spelled(data.cache.model_dump()),
        "uploads": as_spelled(data.uploads.model_dump()),
        "restoreTestMonths": data.restore_test_months,
        "copyVaultArn": data.copy_vault_arn,
        "copyKeyArn": data.copy_key_arn,
        "retention": {
            "applicationLogDays": kept.application_log_days,
            "flowLogDays": kept.flow_log_days,
            "firewallLogDays": kept.firewall_log_days,
            "accessLogDays": kept.edge_access_log_days,
            "backupDays": data.backup_days,
            "unmaskedLogs": kept.unmasked_logs,
        },
    }


def as_spelled(values: dict[str, Any]) -> Values:
    """The same in camelCase, with lists in place of tuples, without what is not set."""
    return {
        spelled(name): as_spelled(dict(value))
        if isinstance(value, Args)
        else list(cast("tuple[object, ...]", value))
        if isinstance(value, tuple)
        else value
        for name, value in values.items()
        if value is not None
    }
