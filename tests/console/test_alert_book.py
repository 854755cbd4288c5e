from __future__ import annotations

from console.watch.alert_book import AlertBook, AlertKind
from pipeline.contracts.status import Origin, Severity, SymptomStatus

HOUR = 3600.0


def symptom(
    symptom_id: str = "S1.P0.recon-doc", severity: Severity = Severity.ERROR, observed: str = "is missing"
) -> SymptomStatus:
    return SymptomStatus(symptom_id, severity, observed, Origin("live", 0.0), "restore it")


def kinds(book: AlertBook, symptoms: list[SymptomStatus], now: float) -> list[tuple[str, str]]:
    return [(alert.kind, alert.id) for alert in book.update(symptoms, now)]


def test_a_symptom_is_told_when_it_shows_and_when_it_has_gone() -> None:
    book = AlertBook(HOUR)
    assert kinds(book, [symptom()], 0.0) == [(AlertKind.RAISED, "S1.P0.recon-doc")]
    assert kinds(book, [symptom()], 10.0) == []
    (cleared,) = book.update([], 20.0)
    assert (cleared.kind, cleared.since, cleared.open) == (AlertKind.CLEARED, 0.0, ())
    assert kinds(book, [symptom()], 30.0) == [(AlertKind.RAISED, "S1.P0.recon-doc")]


def test_a_change_is_told_and_puts_the_reminder_off() -> None:
    book = AlertBook(HOUR)
    book.update([symptom()], 0.0)
    assert kinds(book, [symptom(observed="is empty")], 3000.0) == [(AlertKind.CHANGED, "S1.P0.recon-doc")]
    assert kinds(book, [symptom(observed="is empty")], 3600.0) == []
    assert kinds(book, [symptom(observed="is empty")], 6600.0) == [(AlertKind.REMINDER, "S1.P0.recon-doc")]


def test_the_age_counts_from_when_it_first_showed() -> None:
    book = AlertBook(HOUR)
    book.update([symptom()], 5.0)
    (reminder,) = book.update([symptom()], 5.0 + HOUR)
    assert (reminder.kind, reminder.since) == (AlertKind.REMINDER, 5.0)


def test_information_is_told_once_and_calls_nobody() -> None:
    book = AlertBook(HOUR)
    note = symptom("S1.P0.source-missing", Severity.INFO)
    (alert,) = book.update([note], 0.0)
    assert not alert.wants_a_person
    assert book.update([note], 10 * HOUR) == []


def test_an_alert_names_all_that_shows() -> None:
    book = AlertBook(HOUR)
    book.update([symptom("a")], 0.0)
    (raised,) = book.update([symptom("a"), symptom("b")], 1.0)
    assert (raised.id, raised.open) == ("b", ("a", "b"))


def test_what_the_watch_cannot_see_is_told_once_each_way() -> None:
    book = AlertBook(HOUR)
    assert [alert.kind for alert in book.trouble("firewall", "died", 0.0)] == [AlertKind.TROUBLE]
    assert book.trouble("firewall", "died again", 1.0) == []
    (over,) = book.trouble("firewall", None, 9.0)
    assert (over.kind, over.since) == (AlertKind.TROUBLE_OVER, 0.0)
    assert book.trouble("firewall", None, 10.0) == []


def test_an_alert_has_no_hidden_characters() -> None:
    (alert,) = AlertBook(HOUR).update([symptom(observed="a\x1b[2J\u202eb")], 0.0)
    observed = alert.to_dict("/w", "n\x07")["symptom"]["observed"]
    assert observed == "a\\x1b[2J\\u202eb"
