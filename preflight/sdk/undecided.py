"""The mode of a run that has not asked for it yet: with known values, or as a first preview.

Up to the first answer of the monitor both modes do the same, which takes a third of a run. ``Undecided`` stands for the mode until
something asks for it; there the process forks, and each of the two goes on with one mode. Code that depends on the mode has to ask for it,
so nothing before can depend on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast


class Later(BaseException):
    """Raised by the monitor: the answer depends on the mode, so everything else that does not is done first."""


class Undecided:
    """False with known values, true in a first preview. The first use as a truth value forks the process."""

    def __init__(self, fork: Callable[[], bool]) -> None:
        """``fork`` returns in both processes: false in this one, true in the other."""
        self._fork = fork
        self._mode: bool | None = None

    def __bool__(self) -> bool:
        """Decide now."""
        if self._mode is None:
            loop = asyncio.get_running_loop() if asyncio._get_running_loop() is not None else None
            self._mode = self._fork()
            if self._mode and loop is not None:  # asyncio takes the loop away from a forked process
                asyncio.set_event_loop(loop)
                asyncio._set_running_loop(loop)
        return self._mode

    @property
    def decided(self) -> bool:
        """Whether the mode has been used."""
        return self._mode is not None


def postpone(mode: object) -> None:
    """Raise ``Later`` if the mode is still undecided and something else can be done first."""
    if isinstance(mode, Undecided) and not mode.decided:
        raise Later


class Postponed:
    """Calls of the monitor that wait until the loop has nothing else to do."""

    def __init__(self, loop: asyncio.AbstractEventLoop, mode: object) -> None:
        self._loop = loop
        self._mode = mode
        self._calls: list[tuple[Callable[[], None], Callable[[BaseException], None]]] = []

    def add(self, call: Callable[[], None], fail: Callable[[BaseException], None]) -> None:
        """Make the call later, in the order in which calls were added; ``fail`` takes the error if that is not possible."""
        self._calls.append((call, fail))
        if len(self._calls) == 1:
            self._loop.call_soon(self._release)

    def _release(self) -> None:
        if cast("Any", self._loop)._ready:
            self._loop.call_soon(self._release)
            return
        calls, self._calls = self._calls, []
        try:
            bool(self._mode)
        except Exception as error:
            for _, fail in calls:
                fail(error)
            return
        for call, _ in calls:
            call()
