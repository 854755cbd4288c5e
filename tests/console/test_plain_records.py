"""The runbook and the incidents at the plain console: what the screens show, as numbered lines."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from console.plain.mode import PlainConsole
from console.state.runbook_state import RunbookReading, parse
from console.state.view_state import FirewallSeen, RunbookHeard, Session, StatusRead
from tests.console import states
from tests.console.fake_feed import FakeFeed
from tests.console.incident_folders import broken_incident, real_incident, unreadable_incident
from tests.console.runbook_answers import answer, symptom

KNOWN = parse(
    answer(
        symptom("S1.P4.sft-leak", severity="critical"),
        symptom("S1.P1.schema", "detected", observed="a field moved\x1b[2J"),
        symptom("S2.drift", "unknown", observed="there is no audit"),
    ).encode()
)


async def converse(root: Path, typed: Sequence[str], *, feed: FakeFeed | None = None) -> str:
    said: list[str] = []
    feed = feed or FakeFeed()
    status = replace(states.status(), workspace=str(root))
    for fact in (
        StatusRead(status),
        RunbookHeard(RunbookReading(KNOWN, states.NOW - 12, 0.9)),
        FirewallSeen(states.clear()),
    ):
        feed.put(fact)

    def reader(hand_over: Callable[[str | None], None]) -> None:
        for line in (*typed, None):
            hand_over(line)

    console = PlainConsole(
        str(root), Session(actor="mara"), feed, out=said.append, clock=lambda: states.NOW, reader=reader
    )
    async with asyncio.timeout(30):
        await console.run()
    assert "\x1b" not in "\n".join(said)
    return "\n".join(said)


async def test_the_runbook_is_a_numbered_list_and_a_number_is_a_page(tmp_path: Path) -> None:
    said = await converse(tmp_path, ["runbook", "1", "9", "", "quit"])
    assert "looked 10s ago, took 0.9s" in said
    assert "SHOWING 1" in said
    assert "  1  X error    S1.P1.schema" in said
    assert "a field moved\\x1b[2J" in said
    assert "NOT KNOWN 1" in said
    assert "NOT SEEN 1" in said
    assert "Somebody deleted it." in said
    assert "git checkout -- it" in said
    assert "no such choice: 9" in said
    assert said.endswith("quit; a run goes on without this console")


async def test_an_incident_is_replayed_by_numbers(tmp_path: Path) -> None:
    real_incident(tmp_path)
    said = await converse(tmp_path, ["incidents", "1", "1", "n", "p", "99", "o", "u", "", "", "quit"])
    assert "OVER 1" in said
    assert "entry 1 of 10" in said
    assert "entry 2 of 10" in said
    assert "entry 10 of 10" in said
    assert "chain whole" in said
    assert "the doc was deleted by a clean-up script" in said
    assert "Resolved: the detector that raised it is green." in said
    assert f"distill undo -C {tmp_path}" in said


async def test_what_is_broken_is_told_and_nothing_else_is_hidden(tmp_path: Path) -> None:
    broken_incident(tmp_path)
    unreadable_incident(tmp_path)
    said = await converse(tmp_path, ["incidents", "1", "u", "", "2", "", "", "quit"])
    assert "RECORD BROKEN 2" in said
    assert "chain broken: line 7 was edited: its hash does not cover it" in said
    assert "nothing in this incident can be taken back" in said
    assert "line 1 is no entry of a journal" in said


async def test_an_export_needs_arming_and_its_code(tmp_path: Path) -> None:
    real_incident(tmp_path)
    feed = FakeFeed()
    refused = await converse(tmp_path, ["incidents", "1", "x", "", "", "quit"], feed=feed)
    assert "arm first" in refused
    assert feed.carried_out == []


async def test_the_end_of_input_ends_it_wherever_it_stands(tmp_path: Path) -> None:
    real_incident(tmp_path)
    for typed in (["runbook"], ["runbook", "1"], ["incidents"], ["incidents", "1"]):
        assert "[read-only]" in await converse(tmp_path, typed)
