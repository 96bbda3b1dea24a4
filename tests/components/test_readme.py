"""The README's program runs as it is printed."""

import re
from pathlib import Path

import pytest

from preflight.recording.recorder import record
from tests.components.edge_fixtures import counts

README = Path(__file__).resolve().parents[2] / "README.md"
SECTION = "## Use one component"


def programs() -> list[str]:
    """The Python programs of the section, as they are printed."""
    section = README.read_text(encoding="utf-8").partition(f"\n{SECTION}\n")[2].partition("\n## ")[0]
    return re.findall(r"```python\n(.*?)```", section, flags=re.DOTALL)


def test_the_section_prints_a_program() -> None:
    assert len(programs()) == 1


@pytest.mark.parametrize("program", programs())
def test_the_program_registers_the_network_that_it_describes(program: str) -> None:
    code = compile(program, str(README), "exec")

    recording = record(lambda: exec(code, {"__name__": "__main__"}), project="example", stack="staging")  # noqa: S102 - this repository's own text

    assert counts(recording)["Subnet"] == 4
    assert {r.inputs["cidrBlock"] for r in recording.of_type("aws:ec2/vpc:Vpc")} == {"10.20.0.0/16"}
