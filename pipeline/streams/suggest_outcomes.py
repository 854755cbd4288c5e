"""Where a log may say how a run ended: candidates with the counts of their values, and a line for each.

Which value is good is asked, never guessed: every line is a comment.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.contracts.plurals import plural
from pipeline.streams import suggest_toml as toml
from pipeline.streams import suggest_words as words
from pipeline.streams.suggest_draft import offered
from pipeline.streams.suggest_members import Member

_MOST_WORDS = 8
_LONGEST_WORD = 40
_MOST_CANDIDATES = 8
_VALUES_SHOWN = 6
_DEEPEST_UNNAMED = 2
_MOST_KEYS = 4
# Members of an item of scores: what is scored, and how it came out.
_KEYS = ("key", "name", "metric", "scorer")
_VALUES = ("score", "value", "passed", "correct", "result")

NONE_FOUND = (
    "# OUTCOME: not there. No member of the lines says how a run ended, and without it no row is accepted:",
    "# map what your harness says of a run, by a look-up perhaps (docs/streams.md).",
)
ASKED = (
    "# OUTCOME: asked. Nothing says by itself which value is good; look at the counts and take one line:",
    "# its # away, and pass, fail or error for each ?.",
)


def outcomes_in(members: Sequence[Member]) -> list[Member]:
    """Candidates: those named for an outcome first, then true or false, then words that tell."""
    members = [*members, *in_lists(members)]
    ranked = [
        (rank, number, each) for number, each in enumerate(members) if (rank := _rank(each)) is not None
    ]
    return [member for _, _, member in sorted(ranked, key=lambda each: each[:2])][:_MOST_CANDIDATES]


def in_lists(members: Sequence[Member]) -> list[Member]:
    """What lists of scores say (``feedback``, ``scores``), each by its key as a member of its own."""
    found = []
    for member in members:
        items = [item for each in member.there for item in each] if member.is_of(list) else []
        if not items or not set(member.words) & words.OUTCOME or not all(isinstance(i, dict) for i in items):
            continue
        key = next((name for name in _KEYS if all(isinstance(item.get(name), str) for item in items)), None)
        value = next((name for name in _VALUES if any(_tells(item.get(name)) for item in items)), None)
        names = list(dict.fromkeys(item[key] for item in items)) if key is not None else []
        for name in names[:_MOST_KEYS]:
            if value is not None and name.isascii() and name.isprintable() and not set(name) & set("'\\`"):
                path = f"{member.expression()}[?{key}=='{name}'].{value} | [0]"
                values = [_value_of(each, key, name, value) for each in member.values]
                found.append(Member(path, (*member.steps, name, value), values, member.before))
    return found


def _tells(value: Any) -> bool:
    return isinstance(value, (bool, int, float, str))


def _value_of(items: Any, key: Any, name: str, value: str) -> Any:
    for item in items or ():
        if item[key] == name and item.get(value) is not None:
            return item[value]
    return None


def _rank(member: Member) -> int | None:
    is_named = bool(set(member.words) & words.OUTCOME) and member.words[-1] not in words.NO_OUTCOME
    is_constant = len({str(value) for value in member.there if not isinstance(value, list)}) == 1
    if not is_named and (len(member.steps) > _DEEPEST_UNNAMED or (is_constant and len(member.there) > 1)):
        return None
    if member.is_of(bool):
        return 0 if is_named else 3
    if is_constant and len(member.there) > 1 and member.is_of(str):
        return None
    if member.is_of(int, float):
        return 1 if is_named else None
    if not member.is_of(str, bool):
        return None
    said = set(member.there)
    are_words = len(said) <= _MOST_WORDS and all(len(str(word)) <= _LONGEST_WORD for word in said)
    if not are_words or (len(said) > 2 and 2 * len(said) > len(member.there)):
        return None
    return 2 if is_named or {str(word).lower() for word in said} <= words.OUTCOME_VALUES else None


def lines_for(candidates: Sequence[Member]) -> list[str]:
    """The whole question, in comments."""
    if not candidates:
        return list(NONE_FOUND)
    lines = list(ASKED)
    for member in candidates:
        lines.append(toml.comment(f"  {member.path}: {seen(member)}"))
        lines.append(offered(*rule_for(member, member.path)))
    return lines


def seen(member: Member) -> str:
    """Values and how many lines have each; of numbers the range; and how many lines have none."""
    missing = len(member.values) - len(member.there)
    if member.is_of(int, float) and len(set(member.there)) > _VALUES_SHOWN:
        low, high = min(member.there), max(member.there)
        said = [f"{len(member.there):,} numbers from {low:g} to {high:g}"]
    else:
        counted = member.counts().most_common()
        said = [f"{toml.short(value)} {lines:,}" for (_, value), lines in counted[:_VALUES_SHOWN]]
        if len(counted) > _VALUES_SHOWN:
            said.append(f"and {plural(len(counted) - _VALUES_SHOWN, 'more value')}")
    return ", ".join([*said, f"none {missing:,}"] if missing else said)


def rule_for(member: Member, rule: Any) -> tuple[str, Any]:
    """The field and the rule that ``rule``, which finds the values, becomes."""
    if member.is_of(bool):
        return "verdict", rule
    if member.is_of(int, float):
        if min(member.there) >= 0 and max(member.there) <= 1:
            return "reward", rule
        if min(member.there) < 0:
            # Below 0 there is no reward: from where on a number is good must be said.
            return "verdict", {**_table(rule), "pass_at": max(member.there), "fail_below": max(member.there)}
        most = max(1, max(member.there))
        return "reward", {
            **_table(rule),
            "divide_by": int(most) if most == int(most) else most,
            "lenient": True,
        }
    if all(word in ("pass", "fail", "error") for word in member.there):
        return "verdict", rule
    said = dict.fromkeys(str(word).lower() if isinstance(word, bool) else word for word in member.there)
    return "verdict", {**_table(rule), "map": dict.fromkeys(said, "?")}


def _table(rule: Any) -> dict[str, Any]:
    return rule if isinstance(rule, dict) else {"path": rule}
