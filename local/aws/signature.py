"""Signature Version 4: verifies that a request is signed by its session for this service, region and host.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html and, for S3,
https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, unquote

from local.aws.sessions import Credentials, Issuer, now
from local.server import Received

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED = "UNSIGNED-PAYLOAD"
UNSIGNED_CHUNKS = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
SKEW = {"s3": timedelta(minutes=15)}
"""The maximum difference between a request's date and AWS's clock
(https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html)."""
OTHER_SKEW = timedelta(minutes=5)
_HEX_DIGITS = 64
_SCOPE_PARTS = 5


class SignatureError(Exception):
    """A request whose signature AWS refuses; ``code`` is AWS's error code."""

    def __init__(self, code: str, cause: str) -> None:
        super().__init__(cause)
        self.code = code


@dataclass(frozen=True)
class Signed:
    """The parts of a request's signature."""

    credential: str
    headers: tuple[str, ...]
    signature: str
    date: str
    token: str
    expires: timedelta | None
    """How long a presigned request is valid; ``None`` for a request signed in its headers."""

    @property
    def key_id(self) -> str:
        """The access key id of the session that signed it."""
        return self.credential.split("/")[0]

    @property
    def scope(self) -> str:
        """Date, region, service and ``aws4_request``."""
        return self.credential.partition("/")[2]


