"""S6.replay-log: the replay log has grown past its threshold."""

from __future__ import annotations

import os
import shutil
import zlib
from pathlib import Path

from pydantic import JsonValue

from pipeline.contracts import paths
from pipeline.contracts.moments import epoch_seconds
from pipeline.contracts.status import Verdict
from pipeline.platform import disk
from pipeline.platform.lenient_json import number_of, object_or_empty
from pipeline.reading.sizes import size_words
from runbook.actions.rerun_stage import plan_command
from runbook.case import Case
from runbook.change.plan import Draft
from runbook.change.planning import Planning
from runbook.probes.evidence import Confidence, Detection, Diagnosis, Evidence, Stance
from runbook.probes.looks import data_probe, detection_from
from runbook.probes.workspace import Workspace
from runbook.symptom import Answers, Offer, diagnosed
from runbook.symptoms.s6_replay_log import DEFINITION, GROWN, ID, LOG, THRESHOLD_MB, UNKNOWN
from runbook.symptoms.s6_replay_log.glance import glance, size_of_log

_DAY = 86_400.0
_FAR_DAYS = 3_650
_PROBE = "growth"
# A row holds a prompt and an answer; the first and the last one lie well within this.
_LOOK_BYTES = 8 * 2**20


def detect(workspace: Workspace) -> Detection:
    facts = workspace.facts()
    size = {"bytes": size_of_log(facts.root), "threshold_mb": facts.settings.number(THRESHOLD_MB)}
    return detection_from(ID, glance(facts), reproduce=f"ls -l {LOG}", facts=size)


def _far(days: float) -> str:
    return f"{days:,.0f} days" if days < _FAR_DAYS else "more than ten years"


def _growth(workspace: Workspace, _seconds: float) -> tuple[list[str], JsonValue]:
    first, last = _logged_at(workspace.root / LOG)
    size = (workspace.root / LOG).stat().st_size
    free = shutil.disk_usage(workspace.root).free
    days = (last - first) / _DAY if first is not None and last is not None else 0.0
    daily = size / days if days > 0 else None
    until_full = free / daily if daily else None
    lines = [f"{size:,} bytes; {free:,} bytes free on the disk"]
    if daily is not None and until_full is not None:
        lines.append(
            f"{daily:,.0f} bytes a day over {days:,.1f} days; disk full in {_far(until_full)} at that rate"
        )
    return lines, {
        "bytes": size,
        "free": free,
        "first": first,
        "last": last,
        "daily": daily,
        "until_full": until_full,
    }


def _logged_at(path: Path) -> tuple[float | None, float | None]:
    """When the first and the last whole row were logged; None for a row that does not say."""
    with disk.open_to_read(path) as file:
        first = file.readline(_LOOK_BYTES)
        file.seek(max(0, os.fstat(file.fileno()).st_size - _LOOK_BYTES))
        tail = file.read(_LOOK_BYTES)
    whole = tail[: tail.rfind(b"\n") + 1].splitlines()
    return _time_of(first), _time_of(whole[-1]) if whole else None


def _time_of(line: bytes) -> float | None:
    return epoch_seconds(object_or_empty(line).get("recorded_at"))


def classify(case: Case) -> Diagnosis:
    output = case.outputs[_PROBE]
    dated = all(number_of(output.data, each) is not None for each in ("first", "last"))
    says = "First and last row say when they were logged." if dated else "First or last row has no time."
    cause, confidence = (GROWN, Confidence.CERTAIN) if dated else (UNKNOWN, Confidence.UNKNOWN)
    size = Evidence.of(Stance.FOR, case.detection.observed, LOG, case.detection.read_at)
    grew = case.fact(Stance.FOR, says, LOG, output.text.splitlines())
    return case.concluded(cause, confidence, {cause: (size, grew)}, places=(LOG,))


def _rotate(planning: Planning, _answers: Answers) -> Draft:
    """The engine moves, compresses and verifies; taken back by putting the log's bytes back in place."""
    draft = plan_command(
        planning,
        ["rotate-replay-log", "--force"],
        title="Rotate the replay log",
        touches=(LOG, str(paths.REPLAY_RUNS.with_name(f"{paths.REPLAY_RUNS.stem}.archive.*"))),
        repeatable=False,
        undo="Put the log back as it was and take the archive away, if no replay was logged since.",
    )
    size, packed = _packed_estimate(planning.workspace.root / LOG)
    return draft.noting(
        f"frees about {size_words(max(0, size - 2 * packed))} of {size_words(size)}: archive and kept "
        f"original take about {size_words(packed)} each; the original goes with: distill incident prune "
        f"{planning.incident_id}"
    )


def _packed_estimate(path: Path) -> tuple[int, int]:
    """Bytes of the log, and of its gzip as its first 8 MiB pack."""
    with disk.open_to_read(path) as file:
        sample, size = file.read(_LOOK_BYTES), os.fstat(file.fileno()).st_size
    return size, round(len(zlib.compress(sample)) / max(1, len(sample)) * size)


ROTATE = Offer(
    "rotate",
    "Rotate the log",
    "every row is kept, packed and verified, and the next replay starts a fresh log",
    _rotate,
)


def at_once(detection: Detection) -> tuple[Offer, ...]:
    """Whatever the rows are: a rotation keeps every byte of them."""
    return (ROTATE,) if detection.verdict is Verdict.DETECTED else ()


PROBES = (data_probe(_PROBE, "How fast it grows", 10.0, _growth),)
SYMPTOM = diagnosed(
    DEFINITION, detect, classify, lambda detection, _: at_once(detection), PROBES, at_once=at_once
)
