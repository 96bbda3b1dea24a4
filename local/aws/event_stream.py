"""AWS's event stream, in which Bedrock's own APIs stream their answers: one message is headers and a payload, with checksums.

https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html describes the form; it is the same for all
services.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping

CONTENT_TYPE = "application/vnd.amazon.eventstream"
_STRING = 7
"""The type of a header whose value is text."""
_CHECKSUM_BYTES = 4
_PRELUDE_BYTES = 12


def event(kind: str, content: Mapping[str, object]) -> bytes:
    """An event of a kind such as ``contentBlockDelta``."""
    return _json({":event-type": kind, ":message-type": "event"}, content)


def exception(kind: str, message: str) -> bytes:
    """An error after the answer has begun, such as ``throttlingException``."""
    return _json({":exception-type": kind, ":message-type": "exception"}, {"message": message})


def _json(headers: Mapping[str, str], content: Mapping[str, object]) -> bytes:
    named = {**headers, ":content-type": "application/json"}
    return message(named, json.dumps(content).encode())


def message(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One message."""
    encoded = b"".join(_header(name, value) for name, value in headers.items())
    total = _PRELUDE_BYTES + len(encoded) + len(payload) + _CHECKSUM_BYTES
    prelude = struct.pack(">II", total, len(encoded))
    begun = prelude + _checksum(prelude) + encoded + payload
    return begun + _checksum(begun)


def _header(name: str, value: str) -> bytes:
    text = value.encode()
    return struct.pack(">B", len(name)) + name.encode() + struct.pack(">BH", _STRING, len(text)) + text


def _checksum(data: bytes) -> bytes:
    return struct.pack(">I", zlib.crc32(data))
