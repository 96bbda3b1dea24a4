"""A private server of another team: the models of an upstream of kind ``private``, a search or tools, with a certificate of the declared authority
for the declared name."""

from __future__ import annotations

import contextlib
import hmac
import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from local import private_tools
from local.authority import Certificate
from local.aws import embeddings
from local.aws.chat import Behaviours, NotAQuestionError, Question, tell
from local.aws.http import Exchange, Listener, Servers
from local.refusals import Refusals
from local.wiring import Node, Wiring

CHAT, EMBEDDINGS = "/chat/completions", "/embeddings"
_OK = 200


@dataclass
class PrivateModel:
    """Run the server until the block ends."""

    wiring: Wiring
    nodes: Sequence[Node]
    """Its network interfaces."""
    port: int
    host_name: str
    """The declared host name; requests for any other are refused."""
    certificate: Certificate
    models: Collection[str]
    """The models that it serves."""
    refusals: Refusals = field(default_factory=Refusals)
    behaviours: Behaviours = field(default_factory=Behaviours)
    prefix: str = "/v1"
    """The path before the operation."""
    key: Callable[[], str] | None = None
    """The API key that a request must have; ``None`` for a server without one."""
    tools: Mapping[str, str] = field(default_factory=dict[str, str])
    """Path → the kind of search or tool server that answers there."""
    _stack: contextlib.ExitStack = field(init=False, default_factory=contextlib.ExitStack)

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as made:
            folder = made.enter_context(tempfile.TemporaryDirectory())
            context = self.certificate.server_context(Path(folder))
            listeners = [
                Listener(self.host_name, self.wiring.listen(one.host, one.address, self.port), self._serve, context)
                for one in self.nodes
            ]
            made.enter_context(Servers(listeners, self.refusals))
            self._stack = made.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    async def _serve(self, exchange: Exchange) -> bool:
        try:
            self._admit(exchange)
            kind = self.tools.get(exchange.request.target.partition("?")[0])
            if kind is not None:
                private_tools.serve(exchange, kind)
                return True
            question = self._question(exchange)
        except _RefusedError as refused:
            self.refusals.add(self.host_name, str(refused))
            exchange.answer_json(refused.status, {"error": {"message": str(refused)}})
            return True
        behaviour = self.behaviours.next(question.model)
        if behaviour.status != _OK:
            exchange.answer_json(behaviour.status, {"error": {"message": f"model {question.model} is set to fail"}})
            return True
        if exchange.request.target.endswith(EMBEDDINGS):
            exchange.answer_json(_OK, _vectors(question))
            return True
        return (await tell(exchange, question, behaviour)).complete

    def _admit(self, exchange: Exchange) -> None:
        request = exchange.request
        host = (request.value("host") or "").partition(":")[0]
        if host != self.host_name:
            raise _RefusedError(421, f"the request is for host {host}, not for {self.host_name}")
        given = (request.value("authorization") or "").removeprefix("Bearer ")
        if self.key is not None and not hmac.compare_digest(given.encode(), self.key().encode()):
            raise _RefusedError(401, "the request has another API key than the server's, or none")

    def _question(self, exchange: Exchange) -> Question:
        request = exchange.request
        operations = {self.prefix + CHAT: Question.read, self.prefix + EMBEDDINGS: embeddings.question}
        if request.method != "POST" or request.target not in operations:
            supported = " and ".join(operations)
            raise _RefusedError(404, f"{request.method} {request.target}: the server supports POST {supported} only")
        try:
            question = operations[request.target](request.body)
        except NotAQuestionError as error:
            raise _RefusedError(400, str(error)) from None
        if question.model not in self.models:
            raise _RefusedError(404, f"no model {question.model}: available are {', '.join(sorted(self.models))}")
        return question


class _RefusedError(Exception):
    """A request that the server does not answer."""

    def __init__(self, status: int, cause: str) -> None:
        super().__init__(cause)
        self.status = status


def _vectors(question: Question) -> dict[str, object]:
    """The answer to a request for embeddings (https://platform.openai.com/docs/api-reference/embeddings)."""
    texts = [text for _, text in question.messages]
    data = [{"object": "embedding", "index": at, "embedding": embeddings.vector(text)} for at, text in enumerate(texts)]
    usage = {"prompt_tokens": question.tokens, "total_tokens": question.tokens}
    return {"object": "list", "model": question.model, "data": data, "usage": usage}
