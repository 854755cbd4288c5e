"""PURE: what a part or a check proves, in one sentence, and where a file lies for a forge."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from console.batch.causes import Place
from console.batch.parts import Part
from pipeline.contracts.check_index import ACCEPTANCE, AUDIT, SOURCE_PREFIX, source_check

_CHECKS = {spec.id: spec for spec in (*ACCEPTANCE, *AUDIT)}
_PARTS = {
    Part.STANDING: "No forbidden row is in the exports that stood before the run.",
    Part.RUN_ALL: "The sources become evidence, verdicts and exports, with receipts.",
    Part.FIREWALL: "No forbidden row is in the exports of the run.",
    Part.ACCEPTANCE: "The engine keeps its 22 invariants on the fixture.",
    Part.AUDIT: "Every claim of the reports is recomputed from the real data.",
    Part.DETERMINISM: "The same sources give the same bytes, however they are run.",
    Part.SYMPTOMS: "No severe symptom is detected.",
}


def what_it_proves(name: str) -> str:
    """The sentence of a part or a check; empty for one that this version does not know."""
    if name in _CHECKS:
        return _CHECKS[name].what_it_proves
    if name.startswith(SOURCE_PREFIX):
        return source_check(name.removeprefix(SOURCE_PREFIX)).what_it_proves
    return _PARTS.get(Part(name), "") if name in list(Part) else ""


def titled(name: str) -> str:
    """``P2.provenance: Every evidence row resolves …``, without the full stop."""
    proves = what_it_proves(name).rstrip(".")
    return f"{name}: {proves}" if proves else name


def folder_in_repository(root: Path) -> str:
    """The workspace below the top of its repository, ``""`` for the top itself or for none."""
    top = root.resolve()
    for folder in (top, *top.parents):
        if (folder / ".git").exists():
            return "" if folder == top else top.relative_to(folder).as_posix()
    return ""


def path_in_repository(place: Place, folder: str) -> str | None:
    """The file's path as a forge knows it; None for one that lies outside the workspace."""
    path = PurePosixPath(place.file)
    if path.is_absolute() or ".." in path.parts:
        return None
    return (PurePosixPath(folder) / path).as_posix()
