"""The four walls, one row at a time. Which of them stand is chosen by name.

Fails closed: what cannot be read, compared or traced is a finding, never a pass.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import NamedTuple

from msgspec import UNSET

from pipeline.contracts.untrusted import visible
from pipeline.firewall.conversation import assistant_turns, first_user_text, last_assistant_text, text_of
from pipeline.firewall.index import Index
from pipeline.firewall.run_table import Verdict, group_of, has_evidence, verdict_of
from pipeline.firewall.sft_row import SftRow
from pipeline.firewall.text_keys import answer_key, instruction_group, normalise, sketch, task_group, turn


class Wall(StrEnum):
    LABEL = "label"
    LINEAGE = "lineage"
    CONTENT = "content"
    READABLE = "readable"


ALL_WALLS = tuple(Wall)
ALLOWED_LABELS = frozenset(("accepted", "partially_accepted"))
_ALLOWED_VERDICTS = (Verdict.ACCEPTED, Verdict.PARTIALLY_ACCEPTED)
QUOTED = 60  # characters of a value from data that a sentence quotes


class Offence(NamedTuple):
    wall: Wall
    detail: str


class Walls:
    """The walls that stand, over one index. ``index`` is None when nothing may be said of lineage."""

    def __init__(self, index: Index | None, standing: Collection[Wall] = ALL_WALLS) -> None:
        self.index = index
        self.standing = frozenset(standing)
        self.label = Wall.LABEL in standing
        self.readable = Wall.READABLE in standing
        self.lineage = index is not None and Wall.LINEAGE in standing
        self.content = index is not None and Wall.CONTENT in standing

    def judge(self, row: SftRow) -> list[Offence]:
        """What is wrong with a row, as the walls stand. Empty for nearly every row."""
        offences: list[Offence] = []
        label = row.quality_score
        if self.label and not (isinstance(label, str) and label in ALLOWED_LABELS):
            offences.append(Offence(Wall.LABEL, _label_detail(label)))
        if self.index is not None and (self.lineage or self.content):
            run_id = row.source_run_id
            packed = self.index.runs.get(run_id) if isinstance(run_id, str) else 0
            if self.lineage and not (has_evidence(packed) and verdict_of(packed) in _ALLOWED_VERDICTS):
                offences.append(Offence(Wall.LINEAGE, _lineage_detail(run_id, packed)))
            copied = _copied_from(row, packed, self.index) if self.content else None
            if copied is not None:
                offences.append(Offence(Wall.CONTENT, copied))
        return offences


def _copied_from(row: SftRow, packed: int, index: Index) -> str | None:
    """A sentence when the row's answer is that of a rejected run of the same task or instruction."""
    texts = index.texts
    response = text_of(row.response)
    if row.messages:
        last = last_assistant_text(row.messages)
        if texts.may_hold(sketch(last)):
            turns = assistant_turns(row.messages)
            place = texts.find(answer_key(turns), _groups(row, packed))
            if place is not None:
                return f"same turns as the rejected run {index.describe(place)}"
        # The view of a conversation repeats its last text; one that says something else is
        # a row of its own for whoever trains on the flat fields.
        if response is None or response == last or normalise(response) == normalise(last):
            return None
    if response is not None and texts.may_hold(sketch(response)):
        place = texts.find(answer_key([turn(response)]), _groups(row, packed))
        if place is not None:
            return f"same response as the rejected run {index.describe(place)}"
    return None


def _groups(row: SftRow, packed: int) -> list[int]:
    """The task by lineage, the task that the row claims, and what was asked by either account."""
    groups = [group_of(packed)] if packed else []
    if isinstance(row.stream, str) and isinstance(row.task_id, str):
        groups.append(task_group(row.stream, row.task_id))
    for asked in {text_of(row.instruction) or "", first_user_text(row.messages)}:
        instruction = instruction_group(asked)
        if instruction is not None:
            groups.append(instruction)
    return groups


def _label_detail(label: object) -> str:
    if label is UNSET:
        return "quality_score is missing"
    if isinstance(label, str):
        return f"quality_score is '{visible(label, QUOTED)}'"
    return f"quality_score is not a text but {type(label).__name__}"


def _lineage_detail(run_id: object, packed: int) -> str:
    if run_id is UNSET:
        return "source_run_id is missing"
    if not isinstance(run_id, str):
        return f"source_run_id is not a text but {type(run_id).__name__}"
    match verdict_of(packed):
        case Verdict.REJECTED:
            return "the run was scored rejected"
        case Verdict.NEEDS_HUMAN_REVIEW:
            return "the run was scored needs_human_review"
        case Verdict.UNKNOWN_CATEGORY:
            return "the run was scored with a category that does not exist"
        case Verdict.NONE if has_evidence(packed):
            return "the run was never scored"
        case Verdict.NONE:
            return "source_run_id is unknown"
        case _:
            return "the run has a verdict but no evidence"
