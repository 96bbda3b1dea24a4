"""One request on a client's connection: limits, web ACL, rule and actions, then a response of the load balancer or a
target."""

from __future__ import annotations

import asyncio
import contextlib
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from local.edge.answers import Answer
from local.edge.authentication import Ended
from local.edge.balancer_settings import BalancerSettings, too_many_forwarded
from local.edge.claims import Signer
from local.edge.firewall import INSPECTED, EdgeFirewall
from local.edge.journal import AccessLogEntry
from local.edge.messages import Body, Head, Idle, Malformed
from local.edge.received import ReceivedRequest, received
from local.edge.surroundings import BalancerNode, EdgeSurroundings
from local.edge.targets import Groups
from policies.guardrails.topology.graph.resources import Resource as Declared
from policies.guardrails.topology.http.load_balancer_limits import refused_by_balancer
from policies.guardrails.topology.http.requests import Trail
from policies.guardrails.topology.trace.listener_rules import CALLBACK, redirect_location

if TYPE_CHECKING:
    from local.edge.listener import EdgeListener
    from local.edge.listener import Entry as Rule
    from local.edge.tokens import Tokens

MOST_REDIRECT_BYTES = 8 * 1024
_LOGGED = {"authenticate-oidc": "authenticate"}
"""The access log's name of an action, if it is not its type."""
LINGER_SECONDS = 2.0
"""How long a response of the load balancer itself waits for a client that is still sending its body."""


@dataclass(frozen=True)
class Edge:
    """The parts that every request of a load balancer needs."""

    around: EdgeSurroundings
    declared: Declared
    """The load balancer in the topology's form."""
    settings: BalancerSettings
    firewall: EdgeFirewall | None
    groups: Groups
    signer: Signer
    tokens: Tokens


@dataclass
class ClientConnection:
    """A client's connection to one listener on one node."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    address: tuple[str, int]
    listener: EdgeListener
    place: BalancerNode
    trace: str
    """The connection's id in the logs."""
    cipher: str = "-"
    protocol: str = "-"
    domain: str = "-"


@dataclass
class Forwarded:
    """A request that is forwarded to a target group."""

    group: str
    headers: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """The headers that authenticating actions add for the target."""
    cookies: tuple[str, ...] = ()
    """The headers that authenticating actions add to the client's response."""


