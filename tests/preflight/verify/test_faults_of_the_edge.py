"""Faults that are planted into the edge. Each has to be found in the expected lines."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any

import pytest

from local.certificate import self_signed
from local.ports import LOOPBACK, held_ports
from preflight.account.lines import Status
from preflight.sdk.wire import Wire
from preflight.verify.client import Live
from preflight.verify.live import Sending, lines
from tests.preflight.verify.edge import Edge
from tests.preflight.verify.faults import SIGNED_IN, Fault, Site, changed, failed, serving

RULE, LISTENER = "aws:lb/listenerRule:ListenerRule", "aws:lb/listener:Listener"
Plant = Callable[[Edge, Site], object]


def graph(edit: Callable[[list[Wire]], object]) -> Plant:
    """Plants a change of the edge's configuration, without changing what verify expects."""

    def plant(edge: Edge, _: Site) -> None:
        edge.stack = changed(edge.stack, edit)

    return plant


def sets(**values: Any) -> Plant:  # noqa: ANN401
    """Plants a field of the edge."""

    def plant(edge: Edge, _: Site) -> None:
        for name, value in values.items():
            assert getattr(edge, name) != value
            setattr(edge, name, value)

    return plant


def of(resources: list[Wire], kind: str, name: str = "") -> list[Wire]:
    """The inputs of resources of a type whose name has this prefix."""
    found = [one["inputs"] for one in resources if one["type"] == kind and one["name"].startswith(name)]
    assert found
    return found


def forwards_by_default(resources: list[Wire]) -> None:
    (forward,) = [a for a in of(resources, RULE, "edge-page-1")[0]["actions"] if a["type"] == "forward"]
    of(resources, LISTENER, "edge-https")[0]["defaultActions"] = [forward]


def no_login_on_pages(resources: list[Wire]) -> None:
    for inputs in of(resources, RULE, "edge-page-"):
        inputs["actions"] = [action for action in inputs["actions"] if action["type"] == "forward"]


def no_login_on_api(resources: list[Wire]) -> None:
    for inputs in of(resources, RULE, "edge-api-"):
        inputs["actions"] = [action for action in inputs["actions"] if action["type"] == "forward"]


def pages_for_api(resources: list[Wire]) -> None:
    for inputs in of(resources, RULE, "edge-api-"):
        inputs["actions"][0]["authenticateOidc"]["onUnauthenticatedRequest"] = "authenticate"


def another_login(resources: list[Wire]) -> None:
    for inputs in of(resources, RULE, "edge-page-"):
        inputs["actions"][0]["authenticateOidc"]["authorizationEndpoint"] = "https://login.example.net/authorize"


def without_rule(prefix: str) -> Callable[[list[Wire]], None]:
    """Removes the listener rule with this name."""

    def edit(resources: list[Wire]) -> None:
        assert of(resources, RULE, prefix)
        resources[:] = [r for r in resources if r["type"] != RULE or not r["name"].startswith(prefix)]

    return edit


def firewall_without(*names: str) -> Callable[[list[Wire]], None]:
    """Removes the WAF rules with these names."""

    def edit(resources: list[Wire]) -> None:
        (acl,) = of(resources, "aws:wafv2/webAcl:WebAcl")
        before = len(acl["rules"])
        acl["rules"] = [rule for rule in acl["rules"] if rule["name"] not in names]
        assert len(acl["rules"]) == before - len(names)

    return edit


