"""Which lines are one attempt, and the one object as which rules see them."""

from __future__ import annotations

from typing import Any

from pipeline.contracts.skips import LineFault, SkipReason
from pipeline.settings.rules import Group, MessagesRule, StreamRules
from pipeline.streams.conditions import Predicate, compile_all
from pipeline.streams.misfit import MisfitError, wrong_type
from pipeline.streams.paths import Getter
from pipeline.streams.rules import Lookups, compile_rule
from pipeline.streams.views import View, compile_view
from pipeline.streams.walk import paths_in
from pipeline.streams.walks import WALKS, Arranged, Walk, as_logged

Line = dict[str, Any]

LINES, SEGMENTS, SIDECHAINS, KEY = "_lines", "_segments", "_sidechains", "_group"
"""What rules find in a group: its lines, those of each segment and side chain of a walk, its key."""
_OF_THE_GROUP = (LINES, SEGMENTS, SIDECHAINS, "_part", "_key")


class Grouping:
    """A stream's ``group`` or ``unit = "file"``, compiled. Made by ``compile_grouping``."""

    def __init__(self, by: Getter | None, where: Predicate | None, arrange: Walk, seen: View | None) -> None:
        self._seen = seen
        self._by = by
        self.is_by_file = by is None
        self._where = where
        self._arrange = arrange

    def key_of(self, value: Line, relative: str, number: int) -> str | LineFault:
        """The group of line ``number`` of the file ``relative``, or why it is in none."""
        if self._seen is not None:
            value = self._seen(value, relative, number)
        try:
            if self._where is not None and not self._where(value):
                return LineFault(SkipReason.FILTERED_OUT, "the stream's where does not hold")
            if self._by is None:
                return relative
            key = self._by(value)
            if key is None or key == "":
                return LineFault(SkipReason.MISSING_FIELD, "group.by: not found in the line")
            if type(key) not in (str, int):
                raise wrong_type("a text or a whole number", key)
        except MisfitError as misfit:
            return LineFault(misfit.reason, f"group.by: {misfit.detail}")
        return str(key)

    def present(self, lines: list[Line], key: str) -> Line:
        """A group as one object: of each name the first value, and all lines. Raises MisfitError."""
        try:
            arranged = self._arrange(lines)
        except MisfitError as misfit:
            raise MisfitError(misfit.reason, f"group.order: {misfit.detail}") from None
        view: Line = {}
        for line in arranged.lines or lines:
            for name, value in line.items():
                if view.get(name) is None:
                    view[name] = value
        view[LINES], view[SEGMENTS], view[SIDECHAINS] = arranged
        view[KEY] = key
        return view


def compile_grouping(rules: StreamRules, lookups: Lookups) -> Grouping | None:
    """None for a stream in which each line is an attempt by itself."""
    group = rules.group or Group()
    if rules.group is None and rules.unit == "line":
        return None
    by = None if group.by is None else compile_rule(group.by, lookups)
    return Grouping(by, compile_all(rules.where), _arrangement(group, lookups), compile_view(rules))


def _arrangement(group: Group, lookups: Lookups) -> Walk:
    if group.walk is not None:
        return WALKS[group.walk]
    if group.order is None:
        return as_logged
    return _sorted_by(compile_rule(group.order, lookups))


def _sorted_by(order: Getter) -> Walk:
    def arrange(lines: list[Line]) -> Arranged:
        keyed: list[tuple[Any, Line]] = []
        last: Any = None
        for line in lines:
            found = order(line)
            key = last if found is None else _sort_key(found)
            keyed.append((key, line))
            last = key
        kinds = {type(key) is str for key, _ in keyed if key is not None}
        if len(kinds) > 1:
            raise MisfitError(SkipReason.WRONG_TYPE, "texts and numbers, which have no order among them")
        # What stands before the first line that has a place stays there.
        keyed.sort(key=lambda pair: (pair[0] is not None, pair[0] if pair[0] is not None else 0))
        return as_logged([line for _, line in keyed])

    return arrange


def _sort_key(value: Any) -> str | float:
    if type(value) is str:
        # Of two times in UTC the one with a fraction is later, and "." sorts before "Z".
        return value.removesuffix("Z")
    if type(value) in (int, float):
        return value  # type: ignore[no-any-return]
    raise wrong_type("a text or a number", value)


def are_of_each_line(rules: StreamRules, messages: MessagesRule) -> bool:
    """Whether a group's conversation is asked of each of its lines: its paths name nothing of the group."""
    if rules.group is None and rules.unit == "line":
        return False
    # A system prompt is asked of the whole group in any case.
    turns = messages.model_copy(update={"system": None})
    return not any(name in path for path in paths_in(turns) for name in _OF_THE_GROUP)
