"""The intent file: which staged files are about to be renamed to where.

It is read back by whoever comes after a crash, from a workspace that may be a stranger's, so
it is believed only as far as this engine could have written it: staged files of that run, and
targets among the files that a run writes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import orjson

from pipeline.contracts import paths
from pipeline.contracts.faults import IntegrityError
from pipeline.contracts.untrusted import visible
from pipeline.platform import disk

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_OUTPUT_FOLDERS = (paths.EVIDENCE, paths.SCORED_RUNS, paths.EXPORTS)
_OUTPUT_FILES = (paths.DISTILLATION_SKIPS, paths.SCORING_SKIPS)


@dataclass(frozen=True)
class Rename:
    """A staged file and where it goes, both relative to the workspace.

    ``replaces`` says whether something stood there: undoing must not remove it.
    """

    staged: str
    target: str
    sha256: str
    replaces: bool = True


@dataclass(frozen=True)
class Intent:
    """All renames of one run; its summary is the last of them."""

    pipeline_run_id: str
    renames: tuple[Rename, ...]

    def original(self, target: str) -> str:
        """Where the file that stood at ``target`` is kept until the intent is closed."""
        return str(paths.STAGING / self.pipeline_run_id / "originals" / target)

    def places(self) -> Iterator[str]:
        """Every path that carrying it out, or undoing it, may change."""
        for rename in self.renames:
            yield from (rename.staged, rename.target, self.original(rename.target))


def encode_intent(intent: Intent) -> bytes:
    return orjson.dumps({"schema_version": 1, **asdict(intent)}, option=orjson.OPT_INDENT_2)


def read_intent(workspace: Path) -> Intent | None:
    """The open intent, or None. Raises OSError, and IntegrityError for one that no run wrote."""
    path = workspace / paths.INTENT
    try:
        data = disk.read_plain(path)
    except FileNotFoundError:
        return None
    try:
        value: dict[str, Any] = orjson.loads(data)
        intent = Intent(value["pipeline_run_id"], tuple(Rename(**rename) for rename in value["renames"]))
        _check(intent)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unsettled(path, visible(str(error), 200)) from error
    return intent


def _check(intent: Intent) -> None:
    """Raises ValueError or TypeError for a rename that no run would write."""
    if not _RUN_ID.fullmatch(intent.pipeline_run_id):
        raise ValueError(f"{intent.pipeline_run_id!r} names no run")
    staging = paths.STAGING / intent.pipeline_run_id
    folders = (*_OUTPUT_FOLDERS, paths.run_folder(intent.pipeline_run_id))
    for rename in intent.renames:
        target = PurePosixPath(rename.target)
        if not _is_below(rename.staged, staging):
            raise ValueError(f"{rename.staged!r} is no staged file of its run")
        if target not in _OUTPUT_FILES and not any(_is_below(rename.target, folder) for folder in folders):
            raise ValueError(f"{rename.target!r} is no output of a run")
        if not _SHA256.fullmatch(rename.sha256):
            raise ValueError(f"{rename.sha256!r} is no sha256")


def _is_below(relative: str, folder: PurePosixPath) -> bool:
    path = PurePosixPath(relative)
    if "\0" in relative or ".." in path.parts or str(path) != relative:
        return False
    return path != folder and path.is_relative_to(folder)


def _unsettled(path: Path, why: str) -> IntegrityError:
    return IntegrityError.of(
        code="intent_unsettled",
        what_happened=f"The interrupted commit in {path} cannot be settled: {why}.",
        kept_safe="Nothing was changed. The staged files and the originals are under .distill/staging.",
        do_next=f"Move {path} aside, then build the outputs again: distill run-all --no-cache",
        file=str(path),
    )
