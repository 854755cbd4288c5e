"""A start that meets changed code of the workspace shows the change first; only what was shown is trusted."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import pipeline
from console.control import plans, trust_plan
from console.presentation.consent import command_consent, told_lines
from console.presentation.spans import plain_text
from pipeline.contracts import paths
from pipeline.platform.engine_choice import Stakes, TrustNeededError, stakes_of, trust_what_we_made
from pipeline.platform.trust_difference import DIFF_LINES, Difference
from tests.pipeline.engine.workspaces import ONE_STREAM

STARTS = ("run.start", "audit.start", "acceptance.start", "release.start")


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With an engine of its own that is trusted; trust is kept apart from everybody else's."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    root = tmp_path / "w"
    root.mkdir()
    (root / paths.SETTINGS).write_text(f'[engine]\nsource = "workspace"\n{ONE_STREAM}')
    ignore = shutil.ignore_patterns("__pycache__", "*.pyc")
    shutil.copytree(Path(pipeline.__path__[0]), root / "pipeline", ignore=ignore)
    trust_what_we_made(root)
    return root


def change(root: Path, text: str = "PLANTED = 1\n") -> None:
    path = root / "pipeline/stages/score.py"
    path.write_text(path.read_text() + text)


@pytest.mark.parametrize("action", STARTS)
def test_what_is_trusted_starts_at_once(workspace: Path, action: str) -> None:
    plan = plans.plan(workspace, action, "", 0.0)
    assert plan is not None
    assert plan.action_id == action
    assert trust_plan.plan(workspace) is None


@pytest.mark.parametrize("action", STARTS)
def test_a_start_shows_what_changed_and_nothing_runs_before_it_is_trusted(
    workspace: Path, action: str
) -> None:
    change(workspace, "# \x1b[2J\u202eevil\n")
    asked = plans.plan(workspace, action, "", 0.0)
    assert asked is not None
    assert asked.action_id == "engine.trust"
    shown = [plain_text(each) for each in told_lines(command_consent(asked), 76)]
    assert "1 changed" in " ".join(" ".join(shown).split())
    assert any(each.strip() == r"+# \x1b[2J\u202eevil" for each in shown), shown
    assert len(asked.code) == 4
    assert command_consent(asked).code, "no Enter alone agrees to code"

    assert "trusted" in trust_plan.carry_out(workspace, asked)
    assert stakes_of(workspace).engine_is_trusted
    again = plans.plan(workspace, action, "", 0.0)
    assert again is not None
    assert again.action_id == action


def test_what_changes_while_it_is_read_is_not_trusted(workspace: Path) -> None:
    change(workspace)
    asked = trust_plan.plan(workspace)
    assert asked is not None
    change(workspace, "MORE = 2\n")
    with pytest.raises(TrustNeededError, match="changed while you looked"):
        trust_plan.carry_out(workspace, asked)
    assert not stakes_of(workspace).engine_is_trusted


def test_a_long_change_says_how_much_of_it_is_not_shown(workspace: Path) -> None:
    change(workspace, "".join(f"X{number} = {number}\n" for number in range(3 * DIFF_LINES)))
    asked = trust_plan.plan(workspace)
    assert asked is not None
    assert len(asked.difference) == DIFF_LINES + 1
    assert "more lines: distill trust --show" in asked.difference[-1]


@pytest.mark.parametrize(("lines", "last"), [(0, None), (1, "1"), (199, "199"), (200, "200")])
def test_a_change_of_two_hundred_lines_is_shown_whole(lines: int, last: str | None) -> None:
    shown = trust_plan._bounded(Difference("x", lines=tuple(str(number + 1) for number in range(lines))))
    assert len(shown) == lines
    assert (shown[-1] if shown else None) == last


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (201, "… 1 more line: distill trust --show"),
        (203, "… 3 more lines: distill trust --show"),
    ],
)
def test_of_a_longer_one_two_hundred_are_shown_and_the_others_counted(lines: int, words: str) -> None:
    shown = trust_plan._bounded(Difference("x", lines=tuple(str(number + 1) for number in range(lines))))
    assert (len(shown), shown[199], shown[200]) == (201, "200", words)


def test_where_there_is_no_code_to_compare_there_is_no_difference() -> None:
    assert trust_plan._bounded(None) == ()


def test_five_files_of_a_kind_are_named_and_the_others_counted() -> None:
    six = tuple(f"{number}.py" for number in range(6))
    told = trust_plan._told(Stakes(Path("/w")), Difference("x", added=six, changed=six[:5]))
    assert told == [
        "pipeline/: may run; compared with x: 5 changed, 6 new",
        "changed: 0.py, 1.py, 2.py, 3.py, 4.py",
        "new: 0.py, 1.py, 2.py, 3.py, 4.py and 1 more",
    ]


def test_programs_of_the_settings_are_asked_about_where_they_are_started(workspace: Path) -> None:
    settings = workspace / paths.SETTINGS
    settings.write_text(settings.read_text() + '\n[release]\ntests = ["./planted", "-x"]\n')
    run = plans.plan(workspace, "run.start", "", 0.0)
    release = plans.plan(workspace, "release.start", "", 0.0)
    assert run is not None
    assert release is not None
    assert (run.action_id, release.action_id) == ("run.start", "engine.trust")
    assert any("./planted -x" in each for each in release.changes)


def test_an_engine_that_cannot_be_read_is_refused_in_three_lines(workspace: Path) -> None:
    (workspace / "pipeline/link.py").symlink_to("/etc/hostname")
    with pytest.raises(TrustNeededError, match="cannot be trusted as it is"):
        plans.plan(workspace, "run.start", "", 0.0)
