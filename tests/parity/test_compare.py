"""Two environments of one shape are equal; each single change is one precise difference."""

from __future__ import annotations

import json

import pytest

from policies.parity.committed_shapes import to_files
from policies.parity.compare import Difference, compare
from policies.parity.comparison_rules import Comparison, comparison
from tests.parity.stacks import change, committed, prod, shape, staging, without

CACHE = "aws:elasticache/replicationGroup:ReplicationGroup"


def differences(later: list[dict[str, object]], earlier: list[dict[str, object]] | None = None) -> list[Difference]:
    return compare(shape(staging() if earlier is None else earlier), shape(later))


def document(action: str) -> str:
    statement = {"Sid": "Read", "Effect": "Allow", "Action": [action], "Resource": ["arn:aws:s3:::shop-prod/*"]}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_accounts_regions_networks_hosts_and_identifiers_are_no_difference() -> None:
    assert differences(prod()) == []


def with_cache(stack: list[dict[str, object]], name: str) -> list[dict[str, object]]:
    """A cache that the provider named, as the engine shows it, and an alarm on its first node."""
    parent = str(stack[0]["urn"])

    def entry(type_: str, logical: str, inputs: dict[str, object]) -> dict[str, object]:
        urn = parent.replace("shop:index:Net::net", f"shop:index:Net${type_}::{logical}")
        outputs = {**inputs, "id": name}
        return {
            "urn": urn,
            "type": type_,
            "name": logical,
            "parent": parent,
            "inputs": inputs,
            "outputs": outputs,
            "property_dependencies": {},
        }

    return [
        *stack,
        entry("aws:elasticache/replicationGroup:ReplicationGroup", "cache", {"replicationGroupId": name}),
        entry("aws:cloudwatch/metricAlarm:MetricAlarm", "alarm", {"dimensions": {"CacheClusterId": f"{name}-001"}}),
    ]


def test_a_name_that_the_provider_made_is_no_difference_alone_or_in_another() -> None:
    earlier, later = with_cache(staging(), "state-cache-0a1b2c3"), with_cache(prod(), "state-cache-9f8e7d6")
    assert [(d.path, d.property) for d in differences(later, earlier)] == []


def test_a_name_that_the_program_chose_is_a_difference_where_it_is_used() -> None:
    earlier, later = with_cache(staging(), "state-cache"), with_cache(prod(), "other-cache")
    used = [(d.earlier, d.later) for d in differences(later, earlier) if d.property == "dimensions.CacheClusterId"]
    assert used == [("state-cache-001", "other-cache-001")]


@pytest.mark.parametrize(
    ("later", "place", "earlier_value", "later_value"),
    [
        (change(prod(), "reader", policy=document("s3:*")), "policy.Statement[Read].Action", "s3:GetObject", "s3:*"),
        (change(prod(), "vpc", cidrBlock="10.9.0.0/17"), "cidrBlock", "{network}/16", "{network}/17"),
        (change(prod(), "subnet-eu-west-1a", mapPublicIpOnLaunch=True), "mapPublicIpOnLaunch", "absent", "true"),
        (change(prod(), "subnet-eu-west-1a", vpcId="vpc-other"), "vpcId", "{Net/ec2.Vpc/vpc.id}", "vpc-other"),
        (change(prod(), "logs", kmsKeyId="arn:aws:kms:::key/1"), "kmsKeyId", "absent", "arn:aws:kms:::key/1"),
        (
            change(prod(), "task", containerDefinitions='[{"name": "web", "user": "0"}]'),
            "containerDefinitions[web].user", "10001", "0",
        ),
    ],
)  # fmt: skip
def test_a_change_of_one_property_is_one_difference(
    later: list[dict[str, object]], place: str, earlier_value: str, later_value: str
) -> None:
    found = [d for d in differences(later) if d.property == place]
    assert [(d.earlier, d.later, d.comparison) for d in found] == [(earlier_value, later_value, Comparison.EQUAL)]


def test_a_resource_on_one_side_is_one_difference_of_the_whole_resource() -> None:
    assert [(d.path, d.property, d.earlier, d.later) for d in differences(without(prod(), "logs"))] == [
        ("Net/cloudwatch.LogGroup/logs", "", "present", "absent")
    ]


def test_more_in_the_later_environment_is_forwards_and_less_is_backwards() -> None:
    more, less = (differences(change(prod(), "logs", retentionInDays=days)) for days in (90, 7))
    assert [(d.backwards, d.comparison) for d in more] == [(False, Comparison.ORDERED)]
    assert [(d.backwards, d.comparison) for d in less] == [(True, Comparison.ORDERED)]


def test_another_image_follows_the_release() -> None:
    containers = json.dumps([{"name": "web", "image": "x@sha256:other", "user": "10001"}])
    assert differences(change(prod(), "task", containerDefinitions=containers)) == []


