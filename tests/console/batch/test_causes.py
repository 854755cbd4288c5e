"""What went wrong, as causes with what follows from each."""

from __future__ import annotations

import pytest

from console.batch.causes import Place, causes
from console.batch.outcome import BatchOutcome, PartState, Symptom
from console.batch.parts import Part
from console.state.detectors import definitions
from pipeline.contracts.checks import CheckStatus
from tests.console.batch.outcomes import batch, breach, check, part

FAIL, LATE = CheckStatus.FAIL, CheckStatus.NOT_EVALUATED


def story(found: BatchOutcome) -> list[tuple[str, list[str]]]:
    return [(cause.trouble.id, [each.id for each in cause.consequences]) for cause in causes(found)]


def test_a_good_batch_has_no_cause() -> None:
    assert causes(batch()) == ()


def test_a_forbidden_row_is_one_cause() -> None:
    (cause,) = causes(breach())
    assert cause.trouble.id == "firewall"
    assert cause.trouble.places == (Place("exports/sft/train.jsonl", 4),)
    assert [each.id for each in cause.consequences] == ["P4.sft-firewall", "S1.P4.sft-leak"]


def test_a_row_that_several_walls_refuse_is_one_place() -> None:
    rows = [{"wall": wall, "file": "a.jsonl", "line": 4} for wall in ("label", "readable", "lineage")]
    (cause,) = causes(batch(part(Part.FIREWALL, 10, report={"findings": rows})))
    assert cause.trouble.places == (Place("a.jsonl", 4),)


def test_a_breach_that_stood_before_the_run_explains_the_one_after_it() -> None:
    found = batch(part(Part.STANDING, 10), part(Part.FIREWALL, 10))
    assert story(found) == [("firewall-before", ["firewall"])]


def test_a_failed_invariant_explains_the_gate_of_the_audit() -> None:
    found = batch(
        part(Part.ACCEPTANCE, 1, checks=(check("A06", FAIL),)),
        part(Part.AUDIT, 1, checks=(check("P6.acceptance", FAIL), check("P2.provenance", FAIL))),
    )
    assert story(found) == [("A06", ["P6.acceptance"]), ("P2.provenance", [])]


def test_a_failed_check_explains_the_symptom_that_it_leads_to() -> None:
    (definition,) = [each for each in definitions() if "P2.provenance" in each.checks][:1]
    seen = Symptom(definition.id, "error", "rows do not resolve", "distill runbook")
    found = batch(
        part(Part.AUDIT, 1, checks=(check("P2.provenance", FAIL),)), part(Part.SYMPTOMS, 1, symptoms=(seen,))
    )
    assert story(found) == [("P2.provenance", [definition.id])]


@pytest.mark.parametrize(
    ("state", "code"), [(PartState.TIMED_OUT, None), (PartState.RAN, 75), (PartState.RAN, 2)]
)
def test_what_could_not_begin_follows_from_what_stopped_the_batch(state: PartState, code: int | None) -> None:
    found = batch(
        part(Part.RUN_ALL, code, state=state),
        *(part(name, None, state=PartState.NOT_RUN) for name in (Part.FIREWALL, Part.AUDIT)),
    )
    assert story(found) == [("run-all", ["firewall", "audit-full"])]


def test_an_engine_that_does_not_start_explains_the_parts_that_it_should_have_run() -> None:
    seen = Symptom("ENGINE.wont-start", "critical", "rules.py: SyntaxError", "distill runbook")
    found = batch(
        part(Part.RUN_ALL, 3),
        part(Part.AUDIT, 3, checks=(check("P2.conserves", LATE),)),
        part(Part.SYMPTOMS, 1, symptoms=(seen,)),
    )
    assert story(found) == [("ENGINE.wont-start", ["run-all", "P2.conserves"])]


def test_troubles_that_nothing_connects_are_causes_the_worst_first() -> None:
    found = batch(
        part(Part.AUDIT, 1, checks=(check("P2.conserves", LATE), check("P3.coverage", FAIL))),
        part(Part.DETERMINISM, 1),
    )
    assert story(found) == [("P3.coverage", []), ("determinism", []), ("P2.conserves", [])]
