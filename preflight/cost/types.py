"""The types of resources without a separate charge: free, with the reason, or not counted, with what is missing."""

from __future__ import annotations

from collections.abc import Mapping

_PART = "part of a resource that is charged"
_IAM = "IAM has no charge"
_VPC = "no charge for this part of a VPC"
_BUCKET = "a setting of a bucket"
_LOCAL = "made by Pulumi, not in AWS"
FREE: Mapping[str, str] = {
    "aws:acm/certificate:Certificate": "public certificates of ACM have no charge",
    "aws:acm/certificateValidation:CertificateValidation": "public certificates of ACM have no charge",
    "aws:appautoscaling/policy:Policy": "Application Auto Scaling has no charge; its alarms are AWS's own",
    "aws:appautoscaling/target:Target": "Application Auto Scaling has no charge",
    "aws:backup/restoreTestingSelection:RestoreTestingSelection": "part of a plan of restore tests",
    "aws:backup/selection:Selection": "part of a backup plan",
    "aws:backup/vault:Vault": "a vault has no charge, its backups do",
    "aws:backup/vaultLockConfiguration:VaultLockConfiguration": "a setting of a vault",
    "aws:bedrock/guardrailVersion:GuardrailVersion": "a guardrail is charged by what it evaluates",
    "aws:bedrockmodel/invocationLoggingConfiguration:InvocationLoggingConfiguration": "a setting; its bucket is charged",
    "aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration": "chat applications have no charge; the messages do",
    "aws:cloudwatch/eventTarget:EventTarget": "part of a rule",
    "aws:cloudwatch/queryDefinition:QueryDefinition": "a saved query has no charge; running it is charged by the data it reads",
    "aws:sqs/queuePolicy:QueuePolicy": "a policy has no charge",
    "aws:wafv2/ipSet:IpSet": _PART,
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": "a policy has no charge",
    "aws:ec2/defaultNetworkAcl:DefaultNetworkAcl": _VPC,
    "aws:ec2/defaultRouteTable:DefaultRouteTable": _VPC,
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": _VPC,
    "aws:ec2/internetGateway:InternetGateway": "the gateway has no charge, the data that leaves by it does",
    "aws:ec2/networkAcl:NetworkAcl": _VPC,
    "aws:ec2/networkAclRule:NetworkAclRule": _VPC,
    "aws:ec2/route:Route": _VPC,
    "aws:ec2/routeTable:RouteTable": _VPC,
    "aws:ec2/routeTableAssociation:RouteTableAssociation": _VPC,
    "aws:ec2/securityGroup:SecurityGroup": _VPC,
    "aws:ec2/subnet:Subnet": _VPC,
    "aws:ec2/vpc:Vpc": _VPC,
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": "a setting of a repository",
    "aws:ecr/repositoryPolicy:RepositoryPolicy": "a setting of a repository",
    "aws:ecs/taskDefinition:TaskDefinition": "charged by the tasks of the service",
    "aws:elasticache/subnetGroup:SubnetGroup": _PART,
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": _IAM,
    "aws:iam/policy:Policy": _IAM,
    "aws:iam/role:Role": _IAM,
    "aws:iam/rolePolicy:RolePolicy": _IAM,
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": _IAM,
    "aws:kms/alias:Alias": "an alias has no charge",
    "aws:lb/listener:Listener": _PART,
    "aws:lb/listenerCertificate:ListenerCertificate": _PART,
    "aws:lb/listenerRule:ListenerRule": "part of the load balancer's capacity units",
    "aws:lb/targetGroup:TargetGroup": _PART,
    "aws:rds/clusterInstance:ClusterInstance": "charged with its cluster",
    "aws:rds/clusterParameterGroup:ClusterParameterGroup": _PART,
    "aws:rds/eventSubscription:EventSubscription": "RDS event notifications have no charge",
    "aws:rds/subnetGroup:SubnetGroup": _PART,
    "aws:route53/resolverFirewallConfig:ResolverFirewallConfig": "a setting of a VPC",
    "aws:route53/resolverFirewallRule:ResolverFirewallRule": "DNS Firewall is charged by domains and queries",
    "aws:route53/resolverFirewallRuleGroup:ResolverFirewallRuleGroup": "DNS Firewall is charged by domains and queries",
    "aws:route53/resolverFirewallRuleGroupAssociation:ResolverFirewallRuleGroupAssociation": (
        "DNS Firewall is charged by domains and queries"
    ),
    "aws:route53/resolverQueryLogConfigAssociation:ResolverQueryLogConfigAssociation": "part of the query log",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _BUCKET,
    "aws:s3/bucketLogging:BucketLogging": _BUCKET,
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _BUCKET,
    "aws:s3/bucketPolicy:BucketPolicy": _BUCKET,
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _BUCKET,
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _BUCKET,
    "aws:s3/bucketVersioning:BucketVersioning": _BUCKET,
    "aws:secretsmanager/secretPolicy:SecretPolicy": "a policy has no charge",
    "aws:secretsmanager/secretVersion:SecretVersion": "charged with its secret",
    "aws:sns/topicPolicy:TopicPolicy": "a policy has no charge",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _VPC,
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _VPC,
    "aws:wafv2/webAclAssociation:WebAclAssociation": _PART,
    "pulumi:providers:aws": _LOCAL,
    "pulumi:providers:tls": _LOCAL,
    "tls:index/certRequest:CertRequest": _LOCAL,
    "tls:index/locallySignedCert:LocallySignedCert": _LOCAL,
    "tls:index/privateKey:PrivateKey": _LOCAL,
    "tls:index/selfSignedCert:SelfSignedCert": _LOCAL,
}
"""Type → why it has no charge."""
_DNS_FIREWALL = "DNS Firewall: the stored domain names, and queries"
_VENDED = "logs that AWS services write: flow logs, firewall logs and DNS queries, by the volume of traffic"
_MESSAGES = "messages of alarms and events: SNS, EventBridge; e-mail is charged by the thousand"
NOT_COUNTED: Mapping[str, str] = {
    "aws:backup/plan:Plan": "backups of the database and the uploads, by how much changes; beyond Aurora's free part",
    "aws:backup/restoreTestingPlan:RestoreTestingPlan": (
        "restore tests: a charge for each tested copy, restored gigabytes of uploads, and storage of what was restored for about a day"
    ),
    "aws:budgets/budget:Budget": "the budget, if the account has more than AWS's free ones",
    "aws:cloudwatch/dashboard:Dashboard": "the dashboard, if the account has more than CloudWatch's free ones",
    "aws:cloudwatch/eventRule:EventRule": _MESSAGES,
    "aws:cloudwatch/logDataProtectionPolicy:LogDataProtectionPolicy": "data protection of logs, charged by the data that it scans",
    "aws:sqs/queue:Queue": _MESSAGES,
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": "metrics of log filters and log lines, charged while they have values",
    "aws:ec2/flowLog:FlowLog": _VENDED,
    "aws:ecr/repository:Repository": "stored images, by their size",
    "aws:ecs/cluster:Cluster": (
        "Container Insights with enhanced observability: a charge for each metric of each task and container, and its log"
    ),
    "aws:route53/record:Record": "the public hosted zone, which the stack does not create, and queries of it",
    "aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList": _DNS_FIREWALL,
    "aws:route53/resolverQueryLogConfig:ResolverQueryLogConfig": _VENDED,
    "aws:servicediscovery/service:Service": "instances registered in the private zone, and queries of it",
    "aws:sns/topic:Topic": _MESSAGES,
    "aws:sns/topicSubscription:TopicSubscription": _MESSAGES,
    "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration": _VENDED,
}
"""Type → the cost that the estimate leaves out."""
ALWAYS_NOT_COUNTED = (
    "taxes, AWS Support, and discounts: free tiers, Savings Plans, reserved nodes, negotiated prices",
    "requests to KMS, Secrets Manager and S3; storage of S3's access logs and earlier versions of files",
    "traffic between availability zones, image pulls, and data through endpoints other than the logs'",
    "a deployment, in which old and new tasks run side by side for some minutes",
    "logs without traffic (health checks) and enhanced monitoring of the database",
    "the surcharge on requests to a web ACL with more than 1,500 capacity units",
    "what the stack does not create: the accounts, their bootstrap stack, the identity provider, private model servers",
)
"""Costs that no type of resource stands for."""
