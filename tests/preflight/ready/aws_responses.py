"""Responses of AWS that moto lacks, created from what the stack needs, and the certificate that ACM imports."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from preflight.ready.parts.quotas import QUOTAS
from tests.preflight.account.loopback import CHAT, Answer, Asked, Refusal, Result
from tests.preflight.ready.world import World

DEFAULT_QUOTAS: Mapping[str, float] = {
    "L-0EA8095F": 60,
    "L-1B52E74A": 20,
    "L-244521F2": 300,
    "L-29B6F2EB": 50,
    "L-2AEEBF1A": 20,
    "L-2AFB9258": 5,
    "L-2EC3DE7B": 100,
    "L-2F66C23C": 500_000,
    "L-3248932A": 20_480,
    "L-407747CB": 200,
    "L-53DA6B97": 50,
    "L-589F43AA": 200,
    "L-7B6409FD": 40,
    "L-7EED9B64": 100,
    "L-9365A611": 25,
    "L-952B80B8": 40,
    "L-A4707A72": 5,
    "L-B22855CB": 3000,
    "L-B4A6D682": 200,
    "L-B6DF7632": 50,
    "L-C2F1777E": 100_000,
    "L-DC2B2D3D": 10_000,
    "L-DF5E4CA3": 5000,
    "L-DFE45DF3": 300,
    "L-E79EC296": 2500,
    "L-F141DD1D": 2500,
    "L-F678F1CE": 5,
}
"""Service Quotas' default values."""
FARGATE, FARGATE_DEFAULT = "L-3032A538", 6
"""Raised, because a new account has 6 vCPUs, which are too few for every stack of this project."""


