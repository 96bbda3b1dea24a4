"""The TLS versions that the live host accepts, and its certificate."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
import socket
import ssl
import warnings
from collections.abc import Iterator
from dataclasses import replace

from preflight.account.lines import Group, Line
from preflight.verify.client import SECONDS, Live
from preflight.verify.stack import LISTENER, StackInCheckout

GROUP = Group("TLS")
LEAST_DAYS = 14
"""ACM renews its certificates weeks before they end
(https://docs.aws.amazon.com/acm/latest/userguide/managed-renewal.html): if less time is left, renewal has been failing for weeks."""
VERSIONS = {
    "TLS 1.0": (ssl.TLSVersion.TLSv1, ssl.HAS_TLSv1),
    "TLS 1.1": (ssl.TLSVersion.TLSv1_1, ssl.HAS_TLSv1_1),
    "TLS 1.2": (ssl.TLSVersion.TLSv1_2, ssl.HAS_TLSv1_2),
    "TLS 1.3": (ssl.TLSVersion.TLSv1_3, ssl.HAS_TLSv1_3),
}
_POLICY = re.compile(r"ELBSecurityPolicy-TLS13-1-([0-3])(?:-|$)")
"""Policies of the TLS13 family accept TLS 1.3 and every version down to the one in their name
(https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html)."""
FIX = "compare the listener's security policy with edge.tlsPolicy of the stack file, then run pulumi up"


def lines(stack: StackInCheckout, live: Live) -> Iterator[Line]:
    """One line for each version, then two for each public name's certificate."""
    policy = next((str(i["sslPolicy"]) for i in stack.inputs(LISTENER) if i.get("sslPolicy")), "")
    least = _POLICY.search(policy)
    for number, (name, (version, supported)) in enumerate(VERSIONS.items()):
        if least is None:
            yield GROUP.cannot_tell(
                name, f"the TLS versions of {policy or 'no policy'} are not known to this command", FIX
            )
        elif not supported:
            fix = "run the command with a Python whose OpenSSL supports it"
            yield GROUP.cannot_tell(name, "this Python's OpenSSL does not support it", fix)
        else:
            wanted = number >= int(least[1])
            spoken = _speaks(live, version)
            said = (
                f"{'accepted' if spoken else 'refused'}, and {policy} {'includes' if wanted else 'does not include'} it"
            )
            yield GROUP.holds(name, spoken == wanted, said, FIX)
    for host in stack.hosts:
        place = live.place(443)
        yield from _certificate(replace(live, server_name=host, places={443: place}))


def trusted(live: Live) -> bool:
    """Whether a session may be sent there: the certificate is valid for the name."""
    try:
        _handshake(live, live.context).close()
    except OSError:
        return False
    return True


def _handshake(live: Live, context: ssl.SSLContext) -> ssl.SSLSocket:
    plain = socket.create_connection(live.place(443), SECONDS)
    try:
        return context.wrap_socket(plain, server_hostname=live.server_name)
    except BaseException:
        plain.close()
        raise


def _speaks(live: Live, version: ssl.TLSVersion) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with warnings.catch_warnings():  # offering an old version is the purpose
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    context.set_ciphers("ALL:@SECLEVEL=0")
    try:
        _handshake(live, context).close()
    except OSError:
        return False
    return True


def _certificate(live: Live) -> Iterator[Line]:
    subject = f"certificate of {live.server_name}"
    fix = "compare the listener's certificate with domain in the stack file, and check that ACM has issued it"
    try:
        with contextlib.closing(_handshake(live, live.context)) as connection:
            shown = connection.getpeercert() or {}
    except ssl.SSLCertVerificationError as error:
        yield GROUP.missing(subject, f"not valid: {error.verify_message}", fix)
        return
    except OSError as error:
        yield GROUP.missing(subject, f"no handshake ({type(error).__name__})", fix)
        return
    yield GROUP.ok(subject, "is issued by a trusted authority for this name")
    ends = dt.datetime.fromtimestamp(ssl.cert_time_to_seconds(str(shown.get("notAfter"))), dt.UTC)
    left = (ends - dt.datetime.now(dt.UTC)).days
    yield GROUP.holds(
        f"expiry of the {subject}",
        left >= LEAST_DAYS,
        f"ends on {ends:%Y-%m-%d}, " + ("later than" if left >= LEAST_DAYS else "within") + f" {LEAST_DAYS} days",
        "check in ACM why it was not renewed, or import a new one",
    )
