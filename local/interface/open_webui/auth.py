"""Identifies the signed-in user: by the headers that the proxy sets, then by a token in a cookie or in
``authorization``."""

from __future__ import annotations

import contextlib
import time
import uuid
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from sqlalchemy.exc import IntegrityError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response

from . import env
from .database import first, rows
from .tables import USER

_KEY = OctKey.import_key(env.WEBUI_SECRET_KEY)
ROLES = ("admin", "user", "pending")
COOKIE = "token"


@dataclass(frozen=True)
class User:
    """A row of the user table."""

    id: str
    email: str
    name: str
    role: str


def token_of(user: User) -> tuple[str, int | None]:
    """Return a signed token and its expiry in seconds since the epoch."""
    expires = int(time.time() + env.JWT_SECONDS) if env.JWT_SECONDS else None
    claims: dict[str, Any] = {"id": user.id, "jti": uuid.uuid4().hex, **({"exp": expires} if expires else {})}
    return jwt.encode({"alg": "HS256"}, claims, _KEY), expires


def user_of(token: str) -> User | None:
    """Return the user of a valid token; ``None`` for any other."""
    try:
        claims = jwt.decode(token, _KEY, algorithms=["HS256"]).claims
        jwt.JWTClaimsRegistry().validate(claims)
    except (JoseError, ValueError):
        return None
    return _user(sa.select(USER).where(USER.c.id == str(claims.get("id"))))


def _user(statement: sa.Select[Any]) -> User | None:
    row = first(statement)
    return User(row["id"], row["email"], row["name"], row["role"]) if row else None


async def current(connection: HTTPConnection) -> User:
    """Return the user of a request. Raises 403 without a token, 401 with an invalid token or another user's."""
    scheme, _, given = connection.headers.get("authorization", "").partition(" ")
    token = given if scheme.lower() == "bearer" else connection.cookies.get(COOKIE, "")
    if not token:
        raise HTTPException(403, "Not authenticated")
    user = await run_in_threadpool(user_of, token)
    if user is None:
        raise HTTPException(401, "Your session has expired or the token is invalid. Please sign in again.")
    email = connection.headers.get(env.TRUSTED_EMAIL_HEADER, "").lower() if env.TRUSTED_EMAIL_HEADER else ""
    if email and email != user.email:
        raise HTTPException(401, "User mismatch. Please sign in again.")
    return user


async def verified(connection: HTTPConnection) -> User:
    """Return the user of the request. Raises 401 unless the role is ``admin`` or ``user``."""
    user = await current(connection)
    if user.role not in {"admin", "user"}:
        raise HTTPException(401, "You do not have permission to access this resource.")
    return user


async def sign_in(request: Request) -> Response:
    """Create a session for the user in the trusted headers; the page sends an empty address and password."""
    if not env.TRUSTED_EMAIL_HEADER:
        raise HTTPException(400, "The email or password provided is incorrect.")
    email = request.headers.get(env.TRUSTED_EMAIL_HEADER, "").lower()
    if not email:
        raise HTTPException(400, "Your provider has not provided a trusted header. Please contact your administrator.")
    name = request.headers.get(env.TRUSTED_NAME_HEADER, email) if env.TRUSTED_NAME_HEADER else email
    role = request.headers.get(env.TRUSTED_ROLE_HEADER, "").lower() if env.TRUSTED_ROLE_HEADER else ""
    user = await run_in_threadpool(_known, email, name, role)
    token, expires = token_of(user)
    answer = JSONResponse({"token": token, "token_type": "Bearer", "expires_at": expires, **described(user)})
    answer.set_cookie(
        COOKIE,
        token,
        expires=max(0, expires - int(time.time())) if expires else None,
        httponly=True,
        secure=env.COOKIE_SECURE,
        samesite=env.COOKIE_SAME_SITE,  # pyright: ignore[reportArgumentType] - from the environment
    )
    return answer


def _known(email: str, name: str, role: str) -> User:
    """The person's row, made on the first visit. The header's role is stored, and 0.10 answers with the one before it."""
    by_email = sa.select(USER).where(USER.c.email == email)
    found = _user(by_email)
    if found is None:
        anyone = first(sa.select(sa.func.count().label("count")).select_from(USER))
        wanted = "admin" if not anyone or not anyone["count"] else env.DEFAULT_USER_ROLE
        made = {"id": str(uuid.uuid4()), "email": email, "name": name, "role": wanted, "created_at": int(time.time())}
        # The same person may have come to another task at the same time.
        with contextlib.suppress(IntegrityError):
            rows(sa.insert(USER).values(made))
        found = _user(by_email)
        if found is None:
            raise HTTPException(500, "Something went wrong :/")
    if role in ROLES and role != found.role:
        rows(sa.update(USER).where(USER.c.id == found.id).values(role=role))
    return found


def described(user: User) -> dict[str, Any]:
    """Return a user in the API's format."""
    return {"id": user.id, "email": user.email, "name": user.name, "role": user.role, "profile_image_url": "/user.png"}


async def session(request: Request) -> Response:
    """Return the signed-in user."""
    user = await current(request)
    return JSONResponse({**described(user), "token_type": "Bearer"})


async def sign_out(request: Request) -> Response:
    """End the application's session, and return the logout URL of the edge."""
    del request
    redirect = {"redirect_url": env.SIGNOUT_REDIRECT_URL} if env.SIGNOUT_REDIRECT_URL else {}
    answer = JSONResponse({"status": True, **redirect})
    for name in (COOKIE, "oui-session"):
        answer.delete_cookie(name)
    return answer
