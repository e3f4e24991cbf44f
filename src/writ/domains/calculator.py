"""Arithmetic for the `calculate` tool: Python's grammar for the text, our own evaluation with bounds. No code is ever executed.

Equal to the benchmark's answers, error texts included, where it answers within bounds; an expression whose numbers would grow past them gets
the text that the benchmark would give after computing for minutes.
"""

import ast
import operator
from collections.abc import Callable
from typing import Any

ALLOWED = "0123456789+-*/(). "
MAX_LENGTH = 4096
"""Characters. Python's own parser refuses nesting beyond 200 parentheses."""
MAX_BITS = 1 << 16
"""Size of the largest integer on the way; whatever does not fit a float (1024 bits) can only matter if it is divided again."""

_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {ast.UAdd: operator.pos, ast.USub: operator.neg}
_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Pow: operator.pow,
}


def calculate(expression: Any) -> str:
    """The value, rounded to two decimals, as Python writes a float.

    Raises: ValueError, TypeError, SyntaxError or ArithmeticError, whose text is the benchmark's.
    """
    if not all(char in ALLOWED for char in expression):
        raise ValueError("Invalid characters in expression")
    if not isinstance(expression, str):
        raise TypeError("eval() arg 1 must be a string, bytes or code object")
    if len(expression) > MAX_LENGTH:
        raise ValueError(f"Expression of {len(expression)} characters is too long; at most {MAX_LENGTH} are computed")
    tree = ast.parse(expression.lstrip(" "), filename="<string>", mode="eval")
    return str(round(float(_value(tree.body)), 2))


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.BinOp):
        return _chain(node)
    if isinstance(node, ast.UnaryOp):
        return _signed(node)
    if isinstance(node, ast.Call):
        return _called(node)
    return ()  # the only other thing that these characters can spell is an empty pair of parentheses


def _signed(node: ast.UnaryOp) -> Any:
    """Signs may stand in hundreds, so walk them in a loop."""
    signs = []
    inner: ast.expr = node
    while isinstance(inner, ast.UnaryOp):
        signs.append(inner.op)
        inner = inner.operand
    value = _value(inner)
    for sign in reversed(signs):
        value = _UNARY[type(sign)](value)
    return value


def _chain(node: ast.BinOp) -> Any:
    """A sum of a thousand terms is a tree a thousand deep on its left side, so walk that side in a loop."""
    steps = []
    left: ast.expr = node
    while isinstance(left, ast.BinOp):
        steps.append(left)
        left = left.left
    value = _value(left)
    for step in reversed(steps):
        value = _applied(step.op, value, _value(step.right))
    return value


def _applied(op: ast.operator, left: Any, right: Any) -> Any:
    if isinstance(left, int) and isinstance(right, int) and _bits(op, left, right) > MAX_BITS:
        raise OverflowError("int too large to convert to float")
    return _BINARY[type(op)](left, right)


def _bits(op: ast.operator, left: int, right: int) -> int:
    """An upper bound of the result's size, known before it is computed."""
    if isinstance(op, ast.Pow) and abs(left) > 1:
        return (abs(left) - 1).bit_length() * max(right, 1) + 1
    if isinstance(op, ast.Mult):
        return left.bit_length() + right.bit_length()
    return 0


def _called(node: ast.Call) -> Any:
    """`2(3)` is a call to Python: it evaluates both, then finds that a number cannot be called. `2(*3)` fails even before."""
    function = _value(node.func)
    for argument in node.args:
        if not isinstance(argument, ast.Starred):
            _value(argument)
        elif (value := _value(argument.value)) != ():
            raise TypeError(f"{function} argument after * must be an iterable, not {type(value).__name__}")
    for keyword in node.keywords:
        raise TypeError(f"{function} argument after ** must be a mapping, not {type(_value(keyword.value)).__name__}")
    raise TypeError(f"'{type(function).__name__}' object is not callable")
