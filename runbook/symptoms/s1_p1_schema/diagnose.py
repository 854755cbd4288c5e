"""S1.P1.schema: golden rows are treated as they must not be, or a fingerprint moved under its version."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from pipeline.contracts.faults import ExitCode
from pipeline.contracts.status import Answer, Verdict
from pipeline.platform.lenient_json import object_or_none, objects_of
from pipeline.platform.process_end import Ended
from runbook.actions.rerun_stage import plan_command
from runbook.case import Case
from runbook.change.plan import Draft
from runbook.change.planning import Planning
from runbook.probes.code_history import ChangedFile, CodeHistory, code_probe
from runbook.probes.engine_look import SCHEMAS_AGREE
from runbook.probes.evidence import Confidence, Detection, Diagnosis, Evidence, Record, Stance
from runbook.probes.looks import detection_from
from runbook.probes.workspace import Workspace
from runbook.symptom import Answers, Offer, diagnosed
from runbook.symptoms import s1_p1_schema as define
from runbook.symptoms.by_report import in_words_of
from runbook.symptoms.offers import code_offer, named, restoring, to_restore
from runbook.symptoms.s1_p1_schema.glance import glance

# How the lock names a version that was raised on purpose, and was not pinned yet.
_RAISED = "the lock still holds the version before"
_PLACE = re.compile(r"(?:taken, but |instead of |valid, but refused: )([^\s:]+)")
_MODULE = re.compile(r"\((\w+)\.py, line (\d+)\)|pipeline/schemas/(\w+)\.py:(\d+)")
LOCK = f"{define.FOLDER}/schemas.lock.json"
_ROWS = f"{define.FOLDER}/golden/"
_SECONDS = 60.0


class Refusal(Record):
    """One thing that is not as pinned. ``schema_name`` is None where the whole lock or code fails."""

    check: str
    schema_name: str | None
    field: str | None
    says: str
    file: str | None = None
    line: int | None = None

    @property
    def is_raised_version(self) -> bool:
        return self.check == define.VERSIONS and _RAISED in self.says

    @property
    def place(self) -> str:
        """``sft.quality_score``, as far as it is known."""
        return ".".join(each for each in (self.schema_name, self.field) if each) or self.check


def read_refusals(ran: Ended) -> list[Refusal] | None:
    """Everything that is refused; None where the command could not say."""
    report = object_or_none(ran.stdout)
    if report is None:
        return _broken_code(ran)
    if not isinstance(report.get("checks"), list):
        return None
    rows = objects_of(report, "checks")
    return [refusal for row in rows if row.get("status") == "fail" for refusal in _refusals(row)]


def _refusals(row: Mapping[str, Any]) -> list[Refusal]:
    check = str(row.get("id"))
    examples = [each for each in row.get("examples") or () if isinstance(each, dict)]
    if not examples:
        return [Refusal(check=check, schema_name=None, field=None, says=str(row.get("detail")))]
    return [_refusal(check, example) for example in examples]


def _refusal(check: str, example: Mapping[str, Any]) -> Refusal:
    file, says, line = str(example.get("file") or ""), str(example.get("text") or ""), example.get("line")
    if check == define.VERSIONS:
        # ``sft.quality_score was …``: a field may hold dots, and ends at the first space.
        place, _, says = says.partition(" ")
        schema, _, rest = place.partition(".")
        field: str | None = rest or None
    else:
        schema = PurePosixPath(file).parent.name
        match = _PLACE.search(says)
        field = match[1] if match else None
    return Refusal(
        check=check,
        schema_name=schema or None,
        field=field,
        says=says,
        file=file or None,
        line=line if isinstance(line, int) else None,
    )


def _broken_code(ran: Ended) -> list[Refusal] | None:
    """The schemas cannot even be imported. Any other failure of the engine is not theirs."""
    error = ran.narration
    if f"{define.FOLDER}/" not in error:
        return None
    match = _MODULE.search(error)
    module, line = (match[1] or match[3], match[2] or match[4]) if match else (None, None)
    first = next((each for each in error.splitlines() if each.strip()), "it ends without a word")
    says = first.removeprefix("what happened").strip()
    return [
        Refusal(
            check=define.GOLDEN,
            schema_name=module,
            field=None,
            says=f"the schemas cannot be imported: {says}",
            file=f"{define.FOLDER}/{module}.py" if module else None,
            line=int(line) if line else None,
        )
    ]


def refusals_of(detection: Detection) -> tuple[Refusal, ...]:
    """What the detector kept."""
    found = detection.facts.get("refusals")
    return tuple(Refusal.model_validate(each) for each in found) if isinstance(found, list) else ()


def detect(workspace: Workspace) -> Detection:
    """The engine's own check of schemas, lock and golden rows; a third of a second. Raises SettingsError."""
    ran = workspace.engine(SCHEMAS_AGREE, seconds=_SECONDS)
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
    seen = detection_from(
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
        facts={"refusals": [each.model_dump(mode="json") for each in found or ()]},
    )
    return in_words_of(glance(workspace.facts()), seen)


