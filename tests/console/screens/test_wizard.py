"""The wizard on the screen: reading writes nothing, nothing is agreed to by accident, nothing is lost."""

from __future__ import annotations

import shlex
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from console.armed import Armed, ReadOnlyError
from console.keymap import BY_ID, WIZARD_ANSWER
from console.operations import Operations
from console.screens import wizard_page
from console.screens.dashboard import Dashboard
from console.screens.wizard import WizardScreen
from console.screens.wizard_answer import WizardAnswer
from console.screens.wizard_consent import WizardConsent
from console.wizard_desk import WizardDesk
from console.wizard_view import READING, Choice, Deed
from runbook.incident import Incident, incident_ids
from runbook.session import Session, reopen_session
from runbook.wizard import Standing
from runbook.workspace import Workspace
from tests.console import states
from tests.console.apps import ASCII, Clock, StillApp, eyes_on, text_of
from tests.console.fake_feed import FakeFeed
from tests.console.screens.opened import app_on, press, settled
from tests.console.wizards import LEAKING, MILD, Worker, app_in, leaking, shown, use, wizard_on
from tests.runbook.workspaces import LEAK, SFT, tree

if TYPE_CHECKING:
    from textual.pilot import Pilot

SMALL, WIDE = (80, 24), (120, 40)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return leaking(tmp_path / "w")


@pytest.fixture
def hand(monkeypatch: pytest.MonkeyPatch) -> Worker:
    return use(monkeypatch)


