"""The effect of a change on the cost, in ``preflight diff`` and on the page of ``preflight report``."""

from __future__ import annotations

import json
import re

import pytest

from preflight.analysis.check import Checked
from preflight.cost import prices
from preflight.cost.change import changed
from preflight.cost.use import PEOPLE_PER_VCPU
from preflight.findings import Environment, Report
from preflight.report.page import html
from preflight.review.changed import ChangeReview, Topic, TopicSentences
from preflight.review.render import as_json, as_markdown, as_text
from settings.use import Use
from tests.preflight.conform.graphs import EXTERNAL, STACKS, program
from tests.preflight.cost.graphs import estimated, with_input
from tests.tasks import interface_task


def test_a_change_without_a_cost_is_no_line() -> None:
    assert changed(program("prod"), program("prod"), Use(), prices.load()) == ()


def test_more_tasks_cost_more_for_the_same_people() -> None:
    after = with_input("prod", "aws:appautoscaling/target:Target", "minCapacity", 4)

    total, *items = changed(program("prod"), after, Use(), prices.load())

    tasks = interface_task(program("prod")).inputs
    people = round(4 * int(tasks["cpu"]) / 1024 * PEOPLE_PER_VCPU)
    before = estimated("prod").total.minimum
    assert total.startswith(f"US dollars for {people} people: minimum {before:.2f} → ")
    assert [item.partition(" (")[0] for item in items if "minimum +0.00" not in item] == [
        "tasks of interface: vCPU",
        "tasks of interface: memory",
    ]
    vcpu = prices.load().find("fargate.vcpu-hour.x86_64", "eu-west-1")
    assert vcpu is not None
    assert f"minimum +{2 * 730 * float(vcpu.usd or 0):.2f}" in next(item for item in items if "vCPU" in item)


def test_another_node_type_is_one_item_less_and_one_more() -> None:
    kind = "aws:elasticache/replicationGroup:ReplicationGroup"

    _, *items = changed(program("prod"), with_input("prod", kind, "nodeType", "cache.t4g.small"), Use(), prices.load())

    assert sorted(re.sub(r": minimum ([+-]).*", r" \1", item) for item in items) == [
        "cache: cache.t4g.medium (elasticache.node-hour.cache.t4g.medium) -",
        "cache: cache.t4g.small (elasticache.node-hour.cache.t4g.small) +",
    ]


def test_what_the_table_has_no_price_for_is_not_said_to_be_free() -> None:
    kind = "aws:elasticache/replicationGroup:ReplicationGroup"

    lines = changed(program("prod"), with_input("prod", kind, "nodeType", "cache.r7g.large"), Use(), prices.load())

    assert "cache: cache.r7g.large: not counted, the table has no price for it in eu-west-1" in lines


def test_a_way_to_the_internet_is_among_the_items() -> None:
    items = changed(program("staging"), program(EXTERNAL), Use(), prices.load())

    assert any(item.startswith("NAT gateways (") for item in items)


@pytest.mark.parametrize("render", [as_text, as_markdown, as_json])
def test_every_format_of_the_diff_has_the_cost(render: object) -> None:
    assert callable(render)
    sentences = TopicSentences(Topic.COST, ("US dollars for 300 people: minimum 1.00 → 2.00",))
    with_cost = ChangeReview("prod", (sentences,))

    text = str(render("main", [with_cost]))

    assert "minimum 1.00 → 2.00" in text
    assert (Topic.COST in json.loads(text)["environments"][0]["topics"]) if render is as_json else (Topic.COST in text)
    assert Topic.COST not in as_text("main", [ChangeReview("prod")])


def test_the_page_has_the_cost_of_every_environment() -> None:
    environments = tuple(Environment(name, 0, 0, 0, 0, 0, "") for name in STACKS)
    checked = Checked(Report("x", environments, (), ()), {(name, False): program(name) for name in STACKS})

    page = html(checked, costs={name: estimated(name) for name in STACKS})

    assert "Cost per month" in page
    for name in STACKS:
        for amount in (estimated(name).total.minimum, estimated(name).total.expected, estimated(name).total.maximum):
            assert f"<strong>{amount:,.2f}</strong>" in page
    assert "Cost per month" not in html(checked)
