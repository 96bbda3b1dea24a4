"""Hosted zone, delegation and certificate: the public host name can resolve to the edge with a valid certificate."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from preflight.account.lines import Group, Line, joined
from preflight.ready.context import Part, ReadyContext

AUTHORITIES = ("amazon.com", "amazontrust.com", "awstrust.com", "amazonaws.com")
"""Values of a CAA record that allow ACM to issue (ACM user guide, "(Optional) Configure a CAA record"):
https://docs.aws.amazon.com/acm/latest/userguide/setup-caa.html"""
SOON = dt.timedelta(days=30)


def hosted_zone(context: ReadyContext, group: Group) -> Iterator[Line]:
    """The zone is public, contains the host names, and public DNS delegates to it."""
    wanted = context.wanted
    zone_id, file = wanted.settings.domain.hosted_zone_id, f"Pulumi.{wanted.stack}.yaml"
    if zone_id is None:
        yield group.ok("hosted zone", "not set: you provide the certificate and the DNS record")
        return
    found = context.account.find("route53", "get_hosted_zone", ("NoSuchHostedZone",), Id=zone_id)
    if found is None:
        yield group.missing(
            "hosted zone",
            f"{zone_id} does not exist in this account",
            f"create a public hosted zone, or correct domain.hostedZoneId in {file}",
        )
        return
    name = str(found["HostedZone"]["Name"]).removesuffix(".")
    private = bool(found["HostedZone"].get("Config", {}).get("PrivateZone"))
    outside = [host for host in wanted.hosts if host != name and not host.endswith(f".{name}")]
    yield group.holds(
        "hosted zone",
        not private and not outside,
        f"{zone_id} is {name}, {'private' if private else 'public'}"
        + (f", and {joined(outside)} is outside it" if outside else ""),
        f"name a public zone that contains {joined(wanted.hosts)} in domain.hostedZoneId of {file}",
    )
    if not private:
        yield _delegation(context, group, name, [str(n) for n in found.get("DelegationSet", {}).get("NameServers", [])])


def _delegation(context: ReadyContext, group: Group, zone: str, servers: list[str]) -> Line:
    own = sorted(server.lower().removesuffix(".") for server in servers)
    seen = context.dns.ask(zone, "NS")
    return group.holds(
        "delegation",
        bool(own) and seen == own,
        f"public DNS has {joined(seen)} for {zone}" + ("" if seen == own else f"; the zone has {joined(own)}"),
        f"at the parent domain or the registrar, set the NS records of {zone} to {joined(own)}",
    )


def records(context: ReadyContext, group: Group) -> Iterator[Line]:
    """The stack's DNS records do not exist yet: Route 53 would refuse a second one."""
    for inputs in context.wanted.inputs("aws:route53/record:Record"):
        name, kind = str(inputs["name"]).removesuffix("."), str(inputs["type"])
        if name not in context.wanted.hosts:
            continue  # a validation record, whose name ACM chooses
        answer = context.account.find(
            "route53",
            "list_resource_record_sets",
            ("NoSuchHostedZone",),
            HostedZoneId=inputs["zoneId"],
            StartRecordName=name,
            StartRecordType=kind,
            MaxItems="1",
        )
        sets: list[dict[str, Any]] = answer["ResourceRecordSets"] if answer else []
        taken = [s for s in sets if str(s["Name"]).removesuffix(".") == name and s["Type"] in {kind, "CNAME"}]
        yield group.holds(
            f"record {name}",
            not taken,
            f"{kind} {name} exists already" if taken else f"no {kind} record of this name exists",
            f"delete the record, or import it: pulumi import aws:route53/record:Record edge-{name} "
            f"{inputs['zoneId']}_{name}_{kind}",
        )


def authorities(context: ReadyContext, group: Group) -> Iterator[Line]:
    """The domain's CAA records, if any, allow Amazon to issue the certificate."""
    if not context.wanted.count("aws:acm/certificate:Certificate"):
        return
    for host in context.wanted.hosts:
        labels = host.split(".")
        found: list[str] = []
        for start in range(len(labels) - 1):
            found = context.dns.ask(".".join(labels[start:]), "CAA")
            if found:
                break
        issuers = [value.split('"')[1].split(";")[0].strip() for value in found if " issue " in value and '"' in value]
        yield group.holds(
            f"CAA of {host}",
            not issuers or any(issuer in AUTHORITIES for issuer in issuers),
            f"only {joined(issuer or 'no authority' for issuer in issuers)} may issue certificates"
            if issuers
            else "no CAA record restricts the issuers",
            f'add the CAA record 0 issue "amazon.com" in addition to the others of {host}',
        )


def certificate(context: ReadyContext, group: Group) -> Iterator[Line]:
    """If the settings name a certificate, it is issued, is in this region, and covers the host names."""
    wanted = context.wanted
    arn = wanted.settings.domain.certificate_arn
    if arn is None:
        yield group.ok("certificate", f"the stack requests it in {wanted.region} and validates it in the hosted zone")
        return
    fix = f"name a certificate of {wanted.region} in domain.certificateArn of Pulumi.{wanted.stack}.yaml"
    region = arn.split(":")[3]
    if region != wanted.region:
        yield group.missing("certificate", f"it is in {region}, the load balancer in {wanted.region}", fix)
        return
    found = context.account.find("acm", "describe_certificate", ("ResourceNotFoundException",), CertificateArn=arn)
    if found is None:
        yield group.missing("certificate", f"{arn} does not exist", fix)
        return
    details = found["Certificate"]
    names = sorted({details["DomainName"], *details.get("SubjectAlternativeNames", [])})
    open_hosts = [h for h in wanted.hosts if h not in names and f"*.{h.partition('.')[2]}" not in names]
    yield group.holds(
        "certificate",
        details.get("Status") == "ISSUED" and not open_hosts,
        f"{details.get('Status')}, for {joined(names)}",
        f"issue it for {joined(wanted.hosts)}, or {fix}",
    )
    until = details.get("NotAfter")
    if until is not None:
        yield group.holds(
            "certificate's end",
            until - dt.datetime.now(dt.UTC) > SOON,
            f"valid until {until:%Y-%m-%d}",
            "renew it: request a new certificate, or restore the validation records so that ACM can renew it",
        )


PART = Part(
    "domain",
    (
        ("hosted zone", hosted_zone),
        ("records", records),
        ("CAA", authorities),
        ("certificate", certificate),
    ),
)