def everything(root: Path) -> dict[str, bytes]:
    """Every byte below the root, the record of incidents and the state of consoles too."""
    return {str(path): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def only_incident(root: Path) -> Session:
    (incident_id,) = incident_ids(root)
    return reopen_session(Workspace(root), incident_id, [LEAKING])


def standing(root: Path) -> Standing:
    return only_incident(root).standing


def code(root: Path) -> str:
    plan = standing(root).plan
    assert plan is not None
    return plan.code


def words(app: StillApp) -> str:
    """All that is shown, wherever a line was broken."""
    return " ".join(text_of(app).split())


async def typed_in(pilot: Pilot[int], *keys: str) -> None:
    await pilot.press(*keys)
    await settled(pilot)


async def to_the_consent(pilot: Pilot[int], app: StillApp) -> WizardConsent:
    """Quarantine is chosen, and its consent is on the screen and listens."""
    await press(pilot, "down", "enter")
    await eyes_on(pilot)
    dialogue = app.screen
    assert isinstance(dialogue, WizardConsent)
    return dialogue


# Looking


async def test_the_quarantine_stands_on_the_first_screen_before_any_diagnosis(
    root: Path, hand: Worker
) -> None:
    before = everything(root)
    app = app_in(root)
    async with app.run_test(size=SMALL) as pilot:
        await wizard_on(pilot)
        text = text_of(app)
    assert "Contain it now, or look first?" in text
    assert f"rename  {SFT}" in text
    assert f"{SFT}.QUARANTINED-" in text
    assert "WHY" not in text
    assert "► Not now" in text
    assert everything(root) == before


async def test_looking_for_the_cause_in_read_only_names_it_and_writes_nothing(
    root: Path, hand: Worker
) -> None:
    before = everything(root)
    app = app_in(root, armed=False)
    async with app.run_test(size=SMALL) as pilot:
        await wizard_on(pilot)
        await press(pilot, "down", "down", "enter")
        text = text_of(app)
    assert "somebody appended a row" in text
    assert "not recorded" in text
    assert "read-only: you may look; a arms" in text
    assert everything(root) == before


async def test_where_nothing_has_to_be_contained_the_cause_is_looked_for_at_once(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, MILD)
    before = everything(root)
    app = app_in(root, armed=False)
    async with app.run_test(size=SMALL) as pilot:
        screen = await wizard_on(pilot)
        await shown(pilot, screen, lambda: "somebody appended a row" in text_of(app))
        assert "What shall be done?" in text_of(app)
    assert everything(root) == before


@pytest.mark.parametrize("deed", [deed for deed in Deed if deed not in READING], ids=str)
async def test_every_deed_that_writes_is_refused_in_read_only(root: Path, hand: Worker, deed: Deed) -> None:
    app = app_in(root)
    async with app.run_test(size=SMALL) as pilot:
        screen = await wizard_on(pilot)
        await to_the_consent(pilot, app)
        await press(pilot, "escape", "a")
        screen.look_again()
        await settled(pilot)
        before = everything(root)
        screen.take(Choice(deed, "", "back"))
        await settled(pilot)
        assert "read-only" in app.notice
        assert app.screen is screen
        assert hand.started == 0
    assert everything(root) == before


def test_a_permit_for_something_else_opens_no_incident(root: Path) -> None:
    clock = Clock()
    armed = Armed(clock)
    desk = WizardDesk(root, (LEAKING,), symptom_id=LEAKING.id)
    with pytest.raises(ReadOnlyError):
        Operations(armed, FakeFeed()).permit(WIZARD_ANSWER)
    armed.arm("a reason")
    desk.look()
    with pytest.raises(ValueError, match=r"run\.start"):
        desk.answer(armed.permit(BY_ID["run.start"]), "offer", "quarantine")
    assert incident_ids(root) == []


async def test_a_runbook_that_cannot_be_imported_is_told_in_three_lines(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object) -> WizardDesk:
        raise SyntaxError("invalid syntax in s1_p4_sft_leak.py")

    monkeypatch.setattr(wizard_page, "open_desk", broken)
    app = app_in(root)
    async with app.run_test(size=SMALL) as pilot:
        await wizard_on(pilot)
        text = text_of(app)
        await press(pilot, "enter", "escape")
        assert isinstance(app.screen, Dashboard)
    assert "what happened  The runbook cannot be imported: SyntaxError" in text
    assert "kept safe      What the journal holds stands" in text
    assert "do next        b shows the commands to run by hand" in text


async def test_a_damaged_record_is_told_and_nothing_is_done_with_it(root: Path, hand: Worker) -> None:
    app = app_in(root)
    async with app.run_test(size=SMALL) as pilot:
        await wizard_on(pilot)
        await to_the_consent(pilot, app)
        await press(pilot, "escape", "escape")
        incident = Incident(root, incident_ids(root)[0])
        journal = incident.journal.path
        journal.write_bytes(journal.read_bytes().replace(b"detected", b"resolved", 1))
        before = everything(root)
        await wizard_on(pilot, WizardScreen.reopen(incident.id))
        assert "was edited: its hash does not cover it" in words(app)
        await press(pilot, "down", "down", "enter", "enter")
        assert everything(root) == before


async def test_a_slow_detector_holds_up_no_key(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hand = use(monkeypatch)
    del hand
    going = threading.Event()
    look = WizardDesk.look

    def slow(desk: WizardDesk) -> object:
        going.wait(10)
        return look(desk)

    monkeypatch.setattr(WizardDesk, "look", slow)
    app = app_in(root)
    async with app.run_test(size=SMALL) as pilot:
        app.push_screen(WizardScreen(LEAKING.id))
        await pilot.pause()
        assert "? looking" in text_of(app)
        await pilot.press("escape")
        assert isinstance(app.screen, Dashboard)
        going.set()
        await settled(pilot)


async def test_a_slow_look_that_began_earlier_does_not_undo_what_was_seen_later(
    root: Path, hand: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    look, looks, going = WizardDesk.look, [0], threading.Event()

    def slow(desk: WizardDesk) -> object:
        looks[0] += 1
        second, found = looks[0] == 2, look(desk)
        if second:
            going.wait(10)
        return found

    monkeypatch.setattr(WizardDesk, "look", slow)
    app = app_in(root)
    async with app.run_test(size=SMALL) as pilot:
        app.push_screen(screen := WizardScreen(LEAKING.id))
        await settled(pilot)
        screen.look_again()
        await pilot.press("down", "enter")
        for _ in range(400):
            if incident_ids(root) and standing(root).plan is not None:
                break
            await pilot.pause(0.01)
        going.set()
        await settled(pilot)
        assert isinstance(app.screen, WizardConsent)
        await eyes_on(pilot)
        await press(pilot, "escape")
        assert "Carry this plan out?" in text_of(app)


async def test_one_key_leads_from_a_marked_symptom_to_its_wizard(root: Path, hand: Worker) -> None:
    app = app_on(root, state=states.breach())
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "w")
        assert isinstance(app.screen, WizardScreen)
        await press(pilot, "escape", "b", "w")
        assert isinstance(app.screen, WizardScreen)


# Consent


@pytest.mark.parametrize(
    "keys",
    [
        ("enter",),
        ("escape",),
        ("enter", "enter", "enter"),
        ("down", "enter"),
        ("down", *"0000x", "enter", *"because", "enter"),
        ("down", "down", *"because", "enter"),
        ("CODE", "enter", "enter", "enter"),
        ("CODE", "enter", *"because", "escape"),
        ("y", "c", "s"),
    ],
    ids=" ".join,
)
async def test_nothing_but_the_plans_digits_and_a_reason_is_consent(
    root: Path, hand: Worker, keys: tuple[str, ...]
) -> None:
    app = app_in(root)
    async with app.run_test(size=SMALL) as pilot:
        await wizard_on(pilot)
        await to_the_consent(pilot, app)
        typed = [each for key in keys for each in (("down", *code(root)) if key == "CODE" else (key,))]
        await typed_in(pilot, *typed)
    assert (root / SFT).exists()
    assert not standing(root).consented
    assert hand.started == 0


async def test_keys_typed_ahead_of_the_consent_are_dropped(root: Path, hand: Worker) -> None:
    app = app_in(root)
    async with app.run_test(size=SMALL) as pilot:
        await wizard_on(pilot)
        await press(pilot, "down", "enter")
        assert isinstance(app.screen, WizardConsent)
        await typed_in(pilot, "down", *code(root), "enter", *"because", "enter")
        assert isinstance(app.screen, WizardConsent)
    assert not standing(root).consented


async def test_what_is_typed_right_behind_enter_belongs_to_the_next_field(root: Path, hand: Worker) -> None:
    from textual import events

    app = app_in(root)
    async with app.run_test(size=SMALL) as pilot:
        screen = await wizard_on(pilot)
        await to_the_consent(pilot, app)
        # As a slow link delivers it: all at once.
        for key in ("down", *code(root), "enter", *"why", "enter"):
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        await shown(pilot, screen, lambda: standing(root).consented)


async def test_digits_and_reason_carry_it_out_and_the_record_says_why(root: Path, hand: Worker) -> None:
    app = app_in(root)
    async with app.run_test(size=SMALL) as pilot:
        screen = await wizard_on(pilot)
        await to_the_consent(pilot, app)
        await typed_in(pilot, "down", *code(root), "enter", *"forbidden rows", "enter")
        await shown(pilot, screen, lambda: "The damage is contained. Go on?" in text_of(app))
        text = text_of(app)
    assert not (root / SFT).exists()
    assert "MITIGATED" in text
    assert "CONTAINED" in text
    (consent,) = [each for each in only_incident(root).incident.journal.entries() if each.kind == "consent"]
    assert consent.reason == "forbidden rows"


async def test_from_the_question_to_resolved_and_back_byte_for_byte(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, MILD)
    broken = tree(root)
    app = app_in(root)
    async with app.run_test(size=SMALL) as pilot:
        screen = await wizard_on(pilot)
        await shown(pilot, screen, lambda: "What shall be done?" in text_of(app))
        await press(pilot, "down", "enter")
        await shown(pilot, screen, lambda: "Which word?" in text_of(app))
        await press(pilot, "down", "down", "enter")
        await eyes_on(pilot)
        assert isinstance(app.screen, WizardAnswer)
        await typed_in(pilot, *"clean", "enter")
        await shown(pilot, screen, lambda: "byte-identical" in text_of(app))
        await press(pilot, "down", "down", "enter")
        await eyes_on(pilot)
        # Not critical: a moved choice and a reason, no digits.
        await typed_in(pilot, "down", *"gone", "enter")
        await shown(pilot, screen, lambda: "RESOLVED" in text_of(app))
        assert "clean" in (root / SFT).read_text()
        await press(pilot, "down", "enter")
        await shown(pilot, screen, lambda: "Carry this plan out?" in text_of(app))
        await press(pilot, "down", "down", "enter")
        await eyes_on(pilot)
        await typed_in(pilot, "down", *"a drill", "enter")
        await shown(pilot, screen, lambda: tree(root) == broken and not standing(root).consented)


async def test_a_way_back_that_is_not_wanted_after_all_leaves_it_resolved(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, MILD)
    app = app_in(root)
    async with app.run_test(size=SMALL) as pilot:
        screen = await wizard_on(pilot)
        await shown(pilot, screen, lambda: "What shall be done?" in text_of(app))
        await press(pilot, "down", "enter", "down", "enter")
        await shown(pilot, screen, lambda: "Carry this plan out?" in text_of(app))
        await press(pilot, "down", "down", "enter")
        await eyes_on(pilot)
        await typed_in(pilot, "down", *"gone", "enter")
        await shown(pilot, screen, lambda: "RESOLVED" in text_of(app))
        await press(pilot, "down", "enter")
        await shown(pilot, screen, lambda: "Carry this plan out?" in text_of(app))
        await press(pilot, "down", "enter")
        await shown(pilot, screen, lambda: "RESOLVED" in text_of(app))
    assert standing(root).state == "resolved"


# The world changes


async def test_a_file_that_changed_voids_the_plan_which_is_made_anew(root: Path, hand: Worker) -> None:
    app = app_in(root)
    async with app.run_test(size=SMALL) as pilot:
        screen = await wizard_on(pilot)
        await to_the_consent(pilot, app)
        first = standing(root).plan
        (root / SFT).write_text(f"{LEAK}\n{LEAK}\n")
        await typed_in(pilot, "down", *code(root), "enter", *"because", "enter")
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
    app = app_in(root)
    async with app.run_test(size=WIDE) as pilot:
        screen = await wizard_on(pilot)
        await to_the_consent(pilot, app)
        await press(pilot, "escape", "escape")
        incident = Incident(root, incident_ids(root)[0])
        with incident.lease():
            screen = await wizard_on(pilot)
            await shown(pilot, screen, lambda: "works on it; you may look" in text_of(app))
            held = incident.lease_holder()
            assert held is not None
            assert f"pid {held['pid']} on {held['host']}" in text_of(app)
            before = everything(root)
            await press(pilot, "down", "enter")
            await shown(pilot, screen, lambda: "is worked on by" in text_of(app))
            assert f"since {held['since']}" in words(app)
            assert everything(root) == before


async def test_leaving_changes_nothing_says_so_and_lets_others_act(root: Path, hand: Worker) -> None:
    app = app_in(root)
    async with app.run_test(size=SMALL) as pilot:
        screen = await wizard_on(pilot)
        await to_the_consent(pilot, app)
        await press(pilot, "escape")
        incident = only_incident(root).incident
        with pytest.raises(Exception, match="is worked on by"), incident.lease():
            pass
        journal = incident.journal.path.read_bytes()
        await press(pilot, "escape")
        assert f"{incident.id} stays open where it is: planned" in app.notice
        assert incident.journal.path.read_bytes() == journal
        assert screen.is_attached is False
        for _ in range(200):
            if incident.lease_holder() is None:
                break
            await pilot.pause(0.01)
        with incident.lease():
            assert incident.journal.path.read_bytes() == journal


async def test_disarming_gives_the_incident_back(root: Path, hand: Worker) -> None:
    app = app_in(root)
    async with app.run_test(size=SMALL) as pilot:
        screen = await wizard_on(pilot)
        await to_the_consent(pilot, app)
        await press(pilot, "escape", "a")
        screen.look_again()
        await settled(pilot)
        assert only_incident(root).incident.lease_holder() is None


async def test_arming_that_ends_while_the_digits_are_typed_refuses_them(root: Path, hand: Worker) -> None:
    app = app_in(root)
    async with app.run_test(size=SMALL) as pilot:
        await wizard_on(pilot)
        await to_the_consent(pilot, app)
        await typed_in(pilot, "down", *code(root), "enter", *"because")
        app.monotonic_clock.seconds += 15 * 60
        await press(pilot, "enter")
        assert "read-only" in app.notice
    assert not standing(root).consented


# Losing it


async def test_the_record_and_each_step_appear_while_the_worker_is_at_it(root: Path, hand: Worker) -> None:
    hand.hold = "intent:0"
    app = app_in(root)
    async with app.run_test(size=WIDE) as pilot:
        screen = await wizard_on(pilot)
        await to_the_consent(pilot, app)
        await typed_in(pilot, "down", *code(root), "enter", *"because", "enter")
        await shown(pilot, screen, hand.reached.is_set)
        await shown(pilot, screen, lambda: "»  1 rename" in text_of(app))
        text = text_of(app)
        assert "APPLYING" in text
        assert "intent" in text
        assert "esc leaves it at work" in text
        assert screen.answers() == ()
        hand.go.set()
        await shown(pilot, screen, lambda: "ok 1 rename" in text_of(app))
        assert "outcome" in text_of(app)


async def test_what_was_cut_off_waits_for_a_person_is_settled_by_the_files_and_finished(
    root: Path, hand: Worker
) -> None:
    hand.dies = "changed:0"
    app = app_in(root)
    async with app.run_test(size=SMALL) as pilot:
        screen = await wizard_on(pilot)
        await to_the_consent(pilot, app)
        await typed_in(pilot, "down", *code(root), "enter", *"because", "enter")
        await shown(pilot, screen, lambda: "CUT OFF" in text_of(app))
        assert "It was agreed to and cut off before its end" in text_of(app)
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
    app = app_in(root)
    async with app.run_test(size=SMALL) as pilot:
        await wizard_on(pilot)
        await to_the_consent(pilot, app)
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
    app = app_in(root)
    async with app.run_test(size=SMALL) as pilot:
        screen = await wizard_on(pilot)
        await to_the_consent(pilot, app)
        await typed_in(pilot, "down", *code(root), "enter", *"because", "enter")
        await shown(pilot, screen, lambda: "Go on?" in text_of(app))
        await press(pilot, "escape")
        (root / SFT).write_text(f"{LEAK}\n")
        await wizard_on(pilot)
        assert "Contain it now, or look first?" in text_of(app)
        assert "no incident opened" in text_of(app)


# Taking it along, and any terminal


async def test_hash_and_command_line_of_just_this_plan_are_copied(root: Path, hand: Worker) -> None:
    app = app_in(root)
    async with app.run_test(size=SMALL) as pilot:
        await wizard_on(pilot)
        await press(pilot, "c")
        await to_the_consent(pilot, app)
        await press(pilot, "escape", "y", "c")
    plan = standing(root).plan
    assert plan is not None
    here = shlex.quote(str(root))
    assert app.written == [
        f"distill runbook open -C {here} {LEAKING.id}",
        plan.hash,
        f"distill runbook apply -C {here} --plan {plan.hash} --approve-as mara --reason WHY",
    ]


@pytest.mark.parametrize("size", [(20, 5), (40, 10), SMALL, WIDE, (200, 60)], ids=str)
async def test_it_can_be_read_at_any_size_and_in_ascii(
    root: Path, hand: Worker, size: tuple[int, int]
) -> None:
    app = app_on(root, ASCII)
    async with app.run_test(size=size) as pilot:
        await wizard_on(pilot)
        text = text_of(app)
        assert text.isascii()
        assert "Not now" in text
        await pilot.resize_terminal(20, 5)
        await pilot.resize_terminal(*size)
        await settled(pilot)
        assert text_of(app) == text
