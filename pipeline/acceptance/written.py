"""Reads what a run left on disk, with the standard library alone.

Nothing of the engine is asked: digests, offsets, texts and counts are worked out again here.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import unicodedata
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from pipeline.contracts import paths
from pipeline.contracts.faults import IntegrityError

CATEGORIES = ("accepted", "partially_accepted", "needs_human_review", "rejected")
MAY_BE_TRAINED_ON = frozenset(CATEGORIES[:2])
RANK = {"accepted": 2, "partially_accepted": 1, "rejected": 0}
EXPORTS = {
    "rag": (paths.RAG_EXPORT, paths.RAG_QUARANTINE),
    "sft": (paths.SFT_EXPORT, paths.SFT_QUARANTINE),
    "preference": (paths.PREFERENCE_EXPORT, paths.PREFERENCE_QUARANTINE),
}
_STAMP = b',"recorded_at":"'
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

Row = dict[str, Any]


class Written:
    """The outputs of the last run in ``workspace``. Raises IntegrityError where they cannot be read."""

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace

    def rows(self, relative: object) -> list[Row]:
        """All rows of one output, each with its 1-based line number as ``_line``."""
        path = self.workspace / str(relative)
        rows = []
        try:
            for number, line in enumerate(path.read_bytes().splitlines(), 1):
                rows.append({**json.loads(line), "_line": number})
        except (OSError, ValueError, TypeError) as error:
            raise unreadable(relative, f"{type(error).__name__}: {error}") from error
        return rows

    def _rows_below(self, folder: object) -> list[Row]:
        files = sorted((self.workspace / str(folder)).rglob("*.jsonl"))
        return [row for path in files for row in self.rows(path.relative_to(self.workspace).as_posix())]

    @cached_property
    def evidence(self) -> list[Row]:
        return self._rows_below(paths.EVIDENCE)

    @cached_property
    def scored(self) -> list[Row]:
        return self._rows_below(paths.SCORED_RUNS)

    @cached_property
    def skips(self) -> list[Row]:
        return self.rows(paths.DISTILLATION_SKIPS)

    @cached_property
    def by_run(self) -> dict[str, Row]:
        """Evidence by run id."""
        return {row["run_id"]: row for row in self.evidence}

    @cached_property
    def category(self) -> dict[str, str]:
        """Category by run id; of two verdicts the last one, which A17 would object to."""
        return {row["run_id"]: row["category"] for row in self.scored}

    @cached_property
    def summary(self) -> Row:
        """The newest summary of a run that committed."""
        found = []
        for path in (self.workspace / paths.REPORTS).glob("*/summary.json"):
            value = self.json_file(path)
            if value.get("ok") is True:
                found.append(value)
        if not found:
            raise unreadable(paths.REPORTS, "no run committed")
        return max(found, key=lambda summary: (summary["started_at"], summary["pipeline_run_id"]))

    @cached_property
    def receipts(self) -> dict[str, Row]:
        """The receipts that the summary names, by stage."""
        return {
            stage["stage"]: self.json_file(self.workspace / stage["receipt"])
            for stage in self.summary["stages"]
        }

    def json_file(self, path: Path) -> Row:
        try:
            value: Row = json.loads(path.read_bytes())
        except (OSError, ValueError) as error:
            raise unreadable(path.relative_to(self.workspace), f"{type(error).__name__}: {error}") from error
        return value

    def outputs(self) -> dict[str, bytes]:
        """Every row file that runs write, by relative path."""
        found = {}
        for folder in (paths.EVIDENCE, paths.SCORED_RUNS, paths.EXPORTS):
            for path in sorted((self.workspace / folder).rglob("*.jsonl")):
                found[path.relative_to(self.workspace).as_posix()] = path.read_bytes()
        for journal in (paths.DISTILLATION_SKIPS, paths.SCORING_SKIPS):
            path = self.workspace / journal
            if path.exists():
                found[str(journal)] = path.read_bytes()
        return found

    def source_bytes(self, relative: str) -> bytes:
        """A source as offsets see it: decompressed."""
        data = (self.workspace / relative).read_bytes()
        return gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data


def source_lines(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Line number, byte offset and bytes (without line end) of every line, an unterminated one too."""
    offset = len(_BYTE_ORDER_MARK) if data.startswith(_BYTE_ORDER_MARK) else 0
    number = 0
    while offset < len(data):
        number += 1
        end = data.find(b"\n", offset)
        stop = len(data) if end < 0 else end
        yield number, offset, data[offset:stop].removesuffix(b"\r")
        offset = stop + 1


def rows_digest(data: bytes) -> str:
    """The digest of rows without ``recorded_at``, as receipts claim it."""
    hasher = hashlib.sha256()
    for line in data.splitlines(keepends=True):
        at = line.rfind(_STAMP)
        hasher.update(hashlib.sha256(line if at < 0 else line[:at] + b"}\n").digest())
    return hasher.hexdigest()


def normal(text: str | None) -> str:
    """A text without what may differ in one text at the least: composition, and the ends of lines."""
    lines = unicodedata.normalize("NFC", text or "").splitlines()
    return "\n".join(line.rstrip() for line in lines).strip("\n")


def asked(row: Row) -> tuple[tuple[str, str], ...]:
    """What others than the system said before the first answer, as (role, text)."""
    if not row["messages"]:
        return (("user", normal(row["instruction"])),)
    turns = []
    for turn in row["messages"]:
        if turn["role"] == "assistant":
            break
        turns.append((turn["role"], normal(turn["content"])))
    return tuple(turn for turn in turns if turn[0] != "system")


def answers(row: Row) -> list[tuple[str, tuple[tuple[str, str], ...]]]:
    """What the assistant said and called in a run: one entry a turn, one in all for a flat run."""
    if not row["messages"]:
        return [(normal(row["response"]), ())]
    return [said_in(turn) for turn in row["messages"] if turn["role"] == "assistant"]


def said_in(turn: Row) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The normalised text and the calls of one turn."""
    listed = turn["tool_calls"]
    if isinstance(listed, str):  # as exports hold them: the list as JSON text
        listed = json.loads(listed) if listed else ()
    calls = tuple((call["name"], call["arguments"]) for call in listed or ())
    return normal(turn["content"]), calls


def unreadable(what: object, why: str) -> IntegrityError:
    return IntegrityError.of(
        code="output_unreadable",
        what_happened=f"{what} cannot be read: {why}",
        kept_safe="It lies in the temp root; nothing of the workspace was touched.",
        do_next="Look at it in the temp root, which is kept.",
        file=str(what),
    )
