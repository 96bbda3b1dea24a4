"""Computed values of networks, load balancers, DNS, certificates and the firewall."""

from __future__ import annotations

from collections.abc import Callable

from preflight.fakes.values import CREATED, Digest, Subject
from preflight.sdk.wire import Json, Wire

Fake = Callable[[Subject], Wire]


def _vpc(s: Subject) -> Wire:
    return s.ec2(
        "vpc",
        "vpc",
        defaultNetworkAclId=s.ec2_id("acl"),
        defaultRouteTableId=s.ec2_id("rtb"),
        mainRouteTableId=s.ec2_id("rtb"),
        defaultSecurityGroupId=s.ec2_id("sg"),
        dhcpOptionsId=s.ec2_id("dopt"),
        ownerId=s.site.account,
    )


def _subnet(s: Subject) -> Wire:
    zone = s.get("availabilityZone")
    number = ord(zone[-1:] or "a") - ord("a") + 1
    zone_id = {
        "availabilityZoneId": f"{s.site.region[:2]}{s.site.region.split('-')[1][0]}{s.site.region[-1]}-az{number}"
    }
    return s.ec2("subnet", "subnet", ownerId=s.site.account, **zone_id)


def _namespace(s: Subject) -> Wire:
    identifier = "ns-" + s.digest.base36(16)
    arn = s.site.arn("servicediscovery", f"namespace/{identifier}")
    return {"id": identifier, "arn": arn, "hostedZone": "Z" + s.digest.base36(13, "zone").upper()}


def _registry(s: Subject) -> Wire:
    identifier = "srv-" + s.digest.base36(16)
    return {"id": identifier, "arn": s.site.arn("servicediscovery", f"service/{identifier}")}


def _default_security_group(s: Subject) -> Wire:
    identifier = s.output_of(s.get("vpcId"), "defaultSecurityGroupId") or s.ec2_id("sg")
    arn = s.site.arn("ec2", f"security-group/{identifier}")
    return {"id": identifier, "arn": arn, "name": "default", "description": "default VPC security group"} | {
        "ownerId": s.site.account
    }


def _security_group_rule(s: Subject) -> Wire:
    return s.ec2("sgr", "security-group-rule", securityGroupRuleId=s.ec2_id("sgr"))


def _endpoint(s: Subject) -> Wire:
    outputs = s.ec2("vpce", "vpc-endpoint", state="available", ownerId=s.site.account, requesterManaged=False)
    service = s.get("serviceName").rpartition(".")[2]
    if s.get("vpcEndpointType", "Gateway") == "Gateway":
        return outputs | {
            "prefixListId": "pl-" + Digest(f"{s.site.region} {service}").hex(8),
            "cidrBlocks": [],
            "dnsEntries": [],
            "networkInterfaceIds": [],
        }
    host = f"{outputs['id']}-{s.digest.base36(8, 'dns')}.{service}.{s.site.region}.vpce.amazonaws.com"
    subnets: list[str] = s.inputs.get("subnetIds") or []
    return outputs | {
        "dnsEntries": [{"dnsName": host, "hostedZoneId": "Z" + s.digest.base36(13, "zone").upper()}],
        "networkInterfaceIds": [s.ec2_id("eni", f"eni {position}") for position in range(len(subnets))],
    }


def _load_balancer(s: Subject) -> Wire:
    name = s.name[:32]
    suffix = f"app/{name}/{s.digest.hex(16)}"
    prefix = "internal-" if s.inputs.get("internal") else ""
    subnets: list[str] = s.inputs.get("subnets") or [""]
    arn = s.site.arn("elasticloadbalancing", f"loadbalancer/{suffix}")
    return {
        "id": arn,
        "arn": arn,
        "name": name,
        "arnSuffix": suffix,
        "dnsName": f"{prefix}{name.lower()}-{s.digest.decimal(10)}.{s.site.region}.elb.amazonaws.com",
        "zoneId": s.site.load_balancer_zone,
        "vpcId": s.output_of(subnets[0], "vpcId") or s.ec2_id("vpc"),
    }


def _target_group(s: Subject) -> Wire:
    name = s.name[:32]
    suffix = f"targetgroup/{name}/{s.digest.hex(16)}"
    arn = s.site.arn("elasticloadbalancing", suffix)
    return {"id": arn, "arn": arn, "name": name, "arnSuffix": suffix, "loadBalancerArns": []}


