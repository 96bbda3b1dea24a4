"""The cache of prod, as the graph says: TLS, the password of the secret's URL, failover and metrics."""

from __future__ import annotations

import subprocess
import time
from urllib.parse import urlsplit

import pytest

from local.authority import Authority
from local.data.cache import GROUP, NAMESPACE, Cache, InvalidCacheError
from local.wiring import Loopback
from tests.local.around import SECRET_VERSION, World, nodes, stack_of, until


@pytest.fixture(scope="module")
def url(prod: World) -> str:
    """What a task gets as ``REDIS_URL``."""
    (found,) = [str(one["secretString"]) for one in prod.stack.all(SECRET_VERSION) if "cache" in one.name]
    return found


def _ask(world: World, url: str, *command: str, host: str = "", tls: bool = True, trusted: str = "") -> str:
    """What redis-cli on another host prints."""
    parts = urlsplit(url)
    name = host or str(parts.hostname)
    file = world.cache.folder / "trusted.pem"
    file.write_text(trusted or world.cache.authority.certificate)
    encrypted = ["--tls", "--cacert", str(file), "--sni", name] if tls else []
    client = ["redis-cli", "-h", world.cache.names()[name], "-p", str(parts.port), *encrypted]
    done = subprocess.run(  # noqa: S603 - Debian's program
        world.wiring.command(world.outside.host, [*client, "--no-auth-warning", "-a", str(parts.password), *command]),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=20,
        check=False,
    )
    return done.stdout.strip()


def test_the_url_of_the_secret_gets_in_by_tls_and_nothing_else_does(prod: World, url: str) -> None:
    assert prod.cache.reached_by(url) == ""
    assert _ask(prod, url, "PING") == "PONG"
    assert "WRONGPASS" in _ask(prod, url.replace("default:", "default:x"), "PING")
    assert "PONG" not in _ask(prod, url, "PING", tls=False)
    assert "certificate verify failed" in _ask(prod, url, "PING", trusted=Authority.make().certificate)


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (("rediss", "redis"), "scheme is redis, but transitEncryptionEnabled is true"),
        ((":6379", ":6380"), "port is 6380, but the group's port is 6379"),
        (("master.", "primary."), "is not a name of the cache"),
        (("default:", "default:x"), "password is not the group's authToken"),
    ],
)
def test_a_wrong_url_is_explained(prod: World, url: str, change: tuple[str, str], cause: str) -> None:
    assert cause in prod.cache.reached_by(url.replace(*change))


def test_a_failover_keeps_the_data_and_moves_the_name(prod: World, url: str) -> None:
    before = dict(prod.cache.names())
    primary = str(urlsplit(url).hostname)
    assert _ask(prod, url, "SET", "kept", "1") == "OK"
    assert until(30, lambda: _ask(prod, url, "GET", "kept", host=str(prod.cache.group["readerEndpointAddress"])))

    prod.cache.failover(0)

    assert prod.cache.names()[primary] != before[primary]
    assert _ask(prod, url, "GET", "kept") == "1"
    assert "READONLY" in _ask(prod, url, "SET", "a", "1", host=str(prod.cache.group["readerEndpointAddress"]))


def test_a_rotated_password_is_accepted_besides_the_current_one(prod: World, url: str) -> None:
    other = url.replace("default:", "default:another-token-of-")
    assert "WRONGPASS" in _ask(prod, other, "PING")

    prod.cache.rotate(str(urlsplit(other).password))

    assert (_ask(prod, other, "PING"), _ask(prod, url, "PING")) == ("PONG", "PONG")


def test_metrics_have_the_dimensions_that_alarms_read(prod: World) -> None:
    since = time.time()
    prod.cache.measure()

    emitted = {(one.name, one.dimensions) for one in prod.cache.metrics.since(since)}
    queries = [
        query["metric"]
        for alarm in prod.stack.all("aws:cloudwatch/metricAlarm:MetricAlarm")
        for query in alarm.get("metricQueries", [])
        if query.get("metric", {}).get("namespace") == NAMESPACE
    ]
    nodes_ = {str(value) for query in queries for value in query["dimensions"].values()}
    unknown = {str(query["metricName"]) for query in queries} - {name for name, _ in emitted}
    assert nodes_ == set(prod.cache.members)
    # What only the real hardware has.
    assert unknown == {"EngineCPUUtilization", "DatabaseMemoryUsagePercentage"}


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"parameterGroupName": "default.valkey7"}, "parameterGroupName is default.valkey7, but the engine is valkey8"),
        ({"transitEncryptionEnabled": False}, "authToken needs transitEncryptionEnabled"),
        ({"numCacheClusters": 3}, "numCacheClusters is 3, but the group has 2 members"),
        ({"clusterMode": "enabled"}, "clusterMode: the twin supports only disabled"),
    ],
)
def test_a_group_that_elasticache_would_not_make_is_refused(inputs: dict[str, object], message: str) -> None:
    stack = stack_of("prod")
    broken = stack.changed(stack.one(GROUP), **inputs)

    with pytest.raises(InvalidCacheError, match=message):
        Cache(broken, Loopback(), nodes(broken, 1), Authority.make())
