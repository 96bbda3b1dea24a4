"""DNS filtering inside a network: an allowlist derived from the declared destinations, and a query log.

The list comes from the same declaration as the endpoints and security groups, so a name that is not a declared
destination does not resolve inside the network. It does not inspect DNS responses: Route 53 Resolver follows a CNAME
chain of an allowed name without checking the list again.
"""

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws

from components.common.log_delivery import delivery_policy
from components.network.endpoint_services import BEDROCK, MANTLE, S3, service_domains
from components.network.logs import log_group_name

ALLOW_PRIORITY, BLOCK_PRIORITY, ASSOCIATION_PRIORITY = 100, 200, 101


def allowed_domains(
    *,
    region: str,
    account_id: str,
    services: Sequence[str],
    model_regions: Sequence[str] = (),
    mantle_regions: Sequence[str] = (),
    hosts: Sequence[str] = (),
) -> list[str]:
    """The allowlist, derived from the endpoints' services, the models' regions and other declared hosts.

    ``hosts`` are names other than AWS endpoints: private model servers, the database and cache, and the identity
    provider. AWS does not document whether the load balancer's nodes use the VPC's resolver, so the identity provider
    must resolve.
    """
    names = {name for service in (*services, S3) for name in service_domains(service, region, account_id)}
    for service, regions in ((BEDROCK, model_regions), (MANTLE, mantle_regions)):
        names |= {name for other in regions for name in service_domains(service, other, account_id)}
    return sorted(names | {host.lower().rstrip(".") for host in hosts})


def as_returned(domain: str) -> str:
    """A name in the form that Route 53 Resolver returns: with a trailing dot, and every name as ``*.``.

    The provider compares the list with the returned list, so any other form would show a difference in every preview
    (https://github.com/hashicorp/terraform-provider-aws/issues/23543).
    """
    return f"{domain.rstrip('.')}."


def make_dns_guard(
    name: str,
    *,
    vpc_id: pulumi.Output[str],
    domains: Sequence[str],
    account_id: str,
    region: str,
    retention_days: int,
    key_arn: pulumi.Output[str] | None,
    allow_deletion: bool,
    tags: Mapping[str, str],
    opts: pulumi.ResourceOptions,
) -> pulumi.Output[str]:
    """Answer NXDOMAIN for every name that is not on the list, and log every query. Returns the log group's name.

    AWS refuses to change or remove the association while its mutation protection is enabled
    (https://docs.aws.amazon.com/Route53/latest/APIReference/API_route53resolver_FirewallRuleGroupAssociation.html), so
    ``allow_deletion`` disables the protection. Domain lists and rules can be changed in both cases.
    """

    def named(role: str) -> str:
        return f"{pulumi.get_project()}-{pulumi.get_stack()}-{name}-{role}"

    def tagged(role: str) -> dict[str, str]:
        return {**tags, "Name": f"{name}-{role}"}

    allowed = aws.route53.ResolverFirewallDomainList(
        f"{name}-dns-allowed",
        name=named("dns-allowed"),
        domains=sorted(set(map(as_returned, domains))),
        tags=tagged("dns-allowed"),
        opts=opts,
    )
    everything = aws.route53.ResolverFirewallDomainList(
        f"{name}-dns-everything",
        name=named("dns-everything"),
        domains=[as_returned("*")],
        tags=tagged("dns-everything"),
        opts=opts,
    )
    rules = aws.route53.ResolverFirewallRuleGroup(f"{name}-dns", name=named("dns"), tags=tagged("dns"), opts=opts)
    aws.route53.ResolverFirewallRule(
        f"{name}-dns-allow",
        name=named("dns-allow"),
        firewall_rule_group_id=rules.id,
        firewall_domain_list_id=allowed.id,
        firewall_domain_redirection_action="TRUST_REDIRECTION_DOMAIN",
        action="ALLOW",
        priority=ALLOW_PRIORITY,
        opts=opts,
    )
    aws.route53.ResolverFirewallRule(
        f"{name}-dns-block",
        name=named("dns-block"),
        firewall_rule_group_id=rules.id,
        firewall_domain_list_id=everything.id,
        action="BLOCK",
        block_response="NXDOMAIN",
        priority=BLOCK_PRIORITY,
        opts=opts,
    )
    aws.route53.ResolverFirewallConfig(f"{name}-dns", resource_id=vpc_id, firewall_fail_open="DISABLED", opts=opts)
    aws.route53.ResolverFirewallRuleGroupAssociation(
        f"{name}-dns",
        name=named("dns"),
        vpc_id=vpc_id,
        firewall_rule_group_id=rules.id,
        priority=ASSOCIATION_PRIORITY,
        mutation_protection="DISABLED" if allow_deletion else "ENABLED",
        tags=tagged("dns"),
        opts=opts,
    )
    group = aws.cloudwatch.LogGroup(
        f"{name}-dns",
        name=log_group_name(name, "dns"),
        retention_in_days=retention_days,
        kms_key_id=key_arn,
        tags=tagged("dns"),
        opts=opts,
    )
    permission = aws.cloudwatch.LogResourcePolicy(
        f"{name}-dns",
        policy_name=named("dns"),
        policy_document=group.arn.apply(lambda arn: delivery_policy(arn, account_id, region)),
        opts=opts,
    )
    written_by = pulumi.ResourceOptions(parent=opts.parent, depends_on=[permission])
    log = aws.route53.ResolverQueryLogConfig(
        f"{name}-dns", name=named("dns"), destination_arn=group.arn, tags=tagged("dns"), opts=written_by
    )
    aws.route53.ResolverQueryLogConfigAssociation(
        f"{name}-dns", resolver_query_log_config_id=log.id, resource_id=vpc_id, opts=opts
    )
    return group.name
