"""The arithmetic, compared with what the recorded graph contains."""

from __future__ import annotations

import math
from dataclasses import astuple, replace
from decimal import Decimal

import pytest

from preflight.cost import prices
from preflight.cost.charges import Amount
from preflight.cost.estimate import Estimate, estimate
from preflight.cost.models import chat_models
from preflight.cost.prices import PriceTable
from preflight.cost.use import BUSY_HOURS, BUSY_SHARE, RUN_SECONDS, UNITS_OF_A_CHAT, WORKING_DAYS
from preflight.errors import PreflightError
from preflight.recording.recorder import Recording
from settings.use import Use
from tests.preflight.conform.graphs import EXTERNAL, GATEWAY, MANTLE, STACKS, program
from tests.preflight.cost.graphs import estimated, example, line, with_input
from tests.settings.stack_files import own_values

HOURS = 730


@pytest.fixture(params=STACKS)
def stack(request: pytest.FixtureRequest) -> str:
    return request.param


def usd(key: str) -> float:
    found = prices.load().find(key, "eu-west-1")
    assert found is not None
    assert found.usd is not None
    return float(found.usd)


def count(recording: Recording, type_: str) -> int:
    return len(recording.of_type(type_))


def test_tasks_cost_their_vcpu_and_memory_for_every_hour(stack: str) -> None:
    capacity = own_values(stack)["capacity"]
    vcpu, gib = capacity["cpuUnits"] / 1024, capacity["memoryMebibytes"] / 1024
    hour = vcpu * usd("fargate.vcpu-hour.x86_64") + gib * usd("fargate.gb-hour.x86_64")

    found = estimated(stack).subtotal("compute")

    least, most = capacity["minimumTasks"], capacity["maximumTasks"]
    assert found.minimum == pytest.approx(hour * HOURS * least)
    assert found.maximum == pytest.approx(hour * HOURS * most)
    busy = hour * BUSY_HOURS * BUSY_SHARE * (most - least)
    assert found.expected == pytest.approx(hour * HOURS * least + busy)


def test_the_writer_and_the_reader_of_the_database_are_charged_alike(stack: str) -> None:
    database = own_values(stack)["data"]["database"]
    instances = count(program(stack), "aws:rds/clusterInstance:ClusterInstance")

    found = line(estimated(stack), "database: capacity units").usd

    hour = instances * usd("aurora.acu-hour") * HOURS
    assert instances == 2
    assert found.minimum == pytest.approx(hour * database["minimumCapacityUnits"])
    assert found.maximum == pytest.approx(hour * database["maximumCapacityUnits"])


def test_an_interface_endpoint_is_charged_in_each_zone_and_a_gateway_endpoint_is_not(stack: str) -> None:
    zones = len(own_values(stack)["network"]["availabilityZones"])
    endpoints = program(stack).of_type("aws:ec2/vpcEndpoint:VpcEndpoint")
    interfaces = [one for one in endpoints if one.inputs["vpcEndpointType"] == "Interface"]

    found = line(estimated(stack), "interface endpoints").usd

    assert 0 < len(interfaces) < len(endpoints)
    assert found == Amount.fixed(len(interfaces) * zones * HOURS * usd("vpc.endpoint-hour"))


def test_at_one_dollar_for_each_unit_the_minimum_is_what_the_stack_file_adds_up_to(stack: str) -> None:
    """The whole sum once, without the table: hours of everything that runs, and a unit of everything that is."""
    table = PriceTable(tuple(replace(row, usd=Decimal(1)) for row in prices.load().rows))
    values, graph = own_values(stack), program(stack)
    zones, capacity = len(values["network"]["availabilityZones"]), values["capacity"]
    task = capacity["cpuUnits"] / 1024 + capacity["memoryMebibytes"] / 1024 + (30 - 20)  # the default storage
    endpoints = [one for one in graph.of_type("aws:ec2/vpcEndpoint:VpcEndpoint") if "subnetIds" in one.inputs]
    running = capacity["minimumTasks"] * task
    running += 2 * values["data"]["database"]["minimumCapacityUnits"]
    running += len(endpoints) * zones + 1 + zones  # with the load balancer and its addresses
    running += graph.of_type("aws:elasticache/replicationGroup:ReplicationGroup")[0].inputs["numCacheClusters"]
    there = 1 + len(graph.of_type("aws:wafv2/webAcl:WebAcl")[0].inputs["rules"])
    there += count(graph, "aws:kms/key:Key") + count(graph, "aws:secretsmanager/secret:Secret") + 1
    there += line(estimated(stack), "metrics of alarms").quantity.minimum
    there += count(graph, "aws:cloudwatch/compositeAlarm:CompositeAlarm")
    there += sum(one.quantity.minimum for one in estimated(stack).lines if one.what.startswith("synthetic chat"))
    there += sum(one.quantity.minimum for one in estimated(stack).lines if one.what.startswith("guardrail"))

    assert estimate(graph, table, Use()).total.minimum == pytest.approx(730 * running + there)


