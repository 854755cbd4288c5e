"""PURE: which old name of a field goes with which new one, told from rules, survey and one line.

Old and new stand at the same place of a line, the value is of the kind that the field takes, it is
in every line, and the names are alike: in that order they are ranked. A dry run has the last word.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.contracts.plurals import plural
from pipeline.reading.settings_glance import StreamGlance
from runbook.probes.evidence import Record

_NAMING_PATHS = ("else", "then", "each", "turn", "key", "join", "by", "order")
_PLAIN = re.compile(r"[\w-]+(\[-?\d+\])*(\.[\w-]+(\[-?\d+\])*)*\Z")
_INDEX = re.compile(r"\[-?\d*\]")
_LAST_INDEX = re.compile(r"(\[-?\d+\])+\Z")
_NUMBERS = ("reward", "tokens", "cost_usd", "latency_ms")
_TEXTS = ("instruction", "context", "response", "goal", "model_name", "model_provider", "timestamp")


class Rename(Record):
    """A stream may read ``new`` where it read ``old``; ``lines`` have it. ``fields`` are fed by it."""

    old: str
    new: str
    lines: int
    kind: str
    likeness: float
    fields: tuple[str, ...] = ()

    @property
    def told(self) -> str:
        return f"{self.old} → {self.new}: in {plural(self.lines, 'line')}, {self.kind}"


def paths_of(stream: StreamGlance) -> dict[str, tuple[str, ...]]:
    """Path in a line → the evidence fields that are fed from it (empty for filters and parts).

    Only plain dotted paths: of an expression nothing can be renamed safely.
    """
    found: dict[str, list[str]] = {}
    fields = stream.rules.get("fields")
    for name, rule in fields.items() if isinstance(fields, dict) else ():
        for path in _paths_in(rule):
            found.setdefault(path, []).append(str(name))
    for key in ("group", "where", "parts"):
        for path in _paths_in(stream.rules.get(key)):
            found.setdefault(path, [])
    return {path: tuple(names) for path, names in found.items() if _PLAIN.match(path)}


def _paths_in(rule: object) -> Iterator[str]:
    """A bare text is a path; in a table the members that name one."""
    if isinstance(rule, str):
        yield rule
    elif isinstance(rule, list):
        for each in rule:
            yield from _paths_in(each)
    elif isinstance(rule, dict):
        for key, value in rule.items():
            if key == "path" and isinstance(value, str):
                yield value
            elif key == "template" and isinstance(value, str):
                yield from re.findall(r"(?<!\{)\{([^{}]+)\}", value)
            elif isinstance(value, dict | list):
                yield from _paths_in(value)
            elif key in _NAMING_PATHS and isinstance(value, str):
                yield value


def renames_of(
    vanished: tuple[str, ...],
    appeared: Mapping[str, int],
    first: dict[str, Any] | None,
    asked: Mapping[str, tuple[str, ...]],
    lines: int,
) -> list[Rename]:
    """Likeliest first: a fitting kind of value, present in every line, an alike name."""
    ranked: dict[tuple[str, str], tuple[tuple[bool, bool, float], Rename]] = {}
    for path in vanished:
        for seen, count in appeared.items():
            pair = _pair(path, seen) if _PLAIN.match(path) else None
            if pair is None:
                continue
            old, new = pair
            now = f"{new}{path[len(old) :]}"
            value = None if first is None else value_at(first, now)
            fields = asked.get(path, ())
            likeness = difflib.SequenceMatcher(None, old.rpartition(".")[2], new.rpartition(".")[2]).ratio()
            fits = value is not None and all(_fits(field, value) for field in fields)
            rename = Rename(
                old=old, new=new, lines=count, kind=_kind(value), likeness=round(likeness, 3), fields=fields
            )
            rank = (fits, count >= lines, likeness)
            if pair not in ranked or rank > ranked[pair][0]:
                ranked[pair] = (rank, rename)
    return [each for _, each in sorted(ranked.values(), key=lambda one: one[0], reverse=True)]


def _pair(path: str, seen: str) -> tuple[str, str] | None:
    """(old, new) where the two paths differ in one name only, or where a name moved elsewhere."""
    old, new = (_INDEX.sub("", each).split(".") for each in (path, seen))
    differ = [index for index, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]]
    if len(differ) == 1 and len(new) <= len(old):
        upto = differ[0] + 1
        if new[upto:] == old[upto : len(new)]:
            names = path.split(".")[:upto]
            was = _LAST_INDEX.sub("", ".".join(names))
            return was, ".".join([*names[:-1], new[upto - 1]])
    if old[-1] == new[-1] and old != new and "[" not in seen:
        return path, seen
    return None


def value_at(line: dict[str, Any], path: str) -> Any:
    """The value at a plain dotted path; None where there is none."""
    value: Any = line
    for name, index in re.findall(r"([\w-]+)|\[(-?\d+)\]", path):
        if name:
            value = value.get(name) if isinstance(value, dict) else None
        else:
            at = int(index)
            value = value[at] if isinstance(value, list) and -len(value) <= at < len(value) else None
    return value


def _fits(field: str, value: object) -> bool:
    if field in _NUMBERS:
        return isinstance(value, int | float)
    if field == "messages":
        return isinstance(value, list)
    if field in _TEXTS:
        return isinstance(value, str | list) or (field == "timestamp" and isinstance(value, int | float))
    if field == "task_id":
        return isinstance(value, str | int) and not isinstance(value, bool)
    return True


def _kind(value: object) -> str:
    names = {str: "a text", bool: "true or false", int: "a number", float: "a number", list: "a list"}
    return "nothing" if value is None else names.get(type(value), "an object")
