"""A private OpenAI-compatible server, for an upstream of kind ``private``, with a certificate of the declared authority
for the declared name."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from local.authority import Certificate
from local.aws.chat import Behaviours, NotAQuestionError, Question, tell
from local.aws.http import Exchange, Listener, Servers
from local.refusals import Refusals
from local.wiring import Node, Wiring

PATH = "/v1/chat/completions"
_OK = 200


@dataclass
class PrivateModel:
    """Run the server until the block ends."""

    wiring: Wiring
    node: Node
    port: int
    host_name: str
    """The declared host name; requests for any other are refused."""
    certificate: Certificate
    models: Collection[str]
    """The models that it serves."""
    refusals: Refusals = field(default_factory=Refusals)
    behaviours: Behaviours = field(default_factory=Behaviours)
    _stack: contextlib.ExitStack = field(init=False, default_factory=contextlib.ExitStack)

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as made:
            folder = made.enter_context(tempfile.TemporaryDirectory())
            listening = self.wiring.listen(self.node.host, self.node.address, self.port)
            context = self.certificate.server_context(Path(folder))
            made.enter_context(Servers([Listener(self.host_name, listening, self._serve, context)], self.refusals))
            self._stack = made.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    async def _serve(self, exchange: Exchange) -> bool:
        request = exchange.request
        host = (request.value("host") or "").partition(":")[0]
        if host != self.host_name:
            return self._refuse(exchange, 421, f"the request is for host {host}, not for {self.host_name}")
        if (request.method, request.target) != ("POST", PATH):
            return self._refuse(
                exchange, 404, f"{request.method} {request.target}: the server supports POST {PATH} only"
            )
        try:
            question = Question.read(request.body)
        except NotAQuestionError as error:
            return self._refuse(exchange, 400, str(error))
        if question.model not in self.models:
            return self._refuse(
                exchange, 404, f"no model {question.model}: available are {', '.join(sorted(self.models))}"
            )
        behaviour = self.behaviours.next(question.model)
        if behaviour.status != _OK:
            exchange.answer_json(behaviour.status, {"error": {"message": f"model {question.model} is set to fail"}})
            return True
        return (await tell(exchange, question, behaviour)).complete

    def _refuse(self, exchange: Exchange, status: int, cause: str) -> bool:
        self.refusals.add(self.host_name, cause)
        exchange.answer_json(status, {"error": {"message": cause}})
        return True
