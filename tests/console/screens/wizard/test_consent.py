"""Consent to a plan: nothing is agreed to by accident, and nothing that has changed since."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.control.wizard_view import Deed
from console.tui.screens.consent import ConsentDialogue
from pipeline.reading.incidents import incident_ids
from runbook.change.incident import Incident
from tests.console.apps import text_of
from tests.console.screens.opened import press
from tests.console.screens.wizard.steps import (
    WIDE,
    agree,
    code,
    consent_asked,
    disarm_at_consent,
    everything,
    only_incident,
    standing,
    typed_in,
    wizard_open,
    words,
)
from tests.console.wizards import Worker, shown, wizard_on
from tests.runbook.workspaces import LEAK, SFT
from tests.waiting import until


@pytest.mark.parametrize(
    "keys",
    [
        ("enter",),
        ("escape",),
        ("enter", "enter", "enter"),
        ("down", "enter"),
        ("down", *"0000x", "enter", *"because", "enter"),
        ("down", "down", *"because", "enter"),
        ("CODE", "enter", "ctrl+u", "enter", "enter"),
        ("CODE", "enter", *"because", "escape"),
        ("y", "c", "s"),
    ],
    ids=" ".join,
)
async def test_nothing_but_the_plans_digits_and_a_reason_is_consent(
    root: Path, hand: Worker, keys: tuple[str, ...]
) -> None:
    async with consent_asked(root) as (pilot, _app, _):
        typed = [each for key in keys for each in (("down", *code(root)) if key == "CODE" else (key,))]
        await typed_in(pilot, *typed)
    assert (root / SFT).exists()
    assert not standing(root).consented
    assert hand.started == 0


async def test_keys_typed_ahead_of_the_consent_are_dropped(root: Path, hand: Worker) -> None:
    async with wizard_open(root) as (pilot, app, _):
        await press(pilot, "down", "enter")
        assert isinstance(app.screen, ConsentDialogue)
        await agree(pilot, root)
        assert isinstance(app.screen, ConsentDialogue)
    assert not standing(root).consented


async def test_what_is_typed_right_behind_enter_belongs_to_the_next_field(root: Path, hand: Worker) -> None:
    from textual import events

    async with consent_asked(root) as (pilot, app, screen):
        # As a slow link delivers it: all at once.
        for key in ("down", *code(root), "enter", *"why", "enter"):
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        await shown(pilot, screen, lambda: standing(root).consented)


async def test_digits_and_reason_carry_it_out_and_the_record_says_why(root: Path, hand: Worker) -> None:
    async with consent_asked(root) as (pilot, app, screen):
        await agree(pilot, root, "forbidden rows")
        await shown(pilot, screen, lambda: "The damage is contained. Go on?" in text_of(app))
        text = text_of(app)
    assert not (root / SFT).exists()
    assert "MITIGATED" in text
    assert "CONTAINED" in text
    (consent,) = [each for each in only_incident(root).incident.journal.entries() if each.kind == "consent"]
    assert consent.reason == "forbidden rows"


async def test_beside_the_digits_the_reason_of_arming_is_offered_and_taken_by_enter(
    root: Path, hand: Worker
) -> None:
    async with consent_asked(root) as (pilot, app, screen):
        assert "reason  a test" in text_of(app)
        await typed_in(pilot, "down", *code(root), "enter", "enter")
        await shown(pilot, screen, lambda: "The damage is contained. Go on?" in text_of(app))
    (consent,) = [each for each in only_incident(root).incident.journal.entries() if each.kind == "consent"]
    assert consent.reason == "a test"


async def test_a_file_that_changed_voids_the_plan_which_is_made_anew(root: Path, hand: Worker) -> None:
    async with consent_asked(root) as (pilot, app, screen):
        first = standing(root).plan
        (root / SFT).write_text(f"{LEAK}\n{LEAK}\n")
        await agree(pilot, root)
        await shown(pilot, screen, lambda: "PLAN VOID" in text_of(app))
        text = words(app)
        assert f"{SFT} has changed since the plan was made: its bytes differ" in text
        assert not standing(root).consented
        assert hand.started == 0
        await press(pilot, "down", "enter")
        await shown(pilot, screen, lambda: "PLAN VOID" not in text_of(app))
        second = standing(root).plan
        assert first is not None
        assert second is not None
        assert first.hash != second.hash
        assert screen.answers()[-1].deed is Deed.CONSENT


async def test_a_second_operator_is_refused_and_told_who_holds_it_since_when(
    root: Path, hand: Worker
) -> None:
    async with consent_asked(root, WIDE) as (pilot, app, screen):
        await press(pilot, "escape", "escape")
        incident = Incident(root, incident_ids(root)[0])
        with incident.lease():
            screen = await wizard_on(pilot)
            await shown(pilot, screen, lambda: "works on it; you can only view" in text_of(app))
            held = incident.lease_holder()
            assert held is not None
            assert f"pid {held.pid} on {held.host}" in text_of(app)
            before = everything(root)
            await press(pilot, "down", "enter")
            await shown(pilot, screen, lambda: "is worked on by" in text_of(app))
            assert f"since {held.since}" in words(app)
            assert everything(root) == before


async def test_leaving_changes_nothing_says_so_and_lets_others_act(root: Path, hand: Worker) -> None:
    async with consent_asked(root) as (pilot, app, screen):
        await press(pilot, "escape")
        incident = only_incident(root).incident
        with pytest.raises(Exception, match="is worked on by"), incident.lease():
            pass
        journal = incident.journal.path.read_bytes()
        await press(pilot, "escape")
        assert f"{incident.id} stays open where it is: planned" in app.notice
        assert incident.journal.path.read_bytes() == journal
        assert screen.is_attached is False
        await until(pilot, lambda: incident.lease_holder() is None, "the incident's lease given back")
        with incident.lease():
            assert incident.journal.path.read_bytes() == journal


async def test_disarming_gives_the_incident_back(root: Path, hand: Worker) -> None:
    async with consent_asked(root) as (pilot, _app, screen):
        await disarm_at_consent(pilot, screen)
        assert only_incident(root).incident.lease_holder() is None


async def test_arming_that_ends_while_the_digits_are_typed_refuses_them(root: Path, hand: Worker) -> None:
    async with consent_asked(root) as (pilot, app, _):
        await typed_in(pilot, "down", *code(root), "enter", *"because")
        app.monotonic_clock.seconds += 15 * 60
        await press(pilot, "enter")
        assert "read-only" in app.notice
    assert not standing(root).consented
