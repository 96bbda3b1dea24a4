"""The inputs that replace a resource when they change, for every type that the project registers.

The source is the Terraform AWS and TLS providers' documentation ("forces new resource"); the SDK's argument classes do
not contain it. A test fails for a registered type that is not listed here, and another compares the table with
``createOnlyProperties`` in CloudFormation's resource schemas. The fake provider of the engine tests and the offline
preview (``preflight.changes.monitor``) both use the table, so they cannot disagree.
"""

from __future__ import annotations

from preflight.sdk.wire import Wire

# One line for each type: the inputs whose change replaces the resource, or EVERYTHING except those after a minus sign.
_TABLE = """
aws:acm/certificate:Certificate                 domainName keyAlgorithm subjectAlternativeNames validationMethod
aws:acm/certificateValidation:CertificateValidation    certificateArn validationRecordFqdns
aws:appautoscaling/policy:Policy                name resourceId scalableDimension serviceNamespace
aws:appautoscaling/scheduledAction:ScheduledAction     name resourceId scalableDimension serviceNamespace
aws:appautoscaling/target:Target                resourceId scalableDimension serviceNamespace
aws:backup/plan:Plan
aws:backup/restoreTestingPlan:RestoreTestingPlan    name
aws:backup/restoreTestingSelection:RestoreTestingSelection    name protectedResourceType restoreTestingPlanName
aws:backup/selection:Selection                  EVERYTHING
aws:backup/vault:Vault                          name kmsKeyArn
aws:backup/vaultLockConfiguration:VaultLockConfiguration    EVERYTHING
aws:backup/vaultNotifications:VaultNotifications    backupVaultName backupVaultEvents snsTopicArn
aws:backup/vaultPolicy:VaultPolicy              backupVaultName
aws:bedrock/guardrail:Guardrail                 kmsKeyArn
aws:bedrock/guardrailVersion:GuardrailVersion   guardrailArn description
aws:bedrockmodel/invocationLoggingConfiguration:InvocationLoggingConfiguration
aws:budgets/budget:Budget                       accountId budgetType name namePrefix timeUnit
aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration    configurationName slackTeamId
aws:cloudwatch/compositeAlarm:CompositeAlarm    alarmName
aws:cloudwatch/dashboard:Dashboard              dashboardName
aws:cloudwatch/eventRule:EventRule              eventBusName name namePrefix
aws:cloudwatch/eventTarget:EventTarget          eventBusName rule targetId
aws:cloudwatch/logDataProtectionPolicy:LogDataProtectionPolicy    logGroupName
aws:cloudwatch/logGroup:LogGroup                logGroupClass name namePrefix
aws:cloudwatch/logMetricFilter:LogMetricFilter  logGroupName name
aws:cloudwatch/logResourcePolicy:LogResourcePolicy    policyName
aws:cloudwatch/metricAlarm:MetricAlarm          name
aws:cloudwatch/queryDefinition:QueryDefinition
aws:ec2/defaultNetworkAcl:DefaultNetworkAcl     defaultNetworkAclId
aws:ec2/defaultRouteTable:DefaultRouteTable     defaultRouteTableId
aws:ec2/defaultSecurityGroup:DefaultSecurityGroup    vpcId
aws:ec2/eip:Eip                                 domain networkBorderGroup publicIpv4Pool
aws:ec2/flowLog:FlowLog                         EVERYTHING
aws:ec2/internetGateway:InternetGateway
aws:ec2/mainRouteTableAssociation:MainRouteTableAssociation    vpcId
aws:ec2/managedPrefixList:ManagedPrefixList     addressFamily
aws:ec2/natGateway:NatGateway                   allocationId connectivityType subnetId
aws:ec2/networkAcl:NetworkAcl                   vpcId
aws:ec2/networkAclAssociation:NetworkAclAssociation    networkAclId subnetId
aws:ec2/networkAclRule:NetworkAclRule           EVERYTHING
aws:ec2/route:Route                             routeTableId destinationCidrBlock destinationIpv6CidrBlock destinationPrefixListId
aws:ec2/routeTable:RouteTable                   vpcId
aws:ec2/routeTableAssociation:RouteTableAssociation    gatewayId subnetId
aws:ec2/securityGroup:SecurityGroup             description name namePrefix vpcId
aws:ec2/securityGroupRule:SecurityGroupRule     EVERYTHING - description
aws:ec2/subnet:Subnet                           availabilityZone availabilityZoneId cidrBlock ipv6Native outpostArn vpcId
aws:ec2/vpc:Vpc                                 cidrBlock ipv4IpamPoolId ipv4NetmaskLength
aws:ec2/vpcBlockPublicAccessExclusion:VpcBlockPublicAccessExclusion    subnetId vpcId
aws:ec2/vpcDhcpOptions:VpcDhcpOptions           EVERYTHING
aws:ec2/vpcDhcpOptionsAssociation:VpcDhcpOptionsAssociation    dhcpOptionsId vpcId
aws:ec2/vpcEndpoint:VpcEndpoint                 serviceName serviceRegion vpcEndpointType vpcId
aws:ec2/vpcEndpointPolicy:VpcEndpointPolicy     vpcEndpointId
aws:ec2/vpcEndpointRouteTableAssociation:VpcEndpointRouteTableAssociation    EVERYTHING
aws:ecr/lifecyclePolicy:LifecyclePolicy         repository
aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration
aws:ecr/repository:Repository                   encryptionConfigurations name
aws:ecr/repositoryPolicy:RepositoryPolicy       repository
aws:ecs/cluster:Cluster                         name
aws:ecs/clusterCapacityProviders:ClusterCapacityProviders    clusterName
aws:ecs/service:Service                         cluster iamRole launchType name schedulingStrategy
aws:ecs/taskDefinition:TaskDefinition           EVERYTHING - skipDestroy trackLatest
aws:elasticache/parameterGroup:ParameterGroup   description family name
aws:elasticache/replicationGroup:ReplicationGroup    atRestEncryptionEnabled dataTieringEnabled globalReplicationGroupId kmsKeyId networkType port replicationGroupId snapshotArns snapshotName subnetGroupName
aws:elasticache/subnetGroup:SubnetGroup         name
aws:elasticache/user:User                       userId userName
aws:elasticache/userGroup:UserGroup             userGroupId
aws:iam/openIdConnectProvider:OpenIdConnectProvider    url
aws:iam/policy:Policy                           description name namePrefix path
aws:iam/role:Role                               name namePrefix path
aws:iam/rolePolicy:RolePolicy                   name namePrefix role
aws:iam/rolePolicyAttachment:RolePolicyAttachment    policyArn role
aws:kms/alias:Alias                             name namePrefix
aws:kms/key:Key                                 customKeyStoreId customerMasterKeySpec keyUsage multiRegion xksKeyId
aws:kms/keyPolicy:KeyPolicy                     keyId
aws:lb/listener:Listener                        loadBalancerArn
aws:lb/listenerCertificate:ListenerCertificate  certificateArn listenerArn
aws:lb/listenerRule:ListenerRule                listenerArn
aws:lb/loadBalancer:LoadBalancer                customerOwnedIpv4Pool internal loadBalancerType name namePrefix
aws:lb/targetGroup:TargetGroup                  ipAddressType name namePrefix port protocol protocolVersion targetType vpcId
aws:lb/targetGroupAttachment:TargetGroupAttachment    EVERYTHING
aws:rds/cluster:Cluster                         availabilityZones clusterIdentifier clusterIdentifierPrefix clusterScalabilityType databaseName dbSubnetGroupName dbSystemId engine engineMode kmsKeyId masterUsername restoreToPointInTime snapshotIdentifier storageEncrypted
aws:rds/clusterInstance:ClusterInstance         availabilityZone clusterIdentifier dbSubnetGroupName engine identifier identifierPrefix
aws:rds/clusterParameterGroup:ClusterParameterGroup    description family name namePrefix
aws:rds/eventSubscription:EventSubscription     name namePrefix
aws:rds/parameterGroup:ParameterGroup           description family name namePrefix
aws:rds/subnetGroup:SubnetGroup                 name namePrefix
aws:route53/record:Record                       name type zoneId
aws:route53/resolverFirewallConfig:ResolverFirewallConfig    resourceId
aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList    name
aws:route53/resolverFirewallRule:ResolverFirewallRule    firewallDomainListId firewallRuleGroupId
aws:route53/resolverFirewallRuleGroup:ResolverFirewallRuleGroup    name
aws:route53/resolverFirewallRuleGroupAssociation:ResolverFirewallRuleGroupAssociation    firewallRuleGroupId vpcId
aws:route53/resolverQueryLogConfig:ResolverQueryLogConfig    destinationArn name
aws:route53/resolverQueryLogConfigAssociation:ResolverQueryLogConfigAssociation    EVERYTHING
aws:route53/zone:Zone                           delegationSetId name
aws:s3/bucket:Bucket                            bucket bucketPrefix objectLockEnabled
aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration    bucket expectedBucketOwner
aws:s3/bucketLogging:BucketLogging              bucket expectedBucketOwner
aws:s3/bucketNotification:BucketNotification    bucket
aws:s3/bucketOwnershipControls:BucketOwnershipControls    bucket
aws:s3/bucketPolicy:BucketPolicy                bucket
aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock    bucket
aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration    bucket expectedBucketOwner
aws:s3/bucketVersioning:BucketVersioning        bucket expectedBucketOwner
aws:scheduler/schedule:Schedule                 groupName name namePrefix
aws:secretsmanager/secret:Secret                name namePrefix
aws:secretsmanager/secretPolicy:SecretPolicy    secretArn
aws:secretsmanager/secretVersion:SecretVersion  secretBinary secretId secretString
aws:sns/topic:Topic                             fifoTopic name namePrefix
aws:sns/topicPolicy:TopicPolicy                 arn
aws:sns/topicSubscription:TopicSubscription     endpoint protocol topic
aws:sqs/queue:Queue                             fifoQueue name namePrefix
aws:sqs/queuePolicy:QueuePolicy                 queueUrl
aws:ssm/parameter:Parameter                     name
aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule    securityGroupId
aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule    securityGroupId
aws:wafv2/ipSet:IpSet                           ipAddressVersion name namePrefix scope
aws:wafv2/regexPatternSet:RegexPatternSet       name namePrefix scope
aws:wafv2/ruleGroup:RuleGroup                   capacity name namePrefix scope
aws:wafv2/webAcl:WebAcl                         name namePrefix scope
aws:wafv2/webAclAssociation:WebAclAssociation   EVERYTHING
aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration    resourceArn
tls:index/privateKey:PrivateKey                 EVERYTHING
tls:index/selfSignedCert:SelfSignedCert         EVERYTHING - earlyRenewalHours
"""


