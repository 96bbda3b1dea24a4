"""CloudWatch's metric math, evaluated separately for each period.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html: arithmetic with a missing value
is missing; a function of an array (``MAX([m1, m2])``) ignores missing members; ``FILL(m1, 0)`` replaces them.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache

Value = float | None
"""The value of one period; ``None`` is missing."""

_ARITHMETIC: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: lambda left, right: left / right,
    ast.Pow: lambda left, right: left**right,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_OF_ARRAYS: dict[str, Callable[[Sequence[float]], float]] = {
    "MAX": max,
    "MIN": min,
    "SUM": sum,
    "AVG": lambda values: sum(values) / len(values),
}
_IF = 3


class NotEmulatedError(Exception):
    """A CloudWatch feature that is not evaluated here; the message names it."""


def evaluate(expression: str, values: Mapping[str, Value]) -> Value:
    """Evaluate one expression for one period; ``values``: query id → value. Raises ``NotEmulatedError`` with the
    unsupported feature."""
    return _Evaluation(expression, values).of(_parsed(expression).body)


@cache
def _parsed(expression: str) -> ast.Expression:
    try:
        return ast.parse(expression, mode="eval")
    except SyntaxError as error:
        raise NotEmulatedError(f"metric math {expression!r}: {error.msg}") from None


@cache
def names(expression: str) -> frozenset[str]:
    """Return the ids that an expression refers to."""
    nodes = list(ast.walk(_parsed(expression)))
    called = {node.func for node in nodes if isinstance(node, ast.Call)}
    return frozenset(one.id for one in nodes if isinstance(one, ast.Name) and one not in called)


class _Evaluation:
    def __init__(self, expression: str, values: Mapping[str, Value]) -> None:
        self._expression, self._values = expression, values

    def of(self, node: ast.expr) -> Value:
        match node:
            case ast.Constant(value=int() | float() as number):
                return float(number)
            case ast.Name(id=name) if name in self._values:
                return self._values[name]
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                value = self.of(operand)
                return None if value is None else -value
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
                return _both(self.of(left), self.of(right), _ARITHMETIC[type(op)])
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARISONS:
                return _both(self.of(left), self.of(right), lambda a, b: float(_COMPARISONS[type(op)](a, b)))
            case ast.Call(func=ast.Name(id=function), args=arguments):
                return self._call(function, arguments)
            case _:
                raise NotEmulatedError(f"metric math {self._expression!r}: {ast.unparse(node)}")

    def _call(self, function: str, arguments: list[ast.expr]) -> Value:
        match function, arguments:
            case "FILL", [one, filling]:
                value = self.of(one)
                return self.of(filling) if value is None else value
            case "IF", [condition, *results] if len(arguments) <= _IF:
                value = self.of(condition)
                if value is None:
                    return None
                chosen = results[:1] if value else results[1:2]
                return self.of(chosen[0]) if chosen else None
            case _, [ast.List(elts=elements)] if function in _OF_ARRAYS:
                found = [one for one in map(self.of, elements) if one is not None]
                return float(_OF_ARRAYS[function](found)) if found else None
            case _:
                raise NotEmulatedError(f"metric math {self._expression!r}: {function}")


def _both(left: Value, right: Value, compute: Callable[[float, float], float]) -> Value:
    if left is None or right is None:
        return None
    try:
        return compute(left, right)
    except ZeroDivisionError:
        return None


def statistic(name: str, values: Iterable[float]) -> Value:
    """Return a statistic of one period's values, such as ``Sum`` or ``p99``; ``None`` without values."""
    found = sorted(values)
    if not found:
        return None
    whole: dict[str, Callable[[list[float]], float]] = {
        "Average": lambda given: sum(given) / len(given),
        "Maximum": max,
        "Minimum": min,
        "SampleCount": len,
        "Sum": sum,
    }
    if name in whole:
        return float(whole[name](found))
    try:
        share = float(name.removeprefix("p")) / 100
    except ValueError:
        raise NotEmulatedError(f"statistic {name}") from None
    return found[min(int(share * len(found)), len(found) - 1)]
