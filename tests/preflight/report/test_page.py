"""The page shows what the graphs say, loads nothing, and can be read with a keyboard and without a script."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import fields
from html.parser import HTMLParser
from typing import Any, cast

import pytest

from policies.guardrails.topology.graph.resources import Graph
from policies.guardrails.topology.graph.verdicts import Verdict
from policies.guardrails.topology.reachability.evaluation import reachability
from preflight.analysis.check import Checked
from preflight.analysis.connectivity import connectivity_of
from preflight.findings import Report, summarize
from preflight.recording.recorder import Recording, record
from preflight.report import page
from preflight.report.sections.drawing import svg
from preflight.review.diagram import diagram_of
from preflight.review.path_limits import limits_of
from preflight.review.request_table import ANYBODY, MEMBER, STRANGER, lines_of
from preflight.review.zones import zone_losses
from tests import once
from tests.preflight.changes.edits import EDITS
from tests.preflight.changes.planning import STACK, config
from tests.preflight.changes.planning import program as program_of_staging
from tests.settings.stack_files import ROOT, own_values
from tests.topology.builders import compliant
from tests.topology.planting import Plant
from tests.topology.plants import PLANTS

STACKS = ("staging", "prod")


@pytest.fixture(scope="module")
def recordings() -> Mapping[str, Recording]:
    """Both stacks with known values."""
    return {name: recording for (name, _), recording in once.recordings(*STACKS).items()}


@pytest.fixture(scope="module")
def graphs(recordings: Mapping[str, Recording]) -> Mapping[str, Graph]:
    """Their graphs."""
    return {name: Graph.from_recorded(recording.resources) for name, recording in recordings.items()}


def checked(recordings: Mapping[str, Recording]) -> Checked:
    """A check without findings."""
    known = {(name, False): recording for name, recording in recordings.items()}
    environments = tuple(summarize(name, len(one.resources), [], []) for name, one in recordings.items())
    connectivity = connectivity_of(known, list(recordings))
    return Checked(Report("ai-interface", environments, (), (), connectivity=connectivity), known)


@pytest.fixture(scope="module")
def content(recordings: Mapping[str, Recording]) -> str:
    """The page about both stacks."""
    return page.html(checked(recordings), ROOT)


class Reader(HTMLParser):
    """Collects what a browser would act on."""

    EMPTY = frozenset({"meta", "br", "link", "img", "input"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.sources: list[str] = []
        self.unnamed: list[str] = []
        self.headings: list[int] = []
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own = {name: value or "" for name, value in attrs}
        if tag not in self.EMPTY:
            self._open.append(tag)
        self.ids += [own["id"]] if "id" in own else []
        self.links += [own["href"]] if "href" in own else []
        self.sources += [own["src"]] if "src" in own else []
        if own.get("role") == "region" and not own.get("aria-label"):
            self.unnamed.append(tag)
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element of SVG without content."""
        self.handle_starttag(tag, attrs)
        if tag not in self.EMPTY:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag


def test_it_loads_nothing_and_every_link_leads_to_a_place_on_the_page_or_to_the_runbook(content: str) -> None:
    read = Reader(content)
    assert read.sources == []
    assert [name for name, count in Counter(read.ids).items() if count > 1] == []
    inside = {link.removeprefix("#") for link in read.links if link.startswith("#")}
    assert inside <= set(read.ids)
    outside = {link for link in read.links if not link.startswith("#")}
    runbooks = {str(own_values(name)["owner"]["runbook"]) for name in STACKS}
    assert {link.partition("#")[0] for link in outside} == runbooks
    assert "default-src 'none'" in content
    assert content.count("<script>") == 1
    assert not re.search(r"fetch\(|XMLHttpRequest|import\(|url\((?!#)", content)


def test_its_headings_are_in_order_and_its_regions_have_names(content: str) -> None:
    read = Reader(content)
    assert read.headings[0] == 1
    assert read.headings.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in zip(read.headings, read.headings[1:], strict=False))
    assert read.unnamed == []


