"""Turns recorded resources into CloudFormation properties with the tables in ``translation``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, cast

from preflight.conform.translation.kind import TranslatedKind, inside, tags
from preflight.recording.recorder import RecordedResource
from preflight.sdk.wire import SECRET, Json, Wire, is_signed, unwrap

Path: TypeAlias = tuple[str | int, ...]
Names: TypeAlias = Callable[[str], Mapping[str, str]]
"""CloudFormation type → its property names at any depth, by their lower-case form."""


@dataclass(slots=True)
class Made:
    """The translation of one resource."""

    resource: RecordedResource
    kind: TranslatedKind
    properties: Wire = field(default_factory=dict[str, Json])
    """The CloudFormation properties."""
    arguments: Wire = field(default_factory=dict[str, Json])
    """The arguments of the provider's calls: the properties without ``within``, and those that were left out."""
    origins: dict[Path, str] = field(default_factory=dict[Path, str])
    """Path into ``properties`` → Pulumi property that it comes from."""
    sources: dict[Path, str] = field(default_factory=dict[Path, str])
    """Path into ``arguments`` → Pulumi property that it comes from."""

    def origin(self, path: Path, *, of_a_call: bool = False) -> str:
        """The Pulumi property that the value at ``path`` comes from; empty for the resource as a whole."""
        known = self.sources if of_a_call else self.origins
        return next((known[path[:n]] for n in range(len(path), 0, -1) if path[:n] in known), "")


def translate(resource: RecordedResource, kind: TranslatedKind, names: Names) -> Made:
    """Translate one resource. The result includes secrets and must not be printed.

    :raises ValueError: two properties are translated to the same one, a mistake in the table
    """
    made = Made(resource, kind)
    own: Wire = {}
    origins: dict[Path, str] = {}
    known: Mapping[str, str] = names(kind.cloudformation) if kind.cloudformation else {}
    for name, value in sorted(cast("Wire", unwrap(resource.inputs)).items()):
        if value is None:
            continue
        if name in kind.left_out:
            addition = tags()(value) if name == "tags" else {_pascal(name): converted(value, known, kind)}
            _add(made.arguments, addition, name, made.sources)
            continue
        usual = tags() if name == "tags" else known.get(name.lower(), _pascal(name))
        rule = kind.properties.get(name, usual)
        addition = rule(value) if callable(rule) else inside(rule, converted(value, known, kind))
        if name in kind.called:
            _add(made.arguments, kind.called[name](value), name, made.sources)
        if name in kind.outside or name in kind.called:
            _add(made.properties, addition, name, made.origins)
        if name in kind.outside:
            _add(made.arguments, addition, name, made.sources)
        elif name not in kind.called:
            _add(own, addition, name, origins)
    for rule, output in kind.added.items():
        if rule not in own and output in resource.outputs:
            _add(own, {rule: unwrap(resource.outputs[output])}, output, origins)
    _merge(made, own, origins)
    return made


def _merge(made: Made, own: Wire, origins: Mapping[Path, str]) -> None:
    for path, name in origins.items():
        made.origins[_prefix(made.kind.within) + path] = name
        made.sources[path] = name
    unnamed: dict[Path, str] = {}
    _add(made.arguments, own, "", unnamed)
    for name, value in made.kind.placeholders.items():
        (made.properties if name in made.kind.outside else own)[name] = value
    _add(made.properties, inside(made.kind.within, own) if made.kind.within and own else own, "", unnamed)


def _prefix(within: str) -> Path:
    path: Path = ()
    for part in within.split(".") if within else ():
        path += (part[1:-1], 0) if part.startswith("[") else (part,)
    return path


def converted(value: Json, known: Mapping[str, str], kind: TranslatedKind) -> Json:
    """``value`` with CloudFormation's field names."""
    if isinstance(value, dict):
        return {
            kind.nested.get(k, known.get(k.lower(), _pascal(k))): converted(_single(k, v, kind), known, kind)
            for k, v in cast("Wire", value).items()
            if v is not None
        }
    if isinstance(value, list):
        return [converted(item, known, kind) for item in cast("list[Json]", value)]
    return value


def _single(name: str, value: Json, kind: TranslatedKind) -> Json:
    if name not in kind.single or not isinstance(value, list):
        return value
    items = cast("list[Json]", value)
    return items[0] if len(items) == 1 else items


def secret_texts(value: Json, *, within: bool = False) -> set[str]:
    """Every text inside a secret, at any depth."""
    if is_signed(value, SECRET):
        return secret_texts(value["value"], within=True)
    if isinstance(value, dict):
        return set[str]().union(*(secret_texts(item, within=within) for item in cast("Wire", value).values()))
    if isinstance(value, list):
        return set[str]().union(*(secret_texts(item, within=within) for item in cast("list[Json]", value)))
    return {str(value)} if within and value is not None and not isinstance(value, bool) else set()


def _pascal(name: str) -> str:
    return name[:1].upper() + name[1:]


def _add(target: Wire, addition: Mapping[str, Json], name: str, origins: dict[Path, str], path: Path = ()) -> None:
    """Merge ``addition`` into ``target``: objects field by field; lists are concatenated."""
    for key, value in addition.items():
        here = (*path, key)
        before = target.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            _add(cast("Wire", before), cast("Wire", value), name, origins, here)
        elif isinstance(before, list) and isinstance(value, list):
            items = cast("list[Json]", value)
            for number, item in enumerate(items, len(cast("list[Json]", before))):
                origins[(*here, number)] = name
                cast("list[Json]", before).append(item)
        elif key in target:
            raise ValueError(f"two properties of {target} are translated to {key}")
        else:
            target[key] = list(cast("list[Json]", value)) if isinstance(value, list) else value
            origins[here] = name
            if isinstance(value, list):
                origins.update({(*here, number): name for number in range(len(cast("list[Json]", value)))})
