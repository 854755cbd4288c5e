"""PURE: from what a terminal is to how it is spoken to, with the reasons.

``rich`` is a local truecolor terminal: theme, gentle animation, mouse. ``lean`` is a link that
is slow or easily upset: the terminal's own palette, no animation, no mouse. ``plain`` is lines
of text, for dumb terminals and screen readers. A flag beats every observation.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from console.terminal.terminal_facts import TerminalFacts

SMALLEST_COLUMNS, SMALLEST_LINES = 20, 5


class Profile(StrEnum):
    RICH = "rich"
    LEAN = "lean"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class LinkProfile:
    """The decision. ``reasons`` tell it in the order in which it was made; ``link`` is one word."""

    profile: Profile
    link: str
    reasons: tuple[str, ...]
    has_terminal: bool
    ascii_only: bool
    monochrome: bool
    light: bool
    mouse: bool
    animation: bool
    flush_seconds: float


def choose_profile(facts: TerminalFacts, *, wanted: str | None = None) -> LinkProfile:
    """The profile that ``facts`` call for, or the ``wanted`` one where there is a terminal at all."""
    profile, reasons = _profile(facts, wanted)
    ascii_only = not facts.is_utf8
    if ascii_only:
        reasons.append(
            f"the encoding is {facts.encoding or 'unknown'}, not UTF-8: borders and marks in ASCII"
        )
    if facts.no_color:
        reasons.append("NO_COLOR is set: no colour")
    rich = profile is Profile.RICH
    return LinkProfile(
        profile=profile,
        link=_link(facts),
        reasons=tuple(reasons),
        has_terminal=facts.is_terminal,
        ascii_only=ascii_only,
        monochrome=facts.no_color,
        light=facts.background == "light",
        mouse=rich,
        animation=rich,
        flush_seconds=0.25 if rich else 0.5,
    )


def _profile(facts: TerminalFacts, wanted: str | None) -> tuple[Profile, list[str]]:
    if not facts.is_terminal:
        missing = "standard input" if not facts.stdin_is_tty else "standard error"
        return Profile.PLAIN, [f"{missing} is not a terminal"]
    if wanted is not None:
        return Profile(wanted), [f"asked for with --{'plain' if wanted == 'plain' else f'profile {wanted}'}"]
    if facts.term in ("", "dumb"):
        return Profile.PLAIN, [f"TERM is {facts.term or 'not set'}: no cursor movement"]
    if facts.columns < SMALLEST_COLUMNS or facts.lines < SMALLEST_LINES:
        return Profile.PLAIN, [f"{facts.columns}x{facts.lines} is below {SMALLEST_COLUMNS}x{SMALLEST_LINES}"]
    for word, seen in (("mosh", facts.mosh), ("ssh", facts.ssh)):
        if seen:
            return Profile.LEAN, [f"over {word}: few bytes, no animation"]
    if facts.tmux or facts.screen:
        return Profile.LEAN, [f"inside {'tmux' if facts.tmux else 'screen'}, which may be attached remotely"]
    if facts.no_color:
        return Profile.LEAN, ["NO_COLOR is set, and profile rich needs colour"]
    if facts.colours != "truecolor":
        return Profile.LEAN, [f"a local terminal with {facts.colours} colours: its own palette is safest"]
    return Profile.RICH, ["a local terminal with 24-bit colour"]


def _link(facts: TerminalFacts) -> str:
    links = {"mosh": facts.mosh, "ssh": facts.ssh, "tmux": facts.tmux, "screen": facts.screen}
    for word, seen in links.items():
        if seen:
            return word
    return "local" if facts.is_terminal else "none"
