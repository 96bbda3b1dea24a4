"""A VPC's DNS Firewall allows only the domains that are needed, and the VPC logs its DNS queries.

A resolver answers queries even in a network without a route to the internet, so data can leave in DNS queries. The
domains that are needed are allowed first, and all others are blocked. Some teams filter at another resolver, so this is
advisory.

The policy cannot see which domains an application needs, or the content of a domain list of AWS or of another stack.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...checks import expect_value
from ...joins import referring
from ...rule import Level, Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Resource, Unknown, contains_unknown
from ...topology.graph.values import as_mapping
from ...topology.graph.verdicts import Finding, not_proven, violated
from ...topology.network.addresses import INTERNET, NO_ADDRESSES, parse

_WANTED = {
    "route53.ResolverFirewallRuleGroupAssociation": ("vpcId", "DNS Firewall rule group"),
    "route53.ResolverQueryLogConfigAssociation": ("resourceId", "query log"),
}
_WIDE = re.compile(r"^\*\.?([a-z0-9-]+\.?)?$", re.IGNORECASE)
"""Every domain, or every domain of a top-level domain."""

_INSPECT = "INSPECT_REDIRECTION_DOMAIN"
_RESOLVER = ("AmazonProvidedDNS", "169.254.169.253", "fd00:ec2::253")
_FIX = "associate a DNS Firewall rule group and a resolver query log with the VPC"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each VPC, and each rule group."""
    for vpc in graph.of_type("ec2.Vpc"):
        for kind, (path, wanted) in _WANTED.items():
            if not referring(graph, vpc, path, kind):
                yield violated(vpc, "", f"no {wanted}", f"a {wanted}", _FIX)
    for group in graph.of_type("route53.ResolverFirewallRuleGroup"):
        yield from _group(graph, group)
    for association in graph.of_type("route53.ResolverFirewallRuleGroupAssociation"):
        fix = "set mutationProtection to ENABLED, so that the DNS Firewall cannot be removed by accident"
        yield from expect_value(association, "mutationProtection", "ENABLED", fix, default="DISABLED")
    yield from _elsewhere(graph)
    for config in graph.of_type("route53.ResolverFirewallConfig"):
        found = config.value("firewallFailOpen")
        if isinstance(found, Unknown):
            yield not_proven(config, "firewallFailOpen", [found], "DISABLED", "remove firewallFailOpen")
        elif found not in (None, "DISABLED"):
            yield violated(config, "firewallFailOpen", found, "DISABLED", "remove firewallFailOpen", what="fails open")


def _elsewhere(graph: Graph) -> Iterator[Finding]:
    """DNS queries that bypass the resolver with its filter and its log, or are forwarded to the internet."""
    for options in graph.of_type("ec2.VpcDhcpOptions"):
        servers = options.items("domainNameServers")
        fix = "leave domainNameServers out or set AmazonProvidedDNS, and forward individual domains with resolver rules"
        if isinstance(servers, Unknown) or contains_unknown(servers):
            yield not_proven(options, "domainNameServers", ["domainNameServers"], "AmazonProvidedDNS", fix)
        elif others := [server for server in servers if server not in _RESOLVER]:
            what = "bypasses the DNS filter and the query log"
            yield violated(options, "domainNameServers", others, "AmazonProvidedDNS", fix, what=what)
    for rule in graph.of_type("route53.ResolverRule"):
        targets = rule.items("targetIps")
        fix = "forward to name servers inside your network"
        if isinstance(targets, Unknown) or contains_unknown(targets):
            yield not_proven(rule, "targetIps", ["targetIps"], "private addresses", fix)
            continue
        named = [str((as_mapping(item) or {}).get(key) or "") for item in targets for key in ("ip", "ipv6")]
        if public := [ip for ip in named if (parse(ip) or NO_ADDRESSES) & INTERNET]:
            what = "forwards DNS queries to the internet"
            yield violated(rule, "targetIps", public, "private addresses", fix, what=what)


def _group(graph: Graph, group: Resource) -> Iterator[Finding]:
    rules = sorted(
        referring(graph, group, "firewallRuleGroupId", "route53.ResolverFirewallRule"),
        key=lambda rule: (_priority(rule), rule.urn),
    )
    blocked = False
    allowed = False
    undecided: list[str] = []
    for rule in rules:
        names = _names(graph, rule)
        if names is None:
            undecided.append(f"{rule.label}.firewallDomainListId")
            continue
        wide = sorted(name for name in names if _WIDE.match(name))
        yield from _redirection(rule, wide)
        if rule.value("action") == "BLOCK":
            blocked = blocked or bool(names & {"*", "*."})
        elif not blocked and wide:
            fix = "list the domains that are needed"
            yield violated(
                rule, "firewallDomainListId", wide, "the domains that are needed", fix, what="allows every domain"
            )
        else:
            allowed = True
    if undecided and not blocked:
        yield not_proven(group, "", undecided, "a last rule that blocks all other domains", _FIX)
    elif not blocked:
        fix = "add a last rule that blocks all other domains (*)"
        yield violated(group, "", "no rule that blocks all other domains", "a last rule with action BLOCK on *", fix)
    elif not allowed and not undecided:
        fix = "add a rule before it that allows the domains that are needed"
        yield violated(group, "", "no allow rule", "a rule for the domains that are needed", fix)


def _redirection(rule: Resource, wide: list[str]) -> Iterator[Finding]:
    """A rule that looks at the first name only misses a listed name to which a CNAME or DNAME record leads."""
    path = "firewallDomainRedirectionAction"
    if rule.value("action") in ("ALERT", "BLOCK") and not wide:
        yield from expect_value(
            rule,
            path,
            _INSPECT,
            f"remove {path}, or set it to {_INSPECT}",
            default=_INSPECT,
            what="does not apply to a domain behind a redirection",
        )


def _priority(rule: Resource) -> float:
    value = rule.value("priority")
    return float(value) if isinstance(value, int | float) else 0.0


def _names(graph: Graph, rule: Resource) -> set[str] | None:
    """The domains that a rule applies to; ``None`` when they are not known."""
    found: set[str] = set()
    lists = graph.referenced(rule, "firewallDomainListId", ("route53.ResolverFirewallDomainList",))
    for listed in lists:
        domains = listed.items("domains")
        if isinstance(domains, Unknown) or contains_unknown(domains):
            return None
        found.update(str(domain) for domain in domains)
    return found if lists else None


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.LOW,
    remediation=_FIX,
    types=(
        "ec2.Vpc",
        "ec2.VpcDhcpOptions",
        "route53.ResolverFirewallConfig",
        "route53.ResolverFirewallRuleGroup",
        "route53.ResolverRule",
    ),
    level=Level.ADVISORY,
)
