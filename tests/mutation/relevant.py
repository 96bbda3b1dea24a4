"""Which properties decide about security, and the weakest value of those that choose from a list."""

from __future__ import annotations

RELEVANT: dict[str, tuple[str, ...]] = {
    "acm.Certificate": ("keyAlgorithm",),
    "cloudwatch.LogGroup": ("kmsKeyId", "retentionInDays", "tags"),
    "cloudwatch.MetricAlarm": ("alarmActions", "alarmDescription", "tags"),
    "ec2.DefaultNetworkAcl": ("tags",),
    "ec2.DefaultSecurityGroup": ("tags",),
    "ec2.FlowLog": ("trafficType", "tags"),
    "ec2.NetworkAclRule": ("cidrBlock", "fromPort", "toPort", "protocol"),
    "ec2.Route": ("destinationCidrBlock",),
    "ec2.SecurityGroup": ("tags",),
    "ec2.Subnet": ("mapPublicIpOnLaunch", "tags"),
    "ec2.Vpc": ("tags",),
    "ec2.VpcEndpoint": ("policy", "securityGroupIds", "tags"),
    "ecs.Cluster": ("settings", "tags"),
    "ecs.Service": (
        "deploymentCircuitBreaker",
        "deploymentCircuitBreaker.enable",
        "deploymentCircuitBreaker.rollback",
        "enableExecuteCommand",
        "networkConfiguration.assignPublicIp",
        "networkConfiguration.securityGroups",
        "tags",
    ),
    "ecs.TaskDefinition": ("executionRoleArn", "networkMode", "taskRoleArn", "tags"),
    "iam.Role": ("tags",),
    "kms.Key": ("enableKeyRotation", "tags"),
    "lb.Listener": (
        "defaultActions[].type",
        "protocol",
        "routingHttpResponseServerEnabled",
        "routingHttpResponseStrictTransportSecurityHeaderValue",
        "routingHttpResponseXContentTypeOptionsHeaderValue",
        "sslPolicy",
        "tags",
    ),
    "lb.ListenerRule": (
        "actions[].authenticateOidc.onUnauthenticatedRequest",
        "actions[].authenticateOidc.sessionTimeout",
        "actions[].redirect.protocol",
        "actions[].redirect.statusCode",
        "actions[].type",
        "tags",
    ),
    "lb.LoadBalancer": (
        "accessLogs",
        "accessLogs.enabled",
        "clientKeepAlive",
        "desyncMitigationMode",
        "dropInvalidHeaderFields",
        "enableDeletionProtection",
        "enableWafFailOpen",
        "idleTimeout",
        "securityGroups",
        "xffHeaderProcessingMode",
        "tags",
    ),
    "lb.TargetGroup": ("deregistrationDelay", "healthCheck.protocol", "protocol", "tags"),
    "s3.Bucket": ("forceDestroy", "tags"),
    "s3.BucketLifecycleConfiguration": ("rules[].expiration", "rules[].status"),
    "s3.BucketOwnershipControls": ("rule.objectOwnership",),
    "s3.BucketPolicy": ("policy",),
    "s3.BucketPublicAccessBlock": (
        "blockPublicAcls",
        "blockPublicPolicy",
        "ignorePublicAcls",
        "restrictPublicBuckets",
    ),
    "secretsmanager.Secret": ("kmsKeyId", "tags"),
    "sns.Topic": ("kmsMasterKeyId", "tags"),
    "vpc.SecurityGroupEgressRule": ("cidrIpv4", "fromPort", "ipProtocol", "toPort"),
    "vpc.SecurityGroupIngressRule": ("cidrIpv4", "fromPort", "ipProtocol", "toPort"),
    "wafv2.WebAcl": ("dataProtectionConfig", "rules[]", "rules[].action", "rules[].visibilityConfig", "tags"),
    "wafv2.WebAclLoggingConfiguration": ("logDestinationConfigs", "redactedFields", "redactedFields[]"),
}
"""Type → paths; ``[]`` stands for each element."""

REQUIRED: dict[str, tuple[str, ...]] = {
    "ec2.NetworkAclRule": ("cidrBlock", "fromPort", "protocol", "toPort"),
    "ec2.Route": ("destinationCidrBlock",),
    "lb.Listener": ("defaultActions.type", "protocol"),
    "lb.ListenerRule": ("actions.redirect.statusCode", "actions.type"),
    "s3.BucketLifecycleConfiguration": ("rules.status",),
    "s3.BucketOwnershipControls": ("rule.objectOwnership",),
    "s3.BucketPolicy": ("policy",),
    "vpc.SecurityGroupEgressRule": ("cidrIpv4", "fromPort", "ipProtocol", "toPort"),
    "vpc.SecurityGroupIngressRule": ("cidrIpv4", "fromPort", "ipProtocol", "toPort"),
    "wafv2.WebAcl": ("rules.visibilityConfig", "rules.action"),
    "wafv2.WebAclLoggingConfiguration": ("logDestinationConfigs",),
}
"""Type → properties without which the provider refuses the resource (or which AWS asks for with the others)."""

DEFAULTS: dict[str, object] = {
    "assignPublicIp": False,
    "enableExecuteCommand": False,
    "enableWafFailOpen": False,
    "forceDestroy": False,
    "mapPublicIpOnLaunch": False,
    "onUnauthenticatedRequest": "authenticate",
    "xffHeaderProcessingMode": "append",
}
"""Property → AWS's default, where the environments state it."""

DOCUMENTS: dict[str, tuple[str, ...]] = {
    "ec2.VpcEndpoint": ("policy",),
    "ecs.TaskDefinition": ("containerDefinitions",),
    "iam.Role": ("assumeRolePolicy",),
    "iam.RolePolicy": ("policy",),
    "kms.Key": ("policy",),
    "s3.BucketPolicy": ("policy",),
    "sns.TopicPolicy": ("policy",),
}
"""Type → properties that hold a policy document or container definitions as JSON."""

WEAKEST: dict[str, object] = {
    "desyncMitigationMode": "monitor",
    "ipProtocol": "-1",
    "keyAlgorithm": "RSA_1024",
    "networkMode": "host",
    "objectOwnership": "ObjectWriter",
    "onUnauthenticatedRequest": "allow",
    "protocol": "HTTP",
    "sslPolicy": "ELBSecurityPolicy-2016-08",
    "status": "Disabled",
    "statusCode": "HTTP_302",
    "trafficType": "ACCEPT",
    "type": "forward",
    "xffHeaderProcessingMode": "preserve",
    "action": {"count": {}},
    "ec2.NetworkAclRule.protocol": "-1",
}
"""Property name, where needed with its type → the weakest value that AWS accepts there."""
