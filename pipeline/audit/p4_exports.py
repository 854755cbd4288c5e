"""P4: exported rows validate, pairs are sound, and no scored run is lost between the files.

What a row says of itself is compared with the verdict of the run that it names: a label alone
proves nothing. The comparison of texts is written here a second time, since the exporter's own
may be what is broken.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipeline.audit.failures import Failures
from pipeline.audit.workspace_view import Verdict, WorkspaceView
from pipeline.checks.runner import Outcome
from pipeline.contracts import paths
from pipeline.contracts.faults import IntegrityError
from pipeline.contracts.plurals import plural
from pipeline.platform import disk
from pipeline.schemas.export_versions import standing_versions
from pipeline.schemas.migrations import upgrade, version_of
from pipeline.schemas.registry import BY_NAME
from pipeline.schemas.validators import first_refusal
from pipeline.storage.source_lines import LineFault, parse_line

ALLOWED = ("accepted", "partially_accepted")
# Which verdict may stand on which side of a pair; needs_human_review stands on neither.
RANKS = {"accepted": 2, "partially_accepted": 1, "rejected": 0}


def export_rows(
    path: Path, shown: str, failures: Failures | None = None
) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of an export, strictly read; the rest, and a missing file, go to ``failures``."""
    if not path.exists():
        if failures is not None:
            failures.add("the export is missing", file=shown)
        return
    with disk.open_to_read(path) as file:
        for number, line in enumerate(disk.lines_in(file, path), 1):
            value = parse_line(line.removesuffix(b"\n"))
            if not isinstance(value, LineFault):
                yield number, value
            elif failures is not None:
                failures.add(f"{value.reason}: {value.detail}", file=shown, line=number)


def exports_valid(view: WorkspaceView) -> Outcome:
    """Examines rows of the three exports, each as of the version that the manifest names."""
    failures = Failures()
    counts = {}
    versions = standing_versions(view.workspace)
    for export, place in paths.EXPORT_FILES.items():
        shown = str(place)
        ids: set[str] = set()
        counts[export] = 0
        for number, row in export_rows(view.workspace / shown, shown, failures):
            counts[export] += 1
            words = _row_problem(export, versions[export], row, ids)
            if not words and export == "rag":
                words = _rag_problem(row, view.verdicts.get(row["source_run_id"]))
            if words:
                failures.add(words, file=shown, line=number, run_id=_text(row.get("source_run_id")))
    said = ", ".join(f"{export} {count:,}" for export, count in counts.items())
    return failures.outcome(sum(counts.values()), f"rows: {said}")


def _row_problem(export: str, version: int, row: dict[str, Any], ids: set[str]) -> str:
    if version_of(export, row) != version:
        return f"a row of version {version_of(export, row)} in a file of version {version}"
    try:
        BY_NAME[export].model.model_validate(upgrade(export, row))
    except ValidationError as error:
        return f"refused by its schema: {first_refusal(error)}"
    except IntegrityError as error:
        return f"refused by its schema: {error.fault.what_happened}"
    if row["id"] in ids:
        return f"the id {row['id']} was used before"
    ids.add(row["id"])
    return ""


def _rag_problem(row: dict[str, Any], verdict: Verdict | None) -> str:
    if row["source_category"] not in ALLOWED:
        return f"source_category is {row['source_category']}"
    if verdict is None:
        return "no run was scored under its source_run_id"
    if verdict.category not in ALLOWED:
        return f"its run was scored {verdict.category}"
    return ""


def preference_pairs(view: WorkspaceView) -> Outcome:
    """Examines pairs: one task, two runs, two texts, and the chosen one ranks higher."""
    failures = Failures()
    shown = str(paths.EXPORT_FILES["preference"])
    pairs = 0
    for number, row in export_rows(view.workspace / shown, shown, failures):
        pairs += 1
        words = _pair_problem(row, view.verdicts.get)
        if words:
            failures.add(words, file=shown, line=number, run_id=_text(row.get("chosen_run_id")))
    return failures.outcome(pairs, plural(pairs, "pair"))


