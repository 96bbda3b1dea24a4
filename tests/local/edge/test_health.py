"""Health checks, what they do to routing, and the alarm's metric; which target is next."""

from __future__ import annotations

import pytest

from local.edge import TargetState
from local.edge.targets import fits
from local.stack import Stack
from preflight.recording.recorder import Recording
from tests.local.edge.declared import values
from tests.local.edge.world import ALARM, GROUP, RULE, World, world


def _unhealthy(made: World) -> float:
    """The last value of the metric that the stack's alarm reads, in its dimensions."""
    (alarm,) = made.stack.where(ALARM, metricName="UnHealthyHostCount")
    wanted = frozenset(alarm["dimensions"].items())
    values = [one.value for one in made.metrics.data if one.name == alarm["metricName"] and one.dimensions == wanted]
    return max(values[-len(made.edge.places) :])


def test_a_check_is_made_as_it_is_declared(edge: World) -> None:
    """Path, host and agent; one passed check is enough for a new target."""
    check = edge.stack.one(GROUP)["healthCheck"]
    assert edge.target.server is not None
    edge.edge.check(edge.registered[0])
    received = edge.target.server.received[-1]
    assert (received.method, received.target) == ("GET", check["path"])
    assert received.value("host") == f"{edge.registered[0].address}:{edge.stack.one(GROUP)['port']}"
    assert str(received.value("user-agent")).startswith("ELB-HealthChecker/")
    assert edge.edge.states(edge.registered[0]) == {TargetState.HEALTHY}


def test_thresholds_are_honoured_both_ways(recording: Recording) -> None:
    """As many failures as declared make a target unhealthy and move the alarm's metric; as many passes bring it back."""
    with world(Stack.of(recording)) as made:
        check, (target,) = made.stack.one(GROUP)["healthCheck"], made.registered
        made.target.health = 503
        for number in range(1, check["unhealthyThreshold"] + 1):
            wanted = TargetState.UNHEALTHY if number == check["unhealthyThreshold"] else TargetState.HEALTHY
            assert made.edge.check(target) == {wanted}
        assert _unhealthy(made) == 1
        assert f"{check['path']} on {target.address}" in made.causes()
        assert "status 503" in made.causes()
        made.target.health = 200
        for number in range(1, check["healthyThreshold"] + 1):
            wanted = TargetState.HEALTHY if number == check["healthyThreshold"] else TargetState.UNHEALTHY
            assert made.edge.check(target) == {wanted}
        assert _unhealthy(made) == 0


def test_an_unhealthy_target_gets_no_request_while_another_is_healthy(prod: Stack) -> None:
    """And every one does when none is: the load balancer fails open."""
    with world(prod, targets=2) as made:
        browser = made.member()
        threshold = made.stack.one(GROUP)["healthCheck"]["unhealthyThreshold"]
        made.targets[0].health = 500
        for _ in range(threshold):
            made.edge.check(made.registered[0])
        before = len(made.targets[0].requests)
        assert {browser.get(made.url("/api/v1/x")).status for _ in range(4)} == {200}
        assert len(made.targets[0].requests) == before
        made.targets[1].health = 500
        for _ in range(threshold):
            made.edge.check(made.registered[1])
        assert {browser.get(made.url("/api/v1/x")).status for _ in range(4)} == {200}
        assert len(made.targets[0].requests) > before


def test_a_wrong_matcher_keeps_a_target_out(prod: Stack) -> None:
    """A target that never passed a check is not used: the cause names path, status and what was wanted."""
    group = prod.one(GROUP)
    stack = prod.changed(group, healthCheck={**group["healthCheck"], "matcher": "204"})
    with pytest.raises(AssertionError, match=r"/health on .*: status 200, wanted 204"), world(stack, start_seconds=0.5):
        pass


def test_without_a_target_the_answer_is_503(edge: World) -> None:
    """The load balancer's own, with the metric of its alarm."""
    browser = edge.member()
    edge.edge.deregister(edge.registered[0], wait=True)
    (alarm,) = edge.stack.where(ALARM, metricName="HTTPCode_ELB_5XX_Count")
    assert browser.get(edge.url("/api/v1/x")).status == 503
    assert edge.sum(alarm["metricName"], **alarm["dimensions"]) == 1
    assert "has no target in use (none is registered)" in edge.causes()
    assert " 503 - " in edge.line(" 503 - ")


