"""What the card says of evaluation sets: which were looked for, what was refused and what was kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from pipeline.card.markdown import cell, table
from pipeline.contracts.finding_words import CHECKED, evaluation_in_words


def evaluation_sets(report: Mapping[str, Any] | None) -> str:
    """``report`` is that of ``exports/decontamination.json``, None where the run made none."""
    if report is None or not report["checked"]:
        return _NOT_CHECKED
    kept = Counter(row["set"] for row in report["rows"] if not row["refused"])
    rows = [
        [
            cell(one["name"]),
            *(f"{one[key]:,}" for key in ("items", "sides", "sides_too_short", "rows_refused")),
            f"{kept[one['name']]:,}",
        ]
        for one in report["sets"]
    ]
    header = [
        "set",
        "items",
        "texts",
        "too short to find",
        "runs quarantined",
        "runs kept that share 13 words",
    ]
    refused = sum(one["rows_refused"] for one in report["sets"])
    count = len(report["sets"])
    said = evaluation_in_words(CHECKED, count, refused, {}).capitalize()
    return f"{said}.\n\n{table(header, rows)}\n\n{_CHECKED}"


_NOT_CHECKED = """\
Evaluation sets: **not checked**, none is declared. Rows of a test set may be among these; nothing looked
for them (`[[evaluation]]` in `distill.toml` declares what must not be trained on)."""

_CHECKED = """\
`sft` and `preference` hold none of the refused runs; `rag` may. `decontamination.json` names each run, the
item and how much of it was found. Only these sets were looked for."""
