"""The certificate, DNS records, the load balancer and the WAF."""

from __future__ import annotations

from typing import cast

from preflight.conform.translation.kind import (
    ModelledCall,
    TranslatedKind,
    attribute,
    attributes,
    capitalised,
    fields,
    inside,
    renamed,
)
from preflight.sdk.wire import Json, Wire

BALANCER, GROUP, LISTENER = "LoadBalancerAttributes", "TargetGroupAttributes", "ListenerAttributes"
LOGS = {"enabled": "enabled", "bucket": "bucket", "prefix": "prefix"}

ACTIONS = {
    "authenticateOidc": "AuthenticateOidcConfig",
    "fixedResponse": "FixedResponseConfig",
    "jwtValidation": "JwtValidationConfig",
    "redirect": "RedirectConfig",
    "forward": "ForwardConfig",
    "additionalClaims": "AdditionalClaims",
}
CONDITIONS = {
    "hostHeader": ("host-header", "HostHeaderConfig"),
    "pathPattern": ("path-pattern", "PathPatternConfig"),
    "httpHeader": ("http-header", "HttpHeaderConfig"),
    "httpRequestMethod": ("http-request-method", "HttpRequestMethodConfig"),
    "queryStrings": ("query-string", "QueryStringConfig"),
    "sourceIp": ("source-ip", "SourceIpConfig"),
}


def conditions(value: Json) -> Wire:
    """Conditions, each with the name of its field."""
    result: list[Json] = []
    for item in cast("list[Wire]", value):
        condition: Wire = {}
        for key, block in item.items():
            field, name = CONDITIONS.get(key, ("unknown", f"Unknown{key}"))
            condition |= {"Field": field, name: capitalised(block)}
        result.append(condition)
    return {"Conditions": result}


def response_bodies(value: Json) -> Wire:
    """A map by the key that rules refer to."""
    return {
        "CustomResponseBodies": {
            body["key"]: capitalised({key: item for key, item in body.items() if key != "key"})
            for body in cast("list[Wire]", value)
        }
    }


def alias(value: Json) -> Wire:
    """The only alias target of a record; a second one would be reported."""
    names = {"zoneId": "HostedZoneId", "name": "DNSName", "evaluateTargetHealth": "EvaluateTargetHealth"}
    targets = [renamed(target, names) for target in cast("list[Wire]", value)]
    return {"AliasTarget": targets[0] if len(targets) == 1 else targets}


CT = "certificateTransparencyLoggingPreference"
HEALTH_CHECK = {
    "enabled": "HealthCheckEnabled",
    "healthyThreshold": "HealthyThresholdCount",
    "unhealthyThreshold": "UnhealthyThresholdCount",
    "interval": "HealthCheckIntervalSeconds",
    "timeout": "HealthCheckTimeoutSeconds",
    "matcher": "Matcher.HttpCode",
    "path": "HealthCheckPath",
    "port": "HealthCheckPort",
    "protocol": "HealthCheckProtocol",
}

