"""Certificates and DNS records for the edge's host names, if a hosted zone is given."""

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

VALIDATION_TTL_SECONDS = 300


def make_certificate(
    name: str, host_name: str, *, zone_id: pulumi.Input[str], tags: Mapping[str, str], opts: pulumi.ResourceOptions
) -> pulumi.Output[str]:
    """A certificate for one host name, available once ACM has found the validation record.

    Each name has a separate certificate with one validation record, so removing a name removes only its own.
    """
    role = f"{name}-{host_name}"
    certificate = aws.acm.Certificate(
        role,
        domain_name=host_name,
        validation_method="DNS",
        key_algorithm="EC_prime256v1",
        options={"certificate_transparency_logging_preference": "ENABLED"},
        tags={**tags, "Name": role},
        opts=opts,
    )
    proof = certificate.domain_validation_options.apply(lambda options: options[0])
    record = aws.route53.Record(
        f"{role}-validation",
        zone_id=zone_id,
        name=proof.apply(lambda option: option.resource_record_name),
        type=proof.apply(lambda option: option.resource_record_type),
        records=[proof.apply(lambda option: option.resource_record_value or "")],
        ttl=VALIDATION_TTL_SECONDS,
        opts=opts,
    )
    validated = aws.acm.CertificateValidation(
        role, certificate_arn=certificate.arn, validation_record_fqdns=[record.fqdn], opts=opts
    )
    return validated.certificate_arn


def make_alias_record(
    name: str,
    host_name: str,
    *,
    zone_id: pulumi.Input[str],
    balancer: aws.lb.LoadBalancer,
    opts: pulumi.ResourceOptions,
) -> None:
    """Point the host name at the load balancer (IPv4: the network has no IPv6)."""
    aws.route53.Record(
        f"{name}-{host_name}",
        zone_id=zone_id,
        name=host_name,
        type="A",
        aliases=[{"name": balancer.dns_name, "zone_id": balancer.zone_id, "evaluate_target_health": True}],
        opts=opts,
    )
