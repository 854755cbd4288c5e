"""The commands that are disturbed, each with the workspace that it starts from."""

from __future__ import annotations

import dataclasses
import gzip
import json
import time
from collections.abc import Callable, Container, Iterator, Mapping
from pathlib import Path

from pipeline.contracts import paths
from pipeline.engine import commit
from pipeline.reading.incidents import incident_ids
from tests.crash.outcomes import change_sources
from tests.faults.trial import Subject, Tree, copied, run
from tests.pipeline.audit.audited import passing_acceptance
from tests.pipeline.engine.workspaces import RECORDED_AT, encoded, flat_line, output_bytes
from tests.runbook.symptoms.walked import filled

_CONSENT = ("--approve-as", "mira", "--reason", "a trial")
_RUN = ("--recorded-at", RECORDED_AT)


def subjects(folder: Path, only: Container[str] = ()) -> Iterator[Subject]:
    """Each subject, with its files from before and after as an undisturbed run leaves them."""
    template = filled(folder / "template").root
    output = folder / "output"
    for name, make in _MAKERS.items():
        if only and name not in only:
            continue
        start = copied(template, folder / "starts" / make.__name__.strip("_"))
        subject = dataclasses.replace(make(start, output), name=name)
        after = copied(subject.start, folder / "after")
        began = time.monotonic()
        ended = run(subject.argv, after, output)
        if ended.code != subject.ends_with:
            raise RuntimeError(f"{subject.name}, undisturbed, ended with {ended.code}: {ended.text}")
        yield dataclasses.replace(
            subject,
            before=subject.watched(subject.start),
            after=subject.watched(after),
            seconds=time.monotonic() - began,
        )


def _run_all(start: Path, _: Path) -> Subject:
    change_sources(start)
    argv = ("pipeline", "run-all", *_RUN, "--chunk-bytes", "4KiB", "--workers", "1", "--no-cache")
    return Subject(start, argv, output_bytes, all_or_nothing=True, settle=commit.settle)


def _export(start: Path, _: Path) -> Subject:
    settings = start / paths.SETTINGS
    settings.write_text(f"{settings.read_text()}\n[export.sft]\nmax_rows = 5\n")
    argv = ("pipeline", "export", *_RUN, "--allow-shrink")
    return Subject(start, argv, output_bytes, all_or_nothing=True, settle=commit.settle)


def _formats(start: Path, _: Path) -> Subject:
    argv = ("pipeline", "export", "--format", "trl-conversational")
    return Subject(start, argv, lambda root: _files(root, paths.FORMATTED))


def _audit(start: Path, _: Path) -> Subject:
    # The gate has a folder of its own, far from the workspace: it is handed on.
    passing_acceptance(start / "acceptance.json")
    argv = ("pipeline", "audit-full", "--acceptance-report", "acceptance.json")
    return Subject(start, argv, _whole_lines)


def _rotate(start: Path, output: Path) -> Subject:
    rows = [{"schema_version": 1, "replay_run_id": f"r{number}", "text": "a" * 200} for number in range(50)]
    (start / paths.REPLAY_RUNS).write_bytes(encoded(rows))
    argv = ("pipeline", "rotate-replay-log", "--force")
    return Subject(start, argv, _replay_rows)


def _quarantine(start: Path, output: Path) -> Subject:
    with (start / paths.SFT_EXPORT).open("ab") as file:
        file.write(encoded([{**flat_line(1), "run_id": "planted"}]))
    plan = _planned(start, output, "quarantine", str(paths.SFT_EXPORT))
    argv = ("console", "quarantine", "--plan", plan["plan_hash"], *_CONSENT)
    return Subject(start, argv, lambda root: _files(root, paths.EXPORTS))


def _undo(start: Path, output: Path) -> Subject:
    quarantine = _quarantine(start, output)
    done = run(quarantine.argv, start, output)
    if done.code:
        raise RuntimeError(done.text)
    incident = next((start / paths.INCIDENTS).iterdir()).name
    back = _planned(start, output, "undo", incident)
    argv = ("console", "undo", "--plan", back["plan_hash"], *_CONSENT)
    return Subject(start, argv, lambda root: _files(root, paths.EXPORTS))


def audited(folder: Path) -> Path:
    """A workspace with all that a verdict reads: audited twice, looked at, with replays and an incident."""
    start, output = copied(filled(folder / "filled").root, folder / "starts" / "audited"), folder / "output"
    rows = [{"schema_version": 1, "replay_run_id": f"r{number}"} for number in range(3)]
    (start / paths.REPLAY_RUNS).write_bytes(encoded(rows))
    passing_acceptance(start / "acceptance.json")
    audit = ("pipeline", "audit-full", "--acceptance-report", "acceptance.json")
    for argv in (
        audit,
        ("console", "runbook", "detect"),
        ("console", "quarantine", str(paths.RAG_EXPORT)),
        audit,
    ):
        run(argv, start, output)
    if len(incident_ids(start)) != 1 or not (start / paths.SYMPTOM_LOG).exists():
        raise RuntimeError(f"the audited workspace is not as it should be: {output.read_text()}")
    return start


_MAKERS: Mapping[str, Callable[[Path, Path], Subject]] = {
    "run-all": _run_all,
    "export": _export,
    "export --format": _formats,
    "audit-full": _audit,
    "rotate-replay-log": _rotate,
    "apply": _quarantine,
    "undo": _undo,
}
NAMES = tuple(_MAKERS)
# Of two at once, one is told that the other does it.
ONE_AT_A_TIME = ("run-all", "export", "apply", "undo")


def _planned(root: Path, output: Path, *words: str) -> dict[str, str]:
    ended = run(("console", *words, "--json"), root, output)
    text = ended.text[ended.text.index("{") : ended.text.rindex("}") + 1]
    plan: dict[str, str] = json.loads(text)
    return plan


def _files(root: Path, below: Path | object) -> Tree:
    """Every file below, by its path.

    A name that begins with a dot is nobody's file yet. The receipt of a formatted file accounts for two while
    one is replaced: whether that went well shows when the command is finished.
    """
    place = root / str(below)
    found = [place] if place.is_file() else sorted(path for path in place.rglob("*") if path.is_file())
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in found
        if not path.name.startswith(".") and not path.name.endswith(".receipt.json")
    }


def _replay_rows(root: Path) -> Tree:
    """The log's bytes wherever they are: in the log, in an archive, packed or not, once for each content."""
    log = root / paths.REPLAY_RUNS
    held = {log.read_bytes()} if log.exists() else set()
    for archive in log.parent.glob(f"{log.stem}.archive.*"):
        data = archive.read_bytes()
        held.add(gzip.decompress(data) if archive.suffix == ".gz" else data)
    return {"rows": b"".join(sorted(held))}


def _whole_lines(root: Path) -> Tree:
    """What the rows of the journal of baselines call normal, each once, and its tail: clocks and ids differ.

    An audit that reported, and lost an event or a sync behind that, ends with 3; the next one writes the same
    values again, as any second audit does. One that was cut off before its report has a test of its own.
    """
    path = root / paths.AUDIT_BASELINES
    lines = path.read_bytes().split(b"\n") if path.exists() else [b""]
    values = {json.dumps(json.loads(line)["metrics"], sort_keys=True) for line in lines[:-1]}
    return {path.name: f"{sorted(values)}, then {lines[-1]!r}".encode()}
