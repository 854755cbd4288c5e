"""One symptom, one incident while it is open: screen, prompts, flags and a quarantine by hand all go on
where another stopped.
"""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from console.cli.commands import BY_NAME
from console.control.armed import Permit
from console.control.wizard_control import WizardControl
from console.keymap import WIZARD_ANSWER
from console.presentation.spans import plain_text
from console.presentation.wizard import head_lines
from pipeline.contracts.faults import OperatorError
from pipeline.platform.command_line import parser_of
from pipeline.platform.identity import user_name
from pipeline.reading.incidents import incident_ids
from runbook import symptoms
from runbook.change.incident import Incident
from runbook.commands import quarantine, runbook, undo
from runbook.probes.evidence import Detection
from runbook.probes.workspace import Workspace
from runbook.symptoms.offers import all_aside
from runbook.wizard import worker
from runbook.wizard.session import reopen_session
from tests.console.states import NOW
from tests.console.wizards import LEAKING, QUARANTINE, InThisProcess, leaking
from tests.heard import Heard
from tests.runbook.workspaces import LEAK, SFT, leak_symptom, seen

RAG = "exports/rag/playbooks.jsonl"
PERMIT = Permit(WIZARD_ANSWER, "a test")


class Said(Heard):
    """A voice that remembers, as text or as data."""

    def __init__(self, *, json: bool = False) -> None:
        super().__init__()
        self.json = json
        self.data: list[dict[str, Any]] = []

    def out_json(self, value: Any) -> None:
        self.data.append(json.loads(json.dumps(value)))


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = leaking(tmp_path / "w")
    monkeypatch.setattr(symptoms, "SYMPTOMS", (LEAKING,))
    monkeypatch.setattr("sys.stdin", io.StringIO())
    monkeypatch.setattr(worker, "start", InThisProcess)
    return made


def _run(root: Path, *words: str, json: bool = False) -> Said:
    said = Said(json=json)
    said.directory = str(root)
    runbook.run(parser_of(BY_NAME["runbook"]).parse_args(words), said)
    return said


def _quarantine(root: Path, path: str = SFT) -> dict[str, Any]:
    said = Said(json=True)
    said.directory = str(root)
    quarantine.run(parser_of(BY_NAME["quarantine"]).parse_args([path]), said)
    (found,) = said.data
    return found


def _plan(root: Path, *words: str) -> dict[str, Any]:
    (found,) = _run(root, "plan", LEAKING.id, *words, json=True).data
    return found


def _by_screen(root: Path) -> str:
    control = WizardControl(root, (LEAKING,), symptom_id=LEAKING.id)
    question = control.look().question
    if question is not None and question.id == "offer":
        control.driver(PERMIT).answer(question.id, QUARANTINE.id)
    control.let_go()
    view = control.look()
    assert view.incident_id is not None
    return view.incident_id


def _by_prompts(root: Path) -> str:
    said = _run(root, "open", LEAKING.id)
    return said.lines[0].split()[1]


def _by_flags(root: Path) -> str:
    return str(_plan(root, "--offer", QUARANTINE.id)["incident_id"])


def _by_hand(root: Path) -> str:
    return str(_quarantine(root)["incident_id"])


FACES = {"screen": _by_screen, "prompts": _by_prompts, "flags": _by_flags, "hand": _by_hand}


@pytest.mark.parametrize("second", FACES)
@pytest.mark.parametrize("first", FACES)
def test_whoever_comes_second_goes_on_in_the_incident_of_the_first(
    root: Path, first: str, second: str
) -> None:
    opened = FACES[first](root)
    assert FACES[second](root) == opened
    assert incident_ids(root) == [opened]


def test_the_same_plan_asked_for_again_is_the_same_plan_while_it_holds(root: Path) -> None:
    one, again = (_plan(root, "--offer", QUARANTINE.id) for _ in range(2))
    assert one["plan_hash"] == again["plan_hash"]
    (root / SFT).write_text(f"{LEAK}\n{LEAK}\n")
    third = _plan(root, "--offer", QUARANTINE.id)
    assert third["incident_id"] == one["incident_id"]
    assert third["plan_hash"] != one["plan_hash"]


