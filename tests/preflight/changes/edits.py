"""One edit for each setting of a running stack, and for changes of a release and of the program."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.preflight.changes.leaves import USE
from tests.preflight.changes.tools import LINKED_SEARCH, OTHER_SEARCH, OTHER_SERVICE, OWN_SERVER, SEARCH, TOOL_SERVERS
from tests.settings.identity_providers import BLOCKED, WITHOUT_ENDPOINTS, identity, provider
from tests.settings.stack_files import OTHER_OWNER, REMOVED, Values

ROLE = "arn:aws:iam::111122223333:role/log-readers"
CERTIFICATE = "arn:aws:acm:eu-west-1:111122223333:certificate/01234567-89ab-cdef-0123-456789abcdef"
IDP = "https://id.example.com"
_SUBNETS = [f"subnet-0000000000000000{letter}" for letter in "ab"]
_PRIVATE = [f"subnet-0000000000000001{letter}" for letter in "ab"]
EXISTING: Values = {
    "vpcId": "vpc-0123456789abcdef0",
    "publicSubnetIds": _SUBNETS,
    "privateSubnetIds": _PRIVATE,
    "privateRouteTableIds": ["rtb-00000000000000001"],
}
MACHINES: Values = {
    "hostName": "models.example.com",
    "issuer": "https://login.example.com",
    "jwksEndpoint": "https://keys.example.com/jwks",
    "audience": "models",
}
PEOPLE = [f"@example/ai-{name}" for name in ("platform", "release-managers", "prompt-reviewers", "model-reviewers")]
RECORDS: Values = {"days": 30, "readerArns": [ROLE]}
_BEDROCK = [{"kind": "bedrock", "region": "eu-west-1"}]
ONE_GROUP = [{"name": "general", "models": ["openai.gpt-oss-120b-1:0"], "upstreams": _BEDROCK}]
TWO_GROUPS = [*ONE_GROUP, {"name": "second", "models": ["openai.gpt-oss-20b-1:0"], "upstreams": _BEDROCK}]
_BY_GATEWAY = [{**ONE_GROUP[0], "upstreams": [{"kind": "gateway", "region": "eu-west-1"}]}]
_PROVIDER = {
    "kind": "external",
    "hostName": "api.provider.com",
    "apiKeySecret": "ai-interface/staging/model-key-provider",
}
_BY_PROVIDER = [{**ONE_GROUP[0], "upstreams": [*_BEDROCK, _PROVIDER]}]
_BY_TWO = [{**ONE_GROUP[0], "upstreams": [*_BEDROCK, OWN_SERVER]}]
_MANTLE = [{"kind": "bedrockMantle", "region": "eu-west-1"}]
_AT_MANTLE = [{"name": "general", "models": ["openai.gpt-oss-120b"], "upstreams": _MANTLE}]
OFFICES: Values = {"cidrBlocks": ["203.0.113.0/28"], "peopleBehindOneAddress": 2000}
_SEARCHED: Values = {"ai-interface:tools.search": SEARCH}
_GATEWAY: Values = {"ai-interface:models.groups": _BY_GATEWAY}
_OWN: Values = {"ai-interface:network.existing": EXISTING}
_MACHINE: Values = {"ai-interface:identity.machineClients": MACHINES}
_RECORDED: Values = {"ai-interface:models.recordPrompts": RECORDS}
_AT_OFFICES: Values = {"ai-interface:limits.rates.officeNetworks": OFFICES}
_LIFTED: Values = {"ai-interface:allowDeletion": True}


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of one setting of the running staging."""

    key: str
    """The setting, by its path in the stack file."""
    to: Any
    what: str = ""
    """A description, if the key alone is not clear."""
    running: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Other values of the running stack's file: configuration path → value."""
    also: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Settings that have to change in the same edit, because they are refused otherwise."""

    @property
    def changes(self) -> Values:
        """Configuration path → new value."""
        key = self.key if self.key.startswith("aws:") else f"ai-interface:{self.key}"
        return {key: self.to, **self.also}

    @property
    def title(self) -> str:
        """The row's name: one for each edit."""
        return f"{self.key} ({self.what})" if self.what else self.key


def _each(prefix: str, values: Mapping[str, Any], running: Mapping[str, Any] | None = None) -> Iterator[Edit]:
    for name, value in values.items():
        yield Edit(f"{prefix}.{name}", value, running=running or {})


