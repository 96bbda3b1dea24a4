"""cfn-lint as ``cloudformation`` uses it: the same rules with the same results in about half the time.

cfn-lint is made for one template of a few resources. For every value it asks each of its rules whether it applies, and for
every resource it builds new classes and resolves the same references again. Here the rules of a keyword are looked up, and a
class or a reference is made once. A process that evaluates several graphs evaluates a resource that is the same in all of them
once. ``tests/preflight/conform/test_linter.py`` compares the results with those of cfn-lint alone.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias, cast

from preflight.conform import evolving
from preflight.conform.installed import install
from preflight.conform.translate import Path
from preflight.errors import PreflightError
from preflight.sdk.wire import Wire

Part: TypeAlias = Any
"""An object of cfn-lint, which has no types to rely on."""

_PARTS = (
    *("config", "context.context", "helpers", "jsonschema._filter", "jsonschema._utils", "rules", "runner"),
    *("schema", "schema.resolver", "template", "version"),
)
_EVERY_KEYWORD = "E1101"
"""The rule that asks all others about a value."""
_NOT_ERRORS = ("W", "I")
"""The ids of rules that warn and inform begin with one of these."""
_PROPERTIES = "E3002"
"""The rule that evaluates a resource's properties."""


class Linter:
    """cfn-lint, imported when first needed, because importing it takes half a second."""

    def __init__(self, *, faster: bool = True) -> None:
        try:
            parts = {part: importlib.import_module(f"cfnlint.{part}") for part in _PARTS}
        except ImportError as error:
            raise PreflightError(install(f"{error.name} is")) from error
        self._parts: dict[str, Any] = parts
        self._faster = faster
        self.version: str = self._parts["version"].__version__
        self.regions: frozenset[str] = frozenset(self._parts["helpers"].REGIONS)

    def schema(self, cloudformation: str, region: str) -> Wire:
        """The provider's schema of one type, with cfn-lint's patches."""
        manager = self._parts["schema"].PROVIDER_SCHEMA_MANAGER
        try:
            return cast("Wire", manager.get_resource_schema(region, cloudformation).schema)
        except self._parts["schema"].ResourceNotFoundError:
            return {}

    def matches(self, template: Wire, region: str, ignored: Iterable[str]) -> list[tuple[str, Path, str]]:
        """Rule, path and message of every error in a template, without duplicates, sorted."""
        config = self._parts["config"].ConfigMixIn([], regions=[region], ignore_checks=[*_NOT_ERRORS, *ignored])
        read = self._parts["template"].Template(None, template, [region])
        with self._copying():
            # The runner's own function is not used: without line numbers it merges equal messages about two resources.
            found = self.rules.run(filename=None, cfn=read, config=config)
            matches = {(match.rule.id, tuple(match.path), match.message) for match in found}
        return sorted(matches, key=lambda m: (m[0], tuple(map(str, m[1])), m[2]))

    def _copying(self) -> contextlib.AbstractContextManager[None]:
        if not self._faster:
            return contextlib.nullcontext()
        return evolving.installed(self._parts["context.context"], self._parts["jsonschema._filter"])

    @functools.cached_property
    def rules(self) -> Part:
        """All of cfn-lint's rules."""
        rules = self._parts["runner"].Runner(self._parts["config"].ConfigMixIn([])).rules
        if self._faster:
            resolvers = _Resolvers(self._parts["schema.resolver"])
            for rule in rules.data.values():
                if hasattr(rule, "extend_validator"):
                    rule.extend_validator = _extending(rule, resolvers)
                if rule.id.startswith(_NOT_ERRORS):
                    rule.match = _nothing  # cfn-lint searches the whole template for each, and drops what it finds
            asking = rules.data[_EVERY_KEYWORD]
            asking.cfnLint = _asking(asking, self._parts["jsonschema._utils"].Unset)
            properties = rules.data[_PROPERTIES]
            plain = self._parts["rules"].CloudFormationLintRule.initialize
            collecting = [rule for rule in rules.data.values() if rule.__class__.initialize is not plain]
            properties.validate = _remembering(properties.validate, _types(collecting))
        return rules


