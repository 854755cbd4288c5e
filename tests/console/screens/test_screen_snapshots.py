"""One picture per screen and size; a difference is looked at before it is accepted."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.contracts.status import GitStatus
from tests.console import check_reports, states
from tests.console.apps import ASCII, LEAN, LINK
from tests.console.check_reports import AUDIT_EVENTS, FREEZE, HEAD, events, freeze, gates, result
from tests.console.row_workspaces import lineage_answer, with_rows
from tests.console.screens.opened import app_on, press
from tests.console.screens.test_runs import state_of, two_runs
from tests.console.states import NOW
from tests.console.workspaces import write
from tests.console.written_engine import write_engine

if TYPE_CHECKING:
    from textual.pilot import Pilot

Compare = Callable[..., bool]
SMALL, WIDE = (80, 24), (120, 40)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A folder that commands can name without telling where this test ran."""
    root = tmp_path / "agent-logs"
    root.mkdir()
    monkeypatch.chdir(tmp_path)
    return "agent-logs"


def keys(*names: str) -> Callable[[Pilot[int]], Any]:
    async def typed(pilot: Pilot[int]) -> None:
        await press(pilot, *names)

    return typed


@pytest.mark.parametrize(
    ("link", "size"), [(LEAN, SMALL), (LINK, WIDE), (ASCII, SMALL)], ids=["80x24", "120x40", "ascii"]
)
def test_a_failed_audit_looks_as_before(look_compare: Compare, here: str, link: Any, size: Any) -> None:
    check_reports.audited(Path(here))
    assert look_compare(app_on(here, link), run_before=keys("A"), terminal_size=size)


def test_a_running_audit_looks_as_before(look_compare: Compare, here: str) -> None:
    check_reports.audited(Path(here), failing=False)
    checks = [result(name) for name in ("P0.recon-doc", "P1.versions-pinned", "P1.validators-hold")]
    write(Path(here), AUDIT_EVENTS, events("audit-full", checks, started=NOW - 4, pid=48213, host="db2"))
    assert look_compare(app_on(here), run_before=keys("A"), terminal_size=SMALL)


def test_before_any_audit_the_screen_looks_as_before(look_compare: Compare, here: str) -> None:
    assert look_compare(app_on(here), run_before=keys("A"), terminal_size=SMALL)


def test_a_check_looks_as_before(look_compare: Compare, here: str) -> None:
    check_reports.audited(Path(here))
    assert look_compare(app_on(here), run_before=keys("A", "enter"), terminal_size=SMALL)


@pytest.mark.parametrize("failing", [False, True], ids=["passed", "failed"])
def test_a_freeze_looks_as_before(look_compare: Compare, here: str, failing: bool) -> None:
    checks = gates(git_clean="fail") if failing else gates()
    if failing:
        checks[0] |= {"observed": "2 changes", "detail": "not committed: README.md, exports/card.md"}
    write(Path(here), FREEZE, freeze(checks, finished=NOW - 240, notes=["Nothing was tagged."]))
    state = replace(states.healthy(), git=GitStatus(True, "main", HEAD, False, "distillation-v1.0.0", HEAD))
    assert look_compare(app_on(here, LINK, state=state), run_before=keys("F"), terminal_size=SMALL)


@pytest.mark.parametrize(("link", "size"), [(LEAN, SMALL), (LINK, WIDE)], ids=["80x24", "120x40"])
def test_rows_look_as_before(look_compare: Compare, here: str, link: Any, size: Any) -> None:
    with_rows(Path(here))
    assert look_compare(app_on(here, link), run_before=keys("D", "enter"), terminal_size=size)


def test_the_files_of_rows_look_as_before(look_compare: Compare, here: str) -> None:
    for path in sorted(with_rows(Path(here)).rglob("*.jsonl")):
        os.utime(path, (NOW - 7_920, NOW - 7_920))
    assert look_compare(app_on(here), run_before=keys("D"), terminal_size=SMALL)


def test_a_row_looks_as_before(look_compare: Compare, here: str) -> None:
    with_rows(Path(here))
    assert look_compare(app_on(here), run_before=keys("D", "enter", "enter"), terminal_size=SMALL)


@pytest.mark.parametrize("broken", [False, True], ids=["whole", "broken"])
def test_a_lineage_looks_as_before(look_compare: Compare, here: str, broken: bool) -> None:
    sentences = ("the row says ACCEPTED, its scored run says REJECTED",) if broken else ()
    answer = json.dumps(lineage_answer(broken=sentences))
    write_engine(with_rows(Path(here)), f"print({answer!r})")
    typed = keys("D", "enter", "down", "down", "t")
    assert look_compare(app_on(here), run_before=typed, terminal_size=SMALL)


@pytest.mark.parametrize(
    ("names", "size"),
    [
        (("R", "space", "down", "down", "space"), SMALL),
        (("R",), WIDE),
        (("R", "enter"), WIDE),
        (("R", "space", "down", "space", "enter"), WIDE),
    ],
    ids=["two-chosen-80x24", "list-120x40", "one-120x40", "compared-120x40"],
)
def test_runs_look_as_before(look_compare: Compare, here: str, names: Any, size: Any) -> None:
    state = states.healthy()
    if size == WIDE:
        state = state_of(two_runs(Path(here)))
    assert look_compare(app_on(here, state=state), run_before=keys(*names), terminal_size=size)


@pytest.mark.parametrize("size", [SMALL, WIDE], ids=["80x24", "120x40"])
def test_skips_look_as_before(look_compare: Compare, here: str, size: Any) -> None:
    with_rows(Path(here))
    assert look_compare(app_on(here), run_before=keys("S"), terminal_size=size)


@pytest.mark.parametrize("zoomed", [False, True], ids=["pane", "zoomed"])
@pytest.mark.parametrize("size", [SMALL, WIDE], ids=["80x24", "120x40"])
def test_drift_looks_as_before(look_compare: Compare, here: str, size: Any, zoomed: bool) -> None:
    state = states.seen(states.status(drift=states.drifted()), states.clear(), "rich", "local")
    names = ("4", "z") if zoomed else ("4",)
    assert look_compare(app_on(here, state=state), run_before=keys(*names), terminal_size=size)
