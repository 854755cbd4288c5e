"""Plans carried out, cut off and taken back from the screen: nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from console.tui.screens.wizard import WizardScreen
from console.tui.screens.wizard_dialogues import WizardAnswer
from pipeline.contracts.severity import Severity
from pipeline.reading.incidents import incident_ids
from runbook.symptom import Question
from tests.console.apps import eyes_on, text_of
from tests.console.screens.opened import press
from tests.console.screens.wizard.steps import (
    WIDE,
    agree,
    agree_without_digits,
    consent_asked,
    standing,
    typed_in,
    wizard_open,
)
from tests.console.wizards import EXPORT, LEAKING, MILD, Worker, shown, use, wizard_on
from tests.runbook.workspaces import LEAK, SFT, leak_symptom, tree


async def test_from_the_question_to_resolved_and_back_byte_for_byte(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, MILD)
    broken = tree(root)
    async with wizard_open(root) as (pilot, app, screen):
        await shown(pilot, screen, lambda: "What shall be done?" in text_of(app))
        await press(pilot, "down", "enter")
        await shown(pilot, screen, lambda: "Which word?" in text_of(app))
        await press(pilot, "down", "down", "enter")
        await eyes_on(pilot)
        assert isinstance(app.screen, WizardAnswer)
        await typed_in(pilot, *"clean", "enter")
        await shown(pilot, screen, lambda: "byte-identical" in text_of(app))
        await agree_without_digits(pilot, "gone")
        await shown(pilot, screen, lambda: "RESOLVED" in text_of(app))
        assert "clean" in (root / SFT).read_text()
        # What was repaired is off the dashboard at once, and not when the detectors' budget allows it.
        assert app.fake_feed.refreshed == 1
        await press(pilot, "down", "enter")
        await shown(pilot, screen, lambda: "Apply this plan?" in text_of(app))
        await agree_without_digits(pilot, "a drill")
        await shown(pilot, screen, lambda: tree(root) == broken and not standing(root).consented)


async def test_where_the_repair_is_to_be_committed_y_copies_the_line_that_does_it(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, MILD)
    line = f"git add -- {SFT} && git commit -m repaired -- {SFT}"
    monkeypatch.setattr("console.control.wizard_control.commit_command", lambda *_: line)
    async with wizard_open(root) as (pilot, app, screen):
        await shown(pilot, screen, lambda: "What shall be done?" in text_of(app))
        await press(pilot, "down", "enter", "down", "enter")
        await shown(pilot, screen, lambda: "Apply this plan?" in text_of(app))
        await agree_without_digits(pilot, "gone")
        await shown(pilot, screen, lambda: "y copies the command" in text_of(app))
        await press(pilot, "y", "c")
    assert app.written == [f"cd {root} && {line}"] * 2


async def test_a_question_that_only_words_answer_is_asked_at_once(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = replace(EXPORT, questions=(Question("word", "Which word?"),))
    use(monkeypatch, replace(leak_symptom(bare), severity=Severity.ERROR))
    async with wizard_open(root) as (pilot, app, screen):
        await shown(pilot, screen, lambda: "What shall be done?" in text_of(app))
        await press(pilot, "down", "enter")
        await shown(pilot, screen, lambda: isinstance(app.screen, WizardAnswer))
        await eyes_on(pilot)
        await typed_in(pilot, *"clean", "enter")
        await shown(pilot, screen, lambda: "Apply this plan?" in text_of(app))
    assert standing(root).answers == {"word": "clean"}


async def test_a_way_back_that_is_not_wanted_after_all_leaves_it_resolved(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, MILD)
    async with wizard_open(root) as (pilot, app, screen):
        await shown(pilot, screen, lambda: "What shall be done?" in text_of(app))
        await press(pilot, "down", "enter", "down", "enter")
        await shown(pilot, screen, lambda: "Apply this plan?" in text_of(app))
        await agree_without_digits(pilot, "gone")
        await shown(pilot, screen, lambda: "RESOLVED" in text_of(app))
        await press(pilot, "down", "enter")
        await shown(pilot, screen, lambda: "Apply this plan?" in text_of(app))
        await press(pilot, "down", "enter")
        await shown(pilot, screen, lambda: "RESOLVED" in text_of(app))
    assert standing(root).state == "resolved"


async def test_the_record_and_each_step_appear_while_the_worker_is_at_it(root: Path, hand: Worker) -> None:
    hand.hold = "intent:0"
    async with consent_asked(root, WIDE) as (pilot, app, screen):
        await agree(pilot, root)
        await shown(pilot, screen, hand.reached.is_set)
        await shown(pilot, screen, lambda: "»  1 rename" in text_of(app))
        text = text_of(app)
        assert "APPLYING" in text
        assert "intent" in text
        assert "safe to leave with esc" in text
        assert screen.answers() == ()
        hand.go.set()
        await shown(pilot, screen, lambda: "ok 1 rename" in text_of(app))
        assert "outcome" in text_of(app)


async def test_what_was_cut_off_waits_for_a_person_is_settled_by_the_files_and_finished(
    root: Path, hand: Worker
) -> None:
    hand.dies = "changed:0"
    async with consent_asked(root) as (pilot, app, screen):
        await agree(pilot, root)
        await shown(pilot, screen, lambda: "CUT OFF" in text_of(app))
        assert "It was approved and then interrupted" in text_of(app)
        assert standing(root).has_open_intent
        await press(pilot, "escape")
        hand.dies = ""
        again = await wizard_on(pilot, WizardScreen.reopen(incident_ids(root)[0]))
        await shown(pilot, again, lambda: "CUT OFF" in text_of(app))
        # Re-opening is no consent: nothing goes on by itself, armed or not.
        assert hand.started == 1
        await press(pilot, "down", "enter")
        await shown(pilot, again, lambda: "The damage is contained. Go on?" in text_of(app))
    assert hand.started == 2
    assert standing(root).state == "mitigated"
    assert not (root / SFT).exists()


async def test_a_reopened_wizard_stands_where_it_was_on_its_harmless_answer(root: Path, hand: Worker) -> None:
    async with consent_asked(root) as (pilot, app, _):
        await press(pilot, "escape", "escape")
        plan = standing(root).plan
        assert plan is not None
        for screen in (WizardScreen(LEAKING.id), WizardScreen.reopen(incident_ids(root)[0])):
            await wizard_on(pilot, screen)
            text = text_of(app)
            assert plan.hash[:12] in text
            assert "► Not now" in text
            await press(pilot, "escape")
    assert len(incident_ids(root)) == 1


async def test_a_new_breach_after_a_containment_is_a_case_of_its_own(root: Path, hand: Worker) -> None:
    async with consent_asked(root) as (pilot, app, screen):
        await agree(pilot, root)
        await shown(pilot, screen, lambda: "Go on?" in text_of(app))
        await press(pilot, "escape")
        (root / SFT).write_text(f"{LEAK}\n")
        await wizard_on(pilot)
        assert "Contain it now, or find the cause first?" in text_of(app)
        assert "no incident opened" in text_of(app)


def test_a_question_keeps_words_of_twenty_cells_whole_however_narrow_the_window() -> None:
    question = WizardAnswer(Question("word", "a" * 20 + " " + "b" * 21, help="c" * 20 + " dd"))
    drawn = ["".join(span.text for span in each).strip() for each in question.above(5)[:5]]
    assert drawn == ["a" * 20, "b" * 20, "b", "c" * 20, "dd"]
