"""``authenticate-oidc``: the load balancer's authorization code flow, and its response to requests without a
session."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import parse_qsl, quote, urlencode

from local.edge.outgoing import Call, Reply, Unreachable, fetch
from local.edge.received import ReceivedRequest
from local.edge.sessions import SESSION_BYTES, Session, Vault, cookies, from_content, joined, to_content
from local.edge.surroundings import BalancerNode, EdgeSurroundings

NONCE_COOKIE = "AWSALBAuthNonce"
LOGIN_SECONDS = 15 * 60
"""How long a login may take; a later callback gets a 401 (ELB user guide, client login timeout)."""
DEFAULT_SESSION_SECONDS = 604_800
DEFAULT_COOKIE = "AWSELBAuthSessionCookie"
_UNAUTHORIZED, _FAILED, _PROVIDER_ERROR = 401, 500, 561


@dataclass(frozen=True)
class Ended:
    """A response of the load balancer during a login."""

    status: int
    location: str = ""
    cookies: tuple[str, ...] = ()
    error: str = ""
    """The access log's reason code."""


class Rejected(Exception):  # noqa: N818 - a login, not an error of this program
    """A failed login: the status, the access log's reason code and the metric."""

    def __init__(self, status: int, code: str, cause: str, metric: str = "ELBAuthError") -> None:
        super().__init__(cause)
        self.status = status
        self.code = code
        self.cause = cause
        self.metric = metric