EDITS: tuple[Edit, ...] = (
    Edit("release", "2026.10.1", "the release before"),
    *_each("owner", OTHER_OWNER),
    *(Edit(f"owner.{key}", PEOPLE) for key in ("maintainers", "releaseManagers", "promptReviewers")),
    *(Edit(f"owner.{key}", PEOPLE) for key in ("modelReviewers", "environmentApprovers")),
    Edit("domain.hostName", "ai.staging.example.com"),
    Edit("domain.hostedZoneId", "Z0123456789ANOTHER01"),
    Edit(
        "domain.certificateArn", CERTIFICATE, "instead of the zone", also={"ai-interface:domain.hostedZoneId": REMOVED}
    ),
    Edit("network.cidrBlock", "10.40.0.0/16"),
    Edit("network.cidrBlock", "10.40.0.0/16", "deletion allowed in the same change", also=_LIFTED),
    Edit("network.availabilityZones", ["eu-west-1a", "eu-west-1b", "eu-west-1c"], "a zone added"),
    Edit("network.availabilityZones", ["eu-west-1a", "eu-west-1c"], "a zone replaced"),
    Edit(
        "network.availabilityZones",
        ["eu-west-1a", "eu-west-1b"],
        "a zone removed",
        running={"ai-interface:network.availabilityZones": ["eu-west-1a", "eu-west-1b", "eu-west-1c"]},
    ),
    Edit("network.endpointZones", 1),
    Edit("network.existing", EXISTING, "from a created network to an existing one"),
    Edit("network.existing.vpcId", "vpc-0fedcba9876543210", running=_OWN),
    *_each(
        "network.existing",
        {
            "publicSubnetIds": [_SUBNETS[0], "subnet-0000000000000000f"],
            "privateSubnetIds": [_PRIVATE[0], "subnet-0000000000000001f"],
            "privateRouteTableIds": ["rtb-00000000000000002"],
            "filterDns": True,
        },
        _OWN,
    ),
    *_each(
        "identity",
        {
            "issuer": IDP,
            "authorizationEndpoint": f"{IDP}/authorize",
            "tokenEndpoint": f"{IDP}/token",
            "userInfoEndpoint": f"{IDP}/userinfo",
            "endSessionEndpoint": f"{IDP}/logout",
            "clientId": "another-client",
            "clientSecretName": "ai-interface/staging/another-client-secret",
            "scopes": ["openid", "email", "profile", "groups"],
            "sessionCookieName": "AnotherSessionCookie",
            "sessionTimeoutSeconds": 14_400,
        },
    ),
    Edit("identity.provider", provider("keycloak"), "instead of the endpoints", also=WITHOUT_ENDPOINTS),
    Edit(
        "identity.allowed.everyoneTheProviderAssigns",
        True,
        running={"ai-interface:identity": identity("okta")},
        also={"ai-interface:identity.allowed.claim": REMOVED},
    ),
    *_each("identity.allowed", {"emailDomains": ["example.com"], "emails": ["someone@example.com"]}),
    *_each("identity.allowed.claim", {"name": "roles", "values": ["others"], "format": "json-text"}),
    *_each("identity.blocked", {"emailDomains": ["example.com"], "emails": ["a@example.com"], "users": ["0" * 16]}),
    *_each("identity.blocked.claim", {"name": "roles", "values": ["others"], "format": "json-text"}, BLOCKED),
    *_each("identity.administrators", {"emailDomains": ["example.com"], "emails": ["someone@example.com"]}),
    *_each("identity.administrators.claim", {"name": "roles", "values": ["others"], "format": "json-text"}),
    Edit("identity.machineClients", MACHINES, "added"),
    *_each(
        "identity.machineClients",
        {
            "hostName": "other-models.example.com",
            "issuer": IDP,
            "jwksEndpoint": f"{IDP}/jwks",
            "audience": "others",
            "audienceFormat": "string-array",
            "claims": [{"name": "scope", "values": ["models.call"], "format": "space-separated-values"}],
        },
        _MACHINE,
    ),
    *_each(
        "limits",
        {
            "promptMebibytes": 4,
            "uploadMebibytes": 100,
            "cookieBytes": 20_480,
            "headerBytes": 40_960,
            "queryBytes": 2_048,
            "uriBytes": 4_096,
        },
    ),
    *_each(
        "limits.rates",
        {
            "pagesPerFiveMinutes": 5000,
            "uploadsPerFiveMinutes": 200,
            "modelCallsPerFiveMinutes": 600,
            "peopleBehindOneAddress": 150,
            "addressPagesPerFiveMinutes": 60_000,
            "addressUploadsPerFiveMinutes": 2_000,
            "addressModelCallsPerFiveMinutes": 12_000,
            "addressStaticPerFiveMinutes": 120_000,
        },
    ),
    Edit("limits.rates.officeNetworks", OFFICES, "added"),
    *_each(
        "limits.rates.officeNetworks", {"cidrBlocks": ["203.0.113.0/27"], "peopleBehindOneAddress": 3000}, _AT_OFFICES
    ),
    *_each(
        "limits.timeouts",
        {
            "modelDeadlineSeconds": 500,
            "streamSeconds": 590,
            "deregistrationDelaySeconds": 900,
            "edgeIdleSeconds": 620,
            "keepAliveSeconds": 680,
            "clientKeepAliveSeconds": 1800,
            "requestHeadersSeconds": 20,
            "requestBodySeconds": 240,
            "stopSeconds": 90,
        },
    ),
    Edit("limits.timeouts.modelSilenceSeconds", 60, running={"ai-interface:models.groups": _BY_TWO}),
    *_each(
        "capacity",
        {
            "cpuUnits": 2048,
            "memoryMebibytes": 8192,
            "ephemeralGibibytes": 60,
            "architecture": "ARM64",
            "minimumTasks": 4,
            "maximumTasks": 8,
            "databaseConnections": 40,
        },
    ),
    Edit("models.groups", TWO_GROUPS, "a group added"),
    Edit("models.groups", ONE_GROUP, "a group removed", running={"ai-interface:models.groups": TWO_GROUPS}),
    Edit("models.groups", _BY_GATEWAY, "the gateway in place of Chat Completions"),
    Edit("models.groups", _AT_MANTLE, "bedrock-mantle in place of bedrock-runtime"),
    Edit("models.groups", _BY_PROVIDER, "a provider on the internet added"),
    Edit(
        "models.groups",
        ONE_GROUP,
        "a provider on the internet removed",
        running={"ai-interface:models.groups": _BY_PROVIDER},
    ),
    *_each(
        "models.gateway",
        {"cpuUnits": 512, "memoryMebibytes": 4096, "minimumTasks": 3, "maximumTasks": 6},
        _GATEWAY,
    ),
    Edit("models.gateway.messagesModels", ["anthropic.claude-sonnet-4-5-20250929-v1:0"], running=_GATEWAY),
    *_each(
        "models",
        {
            "tokensPerHour": 1_000_000,
            "quotaTokensPerMinute": 200_000,
            "monthlyBudgetUsd": 500,
            "billedServices": ["Amazon Bedrock", "Claude (Amazon Bedrock Edition)"],
        },
    ),
    Edit("secrets.maximumAgeDays", 180),
    *_each(
        "objectives",
        {
            "availabilityPercent": 99.9,
            "chatSuccessPercent": 99.5,
            "firstTokenSeconds": 20,
            "firstTokenPercent": 97.0,
            "minimumFailures": 10,
            "canaryFromOutside": True,
        },
    ),
    *_each("objectives.syntheticChat", {"enabled": False, "everyMinutes": 10, "failedRuns": 2}),
    Edit(
        "models.known",
        [{"id": "openai.gpt-oss-20b-1:0", "kind": "bedrock", "source": "the model's page in the user guide"}],
    ),
    Edit("models.recordPrompts", RECORDS, "added"),
    *_each("models.recordPrompts", {"days": 60, "readerArns": [f"{ROLE}-2"]}, _RECORDED),
    Edit("tools.search", SEARCH, "added"),
    *_each("tools.search", OTHER_SEARCH, _SEARCHED),
    Edit("tools.search.endpointService", OTHER_SERVICE, running={"ai-interface:tools.search": LINKED_SEARCH}),
    Edit("tools.servers", TOOL_SERVERS, "added"),
    Edit("tools.servers", [], "removed", running={"ai-interface:tools.servers": TOOL_SERVERS}),
    Edit("tools.timeoutSeconds", 30, running=_SEARCHED),
    *_each(
        "data.database",
        {
            "minimumCapacityUnits": 2,
            "maximumCapacityUnits": 8,
            "backupRetentionDays": 14,
            "snapshotIdentifier": "restore-20261125",
        },
    ),
    Edit("data.database.snapshotIdentifier", "restore-20261125", "deletion allowed in the same change", also=_LIFTED),
    Edit("data.database.instances", 1, "the reader removed"),
    Edit("data.cache.replicas", 0, "the replica removed"),
    Edit("data.database.snapshotIdentifier", "restore-20261125", "deletion allowed before", running=_LIFTED),
    Edit(
        "data.database.instances",
        3,
        running={"ai-interface:network.availabilityZones": ["eu-west-1a", "eu-west-1b", "eu-west-1c"]},
    ),
    *_each("data.cache", {"nodeType": "cache.t4g.medium", "replicas": 2, "snapshotRetentionDays": 7}),
    *_each("data.uploads", {"deletedFileDays": 60, "accessLogDays": 60, "accessLogReaderArns": [ROLE]}),
    Edit("data.backupDays", 35),
    Edit("data.restoreTestMonths", 3),
    Edit("data.copyVaultArn", "arn:aws:backup:eu-west-1:999988887777:backup-vault:ai-interface-copies"),
    Edit(
        "data.copyKeyArn",
        "arn:aws:kms:eu-central-1:111122223333:key/0a1b2c3d-0000-4000-8000-0a1b2c3d4e5f",
        "with a vault in that region",
        also={
            "ai-interface:data.copyVaultArn": "arn:aws:backup:eu-central-1:111122223333:backup-vault:ai-interface-copies"
        },
    ),
    *_each(
        "edge",
        {
            "tlsPolicy": "ELBSecurityPolicy-TLS13-1-3-PQ-2025-09",
            "clientCidrBlocks": ["198.51.100.0/24"],
            "logReaderArns": [ROLE],
            "countOnlyRules": ["cookies-too-large"],
            "contentSecurityPolicy": "default-src 'self'",
        },
    ),
    *_each(
        "edge.paths",
        {
            "queries": ["/find/"],
            "blocked": ["/playground*"],
            "api": ["/reports/api*"],
            "pages": ["/reports/*"],
            "prompts": ["/api/v1/reports/"],
        },
    ),
    *_each("retention", {"applicationLogDays": 90, "flowLogDays": 90, "firewallLogDays": 90, "edgeAccessLogDays": 7}),
    *_each("use", USE),
    Edit("retention.unmaskedLogs", to=True),
    Edit("allowDeletion", True),
    Edit("aws:allowedAccountIds", ["999988887777"]),
    Edit(
        "aws:region",
        "eu-central-1",
        "with the zones and the models' region",
        also={
            "ai-interface:network.availabilityZones": ["eu-central-1a", "eu-central-1b"],
            "ai-interface:models.groups[0].upstreams[0].region": "eu-central-1",
        },
    ),
)