def _parse() -> dict[str, tuple[bool, frozenset[str]]]:
    parsed: dict[str, tuple[bool, frozenset[str]]] = {}
    for line in _TABLE.strip().splitlines():
        type_, *names = line.split()
        everything = names[:1] == ["EVERYTHING"]
        parsed[type_] = (everything, frozenset(names[2:] if everything else names))
    return parsed


TABLE = _parse()


def replaces(type_: str, name: str) -> bool:
    """Whether a change of this top-level input replaces the resource. Tags never do."""
    everything, names = TABLE.get(type_, (False, frozenset[str]()))
    return (everything != (name in names) and name != "tags") or name == "region"


# Names that must be unique in an account and region, if the program sets them.
UNIQUE_NAMES: dict[str, str] = {
    "aws:backup/vault:Vault": "name",
    "aws:cloudwatch/logGroup:LogGroup": "name",
    "aws:ecr/repository:Repository": "name",
    "aws:elasticache/replicationGroup:ReplicationGroup": "replicationGroupId",
    "aws:elasticache/subnetGroup:SubnetGroup": "name",
    "aws:iam/policy:Policy": "name",
    "aws:iam/role:Role": "name",
    "aws:kms/alias:Alias": "name",
    "aws:lb/loadBalancer:LoadBalancer": "name",
    "aws:lb/targetGroup:TargetGroup": "name",
    "aws:rds/cluster:Cluster": "clusterIdentifier",
    "aws:rds/clusterInstance:ClusterInstance": "identifier",
    "aws:rds/subnetGroup:SubnetGroup": "name",
    "aws:s3/bucket:Bucket": "bucket",
    "aws:secretsmanager/secret:Secret": "name",
    "aws:wafv2/webAcl:WebAcl": "name",
}

# Names that pulumi-aws derives from the logical name if the program does not set them.
_AUTO_NAMED: dict[str, str] = {
    "aws:rds/cluster:Cluster": "clusterIdentifier",
    "aws:rds/clusterInstance:ClusterInstance": "identifier",
    "aws:s3/bucket:Bucket": "bucket",
}


def name_property(type_: str) -> str:
    """The input that contains the physical name."""
    return UNIQUE_NAMES.get(type_) or _AUTO_NAMED.get(type_, "name")


def differing(olds: Wire, news: Wire) -> list[str]:
    """The top-level inputs that differ, except the provider's internal ones."""
    names = {name for name in (*olds, *news) if not name.startswith("__")}
    return sorted(name for name in names if olds.get(name) != news.get(name))
