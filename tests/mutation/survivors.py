"""Mutants that the guardrails alone do not report, as patterns of their labels, with the reason."""

from __future__ import annotations

_DEFAULT = "AWS's default meets the same policy"
_LAYER = "another layer holds: data protection and the redaction of the log each take the same fields out"
_MTU = "nothing is opened: preflight conform reports that path MTU discovery no longer works"
_OWN = "only the program knows which of these is intended; the change grants no access"
_QUERY = "a saved query is for people, who would miss it; nothing depends on it"

ACCEPTED: dict[str, str] = {
    "drop acm.Certificate *.keyAlgorithm": _DEFAULT,
    "drop lb.LoadBalancer *.clientKeepAlive": _DEFAULT,
    "drop lb.LoadBalancer *.desyncMitigationMode": _DEFAULT,
    "drop lb.LoadBalancer *.idleTimeout": _DEFAULT,
    "drop ecs.TaskDefinition *.stopTimeout": _DEFAULT,
    "delete route53.ResolverFirewallConfig *": _DEFAULT,
    "drop lb.ListenerRule *.onUnauthenticatedRequest": "the default sends a stranger to the login instead of refusing",
    "drop rds.ClusterParameterGroup *.parameters?*?": f"{_DEFAULT}; of a running statement more text is shown, to who may ask",
    "drop wafv2.WebAclLoggingConfiguration *.loggingFilter": "more requests are logged, each as redacted as before",
    "drop wafv2.WebAcl *.dataProtectionConfig": _LAYER,
    "drop wafv2.WebAclLoggingConfiguration *.redactedFields?*?": f"{_LAYER}, or they are headers of the application",
    "drop wafv2.WebAcl *.rules?*?": "the rule sets a label for the log and stops nothing",
    "drop ecs.TaskDefinition *?prepare?.user": "without a user the container is root, which an exception allows already",
    "drop *?RefuseBearerTokens?": "the statement denies what nothing allows",
    "drop s3.BucketPolicy *?ObjectsOnlyByTheEndpoint?": "public access is blocked, and identity policies name the readers",
    "drop s3.BucketLifecycleConfiguration *-uploads.*.expiration": "the rule still ends older versions and broken uploads",
    "delete appautoscaling.Policy *": "the other policy of the same target still scales",
    "swap ecs.Service *.alarms *": "the other alarm watches the same service",
    "widen ec2.NetworkAclRule *-answers*.toPort": "answers go to the ports that their clients choose",
    "delete ec2.NetworkAclRule *-egress-to-targets-*": "the entry for answers to clients covers the port as well",
    "delete ec2.NetworkAclRule *-internal-*": "the entry for answers covers the port as well, from the same subnets",
    "* ec2.NetworkAclRule *-private-ingress-answers-below-3389*": "nothing is opened, and Linux calls from higher ports",
    "delete *-packet-too-large": _MTU,
    "swap *-packet-too-large.*": _MTU,
    "delete cloudwatch.QueryDefinition *": _QUERY,
    "swap cloudwatch.QueryDefinition *": f"{_QUERY}, and the format of the other log is not in the graph",
    "swap cloudwatch.MetricAlarm *-log-silent.dimensions *": _OWN,
    "swap cloudwatch.CompositeAlarm *.actionsSuppressor *": _OWN,
    "swap scheduler.Schedule *.target *": "only the program knows which group or subnet is meant; each of them is evaluated itself",
    "swap vpc.SecurityGroupEgressRule endpoints-synthetic-*": "the tasks' group has the same rule already",
}