def classify(case: Case) -> Diagnosis:
    refusals, history = refusals_of(case.detection), case.code
    files = _culprits(refusals, history)
    cause_id = _judged(refusals, files)
    unexplained = [each for each in refusals if not _explains(each, history)]
    confidence = Confidence.UNKNOWN if cause_id == define.UNKNOWN else Confidence.CERTAIN
    if cause_id != define.UNKNOWN and (unexplained or history.source == "installed"):
        confidence = Confidence.LIKELY
    against = {other: (says,) for other, says in _set_aside(case, cause_id, refusals)}
    return case.concluded(
        cause_id,
        confidence,
        {**against, cause_id: case.code_facts(files, f"All of {define.FOLDER}")},
        places=(*dict.fromkeys(each.place for each in refusals), *(each.told for each in files)),
        aside=against,
        facts=restoring(files) | {"source": history.source},
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
    rows = f"{_ROWS}{refusal.schema_name or ''}"
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


def _set_aside(case: Case, cause_id: str, refusals: Sequence[Refusal]) -> Iterator[tuple[str, Evidence]]:
    """The other causes, each with the one fact that decides against it (or leaves it open)."""
    files = case.code.files
    for kind, changed, what in (
        (define.SCHEMA_CHANGED, [each for each in files if _is_code(each.path)], "The schemas' code"),
        (define.LOCK_CHANGED, [each for each in files if each.path == LOCK], "The lock"),
        (define.ROWS_CHANGED, [each for each in files if each.path.startswith(_ROWS)], "Every golden row"),
    ):
        if kind != cause_id:
            told = case.changed_code(changed[:1], stance=Stance.UNKNOWN)
            yield kind, told[0] if told else case.unchanged_code(what)
    if cause_id != define.RAISED:
        same = [each for each in refusals if each.check == define.VERSIONS and not each.is_raised_version]
        says = f"{same[0].place} moved under the same version." if same else "No version was raised."
        yield define.RAISED, case.fact(Stance.AGAINST, says, define.COMMAND)


def offers(_detection: Detection, diagnosis: Diagnosis) -> Iterator[Offer]:
    """The file (and the lock) back; a version that was raised on purpose may be pinned instead."""
    files = to_restore(diagnosis)
    if not files:
        return
    # The lock of an installed engine belongs to its wheel.
    if diagnosis.cause.id == define.RAISED and diagnosis.facts.get("source") == "workspace":
        yield PIN
    title = f"Restore {named(files)} from the last-good tag"
    yield code_offer(files, title, "a schema changes together with its version, and never silently")


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
PROBES = (code_probe([define.FOLDER], title="The schemas since the last-good tag"),)
SYMPTOM = diagnosed(define.DEFINITION, detect, classify, offers, PROBES)