@dataclass(frozen=True, slots=True)
class ProgramEdit:
    """A change of the program or of a release's texts, as changes of resources' inputs."""

    title: str
    inputs: Mapping[tuple[str, str], Mapping[str, Any]]
    """Type and logical name → inputs in the running stack."""


OTHER_KEY = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-0000-0000-000000000000"
PROGRAM_EDITS: tuple[ProgramEdit, ...] = (
    ProgramEdit(
        "a prompt template, by a release",
        {("aws:ecs/taskDefinition:TaskDefinition", "service-task"): {"containerDefinitions": "[]"}},
    ),
    ProgramEdit(
        "the guardrail's wording, by a release",
        {
            ("aws:bedrock/guardrail:Guardrail", "models-guardrail-eu-west-1"): {
                "blockedInputMessaging": "another text"
            },
            ("aws:bedrock/guardrailVersion:GuardrailVersion", "models-guardrail-version-eu-west-1"): {
                "description": "another"
            },
        },
    ),
    ProgramEdit("the state's key", {("aws:rds/cluster:Cluster", "state-database"): {"kmsKeyId": OTHER_KEY}}),
    ProgramEdit("the database's version", {("aws:rds/cluster:Cluster", "state-database"): {"engineVersion": "16.4"}}),
    ProgramEdit(
        "the database's master user", {("aws:rds/cluster:Cluster", "state-database"): {"masterUsername": "other"}}
    ),
    ProgramEdit(
        "the description of a store's security group",
        {("aws:ec2/securityGroup:SecurityGroup", "state-database-group"): {"description": "another"}},
    ),
    ProgramEdit(
        "the load balancer's name", {("aws:lb/loadBalancer:LoadBalancer", "edge-balancer"): {"name": "another"}}
    ),
    ProgramEdit(
        "the number of a network ACL's entry",
        {("aws:ec2/networkAclRule:NetworkAclRule", "network-private-ingress-target-from-edge"): {"ruleNumber": 999}},
    ),
)