def firewall_text(old: str, new: str) -> Callable[[list[Wire]], None]:
    """Replaces a text in the WAF's rules."""

    def replaced(value: Any) -> Any:  # noqa: ANN401
        if isinstance(value, dict):
            return {key: replaced(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType]
        if isinstance(value, list):
            return [replaced(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
        return new if value == old else value

    def edit(resources: list[Wire]) -> None:
        (acl,) = of(resources, "aws:wafv2/webAcl:WebAcl")
        before = acl["rules"]
        acl["rules"] = replaced(before)
        assert acl["rules"] != before

    return edit


def query_limit(resources: list[Wire]) -> None:
    (acl,) = of(resources, "aws:wafv2/webAcl:WebAcl")
    (rule,) = [rule for rule in acl["rules"] if rule["name"] == "query-too-large"]
    rule["statement"]["andStatement"]["statements"][1]["sizeConstraintStatement"]["size"] -= 1


def no_firewall(resources: list[Wire]) -> None:
    kind = "aws:wafv2/webAclAssociation:WebAclAssociation"
    assert of(resources, kind)
    resources[:] = [resource for resource in resources if resource["type"] != kind]


def tolerant(resources: list[Wire]) -> None:
    of(resources, "aws:lb/loadBalancer:LoadBalancer")[0]["desyncMitigationMode"] = "monitor"


def another_redirect(resources: list[Wire]) -> None:
    of(resources, RULE, "edge-redirect")[0]["actions"][0]["redirect"]["host"] = "www.example.net"


def plain_page(resources: list[Wire]) -> None:
    forward = [a for a in of(resources, RULE, "edge-page-1")[0]["actions"] if a["type"] == "forward"]
    of(resources, RULE, "edge-redirect")[0]["actions"] = forward


def any_host(resources: list[Wire]) -> None:
    for inputs in of(resources, RULE, "edge-page-1"):
        inputs["conditions"] = [c for c in inputs["conditions"] if "hostHeader" not in c]


def shown_path(resources: list[Wire]) -> None:
    inputs = of(resources, RULE, "edge-blocked-3")[0]
    (paths,) = [c["pathPattern"] for c in inputs["conditions"] if "pathPattern" in c]
    paths["values"] = [path for path in paths["values"] if path != "/api/v1/scim/*"]


def old_tls(edge: Edge, site: Site) -> None:
    edge.context = serving(site.folder, site.certificate, ssl.TLSVersion.TLSv1)


def new_tls_alone(edge: Edge, site: Site) -> None:
    edge.context = serving(site.folder, site.certificate, ssl.TLSVersion.TLSv1_3)


SPOOFED = "spoofed header "
FAULTS = [
    Fault("pages are forwarded without a login", graph(no_login_on_pages), ("edge-page-1: GET", "edge-page-5: GET")),
    Fault(
        "API calls are forwarded, and the proxy alone refuses them with the same status",
        graph(no_login_on_api),
        ("edge-api-1: GET", "edge-api-5: GET", "a model call without", "largest allowed size"),
    ),
    Fault("nothing asks for a login", sets(logs_in=False), ("edge-page-1: GET", "HEAD of the first page")),
    Fault("an API call is sent to the login", graph(pages_for_api), ("edge-api-1: GET", "a model call without")),
    Fault("the login is another provider's", graph(another_login), ("edge-page-1: GET",), ("page", "largest allowed", "space", "address", "spoofed")),
    Fault("the login is for another client", sets(client="somebody-else"), ("edge-page-1: GET",)),
    Fault("the default forwards", graph(forwards_by_default), ("an undeclared path", "another host: https", "a signed-in user on an undeclared")),
    Fault("no rule hides paths", graph(without_rule("edge-blocked-")), ("edge-blocked-3: GET", "a signed-in user on the hidden path")),
    Fault("one hidden path is shown", graph(shown_path), ("GET chat.staging.example.com/api/v1/scim/", "a signed-in user on the hidden path"), ("/api/v1/scim/",)),
    Fault("any host gets pages", graph(any_host), ("another host: https",), ("another host",)),
    Fault("plain HTTP is not redirected", graph(without_rule("edge-redirect")), ("plain HTTP: ",), ("plain HTTP",)),
    Fault("plain HTTP is redirected elsewhere", graph(another_redirect), ("plain HTTP: ",), ("plain HTTP",)),
    Fault("plain HTTP gets pages", graph(plain_page), ("plain HTTP: ",), ("plain HTTP",)),
    Fault("a spoofed header passes", graph(firewall_text("x-user-email", "x-other")), (f"{SPOOFED}x-user-email",), (SPOOFED, "an empty header")),
    Fault("all spoofed headers pass", graph(firewall_without("forged-identity")), (f"{SPOOFED}x-amzn-oidc-data", "a signed-in user with a spoofed"), ("spoofed",)),
    Fault("the upload limit is not enforced", graph(firewall_without("upload-too-large")), ("upload by POST /api/v1/files/ one byte too large",), ("one byte too large",)),
    Fault("the body limit is not enforced", graph(firewall_without("body-too-large")), ("body of POST",), ("one byte too large",)),
    Fault("the query limit is one byte lower", graph(query_limit), ("query of the largest allowed size",), ("query",)),
    Fault("the path limit is not enforced", graph(firewall_without("path-too-long")), ("path one byte too large",), ("path one byte",)),
    Fault("the header limit is not enforced", graph(firewall_without("header-too-large")), ("header one byte too large",), ("header one byte",)),
    Fault("the canary is silent", graph(firewall_without("canary")), ("the firewall's canary",), ("canary",)),
    Fault("ambiguous paths pass", graph(firewall_without("ambiguous-path")), ("ambiguous path //",), ("ambiguous",)),
    Fault("every method passes", graph(firewall_without("method")), ("method PROPFIND",), ("method",)),
    Fault("gRPC passes", graph(firewall_without("grpc")), ("gRPC",), ("gRPC",)),
    Fault("no firewall is associated", graph(no_firewall), ("the firewall's canary", "spoofed header", "one byte too large")),
    Fault("two readings of a request pass", graph(tolerant), ("two different content lengths", "a body with GET")),
    Fault("another station answers", sets(texts=False), ("the firewall's canary", "an undeclared path")),
    Fault("no HSTS", sets(without={"strict-transport-security"}), ("strict-transport-security over https",), ("strict-",)),
    Fault("no nosniff", sets(without={"x-content-type-options"}), ("x-content-type-options over https",), ("x-content",)),
    Fault("the server shows itself", sets(extra={"server": "awselb/2.0"}), ("server over https", "server over http"), ("server",)),
    Fault("cookies over plain HTTP", sets(cookie="Path=/; HttpOnly"), ("cookies",), ("cookies",)),
    Fault("cookies for scripts", sets(cookie="Path=/; Secure"), ("cookies",), ("cookies",)),
    Fault("TLS 1.0 is accepted", old_tls, ("TLS 1.0", "TLS 1.1"), ("TLS",)),
    Fault("TLS 1.2 is refused", new_tls_alone, ("TLS 1.2",), ("TLS",)),
]  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_a_fault_of_the_edge_is_found(fault: Fault, site: Site) -> None:
    edge = site.edge()
    fault.plant(edge, site)
    found = site.verified(edge)
    subjects = failed(found)
    for piece in fault.subjects:
        assert any(piece in subject for subject in subjects), subjects
    if fault.only:
        assert [s for s in subjects if not any(piece in s for piece in fault.only)] == []
    assert all(line.fix for line in found if line.status is not Status.OK)


def test_a_certificate_of_another_name_is_found_and_no_session_is_sent(site: Site) -> None:
    other = self_signed("other.example.com", days=90)
    edge = Edge(site.stack, site.proxy_port, serving(site.folder, other))
    found = site.verified(edge, trusted=other.certificate)
    assert f"certificate of {site.stack.host}" in failed(found)
    assert "requests of a signed-in user" in [line.subject for line in found if line.status is Status.CANNOT_TELL]
    assert edge.received
    assert all(not request.cookies for request in edge.received)


@pytest.mark.parametrize(("days", "subject"), [(13, "expiry of the certificate of "), (-0.001, "certificate of ")])
def test_a_certificate_that_ends_soon_or_has_ended_is_found(days: float, subject: str, site: Site) -> None:
    ending = self_signed(site.stack.host, days=days)
    edge = Edge(site.stack, site.proxy_port, serving(site.folder, ending))
    assert [f"{subject}{site.stack.host}"] == failed(site.verified(edge, trusted=ending.certificate))


def test_an_authority_that_is_not_trusted_is_found(site: Site) -> None:
    edge = Edge(site.stack, site.proxy_port, serving(site.folder, self_signed(site.stack.host, days=90)))
    assert failed(site.verified(edge)) == [f"certificate of {site.stack.host}"]


def test_a_host_that_does_not_answer_is_one_line(site: Site) -> None:
    with held_ports(0) as (silent,):
        live = Live(ssl.create_default_context(), site.stack.host, {443: (LOOPBACK, silent)})
        (line,) = lines(Sending(site.stack, live, SIGNED_IN, pause=0))
    assert (line.subject, line.status) == ("the live host", Status.MISSING)
    assert str(silent) in line.found
