"""The five walls, one row at a time. Which of them stand is chosen by name.

Fails closed: what cannot be read, compared or traced is a finding, never a pass.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from enum import StrEnum
from typing import NamedTuple

from msgspec import UNSET

from pipeline.contracts.untrusted import visible
from pipeline.firewall import version_1
from pipeline.firewall.conversation import begins_text, first_user_text, hold_texts, last_answer, text_of
from pipeline.firewall.fidelity import sft_row_differs
from pipeline.firewall.index import Index, material_of
from pipeline.firewall.material import Material, of_messages, of_texts
from pipeline.firewall.row_facts import beside_texts_differ
from pipeline.firewall.run_table import (
    MAY_BE_EXPORTED,
    STATE_BITS,
    Verdict,
    has_evidence,
    verdict_of,
)
from pipeline.firewall.same_answer import answer_of, keys, questions_of
from pipeline.firewall.sft_row import SftRow
from pipeline.firewall.sketches import edges_sketch, tail_sketches
from pipeline.firewall.split_sides import SplitRule
from pipeline.firewall.text_forms import question_form, strict_form


class Wall(StrEnum):
    LABEL = "label"
    LINEAGE = "lineage"
    CONTENT = "content"
    FIDELITY = "fidelity"
    READABLE = "readable"


ALL_WALLS = tuple(Wall)
ALLOWED_LABELS = frozenset(("accepted", "partially_accepted"))
QUOTED = 60  # characters of a value from data that a sentence quotes


_FORBIDDEN = (Verdict.REJECTED, Verdict.NEEDS_HUMAN_REVIEW, Verdict.UNKNOWN_CATEGORY)
_TEXT_BEGINS = b'"n'
_NO_TEXT = b"{}"
_LEN_OF_NULL = len(b"null")


class Offence(NamedTuple):
    """``is_breach``: else it is a warning, that two answers say the same in other words or marks."""

    wall: Wall
    detail: str
    is_breach: bool = True


class Walls:
    """The walls that stand, over one index. ``index`` is None when nothing may be said of lineage.

    ``rule`` is that by which the rows were divided, None where nobody says it.
    """

    def __init__(
        self,
        index: Index | None,
        standing: Collection[Wall] = ALL_WALLS,
        rule: SplitRule | None = None,
    ) -> None:
        self.index = index
        self._rule = rule
        self.standing = frozenset(standing)
        self.label = Wall.LABEL in standing
        self.readable = Wall.READABLE in standing
        self.lineage = index is not None and Wall.LINEAGE in standing
        self.content = index is not None and Wall.CONTENT in standing
        self.fidelity = index is not None and index.version != 1 and Wall.FIDELITY in standing

    def suspects(self, rows: list[SftRow]) -> tuple[list[int], list[int]]:
        """Positions of the rows of a block that have to be read and judged one by one; and the tail sketch
        of each row's answer, as far as there is an index.

        All that ``judge`` would object to or that may not be readable, and few others. One flat
        loop, because nearly all of the time that a scan takes in Python is spent in it.
        """
        by_index = self.index if self.lineage or self.content or self.fidelity else None
        state_of = by_index.runs.get if by_index is not None else _exportable
        allowed, may_be_exported = ALLOWED_LABELS, MAY_BE_EXPORTED
        found, answers = [], []
        for at, row in enumerate(rows):
            asked, context, response, messages = row.instruction, row.context, row.response, row.messages
            if messages and not hold_texts(messages):
                last = _NO_TEXT
            else:
                said = last_answer(messages) if messages else response
                last = bytes(said) if said else b"null"
            if last[0] not in _TEXT_BEGINS or last == b'""' or last == b"null":
                answers.append(b"null")
                found.append(at)
                continue
            answers.append(last)
            if (
                row.quality_score not in allowed
                or state_of(row.source_run_id) & STATE_BITS not in may_be_exported
                or (asked and not begins_text(asked))
                or (context and len(context) != _LEN_OF_NULL and not begins_text(context))
                or (row.tools and not begins_text(row.tools))
                or (messages and (not response or bytes(response) != last))
            ):
                found.append(at)
        if self.fidelity and by_index is not None:
            seen = set(found)  # among them all whose members are no texts
            found += [
                at
                for at, row in enumerate(rows)
                if at not in seen and self._says_another(row, by_index) is not None
            ]
        tails: list[int] = []
        if by_index is not None:
            may_hold = by_index.texts.may_hold
            fences = by_index.version != 1
            tails = tail_sketches(answers, fences=fences)
            found += [
                at
                for at, sketch in enumerate(tails)
                if may_hold(sketch) and may_hold(edges_sketch(answers[at], sketch, fences=fences))
            ]
        return sorted(set(found)), tails

    def judge(self, row: SftRow) -> list[Offence]:
        """What is wrong with a row, as the walls stand, and what is odd. Empty for nearly every row."""
        offences: list[Offence] = []
        label = row.quality_score
        if self.label and not (isinstance(label, str) and label in ALLOWED_LABELS):
            offences.append(Offence(Wall.LABEL, _label_detail(label)))
        if self.readable and self._may_say_nothing and not any(said.said for said, _ in _accounts(row)):
            offences.append(Offence(Wall.READABLE, "there is nothing to read in it"))
        if self.index is not None and (self.lineage or self.content or self.fidelity):
            run_id = row.source_run_id
            packed = self.index.runs.get(run_id) if isinstance(run_id, str) else 0
            # With a file of the index missing, only a verdict that was read accuses a row.
            may_accuse = (
                self.index.is_whole or verdict_of(packed) in _FORBIDDEN or not isinstance(run_id, str)
            )
            if self.lineage and packed & STATE_BITS not in MAY_BE_EXPORTED and may_accuse:
                offences.append(Offence(Wall.LINEAGE, _lineage_detail(run_id, packed)))
            copied = _copied_from(row, packed, self.index) if self.content else None
            if copied is not None:
                offences.append(copied)
            # A row that another wall refuses is not compared as well: one fault, one finding.
            if self.fidelity and not any(offence.is_breach for offence in offences):
                said = self._says_another(row, self.index)
                if said:
                    offences.append(Offence(Wall.FIDELITY, said))
        return offences

    @property
    def _may_say_nothing(self) -> bool:
        return self.index is None or self.index.version != 1

    def _says_another(self, row: SftRow, index: Index) -> str | None:
        """What a row says that its run did not; runs without evidence are the lineage wall's business."""
        packed = index.runs.get(row.source_run_id) if isinstance(row.source_run_id, str) else 0
        if not has_evidence(packed):
            return None
        run = index.evidence_of(packed)
        if run is None or run.run_id != row.source_run_id:
            index.unread_again += 1
            return None
        return sft_row_differs(row, run) or beside_texts_differ(row, run, self._rule)


