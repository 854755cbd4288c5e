"""Incidents and their replay, by a person's keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.tui.screens.consent import ConsentDialogue
from console.tui.screens.incidents import IncidentScreen, IncidentsScreen
from console.tui.screens.wizard import WizardScreen
from tests.console.apps import LEAN, LINK, eyes_on, text_of
from tests.console.incident_folders import (
    ID,
    broken_incident,
    chained,
    entries,
    open_incident,
    piped_incident,
    real_incident,
    unreadable_incident,
    write_incident,
)
from tests.console.screens.opened import app_on, press, seen

SMALL = (80, 24)


async def test_open_ones_stand_first_then_broken_records_then_the_rest(tmp_path: Path) -> None:
    real_incident(tmp_path, "20260427-0900-later")
    open_incident(tmp_path)
    broken_incident(tmp_path)
    piped_incident(tmp_path)
    app = app_on(tmp_path, LEAN)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "I")
        text = text_of(app)
        assert isinstance(app.screen, IncidentsScreen)
        assert "1 open of 4" in text
        assert text.index("OPEN 1") < text.index("RECORD BROKEN 2") < text.index("OVER 1")
        assert app.screen.marked == ID
        assert "to approve" in text
        assert "not a regular file" in text or "cannot be read" in text


async def test_a_journal_is_replayed_entry_by_entry(tmp_path: Path) -> None:
    real_incident(tmp_path)
    app = app_on(tmp_path, LEAN)
    async with app.run_test(size=(80, 40)) as pilot:
        await press(pilot, "I", "enter")
        assert isinstance(app.screen, IncidentScreen)
        assert "entry 10 of 10" in text_of(app)
        seen = {
            1: "docs/recon/local-distillation-recon.md is missing",
            2: "2dcab49b Mira: say what sources are",
            3: "it was deleted or emptied since.",
            4: "restore",
            5: "absent → 9b257218 8 B",
            6: "byte-identical after undo",
            7: "the doc was deleted by a clean-up script",
            8: "0 of 1 step, one started and has no outcome",
            9: "1 of 1 step",
            10: "docs/recon/local-distillation-recon.md is there",
        }
        await press(pilot, "home")
        for number, words in seen.items():
            text = text_of(app)
            assert f"entry {number} of 10" in text
            assert words in text
            await press(pilot, "right" if number % 2 else "l")
        await press(pilot, "h", "left")
        assert "entry 8 of 10" in text_of(app)


async def test_what_was_not_known_yet_is_not_told(tmp_path: Path) -> None:
    real_incident(tmp_path)
    app = app_on(tmp_path, LEAN)
    async with app.run_test(size=(80, 40)) as pilot:
        await press(pilot, "I", "enter", "home", "right")
        text = text_of(app)
        assert "emptied since" not in text
        assert "mara: the doc" not in text
        await press(pilot, "right", "right", "right")
        assert "not approved" in text_of(app)


async def test_a_wide_screen_lists_the_entries_beside_the_one_on_view(tmp_path: Path) -> None:
    broken_incident(tmp_path)
    text = await seen(app_on(tmp_path, LINK), "I", "enter", "home", size=(120, 40))
    assert "►   1 opened: detected" in text
    assert "10 verified: clear" in text
    assert "chain broken: line 7 was edited: its hash does not cover it" in text


@pytest.mark.parametrize("make", [broken_incident, unreadable_incident, piped_incident])
async def test_no_journal_breaks_the_screen(make: object, tmp_path: Path) -> None:
    make(tmp_path)  # type: ignore[operator]  # one of the three above
    app = app_on(tmp_path, LEAN)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "I", "enter", "home", "right", "right", "left", "o", "o", "U")
        text = text_of(app)
        assert "nothing in this incident can be undone" in app.notice
        assert "X chain broken" in text or "? its journal cannot be read" in text
    assert app.written == []


async def test_entries_of_another_shape_cost_their_own_lines(tmp_path: Path) -> None:
    rows = entries()
    for row, detail in zip(
        rows, ({}, {"output": 5}, {"diagnosis": []}, {"x": 1}, {"plan": "no"}), strict=False
    ):
        row["detail"] = detail
    write_incident(tmp_path, chained(rows))
    text = await seen(app_on(tmp_path, LEAN), "I", "enter", "home", *["right"] * 10)
    assert "entry 10 of 10" in text


async def test_hostile_words_of_a_journal_are_shown_and_not_obeyed(tmp_path: Path) -> None:
    bad = "x\x1b[2J\x9b31m [/x] \u202e"
    rows = entries()
    for row in rows:
        row["actor"] = row["host"] = bad
        row["reason"] = row["verdict"] = bad
        row["argv"] = [bad]
        row["inputs"] = {bad: None}
    rows[0]["detail"]["title"] = rows[0]["detail"]["detection"]["observed"] = bad
    rows[1]["detail"]["output"]["text"] = bad
    write_incident(tmp_path, chained(rows))
    app = app_on(tmp_path, LINK)
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "I")
        for name in ("enter", "home", *["right"] * 9, "o"):
            await press(pilot, name)
            assert not {"\x1b", "\x9b", "\u202e"} & set(text_of(app))
        assert "\\x1b[2J" in text_of(app)


async def test_the_hand_over_page_is_one_key_away_and_copied_whole(tmp_path: Path) -> None:
    real_incident(tmp_path)
    app = app_on(tmp_path, LEAN)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "I", "o")
        assert "Resolved: the detector that raised it is green." in text_of(app)
        await press(pilot, "G")
        assert "##" not in text_of(app), "what a list quotes ends where its fence does"
        await press(pilot, "y", "o")
        assert "entry 10 of 10" in text_of(app)
    assert app.written[0].startswith(f"# Incident {ID}")


async def test_the_commands_of_an_incident_are_copied(tmp_path: Path) -> None:
    real_incident(tmp_path)
    app = app_on(tmp_path, LEAN)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "I", "c", "U", "enter", "U")
    assert app.written == [
        f"distill incident -C {tmp_path} show {ID}",
        f"distill undo -C {tmp_path} {ID}",
        f"distill undo -C {tmp_path} {ID}",
    ]


async def test_one_key_goes_on_in_its_wizard(tmp_path: Path) -> None:
    open_incident(tmp_path)
    app = app_on(tmp_path, LEAN)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "I", "w")
        assert isinstance(app.screen, WizardScreen)


async def test_an_export_is_asked_first(tmp_path: Path) -> None:
    real_incident(tmp_path)
    app = app_on(tmp_path, LEAN, armed=True)
    app.fake_feed.has_run = False
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "I", "X")
        await eyes_on(pilot)
        assert isinstance(app.screen, ConsentDialogue)
        await press(pilot, "down", "enter")
        assert app.notice == "incident.export done"
    assert app.fake_feed.subjects == [ID]


async def test_brackets_go_through_the_incidents(tmp_path: Path) -> None:
    real_incident(tmp_path, "20260427-0900-later")
    real_incident(tmp_path)
    app = app_on(tmp_path, LEAN)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "I", "enter")
        first = app.screen.trail()  # type: ignore[attr-defined]  # an IncidentScreen
        await press(pilot, "right_square_bracket")
        assert app.screen.trail() != first  # type: ignore[attr-defined]  # as above
