"""The index of what a batch runs: names, order, and how each part is started."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pipeline.contracts.discovery import EngineChoice, engine_argv, firewall_argv, firewall_environment
from pipeline.contracts.faults import SettingsError


class Part(StrEnum):
    """In the order in which they run. Symptoms come last: they read the reports of the others.

    ``STANDING`` is the firewall on what stands before ``run-all`` replaces it: it runs where both do,
    and has no name that could be chosen or left out.
    """

    STANDING = "firewall-before"
    RUN_ALL = "run-all"
    FIREWALL = "firewall"
    ACCEPTANCE = "acceptance"
    AUDIT = "audit-full"
    DETERMINISM = "determinism"
    SYMPTOMS = "symptoms"


# What ``--only`` and ``--skip`` may name.
_NAMES = tuple(part for part in Part if part is not Part.STANDING)
# Each is one look of the firewall, and has the limit of one.
LOOKS = (Part.STANDING, Part.FIREWALL)
OF_THE_ENGINE = (Part.RUN_ALL, Part.ACCEPTANCE, Part.AUDIT, Part.DETERMINISM)
# Determinism runs the pipeline several times over, so that it has to be asked for.
BY_DEFAULT = tuple(part for part in _NAMES if part is not Part.DETERMINISM)


@dataclass(frozen=True)
class Selection:
    """``skipped`` are those that were left out of what would have run."""

    wanted: tuple[Part, ...]
    skipped: tuple[Part, ...]


def select(only: Sequence[str], skip: Sequence[str], *, determinism: bool) -> Selection:
    """Which parts run. Each text may hold several names with commas. Raises SettingsError."""
    chosen, left_out = _parts("--only", only), _parts("--skip", skip)
    asked = {*(chosen or BY_DEFAULT), *((Part.DETERMINISM,) if determinism else ())}
    running = asked - left_out
    if {Part.RUN_ALL, Part.FIREWALL} <= running:
        running.add(Part.STANDING)
    wanted = tuple(part for part in Part if part in running)
    if not wanted:
        raise _usage("--only and --skip leave nothing to run.", "Leave one of them out.")
    skipped = tuple(part for part in Part if part not in wanted and part in {*BY_DEFAULT, *asked, *left_out})
    return Selection(wanted, skipped)


def _parts(option: str, texts: Sequence[str]) -> frozenset[Part]:
    found = set()
    for name in (name.strip() for text in texts for name in text.split(",")):
        if name not in _NAMES:
            raise _usage(f"{option} {name}: a batch has no such part.", f"Name some of: {', '.join(_NAMES)}")
        found.add(Part(name))
    return frozenset(found)


def _usage(what_happened: str, do_next: str) -> SettingsError:
    return SettingsError.of("usage", what_happened, "Nothing was run or written.", do_next)


def argv_of(part: Part, root: Path, events: Path, *, acceptance_report: Path | None) -> list[str]:
    """The argument list of a part."""
    common = ["-C", str(root), "--json", "--events", str(events)]
    match part:
        case Part.STANDING | Part.FIREWALL:
            return firewall_argv(common)
        case Part.SYMPTOMS:
            return [sys.executable, "-P", "-m", "console", "-C", str(root), "--json", "runbook", "detect"]
        case Part.AUDIT if acceptance_report is not None:
            return engine_argv([part, *common, "--acceptance-report", str(acceptance_report)])
        case _:
            return engine_argv([part, *common])


def environment_of(part: Part, engine: EngineChoice) -> dict[str, str]:
    """The firewall and the symptoms never run code of the workspace."""
    return engine.environment() if part in OF_THE_ENGINE else firewall_environment()
