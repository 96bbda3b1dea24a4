"""Many generated networks against the kernel, several at a time; what disagrees is made smaller."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from policies.guardrails.topology.graph.resources import kind_of
from policies.guardrails.topology.graph.values import as_list

from .comparison import Outcome, compare, planned
from .generated import CLIENTS_V4, CLIENTS_V6, LISTENING, networks
from .probes import PATIENT_SECONDS
from .recorded import Record, Recorded

AT_ONCE = 8
"""How many networks run side by side: the wait for what is dropped is shared."""


class DisagreementError(AssertionError):
    """Topology and the kernel disagree; the message has the connections and the resources."""


class _Found(BaseException):
    """Ends the search at once: hypothesis would repeat the networks to make them smaller, which takes minutes."""

    def __init__(self, made: list[Recorded], outcome: Outcome) -> None:
        super().__init__()
        self.made = made
        self.outcome = outcome


def compare_all(made: list[Recorded], patience: Sequence[float] = PATIENT_SECONDS) -> Outcome:
    """The outcome of several networks side by side."""
    graphs = [recorded.graph() for recorded in made]
    plans = [planned(graph, CLIENTS_V4, CLIENTS_V6) for graph in graphs]
    return compare(graphs, plans, [LISTENING] * len(made), patience)


def search(
    count: int,
    *,
    start: int | None = None,
    patience: Sequence[float] = PATIENT_SECONDS,
    smaller: bool = True,
    progress: Callable[[Outcome], None] = lambda _: None,
) -> Outcome:
    """Compare this many networks. Without ``start``, the same ones every time.

    Raises ``DisagreementError`` with the first network that disagrees, made ``smaller`` where that is wanted.
    """
    total = Outcome()

    @settings(
        max_examples=-(-count // AT_ONCE),
        deadline=None,
        database=None,
        derandomize=start is None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
    )
    @given(st.lists(networks(), min_size=AT_ONCE, max_size=AT_ONCE))
    def run(made: list[Recorded]) -> None:
        outcome = compare_all(made, patience)
        total.add(outcome)
        progress(total)
        if outcome.disagreements:
            raise _Found(made, outcome)

    try:
        (run if start is None else seed(start)(run))()
    except _Found as found:
        first = found.outcome.disagreements[0]
        recorded, texts = found.made[first.network], [item.text for item in found.outcome.disagreements]
        if smaller:
            recorded, texts = reduced(recorded, first.kind)
        raise DisagreementError("\n".join([*texts[:3], recorded.describe()])) from None
    return total


_KEPT = ("ec2.Vpc", "ec2.Subnet", "ec2.InternetGateway")
_LISTS = ("ingress", "egress", "routes", "entries", "securityGroups", "securityGroupIds", "vpcSecurityGroupIds")


def reduced(recorded: Recorded, kind: str) -> tuple[Recorded, list[str]]:
    """The same network without everything that a disagreement of this kind does not need."""

    def disagreements(candidate: Recorded) -> list[str]:
        try:
            outcome = compare_all([candidate], [0.3])
        except (KeyError, RuntimeError, ValueError):
            return []  # what is left makes no network
        return [item.text for item in outcome.disagreements if item.kind == kind]

    texts = disagreements(recorded)
    queue = list(_without_one(recorded)) if texts else []
    while queue:
        candidate = queue.pop(0)
        if found := disagreements(candidate):
            recorded, texts = candidate, found
            queue = list(_without_one(recorded))
    return recorded, texts


def _without_one(recorded: Recorded) -> Iterator[Recorded]:
    """The network without one resource, or without one entry of a list, those declared last first."""
    for index in reversed(range(len(recorded.records))):
        record = recorded.records[index]
        if kind_of(record["type"]) not in _KEPT and not recorded.names(record["id"]):
            yield recorded.having([*recorded.records[:index], *recorded.records[index + 1 :]])
        for name in _LISTS:
            entries = as_list(record["inputs"].get(name)) or []
            for position in range(len(entries)):
                fewer: Record = {name: [*entries[:position], *entries[position + 1 :]]}
                changed: Record = {part: {**record[part], **fewer} for part in ("inputs", "outputs")}
                yield recorded.having(
                    [*recorded.records[:index], {**record, **changed}, *recorded.records[index + 1 :]]
                )
