"""Alerts: when one is told, and the command of the operator that is called with it."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from console.watch.alert_book import AlertBook, AlertKind
from console.watch.alert_command import alert_command, call_alert_command
from pipeline.contracts.faults import SettingsError
from pipeline.contracts.severity import Severity
from pipeline.contracts.status import Origin, SymptomStatus
from pipeline.platform.engine_choice import TrustNeededError, stakes_of, trust
from tests.waiting import GROWING_LIMITS, is_alive, wait_until

# What is told, and when

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


def test_a_sighting_that_was_kept_by_somebody_is_older_and_one_that_moves_on_is_not_newer() -> None:
    book = AlertBook(HOUR)
    book.update([replace(symptom(), since=5.0)], 5.0)
    (reminder,) = book.update([replace(symptom(), since=5.0 + HOUR)], 5.0 + HOUR)
    assert reminder.since == 5.0
    (changed,) = book.update([replace(symptom(observed="is empty"), since=2.0)], 9.0 + HOUR)
    assert changed.since == 2.0


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
    (first,) = book.trouble("firewall", "died", 0.0)
    assert (first.kind, first.observed, first.next_step) == (AlertKind.TROUBLE, "died", "distill doctor")
    assert book.trouble("firewall", "died again", 1.0) == []
    (over,) = book.trouble("firewall", None, 9.0)
    assert (over.kind, over.since) == (AlertKind.TROUBLE_OVER, 0.0)
    assert (over.observed, over.next_step) == ("can be seen again", "")
    assert book.trouble("firewall", None, 10.0) == []


def test_an_alert_has_no_hidden_characters() -> None:
    (alert,) = AlertBook(HOUR).update([symptom(observed="a\x1b[2J\u202eb")], 0.0)
    observed = alert.to_dict("/w", "n\x07")["symptom"]["observed"]
    assert observed == "a\\x1b[2J\\u202eb"


# The command

ALERT = {"kind": "raised", "symptom": {"id": "S1"}}


def script(code: str) -> list[str]:
    return [sys.executable, "-c", code]


async def test_the_alert_arrives_on_standard_input_and_arguments_stay_as_they_are(tmp_path: Path) -> None:
    code = "import sys; open('got', 'w').write(sys.argv[1] + sys.stdin.read())"
    assert await call_alert_command([*script(code), "$(id) ; rm -rf *"], ALERT, tmp_path) is None
    got = (tmp_path / "got").read_text()
    assert got.startswith("$(id) ; rm -rf *")
    assert json.loads(got.removeprefix("$(id) ; rm -rf *")) == ALERT


async def test_a_failing_command_is_told_with_its_first_words(tmp_path: Path) -> None:
    why = await call_alert_command(script("import sys; sys.exit('no\\x1b pager')"), ALERT, tmp_path)
    assert why is not None
    assert why.endswith("ended with 1: no\\x1b pager")


async def test_a_command_that_is_not_there_is_told(tmp_path: Path) -> None:
    why = await call_alert_command(["/no/such/pager"], ALERT, tmp_path)
    assert why == "/no/such/pager could not be started: No such file or directory"


async def test_a_command_that_hangs_is_ended_with_what_it_started(tmp_path: Path) -> None:
    code = (
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "open('new', 'w').write(str(child.pid)); os.replace('new', 'child'); time.sleep(600)\n"
    )
    for limit in GROWING_LIMITS:
        why = await call_alert_command(script(code), ALERT, tmp_path, timeout_seconds=limit)
        assert why is not None
        assert f"took longer than {limit:g} s" in why
        if (tmp_path / "child").exists():
            break
    child = int((tmp_path / "child").read_text())
    wait_until(lambda: not is_alive(child), "the end of what the command started")


async def test_a_command_that_reads_nothing_is_no_failure(tmp_path: Path) -> None:
    big = {**ALERT, "padding": "x" * 1_000_000}
    assert await call_alert_command(script("pass"), big, tmp_path) is None


def workspace(tmp_path: Path, text: str) -> Path:
    (tmp_path / "distill.toml").write_text(text)
    return tmp_path


def test_the_command_is_the_list_of_the_settings(tmp_path: Path) -> None:
    root = workspace(tmp_path, '[alert]\ncommand = ["page", "me"]\n')
    with pytest.raises(TrustNeededError, match="is not trusted"):
        alert_command(root)
    trust(stakes_of(root))
    assert alert_command(root) == ("page", "me")
    assert alert_command(workspace(tmp_path, "")) == ()


def test_a_command_in_a_file_that_others_may_write_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = workspace(tmp_path, '[alert]\ncommand = ["page", "me"]\n')
    trust(stakes_of(root))
    path = root / "distill.toml"
    path.chmod(0o646)
    with pytest.raises(SettingsError, match="anyone can write to it"):
        alert_command(root)
    path.chmod(0o664)
    assert alert_command(root) == ("page", "me")
    if os.getuid() == 0:
        os.chown(path, 65534, -1)
    monkeypatch.setattr("console.watch.alert_command.os.getuid", lambda: 4242)
    with pytest.raises(SettingsError, match="belongs to another user"):
        alert_command(root)
    # Without a command there is nobody to be misled.
    path.write_text("[alert]\n")
    assert alert_command(root) == ()


@pytest.mark.parametrize(
    ("text", "blamed"),
    [
        ("[alert]\ncommand = 3\n", "[alert] in distill.toml"),
        ("[alert]\ncommand = [3]\n", "[alert] in distill.toml"),
        ("not toml", "distill.toml"),
        ("\xff", "distill.toml"),
        ("[a]\n" + "#" * 2**20, "distill.toml"),
    ],
)
def test_a_command_that_cannot_be_used_blames_what_is_wrong(tmp_path: Path, text: str, blamed: str) -> None:
    (tmp_path / "distill.toml").write_bytes(text.encode("latin-1"))
    with pytest.raises(SettingsError) as raised:
        alert_command(tmp_path)
    assert ("[alert]" in str(raised.value.fault)) is ("[alert]" in blamed)
    assert blamed in raised.value.fault.do_next


def test_settings_that_everybody_may_write_run_nothing(tmp_path: Path) -> None:
    root = workspace(tmp_path, '[alert]\ncommand = ["page"]\n')
    (root / "distill.toml").chmod(0o666)
    with pytest.raises(SettingsError, match="anyone can write to it"):
        alert_command(root)
