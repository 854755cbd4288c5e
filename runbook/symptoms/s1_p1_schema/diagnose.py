"""S1.P1.schema: golden rows are treated as they must not be, or a fingerprint moved under its version."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from pipeline.contracts.faults import ExitCode
from pipeline.contracts.status import Answer, Verdict
from runbook.actions.rerun_stage import plan_command
from runbook.change.plan import Draft
from runbook.change.planning import Planning
from runbook.probes.code_history import CODE, ChangedFile, CodeHistory, code_probe, read_code
from runbook.probes.conclusions import concluded, detection_from
from runbook.probes.evidence import Confidence, Detection, Diagnosis, Evidence, ProbeOutput, Stance
from runbook.probes.workspace import Workspace
from runbook.symptom import Answers, Offer, diagnosed
from runbook.symptoms.code_evidence import (
    code_evidence,
    named,
    restoring,
    to_restore,
    told_by_code,
    unchanged,
)
from runbook.symptoms.offers import code_offer
from runbook.symptoms.s1_p1_schema import define
from runbook.symptoms.schema_refusals import Refusal, read_refusals, refusals_as_facts, refusals_of

LOCK = f"{define.FOLDER}/schemas.lock.json"
_SECONDS = 60.0


def detect(workspace: Workspace) -> Detection:
    """The engine's own check of schemas, lock and golden rows; a third of a second. Raises SettingsError."""
    ran = workspace.engine(("schema", "check", "--json"), seconds=_SECONDS)
    now = time.time()
    found = read_refusals(ran)
    if found is None:
        verdict, observed = Verdict.UNKNOWN, ran.reason
    elif found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        verdict, observed = Verdict.DETECTED, f"{found[0].place}: {found[0].says}{more}"
    else:
        good = ran.exit_code == ExitCode.OK
        verdict = Verdict.CLEAR if good else Verdict.UNKNOWN
        observed = "schemas, lock and golden rows agree" if good else f"not evaluated: exit {ran.exit_code}"
    return detection_from(
        define.ID,
        Answer(verdict, observed, now),
        reproduce=define.COMMAND,
        evidence=tuple(
            Evidence.of(
                Stance.FOR,
                f"{each.check}: {each.place}: {each.says}",
                f"{each.file or LOCK}{f':{each.line}' if each.line else ''}",
                now,
            )
            for each in found or ()
        ),
        facts={"refusals": refusals_as_facts(found or [])},
    )


def classify(detection: Detection, outputs: Mapping[str, ProbeOutput]) -> Diagnosis:
    refusals, history = refusals_of(detection), read_code(outputs.get(CODE))
    read_at = outputs[CODE].read_at if CODE in outputs else detection.read_at
    files = _culprits(refusals, history)
    cause_id = _judged(refusals, files)
    unexplained = [each for each in refusals if not _explains(each, history)]
    confidence = Confidence.UNKNOWN if cause_id == define.UNKNOWN else Confidence.CERTAIN
    if cause_id != define.UNKNOWN and (unexplained or history.source == "installed"):
        confidence = Confidence.LIKELY
    found = code_evidence(history, files, f"All of {define.FOLDER}", read_at)
    against = {other: (says,) for other, says in _set_aside(cause_id, refusals, history, read_at)}
    facts = restoring(files) | {"source": history.source}
    return concluded(
        define.CAUSES,
        cause_id,
        confidence,
        {**against, cause_id: found},
        first=detection.evidence,
        places=(*dict.fromkeys(each.place for each in refusals), *(each.told for each in files)),
        aside=against,
        facts=facts,
    )


def _culprits(refusals: Sequence[Refusal], history: CodeHistory) -> tuple[ChangedFile, ...]:
    """The files that explain what is refused; with a schema, the lock goes back as well."""
    found: dict[str, ChangedFile] = {}
    for refusal in refusals:
        found |= {each.path: each for each in _explains(refusal, history)}
    if any(_is_code(path) for path in found):
        found |= {each.path: each for each in history.files if each.path == LOCK}
    return tuple(found[path] for path in sorted(found))


