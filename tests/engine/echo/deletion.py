"""What AWS refuses to delete, what it deletes along, and what it keeps: written down from its API references.

A resource is an entry of the cloud: type, id, inputs, outputs. Nothing here changes one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

from preflight.wire import Json, Wire

BUCKET = "aws:s3/bucket:Bucket"
CLUSTER = "aws:rds/cluster:Cluster"
GUARDRAIL = "aws:bedrock/guardrail:Guardrail"
SECRET = "aws:secretsmanager/secret:Secret"
SNAPSHOT = "aws:rds/clusterSnapshot:ClusterSnapshot"

# An input that has to be turned off first.
PROTECTION: dict[str, str] = {
    "aws:cognito/userPool:UserPool": "deletionProtection",
    "aws:dynamodb/table:Table": "deletionProtectionEnabled",
    "aws:lb/loadBalancer:LoadBalancer": "enableDeletionProtection",
    CLUSTER: "deletionProtection",
}

# What holds something is not deleted unless this input was on before; then the provider empties it.
EMPTIED_BY: dict[str, str] = {
    "aws:backup/vault:Vault": "forceDestroy",
    "aws:ecr/repository:Repository": "forceDelete",
    BUCKET: "forceDestroy",
}

# What is not deleted while another resource names it in one of these properties.
HOLDERS: dict[str, frozenset[str]] = {
    "aws:acm/certificate:Certificate": frozenset({"certificateArn"}),
    "aws:backup/plan:Plan": frozenset({"planId"}),
    "aws:cloudwatch/eventRule:EventRule": frozenset({"rule"}),
    "aws:ec2/internetGateway:InternetGateway": frozenset({"gatewayId"}),
    "aws:ec2/networkAcl:NetworkAcl": frozenset({"networkAclId"}),
    "aws:ec2/routeTable:RouteTable": frozenset({"routeTableId"}),
    "aws:ec2/securityGroup:SecurityGroup": frozenset(
        {
            "referencedSecurityGroupId",
            "securityGroupIds",
            "securityGroups",
            "sourceSecurityGroupId",
            "vpcSecurityGroupIds",
        }
    ),
    "aws:ec2/subnet:Subnet": frozenset({"subnetId", "subnetIds", "subnets"}),
    "aws:ec2/vpc:Vpc": frozenset({"vpcId"}),
    "aws:ecs/cluster:Cluster": frozenset({"cluster"}),
    "aws:elasticache/parameterGroup:ParameterGroup": frozenset({"parameterGroupName"}),
    "aws:elasticache/subnetGroup:SubnetGroup": frozenset({"subnetGroupName"}),
    "aws:iam/policy:Policy": frozenset({"policyArn"}),
    "aws:iam/role:Role": frozenset({"role"}),
    "aws:lb/targetGroup:TargetGroup": frozenset({"targetGroupArn"}),
    CLUSTER: frozenset({"clusterIdentifier"}),
    "aws:rds/clusterParameterGroup:ClusterParameterGroup": frozenset({"dbClusterParameterGroupName"}),
    "aws:rds/parameterGroup:ParameterGroup": frozenset({"dbParameterGroupName"}),
    "aws:rds/subnetGroup:SubnetGroup": frozenset({"dbSubnetGroupName"}),
    "aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList": frozenset({"firewallDomainListId"}),
    "aws:route53/resolverFirewallRuleGroup:ResolverFirewallRuleGroup": frozenset({"firewallRuleGroupId"}),
    "aws:route53/resolverQueryLogConfig:ResolverQueryLogConfig": frozenset({"resolverQueryLogConfigId"}),
    "aws:wafv2/webAcl:WebAcl": frozenset({"webAclArn"}),
}

# What goes with the resource that one of its properties names.
PARTS: dict[str, tuple[str, str]] = {
    GUARDRAIL: ("aws:bedrock/guardrailVersion:GuardrailVersion", "guardrailArn"),
    "aws:backup/vault:Vault": ("aws:backup/vaultLockConfiguration:VaultLockConfiguration", "backupVaultName"),
    SECRET: ("aws:secretsmanager/secretVersion:SecretVersion", "secretId"),
}

_LOG_BLOCKS = frozenset({"accessLogs", "connectionLogs", "healthCheckLogs"})
DEFAULT_RECOVERY_DAYS = 30


def refusal(found: Wire, live: Sequence[Wire], contents: Sequence[str]) -> str:
    """Why AWS does not delete ``found`` now, or nothing where it does."""
    type_, inputs = found["type"], found["inputs"]
    switch = PROTECTION.get(type_, "")
    if inputs.get(switch) not in (None, False, "INACTIVE"):
        return f"{switch} is on"
    if users := sorted(_users(found, live)):
        return f"{found['id']} is still used by {', '.join(users[:3])}"
    if type_ in EMPTIED_BY and contents and not inputs.get(EMPTIED_BY[type_]):
        return f"{found['id']} is not empty: {', '.join(sorted(contents)[:3])}"
    if type_ == CLUSTER and not inputs.get("skipFinalSnapshot"):
        snapshot = inputs.get("finalSnapshotIdentifier")
        if not snapshot:
            return "a final snapshot is required and finalSnapshotIdentifier is missing"
        if any(entry["type"] == SNAPSHOT and entry["id"] == snapshot for entry in live):
            return f"the final snapshot {snapshot} already exists"
    return ""


def parts(found: Wire, live: Sequence[Wire]) -> list[Wire]:
    """What is gone together with ``found``."""
    type_, key = PARTS.get(found["type"], ("", ""))
    names = _names(found)
    return [entry for entry in live if entry["type"] == type_ and entry["inputs"].get(key) in names]


def final_snapshot(found: Wire) -> Wire | None:
    """The snapshot that is left of a database."""
    inputs = found["inputs"]
    if found["type"] != CLUSTER or inputs.get("skipFinalSnapshot"):
        return None
    of: Wire = {"dbClusterIdentifier": found["id"], "dbClusterSnapshotIdentifier": inputs["finalSnapshotIdentifier"]}
    return {"type": SNAPSHOT, "id": inputs["finalSnapshotIdentifier"], "inputs": of, "outputs": of, "urn": ""}


def keeps_its_name(found: Wire) -> bool:
    """A secret can be brought back for some days, and nothing else gets its name meanwhile."""
    return found["type"] == SECRET and found["inputs"].get("recoveryWindowInDays", DEFAULT_RECOVERY_DAYS) != 0


def filled_by(type_: str, inputs: Wire) -> Iterator[str]:
    """The buckets into which AWS delivers this resource's logs: they are not empty for long."""
    if type_ == "aws:s3/bucketLogging:BucketLogging":
        yield inputs["targetBucket"]
    if type_ == "aws:lb/loadBalancer:LoadBalancer":
        for block in sorted(_LOG_BLOCKS & inputs.keys()):
            if inputs[block].get("enabled"):
                yield inputs[block]["bucket"]


def held(value: Json, properties: frozenset[str]) -> Iterator[str]:
    """Every string that one of ``properties`` holds, at any depth."""
    if isinstance(value, dict):
        for key, item in cast("Wire", value).items():
            yield from _strings(item) if key in properties else held(item, properties)
    elif isinstance(value, list):
        for item in cast("list[Json]", value):
            yield from held(item, properties)


def _users(found: Wire, live: Sequence[Wire]) -> Iterator[str]:
    properties, names = HOLDERS.get(found["type"], frozenset[str]()), _names(found)
    for entry in live:
        itself = (entry["type"], entry["id"]) == (found["type"], found["id"])
        if not itself and names & set(held(entry["inputs"], properties)):
            yield f"{entry['type']} {entry['id']}"


def _names(found: Wire) -> set[str]:
    outputs = found["outputs"]
    # A guardrail's own ARN has a name of its own.
    arn = outputs.get("guardrailArn" if found["type"] == GUARDRAIL else "arn")
    return {str(name) for name in (found["id"], arn, outputs.get("name")) if name}


def _strings(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in cast("Wire", value).values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in cast("list[Json]", value):
            yield from _strings(item)
