"""Mutates the policies' code: a change survives if no case in the policy's table detects it.

Operators: reverse a comparison, remove a ``not``, exchange ``and`` and ``or``, flip a boolean, change a number by one, and
drop a statement that reports.
"""

from __future__ import annotations

import ast
import copy
import datetime as dt
import sys
import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from policies.guardrails.analyzer import Analyzer
from policies.guardrails.profiles import Profile
from policies.guardrails.rule import Rule
from policies.guardrails.rules import MODULES
from policies.guardrails.server import pack
from preflight.pulumi.analyzer import Diagnostic
from preflight.pulumi.protocol import resource_request, stack_request
from tests.policies.cases import ALL
from tests.policies.wire import Case, said

FOLDER = Path(__file__).parents[2] / "policies" / "guardrails" / "rules"
_PACKAGE = "policies.guardrails.rules."
TODAY = dt.date(2030, 1, 1)
_OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
}


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of one module."""

    line: int
    operator: str
    tree: ast.Module


def edits(tree: ast.Module) -> Iterator[Edit]:
    """Every change of a module's functions; declarations and texts are not changed."""
    nodes = [node for function in tree.body if isinstance(function, ast.FunctionDef) for node in ast.walk(function)]
    for number, node in enumerate(nodes):
        for operator in _operators(node):
            changed = copy.deepcopy(tree)
            twins = [n for f in changed.body if isinstance(f, ast.FunctionDef) for n in ast.walk(f)]
            _apply(twins[number], operator)
            yield Edit(getattr(node, "lineno", 0), operator, ast.fix_missing_locations(changed))


def _operators(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Compare):
        return ["turn comparison"] if type(node.ops[0]) in _OPPOSITE else []
    if isinstance(node, ast.UnaryOp):
        return ["drop not"] if isinstance(node.op, ast.Not) else []
    if isinstance(node, ast.BoolOp):
        return ["exchange and/or"]
    if isinstance(node, ast.Constant):
        return (
            ["flip boolean"] if isinstance(node.value, bool) else ["move number"] if isinstance(node.value, int) else []
        )
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Yield | ast.YieldFrom):
        return ["drop report"]
    return []


def _apply(node: ast.AST, operator: str) -> None:
    if isinstance(node, ast.Compare):
        node.ops[0] = _OPPOSITE[type(node.ops[0])]()
    elif isinstance(node, ast.UnaryOp):
        node.op = ast.UAdd()
        node.operand = ast.Call(ast.Name("bool", ast.Load()), [node.operand], [])
    elif isinstance(node, ast.BoolOp):
        node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    elif isinstance(node, ast.Constant) and isinstance(node.value, int):
        node.value = not node.value if operator == "flip boolean" else node.value + 1
    elif isinstance(node, ast.Expr):
        node.value = ast.YieldFrom(ast.Tuple([], ast.Load()))


def changed_rule(name: str, tree: ast.Module) -> Rule:
    """The rule of a changed module; ``name`` is the module's full name."""
    module = types.ModuleType(name)
    module.__package__ = name.rpartition(".")[0]
    module.__file__ = str(source_of(name))
    exec(compile(tree, str(source_of(name)), "exec"), module.__dict__)  # noqa: S102 - the project's own code, changed
    return module.RULE


def notices(rule: Rule, cases: Sequence[Case]) -> bool:
    """Whether a case in the policy's table has another result with the changed rule."""
    analyzer = Analyzer(pack(TODAY, (rule,), profile=Profile.AI_INTERFACE))
    try:
        return any(_said(analyzer, rule, case) != case.expected for case in cases)
    except Exception:
        # A pack that crashes stops the engine, so the change is detected.
        return True


def _said(analyzer: Analyzer, rule: Rule, case: Case) -> tuple[str, ...]:
    if rule.is_stack:
        found = list(analyzer.AnalyzeStack(stack_request(case.resources), None).diagnostics)
    else:
        found = [
            item
            for resource in case.resources
            for item in analyzer.Analyze(resource_request(resource, {}), None).diagnostics
        ]
    own = [item for item in found if item.policyName == case.policy]
    return said(
        Diagnostic("", item.policyName, item.urn, item.message.removeprefix(item.description).lstrip("\n"), "", "", "")
        for item in own
    )


def source_of(name: str) -> Path:
    """The file of a rule's module."""
    return FOLDER.joinpath(*name.removeprefix(_PACKAGE).split(".")).with_suffix(".py")


def main() -> int:
    """Evaluate every change of every policy."""
    total = noticed = 0
    survivors: list[str] = []
    for name in MODULES:
        rule: Rule = import_module(name).RULE
        cases = [case for case in ALL if case.policy == rule.name]
        tree = ast.parse(source_of(name).read_text(encoding="utf-8"))
        for edit in edits(tree):
            total += 1
            if notices(changed_rule(name, edit.tree), cases):
                noticed += 1
            else:
                survivors.append(f"{source_of(name).relative_to(FOLDER)}:{edit.line} {edit.operator}")
    percent = 100 * noticed / max(1, total)
    sys.stdout.write(
        f"policies' own code: {noticed} of {total} changes noticed by the policies' tables, {percent:.1f} %\n"
    )
    sys.stdout.write("".join(f"  survives: {line}\n" for line in sorted(survivors)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
