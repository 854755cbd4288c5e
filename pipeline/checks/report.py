"""A report of checks: data for machines (``.json``), and the same for people (``.md``).

The data says everything; the page is rendered from it alone, failures first and verbatim. All
text on the page goes through ``untrusted.visible``, and what Markdown would read as markup is
escaped: reports quote rows, and rows are hostile.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import orjson

from pipeline.checks.verdict import verdict_line
from pipeline.contracts.checks import CheckResult, CheckStatus, DriftCause, DriftRow
from pipeline.contracts.faults import ExitCode
from pipeline.contracts.untrusted import visible
from pipeline.platform import confined

REPORT_VERSION = 1
_BAD = (CheckStatus.FAIL, CheckStatus.ERROR, CheckStatus.NOT_EVALUATED)
# Not the underscore: inside a word it is no markup, and people search reports for reason codes.
_MARKUP = re.compile(r"([\\`*\[\]<>|])")
_BARS = "▁▂▃▄▅▆▇█"


def report_data(
    kind: str,
    results: Sequence[CheckResult],
    exit_code: int,
    *,
    started_at: str,
    finished_at: str,
    elapsed_seconds: float,
    drift: Sequence[DriftRow] | None = (),
    facts: Mapping[str, Any] | None = None,
    notes: Sequence[str] = (),
) -> dict[str, Any]:
    """The report as JSON types. ``facts`` overrides members that only some kinds know.

    ``drift`` is None where it could not be measured.
    These are pipeline_run_id, run_hash, git, engine, recorded_at, drift_thresholds, temp_root
    and fixture_sha256; further members are kept.
    """
    return {
        "schema_version": REPORT_VERSION,
        "kind": kind,
        "ok": exit_code in (ExitCode.OK, ExitCode.WARNINGS),
        "exit_code": int(exit_code),
        "verdict": verdict_line(kind, results, exit_code, drift),
        "started_at": started_at,
        "finished_at": finished_at,
        "elapsed_seconds": round(elapsed_seconds, 3),
        "recorded_at": finished_at,
        "pipeline_run_id": None,
        "run_hash": None,
        "git": None,
        "engine": None,
        "checks": [result.model_dump(mode="json") for result in results],
        "drift": [row.model_dump(mode="json") for row in drift or ()],
        "drift_thresholds": None,
        "temp_root": None,
        "fixture_sha256": None,
        **(facts or {}),
        "notes": list(notes),
    }


def write_report(workspace: Path, relative: PurePosixPath, report: Mapping[str, Any]) -> None:
    """Put the page at ``relative`` (``.md``) and its data beside it, each all or nothing.

    The data comes last: whoever reads it finds the page that belongs to it. Raises StorageError.
    """
    confined.write_file(workspace, relative, page(report).encode("utf-8", "backslashreplace"))
    confined.write_file(workspace, relative.with_suffix(".json"), report_bytes(report))


def report_bytes(report: Mapping[str, Any]) -> bytes:
    """The report's data, as it is written."""
    return orjson.dumps(dict(report), option=orjson.OPT_INDENT_2) + b"\n"


