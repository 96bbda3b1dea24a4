"""Faults outside the account: domain, certificate, identity provider, models, network, and offers by zone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from preflight.account.lines import Status
from preflight.ready.parts.issuer import WELL_KNOWN
from settings.people import Users
from settings.providers.okta import Okta
from tests.preflight.account.loopback import CHAT, Asked, Refusal
from tests.preflight.ready.aws_responses import available, display
from tests.preflight.ready.conftest import HOST, import_certificate
from tests.preflight.ready.faults import Fault, Undo, check, denied, lines, parameters, refuses, says
from tests.preflight.ready.right_account import PUBLIC_ADDRESS, publish, published
from tests.preflight.ready.world import World

ZONE, CHAT_HOST = "staging.example.com", "chat.staging.example.com"
MODEL = "openai.gpt-oss-20b-1:0"
CONSOLE = "Bedrock console"


def _records(name: str, kind: str, values: list[str]) -> Callable[[World], None]:
    def plant(world: World) -> None:
        world.names.records.pop((name, kind), None)
        if values:
            world.names.records[name, kind] = values

    return plant


def _private_zone(world: World) -> Undo:
    zone = {"Id": "/hostedzone/Z0", "Name": f"{ZONE}.", "CallerReference": "x", "Config": {"PrivateZone": True}}
    world.cloud.answers["route53", "GetHostedZone"] = {"HostedZone": zone}
    return None


def _zone_of_another_domain(world: World) -> Undo:
    zone = {"Id": "/hostedzone/Z0", "Name": "example.net.", "CallerReference": "x", "Config": {"PrivateZone": False}}
    servers = ["ns1.example.net"]
    world.cloud.answers["route53", "GetHostedZone"] = {"HostedZone": zone, "DelegationSet": {"NameServers": servers}}
    world.names.records["example.net", "NS"] = [f"{server}." for server in servers]
    return None


def _taken_record(kind: str) -> Callable[[World], Undo]:
    def plant(world: World) -> Undo:
        zone, route53 = world.wanted.settings.domain.hosted_zone_id, world.client("route53")
        value = PUBLIC_ADDRESS if kind == "A" else "elsewhere.example.com"
        record = {"Name": CHAT_HOST, "Type": kind, "TTL": 60, "ResourceRecords": [{"Value": value}]}

        def change(action: str) -> None:
            changes = [{"Action": action, "ResourceRecordSet": record}]
            route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})

        change("CREATE")
        return lambda: change("DELETE")

    return plant


DOMAIN = [
    Fault("zone of another account", "domain", refuses("route53", "GetHostedZone", "NoSuchHostedZone", 404), "hosted zone",
          "domain.hostedZoneId"),
    Fault("private zone", "domain", _private_zone, "hosted zone", "public zone", found="private"),
    Fault("zone of another domain", "domain", _zone_of_another_domain, "hosted zone", "domain.hostedZoneId", found=CHAT_HOST),
    Fault("zone without delegation", "domain", _records(ZONE, "NS", []), "delegation", "NS records"),
    Fault("delegation to a former zone", "domain", _records(ZONE, "NS", ["ns-1.awsdns-01.org."]), "delegation",
          "NS records", found="ns-1.awsdns-01.org"),
    Fault("record of a former site", "domain", _taken_record("A"), f"record {CHAT_HOST}", "pulumi import"),
    Fault("CAA record that shuts Amazon out", "domain", _records(CHAT_HOST, "CAA", ['0 issue "letsencrypt.org"']),
          f"CAA of {CHAT_HOST}", "amazon.com"),
    Fault("CAA record of the parent domain", "domain", _records("example.com", "CAA", ['0 issue ";"']),
          f"CAA of {CHAT_HOST}", "amazon.com"),
]  # fmt: skip


@parameters(DOMAIN)
def test_a_fault_of_the_domain_is_found(staging: World, fault: Fault) -> None:
    check(staging, fault)


def test_a_caa_record_that_lets_amazon_issue_is_no_fault(staging: World) -> None:
    _records("example.com", "CAA", ['0 issue "letsencrypt.org"', '0 issue "amazontrust.com"'])(staging)
    assert [line for line in lines(staging, "domain") if line.status is not Status.OK] == []


def _certificate(tmp: Path, world: World, **options: Any) -> None:  # noqa: ANN401
    arn = import_certificate(world.client("acm"), tmp, **options)
    _setting(world, "domain", certificate_arn=arn)


def _setting(world: World, section: str, **changes: object) -> None:
    settings = world.wanted.settings
    changed = getattr(settings, section).model_copy(update=changes)
    world.wanted = replace(world.wanted, settings=settings.model_copy(update={section: changed}))


def test_a_certificate_that_does_not_fit_is_found(elsewhere: World, tmp_path: Path) -> None:
    region = elsewhere.wanted.region
    arn = str(elsewhere.wanted.settings.domain.certificate_arn)
    table: list[tuple[str, str, str, Callable[[World], None]]] = [
        ("certificate", "models.example.org", "", lambda w: _certificate(tmp_path, w, hosts=(HOST,))),
        ("certificate's end", "renew", "", lambda w: _certificate(tmp_path, w, days=20)),
        (
            "certificate",
            region,
            "us-east-1",
            lambda w: _setting(w, "domain", certificate_arn=arn.replace(region, "us-east-1")),
        ),
        (
            "certificate",
            "domain.certificateArn",
            "does not exist",
            refuses("acm", "DescribeCertificate", "ResourceNotFoundException"),
        ),
    ]
    for subject, fix, found, plant in table:
        with elsewhere.kept():
            check(elsewhere, Fault("", "domain", lambda w, p=plant: p(w), subject, fix, found=found))  # type: ignore[misc]


def _publishes(**changes: object) -> Callable[[World], None]:
    return lambda world: publish(world, {**published(world), **changes})


def _page(status: int, body: bytes) -> Callable[[World], None]:
    def plant(world: World) -> None:
        world.site.pages[WELL_KNOWN] = (status, body)

    return plant


def _no_dns(world: World) -> None:
    world.names.broken = True


def _no_provider(world: World) -> Undo:
    held = world.site.port
    world.site.port = 9  # discard: nothing listens there
    return lambda: setattr(world.site, "port", held)


OKTA = Okta(kind="okta", domain="example.okta.com")


def _everyone(world: World) -> None:
    _setting(world, "identity", provider=OKTA, allowed=Users(everyone_the_provider_assigns=True))


def _another_server(world: World) -> None:
    _setting(world, "identity", provider=OKTA)
    publish(world, {**published(world), "token_endpoint": "https://login.example.com/t2/token"})


ISSUER = [
    Fault("token endpoint of another tenant", "identity provider", _publishes(token_endpoint="https://login.example.com/t2/token"),
          "identity.tokenEndpoint", "identity.tokenEndpoint: https://login.example.com/t2/token"),
    Fault("issuer with a slash more", "identity provider", _publishes(issuer="https://login.example.com/"), "identity.issuer",
          "identity.issuer"),
    Fault("no user-info endpoint", "identity provider", _publishes(userinfo_endpoint=None), "identity.userInfoEndpoint",
          "identity.userInfoEndpoint"),
    Fault("other authorization endpoint", "identity provider", _publishes(authorization_endpoint="https://login.example.com/v2"),
          "identity.authorizationEndpoint", "https://login.example.com/v2"),
    Fault("other logout page", "identity provider", _publishes(end_session_endpoint="https://login.example.com/bye"),
          "identity.endSessionEndpoint", "https://login.example.com/bye"),
    Fault("logout page that is not published", "identity provider", _publishes(end_session_endpoint=None),
          "identity.endSessionEndpoint", "documentation", Status.CANNOT_TELL),
    Fault("scope that is not offered", "identity provider", _publishes(scopes_supported=["openid"]), "identity.scopes", "email"),
    Fault("provider without the code flow", "identity provider", _publishes(response_types_supported=["id_token"]), "code flow",
          "code"),
    Fault("claim that is not published", "identity provider", _publishes(claims_supported=["sub"]), "claims", "groups",
          Status.CANNOT_TELL),
    Fault("everyone whom the provider assigns", "identity provider", _everyone, "identity.allowed.everyoneTheProviderAssigns",
          "Assignments", Status.CANNOT_TELL, found="Okta"),
    Fault("endpoint that does not follow from the provider", "identity provider", _another_server, "identity.tokenEndpoint",
          "correct identity.provider in Pulumi.staging.yaml"),
    Fault("no discovery document", "identity provider", _page(404, b""), "discovery document", WELL_KNOWN, found="404"),
    Fault("a page instead of the document", "identity provider", _page(200, b"<html>"), "discovery document", WELL_KNOWN),
    Fault("a document that never ends", "identity provider", _page(200, b"x" * 1_100_000), "people", "issuer's document",
          Status.CANNOT_TELL),
    Fault("private address of the provider", "identity provider", _records("login.example.com", "A", ["10.1.2.3"]),
          "addresses of login.example.com", "public IPv4", found="10.1.2.3"),
    Fault("provider with IPv6 only", "identity provider", _records("login.example.com", "A", []),
          "addresses of login.example.com", "public IPv4", found="none"),
    Fault("DNS that does not answer", "identity provider", _no_dns, "addresses", "resolve", Status.CANNOT_TELL),
    Fault("provider that does not answer", "identity provider", _no_provider, "people", "reach", Status.CANNOT_TELL),
]  # fmt: skip


@parameters(ISSUER)
def test_a_fault_of_the_identity_provider_is_found(staging: World, fault: Fault) -> None:
    check(staging, fault)


def test_other_keys_for_machine_clients_are_found(elsewhere: World) -> None:
    plant = _publishes(jwks_uri="https://keys.example.com/v2/jwks")
    subject = "identity.machineClients.jwksEndpoint"
    check(elsewhere, Fault("", "identity provider", plant, subject, "https://keys.example.com/v2/jwks"))


def test_a_provider_with_a_certificate_that_is_not_trusted_is_not_believed(staging: World, elsewhere: World) -> None:
    staging.site, held = elsewhere.site, staging.site
    try:
        staging.site.context, trusted = held.context, staging.site.context
        try:
            found = [line for line in lines(staging, "identity provider") if line.status is not Status.OK]
        finally:
            elsewhere.site.context = trusted
    finally:
        staging.site = held
    assert [(line.subject, line.status) for line in found] == [("people", Status.CANNOT_TELL)]
    assert "CERTIFICATE_VERIFY_FAILED" in found[0].found


def _about(service: str, operation: str, answer: Callable[[Asked], Any]) -> Callable[[World], None]:
    """Another answer about one model only."""

    def plant(world: World) -> None:
        earlier: Any = world.cloud.answers[service, operation]
        one = MODEL

        def both(asked: Asked) -> Any:  # noqa: ANN401
            return answer(asked) if one in asked.path + str(asked.parameters) else earlier(asked)

        world.cloud.answers[service, operation] = both

    return plant


def _chat(status: int, message: str, *, openai: bool = True) -> Callable[[World], None]:
    body = {"error": {"message": message}} if openai else {"message": message}
    return _about("bedrock-runtime", CHAT, lambda _: (status, body))


def _few_tokens(world: World) -> None:
    world.quotas[display(MODEL)] = 0


def _no_calls(world: World) -> None:
    world.call_models = False


CHATS = f"Chat Completions of {MODEL}"
UNAUTHORIZED = "User: x is not authorized to perform: bedrock:InvokeModel on resource: y"
MODELS = [
    Fault("model that the region does not have", "models", _about("bedrock", "GetFoundationModel", lambda _: Refusal("ValidationException")),
          f"{MODEL} in eu-west-1", "models.groups"),
    Fault("model without agreement", "models", _about("bedrock", "GetFoundationModelAvailability",
          lambda a: available(a, agreementAvailability={"status": "NOT_AVAILABLE"})), f"access to {MODEL}", CONSOLE),
    Fault("model that the account may not use", "models", _about("bedrock", "GetFoundationModelAvailability",
          lambda a: available(a, authorizationStatus="NOT_AUTHORIZED")), f"access to {MODEL}", CONSOLE),
    Fault("availability that may not be asked", "models", denied("bedrock", "GetFoundationModelAvailability"), "access to",
          "bedrock:GetFoundationModelAvailability", Status.CANNOT_TELL),
    Fault("no tokens per minute", "models", _few_tokens, f"tokens per minute of {MODEL}", "increase to 83334"),
    Fault("quotas without the model", "models", says("service-quotas", "ListServiceQuotas", {"Quotas": []}),
          "tokens per minute", "Service Quotas", Status.CANNOT_TELL),
    Fault("model access denied", "models", _chat(403, "You don't have access to the model with the specified model ID."),
          CHATS, CONSOLE, found="HTTP 403"),
    Fault("model that this API does not serve", "models", _chat(400, f"The model '{MODEL}' does not support the API"),
          CHATS, "models.groups", found="HTTP 400"),
    Fault("no such route", "models", _chat(404, "not found", openai=False), CHATS, "models.groups", found="not found"),
    Fault("throttled", "models", _chat(429, "Too many tokens"), CHATS, "Service Quotas", Status.CANNOT_TELL),
    Fault("Bedrock that fails", "models", _chat(503, "unavailable"), CHATS, "again", Status.CANNOT_TELL),
    Fault("reader who may not invoke", "models", _chat(403, UNAUTHORIZED, openai=False), CHATS, "bedrock:InvokeModel",
          Status.CANNOT_TELL),
    Fault("answer without choices", "models", _about("bedrock-runtime", CHAT, lambda _: (200, {})), CHATS, "Bedrock user guide"),
    Fault("calls left out", "models", _no_calls, "Chat Completions of", "--no-model-call", Status.CANNOT_TELL),
]  # fmt: skip


@parameters(MODELS)
def test_a_fault_of_a_model_is_found(staging: World, fault: Fault) -> None:
    check(staging, fault)


def _service(piece: str, **change: object) -> Callable[[World], None]:
    def plant(world: World) -> None:
        earlier: Any = world.cloud.answers["ec2", "DescribeVpcEndpointServices"]

        def answer(asked: Asked) -> Any:  # noqa: ANN401
            if not asked.parameters["ServiceName.1"].endswith(piece):
                return earlier(asked)
            return (
                {"ServiceDetails": [{**earlier(asked)["ServiceDetails"][0], **change}]}
                if change
                else Refusal("InvalidServiceName")
            )

        world.cloud.answers["ec2", "DescribeVpcEndpointServices"] = answer

    return plant


BEDROCK = "com.amazonaws.eu-west-1.bedrock-runtime"
OLD = {"OrderableDBInstanceOptions": [{"EngineVersion": "15.4", "AvailabilityZones": [{"Name": "eu-west-1a"}]}]}
ONE_ZONE = {"OrderableDBInstanceOptions": [{"EngineVersion": "16.4", "AvailabilityZones": [{"Name": "eu-west-1a"}]}]}
PART = "network and engines"
OFFERS = [
    Fault("region without Bedrock's endpoint", PART, _service("bedrock-runtime"), BEDROCK, "region"),
    Fault("endpoint that one zone does not have", PART, _service("bedrock-runtime", AvailabilityZones=["eu-west-1a"]), BEDROCK,
          "zones", found="eu-west-1b"),
    Fault("engine version that cannot be ordered", PART, says("rds", "DescribeOrderableDBInstanceOptions", OLD),
          "aurora-postgresql 16", "region", found="15.4"),
    Fault("zone without the instance class", PART, says("rds", "DescribeOrderableDBInstanceOptions", ONE_ZONE),
          "aurora-postgresql 16", "zones"),
    Fault("region without the cache's engine", PART, says("elasticache", "DescribeCacheEngineVersions",
          {"CacheEngineVersions": [{"EngineVersion": "7.2"}]}), "valkey 8.0", "region"),
    Fault("node type that is not sold", PART, says("elasticache", "DescribeReservedCacheNodesOfferings",
          {"ReservedCacheNodesOfferings": []}), "cache.t4g.small", "data.cache.nodeType", Status.CANNOT_TELL),
]  # fmt: skip


@parameters(OFFERS)
def test_what_the_region_does_not_offer_is_found(staging: World, fault: Fault) -> None:
    check(staging, fault)


def _ids(**changes: object) -> Callable[[World], None]:
    def plant(world: World) -> None:
        existing: Any = world.wanted.settings.network.existing
        _setting(world, "network", existing=existing.model_copy(update=changes))

    return plant


def _swapped(world: World) -> None:
    existing: Any = world.wanted.settings.network.existing
    _ids(public_subnet_ids=tuple(reversed(existing.public_subnet_ids)))(world)


EXISTING = [
    Fault("VPC that does not exist", PART, _ids(vpc_id="vpc-00000000000000001"), "VPC", "network.existing"),
    Fault("subnets in the order of other zones", PART, _swapped, "publicSubnetIds", "in that order"),
    Fault("subnet that does not exist", PART, _ids(private_subnet_ids=("subnet-0000000000000000a", "subnet-0000000000000000b")),
          "privateSubnetIds", "network.existing"),
    Fault("table that does not exist", PART, _ids(private_route_table_ids=("rtb-00000000000000001",)), "privateRouteTableIds",
          "network.existing"),
]  # fmt: skip


@parameters(EXISTING)
def test_a_fault_of_an_existing_network_is_found(elsewhere: World, fault: Fault) -> None:
    check(elsewhere, fault)