def test_one_team_with_every_role_is_named(recordings: Mapping[str, Recording], content: str) -> None:
    """No other team approves its changes."""
    assert "holds every role" not in content
    text = json.dumps([vars_of(one) for one in recordings["prod"].resources])
    roles = {"maintainers", "releaseManagers", "promptReviewers", "modelReviewers", "environmentApprovers"}
    owner = cast("Mapping[str, list[str]]", recordings["prod"].outputs["owner"])
    for people in {one for role in roles for one in owner[role]}:
        text = text.replace(f'"{people}"', '"@example/one-team"')
    resources = [type(recordings["prod"].resources[0])(**own) for own in json.loads(text)]
    shown = page.html(checked({"prod": Recording("x", "prod", preview=False, resources=resources)}))
    assert shown.count("prod: @example/one-team holds every role: one team both writes and approves a change.") == 2


def test_the_limits_are_in_one_table(content: str) -> None:
    assert content.count("Where each limit is enforced") == 1
    assert (
        content.count("a model&#39;s whole answer") == content.count("time:</span> a model&#39;s whole answer") + 2
    ), "once in the table, and in the picture with its title"


def test_a_stack_in_an_existing_network_has_a_page() -> None:
    """The zones of subnets that another stack owns are not known."""
    edit = next(one for one in EDITS if one.title == "network.existing (from a created network to an existing one)")
    recording = record(program_of_staging, stack=STACK, config=config({**edit.running, **edit.changes}))
    assert "At a glance" in page.html(checked({STACK: recording}), ROOT)


def test_it_is_small_and_the_same_in_every_run(recordings: Mapping[str, Recording], content: str) -> None:
    assert len(content.encode()) < 1_000_000
    assert page.html(checked(recordings), ROOT) == content


def test_what_a_stack_says_is_escaped(recordings: Mapping[str, Recording]) -> None:
    text = json.dumps([vars_of(one) for one in recordings["staging"].resources])
    planted = text.replace("edge-balancer", "<script>alert(1)</script>")
    resources = [type(recordings["staging"].resources[0])(**own) for own in json.loads(planted)]
    recording = Recording("x", "staging", preview=False, resources=resources)
    shown = page.html(checked({"staging": recording}))
    assert shown.count("<script>") == 1
    assert "&lt;script&gt;alert(1)" in shown


def vars_of(resource: Any) -> dict[str, Any]:  # noqa: ANN401 - a resource of the recording, with slots
    """The fields of a recorded resource."""
    return {field.name: getattr(resource, field.name) for field in fields(resource)}


# -- the drawing ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", STACKS)
def test_every_rule_that_allows_a_connection_is_the_reason_of_an_arrow(
    name: str, recordings: Mapping[str, Recording], graphs: Mapping[str, Graph]
) -> None:
    drawn = {reason.resource for link in diagram_of(recordings[name], graphs[name]).links for reason in link.reasons}
    rules = {
        rule.name
        for direction in ("Ingress", "Egress")
        for rule in graphs[name].of_type(f"vpc.SecurityGroup{direction}Rule")
        if rule.value("ipProtocol") == "tcp"
    }
    endpoints = {endpoint.name for endpoint in graphs[name].of_type("ec2.VpcEndpoint")}
    assert rules | endpoints <= drawn


@pytest.mark.parametrize("name", STACKS)
def test_only_the_load_balancer_is_drawn_as_public(
    name: str, recordings: Mapping[str, Recording], graphs: Mapping[str, Graph]
) -> None:
    diagram = diagram_of(recordings[name], graphs[name])
    assert [node.title for node in diagram.nodes if node.public] == ["edge-balancer"]
    assert {diagram.title_of(link.target) for link in diagram.links if link.public} == {"edge-balancer"}
    assert str(svg(diagram, name)).count("PUBLIC") == 1


