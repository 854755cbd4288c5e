"""A case: what probes found is read back, facts have the time of their probe, causes are concluded."""

from __future__ import annotations

from pipeline.contracts.status import Verdict
from runbook.case import Case
from runbook.probes.code_history import ChangedFile, CodeHistory
from runbook.probes.evidence import Confidence, Detection, Evidence, ProbeOutput, Stance
from runbook.probes.settings_history import SettingsHistory

CAUSES = (("code", "The code changed."), ("data", "The data changed."))
SEEN = Evidence.of(Stance.FOR, "it is red", "the last audit", 1.0)
CHANGED = ChangedFile(path="pipeline/stages/score.py", kind="changed", phase="P3", diff=("-a", "+b"))


def case(*outputs: ProbeOutput) -> Case:
    detection = Detection(
        symptom_id="S", verdict=Verdict.DETECTED, observed="red", read_at=1.0, as_of=1.0, evidence=(SEEN,)
    )
    return Case(CAUSES, detection, {each.probe_id: each for each in outputs})


def looked(probe_id: str, found: CodeHistory | SettingsHistory | None, at: float, **more: str) -> ProbeOutput:
    data = None if found is None else found.model_dump(mode="json")
    return ProbeOutput(probe_id=probe_id, title=probe_id, data=data, read_at=at, **more)


def code(*files: ChangedFile) -> CodeHistory:
    return CodeHistory(source="workspace", tag="v1", files=files)


def test_what_nobody_looked_for_and_what_failed_are_not_known_and_never_clear() -> None:
    assert case().code.trouble == "the code was not examined"
    failed = case(looked("settings", None, 2.0, trouble="git: gone"))
    assert failed.settings.trouble == "git: gone"
    told = failed.settings_differ((), "it differs", "it is as it was")
    assert (told.stance, told.says, told.read_at) == (Stance.UNKNOWN, "git: gone", 2.0)
    assert case().unchanged_code("The scorer").stance is Stance.UNKNOWN


def test_a_fact_is_as_old_as_the_look_of_its_probe() -> None:
    both = case(looked("code", code(CHANGED), 5.0), looked("settings", SettingsHistory(tag="v1"), 3.0))
    assert both.settings_differ((), "it differs", "it is as it was").read_at == 3.0
    assert [each.read_at for each in both.code_facts([CHANGED], "The scorer")] == [5.0]
    assert both.fact(Stance.FOR, "it is so", "somewhere").read_at == 5.0
    assert case().fact(Stance.FOR, "it is so", "somewhere").read_at == 1.0


def test_code_speaks_for_a_cause_with_its_difference_and_against_it_where_none_differs() -> None:
    (told,) = case(looked("code", code(CHANGED), 5.0)).code_facts([CHANGED], "The scorer")
    assert (told.stance, told.source, told.lines) == (
        Stance.FOR,
        "git diff v1 -- pipeline/stages/score.py",
        ("-a", "+b"),
    )
    (told,) = case(looked("code", code(), 5.0)).code_facts([], "The scorer")
    assert (told.stance, told.says) == (Stance.AGAINST, "The scorer: as in v1.")


def test_a_cause_is_told_with_what_the_detector_saw_and_is_not_among_those_set_aside() -> None:
    against = Evidence.of(Stance.AGAINST, "the same bytes", "receipts", 2.0)
    found = case().concluded(
        "code",
        Confidence.LIKELY,
        {"code": [], "data": [against]},
        places=["score.py"],
        aside=["code", "data"],
    )
    assert (found.cause.sentence, found.cause.evidence) == ("The code changed.", (SEEN,))
    assert [(each.id, each.evidence) for each in found.considered] == [("data", (against,))]