def _copied_from(row: SftRow, packed: int, index: Index) -> Offence | None:
    """What there is to say when the row's answer is that of a rejected run that was asked the same."""
    named = index.evidence_of(packed)
    if index.version == 1:
        for found, words in version_1.keys_of_row(row, named):
            match = index.texts.find(found, is_code=True)
            if match is not None:
                return Offence(Wall.CONTENT, f"{words} the rejected run {index.describe(match.place)}")
        return None
    asked_of_run: list[bytes] = []
    if named is not None:
        asked_of_run = questions_of(material_of(named).asked, named.stream, named.task_id)
    for account, words in _accounts(row):
        answer = answer_of(account.said)
        if answer is None:
            continue
        questions = asked_of_run + questions_of(account.asked, row.stream, row.task_id)
        match = index.texts.find(keys(answer, questions), is_code=answer.is_code)
        if match is not None:
            said = f"{words} the rejected run {index.describe(match.place)}"
            return Offence(Wall.CONTENT, said if match.is_strict else f"loosely, {said}", match.is_strict)
    return None


def _accounts(row: SftRow) -> Iterator[tuple[Material, str]]:
    """What a row says that was asked and answered: by its conversation, and by its texts where they differ.

    Texts that say something else are a sample of their own for whoever trains on them.
    """
    context = text_of(row.context)
    texts = of_texts(text_of(row.instruction), context, text_of(row.response))
    if not row.messages:
        yield texts, "same answer as"
        return
    turns = of_messages(row.messages, context)
    yield turns, "same answer as"
    last = strict_form(text_of(last_answer(row.messages)) or "").text
    says_another = strict_form(text_of(row.response) or "").text != last
    if says_another:
        yield Material(turns.asked, texts.said), "its response is that of"
    first = first_user_text(row.messages)
    if says_another or question_form(text_of(row.instruction) or "") != question_form(first):
        yield texts, "its response is that of"


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


def _exportable(_run_id: object) -> int:
    """The state of every run where lineage is not asked for."""
    return min(MAY_BE_EXPORTED)
