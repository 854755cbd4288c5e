"""The ways out of S1.P4.sft-leak: quarantine at once, then walls restored or exports made again."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.contracts import paths
from pipeline.contracts.status import Verdict
from pipeline.platform.lenient_json import objects_of, texts_of
from runbook.actions.repair_code import plan_code_repair
from runbook.actions.rerun_stage import plan_rerun
from runbook.change.plan import Draft
from runbook.change.planning import Planning, joined
from runbook.probes.code_history import ChangedFile
from runbook.probes.evidence import Detection, Diagnosis
from runbook.symptom import Answers, Offer
from runbook.symptoms import s1_p4_sft_leak as define
from runbook.symptoms.offers import all_aside, named, set_aside, to_restore

RE_EXPORT = "re-export"
SET_ASIDE = "set_aside"
_MANIFEST = str(paths.EXPORT_MANIFEST)


def files_with_findings(detection: Detection) -> tuple[str, ...]:
    """Exports with findings, and files in trainers' formats that no receipt accounts for."""
    return tuple(dict.fromkeys(str(each.get("file")) for each in objects_of(detection.facts, "findings")))


def built(detection: Detection) -> tuple[str, ...]:
    """Files in trainers' formats that were made of the export."""
    return tuple(str(each["file"]) for each in objects_of(detection.facts, "formatted") if each.get("file"))


def _set_aside_first(planning: Planning, repair: Draft, files: Sequence[str]) -> Draft:
    """The repair, after a rename of the exports that still stand: a run would end with the alarm."""
    aside = set_aside(planning, [path for path in define.EXPORTS if path in files])
    return joined(repair.plan.title, [*aside, repair]) if aside else repair


def _command(files: Sequence[str]) -> tuple[str, str]:
    """The command that writes the exports which offend, and what they are called."""
    return (
        ("export-sft", "SFT")
        if not set(define.EXPORTS) & set(files) - {define.SFT}
        else ("export", "everything")
    )


def _export_again(files: Sequence[str]) -> Offer:
    command, what = _command(files)
    return Offer(
        RE_EXPORT,
        f"Export {what} again from today's verdicts",
        "evidence and verdicts are sound; the file alone is not what they lead to",
        lambda planning, _: _set_aside_first(planning, plan_rerun(planning, command), files),
    )


def _restore(walls: tuple[ChangedFile, ...], files: Sequence[str]) -> Offer:
    command, what = _command(files)
    return Offer(
        "restore",
        f"Restore {named(walls)}, then export {what} again",
        "the walls stand again before anything is exported through them",
        lambda planning, _: _set_aside_first(
            planning, plan_code_repair(planning, walls, then=[(command,)]), files
        ),
    )


def _quarantine(files: tuple[str, ...], derived: tuple[str, ...]) -> Offer:
    def make(planning: Planning, _answers: Answers) -> Draft:
        whole = all_aside(planning, files, "What the firewall found is set aside already.")
        return whole.noting(*_still_pointing(planning, derived))

    return Offer(
        "quarantine",
        f"Quarantine {', '.join(files)} now",
        "whoever reads it trains on forbidden rows; a rename stops that and takes nothing away",
        make,
        immediate=True,
    )


def _still_pointing(planning: Planning, derived: tuple[str, ...]) -> list[str]:
    """What a rename alone does not reach; voiding it too would need a rehearsal, and time."""
    notes = []
    if not planning.state(_MANIFEST).is_absent:
        notes.append(
            f"{_MANIFEST} lists the file until the next export: `distill verify-export` reports the "
            "folder as broken; a copy that was made before still agrees with its own manifest"
        )
    notes += [f"{name} was built from it and is not renamed" for name in derived]
    return notes


def containment(detection: Detection) -> tuple[Offer, ...]:
    """Quarantine, while something is found. What a run set aside needs none: somebody has to look, and end
    the incident with a reason.
    """
    files = files_with_findings(detection)
    if detection.verdict is not Verdict.DETECTED or not files or texts_of(detection.facts, SET_ASIDE):
        return ()
    return (_quarantine(files, built(detection)),)


def offers(detection: Detection, diagnosis: Diagnosis) -> tuple[Offer, ...]:
    """Quarantine while something stands; a new export once exports alone offend."""
    contain, files = containment(detection), files_with_findings(detection)
    if not contain:
        return ()
    standing = texts_of(diagnosis.facts, "standing")
    walls = to_restore(diagnosis)
    repair = _restore(walls, files) if walls else _export_again(files)
    exports = set(files) & set(define.EXPORTS)
    ways = (repair,) if diagnosis.is_known and exports and set(standing) <= exports else ()
    return (*ways, *contain) if standing else ways
