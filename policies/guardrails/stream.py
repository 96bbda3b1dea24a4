"""The Analyzer protocol's messages on a socket that the pack inherits, instead of on a port.

``preflight`` asks the same process about every resource of several stacks. gRPC takes three times as long for that as the
policies do. The responses and the class that answers are the same (``tests/preflight/analysis/test_one_process.py`` compares the
findings). Resources arrive as the plain values that the class reads from a request (``PLAIN``): both ends are of one version, and
protobuf's ``Struct`` takes longer to write and to read than most policies to run. The engine always uses gRPC.
"""

from __future__ import annotations

import marshal
import os
import socket
import struct
import traceback
from collections.abc import Mapping
from typing import Any, NoReturn, cast

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import analyzer_pb2

VARIABLE = "AI_INTERFACE_PACK_SOCKET"
"""The environment variable with the number of the socket's file descriptor."""
HEADER = struct.Struct(">BI")
"""Before each message: the method's place in ``REQUESTS``, or the kind of response; and the message's length in bytes."""
REQUESTS: Mapping[str, Any] = {
    "Handshake": analyzer_pb2.AnalyzerHandshakeRequest,
    "GetAnalyzerInfo": empty_pb2.Empty,
    "Configure": analyzer_pb2.ConfigureAnalyzerRequest,
    "ConfigureStack": analyzer_pb2.AnalyzerStackConfigureRequest,
    "Analyze": analyzer_pb2.AnalyzeRequest,
    "AnalyzeStack": analyzer_pb2.AnalyzeStackRequest,
}
"""The methods, each with the type of its request."""
PLAIN = {"Analyze": "analyze", "AnalyzeStack": "analyze_stack"}
"""The methods whose requests are plain values in ``marshal``'s format, each with the method of the class that takes them."""
ANSWER, REFUSED, FAILED = range(3)
"""A response: the method's message, why the request is refused, or the trace of a fault."""


class _RefusedError(Exception):
    """The request is wrong."""


class _Context:
    def abort(self, code: grpc.StatusCode, details: str) -> NoReturn:
        """Refuse the request, as in gRPC."""
        del code
        raise _RefusedError(details)


def serve(analyzer: object) -> None:
    """Answer one request after the other until the other end closes the socket."""
    methods = list(REQUESTS)
    with socket.socket(fileno=int(os.environ[VARIABLE])) as connection, connection.makefile("rb") as incoming:
        while header := incoming.read(HEADER.size):
            place, length = cast("tuple[int, int]", HEADER.unpack(header))
            connection.sendall(_framed(*_answer(analyzer, methods[place], incoming.read(length))))


def _answer(analyzer: object, method: str, content: bytes) -> tuple[int, bytes]:
    try:
        if method in PLAIN:
            values = marshal.loads(content)  # noqa: S302 - from the process that this one is a fork of
            return ANSWER, getattr(analyzer, PLAIN[method])(values).SerializeToString()
        return ANSWER, getattr(analyzer, method)(REQUESTS[method].FromString(content), _Context()).SerializeToString()
    except _RefusedError as error:
        return REFUSED, str(error).encode()
    except Exception:
        return FAILED, traceback.format_exc().encode()


def _framed(kind: int, content: bytes) -> bytes:
    return HEADER.pack(kind, len(content)) + content