def _explains(refusal: Refusal, history: CodeHistory) -> list[ChangedFile]:
    """The schema's own file where the field's change is seen in it, else code that may be behind it.

    A file in which no name or field is bound otherwise than before is left out if another has one.
    """
    code = [each for each in history.files if _is_code(each.path) and not _is_other_schema(each, refusal)]
    own = [each for each in code if each.path == f"{define.FOLDER}/{refusal.schema_name}.py"]
    if own and _names_field(own[0], refusal):
        return own
    if code:
        return [each for each in code if each.constants] or code
    if refusal.check == define.VERSIONS:
        return [each for each in history.files if each.path == LOCK]
    rows = f"{define.FOLDER}/golden/{refusal.schema_name or ''}"
    return [each for each in history.files if each.path.startswith(rows)]


def _names_field(file: ChangedFile, refusal: Refusal) -> bool:
    last = (refusal.field or "").split("[")[0].split(".")[-1]
    return any(each.name.split(".")[-1] == last for each in file.constants)


def _is_code(path: str) -> bool:
    return path.startswith(f"{define.FOLDER}/") and path.endswith(".py")


# Every schema has a file of its own; the rest serves all of them.
_SHARED = ("parts", "validators", "registry", "fingerprint", "lock", "golden_rows", "checks", "__init__")


def _is_other_schema(file: ChangedFile, refusal: Refusal) -> bool:
    stem = file.path.removeprefix(f"{define.FOLDER}/").removesuffix(".py")
    return stem != refusal.schema_name and stem not in _SHARED and refusal.schema_name is not None


def _judged(refusals: Sequence[Refusal], files: Sequence[ChangedFile]) -> str:
    if refusals and all(each.is_raised_version for each in refusals):
        return define.RAISED
    if any(_is_code(each.path) for each in files):
        return define.SCHEMA_CHANGED
    if any(each.path == LOCK for each in files):
        return define.LOCK_CHANGED
    return define.ROWS_CHANGED if files else define.UNKNOWN


def _set_aside(
    cause_id: str, refusals: Sequence[Refusal], history: CodeHistory, read_at: float
) -> list[tuple[str, Evidence]]:
    """The other causes, each with the one fact that decides against it (or leaves it open)."""
    by_kind = {
        define.SCHEMA_CHANGED: ([each for each in history.files if _is_code(each.path)], "The schemas' code"),
        define.LOCK_CHANGED: ([each for each in history.files if each.path == LOCK], "The lock"),
        define.ROWS_CHANGED: (
            [each for each in history.files if each.path.startswith(f"{define.FOLDER}/golden/")],
            "Every golden row",
        ),
    }
    found = [
        (
            kind,
            told_by_code(history, files, read_at, stance=Stance.UNKNOWN)[0]
            if files
            else unchanged(history, what, read_at),
        )
        for kind, (files, what) in by_kind.items()
        if kind != cause_id
    ]
    if cause_id != define.RAISED:
        same = [each for each in refusals if each.check == define.VERSIONS and not each.is_raised_version]
        says = f"{same[0].place} moved under the same version." if same else "No version was raised."
        found.append((define.RAISED, Evidence.of(Stance.AGAINST, says, define.COMMAND, read_at)))
    return found


def offers(detection: Detection, diagnosis: Diagnosis | None) -> tuple[Offer, ...]:
    """The file (and the lock) back; a version that was raised on purpose may be pinned instead."""
    files = to_restore(diagnosis)
    if diagnosis is None or not files:
        return ()
    title = f"Restore {named(files)} from the last-good tag"
    why = "a schema changes together with its version, and never silently"
    way_back = code_offer(files, title, why)
    # The lock of an installed engine belongs to its wheel.
    may_pin = diagnosis.cause.id == define.RAISED and diagnosis.facts.get("source") == "workspace"
    return (PIN, way_back) if may_pin else (way_back,)


def _pin(planning: Planning, _answers: Answers) -> Draft:
    return plan_command(
        planning,
        ["schema", "lock"],
        title="Pin the raised version",
        touches=[LOCK],
        undo="Put the lock back to the bytes it had.",
    )


PIN = Offer(
    "pin", "Pin the raised version in the lock", "the step was meant; the lock is what is behind", _pin
)

SYMPTOM = diagnosed(
    define.DEFINITION,
    detect=detect,
    classify=classify,
    offers=offers,
    probes=lambda _detection: (code_probe([define.FOLDER], title="The schemas since the last-good tag"),),
)
