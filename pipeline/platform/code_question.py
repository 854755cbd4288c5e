"""The one sentence that asks for consent on a terminal: the code of what was read, and what it does."""

from __future__ import annotations


def code_question(code: str, yes: str, no: str, *, reason: bool = False) -> str:
    """``Code 5236 · reason · Enter: carry it out. Anything else: nothing is changed.``"""
    return f"Code {code} · {'reason · ' if reason else ''}Enter: {yes}. Anything else: {no}."
