"""The edge's names: certificates that ACM has validated, and records that lead to the load balancer."""

from tests.components.edge_room import ZONE_ID, named, names, recorded_edge

BALANCER = "aws:lb/loadBalancer:LoadBalancer"
CERTIFICATE_TYPE = "aws:acm/certificate:Certificate"
LISTENER = "aws:lb/listener:Listener"
RECORD = "aws:route53/record:Record"


def test_with_a_zone_each_name_has_a_validated_certificate_and_an_alias_record() -> None:
    recording = recorded_edge(machine=True)
    balancer = named(recording, "edge-balancer", BALANCER).outputs
    listener = named(recording, "edge-https", LISTENER)
    validated = {
        v.name: v.outputs["certificateArn"]
        for v in recording.of_type("aws:acm/certificateValidation:CertificateValidation")
    }

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
        certificate = named(recording, f"edge-{host}", "aws:acm/certificate:Certificate").inputs
        assert (certificate["domainName"], certificate["validationMethod"]) == (host, "DNS")
    assert listener.inputs["certificateArn"] == validated["edge-chat.example.com"]
    (further,) = recording.of_type("aws:lb/listenerCertificate:ListenerCertificate")
    assert further.inputs["certificateArn"] == validated["edge-models.example.com"]
