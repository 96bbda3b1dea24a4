"""A running network: programs in it, host names in it, and that nothing of it remains."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from local.network import plan_network, running
from local.network.kernel import HOLDERS, available, program
from local.network.model import Plan
from local.network.namespaces import PREFIX, remove_leftovers
from local.network.nftables import GROUPS, REFUSED
from tests.namespaces import require_namespaces
from tests.topology.packets.recorded import Recorded

ROOT = Path(__file__).parents[3]
FILES = Path("/etc/netns")


@pytest.fixture(autouse=True, scope="module")
def _namespaces() -> None:
    require_namespaces()


def small_plan() -> Plan:
    """Two instances of one group, which admits itself on port 80."""
    recorded = Recorded()
    vpc = recorded.add("ec2.Vpc", "vpc", cidrBlock="10.0.0.0/16")
    subnet = recorded.add("ec2.Subnet", "subnet", vpcId=vpc["id"], cidrBlock="10.0.0.0/24")
    group = recorded.add("ec2.SecurityGroup", "open", vpcId=vpc["id"])
    for direction in ("Ingress", "Egress"):
        recorded.add(
            f"vpc.SecurityGroup{direction}Rule", direction, securityGroupId=group["id"], ipProtocol="tcp", fromPort=80,
            toPort=80, referencedSecurityGroupId=group["id"],
        )  # fmt: skip
    for name in ("one", "other"):
        recorded.add("ec2.Instance", name, subnetId=subnet["id"], vpcSecurityGroupIds=[group["id"]])
    return plan_network(recorded.graph())


@pytest.fixture
def plan() -> Plan:
    return small_plan()


def own(process: int) -> set[str]:
    """What exists of the networks of a process."""
    return {
        path.name
        for folder in (HOLDERS, FILES)
        if folder.is_dir()
        for path in folder.iterdir()
        if path.name.startswith(f"{PREFIX}.{process}.")
    }


def test_nothing_remains_whatever_happens_inside(plan: Plan) -> None:
    started: list[subprocess.Popen[bytes]] = []

    def fail() -> None:
        with running(plan) as network:
            network.resolve({"other.example": [plan.node("other").v4]})
            started.append(network.popen("one", ["sleep", "60"]))
            assert own(os.getpid())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    (sleeper,) = started
    assert sleeper.returncode == -signal.SIGTERM
    assert not own(os.getpid())


def test_a_connection_that_the_groups_allow_passes_and_another_does_not(plan: Plan) -> None:
    other = plan.node("other").v4
    with running(plan) as network:
        passed: dict[int, bool] = {}
        for port in (80, 81):
            with network.socket("other") as listener, network.socket("one") as client:
                listener.bind((other, port))
                listener.listen()
                client.settimeout(5)
                try:
                    client.connect((other, port))
                    passed[port] = True
                except TimeoutError:
                    passed[port] = False
        refused = {name: network.refused(name) for name in ("one", "other")}
    assert passed == {80: True, 81: False}
    assert refused == {"one": {True: [(other, 81)], False: []}, "other": {True: [], False: []}}


def test_every_refused_connection_is_listed_as_nft_lists_it(plan: Plan) -> None:
    ports = range(1000, 1200)
    with running(plan) as network:
        for port in ports:
            with network.socket("one") as client:
                client.setblocking(False)
                client.connect_ex((plan.node("other").v4, port))
        found = network.refused("one")
        listed = subprocess.run(  # noqa: S603 - our own line
            network.command("one", [program("nft"), "-j", "list", "set", "inet", GROUPS, REFUSED[True]]),
            capture_output=True, check=True,
        )  # fmt: skip
    assert found[True] == [(plan.node("other").v4, port) for port in ports]
    (content,) = [one["set"] for one in json.loads(listed.stdout)["nftables"] if "set" in one]
    assert sorted(tuple(one["concat"]) for one in content["elem"]) == found[True]


def test_an_interface_without_groups_has_refused_nothing(plan: Plan) -> None:
    with running(replace(plan, nodes=tuple(replace(one, guarded=False) for one in plan.nodes))) as network:
        assert network.refused("one") == {True: [], False: []}


def test_programs_find_host_names_and_no_others(plan: Plan) -> None:
    look_up = [sys.executable, "-c", "import socket, sys; print(socket.gethostbyname(sys.argv[1]))"]
    with running(plan) as network:
        network.resolve({"other.example": [plan.node("other").v4]}, only=["one"])
        inside = subprocess.run(  # noqa: S603 - our own line
            network.command("one", [*look_up, "other.example"]), capture_output=True, text=True, check=True
        )
        missing = subprocess.run(  # noqa: S603 - our own line
            network.command("one", [*look_up, "elsewhere.example"]), capture_output=True, text=True, check=False
        )
    assert inside.stdout.strip() == plan.node("other").v4
    assert "socket.gaierror" in missing.stderr


def test_an_unknown_name_lists_those_that_there_are(plan: Plan) -> None:
    with running(plan) as network, pytest.raises(KeyError, match="one, other"):
        network.namespace("nothing")


_HOLD = """
import sys, time
from local.network import plan_network, running
from tests.local.network.test_namespaces import small_plan
with running(small_plan()):
    print("ready", flush=True)
    time.sleep(60)
"""


def holder() -> subprocess.Popen[str]:
    """Another process that runs a network."""
    process = subprocess.Popen([sys.executable, "-c", _HOLD], cwd=ROOT, stdout=subprocess.PIPE, text=True)  # noqa: S603
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_network_goes_with_its_process(number: signal.Signals) -> None:
    with holder() as process:
        assert own(process.pid)
        process.send_signal(number)
        process.wait(20)
    assert not own(process.pid)


def test_what_a_killed_process_left_behind_is_removed_and_nothing_else() -> None:
    with holder() as living, holder() as killed:
        killed.kill()
        killed.wait(20)
        left, kept = own(killed.pid), own(living.pid)
        assert left
        assert kept
        assert set(remove_leftovers()) >= left
        assert not own(killed.pid)
        assert own(living.pid) == kept
        living.terminate()
        living.wait(20)


def nowhere(name: str, path: str | None = None) -> None:
    """A machine on which no program is installed."""
    del name, path


def test_a_machine_without_the_programs_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    program.cache_clear()
    monkeypatch.setattr("local.network.kernel.shutil.which", nowhere)
    assert available() == "ip and nft not found: install iproute2 and nftables"
    with pytest.raises(FileNotFoundError, match="nft is not installed"):
        program("nft")
