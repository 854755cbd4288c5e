"""Consent on a terminal: the code of what was read, and the one sentence that asks for it."""

from __future__ import annotations


def code_of(digest: str) -> str:
    """Four digits of it, which a person types to agree to just what it is of."""
    return f"{int(digest[:8], 16) % 10_000:04d}"


def code_question(code: str, yes: str, no: str, *, reason: bool = False) -> str:
    """``Code 5236 · reason · Enter: carry it out. Anything else: nothing is changed.``"""
    return f"Code {code} · {'reason · ' if reason else ''}Enter: {yes}. Anything else: {no}."
