"""S3.divergence: acceptance is red while the real data are green: the fixture sees what they hide."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import JsonValue

import pipeline.contracts
from pipeline.platform import disk
from pipeline.platform.lenient_json import object_or_empty, object_or_none, text_of
from runbook.case import Case
from runbook.change.plan import Draft, Manual
from runbook.change.planning import Planning
from runbook.probes.code_history import code_probe
from runbook.probes.evidence import Detection, Diagnosis, Stance
from runbook.probes.looks import Probe, data_probe
from runbook.probes.workspace import Workspace
from runbook.symptom import Answers, Offer, diagnosed
from runbook.symptoms.fixture_beside import Beside, beside, is_kept_root
from runbook.symptoms.gate_report import is_alone
from runbook.symptoms.gate_state import WATCHED, gate_looks, red_invariants, suspicion
from runbook.symptoms.s1_p6_acceptance import ID as NOT_ALONE
from runbook.symptoms.s1_p6_acceptance.diagnose import restore_offer
from runbook.symptoms.s3_divergence import DEFINITION, EXPECTED, ID

_KEPT = "kept_root"
_SECONDS = 300.0

detect, rerun = gate_looks(ID, is_alone, NOT_ALONE)


def _kept_root_probe(detection: Detection) -> Probe:
    ids, known = red_invariants(detection), detection.facts.get("root")

    def find(workspace: Workspace, seconds: float) -> tuple[list[str], JsonValue]:
        root = Path(known) if isinstance(known, str) and is_kept_root(Path(known)) else None
        if root is None:
            root = _made_again(workspace, argv, seconds)
        expected = _expected(workspace)
        rows = {each: beside(each, expected, root, workspace.root) for each in ids}
        lines = [f"temp root: {root}", *(line for each in ids for line in _table(each, rows[each]))]
        told: dict[str, JsonValue] = {
            each: [{**row.to_dict()} for row in found or ()] for each, found in rows.items()
        }
        return lines, {"root": str(root), "rows": told}

    argv = ["acceptance", *(word for each in ids for word in ("--check", each)), "--keep", "--json"]
    return data_probe(_KEPT, "The kept temp root against the expected", _SECONDS, find, ("distill", *argv))


def _made_again(workspace: Workspace, argv: list[str], seconds: float) -> Path:
    """A fresh root of just these invariants. Raises OSError when acceptance leaves none."""
    ran = workspace.engine(argv, seconds=seconds)
    named = text_of(object_or_none(ran.stdout), "temp_root")
    if named is None:
        raise OSError(f"acceptance kept no temp root: {ran.reason}")
    root = Path(named)
    if not is_kept_root(root):
        raise OSError(f"{root} is not a temp root of ours")
    return root


def _expected(workspace: Workspace) -> dict[str, Any]:
    """The contract as it was last good; the working copy may have been edited to make a test pass."""
    git, tag = workspace.git, workspace.last_good_tag
    data = git.bytes_at(git.resolve_tag(tag), EXPECTED) if workspace.runs_own_engine else None
    if data is None:
        installed = Path(str(pipeline.contracts.__file__)).parents[2]
        data = disk.read_plain(installed / EXPECTED)
    return object_or_empty(data)


def _table(invariant: str, rows: list[Beside] | None) -> list[str]:
    """The comparison in columns as wide as their longest word."""
    if rows is None:
        return [f"{invariant}: it has no counts to lay side by side; its examples say what is wrong"]
    if not rows:
        return [f"{invariant}: the kept root is what the contract of the last-good tag expects"]
    heads = ("what", "expected", "the fixture gave", "the real data have")
    lines = [heads, *((row.what, row.expected, row.seen, row.real) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    shown = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
    return [f"{invariant}:", *(f"  {line.rstrip()}" for line in shown)]


def classify(case: Case) -> Diagnosis:
    found, kept = suspicion(case), case.outputs.get(_KEPT)
    root = text_of(kept.data, "root") if kept is not None else None
    hidden = [each for each in red_invariants(case.detection) if each in WATCHED]
    evidence = [
        case.fact(Stance.FOR, f"{each} sees what real data hide: {WATCHED[each].sees}", "distill acceptance")
        for each in hidden
    ]
    if kept is not None:
        says = kept.trouble or f"The kept root {root} beside what is expected."
        stance, source = Stance.FOR if root else Stance.UNKNOWN, root or "distill acceptance --keep"
        evidence.append(case.fact(stance, says, source, kept.text.splitlines()[1:], by=_KEPT))
    cause = found.cause.model_copy(update={"evidence": (*found.cause.evidence, *evidence)})
    facts = found.facts | ({"root": root} if root else {})
    return found.model_copy(update={"cause": cause, "facts": facts})


def offers(_detection: Detection, diagnosis: Diagnosis) -> Iterator[Offer]:
    """The code back, or a look by a person. The fixture is only ever put back, never adapted."""
    yield from restore_offer(diagnosis)
    if root := text_of(diagnosis.facts, "root"):
        yield _opening(root)


def _opening(root: str) -> Offer:
    def make(planning: Planning, _answers: Answers) -> Draft:
        step = Manual(
            says=f"Open {root} in another window. It is laid out like a workspace; variants/ holds the "
            "other runs, said/ what each printed. The fixture is never changed to make a test pass.",
            by_hand=f"cd {shlex.quote(root)} && ls -la . data/evidence variants said",
        )
        return planning.draft("open_root", "Look into the kept temp root", [step], undo="Nothing is changed.")

    why = "what the pipeline made of the fixture lies there, next to what each run said"
    return Offer("open-root", f"Look into {root} first", why, make)


def probes(detection: Detection) -> tuple[Probe, ...]:
    return (code_probe(title="The engine's code, phase by phase"), _kept_root_probe(detection))


SYMPTOM = diagnosed(DEFINITION, detect, classify, offers, probes, rerun=rerun)
