"""``aws:iam/getPolicyDocument:getPolicyDocument``, which asks no account: the document is computed from the arguments.

It follows the provider (terraform-provider-aws, internal/service/iam/policy_document_data_source.go and policy_model.go): sets are
sorted in descending order, one element stands without its list, a statement replaces the earlier one with its Sid, ``&{`` becomes
``${``.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator
from typing import cast

from preflight.errors import FakeError
from preflight.fakes.values import Site
from preflight.sdk.wire import UNKNOWN, Json, Wire

_VERSIONS = ("2008-10-17", "2012-10-17")
_EFFECTS = ("Allow", "Deny")
_FIELDS = ("Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal", "Condition")
_ESCAPED = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}
"""Go writes these characters of a JSON text as escapes."""


def policy_document(_: Site, args: Wire) -> Wire:
    """The look-up's result.

    :raises FakeError: the provider refuses the arguments
    """
    others = [*_texts(args, "sourcePolicyDocuments"), *_texts(args, "overridePolicyDocuments")]
    unknown = next((text for text in others if text.startswith(UNKNOWN)), "")
    content = _merged(args) if not unknown else {}
    indented = unknown or _text(content, indent=2)
    minified = unknown or _text(content, indent=None)
    return {**args, "json": indented, "minifiedJson": minified, "id": str(zlib.crc32(indented.encode()))}


def _merged(args: Wire) -> Wire:
    statements: list[Wire] = []
    version, identifier = "", ""
    seen: set[str] = set()
    for number, text in enumerate(_texts(args, "sourcePolicyDocuments")):
        document = _read(text, f"source document {number}")
        _unique(document["Statement"], seen, f"source document {number}")
        version, identifier = max(version, document["Version"]), document["Id"] or identifier
        _merge(statements, document["Statement"])
    own = str(args.get("version") or _VERSIONS[-1])
    if own not in _VERSIONS:
        raise _refused(f"version is {own!r}; allowed: {', '.join(_VERSIONS)}")
    version, identifier = max(version, own), str(args.get("policyId") or "") or identifier
    given = [_statement(each, own) for each in cast("list[Wire]", args.get("statements") or [])]
    _unique(given, set(), "statements")
    _merge(statements, given)
    for number, text in enumerate(_texts(args, "overridePolicyDocuments")):
        document = _read(text, f"override document {number}")
        version, identifier = max(version, document["Version"]), document["Id"] or identifier
        _merge(statements, document["Statement"])
    content = {"Version": version, "Id": identifier, "Statement": statements}
    return {key: value for key, value in content.items() if value}


def _merge(statements: list[Wire], added: Iterable[Wire]) -> None:
    for statement in added:
        same = [n for n, old in enumerate(statements) if statement.get("Sid") and old.get("Sid") == statement["Sid"]]
        if same:
            statements[same[0]] = statement
        else:
            statements.append(statement)


def _unique(statements: Iterable[Wire], seen: set[str], where: str) -> None:
    for statement in statements:
        sid = statement.get("Sid")
        if sid in seen:
            raise _refused(f"{where}: duplicate Sid ({sid})")
        if sid:
            seen.add(sid)


def _statement(given: Wire, version: str) -> Wire:
    effect = str(given.get("effect") or "Allow")
    if effect not in _EFFECTS:
        raise _refused(f"effect is {effect!r}; allowed: {', '.join(_EFFECTS)}")
    return _present(
        {
            "Sid": given.get("sid"),
            "Effect": effect,
            "Action": _set(given.get("actions")),
            "NotAction": _set(given.get("notActions")),
            "Resource": _variables(_set(given.get("resources")), version),
            "NotResource": _variables(_set(given.get("notResources")), version),
            "Principal": _principals(_identifiers(given.get("principals"), version)),
            "NotPrincipal": _principals(_identifiers(given.get("notPrincipals"), version)),
            "Condition": _conditions(_tests(given.get("conditions"), version)),
        }
    )


def _present(statement: Wire) -> Wire:
    return {name: statement[name] for name in _FIELDS if statement.get(name)}


def _set(values: Json) -> Json:
    items = sorted({str(value) for value in cast("list[Json]", values or [])}, reverse=True)
    return items[0] if len(items) == 1 else items


def _variables(value: Json, version: str) -> Json:
    if isinstance(value, list):
        return [_variables(item, version) for item in cast("list[str]", value)]
    if version == _VERSIONS[0] and "&{" in str(value):
        raise _refused(f"{value!r} has a variable (&{{), which the version {version} does not have")
    return str(value).replace("&{", "${")


def _identifiers(given: Json, version: str) -> Iterator[tuple[str, Json]]:
    for each in cast("list[Wire]", given or []):
        yield str(each["type"]), _variables(_set(each.get("identifiers")), version)


def _principals(given: Iterable[tuple[str, Json]]) -> Json:
    principals = list(given)
    if len(principals) == 1 and principals[0] in (("*", "*"), ("*", ["*"])):
        return "*"
    found: dict[str, Json] = {}
    for kind, identifiers in principals:
        if isinstance(identifiers, str) and kind not in found:
            found[kind] = identifiers
            continue
        before = found.get(kind, [])
        added = [identifiers] if isinstance(identifiers, str) else sorted(identifiers, reverse=True)
        found[kind] = [*([before] if isinstance(before, str) else before), *added]
    return dict(sorted(found.items()))


def _tests(given: Json, version: str) -> Iterator[tuple[str, str, list[str]]]:
    for each in cast("list[Wire]", given or []):
        values = cast("list[Json]", each.get("values") or [])
        yield str(each["test"]), str(each["variable"]), _variables([str(value) for value in values], version)


def _conditions(given: Iterable[tuple[str, str, list[str]]]) -> Wire:
    found: dict[str, dict[str, list[str]]] = {}
    for test, variable, values in given:
        found.setdefault(test, {}).setdefault(variable, []).extend(values)
    return {
        test: {name: values[0] if len(values) == 1 else values for name, values in sorted(variables.items())}
        for test, variables in sorted(found.items())
    }


def _texts(args: Wire, name: str) -> list[str]:
    return [str(text) for text in cast("list[Json]", args.get(name) or []) if text is not None]


def _read(text: str, where: str) -> Wire:
    """A document as the provider reads it: its version, id and statements; other keys are dropped."""
    try:
        content = json.loads(text)
        statements = [_read_statement(each) for each in cast("list[Wire]", content.get("Statement") or [])]
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise _refused(f"merging {where}: it is not a policy document with a list of statements: {error}") from None
    return {"Version": str(content.get("Version") or ""), "Id": str(content.get("Id") or ""), "Statement": statements}


def _read_statement(given: Wire) -> Wire:
    statement = dict(given)
    for name in ("Principal", "NotPrincipal"):
        if name in statement:
            principals = statement[name]
            read = [("*", "*")] if isinstance(principals, str) else sorted(cast("Wire", principals).items())
            statement[name] = _principals(read)
    if "Condition" in statement:
        read = (
            (test, variable, _values(values))
            for test, variables in cast("Wire", statement["Condition"]).items()
            for variable, values in variables.items()
        )
        statement["Condition"] = _conditions(read)
    return _present(statement)


def _values(values: Json) -> list[str]:
    given: list[Json] = cast("list[Json]", values) if isinstance(values, list) else [values]
    return [str(value).lower() if isinstance(value, bool) else str(value) for value in given]


def _text(content: Wire, *, indent: int | None) -> str:
    separators = None if indent else (",", ":")
    text = json.dumps(content, indent=indent, separators=separators, ensure_ascii=False)
    for character, escaped in _ESCAPED.items():
        text = text.replace(character, escaped)
    return text


def _refused(why: str) -> FakeError:
    return FakeError(f"aws:iam/getPolicyDocument:getPolicyDocument: {why}")
