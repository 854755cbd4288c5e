"""Credentials in texts: found before a text reaches an export.

``secret_rules`` says what one looks like. Here is the search: one pass for the literals of all
rules, and a look with the patterns around what it finds.
"""

from __future__ import annotations

from ahocorasick_rs import BytesAhoCorasick, MatchKind

from pipeline.stages.secret_rules import RULES, SecretRule

# How far around a literal its pattern looks; no credential is longer. One window serves all
# literals in its first half, so that a hostile text of nothing but literals costs a search a window.
BEFORE_BYTES = 256
AFTER_BYTES = 1100


def _can_hide(literal: bytes, other: bytes) -> bool:
    """Whether ``other`` may start inside ``literal``, or is it: the search goes on behind a literal."""
    return any(literal.endswith(other[:size]) for size in range(1, len(other) + 1))


def _rules_at(literal: bytes) -> tuple[SecretRule, ...]:
    """The rules to ask where ``literal`` was found: those that it leads to, its own ones first."""
    own = [rule for rule in RULES if literal in rule.literals]
    longer = [rule for rule in RULES if any(other.startswith(literal) for other in rule.literals)]
    hidden = [rule for rule in RULES if any(_can_hide(literal, other) for other in rule.literals)]
    return tuple({rule.kind: rule for rule in (*own, *longer, *hidden)}.values())


_LITERALS = [
    (literal, _rules_at(literal)) for literal in dict.fromkeys(one for rule in RULES for one in rule.literals)
]
_find_literals = BytesAhoCorasick(
    [literal for literal, _ in _LITERALS], matchkind=MatchKind.LeftmostFirst
).find_matches_as_indexes


def secret_in_bytes(data: bytes) -> str | None:
    """The kind of the first credential in a text's UTF-8, or None. Never the credential itself."""
    searched: dict[str, int] = {}
    for literal, start, end in _find_literals(data):
        for rule in _LITERALS[literal][1]:
            if end + AFTER_BYTES <= searched.get(rule.kind, 0):
                continue
            stop = searched[rule.kind] = end + 2 * AFTER_BYTES
            if _matches(rule, data[max(0, start - BEFORE_BYTES) : stop]):
                return rule.kind
    return None


def _matches(rule: SecretRule, window: bytes) -> bool:
    return any(rule.is_secret(match) for pattern in rule.patterns for match in pattern.finditer(window))
