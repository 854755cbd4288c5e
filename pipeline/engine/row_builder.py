"""From one evidence row to everything that is written of it: verdict, RAG row, SFT row, keys.

The rows' bytes collect in sections; what the ordered reduce needs of them goes into a
``RowEntry``. An exported row passes its schema here: the third wall, after the exporter's own
never-list, and before the firewall scans the file.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from typing import Any

import orjson

from pipeline.contracts.evidence_fields import mask_of
from pipeline.engine.chunk_entries import CATEGORY_CODE, NOTED_MARKUP, RowEntry, Sections, pack_refusal
from pipeline.engine.likeness import Likeness, said_in
from pipeline.engine.long_rows import MAX_ROW_BYTES, MAX_SIDE_BYTES
from pipeline.engine.render_check import RenderCheck
from pipeline.engine.tokenizer import TokenCounter, without_limits
from pipeline.evaluation.overlap import Matcher
from pipeline.evaluation.sets import EvaluationIndex
from pipeline.schemas.validators import refusal_of_rag, refusal_of_sft
from pipeline.settings.model import Settings, StreamSettings
from pipeline.stages.export_preference import side_refusal
from pipeline.stages.export_rag import rag_row
from pipeline.stages.export_sft import sft_row
from pipeline.stages.fitness import has_markup_to_learn
from pipeline.stages.refusals import QuarantineReason, Refusal
from pipeline.stages.row_identity import task_identity
from pipeline.stages.run_limits import personal_refusal, verdict_refusal
from pipeline.stages.sample import Sample, answered_texts, asked_texts, read_sample
from pipeline.stages.sample_keys import rag_sample_key, same_key_for_both, sft_sample_key
from pipeline.stages.score import score
from pipeline.stages.scoring_rules import RANK
from pipeline.stages.splits import VALIDATION, split_of
from pipeline.stages.text_keys import weights_of

_sha256 = hashlib.sha256
_dumps = orjson.dumps
_AS_A_LINE = orjson.OPT_APPEND_NEWLINE
_NOT_FED = pack_refusal(QuarantineReason.STREAM_NOT_FED)
_NOT_ALLOWED = pack_refusal(QuarantineReason.CATEGORY_NOT_ALLOWED)


def _too_long_for_pairs(evidence_line: bytes) -> str:
    size = len(evidence_line)
    if size <= MAX_SIDE_BYTES:
        return ""
    return pack_refusal(QuarantineReason.TOO_LONG, f"{size} bytes of evidence, at most {MAX_SIDE_BYTES}")


class RowBuilder:
    """Collects the rows of one chunk of one stream."""

    def __init__(
        self,
        settings: Settings,
        stream: StreamSettings,
        evaluation: EvaluationIndex,
        render_check: RenderCheck | None,
        tokens: TokenCounter | None = None,
        likeness: Likeness | None = None,
    ) -> None:
        self._tokens = tokens
        self._likeness = likeness
        self._compared = frozenset(
            export for export in ("rag", "sft") if settings.export.near_duplicates_of(export) != "off"
        )
        # Under a tokenizer the estimate refuses nothing; what it counts is held to the limit.
        self._options = settings.export if tokens is None else without_limits(settings.export)
        self._render_check = render_check
        self._matcher = Matcher(evaluation) if evaluation.sets else None
        self._thresholds = settings.scoring
        self._export = settings.export
        self._feeds = frozenset(stream.exports)
        # Not lists of lines: what orjson returns holds some 8 KB of memory, however short its text is.
        self._evidence, self._scored = bytearray(), bytearray()
        self._rag, self._sft = bytearray(), bytearray()
        self.categories: Counter[str] = Counter()
        self.noted: Counter[str] = Counter()
        self.rows = 0

    def add(self, evidence: dict[str, Any], scored: dict[str, Any] | None = None) -> RowEntry:
        """Score (unless a verdict is given) and export one evidence row."""
        if scored is None:
            scored = score(evidence, self._thresholds)
        category = scored["category"]
        self.rows += 1
        self.categories[category] += 1
        evidence_line = _dumps(evidence, option=_AS_A_LINE)
        scored_line = _dumps(scored, option=_AS_A_LINE)
        self._evidence += evidence_line
        self._scored += scored_line
        # A run in review is in no conflict; an exporter that took one would read it itself.
        sample = read_sample(evidence) if category in RANK else None
        unrendered = self._unrendered(sample)
        rag_line, rag_refusal = self._export_row("rag", rag_row, refusal_of_rag, evidence, scored, sample)
        sft_line, sft_refusal = self._export_row("sft", sft_row, refusal_of_sft, evidence, scored, sample)
        if sft_line and unrendered:
            sft_line, sft_refusal = b"", unrendered
        if rag_line:
            self._rag += rag_line
        if sft_line:
            self._sft += sft_line
            if isinstance(sample, Sample) and has_markup_to_learn(sample):
                self.noted[NOTED_MARKUP] += 1
        digests = _sha256(evidence_line).digest() + _sha256(scored_line).digest()
        if rag_line:
            digests += _sha256(rag_line).digest()
        if sft_line:
            digests += _sha256(sft_line).digest()
        entry = RowEntry(
            run_id=evidence["run_id"],
            task_id=evidence["task_id"],
            part=evidence["provenance"]["part"],
            category=CATEGORY_CODE[category],
            score=scored["score"],
            lengths=(len(evidence_line), len(scored_line), len(rag_line), len(sft_line)),
            digests=digests,
            task_key=task_identity(evidence["stream"], evidence["task_id"]).key,
            rag_refusal=rag_refusal,
            sft_refusal=sft_refusal,
            preference_refusal=self._preference_refusal(sample)
            or unrendered
            or _too_long_for_pairs(evidence_line),
        )
        entry.fields = mask_of(evidence)
        entry.evaluation_facts = self._evaluation_facts(evidence, sample)
        if isinstance(sample, Sample):
            entry.question_key = sample.question_key
            entry.task_question_key = sample.task_question_key
            entry.response_key = sample.response_key
            entry.loose_response_key = sample.loose_response_key
            entry.prompt_key = sample.prompt_key
            entry.turn_keys = sample.turn_keys
            entry.is_validation = split_of(evidence, sample.question, self._export) == VALIDATION
            entry.weights = weights_of(sample.messages or ())
            entry.turns = sample.turns
            entry.tokens = sample.estimated_tokens if self._tokens is None else self._tokens.of_sample(sample)
            entry.personal = sample.holds.personal
            refused = verdict_refusal(scored, self._export.preference)
            entry.choose_refusal = "" if refused is None else pack_refusal(*refused)
            if rag_line:
                entry.rag_sample = rag_sample_key(sample)
            if sft_line:
                is_known = entry.rag_sample and same_key_for_both(sample)
                entry.sft_sample = entry.rag_sample if is_known else sft_sample_key(sample)
            if self._likeness is not None and (
                (rag_line and "rag" in self._compared) or (sft_line and "sft" in self._compared)
            ):
                entry.bands = self._likeness.bands(said_in(sample))
        return entry

    def _evaluation_facts(self, evidence: dict[str, Any], sample: Sample | Refusal | None) -> bytes:
        """Of a run in review, too: it is no example, and its task counts where a phrase is common."""
        if self._matcher is None:
            return b""
        read = read_sample(evidence) if sample is None else sample
        if not isinstance(read, Sample):
            return b""
        return self._matcher.facts(asked_texts(read), answered_texts(read))

    def _unrendered(self, sample: Sample | Refusal | None) -> str:
        """How the chat template of the settings refuses the run, "" when it takes it or there is none."""
        if self._render_check is None or not isinstance(sample, Sample):
            return ""
        why = self._render_check.refusal(sample)
        return "" if why is None else pack_refusal(QuarantineReason.TEMPLATE_WOULD_REFUSE, why)

    def _export_row(
        self,
        name: str,
        build: Callable[..., dict[str, Any] | Refusal],
        refusal_by_schema: Callable[[dict[str, Any], bytes], str | None],
        evidence: dict[str, Any],
        scored: dict[str, Any],
        sample: Sample | Refusal | None,
    ) -> tuple[bytes, str]:
        """The row's line, or how it was refused."""
        if name not in self._feeds:
            return b"", _NOT_FED
        row = build(evidence, scored, self._options, sample)
        limits = self._export.rag if name == "rag" else self._export.sft
        if self._tokens is not None and not isinstance(row, Refusal):
            row = self._tokens.counted(row, limits.max_tokens)
        if not isinstance(row, Refusal):
            row = verdict_refusal(scored, limits) or personal_refusal(sample, self._export) or row
        if isinstance(row, Refusal):
            return b"", pack_refusal(*row)
        line = _dumps(row, option=_AS_A_LINE)
        wrong = refusal_by_schema(row, line)
        if wrong is not None:
            return b"", pack_refusal(QuarantineReason.SCHEMA_REFUSED, wrong)
        if len(line) > MAX_ROW_BYTES:
            return b"", pack_refusal(QuarantineReason.TOO_LONG, f"{len(line)} bytes, at most {MAX_ROW_BYTES}")
        return line, ""

    def _preference_refusal(self, sample: Sample | Refusal | None) -> str:
        """Why the run can stand in no pair; ``sample`` is None for a category without a rank."""
        if "preference" not in self._feeds:
            return _NOT_FED
        if sample is None:
            return _NOT_ALLOWED
        refusal = side_refusal(sample, self._options)
        if refusal is None and self._tokens is not None and isinstance(sample, Sample):
            refusal = self._tokens.too_long(
                self._tokens.of_sample(sample), self._export.preference.max_tokens
            )
        refusal = refusal or personal_refusal(sample, self._export)
        return "" if refusal is None else pack_refusal(*refusal)

    def sections(self) -> Sections:
        """The bytes of evidence, scored, rag and sft rows, in that order."""
        return [self._evidence, self._scored, self._rag, self._sft]
