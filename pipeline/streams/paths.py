"""Paths into a source line: ``info.task.instruction``, ``traj[1].content``, or any JMESPath.

A plain path (names, quoted names, indexes) is compiled to a few lines of Python that give what
JMESPath would give (a property test compares them) at a tenth of its cost. JMESPath is imported
only when a path needs it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from pipeline.streams.misfit import MisfitError
from pipeline.streams.skips import SkipReason

Getter = Callable[[dict[str, Any]], Any]
"""From one source line to a value; None when it is not there or null."""

_STEP = re.compile(r'(?:\A|(?<=[^.])\.)(?:([A-Za-z_][A-Za-z0-9_]*)|"([^"\\]*)")|\[(-?[0-9]{1,9})\]')


def plain_steps(path: str) -> tuple[str | int, ...] | None:
    """The names and indexes of a plain path, or None when ``path`` is more than that."""
    steps: list[str | int] = []
    position = 0
    while position < len(path):
        match = _STEP.match(path, position)
        if match is None:
            return None
        name, quoted, index = match.groups()
        steps.append(int(index) if index is not None else name if name is not None else quoted)
        position = match.end()
    return tuple(steps) or None


def check_path(path: str) -> str:
    """``path`` itself. Raises ValueError when it is neither plain nor JMESPath."""
    if plain_steps(path) is None:
        _jmespath(path)
    return path


def compile_path(path: str) -> Getter:
    """Raises ValueError like ``check_path``."""
    steps = plain_steps(path)
    if steps is None:
        return _jmespath(path)
    if len(steps) == 1 and isinstance(steps[0], str):
        name = steps[0]
        return lambda line: line.get(name)
    if len(steps) == 2 and isinstance(steps[0], str) and isinstance(steps[1], str):
        return _two_names(steps[0], steps[1])
    return _any_steps(steps)


def _two_names(first: str, second: str) -> Getter:
    def get(line: dict[str, Any]) -> Any:
        inner = line.get(first)
        return inner.get(second) if type(inner) is dict else None

    return get


def _any_steps(steps: tuple[str | int, ...]) -> Getter:
    def get(line: dict[str, Any]) -> Any:
        value: Any = line
        for step in steps:
            if type(step) is str:
                if type(value) is not dict:
                    return None
                value = value.get(step)
            elif type(value) is list and -len(value) <= step < len(value):  # type: ignore[operator]
                value = value[step]  # type: ignore[index]
            else:
                return None
        return value

    return get


def _jmespath(path: str) -> Getter:
    import jmespath
    from jmespath.exceptions import JMESPathError, ParseError, UnknownFunctionError

    try:
        search = jmespath.compile(path).search
        search({})
    except (UnknownFunctionError, ParseError, RecursionError) as error:
        raise ValueError(_complaint(path, error)) from None
    except JMESPathError:
        # An empty line is no argument for a function; a real one may be.
        pass

    def get(line: dict[str, Any]) -> Any:
        try:
            return search(line)
        except (ValueError, TypeError, ArithmeticError) as error:
            # A function got a value that it does not take, such as length() of a number.
            raise MisfitError(SkipReason.WRONG_TYPE, f"{path} cannot be computed here") from error

    return get


def _complaint(path: str, error: Exception) -> str:
    hint = ' A name with other characters than letters, digits and "_" stands in double quotes.'
    reason = str(error).split("\n")[0].rstrip(".:")
    return f"not a path: {reason}.{hint if re.search(r'[^A-Za-z0-9_.]', path) else ''}"
