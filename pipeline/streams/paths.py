"""Paths into a source line: ``info.task.instruction``, ``traj[1].content``, or any JMESPath.

A plain path (names, quoted names, indexes) is compiled to a few lines of Python that give what
JMESPath would give (a property test compares them) at a tenth of its cost.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipeline.contracts.skips import SkipReason
from pipeline.settings.syntax import jmespath_search, plain_steps
from pipeline.streams.bounds import bounded
from pipeline.streams.misfit import MisfitError

Getter = Callable[[dict[str, Any]], Any]
"""From one source line to a value; None when it is not there or null.

Of a value that is no object it finds what JMESPath would: the item of a list, else nothing."""


def compile_path(path: str) -> Getter:
    """Raises ValueError when ``path`` is neither plain nor JMESPath."""
    steps = plain_steps(path)
    if steps is None:
        return _jmespath(path)
    if len(steps) == 1 and isinstance(steps[0], str):
        name = steps[0]
        return lambda line: line.get(name) if type(line) is dict else None
    if len(steps) == 2 and isinstance(steps[0], str) and isinstance(steps[1], str):
        return _two_names(steps[0], steps[1])
    return _any_steps(steps)


def _two_names(first: str, second: str) -> Getter:
    def get(line: dict[str, Any]) -> Any:
        inner = line.get(first) if type(line) is dict else None
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
    search = jmespath_search(path)
    # Not at the top: most streams need no JMESPath.
    from pipeline.settings.bounded_jmespath import MAX_WORK, TooMuchWorkError

    def get(line: dict[str, Any]) -> Any:
        try:
            return bounded(search(line), path)
        except TooMuchWorkError:
            raise MisfitError(
                SkipReason.VALUE_OUT_OF_RANGE, f"{path} goes through more than {MAX_WORK:,} values"
            ) from None
        except RecursionError:
            raise MisfitError(SkipReason.VALUE_OUT_OF_RANGE, f"{path} goes too deep here") from None
        except (ValueError, TypeError, ArithmeticError) as error:
            # A function got a value that it does not take, such as length() of a number.
            raise MisfitError(SkipReason.WRONG_TYPE, f"{path} cannot be computed here") from error

    return get
