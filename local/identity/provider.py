"""The OpenID provider: ``oidc-provider-mock`` (on Authlib) with the registered client and the stack's people.

The package implements the protocol: authorization code grant, client authentication, ID tokens, user info. This module
adds the stack file's paths and host names, and one client whose id, secret and callback are checked; it can also make
the provider fail.
"""

from __future__ import annotations

import contextlib
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import flask
import jinja2
from authlib.deprecate import AuthlibDeprecationWarning
from joserfc import jwt
from joserfc.jwk import RSAKey

from local.authority import Authority
from local.identity.people import People
from local.identity.registration import Registration
from local.refusals import Refusals
from local.wiring import Node, Wiring
from local.wsgi import serving

with warnings.catch_warnings():
    # Authlib prints a notice about a rename whenever it is imported, on the terminal in which the twin runs.
    warnings.simplefilter("ignore", AuthlibDeprecationWarning)
    import oidc_provider_mock  # pyright: ignore[reportMissingTypeStubs]
    from oidc_provider_mock import _app as package  # pyright: ignore[reportMissingTypeStubs, reportPrivateUsage]
    from oidc_provider_mock._storage import Client, ClientAllowAny  # pyright: ignore[reportMissingTypeStubs]

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

HTTPS = 443
DISCOVERY = "/.well-known/openid-configuration"
_KEYS = "/jwks"
"""The package's own path."""
_CONFIRM = "/oauth2/end_session/confirm"
_BASE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Log in</title>'
    "<main>{% block content %}{{ content }}{% endblock %}</main></html>"
)
"""Without the style sheet that the package loads from the internet."""


_ISSUER = "twin.issuer"
"""The issuer in a request's WSGI environment."""


class _OpenIDCode(package.OpenIDCode):
    """ID tokens of the declared issuer. The package takes it from the Host header, but an issuer may have a path, and the
    token endpoint another host."""

    def get_jwt_config(self, grant: Any, client: object = None) -> dict[str, Any]:  # noqa: ANN401 - the package's signature
        config: dict[str, Any] = super().get_jwt_config(grant, client)
        return {**config, "iss": flask.request.environ[_ISSUER]}


package.OpenIDCode = _OpenIDCode


