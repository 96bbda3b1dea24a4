"""The properties in which AWS stores the place of each resource with network interfaces: one row per type.

Instances, groups of instances and network interfaces, which spread them over several resources, have their own functions
in ``instances``.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SubnetGroup:
    """A named group of subnets between a resource and its subnets."""

    property: str
    kind: str
    keys: tuple[str, ...] = ("name", "id", "arn")
    subnets: str = "subnetIds"


@dataclass(frozen=True, slots=True)
class Row:
    """The properties in which AWS stores the subnets, the groups and the public address of one resource type."""

    role: str
    subnets: str = ""
    via: SubnetGroup | None = None
    groups: str = ""
    public: str = ""
    public_default: bool = False
    accepts: bool = True
    owner: tuple[str, str, tuple[str, ...]] | None = None
    """Property, type and keys of the resource from which this one inherits settings."""
    required: str = ""
    """Without this property, the resource has no network interface."""
    follows_subnet: bool = False
    """Its machines have the public addresses that their subnets assign."""
    elastic: str = ""
    """The list of Elastic IPs that its interfaces get."""
    in_any_subnet: bool = False
    """Its interfaces never have public addresses, although AWS requires public and private subnets."""


def _by_name(kind: str, property_: str = "subnetGroupName", subnets: str = "subnetIds") -> SubnetGroup:
    return SubnetGroup(property_, kind, subnets=subnets)


_RDS_SUBNETS = _by_name("rds.SubnetGroup", "dbSubnetGroupName")
_RDS_OWNER = ("clusterIdentifier", "rds.Cluster", ("clusterIdentifier", "id", "arn"))
_DOCDB_OWNER = ("clusterIdentifier", "docdb.Cluster", ("clusterIdentifier", "id", "arn"))
_NEPTUNE_OWNER = ("clusterIdentifier", "neptune.Cluster", ("clusterIdentifier", "id", "arn"))

_MODE = "networkConfiguration.networkModeConfig"
_IN_VPC = "networkConfiguration.vpcConfig"
_HARNESS = "environments[0].agentcoreRuntimeEnvironments[0].networkConfigurations[0].networkModeConfigs[0]"

ROWS: dict[str, Row] = {
    "ecs.Service": Row(
        "service", "networkConfiguration.subnets", groups="networkConfiguration.securityGroups",
        public="networkConfiguration.assignPublicIp", required="networkConfiguration",
    ),
    "ecs.TaskSet": Row(
        "service", "networkConfiguration.subnets", groups="networkConfiguration.securityGroups",
        public="networkConfiguration.assignPublicIp", required="networkConfiguration",
    ),
    "cloudwatch.EventTarget": Row(
        "scheduled task", "ecsTarget.networkConfiguration.subnets", groups="ecsTarget.networkConfiguration.securityGroups",
        public="ecsTarget.networkConfiguration.assignPublicIp", required="ecsTarget.networkConfiguration",
    ),
    "scheduler.Schedule": Row(
        "scheduled task", "target.ecsParameters.networkConfiguration.subnets",
        groups="target.ecsParameters.networkConfiguration.securityGroups",
        public="target.ecsParameters.networkConfiguration.assignPublicIp",
        required="target.ecsParameters.networkConfiguration",
    ),
    "lambda.Function": Row(
        "function", "vpcConfig.subnetIds", groups="vpcConfig.securityGroupIds", accepts=False, required="vpcConfig",
    ),
    "rds.Instance": Row("database", via=_RDS_SUBNETS, groups="vpcSecurityGroupIds", public="publiclyAccessible"),
    "rds.Cluster": Row("database", via=_RDS_SUBNETS, groups="vpcSecurityGroupIds", public="publiclyAccessible"),
    "rds.ClusterInstance": Row("database", via=_RDS_SUBNETS, public="publiclyAccessible", owner=_RDS_OWNER),
    "rds.Proxy": Row("database proxy", "vpcSubnetIds", groups="vpcSecurityGroupIds"),
    "docdb.Cluster": Row("database", via=_by_name("docdb.SubnetGroup", "dbSubnetGroupName"), groups="vpcSecurityGroupIds"),
    "docdb.ClusterInstance": Row("database", owner=_DOCDB_OWNER),
    "neptune.Cluster": Row(
        "database", via=_by_name("neptune.SubnetGroup", "neptuneSubnetGroupName"), groups="vpcSecurityGroupIds",
    ),
    "neptune.ClusterInstance": Row(
        "database", via=_by_name("neptune.SubnetGroup", "neptuneSubnetGroupName"), public="publiclyAccessible",
        owner=_NEPTUNE_OWNER,
    ),
    "redshift.Cluster": Row(
        "database", via=_by_name("redshift.SubnetGroup", "clusterSubnetGroupName"), groups="vpcSecurityGroupIds",
        public="publiclyAccessible",
    ),
    "redshiftserverless.Workgroup": Row(
        "database", "subnetIds", groups="securityGroupIds", public="publiclyAccessible",
    ),
    "timestreaminfluxdb.DbInstance": Row(
        "database", "vpcSubnetIds", groups="vpcSecurityGroupIds", public="publiclyAccessible",
    ),
    "dms.ReplicationInstance": Row(
        "replication instance",
        via=SubnetGroup("replicationSubnetGroupId", "dms.ReplicationSubnetGroup", ("replicationSubnetGroupId", "id")),
        groups="vpcSecurityGroupIds", public="publiclyAccessible",
    ),
    "elasticache.Cluster": Row("cache", via=_by_name("elasticache.SubnetGroup"), groups="securityGroupIds"),
    "elasticache.ReplicationGroup": Row("cache", via=_by_name("elasticache.SubnetGroup"), groups="securityGroupIds"),
    "elasticache.ServerlessCache": Row("cache", "subnetIds", groups="securityGroupIds"),
    "memorydb.Cluster": Row("cache", via=_by_name("memorydb.SubnetGroup"), groups="securityGroupIds"),
    "dax.Cluster": Row("cache", via=_by_name("dax.SubnetGroup"), groups="securityGroupIds"),
    "efs.MountTarget": Row("file system", "subnetId", groups="securityGroups"),
    "fsx.LustreFileSystem": Row("file system", "subnetIds", groups="securityGroupIds"),
    "fsx.OpenZfsFileSystem": Row("file system", "subnetIds", groups="securityGroupIds"),
    "fsx.OntapFileSystem": Row("file system", "subnetIds", groups="securityGroupIds"),
    "fsx.WindowsFileSystem": Row("file system", "subnetIds", groups="securityGroupIds"),
    "ec2.VpcEndpoint": Row("interface VPC endpoint", "subnetIds", groups="securityGroupIds"),
    "mq.Broker": Row("broker", "subnetIds", groups="securityGroups", public="publiclyAccessible"),
    "msk.Cluster": Row(
        "broker", "brokerNodeGroupInfo.clientSubnets", groups="brokerNodeGroupInfo.securityGroups",
        public="brokerNodeGroupInfo.connectivityInfo.publicAccess.type",
    ),
    "opensearch.Domain": Row("search domain", "vpcOptions.subnetIds", groups="vpcOptions.securityGroupIds", required="vpcOptions"),
    "elasticsearch.Domain": Row("search domain", "vpcOptions.subnetIds", groups="vpcOptions.securityGroupIds", required="vpcOptions"),
    "eks.Cluster": Row(
        "cluster", groups="vpcConfig.securityGroupIds", required="vpcConfig", in_any_subnet=True,
    ),
    "eks.NodeGroup": Row("node group", "subnetIds", follows_subnet=True),
    "route53.ResolverEndpoint": Row("resolver endpoint", "ipAddresses", groups="securityGroupIds"),
    "sagemaker.NotebookInstance": Row("notebook", "subnetId", groups="securityGroups", required="subnetId"),
    "mwaa.Environment": Row(
        "workflow environment", "networkConfiguration.subnetIds", groups="networkConfiguration.securityGroupIds",
        public="webserverAccessMode",
    ),
    "batch.ComputeEnvironment": Row(
        "compute environment", "computeResources.subnets", groups="computeResources.securityGroupIds",
        required="computeResources", follows_subnet=True,
    ),
    "cloudhsmv2.Cluster": Row("key store", "subnetIds"),
    "codebuild.Project": Row(
        "build", "vpcConfig.subnets", groups="vpcConfig.securityGroupIds", accepts=False, required="vpcConfig",
    ),
    "directoryservice.Directory": Row("directory", "vpcSettings.subnetIds", required="vpcSettings"),
    "docdb.ElasticCluster": Row("database", "subnetIds", groups="vpcSecurityGroupIds"),
    "ecs.CapacityProvider": Row(
        "container instances", "managedInstancesProvider.instanceLaunchTemplate.networkConfiguration.subnets",
        groups="managedInstancesProvider.instanceLaunchTemplate.networkConfiguration.securityGroups",
        required="managedInstancesProvider", follows_subnet=True,
    ),
    "elasticsearch.VpcEndpoint": Row("search endpoint", "vpcOptions.subnetIds", groups="vpcOptions.securityGroupIds"),
    "emr.Cluster": Row(
        "cluster", "ec2Attributes.subnetId", groups="ec2Attributes.emrManagedMasterSecurityGroup",
        required="ec2Attributes.subnetId", follows_subnet=True,
    ),
    "fsx.FileCache": Row("file system", "subnetIds", groups="securityGroupIds"),
    "glue.DevEndpoint": Row("development endpoint", "subnetId", groups="securityGroupIds", required="subnetId", follows_subnet=True),
    "m2.Environment": Row("mainframe", "subnetIds", groups="securityGroupIds", public="publiclyAccessible", required="subnetIds"),
    "msk.ServerlessCluster": Row("broker", "vpcConfigs[0].subnetIds", groups="vpcConfigs[0].securityGroupIds"),
    "neptunegraph.PrivateGraphEndpoint": Row(
        "database endpoint", "subnetIds", groups="vpcSecurityGroupIds", required="subnetIds",
    ),
    "opensearch.ServerlessVpcEndpoint": Row("search endpoint", "subnetIds", groups="securityGroupIds"),
    "opensearch.VpcEndpoint": Row("search endpoint", "vpcOptions.subnetIds", groups="vpcOptions.securityGroupIds"),
    "opensearchingest.Pipeline": Row(
        "ingestion pipeline", "vpcOptions.subnetIds", groups="vpcOptions.securityGroupIds", required="vpcOptions",
    ),
    "pipes.Pipe": Row(
        "started task", "targetParameters.ecsTaskParameters.networkConfiguration.awsVpcConfiguration.subnets",
        groups="targetParameters.ecsTaskParameters.networkConfiguration.awsVpcConfiguration.securityGroups",
        public="targetParameters.ecsTaskParameters.networkConfiguration.awsVpcConfiguration.assignPublicIp",
        required="targetParameters.ecsTaskParameters.networkConfiguration",
    ),
    "rds.ProxyEndpoint": Row("database proxy", "vpcSubnetIds", groups="vpcSecurityGroupIds"),
    "redshift.EndpointAccess": Row(
        "database endpoint", via=_by_name("redshift.SubnetGroup"), groups="vpcSecurityGroupIds",
    ),
    "redshiftserverless.EndpointAccess": Row("database endpoint", "subnetIds", groups="vpcSecurityGroupIds"),
    "s3.FilesMountTarget": Row("file system", "subnetId", groups="securityGroups"),
    "timestreaminfluxdb.DbCluster": Row(
        "database", "vpcSubnetIds", groups="vpcSecurityGroupIds", public="publiclyAccessible",
    ),
    "appstream.Fleet": Row(
        "streaming instances", "vpcConfig.subnetIds", groups="vpcConfig.securityGroupIds", required="vpcConfig",
    ),
    "appstream.ImageBuilder": Row(
        "streaming instance", "vpcConfig.subnetIds", groups="vpcConfig.securityGroupIds", required="vpcConfig",
    ),
    "bedrock.AgentcoreAgentRuntime": Row(
        "agent", f"{_MODE}.subnets", groups=f"{_MODE}.securityGroups", accepts=False, required=_MODE,
    ),
    "bedrock.AgentcoreBrowser": Row(
        "browser", f"{_IN_VPC}.subnets", groups=f"{_IN_VPC}.securityGroups", accepts=False, required=_IN_VPC,
    ),
    "bedrock.AgentcoreCodeInterpreter": Row(
        "code interpreter", f"{_IN_VPC}.subnets", groups=f"{_IN_VPC}.securityGroups", accepts=False, required=_IN_VPC,
    ),
    "bedrock.AgentcoreHarness": Row(
        "agent", f"{_HARNESS}.subnets", groups=f"{_HARNESS}.securityGroups", accepts=False, required=_HARNESS,
    ),
    "cloud9.EnvironmentEC2": Row("workstation", "subnetId", follows_subnet=True),
    "cloudhsmv2.Hsm": Row("key store", "subnetId", required="subnetId"),
    "directoryservice.ServiceRegion": Row("directory", "vpcSettings.subnetIds", required="vpcSettings"),
    "ec2transitgateway.InstanceConnectEndpoint": Row("instance connect endpoint", "subnetId", groups="securityGroupIds"),
    "ecs.ExpressGatewayService": Row(
        "service", "networkConfigurations[0].subnets", groups="networkConfigurations[0].securityGroups",
        required="networkConfigurations", follows_subnet=True,
    ),
    "emr.Studio": Row("notebooks", "subnetIds", groups="workspaceSecurityGroupId"),
    "finspace.KxCluster": Row(
        "database", "vpcConfiguration.subnetIds", groups="vpcConfiguration.securityGroupIds", required="vpcConfiguration",
    ),
    "medialive.Channel": Row(
        "video encoder", "vpc.subnetIds", groups="vpc.securityGroupIds", elastic="vpc.publicAddressAllocationIds", required="vpc",
    ),
    "medialive.Input": Row("video input", "vpc.subnetIds", groups="vpc.securityGroupIds", required="vpc"),
    "msk.VpcConnection": Row("broker endpoint", "clientSubnets", groups="securityGroups"),
    "opensearchingest.PipelineEndpoint": Row(
        "ingestion endpoint", "vpcOptions.subnetIds", groups="vpcOptions.securityGroupIds",
    ),
    "s3outposts.Endpoint": Row("storage endpoint", "subnetId", groups="securityGroupId"),
    "sagemaker.Domain": Row("notebooks", "subnetIds", groups="defaultUserSettings.securityGroups"),
    "transfer.Server": Row(
        "file server", "endpointDetails.subnetIds", groups="endpointDetails.securityGroupIds", required="endpointDetails.subnetIds",
    ),
    "transfer.WebApp": Row(
        "file server", "endpointDetails.vpc.subnetIds", groups="endpointDetails.vpc.securityGroupIds", required="endpointDetails.vpc.subnetIds",
    ),
    "vpc.RouteServerEndpoint": Row("route server endpoint", "subnetId"),
    "vpclattice.ResourceGateway": Row("resource gateway", "subnetIds", groups="securityGroupIds"),
    "workspaces.Directory": Row(
        "workstations", "subnetIds", groups="workspaceCreationProperties.customSecurityGroupId", required="subnetIds",
    ),
}  # fmt: skip
