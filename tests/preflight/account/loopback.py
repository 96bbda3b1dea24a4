"""Fake services on loopback for the commands that query an account: AWS (moto, with additional responses in front of it),
public DNS, and one HTTPS site. They use real sockets, boto3 and TLS, and stop what they started."""

from __future__ import annotations

import datetime as dt
import importlib
import io
import json
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from moto.core.serialize import SERIALIZERS
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

LOOPBACK = "127.0.0.1"
CHAT = "chat_completions"
_SERVER: Any = importlib.import_module("moto.moto_server.werkzeug_app")
_MODELS: Any = importlib.import_module("moto.core.model")
_BACKENDS: Any = importlib.import_module("moto.core.base_backend")
_LOADERS: Any = importlib.import_module("botocore.loaders")
_SIGNED = re.compile(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/aws4_request")
_BOTO = {
    "access-analyzer": "accessanalyzer",
    "elasticloadbalancing": "elbv2",
    "monitoring": "cloudwatch",
    "servicequotas": "service-quotas",
    "tagging": "resourcegroupstaggingapi",
}
"""Name in a signature → boto3's name of the service."""


def _empty(account: str) -> None:
    """Forget what moto keeps for the account."""
    for service in list(_BACKENDS.BackendDict._instances):
        if account in service:
            service[account].reset()


class Quiet(WSGIRequestHandler):
    """Logs nothing."""

    def log(self, type: str, message: str, *args: object) -> None:
        """Logs nothing: the caller sees an error for what moto does not implement."""


@dataclass(frozen=True)
class Asked:
    """One received call."""

    service: str
    operation: str
    region: str
    parameters: dict[str, Any]
    path: str


@dataclass(frozen=True)
class Refusal:
    """An error that a service answers with."""

    code: str
    message: str = "refused by the test"
    status: int = 400


Result = dict[str, Any] | Refusal | tuple[int, dict[str, Any]] | None
"""A response in the service's shape, an error, status and JSON of a model's response, or ``None`` to forward to moto."""
Answer = Result | Callable[[Asked], Result]


class Cloud:
    """AWS on loopback: ``answers`` first, then moto, for one account, which is empty at the start.

    moto keeps one state for each account of a process, so a second cloud of the same account would see and delete what the
    first one made: it is refused."""

    running: ClassVar[set[str]] = set()

    def __init__(self, account: str) -> None:
        if account in self.running:
            raise RuntimeError(f"account {account} has a cloud already: stop it first, or narrow its fixture's scope")
        _empty(account)
        self.running.add(account)
        self.account = account
        self.answers: dict[tuple[str, str], Answer] = {}
        """boto3's service and operation (``GetRole``) → the answer."""
        self.asked: list[Asked] = []
        self._moto = _SERVER.DomainDispatcherApplication(_SERVER.create_backend_app)
        self._models: dict[str, Any] = {}
        self._server: BaseWSGIServer = make_server(LOOPBACK, 0, self, threaded=True, request_handler=Quiet)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """For ``endpoint_url``."""
        return f"http://{LOOPBACK}:{self._server.server_port}"

    def backend(self, service: str, region: str) -> Any:  # noqa: ANN401
        """moto's state of a service, for what moto describes and has no call to create."""
        return importlib.import_module(f"moto.{service}.models").__dict__[f"{service}_backends"][self.account][region]

    def stop(self) -> None:
        """Close the server and wait for it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
        self.running.discard(self.account)

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """One request."""
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        environ["HTTP_X_MOTO_ACCOUNT_ID"] = self.account
        asked = self._identified(environ, body)
        if asked is not None:
            self.asked.append(asked)
            answer = self.answers.get((asked.service, asked.operation))
            result = answer(asked) if callable(answer) else answer
            if result is not None:
                return self._said(asked, result, start)
        return self._moto(environ, start)

    def _model(self, service: str) -> Any:  # noqa: ANN401
        if service not in self._models:
            description = _LOADERS.Loader().load_service_model(service, "service-2")
            self._models[service] = _MODELS.ServiceModel(description, service)
        return self._models[service]

    def _identified(self, environ: dict[str, Any], body: bytes) -> Asked | None:
        signed = _SIGNED.search(environ.get("HTTP_AUTHORIZATION", ""))
        if not signed:
            return None
        region, service = signed[1], _BOTO.get(signed[2], signed[2])
        path = environ["PATH_INFO"]
        if path.endswith("/openai/v1/chat/completions"):
            return Asked(
                "bedrock-runtime",
                CHAT,
                region,
                {**json.loads(body), "signed for": service, "headers": _headers(environ)},
                path,
            )
        if path.startswith("/v20180820/"):  # S3 Control, whose requests are signed for S3
            service = "s3control"
        if target := environ.get("HTTP_X_AMZ_TARGET"):
            return Asked(service, target.rpartition(".")[2], region, json.loads(body or b"{}"), path)
        form = {key: values[0] for key, values in parse_qs(body.decode("utf-8", "replace")).items()}
        if "Action" in form:
            return Asked(service, form["Action"], region, form, path)
        content: dict[str, Any] = json.loads(body) if body.startswith(b"{") else {}
        return Asked(service, self._by_path(service, environ), region, content, path)

    def _by_path(self, service: str, environ: dict[str, Any]) -> str:
        """The operation of a REST service: the most specific one with this method and path."""
        keys: set[str] = set(parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True))
        found: list[tuple[int, int, int, str]] = []
        model = self._model(service)
        for name in model.operation_names:
            http = model.operation_model(name).http
            route, _, query = str(http["requestUri"]).partition("?")
            pattern = re.sub(r"\\\{[^}]*?\\\+\\\}", ".+", re.escape(route))
            pattern = re.sub(r"\\\{[^}]*?\\\}", "[^/]+", pattern)
            wanted = set(parse_qs(query, keep_blank_values=True))
            if (
                http["method"] == environ["REQUEST_METHOD"]
                and re.fullmatch(pattern, environ["PATH_INFO"])
                and wanted <= keys
            ):
                found.append((len(wanted), len(route), -len(name), name))
        return max(found)[3] if found else ""

    def _said(self, asked: Asked, result: Result, start: Callable[..., Any]) -> Iterable[bytes]:
        if isinstance(result, tuple):
            status, content = result
            start(f"{status} x", [("Content-Type", "application/json")])
            return [json.dumps(content).encode()]
        model = self._model(asked.service).operation_model(asked.operation)
        metadata = model.service_model.metadata
        # boto3 uses the first protocol of a service that it supports, which is never the binary one
        protocol = next(p for p in metadata.get("protocols", [metadata["protocol"]]) if p in SERIALIZERS)
        if isinstance(result, Refusal):
            return _refused(result, protocol, start)
        said = SERIALIZERS[protocol](model).serialize(result)
        content = said["body"]
        start(f"{said['status_code']} x", list(said["headers"].items()))
        return [content.encode() if isinstance(content, str) else content]


def _headers(environ: dict[str, Any]) -> dict[str, str]:
    """The request's headers that begin with ``x-amzn-``."""
    names = [key for key in environ if key.startswith("HTTP_X_AMZN_")]
    return {name.removeprefix("HTTP_").replace("_", "-").lower(): environ[name] for name in names}


def _refused(refusal: Refusal, protocol: str, start: Callable[..., Any]) -> Iterable[bytes]:
    """An error in the form of the protocol."""
    if "json" in protocol:
        headers = [("Content-Type", "application/json"), ("x-amzn-ErrorType", refusal.code)]
        content = json.dumps({"__type": refusal.code, "message": refusal.message})
    else:
        headers = [("Content-Type", "text/xml")]
        error = f"<Error><Code>{refusal.code}</Code><Message>{refusal.message}</Message></Error>"
        if protocol == "ec2":
            content = f"<Response><Errors>{error}</Errors><RequestID>planted</RequestID></Response>"
        else:
            content = f"<ErrorResponse>{error}<RequestId>planted</RequestId></ErrorResponse>"
    start(f"{refusal.status} x", headers)
    return [content.encode()]


@dataclass
class Names:
    """A DNS server on loopback (UDP). ``records`` has name and type → values; all other names do not exist."""

    records: dict[tuple[str, str], list[str]] = field(default_factory=dict[tuple[str, str], list[str]])
    broken: bool = False
    """Answer nothing but SERVFAIL."""

    def __post_init__(self) -> None:

        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((LOOPBACK, 0))
        self._socket.settimeout(0.1)
        self.port: int = self._socket.getsockname()[1]
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close the socket and wait for the thread."""
        self._ending.set()
        self._thread.join(5)
        self._socket.close()

    def _serve(self) -> None:
        while not self._ending.is_set():
            try:
                packet, sender = self._socket.recvfrom(4096)
            except TimeoutError:
                continue
            self._socket.sendto(self._answer(dns.message.from_wire(packet)).to_wire(), sender)

    def _answer(self, query: dns.message.Message) -> dns.message.Message:
        answer = dns.message.make_response(query)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        values = self.records.get((name, kind), [])
        if self.broken:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif values:
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *values))
        elif not any(known == name for known, _ in self.records):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer


class Site:
    """One HTTPS site on loopback, with a certificate that ``context`` trusts. ``pages`` has path → status and body."""

    def __init__(self, folder: Path, hosts: list[str]) -> None:
        self.pages: dict[str, tuple[int, bytes]] = {}
        authority, certificate, key = _certificates(folder, hosts)
        serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        serving.load_cert_chain(certificate, key)
        self.context = ssl.create_default_context(cafile=str(authority))
        self._server = make_server(LOOPBACK, 0, self, threaded=True, request_handler=Quiet, ssl_context=serving)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def route(self, _host: str, _port: int) -> tuple[str, int]:
        """Every name is this site."""
        return LOOPBACK, self.port

    def stop(self) -> None:
        """Close the server and wait for it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """One request."""
        status, body = self.pages.get(environ["PATH_INFO"], (404, b"not found"))
        start(f"{status} x", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]


def _certificates(folder: Path, hosts: list[str]) -> tuple[Path, Path, Path]:
    """A self-signed certificate: files of the authority, the certificate and the key."""

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "site.pem", folder / "site.key"
    public.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return public, public, private
