"""Ports on loopback for programs that are about to listen."""

from __future__ import annotations

import contextlib
import socket
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

LOOPBACK = "127.0.0.1"


@contextlib.contextmanager
def held_ports(*wanted: int) -> Generator[list[int]]:
    """Hold ports of loopback until the block ends, 0 for any free one; raise ``OSError`` for one that is taken.

    On Linux nothing else is given a held port, neither a program that asks for any nor an outgoing connection, and a
    program that names it may still listen there, since all that are started here set ``SO_REUSEADDR``. Until one
    does, a connection to it is refused. Other systems do not let two programs have a port: there it is free again
    when the block starts, and may be lost.
    """
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in wanted]
        for one, port in zip(sockets, wanted, strict=True):
            # Without it, a port whose last connection was closed a moment ago counts as taken, too.
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind((LOOPBACK, port))
        ports = [one.getsockname()[1] for one in sockets]
        if sys.platform != "linux":
            stack.close()
        yield ports