@pytest.mark.parametrize("words", ["plan", "open", "quarantine", "apply", "undo"])
def test_another_persons_incident_is_never_gone_on_with_silently(
    root: Path, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    plan, mine = _plan(root), user_name()
    if words == "undo":
        _run(root, "apply", "--plan", plan["plan_hash"], "--approve-as", "mira", "--reason", "rows")
    monkeypatch.setenv("SUDO_USER", "alice")
    said = _spoken(root, words, plan)
    assert re.search(f"incident {plan['incident_id']} (is|was) {mine}'s; .*{re.escape(user_name())}", said)


def _spoken(root: Path, words: str, plan: dict[str, Any]) -> str:
    """What a command says beside its data."""
    said = Said()
    said.directory = str(root)
    if words == "undo":
        undo.run(parser_of(BY_NAME["undo"]).parse_args([plan["incident_id"]]), said)
    elif words == "quarantine":
        quarantine.run(parser_of(BY_NAME["quarantine"]).parse_args([SFT]), said)
    else:
        consent = ["--plan", plan["plan_hash"], "--approve-as", "alice", "--reason", "rows"]
        more = consent if words == "apply" else [LEAKING.id]
        return "\n".join(_run(root, words, *more).lines)
    return "\n".join(said.lines)


def test_who_opened_an_incident_hears_that_it_goes_on(root: Path) -> None:
    plan = _plan(root)
    assert f"incident {plan['incident_id']} continues" in _spoken(root, "plan", plan)


def test_the_screen_says_whose_incident_it_shows(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named, mine = f"incident {_plan(root)['incident_id']}", user_name()
    monkeypatch.setenv("SUDO_USER", "alice")
    control = WizardControl(root, (LEAKING,), symptom_id=LEAKING.id)
    words = [_head(control)]
    control.driver(PERMIT).answer("consent", "back")
    control.let_go()
    words.append(_head(control))
    assert f"{named} is {mine}'s; what {user_name()} does here takes it over" in words[0]
    assert f"{named} was {mine}'s; {user_name()} goes on with it" in words[1]


def _head(control: WizardControl) -> str:
    return " ".join(plain_text(each) for each in head_lines(control.look(), NOW, 120))


def test_a_quarantine_by_hand_is_the_plan_that_the_wizard_makes(root: Path) -> None:
    by_hand = _quarantine(root)
    assert _plan(root)["plan_hash"] == by_hand["plan_hash"]
    assert _quarantine(root)["plan_hash"] == by_hand["plan_hash"]


def test_of_several_files_in_breach_a_person_may_name_one(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / RAG).parent.mkdir(parents=True)
    (root / RAG).write_text(f"{LEAK}\n")
    both = replace(QUARANTINE, make=lambda planning, _: all_aside(planning, (SFT, RAG), "none"))
    monkeypatch.setattr(symptoms, "SYMPTOMS", (leak_symptom(both),))
    of_both = _plan(root)
    of_one, again = _quarantine(root, RAG), _quarantine(root, RAG)
    assert of_one["incident_id"] == again["incident_id"] == of_both["incident_id"]
    assert of_one["plan_hash"] == again["plan_hash"]
    assert [step["path"] for step in of_one["plan"]["steps"]] == [RAG]


def test_a_quarantine_of_what_no_breach_is_in_has_an_incident_of_its_own(root: Path) -> None:
    (root / RAG).parent.mkdir(parents=True)
    (root / RAG).write_text("fine\n")
    assert Incident(root, _quarantine(root, RAG)["incident_id"]).symptom_id is None
    (root / SFT).write_text("clean\n")
    assert Incident(root, _by_hand(root)).symptom_id is None


def test_a_quarantine_works_while_the_symptoms_are_broken(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(symptoms, "SYMPTOMS")

    def broken(_leaf: str) -> list[Any]:
        raise ImportError("half an edit")

    monkeypatch.setattr(symptoms, "modules", broken)
    assert Incident(root, _by_hand(root)).symptom_id is None


def test_what_rings_after_it_was_contained_is_another_case(root: Path) -> None:
    first = _plan(root, "--offer", QUARANTINE.id)
    _run(root, "apply", "--plan", first["plan_hash"], "--approve-as", "mira", "--reason", "rows")
    assert not (root / SFT).exists()
    (root / SFT).write_text(f"{LEAK}\n")
    assert _by_flags(root) != first["incident_id"]


def test_a_plan_that_was_agreed_to_and_cut_off_is_finished_before_another_is_made(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Dead:
        def wait(self, _seconds: float) -> int:
            return -9

        def said(self) -> str:
            return ""

    plan = _plan(root, "--offer", QUARANTINE.id)
    monkeypatch.setattr(worker, "start", lambda _incident, _plan: Dead())
    _run(root, "apply", "--plan", plan["plan_hash"], "--approve-as", "mira", "--reason", "rows")
    with pytest.raises(OperatorError) as refusal:
        _plan(root, "--offer", QUARANTINE.id)
    assert refusal.value.fault.do_next == f"Finish it: distill runbook resume {plan['incident_id']}"


def test_a_resumed_incident_is_planned_from_what_shows_now(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def counted(workspace: Workspace) -> Detection:
        rows = (workspace.root / SFT).read_text().count(LEAK)
        return seen(workspace).model_copy(update={"observed": f"{rows} forbidden rows"})

    monkeypatch.setattr(symptoms, "SYMPTOMS", (replace(LEAKING, detect=counted),))
    opened = _by_flags(root)
    (root / SFT).write_text(f"{LEAK}\n{LEAK}\n")
    assert _by_flags(root) == opened
    standing = reopen_session(Workspace(root), opened, [LEAKING]).standing
    assert standing.detection is not None
    assert standing.detection.observed == "2 forbidden rows"
    (root / SFT).write_text("")
    with pytest.raises(OperatorError) as refusal:
        _by_flags(root)
    assert refusal.value.fault.do_next == f"Finish or leave it: distill runbook resume {opened}"
