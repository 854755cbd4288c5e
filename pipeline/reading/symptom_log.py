"""What the detectors said when they looked last: ``reports/symptoms.jsonl``, read and appended to.

Each line is whole: all symptoms that were ever looked for, with the time at which what shows was first
seen. So the last line that can be read is all that a reader needs; garbage and a torn tail cost the
look that wrote them. Viewers only read. Of two that write at once one may miss what the other saw first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path

import orjson

from pipeline.contracts import paths
from pipeline.contracts.status import Answer, Verdict
from pipeline.platform import confined
from pipeline.platform.lenient_json import Json, number_of, object_of, record_of, text_of
from pipeline.reading.report_files import Notes, last_objects
from pipeline.reading.symptom_answers import not_silenced

VERSION = 1
# A line has about 4 KB; the file is begun anew past its limit, and a reader needs its end alone.
MOST_BYTES = 1024 * 1024
_TAIL_BYTES = 128 * 1024
_TEXT_CHARACTERS = 1000


def read_looks(root: Path, notes: Notes) -> dict[str, Answer]:
    """The last answers by symptom; empty where nobody has looked yet. Never raises."""
    lines = last_objects(root, paths.SYMPTOM_LOG, _TAIL_BYTES, notes)
    known = next((line for line in reversed(lines) if number_of(line, "version") == VERSION), {})
    told = object_of(known, "symptoms")
    found = (_answer(str(name), object_of(told, name)) for name in told)
    return {answer.id: answer for answer in found if answer is not None}


def _answer(symptom_id: str, row: Json) -> Answer | None:
    try:
        verdict = Verdict(text_of(row, "verdict") or "")
    except ValueError:
        return None
    observed = text_of(row, "observed") or ""
    return record_of(Answer, row, verdict=verdict, observed=observed, id=symptom_id)


def keep_looks(root: Path, answers: Iterable[Answer], now: float) -> dict[str, Answer]:
    """Append what was seen ``now``; returns it with the times of its first sighting.

    ``since`` of an answer is when it was told before, by a report for instance.
    A symptom keeps that time, and shows, until somebody sees it gone: who could not look has not.
    Raises StorageError.
    """
    before = read_looks(root, Notes())
    standing = (not_silenced(answer, before.get(answer.id)) for answer in answers)
    seen = {answer.id: _with_since(answer, before.get(answer.id), now) for answer in standing}
    told = {name: _row(answer) for name, answer in sorted((before | seen).items())}
    line = orjson.dumps({"version": VERSION, "at": now, "symptoms": told}) + b"\n"
    is_full = _size(root) + len(line) > MOST_BYTES
    (confined.write_file if is_full else confined.append_line)(root, paths.SYMPTOM_LOG, line)
    return seen


def _size(root: Path) -> int:
    try:
        return (root / paths.SYMPTOM_LOG).stat(follow_symlinks=False).st_size
    except OSError:
        return 0


def _with_since(answer: Answer, before: Answer | None, now: float) -> Answer:
    if answer.verdict is Verdict.CLEAR:
        return replace(answer, since=None)
    known = [moment for moment in (before.since if before else None, answer.since) if moment is not None]
    if before is not None and before.verdict is Verdict.CLEAR and before.as_of is not None:
        # Somebody has seen it gone: what was told before then is another case.
        known = [moment for moment in known if moment > before.as_of]
    if not answer.is_detected:
        return replace(answer, since=min(known, default=None))
    as_of = now if answer.as_of is None else min(answer.as_of, now)
    return replace(answer, since=min(known, default=as_of))


def _row(answer: Answer) -> dict[str, object]:
    told = {name: value for name, value in asdict(answer).items() if name != "id"}
    texts = {name: told[name][:_TEXT_CHARACTERS] for name in ("observed", "stale")}
    return {**told, **texts}