def test_the_load_balancers_addresses_are_charged_in_each_public_subnet(stack: str) -> None:
    zones = len(own_values(stack)["network"]["availabilityZones"])

    found = line(estimated(stack), "public IPv4 addresses of the load balancer").usd

    assert found == Amount.fixed(zones * HOURS * usd("vpc.public-ipv4-hour"))


def test_each_metric_of_an_alarm_is_charged_and_an_expression_is_not(stack: str) -> None:
    metrics = 0
    for alarm in program(stack).of_type("aws:cloudwatch/metricAlarm:MetricAlarm"):
        queries: list[dict[str, object]] = alarm.inputs.get("metricQueries") or [{"metric": None}]
        metrics += sum("metric" in query for query in queries)

    assert metrics > count(program(stack), "aws:cloudwatch/metricAlarm:MetricAlarm")
    assert line(estimated(stack), "metrics of alarms").quantity == Amount.fixed(metrics)


def test_the_secret_that_the_database_manages_is_charged_too(stack: str) -> None:
    own = count(program(stack), "aws:secretsmanager/secret:Secret")

    assert line(estimated(stack), "secrets").quantity == Amount.fixed(own + 1)


def test_tokens_follow_from_the_declared_use() -> None:
    use = Use(people=10, messages_per_person=30, input_tokens_per_message=1000, output_tokens_per_message=100)
    found = estimate(program("prod"), prices.load(), use)
    models = [name for group in own_values("prod")["models"]["groups"] for name in group["models"]]

    tokens = 10 * 30 * WORKING_DAYS * 1000
    lines = [line(found, f"{name}: input tokens") for name in models]
    assert sum(one.quantity.expected for one in lines) * 1000 == pytest.approx(tokens)
    assert {one.quantity.minimum for one in lines} == {0}
    growth = own_values("prod")["capacity"]["maximumTasks"] / own_values("prod")["capacity"]["minimumTasks"]
    dearest = max(lines, key=lambda one: one.price.usd or 0)
    assert dearest.quantity.maximum * 1000 == pytest.approx(tokens * growth)
    assert sum(one.quantity.maximum for one in lines) == dearest.quantity.maximum


