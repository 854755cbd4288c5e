"""What turns say of the model that spoke, inside them: its name, and why its last answer ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pipeline.settings.syntax import check_path
from pipeline.streams import suggest_words as words
from pipeline.streams.suggest_members import Member

Turn = dict[str, Any]
Steps = tuple[str, ...]

_SAID = {"model_name": words.MODEL, "finish_reason": words.FINISH}
# An object below another name is what was said, or what a tool was given: a "model" there is a car's.
_AROUND = frozenset((
    "meta", "metadata", "info", "details", "extra", "extras", "additional", "raw", "generation", "response",
))  # fmt: skip
_MOST_DEPTH = 3
_LONGEST = 500


def said_in(turns: Sequence[Any], each: str, role: str | None, speakers: Sequence[str]) -> dict[str, str]:
    """Field → JMESPath of its last value in ``turns``, which ``each`` finds one by one.

    ``role`` is the member that tells who speaks, and ``speakers`` are the model's words in it. Where every
    turn with the value has one of them, the path asks for it, so that no other turn is ever taken.
    """
    found: dict[str, str] = {}
    for name, known in _SAID.items():
        places = _places([turn for turn in turns if isinstance(turn, dict)], known)
        for steps, holders in sorted(places.items(), key=lambda place: known.index(_name(place[0]))):
            spoken = {None if role is None else _text(holder.get(role)) for holder in holders}
            if spoken - {None, *speakers}:
                continue
            asks = [] if None in spoken else [word for word in speakers if word in spoken]
            path = _path(each, steps, role, asks)
            if path is not None:
                found[name] = path
                break
    return found


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _places(turns: Sequence[Turn], known: Sequence[str]) -> dict[Steps, list[Turn]]:
    """The steps to members with one of the names that hold texts only → the turns that have them."""
    found: dict[Steps, list[Turn]] = {}
    others: set[Steps] = set()
    for turn in turns:
        for steps, value in _leaves(turn, ()):
            if _name(steps) not in known:
                continue
            if isinstance(value, str):
                found.setdefault(steps, []).extend([turn] if value else [])
            elif value is not None:
                others.add(steps)
    return {steps: holders for steps, holders in found.items() if holders and steps not in others}


def _leaves(value: Turn, steps: Steps) -> Iterator[tuple[Steps, Any]]:
    for name, inner in value.items():
        here = (*steps, name)
        if not isinstance(inner, dict):
            yield here, inner
        elif len(here) < _MOST_DEPTH and _AROUND & set(Member("", here).words):
            yield from _leaves(inner, here)


def _name(steps: Steps) -> str:
    return Member("", steps).name


def _path(each: str, steps: Steps, role: str | None, spoken: Sequence[str]) -> str | None:
    """The last value, or None where rules cannot spell it."""
    below = Member("", steps).expression()
    asks = " || ".join(f"{role}=='{word}'" for word in spoken if _is_plain(word))
    if not asks or len(spoken) != asks.count("=="):
        path = f"{each}.{below} | [-1]"
    elif each.endswith("[]"):
        path = f"{each.removesuffix('[]')}[?{asks}].{below} | [-1]"
    else:
        # A projection is ended before it is filtered.
        path = f"{each} | [?{asks}].{below} | [-1]"
    try:
        return check_path(path) if len(path) <= _LONGEST else None
    except ValueError:
        return None


def _is_plain(word: str) -> bool:
    return word.isascii() and word.isprintable() and not set(word) & set("'\\`=")
