"""The connection from a cache's replica to its primary.

ElastiCache replicates over an AWS network that the group's security groups do not filter. So a replica replicates from
a port of its loopback interface, which bypasses the graph's network and leads to the primary's local socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Generator
from pathlib import Path

BUFFER = 65536


@contextlib.contextmanager
def link(listening: socket.socket, primary: Callable[[], Path]) -> Generator[None]:
    """Until the block ends, connect every client of ``listening`` to the socket that ``primary`` returns at that
    moment."""
    loop = asyncio.new_event_loop()
    open_: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = loop.create_task(_joined(reader, writer, primary()))
        open_.add(task)
        task.add_done_callback(open_.discard)

    async def start() -> asyncio.Server:
        return await asyncio.start_server(accept, sock=listening)

    async def stop(server: asyncio.Server) -> None:
        server.close()
        for task in open_:
            task.cancel()
        await asyncio.gather(*open_, return_exceptions=True)

    thread = threading.Thread(target=loop.run_forever, name="cache replication", daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    try:
        yield
    finally:
        asyncio.run_coroutine_threadsafe(stop(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _joined(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, primary: Path) -> None:
    """A primary that is lost ends its replica's connection; the replica tries again by itself."""
    with contextlib.closing(writer), contextlib.suppress(OSError):
        behind, forward = await asyncio.open_unix_connection(str(primary))
        with contextlib.closing(forward):
            await asyncio.gather(_copied(reader, forward), _copied(behind, writer))


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(BUFFER):
            writer.write(data)
            await writer.drain()
    writer.close()