def _asking(asking: Part, unset: type) -> Callable[..., Iterator[Part]]:
    """``CfnLint.cfnLint``, with the rules of a keyword looked up instead of searched for each value."""
    by_keyword: dict[str, list[Part]] = {}

    def cfn_lint(validator: Part, keywords: Iterable[str], instance: object, schema: object) -> Iterator[Part]:
        if not by_keyword:  # cfn-lint assigns them when it evaluates a template, not before
            for rule in asking.child_rules.values():
                for keyword in rule.keywords if rule is not None and rule.id else ():
                    by_keyword.setdefault(keyword, []).append(rule)
        asked = [(keyword, rule) for keyword in keywords for rule in by_keyword.get(keyword, ())]
        if not asked:
            return
        within = validator.evolve(function_filter=validator.function_filter.evolve(add_cfn_lint_keyword=False))
        for keyword, rule in asked:
            for error in rule.validate(within, keyword, instance, schema):
                if error.rule is None and isinstance(error.validator, unset):
                    error.rule = rule
                yield error

    return cfn_lint


def _nothing(template: Part) -> list[Part]:
    return []


def _types(rules: Iterable[Part]) -> frozenset[str]:
    """The types of the resources that these rules evaluate, from keywords such as ``Resources/AWS::EC2::Subnet/Properties``."""
    keywords = [keyword for rule in rules for keyword in getattr(rule, "keywords", None) or ()]
    return frozenset(keyword.split("/")[1] for keyword in keywords)


def _remembering(validate: Callable[..., Iterator[Part]], compared: frozenset[str]) -> Callable[..., Iterator[Part]]:
    """``Properties.validate``, but a resource that was accepted is not evaluated again in another template.

    Its evaluation depends on other resources where a reference connects them, and where a rule compares all resources of a
    type (``compared``: such a rule forgets those of one template when the next begins). Those are evaluated each time.
    """
    accepted: set[str] = set()

    def remembering(validator: Part, keyword: object, instance: object, schema: object) -> Iterator[Part]:
        key = _alone(validator, instance, compared)
        if key and key in accepted:
            return
        clean = True
        for error in validate(validator, keyword, instance, schema):
            clean = False
            yield error
        if clean and key:
            accepted.add(key)

    return remembering


def _alone(validator: Part, instance: object, compared: frozenset[str]) -> str:
    """Everything that the evaluation of a resource depends on; empty if other resources are part of it."""
    resource = cast("Wire", instance) if isinstance(instance, dict) else {}
    graph, name = validator.cfn.graph, validator.context.path.path[-1]
    if resource.get("Type", "") in {"", *compared} or graph is None or graph.graph.degree(name):
        return ""
    return json.dumps([sorted(validator.context.regions), resource])


def _extending(rule: Part, resolvers: _Resolvers) -> Callable[..., Part]:
    """``BaseJsonSchema.extend_validator``, with one class for all validators with the same keywords."""
    classes: dict[object, Part] = {}

    def extend_validator(
        validator: Part, schema: object, context: object, validators: Mapping[str, object] | None = None
    ) -> Part:
        functions = validator.function_filter
        key: tuple[object, ...] = (
            cast("object", type(validator)),
            functions.add_cfn_lint_keyword,
            functions.validate_dynamic_references,
            tuple((validators or {}).items()),
        )
        if key not in classes:
            classes[key] = validator.extend(validators={**rule._get_validators(), **(validators or {})})
            classes[key].evolve = evolving.copying(classes[key])
        return classes[key](schema=schema, cfn=validator.cfn, context=context, resolver=resolvers.of(schema))

    return extend_validator


class _Resolvers:
    """Resolvers of references that share what they have found in a schema, but not their position in it."""

    def __init__(self, module: Part) -> None:
        self._module = module
        self._first: dict[int, Part] = {}

    def of(self, schema: object) -> Part:
        """A resolver for one use of the schema."""
        first = self._first.get(id(schema))
        if first is None or first.referrer is not schema:
            first = self._first[id(schema)] = self._module.RefResolver.from_schema(schema)
        made = self._module.RefResolver.from_schema(
            schema, _cache=first._cache, _urljoin_cache=first._urljoin_cache, store=first.store
        )
        first._get_subschemas_cache()
        made._subschemas_cache = first._subschemas_cache
        return made
