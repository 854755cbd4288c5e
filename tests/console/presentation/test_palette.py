"""What the palette finds, by names, words, synonyms and the ids of what is there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console import keymap
from console.presentation.palette import Offer, find, of_action, offers
from console.state.runbook_state import KnownSymptom, RunbookReading
from pipeline.contracts.severity import Severity
from pipeline.contracts.status import RunRow
from pipeline.reading.incidents import IncidentGlance
from tests.console import states

LEAK = KnownSymptom("S1.P4.sft-leak", Severity.CRITICAL, title="A forbidden row is in an export file")
DRIFT = KnownSymptom("S2.drift", Severity.WARNING, title="A metric moved away from its baseline")
INCIDENT = IncidentGlance("INC-20261130-01", "APPLYING", "S2.drift", "mara", 0.0, 0.0, "")
RUN = RunRow("20261130T0102-0ad7", "run-all", run_hash="1663e9e7")
KNOWN = replace(states.healthy(), runbook=RunbookReading((LEAK, DRIFT), incidents=(INCIDENT,)), runs=(RUN,))
ALL = offers(KNOWN, "dashboard")


def first(typed: str) -> str:
    return find(typed, ALL)[0].id


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("run", "run.start"),
        ("cancel", "run.cancel"),
        ("log", "log"),
        ("arm", "arm"),
        ("cpycmd", "copy.command"),
        ("audit scr", "screen.audit"),
        ("leak", "symptom:S1.P4.sft-leak"),
        ("s1.p4", "symptom:S1.P4.sft-leak"),
        ("baseline", "file:data/_kb/audit_baselines.jsonl"),
        ("undo", "screen.incidents"),
        ("lock", "screen.runs"),
        ("exit", "quit"),
        ("inc-2026", "incident:INC-20261130-01"),
        ("0ad7", "run:20261130T0102-0ad7"),
        ("1663e", "run:20261130T0102-0ad7"),
        ("instruction_resp", "file:exports/sft/instruction_response.jsonl"),
        ("quarantine sft", "file:exports/quarantine/sft.jsonl"),
        ("mint", "file:data/evidence/mint_runs.jsonl"),
    ],
)
def test_a_part_of_a_name_finds_what_is_meant_first(typed: str, found: str) -> None:
    assert first(typed) == found


def test_nothing_typed_lists_everything_actions_in_the_tables_order() -> None:
    everything = find(" ", ALL)
    assert everything == list(ALL)
    actions = [of_action(action) for action in keymap.at("dashboard") if action.in_palette]
    assert everything[: len(actions)] == actions


def test_what_means_nothing_finds_nothing() -> None:
    assert find("qqqqq", ALL) == []


def test_only_actions_of_the_place_are_offered() -> None:
    assert "run.start" not in {offer.id for offer in offers(KNOWN, "runs")}
    assert "symptom:S2.drift" in {offer.id for offer in offers(KNOWN, "runs")}


def test_every_other_name_is_of_an_action() -> None:
    from console.presentation.palette import _ALSO

    assert set(_ALSO) <= set(keymap.BY_ID)


def test_hostile_names_are_made_visible() -> None:
    evil = replace(KNOWN, runs=(RunRow("\x1b[31mred", "run-all"),))
    assert all("\x1b" not in offer.name + offer.help for offer in offers(evil, "dashboard"))
    assert isinstance(ALL[0], Offer)
