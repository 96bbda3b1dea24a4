"""The AWS services that the documents of CI's roles name."""

GLOBAL_SERVICES = ["budgets:*", "chatbot:*", "iam:*", "route53:*"]
"""Global services: a condition on the region would deny every request to them."""

ROLE_USERS = [
    "backup.amazonaws.com",
    "chatbot.amazonaws.com",
    "ecs-tasks.amazonaws.com",
    "monitoring.rds.amazonaws.com",
    "scheduler.amazonaws.com",
    "vpc-flow-logs.amazonaws.com",
]
"""The services to which the deployed roles may be passed."""
LINKED_SERVICES = [
    "backup.amazonaws.com",
    "ecs.amazonaws.com",
    "ecs.application-autoscaling.amazonaws.com",
    "elasticache.amazonaws.com",
    "elasticloadbalancing.amazonaws.com",
    "management.chatbot.amazonaws.com",
    "rds.amazonaws.com",
    "restore-testing.backup.amazonaws.com",
    "route53resolver.amazonaws.com",
    "wafv2.amazonaws.com",
]
"""Services whose service-linked role AWS creates with their first resource."""
