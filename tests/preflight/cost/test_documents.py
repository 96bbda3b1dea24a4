"""The documents state what the program computes, and name every way to lower the cost that exists."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from preflight.cost import prices, use
from preflight.errors import PreflightError
from preflight.setup import cost_of_stacks
from preflight.setup.cost_of_stacks import BEGIN, DOCUMENTS, END
from preflight.setup.sizes import SIZES
from settings.use import Use
from tests.preflight.cost.graphs import estimated
from tests.settings.stack_files import ROOT


def test_the_costs_in_the_documents_are_current() -> None:
    changed = cost_of_stacks.stale(ROOT)

    assert not changed, f"{', '.join(changed)}: run `{cost_of_stacks.WRITE}` and commit the result"


def test_the_readme_states_the_idle_cost_of_both_stacks() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")

    found = dict(re.findall(r"(\w+) about \$([\d,]+)", text))
    assert set(found) == {"staging", "prod"}
    for stack, stated in found.items():
        assert int(stated.replace(",", "")) == pytest.approx(estimated(stack).total.minimum, rel=0.05)


def test_the_sizes_that_init_offers_are_estimated_in_both_environments() -> None:
    found = cost_of_stacks.sizes(ROOT, prices.load())

    assert {one.stack for one in found} == {f"{e}-{name}" for name, size in SIZES.items() for e in size.sections}
    assert {name: set(size.sections) for name, size in SIZES.items()} == {
        name: set(size.people) for name, size in SIZES.items()
    }
    minimum = {one.stack: one.total.minimum for one in found}
    for environment in ("staging", "prod"):
        ordered = [minimum[f"{environment}-{name}"] for name in ("small", "standard", "large")]
        assert ordered == sorted(ordered)


def test_a_document_without_a_section_is_refused(tmp_path: Path) -> None:
    for name in ("Pulumi.yaml", *DOCUMENTS):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, tmp_path / name)
    page = tmp_path / "docs/cost.md"
    page.write_text(page.read_text(encoding="utf-8").replace(END, ""), encoding="utf-8")

    with pytest.raises(PreflightError, match=r"docs/cost\.md has no section to generate"):
        cost_of_stacks._with_section(tmp_path, "docs/cost.md", "")  # pyright: ignore[reportPrivateUsage]


def test_the_text_around_a_section_stays(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")

    found = cost_of_stacks._with_section(tmp_path, "README.md", "new")  # pyright: ignore[reportPrivateUsage]

    assert found == f"before\n{BEGIN}\n\nnew\n{END}\nafter\n"


def test_the_description_of_the_default_people_states_the_figure() -> None:
    source = (ROOT / "settings" / "use.py").read_text(encoding="utf-8")

    assert f"{use.PEOPLE_PER_VCPU} for each vCPU" in source
    assert use.people(Use(), 6) == 6 * use.PEOPLE_PER_VCPU
    assert use.people(Use(people=7), 6) == 7
