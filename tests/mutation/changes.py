"""What can be changed in a module, one small thing at a time.

Each change is text for text at a place that the syntax tree names, so that the rest of the file stays
as it is. Docstrings, annotations and what only type checkers read are left alone.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}


@dataclass(frozen=True)
class Change:
    """``before`` becomes ``after`` at byte ``start`` of a file; ``line`` counts from 1."""

    kind: str
    line: int
    start: int
    before: str
    after: str

    def applied(self, source: bytes) -> bytes:
        before = self.before.encode()
        if source[self.start : self.start + len(before)] != before:
            raise ValueError(f"line {self.line} is another one than when it was looked at")
        return source[: self.start] + self.after.encode() + source[self.start + len(before) :]


def changes(source: bytes) -> list[Change]:
    """Every change of a module's text, in the order of the text. Raises SyntaxError."""
    starts = [0]
    for line in source.split(b"\n"):
        starts.append(starts[-1] + len(line) + 1)
    found = []
    for kind, node, after in _walk(ast.parse(source)):
        start = starts[node.lineno - 1] + node.col_offset
        end = starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
        change = Change(kind, node.lineno, start, source[start:end].decode(errors="replace"), after)
        if _is_there(change, node):
            found.append(change)
    return sorted(found, key=lambda change: (change.start, change.kind, change.after))


_Place = ast.expr | ast.stmt


def _is_there(change: Change, node: _Place) -> bool:
    """Whether the place holds the node: before Python 3.12, what stands in an f-string says another one."""
    if isinstance(node, ast.stmt):
        return True
    try:
        there = ast.parse(f"({change.before})", mode="eval").body
    except SyntaxError:
        return False
    return ast.dump(there) == ast.dump(node)


def _walk(node: ast.AST) -> Iterator[tuple[str, _Place, str]]:
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        return
    yield from _of(node)
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "type_params"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _walk(child)


def _of(node: ast.AST) -> Iterator[tuple[str, _Place, str]]:
    match node:
        case ast.Compare(ops=[operator], comparators=[right]) if type(operator) in _OPPOSITE:
            other = ast.Compare(node.left, [_OPPOSITE[type(operator)]()], [right])
            yield "comparison", node, f"({ast.unparse(other)})"
        case ast.UnaryOp(op=ast.Not()):
            yield "dropped not", node, f"({ast.unparse(node.operand)})"
        case ast.BoolOp():
            other_op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield "and/or", node, f"({ast.unparse(ast.BoolOp(other_op, node.values))})"
        case ast.If(body=[ast.Return() | ast.Raise() | ast.Continue() | ast.Break()], orelse=[]):
            yield "dropped guard", node.test, "False"
        case ast.FunctionDef() | ast.AsyncFunctionDef() if len(body := _without_docstring(node.body)) > 1:
            last = body[-1]
            if not (isinstance(last, ast.Return) and last.value is not None):
                yield "early return", body[-1], "return"
        case ast.Call(func=ast.Name("isinstance" | "issubclass")):
            return  # swapped, it is an error wherever it is reached
        case ast.Call(args=[first, second, *_]) if _can_be_swapped(first, second):
            arguments = [second, first, *node.args[2:]]
            yield "swapped arguments", node, ast.unparse(ast.Call(node.func, arguments, node.keywords))
        case ast.Expr(value=ast.Call() | ast.Await(value=ast.Call())):
            yield "dropped call", node, "pass"
        case ast.Constant(value=int(number)) if not isinstance(number, bool):
            yield "number", node, str(number + 1)


def _without_docstring(body: Sequence[ast.stmt]) -> Sequence[ast.stmt]:
    return body[isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant) :]


def _can_be_swapped(first: ast.expr, second: ast.expr) -> bool:
    """Two names: anything else is mostly of two types, and mypy sees it."""
    return isinstance(first, ast.Name) and isinstance(second, ast.Name)
