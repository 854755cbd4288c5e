"""Every run with a label: accepted is true, rejected is false, and nothing else has one.

What the exporters refused for the run's own sake (a contradicted answer, a credential, an item of a test
set, a cut-off answer) is left out here too. What they refused for want of a partner is not: it is what
pairs cannot use.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any

import orjson

from pipeline.contracts import paths
from pipeline.contracts.categories import ACCEPTED, REJECTED
from pipeline.contracts.faults import InputError
from pipeline.engine.written_rows import as_evidence, no_rows_yet
from pipeline.formats.format import Row
from pipeline.formats.sources import ROW_ERRORS, Claim, Written, lines_of, no_row
from pipeline.stages.export_messages import exported_messages, flat_messages
from pipeline.stages.export_options import ExportOptions
from pipeline.stages.export_preference import side_refusal
from pipeline.stages.refusals import QuarantineReason, Refusal
from pipeline.stages.row_identity import row_id
from pipeline.stages.sample import Sample, read_sample
from pipeline.stages.splits import split_of
from pipeline.stages.transcript import Message, spoke

_LABELS = {ACCEPTED: True, REJECTED: False}
# A run that has no pair for one of these is whole by itself.
_ONLY_FOR_PAIRS = frozenset(
    (
        "no_counterpart",
        "prompt_differs",
        "none_passed",
        "pair_cap",
        "duplicate_sample",
        "length_gap",
        "category_left_out",
        "below_partial_at",
        "stream_cap",
        "row_cap",
    )
)
# SFT says these of accepted runs alone, and they are true whatever the run is used for.
_ALSO_OF_SFT = frozenset(("conflicting_verdict", "evaluation_overlap", "secret_found", "pii_found"))
_TRUE, _FALSE = 1, 2

Outcome = Row | Refusal


class LabelledRuns:
    """The rows of all labelled runs, in the order of evidence; read twice, so that contradictions are
    known.
    """

    def __init__(self, workspace: Path, written: Written, options: ExportOptions) -> None:
        self._workspace = workspace
        self._written = written
        self._options = options
        self._evidence = written.under(str(paths.EVIDENCE))
        if not self._evidence:
            raise no_rows_yet("evidence that a receipt names", workspace / paths.EVIDENCE, "distill run-all")
        self._refused = self._refused_by_exporters()
        self._labels_of: dict[bytes, int] = {}
        for _, keys, row in self._eligible([]):
            if isinstance(row, dict):
                for key in keys:
                    label = _TRUE if row["label"] else _FALSE
                    self._labels_of[key] = self._labels_of.get(key, 0) | label

    def outcomes(self, claims: list[Claim]) -> Iterator[Outcome]:
        """Each judged run as a row or the reason why it has none; what was read is added to ``claims``."""
        seen: set[bytes] = set()
        for _, keys, row in self._eligible(claims):
            if isinstance(row, Refusal):
                yield row
            elif any(self._labels_of[key] == _TRUE | _FALSE for key in keys):
                yield Refusal(QuarantineReason.CONFLICTING_VERDICT)
            elif keys[0] in seen:
                yield Refusal(QuarantineReason.DUPLICATE_SAMPLE)
            else:
                seen.add(keys[0])
                yield row

    def _eligible(self, claims: list[Claim]) -> Iterator[tuple[str, Sequence[bytes], Outcome]]:
        for path in self._evidence:
            categories = self._categories(PurePosixPath(path).stem, claims)
            claim = Claim(path)
            claims.append(claim)
            for line in lines_of(self._workspace, claim):
                try:
                    evidence = as_evidence(orjson.loads(line))
                    run_id = evidence["run_id"]
                    keys, row = self._row(evidence, categories[run_id])
                except ROW_ERRORS as error:
                    raise no_row(claim) from error
                yield run_id, keys, row
            self._written.check(claim)

    def _row(self, evidence: Row, category: str) -> tuple[Sequence[bytes], Outcome]:
        if category not in _LABELS:
            return (), Refusal(QuarantineReason.CATEGORY_NOT_ALLOWED)
        refused = self._refused.get(evidence["run_id"])
        if refused is not None:
            return (), Refusal(QuarantineReason(refused))
        sample = read_sample(evidence)
        refusal = side_refusal(sample, self._options)
        if refusal is not None or isinstance(sample, Refusal):
            return (), refusal or Refusal(QuarantineReason.RESPONSE_EMPTY)
        turns = _turns(sample)
        first = next(place for place, turn in enumerate(turns) if _answers(turn))
        cut = first if self._options.preference.completion == "turns" else len(turns) - 1
        row = {
            "id": row_id("kto", evidence["run_id"]),
            "shape": "flat" if sample.messages is None else "conversation",
            "prompt": turns[:cut],
            "completion": turns[cut:],
            "label": _LABELS[category],
            "tools": sample.tools,
            "estimated_tokens": sample.estimated_tokens,
            "split": split_of(evidence, sample.question, self._options),
        }
        if not row["prompt"]:
            return (), Refusal(QuarantineReason.INSTRUCTION_MISSING)
        question = _digest([sample.tools, turns[:first]])
        return (_digest([sample.tools, turns]), question + sample.response_key), row

    def _categories(self, stream: str, claims: list[Claim]) -> dict[str, str]:
        claim = Claim(str(paths.scored_file(stream)))
        claims.append(claim)
        categories = {}
        for line in lines_of(self._workspace, claim):
            try:
                scored = orjson.loads(line)
                categories[scored["run_id"]] = scored["category"]
            except ROW_ERRORS as error:
                raise no_row(claim) from error
        self._written.check(claim)
        return categories

    def _refused_by_exporters(self) -> dict[str, str]:
        """Run id to why it is left out: what preference says of the run, and what SFT says of any use."""
        refused: dict[str, str] = {}
        for export in ("preference", "sft"):
            claim = Claim(str(paths.QUARANTINE_FILES[export]))
            try:
                for line in lines_of(self._workspace, claim):
                    row: dict[str, Any] = orjson.loads(line)
                    reason = row["reason"]
                    if reason in _ALSO_OF_SFT if export == "sft" else reason not in _ONLY_FOR_PAIRS:
                        refused.setdefault(row["run_id"], reason)
            except InputError:
                raise
            except ROW_ERRORS as error:
                raise no_row(claim) from error
            self._written.check(claim)
        return refused


def _turns(sample: Sample) -> list[Message]:
    if sample.messages is None:
        return flat_messages(sample.instruction or "", sample.context or "", sample.response)
    return exported_messages(sample.messages)


def _answers(turn: Message) -> bool:
    return turn["role"] == "assistant" and spoke({**turn, "tool_calls": turn["tool_calls"] or None})


def _digest(value: object) -> bytes:
    return sha256(orjson.dumps(value)).digest()
