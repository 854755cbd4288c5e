"""The one form of consent: all of it can be read, what goes away stands first, nothing is cut unmarked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from console.presentation.consent import Consent, command_consent, told_lines, wizard_consent
from console.presentation.spans import plain_text
from console.tui.screens.consent import ConsentDialogue
from runbook.change.plan import RemoveFile, WriteFile
from tests.console import states, wizard_views
from tests.console.apps import LEAN, StillApp, eyes_on, text_of
from tests.console.fake_feed import plan_for
from tests.console.screens.opened import app_on, press
from tests.console.wizard_views import RESTORE, state

LONG = "reports/" + "very-long-folder-name/" * 7 + "report.json"
SIZES = ((80, 24), (120, 40), (60, 14))


def of_a_repair() -> Consent:
    """A removal behind a change, a path longer than the screen, a long difference, many notes."""
    steps = (*RESTORE.steps, RemoveFile(path=LONG, before=state("9", 12), says="Remove"))
    plan = RESTORE.model_copy(
        update={"steps": steps, "notes": tuple(f"note {number} of the plan" for number in range(30))}
    )
    view = wizard_views.to_repair()
    assert view.preview is not None
    view = replace(
        view,
        standing=replace(view.standing, plan=plan),
        preview=replace(view.preview, plan=plan, difference=tuple(f"+line {n}" for n in range(300))),
    )
    return wizard_consent(view, "distill runbook apply")


def of_a_command() -> Consent:
    return command_consent(
        replace(
            plan_for("run.start", critical=True),
            command=("distill", "run-all", "-C", "/" + "x" * 400),
            removes=("the exports of the last run",),
        )
    )


async def read_through(app: StillApp, pilot: object) -> str:
    """Everything that the dialogue shows, page after page."""
    shown: list[str] = []
    while True:
        text = text_of(app)
        shown.append(text)
        if "more · pgdn" not in text:
            return "\n".join(shown)
        await pilot.press("pagedown")  # type: ignore[attr-defined]  # textual's pilot
        await pilot.pause()  # type: ignore[attr-defined]


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("consent", [of_a_repair(), of_a_command()], ids=["repair", "command"])
async def test_all_of_a_consent_can_be_read_and_the_question_stays(
    consent: Consent, size: tuple[int, int]
) -> None:
    app = StillApp(states.healthy(), LEAN, armed=True)
    async with app.run_test(size=size) as pilot:
        dialogue = ConsentDialogue(consent)
        app.push_screen(dialogue)
        await eyes_on(pilot)
        width = dialogue.body.size.width
        wanted = [plain_text(spans).rstrip() for spans in told_lines(consent, width)]
        seen = await read_through(app, pilot)
        assert [text for text in wanted if text not in seen] == []
        text = text_of(app)
        assert consent.no in text
        assert f"Code  {consent.code}" in text
        await pilot.press("pageup")
        assert app.screen is dialogue


def test_what_goes_away_stands_before_everything_else() -> None:
    for consent, gone in ((of_a_repair(), LONG[:40]), (of_a_command(), "the exports of the last run")):
        told = [plain_text(spans) for spans in told_lines(consent, 76)]
        at = next(number for number, text in enumerate(told) if text.startswith(" removes"))
        assert gone in told[at]
        assert not any(text.startswith((" 1 ", " runs", " changes", " stays")) for text in told[:at])


def test_a_change_without_a_way_back_says_so_first() -> None:
    view = wizard_views.to_repair()
    assert view.preview is not None
    plan = RESTORE.model_copy(update={"reversible": False, "undo": "gone for good"})
    consent = wizard_consent(replace(view, preview=replace(view.preview, plan=plan)), "")
    told = [plain_text(spans).strip() for spans in told_lines(consent, 76)]
    assert sum("NOT REVERSIBLE" in text for text in told) == 1
    first = next(number for number, text in enumerate(told) if "NOT REVERSIBLE" in text)
    assert not any(text.startswith("1 ") for text in told[:first])
    assert consent.code


def test_a_file_that_is_written_is_no_removal() -> None:
    assert isinstance(RESTORE.steps[0], WriteFile)
    view = wizard_views.to_repair()
    told = [plain_text(spans) for spans in told_lines(wizard_consent(view, ""), 76)]
    assert not any(text.startswith(" removes") for text in told)


@pytest.mark.parametrize(
    ("code", "wants_reason", "asks"),
    [
        ("5236", True, "Code 5236 · reason · Enter"),
        ("5236", False, "Code 5236 · Enter"),
        ("", True, "Reason · Enter"),
        ("", False, ""),
    ],
)
def test_the_question_says_what_has_to_be_typed(code: str, wants_reason: bool, asks: str) -> None:
    assert Consent("t", "n", (), "", code=code, wants_reason=wants_reason).asks == asks


def test_the_question_says_what_enter_does() -> None:
    assert Consent("t", "n", (), "", code="5236", yes="yes, start it").asks == "Code 5236 · Enter: start it"


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
@pytest.mark.parametrize("key", ["a", "colon"])
async def test_no_sliver_of_the_screen_stands_beside_a_dialogue(
    tmp_path: Path, key: str, size: tuple[int, int]
) -> None:
    app = app_on(tmp_path)
    async with app.run_test(size=size) as pilot:
        await press(pilot, key)
        assert app.screen.query_one(".box").region.width == size[0]