def _pair_problem(row: dict[str, Any], verdict_of: Callable[[str], Verdict | None]) -> str:
    chosen_id, rejected_id = _text(row.get("chosen_run_id")), _text(row.get("rejected_run_id"))
    if chosen_id is None or rejected_id is None:
        return "a run id is missing"
    if chosen_id == rejected_id:
        return "a self-pair: both sides are the same run"
    chosen, rejected = verdict_of(chosen_id), verdict_of(rejected_id)
    if chosen is None or rejected is None:
        return f"{'chosen' if chosen is None else 'rejected'} run was never scored"
    if (chosen.stream, chosen.task_id) != (rejected.stream, rejected.task_id):
        return "the runs belong to different tasks"
    for side, verdict in (("chosen", chosen), ("rejected", rejected)):
        if verdict.category not in RANKS:
            return f"the {side} run was scored {verdict.category}"
    if RANKS[chosen.category] <= RANKS[rejected.category] or chosen.category == "rejected":
        return f"chosen ({chosen.category}) does not outrank rejected ({rejected.category})"
    if _said(row.get("chosen")) == _said(row.get("rejected")):
        return "both sides hold the same text"
    return ""


def _said(answer: object) -> list[Any]:
    """What the model said and called, one entry a turn; line ends and composition do not count.

    What else may not differ (hidden characters, fences, spellings of a call) the schema tells.
    """
    if isinstance(answer, str):
        return [(_normal(answer), [])]
    return [
        (
            _normal(str(turn.get("content") or "")),
            [(call.get("name"), call.get("arguments")) for call in _calls(turn.get("tool_calls"))],
        )
        for turn in _objects(answer)
        if turn.get("role") == "assistant"
    ]


def _calls(value: object) -> list[dict[str, Any]]:
    """A list of calls, or that list as JSON text, as rows hold it since version 2."""
    if isinstance(value, str):
        parsed = parse_line(b'{"calls":%s}' % value.encode()) if value else {}
        value = parsed.get("calls") if isinstance(parsed, dict) else None
    return _objects(value)


def _objects(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _normal(text: str) -> str:
    lines = unicodedata.normalize("NFC", text).splitlines()
    return "\n".join(line.rstrip() for line in lines).strip("\n")


def quarantine_balances(view: WorkspaceView) -> Outcome:
    """Per export every scored run is exported or quarantined, and only once. Examines runs."""
    failures = Failures()
    said = []
    for export, place in paths.EXPORT_FILES.items():
        exported = _exported_runs(view, export, str(place), failures)
        quarantine = view.quarantine(export)
        refused: Counter[str] = Counter()
        for number, row in quarantine:
            refused[row.run_id] += 1
            if row.run_id not in view.verdicts:
                failures.add("was never scored", file=quarantine.shown, line=number, run_id=row.run_id)
        failures.add_bad_rows([quarantine])
        for run_id in view.verdicts:
            places = (run_id in exported) + refused[run_id]
            if places != 1:
                words = f"is neither in {export} nor in its quarantine"
                if places:
                    words = f"is accounted for {places} times in {export} and its quarantine"
                failures.add(words, file=str(place), run_id=run_id)
        for run_id in exported.keys() - view.verdicts.keys():
            failures.add("was never scored", file=str(place), line=exported[run_id], run_id=run_id)
        said.append(f"{export} {len(exported):,} + {refused.total():,}")
    scored = len(view.verdicts)
    return failures.outcome(3 * scored, f"scored {scored:,} = {'; '.join(said)} (exported + quarantined)")


def _exported_runs(view: WorkspaceView, export: str, shown: str, failures: Failures) -> dict[str, int]:
    """run_id → the first line that uses it. A run stands in RAG and SFT once, in pairs often."""
    members = ("chosen_run_id", "rejected_run_id") if export == "preference" else ("source_run_id",)
    runs: dict[str, int] = {}
    for number, row in export_rows(view.workspace / shown, shown, failures):
        for member in members:
            run_id = _text(row.get(member))
            if run_id is None:
                failures.add(f"{member} is missing", file=shown, line=number)
            elif run_id in runs and export != "preference":
                failures.add(
                    f"is exported again, first on line {runs[run_id]}",
                    file=shown,
                    line=number,
                    run_id=run_id,
                )
            else:
                runs.setdefault(run_id, number)
    return runs


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
