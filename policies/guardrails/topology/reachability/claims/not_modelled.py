"""Resources that may be reachable but are not modelled: they are reported, never skipped.

A type is suspect if its name is in the list below, if it declares other resources that are not visible, or if its
properties refer to subnets, security groups or a public address.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...entry.load_balancing import BALANCERS
from ...entry.public_services import KINDS as PUBLIC_KINDS
from ...graph.resources import Graph, Resource
from ...graph.verdicts import Finding, not_proven
from ...network.instances import INSTANCE_KINDS
from ...network.placement import ROWS

MODELLED = frozenset(
    {
        *ROWS, *INSTANCE_KINDS, *BALANCERS, *PUBLIC_KINDS,
        "apigateway.RestApi", "apigateway.VpcLink", "apigatewayv2.Api", "apigatewayv2.VpcLink",
        "cloudfront.Distribution", "cloudfront.VpcOrigin", "globalaccelerator.Accelerator",
        "globalaccelerator.EndpointGroup", "lambda.FunctionUrl", "ec2.LaunchTemplate", "ec2.LaunchConfiguration",
    }
)  # fmt: skip
"""Types whose reachability is modelled."""

_NO_ENDPOINT = frozenset(
    {
        "ec2.Subnet", "ec2.DefaultSubnet", "ec2.SecurityGroup", "ec2.DefaultSecurityGroup", "ec2.NetworkAcl",
        "ec2.DefaultNetworkAcl", "ec2.RouteTableAssociation", "ec2.NetworkAclAssociation", "ec2.NatGateway", "ec2.FlowLog",
        "ec2.Eip", "ec2.EipAssociation", "ec2.NetworkInterfaceAttachment", "ec2.NetworkInterfaceSecurityGroupAttachment",
        "ec2.SecurityGroupRule", "vpc.SecurityGroupIngressRule", "vpc.SecurityGroupEgressRule",
        "vpc.SecurityGroupVpcAssociation", "ec2.SecurityGroupAssociation", "ec2.VpcEndpointSubnetAssociation",
        "ec2.VpcEndpointRouteTableAssociation", "rds.SubnetGroup", "docdb.SubnetGroup", "neptune.SubnetGroup",
        "redshift.SubnetGroup", "elasticache.SubnetGroup", "memorydb.SubnetGroup", "dax.SubnetGroup",
        "dms.ReplicationSubnetGroup", "ec2transitgateway.VpcAttachment", "ec2transitgateway.VpcAttachmentAccepter",
        "ec2transitgateway.Connect", "codebuild.Project", "apprunner.VpcConnector", "glue.Connection",
        "lambda.EventSourceMapping", "lb.TargetGroup", "lb.Listener", "networkfirewall.Firewall", "backup.Vault",
        "elasticache.GlobalReplicationGroup", "rds.GlobalCluster", "ecs.TaskDefinition", "ecs.Cluster",
    }
)  # fmt: skip

SUSPECT_NAMES = frozenset(
    {
        "amplify.App", "appstream.Fleet", "appsync.Api", "appsync.GraphQLApi", "batch.ComputeEnvironment",
        "bedrock.AgentcoreAgentRuntime", "bedrock.AgentcoreBrowser", "bedrock.AgentcoreGateway",
        "cloud9.EnvironmentEC2", "cloudfront.DistributionTenant", "cloudfront.MultitenantDistribution",
        "cloudsearch.Domain", "datazone.Domain", "directconnect.PublicVirtualInterface",
        "directoryservice.Directory", "docdb.ElasticCluster", "drs.ReplicationConfigurationTemplate", "dsql.Cluster",
        "ec2.CarrierGateway", "ec2.Fleet", "ec2.SpotFleetRequest",
        "ec2clientvpn.Endpoint", "ecs.ExpressGatewayService", "elasticbeanstalk.Environment", "emr.Cluster",
        "emr.Studio", "gamelift.Fleet", "gamelift.GameServerGroup", "globalaccelerator.CustomRoutingAccelerator",
        "globalaccelerator.CustomRoutingEndpointGroup", "grafana.Workspace", "iot.DomainConfiguration",
        "ivs.Channel", "kendra.Experience", "lambdamicrovms.Microvm", "lightsail.Bucket",
        "lightsail.ContainerService", "lightsail.Database", "lightsail.Distribution", "lightsail.Instance",
        "lightsail.Lb", "medialive.Channel", "medialive.Input", "mediastore.Container", "opensearch.Application",
        "opensearch.ServerlessCollection", "opensearchingest.Pipeline", "s3control.MultiRegionAccessPoint",
        "sagemaker.Domain", "sagemaker.MlflowTrackingServer", "storagegateway.Gateway",
        "transfer.WebApp", "verifiedaccess.Endpoint",
        "vpclattice.ResourceConfiguration", "vpclattice.ResourceGateway", "vpclattice.Service",
        "vpclattice.ServiceNetworkVpcAssociation", "workmail.Organization", "workspaces.Workspace",
        "workspacesweb.Portal",
    }
)  # fmt: skip

_OPAQUE = frozenset(
    {
        "cloudcontrol.Resource", "cloudformation.Stack", "cloudformation.StackSet", "serverlessrepository.CloudFormationStack",
        "servicecatalog.ProvisionedProduct",
    }
)  # fmt: skip

SUSPECT_PROPERTIES = (
    "subnetId", "subnetIds", "subnets", "securityGroupIds", "securityGroups", "vpcSecurityGroupIds", "publiclyAccessible",
    "vpcConfig", "vpcConfiguration", "vpcOptions", "networkConfiguration", "associatePublicIpAddress",
)  # fmt: skip

_NATIVE = re.compile(
    r"(aws-native|awscc):(apigateway|apigatewayv2|apprunner|autoscaling|cloudfront|docdb|ec2|ecs|efs|eks|elasticache"
    r"|elasticloadbalancing|elasticloadbalancingv2|globalaccelerator|lambda|memorydb|msk|neptune|opensearchservice|rds"
    r"|redshift|redshiftserverless|transfer|vpclattice)[:/]"
)
"""Services that hold or open network interfaces, declared by a provider whose properties are not modelled."""

_KUBERNETES = ("kubernetes:core/v1:Service", "kubernetes:networking.k8s.io/v1:Ingress", "kubernetes:helm.sh/v3:Release")


def _suspicion(resource: Resource) -> str:
    """The reason why a resource may be reachable, or an empty text."""
    kind = resource.kind
    if kind in ("ecs.Service", "ecs.TaskSet") and resource.value("vpcLatticeConfigurations") not in (None, []):
        return "is offered through VPC Lattice (vpcLatticeConfigurations)"
    if kind in MODELLED or kind in _NO_ENDPOINT:
        return ""
    return _by_name(resource) or _by_properties(resource)


def _by_name(resource: Resource) -> str:
    if resource.kind in _OPAQUE:
        return "creates resources that are not part of the plan"
    if resource.kind in SUSPECT_NAMES or resource.type.startswith(_KUBERNETES):
        return "can be public"
    if _NATIVE.match(resource.type):
        return "belongs to a provider whose properties are not evaluated"
    return ""


def _by_properties(resource: Resource) -> str:
    if not resource.type.startswith("aws:"):
        return ""
    named = [name for name in SUSPECT_PROPERTIES if resource.value(name) not in (None, [], {}, "")]
    return f"names {', '.join(named)}" if named else ""


def not_modelled(graph: Graph) -> Iterator[Finding]:
    """One finding for each resource that may be reachable and is not modelled."""
    wanted = "a modelled resource type, or an exception that names the reviewer"
    for resource in graph:
        if why := _suspicion(resource):
            fix = "review its exposure, and record an exception with an owner and an expiry date"
            yield not_proven(
                resource, "", [f"the exposure of {resource.label}"], wanted, fix, found=why, what="is not modelled"
            )