def _below(parent: str, old: str, new: str) -> Fake:
    def fake(s: Subject) -> Wire:
        base = s.get(parent) or s.site.arn("elasticloadbalancing", f"{old}/app/unknown/0")
        arn = base.replace(f":{old}/", f":{new}/", 1) + f"/{s.digest.hex(16)}"
        return {"id": arn, "arn": arn}

    return fake


def _certificate(s: Subject) -> Wire:
    arn = s.site.arn("acm", f"certificate/{s.digest.uuid()}")
    alternatives: list[str] = s.inputs.get("subjectAlternativeNames") or []
    names = sorted({s.get("domainName"), *alternatives})
    options = [_validation(s, name) for name in names]
    return {
        "id": arn,
        "arn": arn,
        "domainValidationOptions": options,
        "subjectAlternativeNames": names,
        "status": "PENDING_VALIDATION",
    }


def _validation(s: Subject, name: str) -> Wire:
    digest = Digest(f"{s.site.account} {name}")
    base = name.removeprefix("*.")
    return {
        "domainName": name,
        "resourceRecordName": f"_{digest.hex(32, 'name')}.{base}.",
        "resourceRecordType": "CNAME",
        "resourceRecordValue": f"_{digest.hex(32, 'value')}.{digest.base36(10)}.acm-validations.aws.",
    }


def _record(s: Subject) -> Wire:
    name = s.get("name").rstrip(".")
    identifier = "_".join(part for part in (s.get("zoneId"), name, s.get("type"), s.get("setIdentifier")) if part)
    return {"id": identifier, "fqdn": name}


def _zone(s: Subject) -> Wire:
    identifier = "Z" + s.digest.base36(20).upper()
    servers = [f"ns-{s.digest.decimal(3, str(n))}.awsdns-{n:02}.{tld}" for n, tld in enumerate(("com", "net", "org"))]
    arn = s.site.arn("route53", f"hostedzone/{identifier}", region=False, account=False)
    return {"id": identifier, "zoneId": identifier, "arn": arn, "nameServers": servers, "primaryNameServer": servers[0]}


def _waf(kind: str) -> Fake:
    def fake(s: Subject) -> Wire:
        scope = "global" if s.get("scope") == "CLOUDFRONT" else "regional"
        outputs: dict[str, Json] = {"id": s.digest.uuid(), "lockToken": s.digest.uuid("lock")}
        outputs["arn"] = s.site.arn("wafv2", f"{scope}/{kind}/{s.name}/{outputs['id']}")
        if kind == "webacl":
            rules: list[Json] = s.inputs.get("rules") or []
            outputs |= {"capacity": 50 * len(rules), "applicationIntegrationUrl": ""}
        return outputs

    return fake


def _resolver(prefix: str, kind: str = "") -> Fake:
    def fake(s: Subject) -> Wire:
        identifier = f"{prefix}-{s.digest.hex(17)}"
        arn = {"arn": s.site.arn("route53resolver", f"{kind}/{identifier}")} if kind else {}
        return {"id": identifier, **arn}

    return fake


def _joined(*names: str, separator: str = ":") -> Fake:
    return lambda s: {"id": separator.join(s.get(name) for name in names)}


