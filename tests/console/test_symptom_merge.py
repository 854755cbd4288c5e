"""Which of two detectors is believed, and how what shows is arranged."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.reading.incident_glance import IncidentGlance
from console.state import symptom_merge
from console.state.runbook_state import CLEAR, DETECTED, UNKNOWN, KnownSymptom, RunbookReading
from console.state.symptom_merge import LEAK, SEEN_BY_STAT, arranged, merge, verdict_now
from pipeline.contracts.status import Freshness, Origin, Severity, SymptomStatus

NOW = 1_777_279_267.0
DOC = "S1.P0.recon-doc"


def light(symptom_id: str = DOC, as_of: float = NOW, severity: Severity = Severity.ERROR) -> SymptomStatus:
    origin = Origin("live", as_of, Freshness.FRESH)
    return SymptomStatus(symptom_id, severity, "seen by stat", origin, "distill status", since=as_of)


def deep(
    symptom_id: str = DOC, verdict: str = DETECTED, as_of: float | None = NOW, **more: object
) -> KnownSymptom:
    known = KnownSymptom(symptom_id, Severity.ERROR, verdict, "seen by the runbook", "live", as_of, as_of)
    return replace(known, **more)  # type: ignore[arg-type]  # names are checked by replace itself


def reading(*symptoms: KnownSymptom, **more: object) -> RunbookReading:
    return replace(RunbookReading(symptoms, NOW), **more)  # type: ignore[arg-type]  # as above


def ids(*args: object, **more: object) -> list[str]:
    return [each.id for each in merge(*args, **more)]  # type: ignore[arg-type]  # as above


def test_a_symptom_that_only_the_runbook_can_see_shows_with_the_command_of_its_wizard() -> None:
    (shown,) = merge([], reading(deep("S1.P1.schema")), {}, NOW)
    assert (shown.id, shown.observed) == ("S1.P1.schema", "seen by the runbook")
    assert shown.next_step == "distill runbook open S1.P1.schema"


@pytest.mark.parametrize(
    ("light_at", "deep_at", "shows"),
    [(NOW, NOW - 1, True), (NOW - 1, NOW, False), (NOW, NOW, False)],
    ids=["light is newer", "runbook is newer", "as old: the runbook looks deeper"],
)
def test_what_was_true_last_is_believed(light_at: float, deep_at: float, shows: bool) -> None:
    found = ids([light(as_of=light_at)], reading(deep(verdict=CLEAR, as_of=deep_at)), {}, NOW)
    assert found == ([DOC] if shows else [])


def test_of_two_that_agree_the_newer_words_stand_and_the_older_time() -> None:
    (shown,) = merge([light(as_of=NOW)], reading(deep(as_of=NOW - 60)), {}, NOW)
    assert (shown.observed, shown.since) == ("seen by stat", NOW - 60)
    (shown,) = merge([light(as_of=NOW - 60)], reading(deep(as_of=NOW)), {}, NOW)
    assert (shown.observed, shown.since) == ("seen by the runbook", NOW - 60)


def test_a_detector_that_could_not_look_silences_nothing() -> None:
    assert ids([light(as_of=NOW - 600)], reading(deep(verdict=UNKNOWN)), {}, NOW) == [DOC]
    assert ids([], reading(deep(verdict=UNKNOWN)), {}, NOW) == []


def test_an_empty_stream_that_somebody_accepted_is_not_raised_again_by_its_size() -> None:
    known = reading(deep("S1.P0.source-missing", CLEAR, as_of=NOW - 30))
    assert ids([light("S1.P0.source-missing")], known, {}, NOW) == []


def test_a_time_from_the_future_is_believed_least() -> None:
    assert ids([light()], reading(deep(verdict=CLEAR, as_of=NOW + 3600)), {}, NOW) == [DOC]


@pytest.mark.parametrize("symptom_id", [*sorted(SEEN_BY_STAT), LEAK])
def test_what_stat_and_the_firewall_see_gone_is_gone_before_the_runbook_looks_again(symptom_id: str) -> None:
    known = reading(deep(symptom_id, as_of=NOW - 30))
    assert ids([], known, {symptom_id: NOW}, NOW) == []
    assert ids([], known, {symptom_id: NOW - 60}, NOW) == [symptom_id]
    assert ids([], known, {}, NOW) == [symptom_id]


def test_what_others_explain_stands_beneath_them_where_both_show() -> None:
    schema = deep("S1.P1.schema")
    beneath = deep("S1.P2.materialize", explained_by=("ENGINE.wont-start", "S1.P1.schema"))
    shown = merge([], reading(beneath, schema), {}, NOW)
    assert [(each.id, each.beneath) for each in shown] == [
        ("S1.P1.schema", None),
        ("S1.P2.materialize", "S1.P1.schema"),
    ]
    (alone,) = merge([], reading(beneath), {}, NOW)
    assert alone.beneath is None


def test_a_critical_one_beneath_an_error_draws_its_explanation_to_the_top() -> None:
    above = light("A", severity=Severity.ERROR)
    critical = replace(light("C", severity=Severity.CRITICAL), beneath="A")
    other = light("B", severity=Severity.ERROR)
    assert [each.id for each in arranged([other, above, critical])] == ["A", "C", "B"]


def test_two_that_explain_each_other_both_show() -> None:
    one, two = replace(light("A"), beneath="B"), replace(light("B"), beneath="A")
    assert sorted(each.id for each in arranged([one, two])) == ["A", "B"]


def test_who_is_on_it_is_read_from_its_open_incident() -> None:
    def incident(name: str, state: str) -> IncidentGlance:
        return IncidentGlance(name, state, DOC, name, NOW, NOW, "")

    known = reading(deep(), incidents=(incident("mara", "applying"), incident("jun", "resolved")))
    (shown,) = merge([], known, {}, NOW)
    assert shown.owner == "mara"


def test_a_look_that_failed_leaves_what_was_known_and_calls_it_stale() -> None:
    trouble = ("it did not answer", "", "")
    (shown,) = merge([], reading(deep(), trouble=trouble), {}, NOW)
    assert (shown.origin.freshness, shown.origin.why) == (Freshness.STALE, "it did not answer")


def test_a_list_of_all_says_of_each_what_the_merged_list_says() -> None:
    known = reading(deep(), deep("S6.replay-log", CLEAR), deep("S2.drift", UNKNOWN))
    shown = merge([], known, {DOC: NOW + 1}, NOW)
    assert shown == ()
    assert [verdict_now(each, shown) for each in known.symptoms] == [CLEAR, CLEAR, UNKNOWN]
    assert verdict_now(known.symptoms[1], [light("S6.replay-log")]) == DETECTED


def test_severities_have_an_order() -> None:
    assert set(symptom_merge.SEVERITY_ORDER) == set(Severity)
