"""The workspace in which a fault is planted, and the hands that plant it.

The engine's code lies in ``pipeline/`` and is what runs; the repository holds it, settings and
documents, each part from a commit of its own; the last-good tag is one commit behind ``main``.
Data, exports and reports are of one good run and one green audit.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.contracts import paths
from pipeline.contracts.faults import Fault, StorageError
from pipeline.platform.git import GitError, Person, write_git
from pipeline.platform.process import Ended
from runbook.probes.workspace import Workspace

ENGINE_SECONDS = 600.0


INES, TOMAS, AIKO = (Person(name, f"{name.lower()}@distill.invalid") for name in ("Ines", "Tomas", "Aiko"))
PEOPLE = (AIKO, INES, TOMAS)


@dataclass(frozen=True)
class Slip:
    """What stood once in a file, what somebody put there instead, and the words of the commit."""

    path: str
    sound: str
    broken: str
    message: str


@dataclass(frozen=True)
class Scene:
    """``random`` is seeded: draw from it whatever may differ between two drills of a kind.

    Each hand raises StorageError when the engine's text or files are not what the drill was
    written for, so that no drill plants half a fault.
    """

    root: Path
    random: random.Random

    @property
    def workspace(self) -> Workspace:
        return Workspace(self.root)

    def engine(self, *arguments: str, ends_with: int | None = 0) -> Ended:
        """``distill ARGUMENTS`` by the workspace's engine; ``ends_with=None`` takes any end."""
        ran = self.workspace.engine(arguments, seconds=ENGINE_SECONDS)
        if ends_with is not None and ran.exit_code != ends_with:
            said = ran.reason
            raise does_not_fit(f"distill {' '.join(arguments)} ended with {ran.exit_code}: {said}")
        return ran

    def audit(self) -> None:
        """The night's audit, whatever it finds: acceptance, then all required checks and drift.

        While the engine's code is as tagged, the standing acceptance of it still holds.
        """
        report = str(paths.ACCEPTANCE_DATA)
        held = () if self._engine_was_changed() else ("--acceptance-report", report)
        self.engine("audit-full", *held, ends_with=None)

    def _engine_was_changed(self) -> bool:
        commit = self.workspace.git.resolve_tag(self.workspace.last_good_tag)
        return commit is None or bool(self.workspace.git.changes(commit, ["pipeline"]))

    def git(self, *words: str, author: Person = INES) -> str:
        """Run git as ``author``, without hooks and without anybody's configuration."""
        try:
            return write_git(self.root, words, author)
        except GitError as error:
            raise does_not_fit(f"git {words[0]}: {error}") from error

    def commit(self, message: str, author: Person = TOMAS) -> str:
        """Commit everything that git is to keep (never data, exports, reports). The commit's id."""
        self.git("add", "--all", author=author)
        self.git("commit", "--quiet", "--no-verify", "--message", message, author=author)
        return self.git("rev-parse", "HEAD")

    def anybody(self) -> Person:
        return self.random.choice(PEOPLE)

    def slip(self, slips: Sequence[Slip]) -> Slip:
        """Make one of them; it is not committed yet."""
        chosen = self.random.choice(slips)
        self.edit(chosen.path, chosen.sound, chosen.broken)
        return chosen

    def commit_perhaps(self, message: str, chance: float = 0.7) -> str:
        """``committed by Ines``, or ``not committed``."""
        author = self.anybody()
        if self.random.random() >= chance:
            return "not committed"
        self.commit(message, author=author)
        return f"committed by {author.name}"

    def text(self, path: str) -> str:
        return (self.root / path).read_text(encoding="utf-8")

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace the one occurrence of ``old``."""
        before = self.text(path)
        if before.count(old) != 1:
            raise does_not_fit(f"{path} holds {old!r} {before.count(old)} times, and not once")
        (self.root / path).write_text(before.replace(old, new), encoding="utf-8")

    def rows(self, path: str) -> list[dict[str, Any]]:
        """The rows of a JSONL file, keys in their order."""
        return [json.loads(line) for line in (self.root / path).read_bytes().splitlines()]

    def write_rows(self, path: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Replace a JSONL file, behind the engine's back."""
        (self.root / path).write_bytes(b"".join(_line(row) for row in rows))

    def append_row(self, path: str, row: Mapping[str, Any]) -> None:
        """Append one row, behind the engine's back."""
        with (self.root / path).open("ab") as file:
            file.write(_line(row))


def seeded(root: Path, seed: int) -> Scene:
    """The scene at ``root`` in which just this seed's fault is planted."""
    return Scene(root, random.Random(seed))  # noqa: S311 - where a fault goes is no secret


def _line(row: Mapping[str, Any]) -> bytes:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def does_not_fit(what: str) -> StorageError:
    """The throw-away workspace could not be made what the drill needs."""
    return StorageError(
        Fault(
            "drill_not_built",
            f"The drill's workspace could not be built: {what}.",
            "Nothing outside of the drill's folder was touched.",
            "Start the drill again; if it ends like this again, the drill is older than the engine.",
        )
    )