TABLE = {
    "aws:acm/certificate:Certificate": TranslatedKind(
        "AWS::CertificateManager::Certificate",
        {"options": fields({CT: CT[:1].upper() + CT[1:]})},
        calls=(ModelledCall("acm", "RequestCertificate"),),
        uncalled={"CertificateTransparencyLoggingPreference": "the schema has both values that Options accepts"},
    ),
    "aws:acm/certificateValidation:CertificateValidation": TranslatedKind(
        "",
        left_out={"validationRecordFqdns": "names of records in this program, which are checked against Route 53"},
        calls=(ModelledCall("acm", "DescribeCertificate"),),
        why="waits for the certificate and creates nothing",
    ),
    "aws:route53/record:Record": TranslatedKind(
        "AWS::Route53::RecordSet",
        {"zoneId": "HostedZoneId", "records": "ResourceRecords", "aliases": alias},
        calls=(ModelledCall("route53", "ChangeResourceRecordSets", inside="ChangeBatch.Changes.ResourceRecordSet"),),
    ),
    "aws:lb/loadBalancer:LoadBalancer": TranslatedKind(
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        {
            "loadBalancerType": "Type",
            "internal": lambda value: {"Scheme": "internal" if value else "internet-facing"},
            "accessLogs": attributes(BALANCER, {k: f"access_logs.s3.{v}" for k, v in LOGS.items()}),
            "connectionLogs": attributes(BALANCER, {k: f"connection_logs.s3.{v}" for k, v in LOGS.items()}),
            "healthCheckLogs": attributes(BALANCER, {k: f"health_check_logs.s3.{v}" for k, v in LOGS.items()}),
            "clientKeepAlive": attribute(BALANCER, "client_keep_alive.seconds"),
            "desyncMitigationMode": attribute(BALANCER, "routing.http.desync_mitigation_mode"),
            "dropInvalidHeaderFields": attribute(BALANCER, "routing.http.drop_invalid_header_fields.enabled"),
            "enableCrossZoneLoadBalancing": attribute(BALANCER, "load_balancing.cross_zone.enabled"),
            "enableDeletionProtection": attribute(BALANCER, "deletion_protection.enabled"),
            "enableHttp2": attribute(BALANCER, "routing.http2.enabled"),
            "enableTlsVersionAndCipherSuiteHeaders": attribute(
                BALANCER, "routing.http.x_amzn_tls_version_and_cipher_suite.enabled"
            ),
            "enableWafFailOpen": attribute(BALANCER, "waf.fail_open.enabled"),
            "enableXffClientPort": attribute(BALANCER, "routing.http.xff_client_port.enabled"),
            "enableZonalShift": attribute(BALANCER, "zonal_shift.config.enabled"),
            "idleTimeout": attribute(BALANCER, "idle_timeout.timeout_seconds"),
            "preserveHostHeader": attribute(BALANCER, "routing.http.preserve_host_header.enabled"),
            "xffHeaderProcessingMode": attribute(BALANCER, "routing.http.xff_header_processing.mode"),
        },
        calls=(
            ModelledCall("elbv2", "CreateLoadBalancer"),
            # 22 of them, and a call takes 20: the provider makes several calls (terraform-provider-aws#46496).
            ModelledCall(
                "elbv2",
                "ModifyLoadBalancerAttributes",
                {"LoadBalancerAttributes": "Attributes"},
                split=frozenset({"LoadBalancerAttributes"}),
            ),
        ),
    ),
    "aws:lb/targetGroup:TargetGroup": TranslatedKind(
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        {
            "healthCheck": fields(HEALTH_CHECK),
            "deregistrationDelay": attribute(GROUP, "deregistration_delay.timeout_seconds"),
            "loadBalancingAlgorithmType": attribute(GROUP, "load_balancing.algorithm.type"),
            "slowStart": attribute(GROUP, "slow_start.duration_seconds"),
        },
        calls=(
            ModelledCall("elbv2", "CreateTargetGroup"),
            ModelledCall("elbv2", "ModifyTargetGroupAttributes", {"TargetGroupAttributes": "Attributes"}),
        ),
    ),
    "aws:lb/listener:Listener": TranslatedKind(
        "AWS::ElasticLoadBalancingV2::Listener",
        {
            "certificateArn": lambda value: inside("[Certificates]", {"CertificateArn": value}),
            "routingHttpResponseServerEnabled": attribute(LISTENER, "routing.http.response.server.enabled"),
            "routingHttpResponseStrictTransportSecurityHeaderValue": attribute(
                LISTENER, "routing.http.response.strict_transport_security.header_value"
            ),
            "routingHttpResponseXContentTypeOptionsHeaderValue": attribute(
                LISTENER, "routing.http.response.x_content_type_options.header_value"
            ),
            "routingHttpResponseXFrameOptionsHeaderValue": attribute(
                LISTENER, "routing.http.response.x_frame_options.header_value"
            ),
        },
        nested=ACTIONS,
        calls=(
            ModelledCall("elbv2", "CreateListener"),
            ModelledCall("elbv2", "ModifyListenerAttributes", {"ListenerAttributes": "Attributes"}),
        ),
    ),
    "aws:lb/listenerCertificate:ListenerCertificate": TranslatedKind(
        "AWS::ElasticLoadBalancingV2::ListenerCertificate",
        {"certificateArn": lambda value: inside("[Certificates]", {"CertificateArn": value})},
        calls=(ModelledCall("elbv2", "AddListenerCertificates"),),
    ),
    "aws:lb/listenerRule:ListenerRule": TranslatedKind(
        "AWS::ElasticLoadBalancingV2::ListenerRule",
        {"conditions": conditions},
        nested=ACTIONS,
        calls=(ModelledCall("elbv2", "CreateRule"),),
    ),
    "aws:wafv2/webAcl:WebAcl": TranslatedKind(
        "AWS::WAFv2::WebACL",
        {"customResponseBodies": response_bodies},
        single=frozenset({"headers"}),
        calls=(ModelledCall("wafv2", "CreateWebACL"),),
    ),
    "aws:wafv2/ipSet:IpSet": TranslatedKind(
        "AWS::WAFv2::IPSet",
        {"ipAddressVersion": "IPAddressVersion"},
        calls=(ModelledCall("wafv2", "CreateIPSet"),),
    ),
    "aws:wafv2/webAclAssociation:WebAclAssociation": TranslatedKind(
        "AWS::WAFv2::WebACLAssociation", calls=(ModelledCall("wafv2", "AssociateWebACL"),)
    ),
    "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration": TranslatedKind(
        "AWS::WAFv2::LoggingConfiguration",
        calls=(ModelledCall("wafv2", "PutLoggingConfiguration", inside="LoggingConfiguration"),),
    ),
}
