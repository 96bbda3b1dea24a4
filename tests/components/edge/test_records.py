"""The edge's names: certificates that ACM has validated, and records that lead to the load balancer."""

from components.edge import Edge
from preflight.recording.recorder import record
from tests.components.edge_fixtures import MACHINE, ZONE_ID, edge_args, named, names, recorded_edge

BALANCER = "aws:lb/loadBalancer:LoadBalancer"
CERTIFICATE = "aws:acm/certificate:Certificate"
VALIDATION = "aws:acm/certificateValidation:CertificateValidation"
FURTHER = "aws:lb/listenerCertificate:ListenerCertificate"
LISTENER = "aws:lb/listener:Listener"
RECORD = "aws:route53/record:Record"


def test_with_a_zone_each_name_has_a_validated_certificate_and_an_alias_record() -> None:
    recording = recorded_edge(machine=True)
    balancer = named(recording, "edge-balancer", BALANCER).outputs
    listener = named(recording, "edge-https", LISTENER)
    validated = {v.name: v.outputs["certificateArn"] for v in recording.of_type(VALIDATION)}

    assert names(recording, RECORD) == [
        "edge-chat.example.com",
        "edge-chat.example.com-validation",
        "edge-models.example.com",
        "edge-models.example.com-validation",
    ]
    for host in ("chat.example.com", "models.example.com"):
        assert named(recording, f"edge-{host}", RECORD).inputs == {
            "zoneId": ZONE_ID,
            "name": host,
            "type": "A",
            "aliases": [{"name": balancer["dnsName"], "zoneId": balancer["zoneId"], "evaluateTargetHealth": True}],
        }
        certificate = named(recording, f"edge-{host}", CERTIFICATE)
        assert {key: value for key, value in certificate.inputs.items() if key != "tags"} == {
            "domainName": host,
            "validationMethod": "DNS",
            "keyAlgorithm": "EC_prime256v1",
            "options": {"certificateTransparencyLoggingPreference": "ENABLED"},
        }
        (proof,) = certificate.outputs["domainValidationOptions"]
        record_ = named(recording, f"edge-{host}-validation", RECORD)
        assert record_.inputs == {
            "zoneId": ZONE_ID,
            "name": proof["resourceRecordName"],
            "type": proof["resourceRecordType"],
            "records": [proof["resourceRecordValue"]],
            "ttl": 300,
        }
        assert named(recording, f"edge-{host}", VALIDATION).inputs == {
            "certificateArn": certificate.outputs["arn"],
            "validationRecordFqdns": [record_.outputs["fqdn"]],
        }
    assert listener.inputs["certificateArn"] == validated["edge-chat.example.com"]
    (further,) = recording.of_type(FURTHER)
    assert further.inputs["certificateArn"] == validated["edge-models.example.com"]
    for user, host in ((listener, "chat.example.com"), (further, "models.example.com")):
        assert list(user.property_dependencies["certificateArn"]) == [named(recording, f"edge-{host}", VALIDATION).urn]


def test_every_further_name_of_people_has_a_certificate_and_records_of_its_own() -> None:
    recording = record(lambda: Edge("edge", edge_args(host_names=["chat.example.com", "ai.example.com"])))

    assert names(recording, CERTIFICATE) == ["edge-ai.example.com", "edge-chat.example.com"]
    assert names(recording, FURTHER) == ["edge-ai.example.com"]
    assert [name for name in names(recording, RECORD) if "validation" not in name] == [
        "edge-ai.example.com",
        "edge-chat.example.com",
    ]


def test_without_a_zone_the_machine_clients_certificate_is_the_one_that_is_named() -> None:
    own = "arn:aws:acm:eu-west-1:111122223333:certificate/11111111-1111-1111-1111-111111111111"
    args = edge_args(zone=False, machine_clients={**MACHINE, "certificate_arn": own})
    (further,) = record(lambda: Edge("edge", args)).of_type(FURTHER)

    assert (further.name, further.inputs["certificateArn"]) == ("edge-models.example.com", own)