class IdentityProvider:
    """Serves while the ``with`` block runs. The fields can be set at any time, from any thread."""

    def __init__(
        self,
        registration: Registration,
        people: People,
        wiring: Wiring,
        node: Node,
        *,
        authority: Authority,
        refusals: Refusals | None = None,
    ) -> None:
        self.registration = registration
        self.people = people
        self.wiring = wiring
        self.node = node
        self.authority = authority
        self.refusals = refusals or Refusals()
        self.down = False
        """Whether every connection is closed immediately."""
        self.slow_seconds = 0.0
        """How long every answer takes."""
        self.failing_status = 0
        """The status of every response, unless it is zero."""
        self.lifetime_seconds = 3600.0
        """How long access tokens are valid; read when the provider starts."""
        self._stack = contextlib.ExitStack()
        self._storage: Any = None

    def __enter__(self) -> Self:
        with tempfile.TemporaryDirectory() as folder:
            context = self.authority.issue(*self.registration.hosts).server_context(Path(folder))
        port = urlsplit(self.registration.issuer).port or HTTPS
        listening = self.wiring.listen(self.node.host, self.node.address, port)
        self._stack.enter_context(serving(self._application(), listening, context, lambda: not self.down))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def names(self) -> dict[str, tuple[str, ...]]:
        """Host name → addresses, for a resolver."""
        return dict.fromkeys(self.registration.hosts, (self.node.address,))

    def machine_token(self, claims: Mapping[str, Any], algorithm: str = "RS256") -> str:
        """Return a token for a machine client, signed with the key that ``keys`` publishes."""
        key = RSAKey.import_key(self._storage.jwk.as_dict(is_private=True))
        return jwt.encode({"alg": algorithm}, dict(claims), key, algorithms=[algorithm])

    def _application(self) -> WSGIApplication:
        users = [oidc_provider_mock.User(sub=one.subject, claims=dict(one.claims)) for one in self.people]
        app = oidc_provider_mock.app(
            require_client_registration=True,
            access_token_max_age=timedelta(seconds=self.lifetime_seconds),
            user_claims=users,
        )
        # The package wraps its application in a debugger, which would show tokens.
        app.debug = False
        inner: Any = app.wsgi_app
        app.wsgi_app = inner.app
        loaders = [jinja2.DictLoader({"_base.html": _BASE}), app.jinja_loader]
        app.jinja_loader = jinja2.ChoiceLoader([one for one in loaders if one is not None])  # pyright: ignore[reportAttributeAccessIssue]
        app.before_request(self._register)
        app.before_request(self._refuse_the_unassigned)
        app.test_client().get(_KEYS)  # so that the storage is there before the first request
        return self._wrapped(app.wsgi_app)

    def _register(self) -> None:
        """Put the declared client into the package's storage, which exists within a request only."""
        one = self.registration
        self._storage = storage = flask.g.oidc_provider_mock_storage
        known: Any = storage.get_client(one.client)
        if known is None or known.secret != one.secret:
            storage.store_client(
                Client(
                    id=one.client,
                    secret=one.secret,
                    redirect_uris=list(one.callbacks),
                    allowed_scopes=Client.SCOPES_SUPPORTED,
                    token_endpoint_auth_method=ClientAllowAny(),
                )
            )

    def _refuse_the_unassigned(self) -> tuple[str, int] | None:
        """A provider that requires assignment shows another page to everyone else, who does not come back with a code."""
        subject = flask.request.form.get("sub") if flask.request.method == "POST" else None
        if any(one.subject == subject and not one.assigned for one in self.people):
            self.refusals.add(
                "identity provider", f"{subject} is not assigned to the client {self.registration.client}"
            )
            return "You are not assigned to this application.", 403
        return None

    def _wrapped(self, app: WSGIApplication) -> WSGIApplication:
        one = self.registration
        discovery = urlsplit(one.issuer).path.rstrip("/") + DISCOVERY
        paths = {
            urlsplit(one.authorization).path: "/oauth2/authorize",
            urlsplit(one.token).path: "/oauth2/token",
            urlsplit(one.user_info).path: "/userinfo",
            urlsplit(one.keys).path: _KEYS,
            _CONFIRM: _CONFIRM,
        }
        if one.end_session:
            paths[urlsplit(one.end_session).path] = "/oauth2/end_session"

        def wrapped(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
            if self.slow_seconds:
                time.sleep(self.slow_seconds)
            if self.failing_status:
                return _plain(start, self.failing_status, b"made to fail\n")
            path = str(environ["PATH_INFO"])
            environ[_ISSUER] = one.issuer
            if path == discovery:
                return self._discovery(start)
            if path not in paths:
                self.refusals.add(
                    "identity provider", f"{environ['REQUEST_METHOD']} {path}: the stack file declares no such path"
                )
                return _plain(start, 404, b"not found\n")
            environ["PATH_INFO"] = paths[path]
            return app(environ, self._noting(environ, start))

        return wrapped

    def _noting(self, environ: WSGIEnvironment, start: StartResponse) -> StartResponse:
        """Record what the provider refuses a client."""
        shown = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"

        def noted(status: str, headers: list[tuple[str, str]], *more: Any) -> Callable[[bytes], object]:  # noqa: ANN401
            if status[0] in "45":
                self.refusals.add("identity provider", f"{shown}: {status} (client, secret, callback, code or token)")
            return start(status, headers, *more)

        return noted  # pyright: ignore[reportReturnType]

    def _discovery(self, start: StartResponse) -> Iterable[bytes]:
        one = self.registration
        content = {
            "issuer": one.issuer,
            "authorization_endpoint": one.authorization,
            "token_endpoint": one.token,
            "userinfo_endpoint": one.user_info,
            "end_session_endpoint": one.end_session,
            "jwks_uri": one.keys,
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }
        return _plain(start, 200, flask.json.dumps(content).encode(), "application/json")


def _plain(start: StartResponse, status: int, body: bytes, kind: str = "text/plain") -> Iterable[bytes]:
    start(f"{status} x", [("content-type", kind), ("content-length", str(len(body)))])
    return [body]