def test_a_target_that_was_not_checked_yet_gets_nothing(edge: World) -> None:
    """Nor does one whose port is closed: 503 until a check has passed."""
    browser = edge.member()
    edge.edge.deregister(edge.registered[0], wait=True)
    late = edge.edge.register("10.30.0.99", edge.registered[0].zone)
    assert browser.get(edge.url("/api/v1/x")).status == 503
    for _ in range(edge.stack.one(GROUP)["healthCheck"]["unhealthyThreshold"]):
        edge.edge.check(late)
    assert edge.edge.states(late) == {TargetState.UNHEALTHY}
    assert browser.get(edge.url("/api/v1/x")).status == 502
    assert edge.balancer_sum("HTTPCode_ELB_502_Count") == edge.balancer_sum("TargetConnectionErrorCount") == 1


def test_a_targets_own_error_is_counted_as_the_targets(edge: World) -> None:
    """In the dimensions of the alarm for it; the load balancer's count does not move."""
    (alarm,) = edge.stack.where(ALARM, metricName="HTTPCode_Target_5XX_Count")
    browser = edge.member()
    edge.target.health_path = "/api/v1/failing"
    edge.target.health = 500
    assert browser.get(edge.url("/api/v1/failing")).status == 500
    assert edge.sum(alarm["metricName"], **alarm["dimensions"]) == 1
    assert edge.balancer_sum("HTTPCode_ELB_5XX_Count") == 0


@pytest.mark.parametrize("headers", [(("x-large", "x" * 33_000),), (("broken header", "x"),)])
def test_a_response_that_cannot_be_passed_on_is_502(edge: World, headers: tuple[tuple[str, str], ...]) -> None:
    """Beyond 32 KiB of headers, or with an invalid header."""
    browser = edge.member()
    edge.target.answer_headers = headers
    assert browser.get(edge.url("/api/v1/x")).status == 502
    assert edge.balancer_sum("HTTPCode_ELB_502_Count") == 1


def test_a_forward_action_may_name_groups_with_weights(prod: Stack) -> None:
    """The longer form of the same action."""
    rule = next(one for one in prod.all(RULE) if "/api/*" in values(one, "pathPattern"))
    actions = [
        {**one, "targetGroupArn": None, "forward": {"targetGroups": [{"arn": one["targetGroupArn"], "weight": 1}]}}
        if one["type"] == "forward"
        else one
        for one in rule["actions"]
    ]
    with world(prod.changed(rule, actions=actions)) as made:
        assert made.member().get(made.url("/api/v1/x")).status == 200


def test_a_new_target_starts_slowly(prod: Stack) -> None:
    """In the declared duration its share grows from nothing."""
    stack = prod.changed(prod.one(GROUP), slowStart=900, loadBalancingAlgorithmType="round_robin")
    with world(stack, targets=2) as made:
        browser = made.member()
        made.clock.ahead = 1000
        known = made.registered[1]
        made.edge.deregister(known, wait=True)
        fresh = made.edge.register(known.address, known.zone)
        assert made.edge.wait_healthy(fresh, 5)
        before = [len(one.requests) for one in made.targets]
        for _ in range(20):
            assert browser.get(made.url("/api/v1/x")).status == 200
        assert len(made.targets[1].requests) - before[1] <= 2
        made.clock.ahead = 2000
        for _ in range(20):
            browser.get(made.url("/api/v1/x"))
        assert len(made.targets[1].requests) - before[1] >= 5


@pytest.mark.parametrize("algorithm", ["least_outstanding_requests", "round_robin", "weighted_random"])
def test_requests_are_spread_over_targets(prod: Stack, algorithm: str) -> None:
    """By every algorithm, with nothing outstanding; every target is counted its share."""
    stack = prod.changed(prod.one(GROUP), loadBalancingAlgorithmType=algorithm)
    with world(stack, targets=3) as made:
        browser = made.member()
        for _ in range(35):
            browser.get(made.url("/api/v1/x"))
        counts = [len(one.requests) for one in made.targets]
        assert sum(counts) == 36
        assert min(counts) >= (2 if algorithm == "weighted_random" else 8)
        suffix = str(made.stack.one(GROUP)["arnSuffix"])
        assert made.sum("RequestCountPerTarget", TargetGroup=suffix) == pytest.approx(12)


@pytest.mark.parametrize(
    ("status", "matcher", "wanted"),
    [(200, "200", True), (204, "200", False), (204, "200-299", True), (302, "200,302", True), (300, "200-299", False)],
)
def test_matchers(status: int, matcher: str, wanted: bool) -> None:
    """One status, several, a range."""
    assert fits(status, matcher) == wanted
