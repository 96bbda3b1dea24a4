"""The content of nftables sets, asked of the kernel itself: starting ``nft`` takes a hundred times as long, for every host.

https://www.kernel.org/doc/html/latest/userspace-api/netlink/intro.html, ``linux/netfilter/nf_tables.h``
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterator, Sequence

_NETFILTER = 12  # NETLINK_NETFILTER
_REQUEST_DUMP = 0x1 | 0x300  # NLM_F_REQUEST, NLM_F_DUMP
_ERROR, _DONE = 2, 3  # NLMSG_ERROR, NLMSG_DONE
_GET_ELEMENTS = 10 << 8 | 13  # NFNL_SUBSYS_NFTABLES, NFT_MSG_GETSETELEM
_INET = 1  # NFPROTO_INET
_TABLE, _SET = 1, 2  # NFTA_SET_ELEM_LIST_TABLE, NFTA_SET_ELEM_LIST_SET
_KEYS = (3, 1, 1, 1)  # NFTA_SET_ELEM_LIST_ELEMENTS, NFTA_LIST_ELEM, NFTA_SET_ELEM_KEY, NFTA_DATA_VALUE
_KIND = 0x3FFF  # NLA_TYPE_MASK
_HEADER, _FAMILY, _ATTRIBUTE = struct.Struct("=IHHII"), struct.Struct("=BBH"), struct.Struct("=HH")
_MOST_BYTES = 1 << 16


def asking() -> socket.socket:
    """Open a socket for ``keys`` in this thread's network namespace."""
    return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETFILTER)


def keys(asked: socket.socket, table: str, name: str) -> Iterator[bytes]:
    """The keys of a set of the family ``inet``, as the kernel stores them; none without the table or the set."""
    names = _attribute(_TABLE, table) + _attribute(_SET, name)
    content = _FAMILY.pack(_INET, 0, 0) + names
    asked.send(_HEADER.pack(_HEADER.size + len(content), _GET_ELEMENTS, _REQUEST_DUMP, 0, 0) + content)
    while True:
        for kind, received in _messages(asked.recv(_MOST_BYTES)):
            if kind in {_ERROR, _DONE}:
                (code,) = struct.unpack_from("=i", received)
                if code not in {0, -errno.ENOENT}:
                    raise OSError(-code, f"{os.strerror(-code)}: the set {name} of the table {table}")
                return
            yield from _found(received[_FAMILY.size :], _KEYS)


def _attribute(kind: int, text: str) -> bytes:
    value = text.encode() + b"\0"
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(value), kind) + value + bytes(-len(value) % 4)


def _messages(received: bytes) -> Iterator[tuple[int, bytes]]:
    """The kind and the content of each message."""
    while received:
        length, kind, *_ = _HEADER.unpack_from(received)
        yield kind, received[_HEADER.size : length]
        received = received[length + -length % 4 :]


def _found(content: bytes, path: Sequence[int]) -> Iterator[bytes]:
    """The values of the attributes at a path of nested ones."""
    if not path:
        yield content
        return
    while content:
        length, kind = _ATTRIBUTE.unpack_from(content)
        if kind & _KIND == path[0]:
            yield from _found(content[_ATTRIBUTE.size : length], path[1:])
        content = content[length + -length % 4 :]
