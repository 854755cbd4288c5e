"""How often each fault of a conversation stands in the evidence, and in the rows for SFT: for the card."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.contracts import paths
from pipeline.engine.written_rows import as_evidence, written_rows
from pipeline.settings.model import Settings
from pipeline.stages.lint import lint_evidence


@dataclass
class LintCounts:
    """Runs by code. ``flags`` are those of the evidence, ``lint`` those of ``LintCode``."""

    runs: int = 0
    lint: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    exported_runs: int = 0
    exported_lint: Counter[str] = field(default_factory=Counter)
    exported_flags: Counter[str] = field(default_factory=Counter)


def count_lint(workspace: Path, settings: Settings) -> LintCounts:
    """Reads evidence and the SFT export as they lie. Raises InputError when a file cannot be read."""
    exported = {
        row["source_run_id"]
        for row in _objects(workspace / paths.EXPORT_FILES["sft"])
        if isinstance(row.get("source_run_id"), str)
    }
    counts = LintCounts()
    for stream in settings.streams:
        if stream.role != "source":
            continue
        for written in _objects(workspace / paths.evidence_file(stream.name)):
            try:
                evidence = as_evidence(written)
                codes, flags, run_id = lint_evidence(evidence), evidence["flags"], evidence["run_id"]
            except (KeyError, TypeError, AttributeError):
                # A row that was edited by hand until it is no evidence any more.
                continue
            counts.runs += 1
            counts.lint.update(code.value for code in codes)
            counts.flags.update(flags)
            if run_id in exported:
                counts.exported_runs += 1
                counts.exported_lint.update(code.value for code in codes)
                counts.exported_flags.update(flags)
    return counts


def _objects(path: Path) -> Iterator[dict[str, Any]]:
    return (written.row for written in written_rows(path) if written.row is not None)
