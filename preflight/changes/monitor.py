"""The engine's preview of a running stack, offline: the program registers its resources against the running ones.

Each resource is compared with the running one of the same URN. A resource that stays or changes in place keeps its
computed values, so resources that refer to it stay the same. The computed values of a resource that is created or
replaced are unknown until the update has run, so resources that refer to it change. The engine's preview propagates a
change in the same way; the engine tests compare both step by step (``tests/engine/test_changes.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeAlias, cast

from preflight.changes import replacement
from preflight.changes.computed import computed_again
from preflight.changes.plan import Operation, Plan, Step
from preflight.fakes.fakes import FakeAnswer, Fakes
from preflight.recording.recorder import RecordedResource, Recording, RecordingMonitor, record
from preflight.sdk.wire import MASK, UNKNOWN, Json, Wire, has_unknown, mask, unwrap

Message: TypeAlias = Any
PROVIDER = "pulumi:providers:"


class RunningMonitor(RecordingMonitor):
    """Answers registrations as the engine does at the preview of a running stack."""

    def __init__(
        self,
        fakes: Fakes,
        recording: Recording,
        config: Mapping[str, str],
        *,
        running: Recording,
        steps: dict[str, Step],
        adopted: dict[str, str],
    ) -> None:
        super().__init__(fakes, recording, config)
        self._running_fakes = fakes
        self._running = {resource.urn: resource for resource in running.resources}
        self._steps = steps
        self._condemned: set[str] = set()
        self._adopted = adopted
        for resource in running.resources:
            if resource.custom and resource.id:
                fakes.remember(resource.id, unwrap(resource.outputs))

    def answer(self, request: Message, urn: str, inputs: Wire) -> FakeAnswer:
        """Decide the operation on one resource, and which of its values are known before the update."""
        old = self._running.get(urn) or self._former(request, urn)
        if old is None or not old.custom or old.external or request.importId:
            if old is None and not request.importId:
                self._steps[urn] = Step(urn, Operation.CREATE)
            return super().answer(request, urn, inputs)
        changed = differing(old.inputs, self.cleaned(inputs), set(request.ignoreChanges))
        replacing = _replacing(request.type, changed, request.replaceOnChanges)
        if replacing or old.urn in self._condemned:
            first = _deletes_first(request, old, inputs) or old.urn in self._condemned
            self._steps[urn] = Step(urn, Operation.REPLACE, tuple(changed), tuple(replacing), first, old)
            if first:
                self._condemn(old.urn)
            return self._running_fakes.resource(request.type, request.name, inputs, f"{urn}~1", preview=True)
        if changed:
            self._steps[urn] = Step(urn, Operation.UPDATE, tuple(changed), old=old)
        made = self._running_fakes.resource(request.type, request.name, inputs, urn, preview=False)
        unknown = dict.fromkeys(computed_again(request.type, changed), UNKNOWN)
        return FakeAnswer(old.id, {**_kept(old, inputs, made.outputs), **unknown}, made.known)

    def _former(self, request: Message, urn: str) -> RecordedResource | None:
        """The running resource with an earlier name of this resource, or of a component that contains it."""
        own = [self.alias(request, alias) for alias in request.aliases]
        names = [*own, *self._inherited(request.parent, request.type, request.name)]
        found = next((self._running[one] for one in names if one in self._running), None)
        if found is not None:
            self._adopted[urn] = found.urn
        return found

    def _inherited(self, parent: str, type_: str, name: str) -> list[str]:
        """The URNs that the engine derives from the aliases of the parent.

        If a child's name begins with its parent's, the engine also replaces that prefix by the parent's earlier name.
        """
        now = self.recorded.get(parent)
        if now is None:
            return []
        urns: list[str] = []
        for former in (*now.aliases, *self._inherited(now.parent, now.type, now.name)):
            before, qualified, former_name = former.rsplit("::", 2)
            renamed = f"{former_name}{name.removeprefix(now.name)}" if name.startswith(now.name) else name
            urns.append(f"{before}::{qualified}${type_}::{renamed}")
        return urns

    def _condemn(self, root: str) -> None:
        """The dependents that have to be deleted before ``root``, because they need its present values."""
        gone = {root, *self._condemned}
        found = True
        while found:
            found = False
            for urn, resource in sorted(self._running.items()):
                if urn in gone or urn in self.recorded or not resource.custom or resource.external:
                    continue
                depending = [name for name, urns in resource.property_dependencies.items() if gone & set(urns)]
                if _replacing(resource.type, depending, resource.replace_on_changes):
                    gone.add(urn)
                    self._condemned.add(urn)
                    found = True


def _replacing(type_: str, changed: Iterable[str], on_changes: Iterable[str]) -> list[str]:
    """The changed inputs that replace a resource, sorted: because of its type, or because the program wants it. A star is every
    input (https://www.pulumi.com/docs/iac/concepts/resources/options/replaceonchanges/)."""
    wanted = set(on_changes)
    return sorted(n for n in changed if "*" in wanted or n in wanted or replacement.replaces(type_, n))


def differing(old: Wire, new: Wire, ignored: set[str]) -> list[str]:
    """The top-level inputs that change, or that may change because they are unknown before the update. If ``old``
    contains masks instead of secrets, as a base from git does, a changed secret is not detected."""
    names = sorted({name for name in (*old, *new) if not name.startswith("__")} - ignored)
    return [name for name in names if _differs(old.get(name), new.get(name))]


def _differs(old: Json, new: Json) -> bool:
    masked = _masked(old) and not has_unknown(new)
    return mask(old) != mask(new) if masked else unwrap(old) != unwrap(new)


def _deletes_first(request: Message, old: RecordedResource, inputs: Wire) -> bool:
    """Whether the old resource is deleted before the new one is created, as the provider or the program demands."""
    if getattr(request, "deleteBeforeReplaceDefined", False):
        return bool(request.deleteBeforeReplace)
    key = replacement.name_property(request.type)
    return key in inputs and unwrap(old.inputs.get(key)) == unwrap(inputs[key])


def _kept(old: RecordedResource, inputs: Wire, made: Wire) -> Wire:
    """Outputs of a resource that stays: the old ones with the new inputs. Masks are not values."""
    dropped = set(old.inputs) - set(inputs)
    has = {key: value for key, value in old.outputs.items() if key not in dropped and not _masked(value)}
    return dict(sorted({**{k: v for k, v in made.items() if k not in dropped}, **has, **inputs}.items()))


def _masked(value: Json) -> bool:
    """Whether a secret has been replaced by its mask."""
    if isinstance(value, dict):
        return any(_masked(item) for item in cast("Wire", value).values())
    return any(_masked(item) for item in cast("list[Json]", value)) if isinstance(value, list) else value == MASK


@dataclass(frozen=True, slots=True)
class Against:
    """A run of the program against ``running``; afterwards ``steps`` contains the result."""

    running: Recording
    steps: dict[str, Step] = field(default_factory=dict[str, Step])
    adopted: dict[str, str] = field(default_factory=dict[str, str])
    """URN → the URN of the running resource that was matched by an earlier name."""

    def monitor(self) -> Callable[[Fakes, Recording, Mapping[str, str]], RecordingMonitor]:
        """Create the monitor, for ``record``."""
        return partial(RunningMonitor, running=self.running, steps=self.steps, adopted=self.adopted)

    def plan(self, after: Recording) -> Plan:
        """The plan, once the program has run."""
        before = {resource.urn: resource for resource in self.running.resources}
        adopted = set(self.adopted.values())
        now = {resource.urn: resource for resource in after.resources}
        steps = {urn: replace(step, new=now.get(urn)) for urn, step in sorted(self.steps.items())}
        for urn, resource in sorted(before.items()):
            kept = not resource.custom or resource.external or urn in adopted
            if urn not in now and not kept and not resource.type.startswith(PROVIDER):
                steps[urn] = Step(urn, Operation.DELETE, old=resource)
        renamed = dict(sorted(self.adopted.items()))
        return Plan(after.stack, self.running, after, steps, _provider_changes(before, now), renamed)


def _provider_changes(before: Mapping[str, RecordedResource], now: Mapping[str, RecordedResource]) -> tuple[str, ...]:
    found: set[str] = set()
    for urn in before.keys() & now.keys():
        if before[urn].type == f"{PROVIDER}aws":
            found.update(differing(before[urn].inputs, now[urn].inputs, {"version"}))
    return tuple(sorted(found))


def planned(
    program: Callable[[], Any],
    running: Recording,
    *,
    config: Mapping[str, str],
    secret_keys: tuple[str, ...] = (),
    strict: bool = True,
) -> Plan:
    """The effect of an update with ``program`` and ``config`` on ``running``, in this process."""
    against = Against(running)
    after = record(
        program,
        project=running.project,
        stack=running.stack,
        config=config,
        secret_keys=secret_keys,
        preview=True,
        strict=strict,
        monitored=against.monitor(),
    )
    return against.plan(after)
