"""Bedrock's own APIs, Converse and InvokeModel: which one a request is for, and the answer at the model's pace."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from local.aws import converse, embeddings, messages
from local.aws.chat import Behaviour, Told
from local.aws.event_stream import CONTENT_TYPE
from local.aws.http import Exchange, chunk
from local.aws.turns import Turn
from local.server import Received

_PATH = re.compile(r"/model/([^/]+)/(converse|converse-stream|invoke|invoke-with-response-stream)")


@dataclass(frozen=True)
class NativeCall:
    """One request, and how its API answers."""

    turn: Turn
    whole: Callable[[Turn], dict[str, object]]
    events: Callable[[Turn], Iterator[bytes]]

    async def tell(self, exchange: Exchange, behaviour: Behaviour, *headers: tuple[str, str]) -> Told:
        """Send the answer, or only its beginning if the behaviour interrupts it."""
        started = time.monotonic()
        if behaviour.hangs_after == 0:
            await asyncio.Event().wait()
        await asyncio.sleep(behaviour.first_word_seconds)
        first = time.monotonic() - started
        complete = await (self._stream if self.turn.question.stream else self._whole)(exchange, behaviour, headers)
        return Told(len(self.turn.told()[0]), first, time.monotonic() - started, complete)

    async def _whole(self, exchange: Exchange, behaviour: Behaviour, headers: tuple[tuple[str, str], ...]) -> bool:
        if behaviour.breaks_after is not None:
            return False
        await asyncio.sleep(behaviour.seconds_a_word * len(self.turn.words()))
        exchange.answer_json(200, self.whole(self.turn), *headers)
        return True

    async def _stream(self, exchange: Exchange, behaviour: Behaviour, headers: tuple[tuple[str, str], ...]) -> bool:
        head = [("content-type", CONTENT_TYPE), ("transfer-encoding", "chunked"), *headers]
        exchange.writer.write(("HTTP/1.1 200 OK\r\n" + "".join(f"{n}: {v}\r\n" for n, v in head) + "\r\n").encode())
        for number, one in enumerate(self.events(self.turn)):
            if behaviour.hangs_after == number:
                await asyncio.Event().wait()
            if behaviour.breaks_after == number:
                return False
            await chunk(exchange.writer, one)
            await asyncio.sleep(behaviour.seconds_a_word)
        await chunk(exchange.writer, b"")
        return True


def native_call(request: Received) -> NativeCall | None:
    """The call that a request is; ``None`` for another operation. Raises ``NotAQuestionError`` for a
    body that the operation does not accept."""
    found = _PATH.fullmatch(request.target.partition("?")[0])
    if found is None:
        return None
    model, operation = unquote(found[1]), found[2]
    invoked = embeddings if embeddings.embeds(model) else messages
    api = converse if operation.startswith("converse") else invoked
    turn = api.read(model, request.body, dict(request.headers), stream=operation.endswith("stream"))
    return NativeCall(turn, api.whole, api.events)
