"""An event as one line of the log, in the same words whether it is followed live or read afterwards."""

from __future__ import annotations

from collections.abc import Iterable

from console.state.view_state import LogEntry
from pipeline.contracts.faults import ExitCode
from pipeline.contracts.finding_words import found_in_words
from pipeline.platform.lenient_json import Json, count_of, flag_of, object_of, text_of

STOPPED = (ExitCode.INTERRUPTED, ExitCode.TERMINATED)
_CHECK_LEVELS = {"fail": "error", "error": "error", "warn": "warning", "not_evaluated": "warning"}
_FAULT = (("what_happened", "what happened"), ("kept_safe", "kept safe"), ("do_next", "do next"))


def started_words(command: str, user: str, pid: int | None) -> str:
    return f"{command} started by {user or 'somebody'}, pid {pid}"


def stage_words(stage: str, ok: bool, rows_in: int, rows_out: int) -> str:
    return f"{stage} {'done' if ok else 'FAILED'}: {rows_in:,} in, {rows_out:,} out"


def check_level(status: str) -> str:
    return _CHECK_LEVELS.get(status, "info")


def firewall_words(state: str, file: str, detail: str, rows: int, files: int, findings: int) -> str:
    """A run reports on the file that it has staged, and on the one that stood before it began."""
    about = f" ({detail})" if detail else ""
    what = f", {found_in_words(rows, files, findings)}" if findings else ""
    return f"firewall {state}{what}: {file}{about}"


def outcome_words(ok: bool, exit_code: int | None) -> str:
    if ok:
        return "finished"
    return f"{'stopped as asked' if exit_code in STOPPED else 'failed'}, exit {exit_code}"


def finished_words(command: str, ok: bool, exit_code: int | None, run_hash: str) -> tuple[str, str]:
    """Level and text."""
    text = f"{command or 'run'} {outcome_words(ok, exit_code)}"
    text += f", run_hash {run_hash[:16]}" if run_hash else ""
    return "info" if ok else "warning" if exit_code in STOPPED else "error", text


def fault_words(fault: object) -> list[str]:
    """The three lines of a fault, whatever else the mapping holds."""
    return [f"{title}: {text}" for key, title in _FAULT if (text := text_of(fault, key)) is not None]


def entries_of(events: Iterable[Json]) -> list[LogEntry]:
    """The lines of a stream that has ended, read without its models. Garbage yields nothing."""
    command = ""
    entries: list[LogEntry] = []
    for event in events:
        if event.get("type") == "run.started":
            command = text_of(event, "command") or ""
        entries += _entries(event, command)
    return entries


def _entries(event: Json, command: str) -> list[LogEntry]:
    at = text_of(event, "at") or ""
    ok, fault = flag_of(event, "ok") is True, object_of(event, "fault")
    match event.get("type"):
        case "run.started":
            told = [("info", started_words(command, text_of(event, "user") or "", count_of(event, "pid")))]
        case "stage.started":
            told = [("info", f"{text_of(event, 'stage')} started")]
        case "stage.finished":
            rows_in, rows_out = count_of(event, "rows_in") or 0, count_of(event, "rows_out") or 0
            words = stage_words(text_of(event, "stage") or "?", ok, rows_in, rows_out)
            told = [("info" if ok else "error", words)]
        case "check.result":
            check = object_of(event, "check")
            status = text_of(check, "status") or "?"
            words = f"{text_of(check, 'id')} {status}"
            return [LogEntry(at, check_level(status), words, count_of(check, "examined"))]
        case "firewall.state":
            state = text_of(event, "state") or "?"
            words = firewall_words(
                state,
                text_of(event, "file") or "",
                text_of(event, "detail") or "",
                count_of(event, "forbidden_rows") or 0,
                count_of(event, "forbidden_files") or 0,
                count_of(event, "findings_count") or 0,
            )
            told = [("info" if state == "CLEAR" else "error", words)]
        case "log":
            told = [(text_of(event, "level") or "info", text_of(event, "message") or "")]
        case "run.finished":
            code = count_of(event, "exit_code")
            told = [finished_words(command, ok, code, text_of(event, "run_hash") or "")]
        case _:
            return []
    told += [("error", text) for text in fault_words(fault)]
    return [LogEntry(at, level, text) for level, text in told]
