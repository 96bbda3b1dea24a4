"""Someone who is signed in at the edge, as the proxy of a recorded stack sees them."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from websockets.sync.client import ClientConnection, connect

from components.proxy import ProxyIdentity, ProxyPeople
from local.claims import HEADER, token
from local.stack import ROOT, Stack
from local.wiring import Node, Wiring
from preflight.pulumi.project import Project


def unverified() -> ssl.SSLContext:
    """The load balancer does not verify a target's certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


@dataclass
class Person:
    """One person, whose requests come from a node."""

    stack: Stack
    wiring: Wiring
    node: Node
    name: str
    administrator: bool = False
    allowed: bool = True
    cookies: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def origin(self) -> str:
        """The public address of the application."""
        return f"https://{self.stack.one('aws:acm/certificate:Certificate')['domainName']}"

    def headers(self) -> dict[str, str]:
        """What the load balancer sends with each request after a login."""
        identity = json.loads(Project.load(ROOT).stack(self.stack.name).config["ai-interface:identity"])
        listeners = self.stack.all("aws:lb/listenerRule:ListenerRule")
        actions = [one for rule in listeners for one in rule["actions"] if one["type"] == "authenticate-oidc"]
        oidc: Mapping[str, Any] = actions[0]["authenticateOidc"]
        kinds = ["allowed", *(["administrators"] if self.administrator else [])] if self.allowed else []
        claims: dict[str, Any] = {
            "email": f"{self.name}@example.com",
            "email_verified": True,
            "name": self.name,
            "sub": self.name,
        }
        for kind in kinds:
            claim = identity[kind]["claim"]
            claims.setdefault(claim["name"], []).extend(claim["values"])
        signer = str(self.stack.one("aws:lb/loadBalancer:LoadBalancer")["arn"])
        identified = ProxyIdentity(
            signer_arn=signer,
            client_id=oidc["clientId"],
            issuer=oidc["issuer"],
            allowed=ProxyPeople(),
            administrators=ProxyPeople(),
            contact="",
        )
        data = token(identified, claims)
        sent = {HEADER: data, "host": self.origin.removeprefix("https://"), "x-forwarded-for": "192.0.2.1"}
        cookie = "; ".join(f"{key}={value}" for key, value in self.cookies.items())
        return {**sent, "x-forwarded-proto": "https", **({"cookie": cookie} if cookie else {})}

    def connection(self, task: Node, port: int) -> ssl.SSLSocket:
        """TLS to a task, as the load balancer opens it."""
        made = self.wiring.open(self.node.host)
        made.settimeout(20)
        made.connect(self.wiring.target(self.node.host, task.address, port))
        return unverified().wrap_socket(made)

    def ask(self, task: Node, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
        """Status and answer, JSON where it is some."""
        content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        given = {"content-type": "application/json", **headers}
        client = http.client.HTTPConnection("task", timeout=20)
        client.sock = self.connection(task, port_of(self.stack))
        try:
            client.request(method, path, content, {**given, **self.headers()})
            answer = client.getresponse()
            for line in answer.headers.get_all("set-cookie") or []:
                name, _, value = line.partition(";")[0].partition("=")
                self.cookies[name] = value
            text = answer.read()
        finally:
            client.close()
        try:
            return answer.status, json.loads(text)
        except ValueError:
            return answer.status, text.decode(errors="replace")

    def sign_in(self, task: Node) -> dict[str, Any]:
        """As the page does when it is opened."""
        status, answer = self.ask(task, "POST", "/api/v1/auths/signin", {"email": "", "password": ""})
        assert status == 200, answer
        return answer

    @contextmanager
    def listening(self, task: Node) -> Generator[ClientConnection]:
        """A WebSocket of the page, joined to the person's events."""
        url = f"wss://{self.origin.removeprefix('https://')}/ws/socket.io/?EIO=4&transport=websocket"
        plain = self.wiring.open(self.node.host)
        plain.connect(self.wiring.target(self.node.host, task.address, port_of(self.stack)))
        given = {key: value for key, value in self.headers().items() if key != "host"}
        with connect(url, sock=plain, ssl=unverified(), additional_headers=given, origin=self.origin) as found:  # pyright: ignore[reportArgumentType]
            assert str(found.recv(10)).startswith("0{")
            found.send("40" + json.dumps({"token": self.cookies["token"]}))
            assert str(found.recv(10)).startswith("40{")
            yield found


def port_of(stack: Stack) -> int:
    """Where the load balancer reaches a task."""
    return int(stack.one("aws:ecs/service:Service")["loadBalancers"][0]["containerPort"])
