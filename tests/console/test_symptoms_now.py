"""Which of two answers stands, how what shows is arranged, and how far silence goes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.presentation.band import head_words, tally_role
from console.state.detectors import definitions
from console.state.runbook_state import CLEAR, DETECTED, UNKNOWN, KnownSymptom, RunbookReading
from console.state.symptoms_now import arranged, showing, verdict_now, with_firewall, with_looks
from pipeline.contracts.severity import Severity
from pipeline.contracts.status import (
    Answer,
    FirewallStatus,
    FirewallWord,
    Freshness,
    Origin,
    SymptomStatus,
    Verdict,
)
from pipeline.contracts.symptoms import LEAK, SEVERITY_ORDER
from pipeline.reading.incidents import IncidentGlance
from pipeline.reading.symptom_answers import as_kept, exit_code_of, newer, not_evaluated, tally

NOW = 1_777_279_267.0
DOC = "S1.P0.recon-doc"


def answer(
    verdict: Verdict = Verdict.DETECTED, as_of: float | None = NOW, symptom_id: str = DOC, **more: object
) -> Answer:
    known = Answer(verdict, "seen", as_of, id=symptom_id)
    return replace(known, **more)  # type: ignore[arg-type]  # names are checked by replace itself


def newest(glance: Answer | None, look: Answer | None) -> Answer:
    found = newer(glance, look, NOW)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("glance_at", "look_at", "shows"),
    [(NOW, NOW - 1, True), (NOW - 1, NOW, False), (NOW, NOW, False)],
    ids=["the glance is newer", "the look is newer", "of one age the look sees more"],
)
def test_what_was_true_last_is_believed(glance_at: float, look_at: float, shows: bool) -> None:
    assert newest(answer(as_of=glance_at), answer(Verdict.CLEAR, look_at)).is_detected is shows


def test_what_shows_keeps_the_time_of_its_first_sighting_and_what_is_gone_loses_it() -> None:
    look = answer(as_of=NOW - 60, since=NOW - 300)
    assert newest(answer(), look).since == NOW - 300
    assert newest(answer(Verdict.CLEAR), look).since is None


def test_what_nobody_has_kept_was_first_seen_when_it_was_told_first() -> None:
    audited = answer(as_of=NOW - 600, source="reports/audit.json")
    assert newest(audited, None).since == NOW - 600
    assert newest(audited, answer()).since == NOW - 600
    assert newest(audited, answer(Verdict.CLEAR)).since is None
    assert newest(audited, answer(since=NOW - 5)).since == NOW - 5, "kept by whoever saw it gone before"
    assert newest(answer(Verdict.UNKNOWN), None).since is None


def test_who_could_not_look_silences_no_alarm_and_is_never_read_as_clear() -> None:
    blind = answer(Verdict.UNKNOWN, observed="no descriptor")
    alarm = newest(blind, answer(as_of=NOW - 600))
    assert (alarm.verdict, alarm.stale) == (Verdict.DETECTED, "no descriptor")
    assert newest(blind, answer(Verdict.CLEAR, NOW - 600)).verdict is Verdict.UNKNOWN


def test_where_nothing_was_made_yet_the_other_answer_stands() -> None:
    nothing = answer(Verdict.UNKNOWN, None, nothing_yet=True)
    assert newest(nothing, answer()) == answer(since=NOW)
    assert newest(answer(), nothing) == answer(since=NOW)
    assert newest(nothing, None) == nothing


def test_a_time_from_the_future_is_believed_least() -> None:
    assert newest(answer(), answer(Verdict.CLEAR, NOW + 3600)).is_detected


def test_a_kept_look_is_stale_once_something_was_touched() -> None:
    assert as_kept(answer(as_of=NOW - 60), NOW - 30).stale
    assert not as_kept(answer(as_of=NOW - 60), NOW - 90).stale


def test_what_others_explain_stands_beneath_them_where_both_show() -> None:
    beneath, schema = answer(symptom_id="S1.P2.materialize"), answer(symptom_id="S1.P1.schema")
    assert [(each.id, each.beneath) for each in showing((beneath, schema), NOW)] == [
        ("S1.P1.schema", None),
        ("S1.P2.materialize", "S1.P1.schema"),
    ]
    (alone,) = showing((beneath,), NOW)
    assert (alone.beneath, alone.next_step) == (None, "distill runbook open S1.P2.materialize")


def status(symptom_id: str, severity: Severity = Severity.ERROR, beneath: str | None = None) -> SymptomStatus:
    return SymptomStatus(symptom_id, severity, "seen", Origin("live", NOW, Freshness.FRESH), beneath=beneath)


def test_a_critical_one_beneath_an_error_draws_its_explanation_to_the_top() -> None:
    critical = status("C", Severity.CRITICAL, "A")
    assert [each.id for each in arranged([status("B"), status("A"), critical])] == ["A", "C", "B"]


def test_two_that_explain_each_other_both_show() -> None:
    circle = [status("A", beneath="B"), status("B", beneath="A")]
    assert sorted(each.id for each in arranged(circle)) == ["A", "B"]


def test_who_is_on_it_is_read_from_its_open_incident() -> None:
    def incident(name: str, state: str) -> IncidentGlance:
        return IncidentGlance(name, state, DOC, name, NOW, NOW, "")

    reading = RunbookReading(incidents=(incident("mara", "applying"), incident("jun", "resolved")))
    (shown,) = showing((answer(),), NOW, reading)
    assert shown.owner == "mara"


def test_a_look_that_failed_leaves_what_was_known_and_calls_it_stale() -> None:
    reading = RunbookReading(trouble=("it did not answer", "", ""))
    (shown,) = showing((answer(as_of=NOW - 60),), NOW, reading)
    assert (shown.origin.freshness, shown.origin.why) == (Freshness.STALE, "it did not answer")


@pytest.mark.parametrize(
    ("word", "expected"),
    [(FirewallWord.BREACH, (Verdict.DETECTED, NOW - 300)), (FirewallWord.CLEAR, (Verdict.CLEAR, None))],
)
def test_the_firewalls_latest_word_is_the_answer_to_its_symptom(
    word: FirewallWord, expected: tuple[Verdict, float | None]
) -> None:
    firewall = FirewallStatus(word, Origin("live", NOW, Freshness.FRESH))
    before = answer(as_of=NOW - 30, symptom_id=LEAK, since=NOW - 300)
    (found,) = with_firewall((before,), firewall, NOW)
    assert (found.verdict, found.since) == expected


def test_a_firewall_that_could_not_look_is_not_known_and_a_receipt_is_no_answer() -> None:
    unknown = FirewallStatus(FirewallWord.UNKNOWN, detail="too many open files")
    (found,) = with_firewall((answer(Verdict.CLEAR, NOW - 30, LEAK),), unknown, NOW)
    assert (found.verdict, found.observed) == (Verdict.UNKNOWN, "UNKNOWN: too many open files")
    assert with_firewall((), FirewallStatus(FirewallWord.STALE), NOW) == ()


def test_a_list_of_all_says_of_each_what_the_list_of_those_that_show_says() -> None:
    words = ((DOC, DETECTED), ("S6.replay-log", CLEAR), ("S2.drift", UNKNOWN))
    known = [KnownSymptom(symptom_id, Severity.ERROR, word) for symptom_id, word in words]
    assert [verdict_now(each, ()) for each in known] == [CLEAR, CLEAR, UNKNOWN]
    assert verdict_now(known[1], [status("S6.replay-log")]) == DETECTED


def test_silence_is_green_only_where_all_was_evaluated() -> None:
    defined = definitions()
    count = len(defined)
    every = [answer(Verdict.CLEAR, NOW - 780, each.id) for each in defined]
    whole = tally(defined, every, NOW)
    assert head_words(0, whole, NOW) == f"0 symptoms · {count} of {count} checks run, oldest 13m"
    assert tally_role(whole) == "ok"
    old = answer(Verdict.CLEAR, NOW - 900, defined[0].id, stale="touched")
    blind = answer(Verdict.UNKNOWN, symptom_id=defined[1].id)
    words = head_words(0, tally(defined, [old, blind, *every[3:]], NOW), NOW)
    said = f"0 symptoms · {count - 3} of {count} checks run, 1 unknown, 1 stale, 1 never, oldest 15m"
    assert words == said
    for some in (every[1:], [old, *every[1:]], [blind, *every[2:], every[0]], []):
        assert tally_role(tally(defined, some, NOW)) != "ok"


@pytest.mark.parametrize(
    ("raised", "failed_checks", "code"),
    [
        ([], False, 0),
        ([], True, 1),
        ([(LEAK, Verdict.DETECTED), (DOC, Verdict.DETECTED)], True, 10),
        ([(DOC, Verdict.DETECTED), (LEAK, Verdict.UNKNOWN)], False, 1),
        ([(LEAK, Verdict.UNKNOWN)], False, 5),
        ([("S1.P7.replay", Verdict.UNKNOWN)], False, 5),
        ([("S2.drift", Verdict.DETECTED)], False, 0),
    ],
)
def test_the_worst_of_what_shows_decides_what_every_face_ends_with(
    raised: list[tuple[str, Verdict]], failed_checks: bool, code: int
) -> None:
    known = {each.id: each for each in definitions()}
    pairs = [(known[symptom_id], answer(verdict)) for symptom_id, verdict in raised]
    assert exit_code_of(pairs, NOW, failed_checks=failed_checks) == code


@pytest.mark.parametrize(
    ("symptom_id", "known", "code"),
    [
        ("S1.P7.replay", {"stale": "touched"}, 5),
        ("S1.P7.replay", {"as_of": NOW - 27 * 3600}, 5),
        ("S1.P7.replay", {"as_of": NOW + 3600}, 5),
        ("S1.P7.replay", {"as_of": None}, 5),
        ("S1.P7.replay", {"as_of": None, "verdict": Verdict.UNKNOWN, "nothing_yet": True}, 0),
        ("S1.P7.replay", {"stale": "touched", "verdict": Verdict.DETECTED}, 1),
        ("S2.drift", {"stale": "touched"}, 0),
        ("S5.hash-mismatch", {"stale": "touched"}, 0),
    ],
)
def test_what_was_clear_once_is_not_clear_now(symptom_id: str, known: dict[str, object], code: int) -> None:
    definition = next(each for each in definitions() if each.id == symptom_id)
    found = replace(answer(Verdict.CLEAR, symptom_id=symptom_id), **known)  # type: ignore[arg-type]
    assert exit_code_of([(definition, found)], NOW) == code


def test_each_reason_for_not_knowing_is_told_once() -> None:
    old = [answer(Verdict.CLEAR, symptom_id=each, stale="touched") for each in ("A", "B")]
    ahead, never = (
        answer(Verdict.CLEAR, NOW + 3600, "C"),
        answer(Verdict.UNKNOWN, None, "D", nothing_yet=True),
    )
    assert not_evaluated([*old, ahead, never, answer(Verdict.CLEAR, symptom_id="E")], NOW) == [
        "stale: A, B: touched",
        "unknown: C: its time lies in the future: check the clock",
        "never run: D: seen",
    ]


def test_a_time_that_lies_in_the_future_makes_nothing_young() -> None:
    every = [answer(Verdict.CLEAR, NOW + 3600, each.id) for each in definitions()]
    counted = tally(definitions(), [*every[1:], answer(Verdict.CLEAR, NOW - 60, every[0].id)], NOW)
    assert (counted.evaluated, counted.unknown, counted.stale) == (1, len(every) - 1, 0)
    assert counted.oldest == NOW - 60


def test_severities_have_an_order() -> None:
    assert set(SEVERITY_ORDER) == set(Severity)


def test_what_only_a_glance_saw_is_taken_back_by_a_glance() -> None:
    look = answer(as_of=NOW, by_glance=True)
    by_old_report = answer(Verdict.CLEAR, NOW - 300)
    never_audited = answer(Verdict.UNKNOWN, None, nothing_yet=True)
    assert newest(by_old_report, look) == by_old_report
    assert newest(never_audited, look) == never_audited
    assert newest(by_old_report, replace(look, by_glance=False)).is_detected, "a look sees more than files"
    assert newest(answer(Verdict.UNKNOWN, NOW), look).is_detected, "who could not look silences no alarm"
    assert with_looks((), (look,), NOW) == (replace(look, since=NOW),), "nobody has glanced yet"


def test_a_clear_file_does_not_undo_the_breach_that_a_run_set_aside() -> None:
    told = answer(symptom_id=LEAK, by_glance=True, observed="a run set aside 1 forbidden row")
    clear = FirewallStatus(FirewallWord.CLEAR, Origin("live", NOW, Freshness.FRESH))
    breach = FirewallStatus(FirewallWord.BREACH, Origin("live", NOW, Freshness.FRESH), forbidden_rows=2)
    assert with_firewall((told,), clear, NOW) == (told,)
    (stands,) = with_firewall((told,), breach, NOW)
    assert stands.is_detected
    assert "2 forbidden rows" in stands.observed
