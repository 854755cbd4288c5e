"""Collects the evidence rows of one chunk: all there is to do when P2 runs alone.

``RowBuilder`` goes on from here with the verdict and the exports.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any

import orjson

from pipeline.contracts.evidence_fields import mask_of
from pipeline.engine.chunk_entries import NOT_SCORED, RowEntry, Sections


class EvidenceBuilder:
    """Evidence only; the entries have no category, keys or exports."""

    def __init__(self) -> None:
        self._evidence = bytearray()  # as in ``RowBuilder``
        self.categories: Counter[str] = Counter()
        self.noted: Counter[str] = Counter()
        self.rows = 0

    def add(self, evidence: dict[str, Any]) -> RowEntry:
        self.rows += 1
        line = orjson.dumps(evidence) + b"\n"
        self._evidence += line
        return RowEntry(
            run_id=evidence["run_id"],
            task_id=evidence["task_id"],
            part=evidence["provenance"]["part"],
            category=NOT_SCORED,
            score=0.0,
            lengths=(len(line), 0, 0, 0),
            digests=hashlib.sha256(line).digest(),
            fields=mask_of(evidence),
        )

    def sections(self) -> Sections:
        """The bytes of evidence, scored, rag and sft rows, in that order."""
        return [self._evidence, b"", b"", b""]