def page(report: Mapping[str, Any]) -> str:
    """The report as Markdown."""
    results = [CheckResult.model_validate(check) for check in report["checks"]]
    lines = [f"# {_text(report['kind'])}", "", f"**{_text(report['verdict'])}**", "", *_head(report), ""]
    lines += _failures([result for result in results if result.status in _BAD])
    lines += _phases(results)
    if report["drift"]:
        lines += _drift([DriftRow.model_validate(row) for row in report["drift"]], report["drift_thresholds"])
    if report["notes"]:
        lines += ["## Notes", "", *(f"- {_text(note)}" for note in report["notes"]), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _head(report: Mapping[str, Any]) -> list[str]:
    git, engine = report["git"] or {}, report["engine"] or {}
    rows = {
        "finished": f"{report['finished_at']} ({report['elapsed_seconds']:.1f} s)",
        "run": report["pipeline_run_id"],
        "run_hash": report["run_hash"],
        "git": _git_words(git),
        "engine": engine and f"{engine.get('version')}, {engine.get('source')}",
        "temp root": report["temp_root"],
        "fixture": report["fixture_sha256"],
    }
    return [f"- {name}: {_text(str(value))}" for name, value in rows.items() if value]


def _git_words(git: Mapping[str, Any]) -> str:
    if not git.get("head"):
        return ""
    dirty = git.get("dirty")
    state = "" if dirty is None else ", dirty" if dirty else ", clean"
    return f"{git['head']} on {git.get('branch') or 'no branch'}{state}"


def _failures(bad: Sequence[CheckResult]) -> list[str]:
    lines = ["## Failures", ""]
    if not bad:
        return [*lines, "None.", ""]
    for result in bad:
        required = "required" if result.required else "informational"
        lines += [f"### {result.id} · {result.status.value} · {required}", ""]
        lines += [
            f"- examined {result.examined:,}, failed {result.failed:,}",
            f"- threshold {_text(result.threshold or '')}; observed {_text(result.observed or '')}",
            f"- {_text(result.detail) or 'no detail'}",
            f"- reproduce: `{visible(result.reproduce).replace('`', '')}`",
        ]
        lines += [f"  - {_text(str(example))}" for example in result.examples]
        lines.append("")
    return lines


def _phases(results: Sequence[CheckResult]) -> list[str]:
    lines = ["## Checks by phase", ""]
    for phase in dict.fromkeys(result.phase for result in results):
        lines += [
            f"### {phase}",
            "",
            "| check | status | examined | failed | threshold | observed | seconds |",
        ]
        lines += ["|---|---|---:|---:|---|---|---:|"]
        for result in results:
            if result.phase == phase:
                name = result.id if result.required else f"{result.id} (informational)"
                lines.append(
                    f"| {_text(name)} | {result.status.value} | {result.examined:,} | {result.failed:,} "
                    f"| {_text(result.threshold or '')} | {_text(result.observed or '')} "
                    f"| {result.elapsed_seconds or 0:.2f} |"
                )
        lines.append("")
    return lines


def _drift(rows: Sequence[DriftRow], thresholds: Mapping[str, Any] | None) -> list[str]:
    lines = ["## Drift", ""]
    if thresholds:
        words = ", ".join(f"{name} {value:g}" for name, value in thresholds.items())
        lines += [f"Thresholds: {_text(words)}.", ""]
    lines += [
        "| metric | phase | baseline | current | Δ | Δ % | z | anchor | trend | status | since |",
        "|---|---|---:|---:|---:|---:|---:|---:|---|---|---|",
    ]
    for row in rows:
        both = row.baseline is not None and row.current is not None
        delta = (row.current or 0.0) - (row.baseline or 0.0) if both else None
        cells = (
            _text(row.metric),
            row.phase,
            _number(row.baseline),
            _number(row.current),
            _number(delta, signed=True),
            "" if row.delta_ratio is None else f"{100 * row.delta_ratio:+.1f} %",
            "" if row.z is None else f"{row.z:.1f}",
            _number(row.anchor),
            sparkline(row.trend),
            f"{row.status.value}, dismissed" if row.dismissed is not None else row.status.value,
            _text(row.since or ""),
        )
        lines.append(f"| {' | '.join(cells)} |")
    lines.append("")
    for row in rows:
        told = [_cause(cause) for cause in row.causes]
        told += [f"dismissed: {row.dismissed}"] if row.dismissed is not None else []
        if told:
            lines.append(f"- {_text(row.metric)}: {_text('; '.join(told))}")
    return [*lines, ""] if lines[-1] else lines


def _cause(cause: DriftCause) -> str:
    change = f"{_number(cause.baseline)} → {_number(cause.current)}"
    return f"{cause.dimension} {cause.name} {change} ({100 * cause.share:+.0f} % of the change)"


def _number(value: float | None, *, signed: bool = False) -> str:
    if value is None:
        return ""
    whole = float(value).is_integer()
    return f"{int(value):{'+' if signed else ''},}" if whole else f"{value:{'+' if signed else ''}.4g}"


def sparkline(values: Sequence[float]) -> str:
    """The last sixteen values as bars between the lowest and the highest."""
    values = values[-16:]
    if not values:
        return ""
    low, span = min(values), max(values) - min(values)
    if not span:
        return _BARS[3] * len(values)
    return "".join(_BARS[round((value - low) / span * (len(_BARS) - 1))] for value in values)


def _text(text: str) -> str:
    return _MARKUP.sub(r"\\\1", visible(text))
