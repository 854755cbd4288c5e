"""What a drill is: a real fault, planted in a throw-away workspace, and what must come of it.

The module ``drill`` of a symptom's folder holds one or more drills. ``plant`` does what somebody would
have done by mistake::

    def plant(scene: Scene) -> Planted:
        wall = scene.random.choice(WALLS)
        scene.edit(wall.path, wall.sound, wall.loosened)
        scene.commit("export: let more rows through", author=TOMAS)
        scene.engine("run-all")
        return Planted(says=f"{wall.path} was loosened", cause="exporter_loosened", offer="restore")

    DRILL = Drill("S1.P4.self-pair", "The equality guard is gone", plant)

Whatever may differ (which file, row, constant, author) is drawn from ``scene.random``, so that
the same seed plants the same fault. In the scene the engine's code lies in ``pipeline/`` and is what
runs; the repository holds it, settings and documents, each part from a commit of its own; the
last-good tag is one commit behind ``main``. Data, exports and reports are of one good run and one
green audit.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.contracts import paths
from pipeline.contracts.faults import StorageError
from pipeline.platform.engine_choice import trust_what_we_made
from pipeline.platform.git import GitError, Person, write_git
from pipeline.platform.process_end import Ended
from runbook.probes.evidence import Confidence
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
        trust_what_we_made(self.root)
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

    def append(self, path: str, text: str) -> None:
        """Write ``text`` at the end of a file."""
        with (self.root / path).open("a", encoding="utf-8") as file:
            file.write(text)

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
    return StorageError.of(
        "drill_not_built",
        f"The drill's workspace could not be built: {what}.",
        "Nothing outside of the drill's folder was touched.",
        "Start the drill again; if it ends like this again, the drill is older than the engine.",
    )


@dataclass(frozen=True)
class Planted:
    """What was planted, and the way out that a good wizard leads to.

    ``says`` tells the operator afterwards, in one sentence, what was done. ``cause`` is the id that
    the diagnosis must name, with this ``confidence`` where that is not None. ``offer`` is chosen, with
    ``answers`` to its questions; where it only contains the damage, ``afterwards`` are the offers
    chosen after it, one after the other, until the detector is green.

    ``also`` are the other symptoms that rightly show, beneath this one or beside it; exactly
    those may. ``audited`` has the night's audit (acceptance included) run after planting: symptoms
    that read reports ring only then.
    """

    says: str
    cause: str
    offer: str
    answers: Mapping[str, str] = field(default_factory=dict)
    also: tuple[str, ...] = ()
    audited: bool = False
    confidence: Confidence | None = Confidence.CERTAIN
    afterwards: tuple[str, ...] = ()


@dataclass(frozen=True)
class Drill:
    """One planted fault of a symptom. ``name`` tells apart the drills of a symptom with several."""

    symptom_id: str
    title: str
    plant: Callable[[Scene], Planted]
    name: str = ""

    @property
    def id(self) -> str:
        """What ``distill drill start`` takes: ``S6.replay-log``, or ``S1.P4.sft-leak/appended``."""
        return f"{self.symptom_id}/{self.name}" if self.name else self.symptom_id
