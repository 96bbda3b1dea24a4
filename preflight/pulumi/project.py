"""A Pulumi project and its stack files, read as Pulumi reads them, without the CLI.

Defaults come from ``Pulumi.yaml``; a stack's value replaces the whole default; structured values reach the program as
JSON text; encrypted values are never decrypted, and placeholders are used instead.
"""

from __future__ import annotations

import difflib
import importlib.util
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import yaml

from preflight.errors import ConfigurationError
from preflight.fakes.values import Digest
from preflight.pulumi import modules
from preflight.sdk.wire import Json, Wire

_STACK_FILE = ("config", "encryptedkey", "encryptionsalt", "environment", "secretsprovider")
"""The top-level keys that Pulumi reads from a stack file."""
_PROVIDER_KEY = re.compile(r"__config__\.get\w*\('(\w+)'\)")
_TYPES = ("string", "integer", "boolean", "array", "object")


class _Loader(yaml.SafeLoader):
    """Dates stay text, and a key that is given twice is a mistake, as in Pulumi."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """The mapping; with one key twice, which of the two values counts would be an accident."""
        seen: dict[str, int] = {}
        for key, _ in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in seen and not name.startswith("<<"):
                raise yaml.YAMLError(f"the key {name} is given twice, in lines {seen[name]} and {line}: remove one")
            seen[name] = line
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@dataclass(frozen=True, slots=True)
class Project:
    """``Pulumi.yaml``: the project's name, the location of its program, and the configuration that it declares."""

    root: Path
    name: str
    program: Path
    declared: Mapping[str, Json]
    """Full key (``<namespace>:<name>``) to the declaration in ``Pulumi.yaml``."""
    runtime: str = "python"
    """The language of the program, as ``Pulumi.yaml`` names it."""
    virtualenv: str = ""
    """The program's virtual environment, relative to ``root``; empty if ``Pulumi.yaml`` names none."""

    @classmethod
    def load(cls, root: Path) -> Project:
        """Read the project in ``root``."""
        content = _mapping(_read(root / "Pulumi.yaml"), root / "Pulumi.yaml")
        name = str(content.get("name") or "")
        if not name:
            raise ConfigurationError("Pulumi.yaml: name is missing")
        declared = _mapping(content.get("config") or {}, root / "Pulumi.yaml", "config")
        program = root / str(content.get("main") or ".")
        keys = {_full(name, key): value for key, value in declared.items()}
        return cls(root, name, program, keys, *_runtime(content.get("runtime"), root / "Pulumi.yaml"))

    def stacks(self) -> list[str]:
        """The stacks that have a file here, sorted."""
        return sorted(
            path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in self.root.glob("Pulumi.*.yaml")
        )

    def stack(self, name: str) -> Stack:
        """The configuration of one stack."""
        path = self.root / f"Pulumi.{name}.yaml"
        if not path.is_file():
            known = ", ".join(self.stacks()) or "none"
            raise ConfigurationError(f"there is no stack file {path.name}; stacks with a file here: {known}")
        content = _mapping(_read(path), path)
        given = _mapping(content.get("config") or {}, path, "config")
        values = {_full(self.name, key): value for key, value in given.items()}
        problems = [f"{path.name}: {problem}" for problem in (*_unread(content), *self._strange(values))]
        config: dict[str, str] = {}
        secrets: list[str] = []
        for key in sorted({*self.declared, *values}):
            declaration = self.declared.get(key)
            value = values.get(key, _default(declaration))
            if value is None:
                problems.append(f"{path.name}: {key} is missing; {self._instead_of(key, values)}")
                continue
            if problem := _mismatch(declaration, value):
                problems.append(f"{path.name}: {key} {problem}")
            plain, is_secret = _plain(value, f"{self.name} {name} {key}")
            config[key] = _text(plain)
            if is_secret or (isinstance(declaration, dict) and cast("Wire", declaration).get("secret")):
                secrets.append(key)
        if problems:
            raise ConfigurationError("\n".join(problems))
        return Stack(name, path, config, tuple(secrets))

    def _instead_of(self, missing: str, given: Iterable[str]) -> str:
        """Why a key is needed, or the key that was probably written instead of it."""
        namespace, _, name = missing.partition(":")
        others = [key.removeprefix(f"{namespace}:") for key in sorted(set(given) - set(self.declared))]
        near = difflib.get_close_matches(name, others, n=1)
        return f"did you mean it by {namespace}:{near[0]}?" if near else "Pulumi.yaml declares it without a default"

    def _strange(self, keys: Iterable[str]) -> Iterator[str]:
        """Unused configuration: a namespace, or a provider's key, that does not exist.

        A program may read any namespace. In another repository, only one that resembles a known namespace is a mistake.
        """
        declared = {key.partition(":")[0] for key in self.declared}
        names = [self.name, "pulumi", "aws", *declared]
        is_own = modules.is_own(self.program)
        for key in sorted(keys):
            namespace, _, name = key.partition(":")
            if namespace in (self.name, "pulumi"):
                continue
            known = _provider_keys(namespace)
            near = difflib.get_close_matches(namespace, names, n=1)
            if known is None and namespace not in declared and (is_own or near):
                allowed = f"{self.name}, pulumi, or an installed provider such as aws"
                yield f"{key} has the unknown namespace {namespace}; allowed: {allowed}"
            elif known and name.partition(".")[0] not in known:
                near = difflib.get_close_matches(name, sorted(known), n=1)
                yield f"{key} is not a setting of the provider {namespace}" + (
                    f"; did you mean {near[0]}?" if near else ""
                )


