"""The resolver of a VPC: a DNS server at the VPC's base address plus two and at 169.254.169.253, over UDP and TCP.

DNS Firewall is applied first; then the names of the stack are resolved. All other names do not exist: the resolver
forwards no query to the internet.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import itertools
import json
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self, cast

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from local.aws.access import Access
from local.aws.http import TURNS
from local.aws.iam import Principal, Request
from local.aws.logs import LOG_GROUP, Logs
from local.aws.sessions import now
from local.names import VPC, Firewall, Found, Names, Rule, plain
from local.refusals import Refusals
from local.stack import Stack
from local.wiring import Node, Wiring

PORT = 53
LINK_LOCAL = "169.254.169.253"
PART = "dns"
UDP_BYTES = 512
QUERY_LOG = "aws:route53/resolverQueryLogConfig:ResolverQueryLogConfig"
LOGGED = "aws:route53/resolverQueryLogConfigAssociation:ResolverQueryLogConfigAssociation"
DELIVERY = "delivery.logs.amazonaws.com"
_STOP_SECONDS = 10
_LENGTH_BYTES = 2


def resolver_address(stack: Stack) -> str:
    """Return the VPC's base address plus two
    (https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html)."""
    return str(ipaddress.ip_network(stack.one(VPC)["cidrBlock"])[2])


@dataclass
class Resolver:
    """Answers DNS queries from the VPC; ``serve`` opens its sockets."""

    access: Access
    names: Names
    logs: Logs
    """The log group of the query log."""
    refusals: Refusals = field(default_factory=Refusals)
    clock: Callable[[], datetime] = now
    _rotation: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.firewall = Firewall.of(self.access.stack)

    def resolve(self, name: str, source: str = "") -> str:
        """Resolve a name as a client in the VPC does. Raises ``LookupError`` with the reason if it has no address."""
        query = dns.message.make_query(name, "A")
        answer = self.answer(query, source, "UDP")
        for rrset in answer.answer:
            if rrset.rdtype == dns.rdatatype.A:
                return str(cast("list[object]", rrset)[0])
        raise LookupError(self._why(plain(name)) or f"{name} has no address")

    def answer(self, query: dns.message.Message, source: str, transport: str) -> dns.message.Message:
        """Return the response to one query from a private address."""
        answer = dns.message.make_response(query, recursion_available=True)
        if len(query.question) != 1:
            answer.set_rcode(dns.rcode.FORMERR)
            return answer
        question = query.question[0]
        name, kind = plain(question.name.to_text()), dns.rdatatype.to_text(question.rdtype)
        found = self.names.find(name)
        rule = self.firewall.deciding(name, kind)
        blocked = self.firewall.blocking(found.chain if found else (name,), kind)
        if blocked is not None:
            self._block(answer, name, blocked)
        elif found is None:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        else:
            self._fill(answer, found, kind)
        if blocked is not None or found is None:
            self.refusals.add(PART, f"{source or 'a client'} queried {name} {kind}: {self._why(name)}")
        self._log(answer, source, transport, blocked or rule)
        return answer

    def hosts(self) -> str:
        """Return ``/etc/hosts`` for a machine that cannot query this resolver, with every name that it resolves."""
        lines: list[str] = []
        for name in dict.fromkeys(self._concrete()):
            found = self.names.find(name)
            if found and found.addresses and self.firewall.blocking(found.chain) is None:
                lines += [f"{address}\t{name}" for address in found.addresses[:1]]
        return "\n".join([*sorted(lines), ""])

    def _concrete(self) -> Iterator[str]:
        """Every name, with those below a ``*.`` that the graph itself uses."""
        stack = self.access.stack
        below = [f"{one['bucket']}.s3.{stack.region}.amazonaws.com" for one in stack.all("aws:s3/bucket:Bucket")]
        below.append(f"{stack.account}.dkr.ecr.{stack.region}.amazonaws.com")
        for name in self.names.all():
            if name.startswith("*."):
                yield from (one for one in below if one.endswith(name[1:]))
            else:
                yield plain(name)

    def _why(self, name: str) -> str:
        found = self.names.find(name)
        rule = self.firewall.blocking(found.chain if found else (name,))
        if rule is not None:
            listed = next(one for one in self.access.stack.resources if one.id == rule.list)
            return f"{name}: blocked by DNS Firewall rule {rule.resource.name} ({listed.name}, {rule.response})"
        if found is None and name in self.names.discovery.names():
            return f"{name}: Cloud Map has no healthy task under this name"
        if found is None:
            return f"{name}: no endpoint, store or record of {self.access.stack.name} has this name"
        return ""

    def _block(self, answer: dns.message.Message, name: str, rule: Rule) -> None:
        if rule.response == "NXDOMAIN":
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif rule.response == "OVERRIDE":
            target, ttl = rule.override
            answer.answer.append(dns.rrset.from_text(f"{name}.", ttl, "IN", "CNAME", f"{target}."))

    def _fill(self, answer: dns.message.Message, found: Found, kind: str) -> None:
        for one, other in itertools.pairwise(found.chain):
            answer.answer.append(dns.rrset.from_text(f"{one}.", found.ttl, "IN", "CNAME", f"{other}."))
        last = f"{found.chain[-1]}."
        if kind == "A" and found.addresses:
            turn = next(self._rotation) % len(found.addresses)
            addresses = found.addresses[turn:] + found.addresses[:turn]
            answer.answer.append(dns.rrset.from_text(last, found.ttl, "IN", "A", *addresses))
        elif kind == found.kind and found.texts:
            answer.answer.append(dns.rrset.from_text(last, found.ttl, "IN", kind, *found.texts))

    def _log(self, answer: dns.message.Message, source: str, transport: str, rule: Rule | None) -> None:
        """https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-query-logs-format.html."""
        stack = self.access.stack
        vpc = stack.one(VPC).id
        for association in stack.where(LOGGED, resourceId=vpc):
            (config,) = [one for one in stack.all(QUERY_LOG) if one.id == association["resolverQueryLogConfigId"]]
            group = str(config["destinationArn"]).partition(":log-group:")[2].removesuffix(":*")
            question = answer.question[0]
            record: dict[str, Any] = {
                "version": "1.100000",
                "account_id": stack.account,
                "region": stack.region,
                "vpc_id": vpc,
                "query_timestamp": self.clock().strftime("%Y-%m-%dT%H:%M:%SZ"),
                "query_name": question.name.to_text(),
                "query_type": dns.rdatatype.to_text(question.rdtype),
                "query_class": dns.rdataclass.to_text(question.rdclass),
                "rcode": dns.rcode.to_text(answer.rcode()),
                "answers": [
                    {"Rdata": str(one), "Type": dns.rdatatype.to_text(rrset.rdtype), "Class": "IN"}
                    for rrset in answer.answer
                    for one in cast("list[object]", rrset)
                ],
                "srcaddr": source,
                "transport": transport,
            }
            if rule is not None:
                record |= {
                    "firewall_rule_action": rule.action,
                    "firewall_rule_group_id": rule.group,
                    "firewall_domain_list_id": rule.list,
                }
            self._deliver(config.name, group, vpc, json.dumps(record))

    def _deliver(self, config: str, group: str, vpc: str, record: str) -> None:
        stack = self.access.stack
        arn = f"arn:aws:logs:{stack.region}:{stack.account}:log-group:{group}:log-stream:{vpc}"
        context = {
            "aws:sourceaccount": (stack.account,),
            "aws:sourcearn": (f"arn:aws:logs:{stack.region}:{stack.account}:*",),
        }
        answer = self.access.decide(Request("logs:PutLogEvents", arn, Principal(service=DELIVERY), context))
        if not any(one["name"] == group for one in stack.all(LOG_GROUP)):
            self.refusals.add(PART, f"query log {config}: {stack.name} has no log group {group}")
        elif not answer:
            self.refusals.add(PART, f"query log {config}: {answer.cause}")
        else:
            self.logs.create(group, vpc)
            self.logs.put(group, vpc, [record])

    def serve(self, wiring: Wiring, nodes: Sequence[Node]) -> Served:
        """Run the servers at these addresses until the block ends."""
        return Served(self, wiring, nodes)


@dataclass
class Served:
    """Open the sockets of a resolver."""

    resolver: Resolver
    wiring: Wiring
    nodes: Sequence[Node]
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        sockets = [
            (
                self.wiring.listen(node.host, node.address, PORT, socket.SOCK_DGRAM),
                self.wiring.listen(node.host, node.address, PORT, socket.SOCK_STREAM),
            )
            for node in self.nodes
        ]
        self._stopping = asyncio.Event()
        self._thread = threading.Thread(target=self._run, args=(sockets,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)

    def _run(self, sockets: list[tuple[socket.socket, socket.socket]]) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve(sockets))
        self._loop.close()

    async def _serve(self, sockets: list[tuple[socket.socket, socket.socket]]) -> None:
        transports: list[asyncio.BaseTransport] = []
        servers: list[asyncio.Server] = []
        for udp, tcp in sockets:
            transport, _ = await self._loop.create_datagram_endpoint(lambda: _Datagrams(self.resolver), sock=udp)
            transports.append(transport)
            servers.append(await asyncio.start_server(self._stream, sock=tcp))
        await self._stopping.wait()
        for one in transports:
            one.close()
        for one in servers:
            one.close()
        tasks = [one for one in asyncio.all_tasks() if one is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for _ in range(TURNS):
            await asyncio.sleep(0)

    async def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        source = str(writer.get_extra_info("peername")[0])
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, dns.exception.DNSException):
                while True:
                    length = int.from_bytes(await reader.readexactly(_LENGTH_BYTES), "big")
                    query = dns.message.from_wire(await reader.readexactly(length))
                    wire = self.resolver.answer(query, source, "TCP").to_wire()
                    writer.write(len(wire).to_bytes(_LENGTH_BYTES, "big") + wire)
                    await writer.drain()
        finally:
            writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        with contextlib.suppress(dns.exception.DNSException):
            query = dns.message.from_wire(data)
            answer = self._resolver.answer(query, addr[0], "UDP")
            limit = max(query.payload, UDP_BYTES)
            try:
                wire = answer.to_wire(max_size=limit)
            except dns.exception.TooBig:
                short = dns.message.make_response(query)
                short.flags |= dns.flags.TC
                wire = short.to_wire()
            self._transport.sendto(wire, addr)
