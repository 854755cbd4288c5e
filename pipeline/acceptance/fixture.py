"""The acceptance fixture: small sources, and beside them what must come of every line.

Its files are package data, so that a workspace's own engine carries them, and each is pinned by
digest: whoever edits one to make a check pass is named in the report.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from functools import cached_property
from pathlib import Path
from typing import Any

from pipeline.contracts import paths
from pipeline.contracts.faults import IntegrityError

FOLDER = Path(__file__).with_name("fixture")
PINNED = {
    "attempts_1.jsonl": "c3d70ceb36d62f0143a11c89328e31416e2f190748812a5990b39706526bc80d",
    "attempts_2.jsonl": "47eb511a7063a58b4516be19d5d6d68feb7c2ff57247f3a5c72e25d21a16950a",
    "attempts_3.jsonl": "b7d68d2e4e2c6964baa0a523ecef43a4f718b076588de627e46b6978f8d68793",
    "chats.jsonl": "9ca3978bb1743edfe7c9965130458d14020ea8ee2403aa120fdbabce832f4f6e",
    "distill.toml": "5cf859d7a6ffd63ae68e7751a7b9303da17098c20e8ddb7daedd7d00727f5bda",
    "expected.json": "273620ddf4a47e52538c41f9ab8ac0acdde05c59756528a2dd98deed759aba13",
    "hostile_lines.jsonl": "67aa12fd1725d83e8cf36e8cacd6b21afb415a6e4aa99e374e94f5bc855fc3fa",
    "hostile_torn.jsonl": "44d8064cd3b63786a6b2422f06bbbd0503de6bfb12c35e2be3875e893ca1c429",
    "judged.jsonl": "cf5c6de59e9db469ad5e6b457f5deb5c0fc76a989a26a021f52e9f346157ab83",
    "probes.jsonl": "5d52ae8f6db43f52ed2a41521b217db9909f59123f7cb38181129fcd4f0242e1",
    "questions.jsonl": "97bd3a21a3cd8d31a987750dd6aa80ba91f0a218b6ea7197e0a519e47fd32376",
    "repeats_1.jsonl": "978b0cc510df1c9c1ecc10e23a99e999f5e73e50c5b09b9119fa895d67f8bfa4",
    "repeats_2.jsonl": "5411328be22e8ea29913f4a6b83262eef736a83ac0fdd9b31e96fe8c5d7007ed",
}
# Where each source is put. One is stored compressed, and one has a name that would steer a terminal.
_HOSTILE_NAME = "hostile_\x1b[2J\u202e[red].jsonl"
SOURCES = {
    "attempts_1.jsonl": "attempts_1.jsonl",
    "attempts_2.jsonl": "attempts_2.jsonl.gz",
    "chats.jsonl": "chats.jsonl",
    "hostile_lines.jsonl": "hostile_lines.jsonl",
    "hostile_torn.jsonl": _HOSTILE_NAME,
    "judged.jsonl": "judged.jsonl",
    "probes.jsonl": "probes.jsonl",
    "questions.jsonl": "questions.jsonl",
    "repeats_1.jsonl": "repeats_1.jsonl",
    "repeats_2.jsonl": "repeats_2.jsonl",
}
LATER = "attempts_3.jsonl"
FLAT_FILE = "attempts_1.jsonl"
REPEATS = ("repeats_1.jsonl", "repeats_2.jsonl")


class Fixture:
    """The files as they are on disk. Raises IntegrityError when one is missing or is no JSON."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder

    def edited_files(self) -> list[str]:
        """Files that are not those that were pinned: changed, missing, or added."""
        found = {path.name: _sha256(path) for path in self._folder.iterdir() if path.is_file()}
        names = sorted(set(found) | set(PINNED))
        return [name for name in names if found.get(name) != PINNED.get(name)]

    @property
    def sha256(self) -> str:
        """One digest of all files and their names."""
        hasher = hashlib.sha256()
        for path in sorted(self._folder.iterdir()):
            if path.is_file():
                hasher.update(f"{path.name}\0{_sha256(path)}\n".encode())
        return hasher.hexdigest()

    @cached_property
    def expected(self) -> dict[str, Any]:
        """What must come of it: ``expected.json``."""
        try:
            value: dict[str, Any] = json.loads(self.source("expected.json"))
        except ValueError as error:
            raise _damaged("expected.json", str(error)) from error
        return value

    def source(self, name: str) -> bytes:
        try:
            return (self._folder / name).read_bytes()
        except OSError as error:
            raise _damaged(name, error.strerror or str(error)) from error

    def sources(self) -> dict[str, bytes]:
        """Every source as it is stored, by its name below ``data/_kb``."""
        stored = {}
        for name, target in SOURCES.items():
            data = self.source(name)
            stored[target] = gzip.compress(data, mtime=0) if target.endswith(".gz") else data
        return stored

    def settings(self) -> bytes:
        return self.source("distill.toml")

    def install(
        self,
        workspace: Path,
        *,
        changed: dict[str, bytes] | None = None,
        settings: bytes | None = None,
        backwards: bool = False,
    ) -> None:
        """Make ``workspace`` hold the fixture. ``changed`` sources replace or join those of the fixture.

        ``backwards`` makes the files in the opposite order, for file systems that list them so.
        """
        folder = workspace / paths.KNOWLEDGE_BASE
        folder.mkdir(mode=0o700, parents=True)
        (workspace / paths.SETTINGS).write_bytes(self.settings() if settings is None else settings)
        stored = {**self.sources(), **(changed or {})}
        for name in sorted(stored, reverse=backwards):
            (folder / name).write_bytes(stored[name])

    def hostile_outcomes(self) -> list[tuple[str, int, int, str]]:
        """File, line, byte offset and outcome of every hostile line, as installed."""
        return [
            (
                f"{paths.KNOWLEDGE_BASE}/{SOURCES[entry['file']]}",
                entry["line"],
                entry["byte_offset"],
                entry["outcome"],
            )
            for entry in self.expected["hostile"]
        ]


def _damaged(name: str, why: str) -> IntegrityError:
    return IntegrityError.of(
        code="fixture_damaged",
        what_happened=f"The acceptance fixture is damaged: {name}: {why}.",
        kept_safe="Nothing of the workspace was touched.",
        do_next="Restore pipeline/acceptance/fixture from the last-good tag, or reinstall the engine.",
        file=f"pipeline/acceptance/fixture/{name}",
    )


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
