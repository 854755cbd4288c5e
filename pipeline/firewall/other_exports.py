"""Playbooks and pairs beside the live SFT export: do they say what their runs said, and may they?

Rows are read by the strict reader, and compared with the evidence and the verdicts of the runs that
they name: a playbook is of a run that may be exported, and the chosen run of a pair is the better one.
Only exports of version 2 are: what came before is of the version that had no such walls.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET

from pipeline.contracts import paths
from pipeline.contracts.untrusted import visible
from pipeline.firewall import strict_json
from pipeline.firewall.conversation import TURN_MEMBERS, Message, parsed_messages, text_of
from pipeline.firewall.export_version import NEWEST, first_lines, version_of_other
from pipeline.firewall.fidelity import (
    Turn,
    begins,
    part,
    spelt_otherwise,
    tools_differ,
    turns_of,
    turns_of_run,
)
from pipeline.firewall.index import OLDER_THAN_RUNS, Index
from pipeline.firewall.index_rows import EvidenceRow, is_newer
from pipeline.firewall.line_feed import bounded_lines
from pipeline.firewall.places import Places
from pipeline.firewall.plain_files import FileMissingError, FileRefusedError, open_regular
from pipeline.firewall.repeated_runs import RepeatedRuns
from pipeline.firewall.report import Finding, Findings, Report, State, shown_id
from pipeline.firewall.row_facts import facts_differ, side_differs, turns_told_otherwise
from pipeline.firewall.run_table import MAY_BE_EXPORTED, STATE_BITS, Verdict, has_evidence, verdict_of
from pipeline.firewall.split_sides import SplitRule, rules
from pipeline.firewall.strict_json import UnreadableError

WALL = "fidelity"
LINEAGE = "lineage"
FILES = {"rag": paths.RAG_EXPORT, "preference": paths.PREFERENCE_EXPORT}
# All that a playbook may hold besides the texts of its run.
HEADINGS = ("# Task", "# Given", "# What worked", "# What partly worked", "## Step ")
_QUOTED = 60
_HEADING = r"(?:# Task|# Given|# What worked|# What partly worked|## Step [0-9]+)(?=\n|$)"
_GAP = re.compile(rf"{_HEADING}|\n")
# The headings that were passed, in their order: each once, and steps counted.
_IN_ORDER = re.compile(r"(# Task)?(# Given)?(# What worked|# What partly worked)?((?:## Step [0-9]+)*)")
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_LINE_ENDS = 2  # between two parts of a playbook
_REST = re.compile(r"\n{0,2}")


_PLAYBOOK_MEMBERS = frozenset((
    "id", "title", "content", "tags", "source_run_id", "success_score", "source_category", "embedding_text",
    "stream", "task_id", "model_name", "score", "turns", "estimated_tokens", "split", "provenance",
    "recorded_at",
))  # fmt: skip
_PAIR_MEMBERS = frozenset((
    "id", "shape", "prompt", "chosen", "rejected", "tools", "reason", "chosen_run_id", "rejected_run_id",
    "stream", "task_id", "chosen_model_name", "rejected_model_name", "chosen_score", "rejected_score",
    "attempts", "passed", "turns", "estimated_tokens", "split", "chosen_provenance", "rejected_provenance",
    "recorded_at",
))  # fmt: skip
_FORBIDDEN = (Verdict.REJECTED, Verdict.NEEDS_HUMAN_REVIEW, Verdict.UNKNOWN_CATEGORY)
_SCORED = {
    Verdict.NONE: "was never scored",
    Verdict.REJECTED: "was scored rejected",
    Verdict.NEEDS_HUMAN_REVIEW: "was scored needs_human_review",
    Verdict.UNKNOWN_CATEGORY: "was scored with a category that does not exist",
}
# The better one first; a run of another verdict stands in no pair.
_RANKED = (Verdict.ACCEPTED, Verdict.PARTIALLY_ACCEPTED, Verdict.REJECTED)


class Compared(NamedTuple):
    """What a look at both files found. ``doubt`` is why some of it could not be compared."""

    findings: Findings
    doubt: str | None = None
    doubtful: State = State.UNKNOWN  # what is said instead of CLEAR, with a doubt


def stand(places: Places) -> bool:
    """Whether there is anything to compare. The SFT export beside them need not be there."""
    root = places.root
    return root is not None and places.is_live and any((root / each).exists() for each in FILES.values())


def compare(places: Places, index: Index) -> Compared:
    """Look at both files. Raises nothing that a file can cause."""
    others, unread_before = OtherExports(places, index), index.unread_again
    others.scan()
    unread = index.doubt if index.unread_again > unread_before else None
    return Compared(others.findings, others.unknown or unread)


def joined(report: Report, compared: Compared) -> Report:
    """The report with what was found in the other files. With a doubt nothing is clear."""
    state, detail = report.state, report.detail
    if compared.findings.count:
        state = State.BREACH
    elif compared.doubt is not None and state in (State.CLEAR, State.ABSENT):
        state, detail = compared.doubtful, compared.doubt
    return replace(report, state=state, detail=detail, findings=report.findings.joined(compared.findings))


class OtherExports:
    """The scan of both files; ``rows`` counts those that were compared, ``unknown`` says what was not."""

    def __init__(self, places: Places, index: Index) -> None:
        self.findings = Findings()
        self.rows = dict.fromkeys(FILES, 0)
        self.unknown = ""
        self._places = places
        self._rules = rules(places.root) if places.root is not None else {}
        self._index = index

    def scan(self) -> None:
        root = self._places.root
        if root is None or not self._places.is_live:
            return
        for export, relative in FILES.items():
            if version_of_other(root, export) >= NEWEST:
                self._scan_file(export, root / relative, relative.as_posix())
            elif (root / relative).exists() and self._are_runs_newer():
                self.unknown = f"{relative}: {OLDER_THAN_RUNS}"

    def _are_runs_newer(self) -> bool:
        return any(is_newer(line) for path in self._index.evidence for line in first_lines(path))

    def _scan_file(self, export: str, path: Path, shown: str) -> None:
        try:
            descriptor = open_regular(path)
        except FileMissingError:
            return
        except FileRefusedError as refused:
            self.unknown = f"{shown}: {refused}"
            return
        try:
            self._compare_rows(export, descriptor, shown)
        except OSError as error:
            self.unknown = f"{shown}: cannot be read: {error.strerror}"

    def _compare_rows(self, export: str, descriptor: int, shown: str) -> None:
        judge = _playbook_differs if export == "rag" else _pair_differs
        rule = self._rules.get(export)
        self._index.read_anew()
        with os.fdopen(descriptor, "rb") as file:
            offset, seen = 0, RepeatedRuns()
            for number, line in enumerate(bounded_lines(file), 1):
                self.rows[export] += 1
                row_id = run_id = None
                try:
                    row = _read(line.removesuffix(b"\n"))
                    if not isinstance(row, dict):
                        raise UnreadableError("not an object")
                    row_id = shown_id(row.get("id"))
                    run_id = shown_id(row.get("source_run_id", row.get("chosen_run_id")))
                    said = [(LINEAGE, detail) for detail in self._not_allowed(export, row)]
                    # A row that another wall refuses is not compared as well: one fault, one finding.
                    differing = () if said else dict.fromkeys(judge(row, self._evidence, rule))
                    said = said or [(WALL, detail) for detail in differing]
                    if not said and self._is_again(row, seen):
                        said = [(LINEAGE, "a run of it is that of an earlier row")]
                except UnreadableError as error:
                    said = [(WALL, str(error))]
                for wall, detail in said:
                    self.findings.add(Finding(wall, shown, number, offset, row_id, run_id, detail))
                offset += len(line)

    def _not_allowed(self, export: str, row: dict[str, Any]) -> Iterator[str]:
        """Why verdicts of the runs that a row names forbid it. With a file missing only known ones accuse."""
        if export == "rag":
            packed = self._state(row.get("source_run_id"))
            forbidden = packed & STATE_BITS not in MAY_BE_EXPORTED
            if forbidden and (verdict_of(packed) in _FORBIDDEN or self._is_unscored(packed)):
                yield f"its run {_SCORED[verdict_of(packed)]}"
            return
        chosen, rejected = (row.get(f"{side}_run_id") for side in ("chosen", "rejected"))
        if chosen == rejected:
            yield "both sides are the same run"
            return
        states = [self._state(run_id) for run_id in (chosen, rejected)]
        better, worse = map(verdict_of, states)
        if better in _FORBIDDEN:
            yield f"the run of its chosen side {_SCORED[better]}"
        elif worse in (Verdict.NEEDS_HUMAN_REVIEW, Verdict.UNKNOWN_CATEGORY):
            yield f"the run of its rejected side {_SCORED[worse]}"
        elif self._index.is_whole and better in _RANKED and worse in _RANKED and better >= worse:
            yield "the run of its chosen side was scored no better than that of its rejected side"
        elif any(map(self._is_unscored, states)):
            yield "a run of it was never scored"

    def _is_again(self, row: dict[str, Any], seen: RepeatedRuns) -> bool:
        """Whether a run makes two playbooks, or stands in two pairs."""
        named = (row.get(name) for name in ("source_run_id", "chosen_run_id", "rejected_run_id"))
        return sum(seen.has_seen(self._state(run_id)) for run_id in named) > 0

    def _state(self, run_id: object) -> int:
        return self._index.runs.get(run_id) if isinstance(run_id, str) else 0

    def _is_unscored(self, packed: int) -> bool:
        return self._index.is_whole and has_evidence(packed) and verdict_of(packed) is Verdict.NONE

    def _evidence(self, run_id: object) -> EvidenceRow | None:
        """The evidence of a run. Raises UnreadableError where it should be there and is not."""
        packed = self._index.runs.get(run_id) if isinstance(run_id, str) else 0
        run = self._index.evidence_of(packed)
        if run is None and not has_evidence(packed) and self._index.is_whole:
            raise UnreadableError("the run that it names has no evidence")
        if run is None or run.run_id != run_id:
            self._index.unread_again += 1
            return None
        return run


def _read(line: bytes) -> Any:
    """The value in one line. Raises UnreadableError.

    Where writing the value again gives the very same bytes, the line held nothing else: no repeated key, no
    other spelling of a text or number. Whatever is in doubt is settled by ``strict_json``.
    """
    try:
        value = _decode(line)
        if _encode(value) == line:
            return value
    except (msgspec.MsgspecError, ValueError, RecursionError):
        pass
    return strict_json.read(line)


def _facts_differ(
    row: dict[str, Any], names: Iterable[str], run: EvidenceRow, rule: SplitRule | None
) -> Iterator[str]:
    """What a row says beside its texts; its side is that of the run that it was made of."""
    said = facts_differ(((name, row.get(name, UNSET)) for name in names), run)
    said = said or side_differs(row.get("split", UNSET), run, rule)
    if said is not None:
        yield said


def _playbook_differs(row: dict[str, Any], evidence: Any, rule: SplitRule | None) -> Iterator[str]:
    yield from _unknown_members(row, _PLAYBOOK_MEMBERS)
    run = evidence(row.get("source_run_id"))
    if run is None:
        return
    recorded = turns_of_run(run)
    task = text_of(run.instruction) or next((turn.text for turn in recorded if turn.role == "user"), "")
    pieces = [task]
    if not run.messages:
        pieces.append(text_of(run.context) or "")
    for turn in recorded:
        if turn.role == "assistant":
            said = () if turn.text.isspace() else (turn.text,)
            pieces += (*said, *(f"`{name}` {given}" for name, given in turn.calls))
    if not _holds_in_order(_text(row, "content"), pieces):
        yield "its content is not task, context and answers of its run under the headings of a playbook"
    if _text(row, "embedding_text") != task:
        yield "its embedding_text is not the task of its run"
    yield from _facts_differ(row, ("stream", "task_id", "model_name"), run, rule)


def _holds_in_order(content: str, pieces: list[str]) -> bool:
    """Whether a text is these pieces, one after the other, and headings and line ends besides."""
    at, headings = 0, ""
    for piece in filter(None, pieces):
        line_ends = 0  # that follow each other
        while True:
            gap = _GAP.match(content, at)
            is_heading = gap is not None and len(gap[0]) > len(piece)
            if content.startswith(piece, at) and not is_heading:
                break  # an answer may be the first characters of a heading
            line_ends = line_ends + 1 if gap and gap[0] == "\n" else 0
            if gap is None or line_ends > _LINE_ENDS:
                return False
            headings += gap[0].strip()
            at = gap.end()
        at += len(piece)
    return _REST.fullmatch(content, at) is not None and _are_in_order(headings)


def _are_in_order(headings: str) -> bool:
    found = _IN_ORDER.fullmatch(headings)
    return found is not None and found[4] == "".join(
        f"## Step {number}" for number in range(1, found[4].count("#") // 2 + 1)
    )


def _unknown_members(row: dict[str, Any], known: frozenset[str]) -> Iterator[str]:
    """A text in a member of another name is read by whoever looks for that name."""
    others = sorted(row.keys() - known)
    if others:
        yield f"it has a field that no exporter writes: '{visible(others[0], _QUOTED)}'"


def _pair_differs(row: dict[str, Any], evidence: Any, rule: SplitRule | None) -> Iterator[str]:
    yield from _unknown_members(row, _PAIR_MEMBERS)
    for name in ("prompt", "chosen", "rejected"):
        for turn in row[name] if isinstance(row.get(name), list) else ():
            yield from _unknown_members(turn, TURN_MEMBERS) if isinstance(turn, dict) else ()
    prompt = _turns(row, "prompt")
    for side in ("chosen", "rejected"):
        run = evidence(row.get(f"{side}_run_id"))
        if run is None:
            continue
        answer, recorded = _turns(row, side), turns_of_run(run)
        if not answer or all(turn.says_nothing for turn in answer):
            yield f"{side}: there is nothing to read"
            continue
        where = part([*prompt, *answer], recorded)
        # Where pairs are written with one turn a side, a run goes on behind it.
        is_accounted_for = where is None or (len(answer) == 1 and begins([*prompt, *answer], recorded))
        if not is_accounted_for:
            yield f"{side}: {where}"
        # Both runs were asked strictly the same, and the prompt is written as the chosen one has it.
        is_chosen = side == "chosen"
        spelt = spelt_otherwise([*prompt, *answer], recorded, 0 if is_chosen else len(prompt))
        if spelt is not None and is_accounted_for:
            yield f"{side}: {spelt}"
        elif is_accounted_for:
            told = turns_told_otherwise(
                [*_messages(row, "prompt"), *_messages(row, side)], run, 0 if is_chosen else len(prompt)
            )
            yield from (f"{side}: {each}" for each in [told] if each is not None)
        names = ("stream", "task_id", f"{side}_model_name")
        yield from _facts_differ(row, names, run, rule if is_chosen else None)
        tools = tools_differ(_text(row, "tools"), run, exactly=is_chosen)
        if tools is not None:
            yield f"{side}: {tools}"


def _messages(row: dict[str, Any], name: str) -> list[Message]:
    return parsed_messages(row.get(name)) or []


def _turns(row: dict[str, Any], name: str) -> list[Turn]:
    return turns_of(_messages(row, name))


def _text(row: dict[str, Any], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str):
        raise UnreadableError(f"{name} is not a text")
    return value
