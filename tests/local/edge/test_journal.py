"""The logs: fields as AWS documents them, and their delivery to the declared bucket; the public key endpoint."""

from __future__ import annotations

import gzip
import re
import shlex
import ssl
from datetime import datetime

import pytest

from local.edge.journal import AccessLogEntry
from local.edge.public_keys import PublicKeys
from local.wiring import Node
from tests.local.edge.world import BALANCER, GROUP, LISTENER, World

FIELDS = (
    "type", "time", "elb", "client", "target", "request_time", "target_time", "response_time", "elb_status",
    "target_status", "received", "sent", "request", "user_agent", "cipher", "protocol", "group", "trace", "domain",
    "certificate", "priority", "created", "actions", "redirect", "error", "targets", "target_statuses",
    "classification", "reason", "connection",
)  # fmt: skip
"""The documented order of the access log."""


def _fields(line: str) -> dict[str, str]:
    return dict(zip(FIELDS, shlex.split(line), strict=True))


def test_a_forwarded_request_in_the_access_log(edge: World) -> None:
    """Who, where to, how long, how much, which rule: the same as in the graph and in the response."""
    browser = edge.member()
    edge.edge.around.journal.lines.clear()
    response = browser.get(edge.url("/api/v1/x?forwarded=1"))
    found = _fields(edge.line("forwarded=1"))
    group = edge.stack.one(GROUP)
    assert found["type"] == "https"
    assert found["elb"] == edge.stack.one(BALANCER)["arnSuffix"]
    assert found["target"] == found["targets"] == f"{edge.registered[0].address}:{group['port']}"
    assert (found["elb_status"], found["target_status"], found["group"]) == ("200", "200", group["arn"])
    assert found["request"] == f"GET https://{edge.host}:443/api/v1/x?forwarded=1 HTTP/1.1"
    assert (found["domain"], found["protocol"]) == (edge.host, "TLSv1.3")
    (certificate,) = {one["certificateArn"] for one in edge.stack.where(LISTENER, protocol="HTTPS")}
    assert found["certificate"] == certificate
    assert (found["actions"], found["error"]) == ("waf,authenticate,forward", "-")
    assert found["trace"] == edge.target.requests[-1].value("x-amzn-trace-id")
    assert int(found["sent"]) > len(response.body)
    assert all(0 <= float(found[name]) < 5 for name in ("request_time", "target_time", "response_time"))
    assert datetime.fromisoformat(found["created"]) <= datetime.fromisoformat(found["time"])


def test_a_request_that_no_target_gets_in_the_access_log(edge: World) -> None:
    """Durations are -1, there is no target; a redirect has its URL."""
    edge.browser().get(edge.url("/a?b", "http"), follow=False)
    found = _fields(edge.line("/a?b HTTP"))
    assert (found["type"], found["target"], found["group"], found["target_status"]) == ("http", "-", "-", "-")
    assert {found[name] for name in ("request_time", "target_time", "response_time")} == {"-1"}
    assert (found["elb_status"], found["actions"], found["redirect"]) == ("301", "waf,redirect", edge.url("/a?b"))


def test_a_quote_does_not_end_a_field() -> None:
    """A client chooses its agent and its path."""
    line = AccessLogEntry("https", 0, "192.0.2.1:1", user_agent='a" "b\n').line("app/x/1", 0)
    assert _fields(line)["user_agent"] == "a\\x22 \\x22b\\x0a"


def test_connections_with_their_tls(edge: World) -> None:
    """A client that does not trust the certificate is logged and counted."""
    browser = edge.browser()
    browser.get(edge.url("/health"))
    (line,) = [one for one in edge.edge.around.journal.lines["connection"] if "TLSv1.3" in one]
    assert re.fullmatch(r"\S+Z 127\.0\.0\.1 \d+ 443 TLSv1\.3 TLS_\w+ \d+\.\d+ - - - - TID_\w+", line)
    browser.trusted = ""
    with pytest.raises(ssl.SSLCertVerificationError):
        browser.get(edge.url("/health"))
    assert " 443 - - - - - - Failed:" in edge.line("Failed", "connection")
    assert edge.balancer_sum("ClientTLSNegotiationErrorCount") == 1


def test_logs_are_delivered_to_the_declared_bucket(edge: World) -> None:
    """One compressed file for each kind, under the declared prefix; a line is delivered once."""
    balancer = edge.stack.one(BALANCER)
    written: dict[str, bytes] = {}
    edge.browser().get(edge.url("/health?delivered"))
    edge.line("delivered")
    edge.target.health = 503
    edge.edge.check(edge.registered[0])

    def put(bucket: str, key: str, content: bytes) -> None:
        assert bucket == balancer["accessLogs"]["bucket"]
        written[key] = content

    edge.edge.deliver_logs(put)
    start = f"AWSLogs/{edge.stack.account}/elasticloadbalancing/{edge.stack.region}/"
    prefixes = {str(balancer[kind]["prefix"]) for kind in ("accessLogs", "connectionLogs", "healthCheckLogs")}
    assert {key.partition("/AWSLogs")[0] for key in written} == prefixes
    (access,) = [key for key in written if key.startswith(f"{balancer['accessLogs']['prefix']}/{start}")]
    assert "delivered" in gzip.decompress(written[access]).decode()
    names = {key.rpartition("/")[2].partition(edge.stack.account)[0] for key in written}
    assert names == {"", "conn_log_", "health_check_log_"}
    (checks,) = [key for key in written if "health_check_log_" in key]
    line = gzip.decompress(written[checks]).decode().splitlines()[-1].split()
    group = edge.stack.one(GROUP)
    assert line[0] == str(group["healthCheck"]["protocol"]).lower()
    where = f"{edge.registered[0].address}:{group['port']}"
    assert line[3:] == [where, group["name"], "FAIL", "503", "ResponseCodeMismatch"]
    written.clear()
    edge.edge.deliver_logs(put)
    assert not written


def test_the_public_key_is_where_aws_publishes_it(edge: World) -> None:
    """By the key id of the token's header, in the region of the stack; another id is refused."""
    node = Node("internet", "203.0.113.6")
    keys = PublicKeys(edge.edge.signer, edge.stack.region, edge.wiring, node, authority=edge.authority)
    edge.names[keys.host] = (node.address,)
    with keys:
        assert edge.browser().get(f"https://{keys.host}/{edge.edge.signer.kid}").text == edge.edge.signer.public_key
        assert edge.browser().get(f"https://{keys.host}/another").status == 403
