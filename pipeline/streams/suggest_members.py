"""The members of a log's lines: where they are, how many lines have them, and what their values are."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.settings.syntax import check_path
from pipeline.streams.paths import compile_path

MOST_DEPTH = 5
MOST_MEMBERS = 400
_LONGEST_PATH = 500
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


@dataclass
class Member:
    """``values`` has one value for each line: None where a line has none. ``path`` is as rules spell it.

    ``before`` is what of the path stands before ``steps``: that of an item of ``parts``.
    """

    path: str
    steps: tuple[str, ...]
    values: list[Any] = field(default_factory=list)
    before: str = ""

    def expression(self, *, up: int = 0) -> str:
        """The path as part of a JMESPath expression, without its last ``up`` names."""
        names = self.steps[: len(self.steps) - up]
        return self.before + ".".join(name if _PLAIN.match(name) else json.dumps(name) for name in names)

    @property
    def there(self) -> list[Any]:
        return [value for value in self.values if value is not None]

    @property
    def name(self) -> str:
        """The last name, as words between underscores: ``questionId`` is ``question_id``."""
        return "_".join(self.words)

    @property
    def words(self) -> list[str]:
        return _words_in(self.steps[-1]) if self.steps else []

    @property
    def words_around(self) -> set[str]:
        """Those of its name and of all names that lead to it."""
        return {word for name in self.steps for word in _words_in(name)}

    def is_of(self, *kinds: type) -> bool:
        """Whether there are values, and all of one of ``kinds``; true and false are no numbers."""
        there = self.there
        return bool(there) and all(type(value) in kinds for value in there)

    @property
    def is_everywhere(self) -> bool:
        return bool(self.values) and all(value is not None for value in self.values)

    def counts(self) -> Counter[Any]:
        """Value → lines, of texts, numbers, true and false; true and 1 apart."""
        return Counter(
            (type(value).__name__, value) for value in self.there if not isinstance(value, (list, dict))
        )


def _words_in(name: str) -> list[str]:
    return [word.lower() for word in _WORDS.findall(name)]


def members_of(lines: Sequence[dict[str, Any]], before: str = "") -> list[Member]:
    """Everything that is no object, by depth and then as it appears. ``before`` is put before paths."""
    found: dict[tuple[str, ...], Member] = {}
    for number, line in enumerate(lines):
        for steps, value in _leaves(line, ()):
            member = found.get(steps)
            if member is None:
                path = None if len(found) >= MOST_MEMBERS else _path(steps, value, line)
                if path is None:
                    continue
                member = found[steps] = Member(before + path, steps, before=before)
            member.values += [None] * (number - len(member.values))
            member.values.append(value)
    for member in found.values():
        member.values += [None] * (len(lines) - len(member.values))
    return sorted(found.values(), key=lambda member: len(member.steps))


def _leaves(value: dict[str, Any], steps: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, inner in value.items():
        here = (*steps, name)
        if isinstance(inner, dict):
            if len(here) < MOST_DEPTH:
                yield from _leaves(inner, here)
        elif inner is not None:
            yield here, inner


def _path(steps: Iterable[str], value: Any, line: dict[str, Any]) -> str | None:
    """The path of ``steps``, or None where rules cannot spell it."""
    names = tuple(steps)
    in_json = any("\\" in name or '"' in name for name in names)
    spelled = ".".join(
        name if _PLAIN.match(name) else json.dumps(name) if in_json else f'"{name}"' for name in names
    )
    if len(spelled) > _LONGEST_PATH:
        return None
    try:
        return spelled if compile_path(check_path(spelled))(line) == value else None
    except ValueError:
        return None