def test_lists_of_plain_values_are_sets() -> None:
    earlier, later = change(staging(), "vpc", zones=["a", "b"]), change(prod(), "vpc", zones=["b", "a"])
    assert differences(later, earlier) == []


def test_a_committed_shape_is_equal_to_what_it_was_made_of_and_stable() -> None:
    shapes = {"prod": shape(prod()), "staging": shape(staging())}
    assert to_files(dict(reversed(shapes.items()))) == to_files(shapes)
    for name, made_of in shapes.items():
        assert compare(committed(*shapes.values())[name], made_of, running=name) == []


def test_what_the_environments_share_is_committed_once_and_a_difference_by_itself() -> None:
    files = to_files({"prod": shape(change(prod(), "logs", retentionInDays=90)), "staging": shape(staging())})
    own = {name: json.loads(files[f"{name}.json"])["resources"] for name in ("prod", "staging")}
    shared = json.loads(files["shared.json"])
    assert own == {
        "prod": {"Net/cloudwatch.LogGroup/logs": {"retentionInDays": 90}},
        "staging": {"Net/cloudwatch.LogGroup/logs": {"retentionInDays": 30}},
    }
    assert shared["environments"] == ["prod", "staging"]
    assert shared["resources"]["Net/cloudwatch.LogGroup/logs"] == {"name": "/shop/{stack}"}


def test_a_resource_of_one_environment_is_whole_in_its_own_file() -> None:
    files = to_files({"prod": shape(prod()), "staging": shape(without(staging(), "logs"))})
    assert json.loads(files["prod.json"])["resources"] == {
        "Net/cloudwatch.LogGroup/logs": {"name": "/shop/{stack}", "retentionInDays": 30}
    }
    assert "logs" not in files["shared.json"]


def test_a_long_document_is_a_digest_in_the_manifest_and_a_change_in_it_is_still_found() -> None:
    def statements(count: int) -> str:
        return json.dumps({"Statement": [{"Sid": f"S{n}", "Action": ["a:b"]} for n in range(count)]})

    manifest = committed(shape(change(prod(), "reader", policy=statements(30))))["prod"]
    same = shape(change(staging(), "reader", policy=statements(30)))
    changed = shape(change(staging(), "reader", policy=statements(30).replace("a:b", "a:c", 1)))
    assert compare(same, manifest, running="staging") == []
    assert len(compare(changed, manifest, running="staging")) == 1


def test_no_secret_and_no_account_is_in_a_committed_shape() -> None:
    secret = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "value": "hunter2"}
    text = "".join(to_files({"prod": shape(change(prod(), "reader", password=secret))}).values())
    assert "hunter2" not in text
    assert "[secret]" in text
    assert "444455556666" not in text


@pytest.mark.parametrize(
    ("kind", "path", "expected"),
    [
        ("ecs.TaskDefinition", "cpu", Comparison.ORDERED),
        ("ecs.TaskDefinition", "containerDefinitions[proxy].image", Comparison.FOLLOWS),
        ("lb.Listener", "tags.Name", Comparison.FREE),
        ("lb.Listener", "sslPolicy", Comparison.EQUAL),
        ("appautoscaling.Target", "minCapacity", Comparison.ORDERED),
    ],
)
def test_the_table_says_how_a_property_is_compared(kind: str, path: str, expected: Comparison) -> None:
    assert comparison(kind, path) is expected


@pytest.mark.parametrize(
    ("earlier", "later", "backwards"),
    [
        ("cache.t4g.small", "cache.t4g.medium", False),
        ("cache.t4g.medium", "cache.t4g.small", True),
        ("cache.m7g.xlarge", "cache.m7g.2xlarge", False),
        ("cache.m7g.12xlarge", "cache.m7g.4xlarge", True),
        ("cache.t4g.large", "cache.m7g.large", False),
        ("cache.m7g.large", "a size of tomorrow", False),
    ],
)
def test_a_node_of_a_smaller_size_is_less(earlier: str, later: str, backwards: bool) -> None:
    def cached(entries: list[dict[str, object]], node_type: str) -> list[dict[str, object]]:
        logs = next(entry for entry in entries if entry["name"] == "logs")
        urn = str(logs["urn"]).replace("aws:cloudwatch/logGroup:LogGroup", CACHE).replace("::logs", "::cache")
        inputs = {"nodeType": node_type}
        cache = {**logs, "urn": urn, "type": CACHE, "name": "cache", "inputs": inputs, "outputs": {**inputs, "id": "c"}}
        return [*entries, {**cache, "property_dependencies": {"nodeType": []}}]

    found = differences(cached(prod(), later), cached(staging(), earlier))

    assert [(d.property, d.backwards, d.comparison) for d in found] == [("nodeType", backwards, Comparison.ORDERED)]
