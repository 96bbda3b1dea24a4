"""Each limit as an amount of one kind of load, and which of them is reached first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from preflight.capacity.facts import MEBIBYTE, PROXY, Facts, Service
from preflight.conform.rates import WINDOW_SECONDS
from settings.consistency import BYTES_ON_DISK, FREE_PERCENT, MEBIBYTES_OF_A_GIBIBYTE

IDLE_PROXY_BYTES, STREAM_BYTES = 16_000_000, 166_000
"""The proxy's memory without a client, and for each answer that streams: its connection and its call of a model
(docs/measurements.md, "Streams and uploads")."""
APPLICATION = "application"
"""The proxy's cluster of the application."""
GROUP = "group-"
"""The prefix of its clusters of model groups."""


class Load(StrEnum):
    """A kind of load, in its unit."""

    CHATS = "answers that stream at the same time"
    VISITS = "first visits started per minute, with an empty browser cache"
    UPLOADS = "uploads of the largest size that arrive at the same time"
    REQUESTS = "requests per second, in the mix of a first visit"


class Effect(StrEnum):
    """The consequence of a limit."""

    REFUSED = "refused"
    SCALES = "a task is added"


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit."""

    load: Load
    name: str
    amount: float
    """In the unit of the load, for each task of ``service`` or as a whole."""
    service: str
    """The service whose tasks each have it; empty: it does not grow with the tasks."""
    effect: Effect
    consequence: str
    setting: str
    """The setting or constant behind it."""

    def total(self, tasks: int) -> float:
        """The amount with this number of tasks of its service."""
        return self.amount * tasks if self.service else self.amount


@dataclass(frozen=True, slots=True)
class Stage:
    """One number of tasks of each service."""

    name: str
    tasks: dict[str, int]


def stages(facts: Facts) -> tuple[Stage, ...]:
    """Minimum and maximum, each with all zones and with one zone gone."""
    every = (facts.interface, *facts.others)
    return (
        Stage("minimum", {one.name: one.minimum for one in every}),
        Stage("minimum, one zone gone", {one.name: one.after_a_zone(one.minimum) for one in every}),
        Stage("maximum", {one.name: one.maximum for one in every}),
        Stage("maximum, one zone gone", {one.name: one.after_a_zone(one.maximum) for one in every}),
    )


def limits(facts: Facts) -> list[Limit]:
    """Every limit, sorted by load and name."""
    found = [*_chats(facts), *_visits(facts), *_uploads(facts), *_requests(facts)]
    order = list(Load)
    return sorted(found, key=lambda one: (order.index(one.load), one.name))


def first(found: list[Limit], load: Load, stage: Stage, effect: Effect = Effect.REFUSED) -> Limit | None:
    """The limit that is reached first; of equal ones the first by name. ``None``: there is none."""
    same = [one for one in found if one.load is load and one.effect is effect]
    return min(same, key=lambda one: (one.total(stage.tasks.get(one.service, 0)), one.name), default=None)


def _chats(facts: Facts) -> Iterator[Limit]:
    service = facts.interface
    proxy = service.envoys[PROXY]
    for cluster, requests in sorted(proxy.clusters.items()):
        if cluster.startswith(GROUP):
            group = cluster.removeprefix(GROUP)
            yield _of(
                service,
                Load.CHATS,
                f"calls of the model group {group}",
                requests,
                "503",
                "`model_requests` of the proxy",
            )
    yield _of(
        service, Load.CHATS, "connections from the load balancer", proxy.connections,
        "new connections are closed, and the load balancer returns 502", "`maximum_connections` of the proxy",
    )  # fmt: skip
    yield _of(
        service, Load.CHATS, "requests to the application", proxy.clusters[APPLICATION], "503",
        "`maximum_connections` of the proxy",
    )  # fmt: skip
    if proxy.heap_bytes:
        streams = max(0, proxy.heap_bytes - IDLE_PROXY_BYTES) // STREAM_BYTES
        yield _of(
            service, Load.CHATS, "memory of the proxy", streams, "503 to every new request",
            f"the proxy's {proxy.heap_bytes // 1_000_000} MB, at {STREAM_BYTES // 1000} KB for each answer "
            "([measured](measurements.md))",
        )  # fmt: skip
    if (target := service.targets.get("streams")) is not None:
        yield _of(
            service, Load.CHATS, "scaling on streams", target, "a task is added", "[scaling](scaling.md)", Effect.SCALES
        )
    for other in facts.others:
        for container, envoy in sorted(other.envoys.items()):
            requests = min(envoy.clusters.values(), default=envoy.connections)
            yield _of(
                other,
                Load.CHATS,
                f"calls through {container}",
                min(requests, envoy.connections),
                "503",
                f"the service {other.name}",
            )


_WHERE = {False: "", True: " of an office network"}


def _visits(facts: Facts) -> Iterator[Limit]:
    for rate in facts.rates:
        if rate.by_address:
            yield Limit(
                Load.VISITS, f"from one address{_WHERE[rate.office]}: {rate.name}", rate.limit / rate.each * 60 / WINDOW_SECONDS, "",
                Effect.REFUSED, "429 to everyone behind this address", "`limits.rates`",
            )  # fmt: skip
    requests = facts.interface.targets.get("ALBRequestCountPerTarget")
    if requests is not None and facts.session_requests:
        yield _of(
            facts.interface, Load.VISITS, "scaling on requests", requests / facts.session_requests, "a task is added",
            f"[scaling](scaling.md), at {facts.session_requests} requests for each visit", Effect.SCALES,
        )  # fmt: skip


def _uploads(facts: Facts) -> Iterator[Limit]:
    service, mebibytes = facts.interface, facts.upload_bytes / MEBIBYTE
    if mebibytes:
        free = service.disk_gibibytes * MEBIBYTES_OF_A_GIBIBYTE * FREE_PERCENT // 100
        yield _of(
            service, Load.UPLOADS, "free disk", free // (BYTES_ON_DISK * mebibytes), "every upload to this task fails",
            f"`capacity.ephemeralGibibytes` and `limits.uploadMebibytes` ({mebibytes:g})",
        )  # fmt: skip
    yield _of(
        service, Load.UPLOADS, "connections from the load balancer", service.envoys[PROXY].connections,
        "new connections are closed, and the load balancer returns 502", "`maximum_connections` of the proxy",
    )  # fmt: skip


def _requests(facts: Facts) -> Iterator[Limit]:
    for rate in facts.rates:
        if rate.by_address:
            yield Limit(
                Load.REQUESTS, f"from one address{_WHERE[rate.office]}: {rate.name}",
                rate.limit / rate.each * facts.session_requests / WINDOW_SECONDS, "", Effect.REFUSED,
                "429 to everyone behind this address", "`limits.rates`",
            )  # fmt: skip
    if (target := facts.interface.targets.get("ALBRequestCountPerTarget")) is not None:
        yield _of(
            facts.interface, Load.REQUESTS, "scaling on requests", target / 60, "a task is added",
            "[scaling](scaling.md)", Effect.SCALES,
        )  # fmt: skip


def _of(  # noqa: PLR0917 - the fields of a limit in their order
    service: Service, load: Load, name: str, amount: float, consequence: str, setting: str, effect: Effect = Effect.REFUSED
) -> Limit:  # fmt: skip
    return Limit(load, name, amount, service.name, effect, consequence, setting)
