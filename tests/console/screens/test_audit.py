"""The audit screen: what fails comes first, live results replace old ones, commands can be copied."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from console.presentation.checks import runnable
from console.tui.screens.audit import AuditScreen, CheckScreen
from tests.console import check_reports
from tests.console.apps import text_of
from tests.console.check_reports import (
    ACCEPTANCE,
    AUDIT,
    AUDIT_EVENTS,
    audit_checks,
    events,
    leak,
    report,
    result,
)
from tests.console.screens.opened import app_on, press, seen, settled
from tests.console.states import NOW
from tests.console.workspaces import write

SMALL, WIDE = (80, 24), (120, 40)


def place_of(text: str, words: str) -> int:
    assert words in text
    return text.index(words)


async def test_failing_checks_stand_above_all_others(tmp_path: Path) -> None:
    text = await seen(app_on(check_reports.audited(tmp_path)), "A")
    assert "1 failing of 39" in text
    assert place_of(text, "P4.sft-firewall") < place_of(text, "P0.recon-doc")
    assert "X FAIL" in text
    assert "15 of 16 required pass, exit 1" in text


async def test_before_any_audit_nothing_is_called_sound(tmp_path: Path) -> None:
    text = await seen(app_on(tmp_path), "7")
    assert text.count("? never") == 3
    assert "pass" not in text


async def test_a_stale_pass_is_not_shown_as_one(tmp_path: Path) -> None:
    write(tmp_path, AUDIT, report("audit-full", audit_checks(), finished=NOW - 30 * 3600))
    app = app_on(tmp_path)
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "A")
        screen = app.screen
        assert isinstance(screen, AuditScreen)
        text = "\n".join(line for line in text_of(app).splitlines() if "P3.coverage" in line)
    assert " pass " not in text


async def test_a_pass_of_other_code_is_stale_and_says_why(tmp_path: Path) -> None:
    for name, kind in ((AUDIT, "audit-full"), (ACCEPTANCE, "acceptance")):
        write(tmp_path, name, report(kind, audit_checks(), engine={"digest": "0" * 64}))
    text = await seen(app_on(tmp_path), "A", size=WIDE)
    assert text.count("~ stale   16 of 16 required pass · the engine's code changed") == 2


async def test_enter_opens_a_check_and_its_examples_are_harmless(tmp_path: Path) -> None:
    app = app_on(check_reports.audited(tmp_path))
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "A", "enter")
        assert isinstance(app.screen, CheckScreen)
        text = text_of(app)
    assert "exports/sft/instruction_response.jsonl:2763" in text
    assert "\\x1b[31mscored rejected\\u202e" in text
    assert "Audit › P4.sft-firewall" in text


@pytest.mark.parametrize("keys", [("A",), ("A", "enter")], ids=["list", "check"])
async def test_the_command_and_the_id_can_be_copied(tmp_path: Path, keys: tuple[str, ...]) -> None:
    app = app_on(check_reports.audited(tmp_path))
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, *keys, "c", "y")
    command = f"distill audit-full -C {shlex.quote(str(tmp_path))} --check P4.sft-firewall"
    assert app.written == [command, "P4.sft-firewall"]


@pytest.mark.parametrize(
    "hostile", ["rm -rf ~", "distill x; rm -rf ~", "distill $(id)", "distill x\nrm", "'"]
)
def test_a_reported_command_is_copied_as_words_or_not_at_all(hostile: str) -> None:
    copied = runnable(hostile, "/w")
    assert copied == "" or (copied.startswith("distill ") and "\n" not in copied)
    assert not {";", "$(id)"} & set(copied.split())


async def test_live_results_arrive_while_the_audit_runs(tmp_path: Path) -> None:
    root = check_reports.audited(tmp_path)
    app = app_on(root)
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "A")
        write(root, AUDIT_EVENTS, events("audit-full", [result("P0.recon-doc")], host="db2"))
        assert isinstance(app.screen, AuditScreen)
        app.screen.look_again()
        await settled(pilot)
        text = text_of(app)
    assert "» running by jun" in text
    assert re.search(r"· 1 of \d+ checks", text)
    assert "· next" in text
    assert "X FAIL" not in text


async def test_the_marked_check_stays_under_the_cursor_when_others_fail(tmp_path: Path) -> None:
    root = check_reports.audited(tmp_path, failing=False)
    app = app_on(root)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "A", *["down"] * 8)
        marked, row = cursor(text_of(app))
        write(root, AUDIT, report("audit-full", audit_checks(P4__sft_firewall=leak(), P2__dry_run=leak())))
        assert isinstance(app.screen, AuditScreen)
        app.screen.look_again()
        await settled(pilot)
        assert cursor(text_of(app)) == (marked, row)


def cursor(text: str) -> tuple[str, int]:
    row = next(at for at, line in enumerate(text.splitlines()) if line.startswith("►"))
    return text.splitlines()[row].split()[2], row


async def test_an_audit_is_started_only_armed_and_after_a_question(tmp_path: Path) -> None:
    app = app_on(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "A", "u")
        assert "read-only" in text_of(app)
        assert app.fake_feed.carried_out == []


async def test_the_next_failing_check_is_one_key_away(tmp_path: Path) -> None:
    app = app_on(check_reports.audited(tmp_path))
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "A", "enter", "right_square_bracket")
        assert "Audit › P0.recon-doc" in text_of(app)
        await press(pilot, "escape")
        assert cursor(text_of(app))[0] == "P0.recon-doc"