class RequestExchange:
    """One request. ``entry`` becomes the line in the access log."""

    def __init__(self, edge: Edge, client: ClientConnection, head: Head, idle: Idle) -> None:
        self.edge = edge
        self.client = client
        self.head = head
        self.idle = idle
        self.body = Body(client.reader)
        self.keep = True
        self.started = False
        """Whether a response is on its way."""
        self.entry = entry(edge, client, head)

    @property
    def zone(self) -> str:
        """The node's Availability Zone."""
        return self.client.place.zone

    async def decide(self) -> Answer | Forwarded:
        """Handle the request."""
        client, edge = self.client, self.edge
        self.body = Body.of_request(self.head, client.reader, self.idle)
        length = self.head.value("content-length")
        request = self._request(b"", int(length) if length else None)
        if (answer := self._refused(request)) is not None:
            return answer
        if self.head.has("expect", "100-continue"):
            # The load balancer responds itself, regardless of the length (ELB user guide, HTTP headers).
            await self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if edge.firewall is not None:
            start = await self.body.start(INSPECTED)
            request = self._request(start, int(length) if length else None)
            if (blocked := edge.firewall.evaluate(request)) is not None:
                self.entry.actions.append("waf")
                return Answer(blocked.status, blocked.body, blocked.headers)
            self.entry.actions.append("waf")
        rule = client.listener.choose(request)
        self.entry.priority = str(rule.priority)
        return await self._run(rule, request)

    def _request(self, start: bytes, length: int | None) -> ReceivedRequest:
        listener = self.client.listener
        client = self.client.address[0]
        return received(self.head, listener.scheme, listener.port, client, body=start, length=length)

    def _refused(self, request: ReceivedRequest) -> Answer | None:
        """The load balancer's own limits."""
        trail = Trail(request)
        outcome = refused_by_balancer(trail, self.edge.declared)
        if outcome is not None:
            if outcome.rule == "desync mitigation":
                self.signal("DesyncMitigationMode_NonCompliant_Request_Count")
                self.entry.classification = "Ambiguous"
            self.keep = False
            self.edge.around.refuse(f"{trail.steps[-1]}: {outcome.status}")
            return Answer(outcome.status or 400)
        if too_many_forwarded(self.head):
            return Answer(463)
        return None

    async def _run(self, rule: Rule, request: ReceivedRequest) -> Answer | Forwarded:
        forwarded = Forwarded("")
        for index, action in enumerate(rule.actions):
            ended = await self._act(rule, index, action, request, forwarded)
            if ended is not None:
                return ended
        self.edge.around.refuse(f"listener rule {rule.name} actions: no action ends the request")
        return Answer(500)

    async def _act(
        self, rule: Rule, index: int, action: dict[str, Any], request: ReceivedRequest, forwarded: Forwarded
    ) -> Answer | Forwarded | None:
        """Run one action. Returns the response or the target that ends the request; ``None`` if the next action
        follows."""
        kind = str(action.get("type"))
        self.entry.actions.append(_LOGGED.get(kind, kind))
        if kind == "fixed-response":
            return self._fixed(action["fixedResponse"])
        if kind == "redirect":
            return self._redirect(action["redirect"], request)
        if kind == "forward":
            forwarded.group = self._group(action)
            return forwarded
        if kind == "authenticate-oidc":
            return await self._authenticate(rule, index, request, forwarded)
        if kind == "jwt-validation":
            accepted = await self.edge.tokens.accepts(rule, action["jwtValidation"], request, self.client.place)
            return None if accepted else Answer(401)
        self.edge.around.refuse(f"listener rule {rule.name} actions: the twin does not support {kind}")
        return Answer(500)

    async def _authenticate(
        self, rule: Rule, index: int, request: ReceivedRequest, forwarded: Forwarded
    ) -> Answer | None:
        login, listener, around = rule.logins[index], self.client.listener, self.edge.around
        if request.path == CALLBACK:
            return self._ended(await login.callback(request, listener.scheme, self.client.place))
        session, cookies = await login.session(request, self.client.place)
        if session is not None:
            forwarded.headers += self.edge.signer.headers(session, around.clock())
            forwarded.cookies += cookies
            return None
        ended = login.unauthenticated(request, listener.scheme)
        return None if ended is None else self._ended(ended)

    def _ended(self, ended: Ended) -> Answer:
        self.entry.error = ended.error or "-"
        found = [("Location", ended.location)] if ended.location else []
        found += [("Set-Cookie", value) for value in ended.cookies]
        return Answer(ended.status, headers=tuple(found))

    def _fixed(self, options: dict[str, Any]) -> Answer:
        self.signal("HTTP_Fixed_Response_Count")
        kind = (("Content-Type", str(options["contentType"])),)
        return Answer(int(options["statusCode"]), str(options.get("messageBody") or "").encode(), kind, has_page=False)

    def _redirect(self, options: dict[str, Any], request: ReceivedRequest) -> Answer:
        location = redirect_location(request, options)
        if len(location) > MOST_REDIRECT_BYTES:
            self.signal("HTTP_Redirect_Url_Limit_Exceeded_Count")
            return Answer(500)
        self.entry.redirect = location
        self.signal("HTTP_Redirect_Count")
        return Answer(int(str(options["statusCode"]).removeprefix("HTTP_")), headers=(("Location", location),))

    def _group(self, action: dict[str, Any]) -> str:
        """The target group of a forward action, by weight where there are several."""
        if action.get("targetGroupArn"):
            return str(action["targetGroupArn"])
        groups: list[dict[str, Any]] = action["forward"]["targetGroups"]
        weights = [float(one.get("weight", 1)) for one in groups]
        return str(random.choices(groups, weights)[0]["arn"])  # noqa: S311 - which target group, not a secret

    def signal(self, name: str, value: float = 1) -> None:
        """Emit a metric of the load balancer."""
        self.edge.around.signals.of_balancer(name, self.zone, value)

    async def send(self, data: bytes) -> None:
        """Send bytes to the client at the rate at which it receives them."""
        self.entry.sent += len(data)
        self.client.writer.write(data)
        await self.idle.within(self.client.writer.drain())

    async def respond(self, answer: Answer) -> bool:
        """Send a response of the load balancer. Returns whether the connection stays open."""
        listener = self.client.listener
        self.entry.status = answer.status
        self.count(answer.status)
        # What the client has not sent yet would be read as its next request.
        self.keep = self.keep and self.head.persistent and (self.body.complete or self.body.empty)
        data = answer.written(self.head.method, listener.headers, server=listener.shows_server, keep=self.keep)
        self.started = True
        with contextlib.suppress(OSError, TimeoutError):
            await self.send(data)
            if not self.keep:
                await self._linger()
        return self.keep

    async def _linger(self) -> None:
        """Read what the client still sends: a reset would overtake the response."""
        if self.client.writer.can_write_eof():
            self.client.writer.write_eof()
        elif self.body.complete or self.body.empty:
            return
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(LINGER_SECONDS):
                while await self.client.reader.read(1 << 16):
                    pass

    def count(self, status: int) -> None:
        """Emit the metrics of a status that the load balancer set."""
        if status >= 300:  # noqa: PLR2004
            self.signal(f"HTTPCode_ELB_{status // 100}XX_Count")
        if status in (500, 502, 503, 504):
            self.signal(f"HTTPCode_ELB_{status}_Count")

    async def problem(self, error: Malformed) -> bool:
        """Respond to a request that cannot be forwarded."""
        self.keep = False
        self.edge.around.refuse(f"listener {self.client.listener.resource.name}: {error.reason}: {error.status}")
        return await self.respond(Answer(error.status))


def entry(edge: Edge, client: ClientConnection, head: Head) -> AccessLogEntry:
    """Return the access log entry of a request with the fields that are known once its head has arrived."""
    listener = client.listener
    url = f"{listener.scheme}://{head.value('host').partition(':')[0]}:{listener.port}{head.target}"
    return AccessLogEntry(
        listener.scheme,
        edge.around.clock(),
        f"{client.address[0]}:{client.address[1]}",
        received=head.size,
        request=f"{head.method} {url} {head.version}",
        user_agent=head.value("user-agent") or "-",
        cipher=client.cipher,
        protocol=client.protocol,
        trace=head.value("x-amzn-trace-id") or "-",
        domain=client.domain,
        certificate=listener.certificate,
        connection=client.trace,
    )
