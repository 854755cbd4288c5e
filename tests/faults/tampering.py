"""Files that a verdict reads, torn at every byte of their end or changed by another hand: both are named."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from pipeline.contracts import events, paths
from pipeline.contracts.faults import ExitCode
from pipeline.drift.baselines import read_baselines
from pipeline.platform import confined
from pipeline.reading.incident_journal import chain_problems, parse, read_lines
from pipeline.reading.incidents import FACTS, HEAD, JOURNAL, incident_ids
from pipeline.reading.journal_memory import read_memory
from pipeline.reading.report_files import Notes, last_objects
from pipeline.reading.symptom_log import read_looks
from tests.faults.trial import FORBIDDEN, LIMIT_SECONDS, Trial, copied, run

_TAIL = 2**20
_AUDIT = ("pipeline", "audit-full", "--acceptance-report", "acceptance.json", "--no-append")
_VERIFY = ("console", "incident", "verify")


# How the audit ends what it says of journals that are not as it read them. What its own memory has lost shows
# in the report that the memory knew.
_MISSED = "distill baseline adopt"


# Torn tails


def torn_trials(start: Path, folder: Path) -> Iterator[Trial]:
    """A journal that ends at any byte of its last line is read to the line before, and gone on with whole."""
    for number, (name, count) in enumerate(_counts(start).items(), start=1):
        kind = Path(name).name
        yield Trial("readers", f"torn tail of {kind}", number, partial(_torn, start, name, count, folder))


def _counts(start: Path) -> Mapping[str, Callable[[Path], int]]:
    """By journal: how many whole rows its own reader finds."""
    incident = paths.INCIDENTS / incident_ids(start)[0]
    run_id = max(path.name for path in (start / paths.REPORTS).glob("2*"))
    return {
        str(paths.AUDIT_BASELINES): lambda root: len(read_baselines(root).rows),
        str(paths.REPLAY_RUNS): lambda root: len(last_objects(root, paths.REPLAY_RUNS, _TAIL, Notes())),
        str(paths.JOURNAL_MEMORY): lambda root: len(read_memory(root).hashes),
        str(paths.SYMPTOM_LOG): lambda root: _looks(root),
        str(incident / JOURNAL): lambda root: _entries(root / incident),
        str(paths.events_file(run_id)): lambda root: _events(root / paths.events_file(run_id)),
    }


def _looks(root: Path) -> int:
    read_looks(root, Notes())
    return len(last_objects(root, paths.SYMPTOM_LOG, _TAIL, Notes()))


def _entries(folder: Path) -> int:
    chain_problems(folder)
    entries, problems = parse(read_lines(folder)[0])
    return len(entries) - len(problems)


def _events(path: Path) -> int:
    return sum(1 for line in path.read_bytes().split(b"\n")[:-1] if events.decode(line).seq)


def _torn(start: Path, name: str, count: Callable[[Path], int], folder: Path) -> tuple[str, list[str]]:
    root = copied(start, folder / "trial")
    data = (root / name).read_bytes()
    whole, before = count(root), data.rfind(b"\n", 0, len(data) - 1) + 1
    wrong = set()
    for cut in range(before, len(data)):
        (root / name).write_bytes(data[:cut])
        try:
            found = count(root)
        except Exception as error:  # noqa: BLE001 - that none comes out is what is promised
            wrong.add(f"a torn tail raises {type(error).__name__}")
            continue
        # A line whose end alone is missing may count or not.
        if found != whole - 1 and not (cut == len(data) - 1 and found == whole):
            wrong.add(f"a torn tail costs {whole - found} rows")
        if not name.startswith("reports/"):
            confined.append(root, name, data[before:])
            if count(root) <= found:
                wrong.add("the row behind a torn tail is not read")
    return f"{len(data) - before:,} bytes", sorted(wrong)


# Tampering

_WAYS: Mapping[str, Callable[[bytes], bytes]] = {
    "first byte changed": lambda data: bytes([data[0] ^ 1]) + data[1:],
    "a byte in the middle changed": lambda data: (
        data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1 :]
    ),
    "last byte gone": lambda data: data[:-1],
    "last line gone": lambda data: data[: data.rfind(b"\n", 0, len(data) - 1) + 1],
    "emptied": lambda _data: b"",
}


def tamper_trials(start: Path, folder: Path) -> Iterator[Trial]:
    """What an audit and ``incident verify`` say of each file that they read, changed by another hand."""
    for number, name in enumerate(_read_files(start), start=1):
        for way in (*_WAYS, "gone", "a pipe"):
            yield Trial("verdicts", f"tampered: {way}", number, partial(_tampered, start, name, way, folder))


def _read_files(start: Path) -> list[str]:
    run_folder = max((start / paths.REPORTS).glob("2*/summary.json")).parent
    incident = start / paths.INCIDENTS / incident_ids(start)[0]
    found = [
        *(start / paths.EVIDENCE).rglob("*.jsonl"),
        *(start / paths.SCORED_RUNS).rglob("*.jsonl"),
        *(start / each for each in paths.EXPORT_FILES.values()),
        *(start / each for each in paths.QUARANTINE_FILES.values()),
        *(run_folder / "receipts").glob("*.json"),
        run_folder / "summary.json",
        run_folder / "events.jsonl",
        *(start / each for each in (paths.AUDIT_BASELINES, paths.REPLAY_RUNS, paths.AUDIT_DATA)),
        start / paths.JOURNAL_MEMORY,
        *(incident / each for each in (FACTS, HEAD, JOURNAL)),
        *(start / paths.KNOWLEDGE_BASE).glob("runs*.jsonl"),
        start / paths.RECON_DOC,
    ]
    return sorted({path.relative_to(start).as_posix() for path in found if path.is_file()})


def _tampered(start: Path, name: str, way: str, folder: Path) -> tuple[str, list[str]]:
    root = copied(start, folder / "trial")
    place = root / name
    data = place.read_bytes()
    changed = _WAYS[way](data) if way in _WAYS else b""
    if way in _WAYS and changed == data:
        return "", []
    place.unlink()
    if way in _WAYS:
        place.write_bytes(changed)
    elif way == "a pipe":
        os.mkfifo(place)
    wrong: list[str] = []
    is_named = False
    for argv in (_AUDIT, _VERIFY):
        ended = run(argv, root, folder / "output")
        wrong += [f"says {word!r}" for word in FORBIDDEN if word in ended.text]
        if ended.code < 0:
            wrong.append(f"does not end within {LIMIT_SECONDS:g} s")
        is_named = is_named or ended.code != ExitCode.OK or name in ended.text or _MISSED in ended.text
    if not is_named and not _is_free(name, way):
        wrong.append(f"nobody names it: {Path(name).name}, {way}")
    return f"{way}: {name}", wrong


def _is_free(name: str, way: str) -> bool:
    """The recon doc is a person's text: it has to be there, and says what they say."""
    return name == str(paths.RECON_DOC) and way not in ("emptied", "gone", "a pipe")
