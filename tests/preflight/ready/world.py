"""One stack's account, public DNS and identity provider on loopback, and the command that queries them."""

from __future__ import annotations

import copy
import importlib
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from preflight.account.lines import Answer
from preflight.account.session import Account
from preflight.ready.calls import CALLS
from preflight.ready.command import answer
from preflight.ready.context import ReadyContext
from preflight.ready.outside import Dns, Https
from preflight.ready.wanted import Wanted
from tests.preflight.account.loopback import LOOPBACK, Cloud, Names, Site

_BOTO3: Any = importlib.import_module("boto3")


@dataclass
class World:
    """The account, public DNS and the identity provider of one stack."""

    cloud: Cloud
    names: Names
    site: Site
    wanted: Wanted
    quotas: dict[str, float] = field(default_factory=dict[str, float])
    call_models: bool = True
    session: Any = field(
        default_factory=lambda: _BOTO3.Session(aws_access_key_id="testing", aws_secret_access_key="testing")
    )
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict[tuple[str, str], Any])

    def client(self, service: str, region: str = "") -> Any:  # noqa: ANN401
        """A boto3 client that may change the account, unlike ``ready``'s."""
        key = (service, region or self.wanted.region)
        if key not in self._clients:
            self._clients[key] = self.session.client(service, region_name=key[1], endpoint_url=self.cloud.url)
        return self._clients[key]

    def context(self) -> ReadyContext:
        """The command's context."""
        account = Account(self.wanted.region, CALLS, endpoint_url=self.cloud.url, session=self.session)
        dns = Dns((LOOPBACK,), self.names.port)
        return ReadyContext(self.wanted, account, dns, Https(self.site.context, self.site.route), self.call_models)

    def ready(self) -> Answer:
        """The command's answer."""
        return answer(self.context())

    @contextmanager
    def kept(self) -> Generator[None]:
        """Revert changes, other than those in moto, at the end of the block."""
        before = (dict(self.cloud.answers), copy.deepcopy(self.names.records), dict(self.site.pages))
        wanted, quotas, calls = self.wanted, dict(self.quotas), self.call_models
        try:
            yield
        finally:
            self.cloud.answers, self.names.records, self.site.pages = before
            self.wanted, self.quotas, self.call_models = wanted, quotas, calls
            self.names.broken = False