@dataclass(frozen=True)
class Verifier:
    """Verifies the requests to one service in one region."""

    issuer: Issuer
    service: str
    region: str
    hosts: Callable[[str], bool]
    """Whether a ``Host`` header belongs to the service."""
    clock: Callable[[], datetime] = now
    also: tuple[str, ...] = ()
    """Other service names that the service accepts in a signature."""

    def verify(self, request: Received) -> Credentials:
        """Return the session that signed the request. Raises ``SignatureError`` with the first mismatch."""
        signed = read(request)
        session = self._session(signed)
        self._scope(signed)
        self._date(signed)
        if not self.hosts(host := request.value("host") or ""):
            raise SignatureError(
                "InvalidSignatureException", f"the request is for host {host}, which is not {self.service}'s"
            )
        self._headers(request, signed)
        payload = self._payload(request, signed)
        if not _equal(_sign(request, signed, payload, session, self.service), signed.signature):
            raise SignatureError("SignatureDoesNotMatch", self._difference(request, signed, payload, session))
        return session

    def _session(self, signed: Signed) -> Credentials:
        session = self.issuer.find(signed.key_id)
        if session is None:
            raise SignatureError(
                "UnrecognizedClientException", f"access key {signed.key_id} belongs to no session of this twin"
            )
        if not _equal(signed.token, session.token):
            what = "is missing" if not signed.token else "is not the one"
            raise SignatureError("UnrecognizedClientException", f"the session token of {session.principal} {what}")
        if self.clock() >= session.expires:
            raise SignatureError(
                "ExpiredTokenException", f"the session of {session.principal} expired at {session.expires}"
            )
        return session

    def _scope(self, signed: Signed) -> None:
        parts = signed.credential.split("/")
        if len(parts) != _SCOPE_PARTS:
            raise SignatureError("IncompleteSignature", f"the credential scope {signed.scope} does not have four parts")
        service = parts[3] if parts[3] in self.also else self.service
        wanted = (signed.date[:8], self.region, service, "aws4_request")
        for name, found, one in zip(("date", "region", "service", "end"), parts[1:], wanted, strict=True):
            if found != one:
                raise SignatureError(
                    "InvalidSignatureException", f"the request is signed for the {name} {found} instead of {one}"
                )

    def _date(self, signed: Signed) -> None:
        try:
            at = datetime.strptime(signed.date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        except ValueError:
            raise SignatureError("IncompleteSignature", f"X-Amz-Date {signed.date!r} is not a valid date") from None
        age, skew = self.clock() - at, SKEW.get(self.service, OTHER_SKEW)
        limit = skew if signed.expires is None else signed.expires
        if age > limit:
            raise SignatureError("SignatureExpired", f"signed at {signed.date}, {age} ago: valid for {limit}")
        if age < -skew:
            raise SignatureError("RequestTimeTooSkewed", f"signed at {signed.date}, which is {-age} from now")

    def _headers(self, request: Received, signed: Signed) -> None:
        wanted = {"host"}
        if self.service == "s3":
            wanted |= {name for name, _ in request.headers if name.startswith("x-amz-")}
        if missing := sorted(wanted - set(signed.headers)):
            raise SignatureError("AccessDenied", f"these headers are not signed: {', '.join(missing)}")

    def _payload(self, request: Received, signed: Signed) -> str:
        """The hash of the body that was signed, checked against the body."""
        real = hashlib.sha256(request.body).hexdigest()
        if signed.expires is not None:
            return UNSIGNED if self.service == "s3" else real
        given = request.value("x-amz-content-sha256")
        if given is None:
            if self.service == "s3":
                raise SignatureError("InvalidRequest", "S3 requires the header x-amz-content-sha256")
            return real
        if len(given) == _HEX_DIGITS:
            if given != real:
                raise SignatureError(
                    "XAmzContentSHA256Mismatch", f"the body's hash is {real}, but the header contains {given}"
                )
        elif self.service != "s3" or given not in {UNSIGNED, UNSIGNED_CHUNKS}:
            raise SignatureError(
                "InvalidRequest", f"x-amz-content-sha256 {given} is not supported by the twin for {self.service}"
            )
        return given

    def _difference(self, request: Received, signed: Signed, payload: str, session: Credentials) -> str:
        """Return a description of the other request that the signature matches, as the cause of the refusal."""
        for what, other, hashed in _variants(request, payload):
            if _equal(_sign(other, signed, hashed, session, self.service), signed.signature):
                return f"the signature of {session.principal} is for a request with {what}"
        path = request.target.partition("?")[0]
        return (
            f"the signature of {session.principal} does not match {request.method} {path}: the secret key or the signed "
            "content differs"
        )


def read(request: Received) -> Signed:
    """Return the signature in a request's headers or, if presigned, in its query."""
    query = dict(_pairs(request.target.partition("?")[2]))
    if query.get("X-Amz-Algorithm") == ALGORITHM:
        try:
            return Signed(
                query["X-Amz-Credential"],
                tuple(query["X-Amz-SignedHeaders"].lower().split(";")),
                query["X-Amz-Signature"],
                query["X-Amz-Date"],
                query.get("X-Amz-Security-Token", ""),
                timedelta(seconds=int(query["X-Amz-Expires"])),
            )
        except (KeyError, ValueError) as error:
            raise SignatureError("AuthorizationQueryParametersError", f"the query lacks {error}") from None
    header = request.value("authorization")
    if header is None:
        raise SignatureError("MissingAuthenticationTokenException", "the request is not signed")
    algorithm, _, rest = header.partition(" ")
    fields = {name: value for name, _, value in (part.strip().partition("=") for part in rest.split(","))}
    if algorithm != ALGORITHM or not {"Credential", "SignedHeaders", "Signature"} <= set(fields):
        raise SignatureError("IncompleteSignature", f"the Authorization header is not {ALGORITHM}'s: {algorithm}")
    return Signed(
        fields["Credential"],
        tuple(fields["SignedHeaders"].lower().split(";")),
        fields["Signature"],
        request.value("x-amz-date") or "",
        request.value("x-amz-security-token") or "",
        None,
    )


def _variants(request: Received, payload: str) -> Iterator[tuple[str, Received, str]]:
    host = request.value("host") or ""
    name = host.partition(":")[0]
    for other in (name, f"{name}:443"):
        if other != host:
            yield f"the host {other}, not {host}", _with_host(request, other), payload
    empty = hashlib.sha256(b"").hexdigest()
    for what, hashed in (("an empty body", empty), ("an unsigned body", UNSIGNED)):
        if hashed != payload:
            yield what, request, hashed
    for method in ("GET", "POST", "PUT"):
        if method != request.method:
            yield f"the method {method}, not {request.method}", replace(request, method=method), payload


def _with_host(request: Received, host: str) -> Received:
    return replace(request, headers=tuple((name, host if name == "host" else value) for name, value in request.headers))


def _sign(request: Received, signed: Signed, payload: str, session: Credentials, service: str) -> str:
    path, _, query = request.target.partition("?")
    canonical = "\n".join(
        (
            request.method,
            _path(path, service),
            _query(query),
            *(f"{name}:{','.join(_trimmed(request.values(name)))}" for name in signed.headers),
            "",
            ";".join(signed.headers),
            payload,
        )
    )
    text = f"{ALGORITHM}\n{signed.date}\n{signed.scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{session.secret_key}".encode()
    for part in (*signed.scope.split("/"), text):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key.hex()


def _trimmed(values: Sequence[str]) -> list[str]:
    return [" ".join(value.split()) for value in values]


def _path(path: str, service: str) -> str:
    """S3 signs the path once encoded, the other services what was sent encoded again, without empty segments."""
    if service == "s3":
        return quote(unquote(path), safe="/-_.~")
    kept: list[str] = []
    for part in path.split("/"):
        if part == "..":
            kept = kept[:-1]
        elif part not in {"", "."}:
            kept.append(quote(part, safe="-_.~"))
    end = "/" if kept and path.endswith("/") else ""
    return "/" + "/".join(kept) + end


def _query(query: str) -> str:
    pairs = [(name, value) for name, value in _pairs(query) if name != "X-Amz-Signature"]
    encoded = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in pairs)
    return "&".join(f"{name}={value}" for name, value in encoded)


def _pairs(query: str) -> Iterator[tuple[str, str]]:
    for part in query.split("&") if query else ():
        name, _, value = part.partition("=")
        yield unquote(name), unquote(value)


def _equal(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
