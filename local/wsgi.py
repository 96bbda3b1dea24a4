"""A WSGI application over TLS on a socket of the wiring, in threads of this process."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

STOP_SECONDS = 5.0
HANDSHAKE_SECONDS = 10.0


class _Handler(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: what is asked of the twin's servers has tokens in it."""

    def log_error(self, format: str, *args: Any) -> None:  # noqa: ANN401 - the signature of the base class
        """Nothing: a client that goes away is what tests do."""


class _Server(ThreadedWSGIServer):
    daemon_threads = True

    def __init__(
        self, app: WSGIApplication, listening: socket.socket, context: ssl.SSLContext, accepts: Callable[[], bool]
    ) -> None:
        super().__init__("127.0.0.1", 0, app, _Handler, fd=listening.fileno())
        self.ssl_context = context
        self._context = context
        self._accepts = accepts

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ANN401
        return self._accepts()

    def finish_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """The handshake belongs to the request's own thread: a client that stalls must not hold up the others."""
        request.settimeout(HANDSHAKE_SECONDS)
        with contextlib.suppress(OSError), self._context.wrap_socket(request, server_side=True) as secured:
            super().finish_request(secured, client_address)  # pyright: ignore[reportArgumentType]

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """Nothing: see ``_Handler.log_error``."""


@contextlib.contextmanager
def serving(
    app: WSGIApplication,
    listening: socket.socket,
    context: ssl.SSLContext,
    accepts: Callable[[], bool] = lambda: True,
) -> Generator[None]:
    """Serve until the block ends. While ``accepts`` is false, connections are closed immediately."""
    server = _Server(app, listening, context, accepts)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join(STOP_SECONDS)
        server.server_close()
        listening.close()