TRAIL = {
    "Name": "management",
    "TrailARN": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/management",
    "HomeRegion": "eu-west-1",
    "IsMultiRegionTrail": True,
    "LogFileValidationEnabled": True,
}
SELECTORS = {"EventSelectors": [{"IncludeManagementEvents": True, "ReadWriteType": "All"}]}
RECORDER = {"name": "default", "recordingGroup": {"allSupported": True}}
ANALYZER = {
    "arn": "arn:aws:access-analyzer:eu-west-1:111122223333:analyzer/outside",
    "name": "outside",
    "type": "ACCOUNT",
    "createdAt": dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    "status": "ACTIVE",
}
BLOCKS = dict.fromkeys(("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True)
DETECTOR = {"CreatedAt": "x", "ServiceRole": "x", "Status": "ENABLED"}
BASELINE: Mapping[tuple[str, str], Answer] = {
    ("cloudtrail", "DescribeTrails"): {"trailList": [TRAIL]},
    ("cloudtrail", "GetTrailStatus"): {"IsLogging": True},
    ("cloudtrail", "GetEventSelectors"): SELECTORS,
    ("guardduty", "ListDetectors"): {"DetectorIds": ["d"]},
    ("guardduty", "GetDetector"): DETECTOR,
    ("config", "DescribeConfigurationRecorders"): {"ConfigurationRecorders": [RECORDER]},
    ("config", "DescribeConfigurationRecorderStatus"): {
        "ConfigurationRecordersStatus": [{"name": "default", "recording": True}]
    },
    ("accessanalyzer", "ListAnalyzers"): {"analyzers": [ANALYZER]},
    ("s3control", "GetPublicAccessBlock"): {"PublicAccessBlockConfiguration": BLOCKS},
    ("organizations", "DescribeOrganization"): Refusal("AWSOrganizationsNotInUseException"),
}
"""An account with the whole baseline, outside an organization."""


def answers(world: World) -> dict[tuple[str, str], Answer]:
    """All responses that moto lacks."""
    return {
        ("service-quotas", "GetServiceQuota"): lambda asked: quota(world, asked),
        ("service-quotas", "ListServiceQuotas"): lambda asked: model_quotas(world, asked),
        ("ec2", "DescribeVpcEndpointServices"): lambda asked: endpoint_service(world, asked),
        ("rds", "DescribeOrderableDBInstanceOptions"): lambda asked: orderable(world, asked),
        ("elasticache", "DescribeCacheEngineVersions"): lambda asked: cache_versions(world, asked),
        ("elasticache", "DescribeReservedCacheNodesOfferings"): lambda asked: cache_offerings(world, asked),
        ("backup", "DescribeRegionSettings"): {"ResourceTypeOptInPreference": {"Aurora": True, "S3": False}},
        **BASELINE,
        ("bedrock", "GetFoundationModel"): lambda asked: model(world, asked),
        ("bedrock", "GetFoundationModelAvailability"): available,
        ("bedrock", "ListGuardrails"): {"guardrails": []},
        ("bedrock-runtime", CHAT): lambda asked: chat(world, asked),
    }


def quota(world: World, asked: Asked) -> Result:
    """A quota that the account has."""
    code = asked.parameters["QuotaCode"]
    known = {quota.code: quota for quota in QUOTAS}
    if code not in world.quotas:
        return Refusal("NoSuchResourceException")
    return {"Quota": {"QuotaCode": code, "ServiceCode": known[code].service, "Value": world.quotas[code]}}


def model_quotas(world: World, asked: Asked) -> Result:
    """Bedrock's quotas for the declared models, and one for another model with the same name suffix."""
    names = [display(model) for region, model in world.wanted.bedrock_models if region == asked.region]
    enough = float(world.wanted.settings.models.tokens_per_hour)
    prefix = "On-demand model inference tokens per minute for "
    return {
        "Quotas": [
            {"QuotaName": f"{prefix}{name}", "Value": world.quotas.get(name, enough)} for name in [*names, "Another 7B"]
        ]
    }


def display(model: str) -> str:
    """``openai.gpt-oss-120b-1:0`` → ``OpenAI GPT OSS 120B``, as Service Quotas writes it."""
    maker, _, rest = model.partition(".")
    return f"{maker.replace('openai', 'OpenAI')} {rest.rpartition('-')[0].replace('-', ' ').upper()}"


def endpoint_service(world: World, asked: Asked) -> Result:
    """The endpoint services in the region: those in the graph."""
    name = asked.parameters["ServiceName.1"]
    for inputs in world.wanted.inputs("aws:ec2/vpcEndpoint:VpcEndpoint"):
        if inputs["serviceName"] == name:
            zones = [z["ZoneName"] for z in world.client("ec2").describe_availability_zones()["AvailabilityZones"]]
            kind = [{"ServiceType": inputs["vpcEndpointType"]}]
            return {"ServiceDetails": [{"ServiceName": name, "ServiceType": kind, "AvailabilityZones": zones}]}
    return Refusal("InvalidServiceName")


def orderable(world: World, asked: Asked) -> Result:
    """The graph's engine on the graph's instance class in every zone, in a minor version, and an older version."""
    zones = world.client("ec2").describe_availability_zones()["AvailabilityZones"]
    places = [{"Name": zone["ZoneName"]} for zone in zones]
    fitting = {
        i["clusterIdentifier"]
        for i in world.wanted.inputs("aws:rds/clusterInstance:ClusterInstance")
        if (i["engine"], i["instanceClass"]) == (asked.parameters["Engine"], asked.parameters["DBInstanceClass"])
    }
    clusters = [c for c in world.wanted.inputs("aws:rds/cluster:Cluster") if c["clusterIdentifier"] in fitting]
    versions = ["11.9", *sorted({f"{c['engineVersion']}.6" for c in clusters})]
    return {"OrderableDBInstanceOptions": [{"EngineVersion": v, "AvailabilityZones": places} for v in versions]}


def cache_versions(world: World, asked: Asked) -> Result:
    """The engine's versions: the graph's, and an older one."""
    groups = world.wanted.inputs("aws:elasticache/replicationGroup:ReplicationGroup")
    versions = ["7.2", *(str(g["engineVersion"]) for g in groups if g["engine"] == asked.parameters["Engine"])]
    return {"CacheEngineVersions": [{"Engine": asked.parameters["Engine"], "EngineVersion": v} for v in versions]}


def cache_offerings(world: World, asked: Asked) -> Result:
    """Reservations of the graph's node types."""
    groups = world.wanted.inputs("aws:elasticache/replicationGroup:ReplicationGroup")
    sold = [g["nodeType"] for g in groups if g["nodeType"] == asked.parameters["CacheNodeType"]]
    return {"ReservedCacheNodesOfferings": [{"CacheNodeType": node} for node in sold]}


def model(world: World, asked: Asked) -> Result:
    """A declared model in its region."""
    name = asked.path.rpartition("/")[2]
    if (asked.region, name) not in world.wanted.bedrock_models:
        return Refusal("ResourceNotFoundException", "no such model", 404)
    arn = f"arn:aws:bedrock:{asked.region}::foundation-model/{name}"
    return {"modelDetails": {"modelArn": arn, "modelId": name, "modelLifecycle": {"status": "ACTIVE"}}}


def available(asked: Asked, **other: object) -> Result:
    """Full access to a model."""
    return {
        "modelId": asked.path.rpartition("/")[2],
        "agreementAvailability": {"status": "AVAILABLE"},
        "authorizationStatus": "AUTHORIZED",
        "entitlementAvailability": "AVAILABLE",
        "regionAvailability": "AVAILABLE",
        **other,
    }


def chat(world: World, asked: Asked) -> Result:
    """A model's response to a request that is signed for Bedrock in the model's region and requests one token."""
    body = asked.parameters
    declared = (asked.region, body["model"]) in world.wanted.bedrock_models
    if not declared or body["signed for"] != "bedrock" or body["max_tokens"] != 1:
        return 400, {"error": {"message": "not what the proxy would send"}}
    return 200, {
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "ready"}, "finish_reason": "length"}]
    }


def certificate(folder: Path, hosts: list[str], days: int) -> tuple[bytes, bytes]:
    """A certificate and its key in PEM, for ACM's import."""

    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0])])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    return made.public_bytes(serialization.Encoding.PEM), private
