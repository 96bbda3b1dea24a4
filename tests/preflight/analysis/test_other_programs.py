"""Programs of other teams, with and without a region, pass through what every check and every comparison does."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path

import pulumi_aws as aws
import pytest

from preflight.analysis import diff, parity
from preflight.analysis.connectivity import connectivity_of
from preflight.changes.monitor import planned
from preflight.cost.charges import Costed
from preflight.errors import PreflightError
from preflight.recording.recorder import Recording, record
from settings.use import Use
from tests.policies.elsewhere import programs

PROGRAMS = {
    name: program
    for name, program in inspect.getmembers(programs, inspect.isfunction)
    if not name.startswith("_") and program.__module__ == programs.__name__
}


@pytest.fixture(params=[{"aws:region": "eu-west-1"}, {}], ids=["region", "no-region"])
def config(request: pytest.FixtureRequest) -> dict[str, str]:
    return request.param


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_is_recorded_compared_and_planned(name: str, config: dict[str, str]) -> None:
    def recorded(program: Callable[[], object], *, preview: bool = False) -> Recording:
        return record(program, stack="dev", config=config, strict=False, preview=preview)

    program = PROGRAMS[name]
    known, preview = recorded(program), recorded(program, preview=True)
    assert {resource.urn for resource in known.resources} == {resource.urn for resource in preview.resources}
    assert len(connectivity_of({("dev", False): known, ("dev", True): preview}, ["dev"])) <= 1
    assert diff.changes("dev", known, recorded(program)) == ()
    added = diff.changes("dev", recorded(programs.nothing_of_aws), known)
    assert bool(added) == (name != "nothing_of_aws")
    assert planned(program, known, config=config, strict=False).steps == {}


def test_a_stack_without_a_region_has_no_cost_and_the_message_names_the_key() -> None:
    recording = record(programs.web_server, stack="dev", config={}, strict=False)
    with pytest.raises(PreflightError, match=r"set aws:region in Pulumi\.dev\.yaml"):
        Costed.of(recording, Use())


def test_a_shape_of_a_stack_with_an_unknown_value_can_be_written(tmp_path: Path) -> None:
    def program() -> None:
        aws.ec2.Instance("host", ami=aws.ec2.get_ami(owners=["amazon"]).id, instance_type="t3.micro")

    recordings = {(stack, False): record(program, stack=stack, strict=False) for stack in ("blue", "green")}
    for stack in ("blue", "green"):
        (tmp_path / f"Pulumi.{stack}.yaml").touch()
    written = parity.write(tmp_path, recordings)
    assert "[unknown]" in "".join(path.read_text(encoding="utf-8") for path in written)
    assert parity.compared(tmp_path, recordings).parity.verdict == "equal"
    assert parity.write(tmp_path, recordings) == []