def test_the_guardrail_is_charged_for_each_of_its_policies() -> None:
    (guardrail,) = program("prod").of_type("aws:bedrock/guardrail:Guardrail")
    paid = [name for name in ("contentPolicyConfig", "topicPolicyConfig") if name in guardrail.inputs]
    paid += ["pii"] * bool(guardrail.inputs["sensitiveInformationPolicyConfig"].get("piiEntitiesConfigs"))

    found = [one for one in estimated("prod").lines if one.what.startswith("guardrail: ")]

    assert len(found) == len(paid)
    characters = 300 * 20 * WORKING_DAYS * (2000 + 500) * 4
    scheduled = HOURS * 60 / 5 * UNITS_OF_A_CHAT
    assert {round(one.quantity.expected) for one in found} == {characters // 1000 + scheduled}


def test_the_minimum_has_no_cost_of_use_and_no_line_falls_from_minimum_to_maximum(stack: str) -> None:
    found = estimated(stack)
    unused = estimate(
        program(stack), prices.load(), Use(people=1, messages_per_person=0, upload_mebibytes_per_person=0)
    )

    assert found.total.minimum == unused.total.minimum
    assert found.total.minimum < found.total.expected < found.total.maximum
    assert all(one.usd.minimum <= one.usd.expected for one in found.lines)


def test_the_total_is_the_sum_of_the_groups(stack: str) -> None:
    found = estimated(stack)

    for name in ("minimum", "expected", "maximum"):
        parts = [getattr(found.subtotal(group), name) for group in found.groups]
        assert math.isclose(sum(parts), getattr(found.total, name))


def test_what_the_table_has_no_price_for_is_listed_and_not_free() -> None:
    table = prices.load()
    without = PriceTable(tuple(row for row in table.rows if row.key != "alb.hour"))

    found = estimate(program("staging"), without, Use())

    assert [charge.key for charge in found.unpriced if charge.key == "alb.hour"] == ["alb.hour"]
    difference = estimated("staging").total.minimum - found.total.minimum
    assert difference == pytest.approx(HOURS * usd("alb.hour"))


def test_a_region_without_prices_has_only_the_prices_of_every_region() -> None:
    everywhere = PriceTable(tuple(row for row in prices.load().rows if row.region == prices.EVERYWHERE))

    found = estimate(program("prod"), everywhere, Use())

    assert {one.price.region for one in found.lines} == {prices.EVERYWHERE}
    unpriced = {charge.what for charge in found.unpriced}
    assert unpriced >= {one.what for one in estimated("prod").lines} - {one.what for one in found.lines}


def test_a_region_that_the_table_lacks_has_the_prices_of_the_reference_and_says_so() -> None:
    found = prices.load().find("alb.hour", "xx-nowhere-1")
    assert found is not None
    assert found.region == prices.REFERENCE
    assert estimated("prod").elsewhere == ""
    said = replace(estimated("prod"), region="xx-nowhere-1").elsewhere
    assert prices.REFERENCE in said
    assert prices.REFRESH in said


def test_the_example_has_no_charge_by_the_hour() -> None:
    found = estimate(example(), prices.load(), Use())

    assert found.total.minimum == 0
    assert any(text.startswith("logs that AWS services write") for text in found.not_counted)


@pytest.mark.parametrize("variant", [GATEWAY, EXTERNAL])
def test_a_further_service_is_charged(variant: str) -> None:
    services = {str(one.inputs["name"]) for one in program(variant).of_type("aws:ecs/service:Service")}

    found = estimate(program(variant), prices.load(), Use())

    assert len(services) > 1
    assert {f"tasks of {name}: vCPU" for name in services} <= {one.what for one in found.lines}
    assert found.total.minimum > estimated("staging").total.minimum


def test_the_way_to_the_internet_is_charged() -> None:
    found = estimate(program(EXTERNAL), prices.load(), Use())

    gateways = count(program(EXTERNAL), "aws:ec2/natGateway:NatGateway")
    assert line(found, "NAT gateways").quantity == Amount.fixed(gateways * HOURS)
    assert line(found, "public IPv4 addresses").quantity == Amount.fixed(
        count(program(EXTERNAL), "aws:ec2/eip:Eip") * HOURS
    )


def test_models_that_are_not_called_at_bedrocks_runtime_are_said_to_be_left_out() -> None:
    found: Estimate = estimate(program(MANTLE), prices.load(), Use())

    assert found.subtotal("models") == Amount.fixed(0)
    assert "the models, which are not called at Bedrock's runtime" in found.not_counted


def test_the_models_are_those_of_the_stack_file() -> None:
    from preflight.cost.charges import Costed  # noqa: PLC0415 - only here

    named = sorted(name for group in own_values("prod")["models"]["groups"] for name in group["models"])

    assert chat_models(Costed.of(program("prod"), Use())) == named


def test_a_composite_alarm_is_charged_apart_from_the_alarms_that_it_evaluates(stack: str) -> None:
    composites = count(program(stack), "aws:cloudwatch/compositeAlarm:CompositeAlarm")

    found = line(estimated(stack), "composite alarms").usd

    assert composites > 5
    assert found == Amount.fixed(composites * usd("cloudwatch.composite-alarm-month"))


def test_the_synthetic_chat_is_charged_by_its_runs_and_half_as_many_cost_half(stack: str) -> None:
    graph = program(stack)
    rarer = with_input(stack, "aws:scheduler/schedule:Schedule", "scheduleExpression", "rate(10 minutes)")
    chat = [one for one in estimated(stack).lines if one.what.startswith("synthetic chat")]
    runs = HOURS * 60 / 5

    after = [one for one in estimate(rarer, prices.load(), Use()).lines if one.what.startswith("synthetic chat")]

    vcpu = next(one for one in chat if one.what == "synthetic chat: vCPU")
    assert graph.of_type("aws:scheduler/schedule:Schedule")[0].inputs["scheduleExpression"] == "rate(5 minutes)"
    assert astuple(vcpu.quantity) == pytest.approx(astuple(Amount.fixed(runs * RUN_SECONDS / 3600 * 0.25)))
    assert {one.what.partition(" tokens")[0] for one in chat} == {
        "synthetic chat: vCPU",
        "synthetic chat: memory",
        "synthetic chat: input",
        "synthetic chat: output",
    }
    assert sum(one.usd.expected for one in after) == pytest.approx(sum(one.usd.expected for one in chat) / 2)


def test_a_schedule_that_is_no_rate_is_refused() -> None:
    other = with_input("staging", "aws:scheduler/schedule:Schedule", "scheduleExpression", "cron(0 4 * * ? *)")

    with pytest.raises(PreflightError, match=r"synthetic-chat-schedule.*not known"):
        estimate(other, prices.load(), Use())