def _unread(content: Wire) -> Iterator[str]:
    for key in sorted(set(content) - set(_STACK_FILE)):
        yield f"{key} is not read by Pulumi; allowed: {', '.join(_STACK_FILE)}"


@lru_cache(maxsize=32)
def _provider_keys(namespace: str) -> frozenset[str] | None:
    """The settings of an installed provider, read from its package without importing it; ``None`` without one."""
    package = f"pulumi_{namespace.replace('-', '_')}"
    found = importlib.util.find_spec(package) if package.isidentifier() else None
    if found is None or found.origin is None:
        return None
    file = Path(found.origin).parent / "config" / "vars.py"
    return frozenset(_PROVIDER_KEY.findall(file.read_text(encoding="utf-8")) if file.is_file() else ())


@dataclass(frozen=True, slots=True)
class Stack:
    """One environment's configuration as the program receives it."""

    name: str
    path: Path
    config: Mapping[str, str]
    secret_keys: tuple[str, ...]


def _read(path: Path) -> Json:
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - derived from the safe loader
    except FileNotFoundError:
        raise ConfigurationError(f"{path.name} is missing in {path.parent}: run this in the project's folder") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path.name} is not readable YAML: {' '.join(str(error).split())}") from None


def _mapping(value: Json, path: Path, key: str = "") -> Wire:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ConfigurationError(f"{path.name}: {key or 'the file'} is not a mapping of keys to values")
    return {str(name): item for name, item in cast("dict[Any, Json]", value).items()}


def _runtime(value: Json, path: Path) -> tuple[str, str]:
    """The language, and the virtual environment of a Python program."""
    if not isinstance(value, dict):
        return str(value or "python"), ""
    given = cast("Wire", value)
    options = _mapping(given.get("options"), path, "runtime.options")
    return str(given.get("name") or "python"), str(options.get("virtualenv") or "")


def _full(project: str, key: str) -> str:
    return key if ":" in key else f"{project}:{key}"


def _default(declaration: Json) -> Json:
    if not isinstance(declaration, dict):
        return declaration
    given = cast("Wire", declaration)
    return given.get("value", given.get("default"))


def _mismatch(declaration: Json, value: Json) -> str:
    if not isinstance(declaration, dict):
        return ""
    given = cast("Wire", declaration)
    wanted = given.get("type")
    if wanted is None or _is_secure(value) or _is_a(wanted, value, given.get("items")):
        return ""
    if wanted not in _TYPES:
        return f"is declared with type {wanted!r} in Pulumi.yaml; allowed: {', '.join(_TYPES)}"
    return f"must be of type {wanted}, as Pulumi.yaml declares it; found {type(value).__name__}"


def _is_a(wanted: str, value: Json, items: Json) -> bool:
    if wanted == "string":
        return isinstance(value, str)
    if wanted == "integer":
        return (isinstance(value, int) and not isinstance(value, bool)) or (
            isinstance(value, str) and value.removeprefix("-").isdigit()
        )
    if wanted == "boolean":
        return isinstance(value, bool) or value in {"true", "false"}
    if wanted == "object":
        return isinstance(value, dict)
    if wanted == "array" and isinstance(value, list):
        kind = cast("Wire", items).get("type") if isinstance(items, dict) else None
        inner = cast("Wire", items).get("items") if isinstance(items, dict) else None
        return kind is None or all(_is_a(kind, item, inner) for item in cast("list[Json]", value))
    return False


def _is_secure(value: Json) -> bool:
    return isinstance(value, dict) and list(cast("Wire", value)) == ["secure"]


def _plain(value: Json, seed: str) -> tuple[Json, bool]:
    """The value with placeholders for encrypted parts, and whether there were any."""
    if _is_secure(value):
        return f"offline-{Digest(seed).base36(32)}", True
    if isinstance(value, dict):
        parts = {str(k): _plain(item, f"{seed}.{k}") for k, item in cast("dict[Any, Json]", value).items()}
        return {key: item for key, (item, _) in parts.items()}, _any(is_secret for _, is_secret in parts.values())
    if isinstance(value, list):
        items = [_plain(item, f"{seed}[{number}]") for number, item in enumerate(cast("list[Json]", value))]
        return [item for item, _ in items], _any(is_secret for _, is_secret in items)
    return value, False


def _any(flags: Iterable[bool]) -> bool:
    return any(list(flags))


def _text(value: Json) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
