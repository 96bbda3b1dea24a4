"""A port that is held for a program about to listen."""

from __future__ import annotations

import socket
import sys

import pytest

from local.ports import LOOPBACK, held_ports

MANY = 200


def test_nothing_else_is_given_a_held_port() -> None:
    with held_ports(*[0] * MANY) as ports, held_ports(*[0] * MANY) as others:
        assert len({*ports, *others}) == 2 * MANY or sys.platform != "linux"


def test_a_program_that_names_it_listens_there_and_until_then_it_refuses() -> None:
    with held_ports(0) as (port,):
        with socket.socket() as early:
            assert early.connect_ex((LOOPBACK, port)) != 0
        with socket.create_server((LOOPBACK, port)), socket.create_connection((LOOPBACK, port), timeout=5):
            pass


def test_a_port_that_something_listens_on_is_refused_and_no_other_stays_held() -> None:
    with held_ports(0) as (free,):
        pass
    with socket.create_server((LOOPBACK, 0)) as other:
        with pytest.raises(OSError, match="in use"), held_ports(free, other.getsockname()[1]):
            pass
        with socket.socket() as plain:  # without SO_REUSEADDR, which would bear a socket that still holds it
            plain.bind((LOOPBACK, free))


def test_it_is_free_again_when_the_block_ends() -> None:
    with held_ports(0) as (port,):
        pass
    with socket.socket() as plain:
        plain.bind((LOOPBACK, port))
