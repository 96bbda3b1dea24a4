"""Checks of this machine's capabilities, and functions that run inside another network namespace."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import sys
from collections.abc import Generator
from functools import cache, lru_cache
from pathlib import Path

_NEW_NETWORK = 0x40000000  # CLONE_NEWNET
_CAP_NET_ADMIN, _CAP_SYS_ADMIN = 12, 21
HOLDERS = Path("/run/netns")
_LIBC = ctypes.CDLL(None, use_errno=True)


def available() -> str:
    """Return the reason why this machine cannot run a network of namespaces; empty if it can."""
    if sys.platform != "linux":
        return "network namespaces need Linux"
    missing = [name for name in ("ip", "nft") if _program(name) is None]
    if missing:
        return f"{' and '.join(missing)} not found: install iproute2 and nftables"
    effective = next(
        (int(line.split()[1], 16) for line in Path("/proc/self/status").read_text().splitlines() if "CapEff" in line), 0
    )
    lacking = [
        name
        for bit, name in ((_CAP_NET_ADMIN, "CAP_NET_ADMIN"), (_CAP_SYS_ADMIN, "CAP_SYS_ADMIN"))
        if not effective >> bit & 1
    ]
    if lacking:
        return f"network namespaces need {' and '.join(lacking)}: run as root"
    return _refused()


@lru_cache(maxsize=1)
def _refused() -> str:
    """A container may hold the capabilities and still refuse namespaces or nftables: try both."""
    with open(_OWN, "rb") as home:  # noqa: PTH123 - a file descriptor is wanted
        if _LIBC.unshare(_NEW_NETWORK) != 0:
            return f"this kernel refuses network namespaces: {os.strerror(ctypes.get_errno())}"
        try:
            import subprocess  # noqa: PLC0415

            rules = b"table inet t {\n chain c {\n  type filter hook input priority 0; policy drop;\n  ct state established accept\n }\n}\n"
            done = subprocess.run([program("nft"), "-f", "-"], input=rules, capture_output=True, check=False)  # noqa: S603
        finally:
            enter(home.fileno())
    return "" if done.returncode == 0 else f"this kernel refuses nftables: {done.stderr.decode().strip()}"


_OWN = "/proc/thread-self/ns/net"


def _program(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")


@cache
def program(name: str) -> str:
    """Return the path of ``ip`` or ``nft``, which may be missing from a user's PATH."""
    found = _program(name)
    if found is None:
        raise FileNotFoundError(f"{name} is not installed")
    return found


def enter(namespace: int) -> None:
    """Move this thread into the namespace of an open file."""
    if _LIBC.setns(namespace, _NEW_NETWORK) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"cannot enter the network namespace: {os.strerror(code)}")


@contextlib.contextmanager
def inside(namespace: str) -> Generator[None]:
    """Run this thread in a named namespace: the sockets and processes that it creates stay there."""
    home = os.open(_OWN, os.O_RDONLY)
    try:
        target = os.open(HOLDERS / namespace, os.O_RDONLY)
        try:
            enter(target)
        finally:
            os.close(target)
        try:
            yield
        finally:
            enter(home)
    finally:
        os.close(home)
