"""Many generated networks against the kernel, several at a time; what disagrees is made smaller by hypothesis."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from .comparison import Outcome, compare, planned
from .generated import CLIENTS_V4, CLIENTS_V6, LISTENING, networks
from .recorded import Recorded

AT_ONCE = 8
"""How many networks run side by side: the wait for what is dropped is shared."""


class DisagreementError(AssertionError):
    """Topology and the kernel disagree; the message has the connections and the resources."""


def compare_all(made: list[Recorded]) -> Outcome:
    """The outcome of several networks side by side."""
    graphs = [recorded.graph() for recorded in made]
    plans = [planned(graph, CLIENTS_V4, CLIENTS_V6) for graph in graphs]
    return compare(graphs, plans, [LISTENING] * len(made))


def search(
    count: int, *, start: int | None = None, shrink: bool = True, progress: Callable[[Outcome], None] = lambda _: None
) -> Outcome:
    """Compare this many networks. Without ``start``, the same ones every time.

    Raises ``DisagreementError`` with the smallest network in which hypothesis finds a disagreement.
    """
    total = Outcome()

    @settings(
        max_examples=-(-count // AT_ONCE),
        deadline=None,
        database=None,
        derandomize=start is None,
        report_multiple_bugs=False,
        phases=[Phase.generate, Phase.shrink] if shrink else [Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(networks(), min_size=AT_ONCE, max_size=AT_ONCE))
    def run(made: list[Recorded]) -> None:
        outcome = compare_all(made)
        total.add(outcome)
        total.networks += len(made)
        progress(total)
        if outcome.disagreements:
            guilty = [recorded for recorded in made if compare_all([recorded]).disagreements] or made
            listed = "\n".join(recorded.describe() for recorded in guilty[:1])
            raise DisagreementError("\n".join([*outcome.disagreements[:5], listed]))

    (run if start is None else seed(start)(run))()
    return total