NETWORK: dict[str, Fake] = {
    "aws:ec2/vpc:Vpc": _vpc,
    "aws:ec2/subnet:Subnet": _subnet,
    "aws:ec2/internetGateway:InternetGateway": lambda s: s.ec2("igw", "internet-gateway", ownerId=s.site.account),
    "aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway": lambda s: s.ec2("eigw"),
    "aws:ec2/natGateway:NatGateway": lambda s: s.ec2("nat", networkInterfaceId=s.ec2_id("eni")),
    "aws:ec2/eip:Eip": lambda s: s.ec2("eipalloc", "elastic-ip", allocationId=s.ec2_id("eipalloc"), domain="vpc"),
    "aws:ec2/routeTable:RouteTable": lambda s: s.ec2("rtb", "route-table", ownerId=s.site.account),
    "aws:ec2/defaultRouteTable:DefaultRouteTable": lambda s: {
        "id": s.get("defaultRouteTableId"),
        "ownerId": s.site.account,
    },
    "aws:ec2/route:Route": lambda s: {
        "id": f"r-{s.get('routeTableId')}{Digest(str(sorted(s.inputs.items()))).decimal(10)}",
        "origin": "CreateRoute",
        "state": "active",
    },
    "aws:ec2/routeTableAssociation:RouteTableAssociation": lambda s: s.ec2("rtbassoc"),
    "aws:ec2/mainRouteTableAssociation:MainRouteTableAssociation": lambda s: s.ec2("rtbassoc"),
    "aws:ec2/securityGroup:SecurityGroup": lambda s: s.ec2("sg", "security-group", ownerId=s.site.account),
    "aws:ec2/securityGroupRule:SecurityGroupRule": lambda s: {"id": f"sgrule-{s.digest.decimal(10)}"},
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": _default_security_group,
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _security_group_rule,
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _security_group_rule,
    "aws:ec2/networkAcl:NetworkAcl": lambda s: s.ec2("acl", "network-acl", ownerId=s.site.account),
    "aws:ec2/defaultNetworkAcl:DefaultNetworkAcl": lambda s: {
        "id": s.get("defaultNetworkAclId"),
        "ownerId": s.site.account,
    },
    "aws:ec2/networkAclRule:NetworkAclRule": lambda s: {"id": f"nacl-{s.digest.decimal(10)}"},
    "aws:ec2/networkAclAssociation:NetworkAclAssociation": lambda s: s.ec2("aclassoc"),
    "aws:ec2/managedPrefixList:ManagedPrefixList": lambda s: s.ec2(
        "pl", "prefix-list", ownerId=s.site.account, version=1
    ),
    "aws:ec2/flowLog:FlowLog": lambda s: s.ec2("fl", "vpc-flow-log"),
    "aws:ec2/vpcEndpoint:VpcEndpoint": _endpoint,
    "aws:ec2/vpcEndpointPolicy:VpcEndpointPolicy": _joined("vpcEndpointId"),
    "aws:ec2/vpcEndpointRouteTableAssociation:VpcEndpointRouteTableAssociation": lambda s: {
        "id": f"a-{s.get('vpcEndpointId')}{s.digest.decimal(10)}"
    },
    "aws:lb/loadBalancer:LoadBalancer": _load_balancer,
    "aws:lb/targetGroup:TargetGroup": _target_group,
    "aws:lb/listener:Listener": _below("loadBalancerArn", "loadbalancer", "listener"),
    "aws:lb/listenerRule:ListenerRule": _below("listenerArn", "listener", "listener-rule"),
    "aws:lb/listenerCertificate:ListenerCertificate": _joined("listenerArn", "certificateArn", separator="_"),
    "aws:lb/targetGroupAttachment:TargetGroupAttachment": lambda s: {
        "id": f"{s.get('targetGroupArn')}-{s.digest.decimal(26)}"
    },
    "aws:acm/certificate:Certificate": _certificate,
    "aws:acm/certificateValidation:CertificateValidation": lambda _: {"id": CREATED},
    "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace": _namespace,
    "aws:servicediscovery/service:Service": _registry,
    "aws:route53/zone:Zone": _zone,
    "aws:route53/record:Record": _record,
    "aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList": _resolver("rslvr-fdl", "firewall-domain-list"),
    "aws:route53/resolverFirewallRuleGroup:ResolverFirewallRuleGroup": _resolver("rslvr-frg", "firewall-rule-group"),
    "aws:route53/resolverFirewallRuleGroupAssociation:ResolverFirewallRuleGroupAssociation": _resolver(
        "rslvr-frgassoc", "firewall-rule-group-association"
    ),
    "aws:route53/resolverFirewallRule:ResolverFirewallRule": _joined("firewallRuleGroupId", "firewallDomainListId"),
    "aws:route53/resolverFirewallConfig:ResolverFirewallConfig": _resolver("rslvr-fc"),
    "aws:route53/resolverQueryLogConfig:ResolverQueryLogConfig": _resolver("rqlc", "resolver-query-log-config"),
    "aws:route53/resolverQueryLogConfigAssociation:ResolverQueryLogConfigAssociation": _resolver("rqlca"),
    "aws:wafv2/webAcl:WebAcl": _waf("webacl"),
    "aws:wafv2/ipSet:IpSet": _waf("ipset"),
    "aws:wafv2/regexPatternSet:RegexPatternSet": _waf("regexpatternset"),
    "aws:wafv2/webAclAssociation:WebAclAssociation": _joined("webAclArn", "resourceArn", separator=","),
    "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration": _joined("resourceArn"),
}
