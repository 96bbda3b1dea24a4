"""Responses to the look-ups (invokes) that a program may make, in AWS's format."""

from __future__ import annotations

from collections.abc import Callable

from preflight.fakes.policy_document import policy_document
from preflight.fakes.values import CREATED, Digest, Site
from preflight.sdk.wire import Wire, secret

Call = Callable[[Site, Wire], Wire]


def _caller(site: Site, _: Wire) -> Wire:
    arn = site.arn("sts", "assumed-role/preflight/offline", region=False)
    return {"accountId": site.account, "arn": arn, "userId": "AROAOFFLINEPREFLIGHT1:offline", "id": site.account}


def _zones(site: Site, args: Wire) -> Wire:
    names = [f"{site.region}{letter}" for letter in "abc"]
    short = f"{site.region[:2]}{site.region.split('-')[1][0]}{site.region[-1]}"
    ids = [f"{short}-az{number}" for number in (1, 2, 3)]
    return {
        **args,
        "names": names,
        "zoneIds": ids,
        "groupNames": [site.region],
        "id": site.region,
        "region": site.region,
    }


def _region(site: Site, args: Wire) -> Wire:
    name = args.get("region") or args.get("name") or site.region
    endpoint = f"ec2.{name}.amazonaws.com"
    return {"name": name, "region": name, "id": name, "endpoint": endpoint, "description": name}


def _partition(site: Site, _: Wire) -> Wire:
    suffix = "amazonaws.com.cn" if site.partition == "aws-cn" else "amazonaws.com"
    reverse = ".".join(reversed(suffix.split(".")))
    return {"partition": site.partition, "id": site.partition, "dnsSuffix": suffix, "reverseDnsPrefix": reverse}


def _secret_arn(site: Site, name: str) -> str:
    return name if name.startswith("arn:") else site.arn("secretsmanager", f"secret:{name}-{Digest(name).base36(6)}")


def key_of_secret(site: Site, arn: str) -> str:
    """The ARN of the key of a secret that another stack has made, as the program reads it."""
    return site.arn("kms", f"key/{Digest(f'the key of {arn}').uuid()}")


def _secret(site: Site, args: Wire) -> Wire:
    name = str(args.get("name") or args.get("arn"))
    arn = _secret_arn(site, name)
    key = key_of_secret(site, arn)
    return {
        **args,
        "arn": arn,
        "id": arn,
        "name": name,
        "kmsKeyId": key,
        "policy": "",
        "tags": {},
        "region": site.region,
    }


def _secret_version(site: Site, args: Wire) -> Wire:
    name = str(args["secretId"])
    arn, digest = _secret_arn(site, name), Digest(f"{site.account} {name}")
    return {
        **args,
        "arn": arn,
        "secretArn": arn,
        "id": f"{arn}|AWSCURRENT",
        "secretString": secret(f"offline-{digest.base36(32)}"),
        "secretBinary": secret(""),
        "versionId": digest.uuid(),
        "versionStages": ["AWSCURRENT"],
        "createdDate": CREATED,
        "region": site.region,
    }


def _parameter(site: Site, args: Wire) -> Wire:
    name = str(args["name"])
    value = f"offline-{Digest(f'{site.account} {name}').base36(16)}"
    arn = site.arn("ssm", "parameter/" + name.lstrip("/"))
    shown = {"type": "SecureString", "version": 1, "insecureValue": "", "region": site.region}
    return {**args, **shown, "arn": arn, "id": name, "name": name, "value": secret(value)}


def _zone(site: Site, args: Wire) -> Wire:
    name = str(args.get("name") or "").rstrip(".")
    identifier = str(args.get("zoneId") or "Z" + Digest(name).base36(20).upper())
    arn = site.arn("route53", f"hostedzone/{identifier}", region=False, account=False)
    return {**args, "zoneId": identifier, "id": identifier, "name": name or "example.com", "arn": arn}


def _prefix_list(site: Site, args: Wire) -> Wire:
    name = str(args.get("name") or args.get("prefixListId"))
    service = name.rpartition(".")[2]
    identifier = str(args.get("prefixListId") or "pl-" + Digest(f"{site.region} {service}").hex(8))
    return {**args, "id": identifier, "prefixListId": identifier, "name": name, "cidrBlocks": [], "region": site.region}


def _route_tables(site: Site, args: Wire) -> Wire:
    return {**args, "id": site.region, "ids": [], "region": site.region}


def _repository(site: Site, args: Wire) -> Wire:
    name = str(args["name"])
    url = f"{site.account}.dkr.ecr.{site.region}.amazonaws.com/{name}"
    arn = site.arn("ecr", f"repository/{name}")
    return {**args, "arn": arn, "id": name, "repositoryUrl": url, "registryId": site.account, "region": site.region}


def _role(site: Site, args: Wire) -> Wire:
    name = str(args["name"])
    unique = "AROA" + Digest(name).base36(17).upper()
    return {**args, "arn": site.arn("iam", f"role/{name}", region=False), "id": name, "uniqueId": unique, "path": "/"}


def _key(site: Site, args: Wire) -> Wire:
    wanted = str(args["keyId"])
    identifier = Digest(f"{site.account} {wanted}").uuid() if "alias/" in wanted else wanted.rpartition("/")[2]
    return {
        **args,
        "arn": site.arn("kms", f"key/{identifier}"),
        "id": identifier,
        "keyState": "Enabled",
        "region": site.region,
    }


CALLS: dict[str, Call] = {
    "aws:index/getAvailabilityZones:getAvailabilityZones": _zones,
    "aws:index/getCallerIdentity:getCallerIdentity": _caller,
    "aws:index/getPartition:getPartition": _partition,
    "aws:index/getRegion:getRegion": _region,
    "aws:ec2/getManagedPrefixList:getManagedPrefixList": _prefix_list,
    "aws:ec2/getPrefixList:getPrefixList": _prefix_list,
    # Which tables a network has is not known here, so statements that depend on them are not proven.
    "aws:ec2/getRouteTables:getRouteTables": _route_tables,
    "aws:ecr/getRepository:getRepository": _repository,
    "aws:iam/getPolicyDocument:getPolicyDocument": policy_document,
    "aws:iam/getRole:getRole": _role,
    "aws:kms/getKey:getKey": _key,
    "aws:route53/getZone:getZone": _zone,
    "aws:secretsmanager/getSecret:getSecret": _secret,
    "aws:secretsmanager/getSecretVersion:getSecretVersion": _secret_version,
    "aws:ssm/getParameter:getParameter": _parameter,
}
