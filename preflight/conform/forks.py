"""Work that is shared among the processors: a fork of this process for each of them, which inherits what is loaded."""

from __future__ import annotations

import os
import pickle
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from preflight.errors import PreflightError
from preflight.pulumi import children

Item = TypeVar("Item")
Result = TypeVar("Result")


def shared_out(items: Sequence[Item], weights: Sequence[int], processors: int) -> list[list[Item]]:
    """The items in at most so many groups of about the same weight, heaviest first; no group is empty."""
    groups: list[tuple[int, list[Item]]] = [(0, []) for _ in range(max(1, min(processors, len(items))))]
    for weight, item in sorted(zip(weights, items, strict=True), key=lambda pair: -pair[0]):
        lightest = min(range(len(groups)), key=lambda n: groups[n][0])
        groups[lightest] = (groups[lightest][0] + weight, [*groups[lightest][1], item])
    return [group for _, group in groups if group]


def each(work: Callable[[Item], Result], items: Sequence[Item], weights: Sequence[int]) -> list[Result]:
    """The result of ``work`` for each item, in their order, computed on all processors.

    Call before anything opens a gRPC channel: those do not survive a fork. What ``work`` raises is raised here.

    :raises PreflightError: a process ended without a result, for example because memory ran out
    """
    own, *others = shared_out(range(len(items)), weights, processors()) or [[]]
    found: dict[int, Result] = {}
    started = [_start(lambda group=group: {n: work(items[n]) for n in group}) for group in others]
    try:
        found.update({n: work(items[n]) for n in own})
        while started:
            process_id, pipe = started.pop(0)
            try:
                found.update(_received(pipe))
            finally:
                _end(process_id, pipe)
    finally:
        for process_id, pipe in started:
            _end(process_id, pipe)
    return [found[n] for n in range(len(items))]


def processors() -> int:
    """How many processes run at once."""
    return os.cpu_count() or 1


def _start(work: Callable[[], dict[int, Result]]) -> tuple[int, int]:
    """The id of the process that does the work, and the pipe that its result comes from."""
    sys.stdout.flush()
    sys.stderr.flush()
    reader, writer = os.pipe()
    with children.starting() as running:
        if process_id := os.fork():
            running.add(process_id)
    if process_id:
        os.close(writer)
        return process_id, reader
    status = 1
    try:
        os.close(reader)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        with os.fdopen(writer, "wb") as stream:
            stream.write(pickle.dumps(_outcome(work), protocol=pickle.HIGHEST_PROTOCOL))
        status = 0
    finally:
        os._exit(status)


def _outcome(work: Callable[[], dict[int, Result]]) -> dict[int, Result] | BaseException:
    try:
        return work()
    except PreflightError as error:
        return error
    except BaseException as error:
        return _portable(error)


def _portable(error: BaseException) -> BaseException:
    """The exception, or another with its type and message if it cannot be pickled."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - our own exception
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


def _received(pipe: int) -> dict[int, Any]:
    with os.fdopen(pipe, "rb", closefd=False) as stream:
        received = stream.read()
    if not received:
        raise PreflightError(
            "a process that evaluated checks ended without a result; did the machine run out of memory?"
        )
    outcome: dict[int, Any] | BaseException = pickle.loads(received)  # noqa: S301 - from our own child
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome


def _end(process_id: int, pipe: int) -> None:
    """Wait for a process, which is stopped unless its result has been received."""
    os.close(pipe)
    os.kill(process_id, signal.SIGKILL)
    os.waitpid(process_id, 0)
    children.gone(process_id)
