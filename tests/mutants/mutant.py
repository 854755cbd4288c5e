"""Deliberately broken engines: one edit each, and the invariants that it must turn red.

A mutant is a copy of the ``pipeline`` package in which ``old`` became ``new``. Nearly all turn
exactly one invariant red. Where the nature of the fault forces a second one, ``why_more`` says why.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """``file`` is below ``pipeline/``. ``installed``: the fault is in the firewall, which always runs
    from the installation, so the mutant has to be the installation.

    ``says`` has for each invariant in ``red`` words of an example that only this fault gives: by them it is
    known among others in one engine. One that leaves others' examples no room is ``alone``; ``apart`` names
    those that it cannot be told from, or with which it does what neither does by itself."""

    id: str
    file: str
    old: str
    new: str
    red: tuple[str, ...]
    says: tuple[str, ...]
    why_more: str = ""
    alone: bool = False
    apart: tuple[str, ...] = ()

    @property
    def installed(self) -> bool:
        return self.file.startswith("firewall/")
