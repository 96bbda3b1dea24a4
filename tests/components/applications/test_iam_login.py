"""What the application's engines pass to the database driver."""

from __future__ import annotations

from collections.abc import Generator, Mapping

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from components.applications import iam_login

URL = "postgresql+psycopg://interface@database.internal:5432/interface"


@pytest.fixture(scope="module", autouse=True)
def _unregistered() -> Generator[None]:
    """The module registers its handler with every engine of the process."""
    yield
    event.remove(sa.Engine, "do_connect", iam_login.log_in)


class _AskedError(Exception):
    pass


def _parameters(url: str, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, object]:
    """What the driver is called with."""
    asked: dict[str, object] = {}

    def connect(*_: object, **parameters: object) -> None:
        asked.update(parameters)
        raise _AskedError

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    engine = sa.create_engine(url)
    monkeypatch.setattr(engine.dialect, "connect", connect)
    with pytest.raises(_AskedError):
        engine.connect()
    return asked


def test_only_the_instance_that_takes_writes_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the pool keeps a connection to the previous writer after a failover, and each write is refused."""
    assert _parameters(URL, monkeypatch)["target_session_attrs"] == "read-write"
    with_password = _parameters(URL.replace("interface@", "interface:given@"), monkeypatch)
    assert with_password["target_session_attrs"] == "read-write"


def test_an_engine_without_a_password_gets_a_token_for_its_user(monkeypatch: pytest.MonkeyPatch) -> None:
    token = str(_parameters(URL, monkeypatch)["password"])

    assert token.startswith("database.internal:5432/?")
    assert "DBUser=interface" in token
    assert _parameters(URL.replace("interface@", "interface:given@"), monkeypatch)["password"] == "given"