@dataclass
class Login:
    """One ``authenticateOidc`` configuration."""

    rule: str
    config: Mapping[str, Any]
    around: EdgeSurroundings
    vault: Vault

    @property
    def cookie(self) -> str:
        """The name of the session cookie without its number."""
        return str(self.config.get("sessionCookieName") or DEFAULT_COOKIE)

    @property
    def seconds(self) -> float:
        """How long a session is valid."""
        return float(self.config.get("sessionTimeout") or DEFAULT_SESSION_SECONDS)

    async def session(self, request: ReceivedRequest, place: BalancerNode) -> tuple[Session | None, tuple[str, ...]]:
        """Return the session from the cookies, and the cookies to set if its claims were refreshed."""
        content = self.vault.open(joined(self.cookie, request.cookies))
        found = from_content(content) if content is not None else None
        now = self.around.clock()
        if found is None or (found.issuer, found.client) != (self.config["issuer"], self.config["clientId"]):
            return None, ()
        if now >= found.started + self.seconds:
            return None, ()
        if now < found.access_expires or not found.refresh_token:
            return found, ()
        form = {"grant_type": "refresh_token", "refresh_token": found.refresh_token}
        try:
            renewed = await self._session(place, await self._tokens(place, form), found.started, found.refresh_token)
        except (Rejected, Unreachable):
            return None, ()
        self.around.signals.of_balancer("ELBAuthRefreshTokenSuccess", place.zone)
        return renewed, self._cookies(renewed)

    def unauthenticated(self, request: ReceivedRequest, scheme: str) -> Ended | None:
        """Return the response to a request without a session; ``None`` if the request is allowed without one."""
        wanted = self.config.get("onUnauthenticatedRequest") or "authenticate"
        if wanted == "allow":
            return None
        if wanted == "deny":
            self.around.refuse(
                f"no session in the cookie {self.cookie}-0 (sessionCookieName, onUnauthenticatedRequest deny)"
            )
            return Ended(_UNAUTHORIZED)
        if not request.raw_host:
            return Ended(_FAILED, error="AuthMissingHostHeader")
        nonce = secrets.token_urlsafe(24)
        query = f"?{request.query}" if request.query else ""
        original = f"{scheme}://{request.raw_host}{request.path}{query}"
        state = {"n": nonce, "u": original, "c": self.config["clientId"], "t": self.around.clock()}
        extra: dict[str, str] = self.config.get("authenticationRequestExtraParams") or {}
        parameters: dict[str, str] = {
            "client_id": self.config["clientId"],
            "redirect_uri": self._callback(request, scheme),
            "response_type": "code",
            "scope": self.config.get("scope") or "openid",
            "state": self.vault.seal(state),
            **extra,
        }
        location = f"{self.config['authorizationEndpoint']}?{urlencode(parameters, quote_via=quote)}"
        return Ended(302, location, (f"{NONCE_COOKIE}={nonce}; Path=/; Secure; HttpOnly",))

    async def callback(self, request: ReceivedRequest, scheme: str, place: BalancerNode) -> Ended:
        """Complete a login after the provider has redirected the user back."""
        started = self.around.clock()
        try:
            state = self._state(request)
            form = {
                "grant_type": "authorization_code",
                "code": self._code(request),
                "redirect_uri": self._callback(request, scheme),
            }
            tokens = await self._tokens(place, form)
            session = await self._session(place, tokens, self.around.clock(), "")
        except Rejected as error:
            self._failed(place, error.metric, f"{error.cause} ({error.code}: {error.status})")
            return Ended(error.status, error=error.code)
        except Unreachable as error:
            code = "AuthTokenEpRequestTimeout" if error.timed_out else "AuthTokenEpRequestFailed"
            self._failed(place, "ELBAuthError", f"{error} ({code}: {_FAILED})")
            return Ended(_FAILED, error=code)
        finally:
            self.around.signals.of_balancer("ELBAuthLatency", place.zone, (self.around.clock() - started) * 1000)
        self.around.signals.of_balancer("ELBAuthSuccess", place.zone)
        gone = f"{NONCE_COOKIE}=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; Secure; HttpOnly"
        return Ended(302, str(state["u"]), (*self._cookies(session), gone))

    def _failed(self, place: BalancerNode, metric: str, cause: str) -> None:
        self.around.signals.of_balancer(metric, place.zone)
        self.around.refuse(f"listener rule {self.rule} authenticateOidc: {cause}")

    def _cookies(self, session: Session) -> tuple[str, ...]:
        sealed = self.vault.seal(to_content(session))
        return tuple(cookies(self.cookie, sealed, session.started + self.seconds))

    @staticmethod
    def _callback(request: ReceivedRequest, scheme: str) -> str:
        return f"{scheme}://{request.raw_host}/oauth2/idpresponse"

    def _state(self, request: ReceivedRequest) -> Mapping[str, Any]:
        query = dict(parse_qsl(request.query))
        if error := query.get("error"):
            denied = error == "access_denied"
            status, metric = (_UNAUTHORIZED, "ELBAuthFailure") if denied else (_PROVIDER_ERROR, "ELBAuthError")
            raise Rejected(status, "AuthInvalidGrantError", f"the provider returned {error} for the login", metric)
        if "state" not in query:
            raise Rejected(_UNAUTHORIZED, "AuthMissingStateParam", "the callback has no state")
        state = self.vault.open(query["state"])
        nonce = dict(request.cookies).get(NONCE_COOKIE, "")
        if state is None or state.get("c") != self.config["clientId"]:
            raise Rejected(
                _UNAUTHORIZED, "AuthInvalidStateParam", "the callback's state was not issued by this load balancer"
            )
        if not nonce or not secrets.compare_digest(nonce.encode(), str(state["n"]).encode()):
            cause = f"{NONCE_COOKIE} does not match the callback's state"
            raise Rejected(_UNAUTHORIZED, "AuthInvalidCookie", cause)
        if self.around.clock() > float(state["t"]) + LOGIN_SECONDS:
            raise Rejected(_UNAUTHORIZED, "AuthInvalidStateParam", f"the login took more than {LOGIN_SECONDS} s")
        return state

    @staticmethod
    def _code(request: ReceivedRequest) -> str:
        code = dict(parse_qsl(request.query)).get("code")
        if not code:
            raise Rejected(_UNAUTHORIZED, "AuthMissingCodeParam", "the callback has no code")
        return code

    async def _tokens(self, place: BalancerNode, form: Mapping[str, str]) -> dict[str, Any]:
        endpoint = str(self.config["tokenEndpoint"])
        credentials = f"{quote(self.config['clientId'], safe='')}:{quote(self.config['clientSecret'], safe='')}"
        headers = (
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Authorization", f"Basic {base64.b64encode(credentials.encode()).decode()}"),
        )
        reply = await fetch(self.around, place, Call("POST", endpoint, headers, urlencode(form).encode()))
        found = _content(reply)
        if reply.status >= 400:  # noqa: PLR2004
            error = (found or {}).get("error", reply.status)
            metric = "ELBAuthFailure" if error == "invalid_grant" else "ELBAuthError"
            raise Rejected(
                _PROVIDER_ERROR, "AuthInvalidGrantError", f"tokenEndpoint {endpoint} answered {error}", metric
            )
        if not found or not found.get("access_token"):
            raise Rejected(_FAILED, "AuthInvalidTokenResponse", f"tokenEndpoint {endpoint} returned no access token")
        if "openid" in str(self.config.get("scope") or "openid").split() and form["grant_type"] == "authorization_code":
            self._check(str(found.get("id_token") or ""))
        return found

    def _check(self, id_token: str) -> None:
        """Raise unless the ID token, which came over verified TLS, is from this issuer and for this client."""
        try:
            payload = json.loads(base64.urlsafe_b64decode(id_token.split(".")[1] + "=="))
        except (IndexError, ValueError) as error:
            cause = "the provider returned no ID token for this scope"
            raise Rejected(_FAILED, "AuthInvalidIdToken", cause) from error
        audience = payload.get("aud")
        audiences = cast("list[Any]", audience) if isinstance(audience, list) else [audience]
        if payload.get("iss") != self.config["issuer"]:
            cause = f"issuer {self.config['issuer']}: the ID token's issuer is {payload.get('iss')}"
            raise Rejected(_FAILED, "AuthInvalidIdToken", cause)
        if self.config["clientId"] not in audiences or float(payload.get("exp", 0)) < self.around.clock():
            raise Rejected(_FAILED, "AuthInvalidIdToken", "the ID token is for another client, or has expired")

    async def _session(self, place: BalancerNode, tokens: dict[str, Any], started: float, refresh: str) -> Session:
        endpoint = str(self.config["userInfoEndpoint"])
        access = str(tokens["access_token"])
        try:
            reply = await fetch(self.around, place, Call("GET", endpoint, (("Authorization", f"Bearer {access}"),)))
        except Unreachable as error:
            code = "AuthUserinfoEpRequestTimeout" if error.timed_out else "AuthUserinfoEpRequestFailed"
            raise Rejected(_FAILED, code, str(error)) from error
        claims = _content(reply)
        if reply.status >= 400:  # noqa: PLR2004
            cause = f"userInfoEndpoint {endpoint} answered {reply.status}"
            raise Rejected(_PROVIDER_ERROR, "AuthUserinfoEpRequestFailed", cause)
        if not claims or "sub" not in claims:
            cause = f"userInfoEndpoint {endpoint} returned no claims with a subject"
            raise Rejected(_FAILED, "AuthInvalidUserinfoResponse", cause)
        now = self.around.clock()
        session = Session(
            issuer=str(self.config["issuer"]),
            client=str(self.config["clientId"]),
            claims=claims,
            access_token=access,
            refresh_token=str(tokens.get("refresh_token") or refresh),
            access_expires=now + float(tokens.get("expires_in") or 3600),
            started=started,
        )
        if session.size > SESSION_BYTES:
            self.around.signals.of_balancer("ELBAuthUserClaimsSizeExceeded", place.zone)
            cause = f"claims and access token have {session.size} bytes, more than {SESSION_BYTES}"
            raise Rejected(_FAILED, "AuthUserinfoResponseSizeExceeded", cause)
        return session


def _content(reply: Reply) -> dict[str, Any] | None:
    try:
        found = json.loads(reply.body)
    except ValueError:
        return None
    return cast("dict[str, Any]", found) if isinstance(found, dict) else None
