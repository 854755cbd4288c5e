"""JMESPath that counts what it is about to do, and stops before it does too much.

An expression can double what it makes with each of its steps, and a projection inside another repeats it
for every item: a line of a few bytes becomes gigabytes, or hours. So the places where work can grow
are counted before the work is done: items that a projection goes through, items that are laid out
flat, what functions read and write, values that are compared through and through. All else costs at
most what the expression is long, once for each of those.

JMESPath is imported with this module, which is imported only when a path needs it.
"""

from __future__ import annotations

from typing import Any

from jmespath import functions, parser, visitor

MAX_WORK = 1_000_000
"""Values that one search goes through or makes. 128 characters of a text count as one."""
_CHARACTERS_A_VALUE = 128
# What these see is not the list or object itself but all that is in it.
_SEES_ALL = frozenset(("to_string", "contains"))


class TooMuchWorkError(Exception):
    """A search would go through, or make, more than ``MAX_WORK`` values."""


class BoundedSearch:
    """A parsed expression. Raises JMESPathError for text that is none, as the library does."""

    def __init__(self, path: str) -> None:
        self._parsed = parser.Parser().parse(path).parsed

    def __call__(self, value: Any) -> Any:
        """Raises TooMuchWorkError, JMESPathError or what a function of the library raises."""
        return _Interpreter().visit(self._parsed, value)


class _Interpreter(visitor.TreeInterpreter):
    """The library's own, asked to count first. One for each search."""

    def __init__(self) -> None:
        super().__init__(visitor.Options(custom_functions=_FUNCTIONS))
        self._left = MAX_WORK

    def _spend(self, work: int) -> None:
        self._left -= work
        if self._left < 0:
            raise TooMuchWorkError

    def _spend_on_all_of(self, value: Any) -> None:
        """Count what a look at ``value`` to its depths goes through."""
        open_values = [value]
        while open_values:
            inner = open_values.pop()
            kind = type(inner)
            if kind is str:
                self._spend(1 + len(inner) // _CHARACTERS_A_VALUE)
            elif kind is list:
                self._spend(1 + len(inner))
                open_values += inner
            elif kind is dict:
                self._spend(1 + 2 * len(inner))
                open_values += inner
                open_values += inner.values()

    def visit_projection(self, node: Any, value: Any) -> Any:
        base = self.visit(node["children"][0], value)
        if not isinstance(base, list):
            return None
        return self._projected(node["children"][1], base)

    def visit_value_projection(self, node: Any, value: Any) -> Any:
        base = self.visit(node["children"][0], value)
        if not isinstance(base, dict):
            return None
        return self._projected(node["children"][1], list(base.values()))

    def _projected(self, of_each: Any, base: list[Any]) -> list[Any]:
        self._spend(len(base))
        found = (self.visit(of_each, element) for element in base)
        return [each for each in found if each is not None]

    def visit_filter_projection(self, node: Any, value: Any) -> Any:
        base = self.visit(node["children"][0], value)
        if not isinstance(base, list):
            return None
        self._spend(len(base))
        _, of_each, condition = node["children"]
        is_true = self._is_true  # type: ignore[attr-defined]
        kept = (element for element in base if is_true(self.visit(condition, element)))
        found = (self.visit(of_each, element) for element in kept)
        return [each for each in found if each is not None]

    def visit_flatten(self, node: Any, value: Any) -> Any:
        base = self.visit(node["children"][0], value)
        if not isinstance(base, list):
            return None
        self._spend(len(base))
        self._spend(sum(len(element) for element in base if isinstance(element, list)))
        flat: list[Any] = []
        for element in base:
            if isinstance(element, list):
                flat += element
            else:
                flat.append(element)
        return flat

    def visit_slice(self, node: Any, value: Any) -> Any:
        if isinstance(value, list):
            self._spend(len(value))
        return super().visit_slice(node, value)

    def visit_comparator(self, node: Any, value: Any) -> Any:
        left = self.visit(node["children"][0], value)
        right = self.visit(node["children"][1], value)
        for side in (left, right):
            # Numbers and the like cost nothing, and most texts are compared with a literal.
            if type(side) in (list, dict):
                self._spend_on_all_of(side)
        kind = node["value"]
        if kind not in ("eq", "ne") and not (_has_an_order(left) and _has_an_order(right)):
            return None
        return self.COMPARATOR_FUNC[kind](left, right)

    def visit_function_expression(self, node: Any, value: Any) -> Any:
        arguments = [self.visit(child, value) for child in node["children"]]
        self._before(node["value"], arguments)
        made = _FUNCTIONS.call_function(node["value"], arguments)
        if type(made) is str:
            self._spend(len(made) // _CHARACTERS_A_VALUE)
        return made

    def _before(self, name: str, arguments: list[Any]) -> None:
        for argument in arguments:
            if type(argument) is str:
                self._spend(len(argument) // _CHARACTERS_A_VALUE)
            elif type(argument) in (list, dict):
                self._spend(len(argument))
                if name in _SEES_ALL:
                    self._spend_on_all_of(argument)
        if name == "join" and len(arguments) == 2 and type(arguments[1]) is list:
            glue = len(arguments[0]) if type(arguments[0]) is str else 0
            pieces = arguments[1]
            letters = sum(len(piece) for piece in pieces if type(piece) is str)
            self._spend((letters + glue * len(pieces)) // _CHARACTERS_A_VALUE)


def _has_an_order(value: Any) -> bool:
    return isinstance(value, (int, float, str)) and not isinstance(value, bool)


# Made once: it lists all functions.
_FUNCTIONS = functions.Functions()
