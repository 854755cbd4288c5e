"""Colours. Two truecolor themes, and the terminal's own palette for lean links.

A state is told by a word and a mark; these colours only repeat it. Healthy is quiet: nothing
that is well is brighter than plain text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from rich.style import Style
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from console.presentation.spans import Role
from console.terminal.link_profile import LinkProfile, Profile

DARK = Theme(
    name="distill-dark",
    primary="#7aa2d6",
    secondary="#5f7f9f",
    accent="#8ec6ff",
    foreground="#cdd6e0",
    background="#0f1419",
    surface="#0f1419",
    panel="#18202a",
    success="#7fc08a",
    warning="#e6b450",
    error="#f2555a",
    dark=True,
    variables={
        "quiet": "#73808f",
        "frame": "#33404f",
        "groove": "#263140",
        "bright": "#f0f4f8",
        "category-accepted": "#7fc08a",
        "category-partial": "#6ea8d8",
        "category-review": "#e6b450",
        "category-rejected": "#7d8796",
    },
)
LIGHT = Theme(
    name="distill-light",
    primary="#24578f",
    secondary="#4a6785",
    accent="#0b5cad",
    foreground="#24292f",
    background="#fbfbf9",
    surface="#fbfbf9",
    panel="#eeeeea",
    success="#2a7a3b",
    warning="#8f5f00",
    error="#b3161b",
    dark=False,
    variables={
        "quiet": "#66707a",
        "frame": "#b9c0c7",
        "groove": "#dcdfe2",
        "bright": "#000000",
        "category-accepted": "#2a7a3b",
        "category-partial": "#24578f",
        "category-review": "#8f5f00",
        "category-rejected": "#66707a",
    },
)
TERMINAL = Theme(
    name="distill-terminal",
    ansi=True,
    primary="ansi_blue",
    secondary="ansi_cyan",
    accent="ansi_cyan",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    boost="ansi_default",
    success="ansi_green",
    warning="ansi_yellow",
    error="ansi_red",
    variables={
        **BUILTIN_THEMES["ansi-dark"].variables,
        "quiet": "ansi_default",
        "frame": "ansi_default",
        "groove": "ansi_default",
        "bright": "ansi_default",
        "category-accepted": "ansi_green",
        "category-partial": "ansi_cyan",
        "category-review": "ansi_yellow",
        "category-rejected": "ansi_default",
    },
)
THEMES = (DARK, LIGHT, TERMINAL)


class Ink(NamedTuple):
    """How a role is written: the theme's variable for its colour, and attributes."""

    variable: str
    bold: bool = False
    reverse: bool = False


INKS: dict[Role, Ink] = {
    "text": Ink("foreground"),
    "dim": Ink("quiet"),
    "strong": Ink("bright", bold=True),
    "title": Ink("primary", bold=True),
    "border": Ink("frame"),
    "accent": Ink("accent"),
    "ok": Ink("success"),
    "warn": Ink("warning"),
    "fail": Ink("error", bold=True),
    "badge": Ink("error", bold=True, reverse=True),
    "armed": Ink("warning", bold=True, reverse=True),
    "cursor": Ink("accent", bold=True),
    "key": Ink("accent", bold=True),
    "accepted": Ink("category-accepted"),
    "partial": Ink("category-partial"),
    "review": Ink("category-review"),
    "rejected": Ink("category-rejected"),
    "groove": Ink("groove"),
    "spark": Ink("accent"),
}
# A terminal's own palette has no quiet grey that is safe on every background; its dim has.
_DIM_IN_TERMINAL = frozenset(("dim", "border", "groove", "rejected"))


def ink_styles(variables: Mapping[str, str], *, terminal_palette: bool) -> dict[str, Style]:
    """Each role's foreground style, from a theme's variables. Backgrounds are the widget's."""
    return {
        role: Style(
            color=Color.parse(variables[ink.variable]).rich_color,
            bold=ink.bold or None,
            reverse=ink.reverse or None,
            dim=(terminal_palette and role in _DIM_IN_TERMINAL) or None,
        )
        for role, ink in INKS.items()
    }


def uses_terminal_palette(link: LinkProfile) -> bool:
    """Lean links and terminals that want no colour get no colour of ours."""
    return link.profile is not Profile.RICH or link.monochrome


def theme_for(link: LinkProfile) -> str:
    if uses_terminal_palette(link):
        return TERMINAL.name
    return LIGHT.name if link.light else DARK.name