def test_every_reason_has_its_line_in_the_program(
    recordings: Mapping[str, Recording], graphs: Mapping[str, Graph]
) -> None:
    for link in diagram_of(recordings["prod"], graphs["prod"]).links:
        for reason in link.reasons:
            file, _, line = reason.source.partition(":")
            assert (ROOT / file).is_file(), reason
            assert int(line) > 0


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.name)
def test_what_is_exposed_is_unmistakable(plant: Plant) -> None:
    """Every planted exposure of the corpus is drawn as public, with an arrow from the internet."""
    stack = compliant()
    plant.change(stack)
    graph = stack.graph(known=True)
    exposed = {
        finding.urn
        for finding in reachability(graph).exposures
        if finding.verdict is Verdict.VIOLATED and not finding.latent
    }
    diagram = diagram_of(Recording("x", "x", preview=False), graph)
    public = {node.key for node in diagram.nodes if node.public}
    assert exposed <= public
    assert exposed <= {link.target for link in diagram.links if link.public}
    svg(diagram, "x")


def test_boxes_do_not_overlap_and_texts_stay_inside(
    recordings: Mapping[str, Recording], graphs: Mapping[str, Graph]
) -> None:
    drawing = str(svg(diagram_of(recordings["prod"], graphs["prod"]), "prod"))
    boxes = [
        tuple(map(float, found))
        for found in re.findall(r'</title><rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"', drawing)
    ]
    assert boxes
    for number, (x, y, width, height) in enumerate(boxes):
        for other_x, other_y, other_width, other_height in boxes[number + 1 :]:
            apart = x + width <= other_x or other_x + other_width <= x
            assert apart or y + height <= other_y or other_y + other_height <= y


# -- limits, requests, zones --------------------------------------------------------------------------------------------


def test_the_limits_are_those_of_the_resources(
    recordings: Mapping[str, Recording], graphs: Mapping[str, Graph]
) -> None:
    found = {(one.place, one.what): one for one in limits_of(recordings["prod"], graphs["prod"])}
    (balancer,) = graphs["prod"].of_type("lb.LoadBalancer")
    assert found["load balancer", "without a byte"].seconds == balancer.value("idleTimeout")
    (acl,) = graphs["prod"].of_type("wafv2.WebAcl")
    rules = cast("list[Mapping[str, Any]]", acl.value("rules"))
    rates = {rule["name"] for rule in rules if "rateBasedStatement" in rule["statement"]}
    assert {what for place, what in found if place == "firewall" and what in rates} == rates
    assert rates


def test_the_requests_have_the_outcome_that_trace_predicts(
    recordings: Mapping[str, Recording], graphs: Mapping[str, Graph]
) -> None:
    lines = {name: line for line in lines_of(recordings, graphs) for name in line.names}
    outcomes = {who: own.cells["prod"].text for who, own in lines["GET /api/*"].outcomes.items()}
    assert {who: re.sub(r", by.*", "", text) for who, text in outcomes.items()} == {
        ANYBODY: "refused 401",
        STRANGER: "refused 403",
        MEMBER: "served",
    }
    too_large = [own for name, own in lines.items() if name.endswith("one byte more")]
    assert too_large
    assert all(own.outcomes[MEMBER].cells["prod"].text.startswith("refused 413") for own in too_large)
    assert not any(own.differs for line in lines.values() for own in line.outcomes.values())


def test_the_loss_of_a_zone_follows_from_the_placement(recordings: Mapping[str, Recording]) -> None:
    graph = Graph.from_recorded(recordings["prod"].resources)
    assert all(one.survives for one in zone_losses(graph))
    kept = [one for one in recordings["prod"].resources if one.name != "state-database-eu-west-1b"]
    alone = zone_losses(Graph.from_recorded(kept))
    assert [one.part for one in alone if not one.survives] == ["database state-database"]
