"""distill init and config, through the engine's command line and the functions below it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli import main
from pipeline.contracts import paths
from pipeline.contracts.faults import ExitCode, InputError, OperatorError, StorageError
from pipeline.platform.git import NEEDS_GIT, read_git_state, run_git
from pipeline.settings.load import load_settings
from pipeline.settings.model import Settings, from_document
from pipeline.workspace import init_workspace

LAID_DOWN = (
    ".git/",
    "distill.toml",
    "docs/recon/local-distillation-recon.md",
    ".gitignore",
    "tests/test_workspace_contract.py",
    "data/_kb/",
)


def snapshot(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return init_workspace(tmp_path / "airline").root


def test_init_makes_a_repository_with_settings_recon_tests_and_a_place_for_logs(tmp_path: Path) -> None:
    report = init_workspace(tmp_path / "new" / "airline")
    assert report.made == LAID_DOWN
    assert report.kept == ()
    assert report.git_problem is None
    assert read_git_state(report.root).branch == "main"
    assert load_settings(report.root).settings.workspace.name == "airline"


def test_a_second_init_changes_nothing_and_names_what_it_kept(workspace: Path) -> None:
    (workspace / "distill.toml").write_text('[workspace]\nname = "mine"\n')
    before = snapshot(workspace)
    report = init_workspace(workspace)
    assert report.made == ()
    assert report.kept == LAID_DOWN
    assert snapshot(workspace) == before


def test_init_adds_what_is_missing_to_a_directory_in_use(workspace: Path) -> None:
    (workspace / ".gitignore").unlink()
    report = init_workspace(workspace)
    assert report.made == (".gitignore",)
    assert (workspace / ".gitignore").is_file()


def test_sources_exports_reports_and_state_are_not_tracked(workspace: Path) -> None:
    for relative in ("data/_kb/x.jsonl", "exports/sft/y.jsonl", "reports/distillation/z.md", ".distill/lock"):
        target = workspace / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("x")
    listed = run_git(workspace, ("status", "--porcelain", "-z", "-uall")).decode().split("\0")
    assert {entry[3:] for entry in listed if entry} == {
        ".gitignore",
        "distill.toml",
        "docs/recon/local-distillation-recon.md",
        "tests/test_workspace_contract.py",
    }


@pytest.mark.parametrize(
    "name", ['quo"te', "back\\slash", "new\nline", "@NAME@", "ünïcode", "\u202ebidi", "sp ace"]
)
def test_a_directory_of_any_name_gets_valid_settings(tmp_path: Path, name: str) -> None:
    root = init_workspace(tmp_path / name).root
    assert load_settings(root).settings.workspace.name


def test_a_file_in_place_of_the_directory_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="is not a directory"):
        init_workspace(tmp_path / "file")
    with pytest.raises(StorageError):
        init_workspace(tmp_path / "file" / "below")


def test_a_link_in_the_directory_does_not_lead_init_out_of_it(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (root / "docs").symlink_to(outside)
    with pytest.raises(InputError, match="would lie outside"):
        init_workspace(root)
    assert list(outside.iterdir()) == []


def test_a_dangling_link_is_kept_and_not_written_through(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "distill.toml").symlink_to(tmp_path / "elsewhere.toml")
    report = init_workspace(root)
    assert "distill.toml" in report.kept
    assert not (tmp_path / "elsewhere.toml").exists()


def test_without_git_there_is_a_workspace_that_says_what_it_cannot_offer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    report = init_workspace(tmp_path / "plain")
    assert report.git_problem == "git is not installed"
    git = read_git_state(report.root)
    assert git.problem == "not a git repository"
    assert git.cannot_offer == NEEDS_GIT


def test_the_template_shows_every_key_with_its_default(workspace: Path) -> None:
    """A line that starts with ``#key`` is a default; taking the # away must change nothing."""
    text = (workspace / "distill.toml").read_text()
    shown = re.sub(r"^#(?=\w)", "", text, flags=re.MULTILINE)
    document = tomllib.loads(shown)
    assert document["workspace"].pop("name") == "airline"
    assert from_document(document) == Settings()
    for section, values in Settings().model_dump(exclude={"streams", "evaluations", "phases"}).items():
        # A key without a default cannot be shown as one; it is told in words, as an example.
        untold = {key for key, value in values.items() if value is None}
        assert all(f"# {key} = " in text for key in untold)
        _assert_same_keys(document[section], values, untold | ({"name"} if section == "workspace" else set()))


def _assert_same_keys(shown: dict[str, Any], values: dict[str, Any], besides: set[str]) -> None:
    assert set(shown) | besides == set(values)
    for key, value in values.items():
        if isinstance(value, dict):
            _assert_same_keys(shown[key], value, {name for name, inner in value.items() if inner is None})


def test_the_example_stream_of_the_template_is_valid(workspace: Path) -> None:
    text = (workspace / "distill.toml").read_text()
    example = text[text.index("# [[stream]]") : text.index("[scoring]")]
    (workspace / "distill.toml").write_text(re.sub(r"^# ?", "", example, flags=re.MULTILINE))
    stream = load_settings(workspace).settings.stream("support_agent")
    assert set(stream.fields) == {"task_id", "messages", "model_name", "reward"}


# The default of [release] tests, less its "python3 -m", and the other runner that people use.
RUNNERS = (Settings().release.tests[2:], ("pytest", "-q", "tests"))


@pytest.mark.parametrize("runner", RUNNERS)
def test_the_contract_tests_pass_in_a_fresh_workspace(workspace: Path, runner: tuple[str, ...]) -> None:
    done = run_contract_tests(workspace, *runner)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"1 passed, 6 skipped|Ran 7 tests(.|\n)*skipped=6", done.stdout + done.stderr)


SFT_FILE = "exports/sft/instruction_response.jsonl"


@pytest.mark.parametrize(
    ("damage", "failing"),
    [
        ({"distill.toml": "[nonsense]\n"}, "test_the_settings_are_valid"),
        (
            {SFT_FILE: '{"quality_score":"rejected","source_run_id":"s/1"}\n'},
            "test_no_row_of_the_sft_file_has_a_forbidden_label",
        ),
        (
            {
                SFT_FILE: '{"quality_score":"accepted","source_run_id":"s/1"}\n',
                "data/scored-runs/s.jsonl": '{"run_id":"s/1","category":"rejected"}\n',
            },
            "test_no_row_of_the_sft_file_comes_from_a_run_the_scorer_refused",
        ),
        (
            {SFT_FILE: '{"quality_score":"rejected","quality_score":"accepted","source_run_id":"s/1"}\n'},
            "test_no_row_of_the_sft_file_has_a_forbidden_label",
        ),
        (
            {"exports/preference/chosen_rejected.jsonl": '{"chosen_run_id":"s/1","rejected_run_id":"s/1"}\n'},
            "test_no_pair_prefers_a_run_to_itself",
        ),
        (
            {
                "reports/distillation/r/summary.json": '{"ok":true,"counts":'
                '{"lines":3,"mapped":1,"looked_up":0,"skipped":1}}'
            },
            "test_each_source_line_of_a_run_is_accounted_for",
        ),
    ],
)
def test_a_contract_test_turns_red_when_its_contract_is_broken(
    workspace: Path, damage: dict[str, str], failing: str
) -> None:
    for relative, text in damage.items():
        target = workspace / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    done = run_contract_tests(workspace, *RUNNERS[0])
    assert done.returncode != 0
    assert re.search(rf"^(FAIL|ERROR): {failing} ", done.stderr, re.MULTILINE), done.stderr


def run_contract_tests(workspace: Path, *runner: str) -> subprocess.CompletedProcess[str]:
    """As an operator does, with this environment's ``distill`` on PATH."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        [sys.executable, "-m", *runner],
        cwd=workspace,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_contract_tests_need_nothing_but_python(workspace: Path) -> None:
    source = (workspace / "tests" / "test_workspace_contract.py").read_text()
    imported = set(re.findall(r"^(?:import|from) (\w+)", source, re.MULTILINE)) - {"__future__"}
    assert imported <= sys.stdlib_module_names


def test_init_prints_what_it_made_and_what_comes_next(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "a b"
    assert main(["init", str(root)]) == ExitCode.OK
    printed = capsys.readouterr()
    assert all(f"  made  {relative}\n" in printed.out for relative in LAID_DOWN)
    assert f"cd '{root}'" in printed.out
    assert printed.err == ""
    assert main(["init", "-C", str(root), "--json"]) == ExitCode.OK
    data = json.loads(capsys.readouterr().out)
    assert data == {"workspace": str(root), "made": [], "kept": list(LAID_DOWN), "git_problem": None}


def test_config_show_prints_value_and_origin(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "show", "-C", str(workspace)]) == ExitCode.OK
    printed = capsys.readouterr()
    line = next(line for line in printed.out.splitlines() if line.startswith("scoring.accept_at"))
    assert line.split() == ["scoring.accept_at", "default", "1.0"]
    assert re.search(r'^workspace\.name +distill.toml:5 +"airline"$', printed.out, re.MULTILINE)
    assert printed.err == ""


def test_config_show_as_json_has_every_value(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "show", "-C", str(workspace), "--json"]) == ExitCode.OK
    data = json.loads(capsys.readouterr().out)
    values = {entry["key"]: [entry["value"], entry["origin"]] for entry in data["values"]}
    assert values["workspace.name"] == ["airline", "distill.toml:5"]
    assert values["export.sft.max_tokens"] == [32768, "default"]
    assert re.fullmatch("[0-9a-f]{64}", data["rows_digest"])


def test_config_show_says_what_is_missing_without_git(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "distill.toml").write_text("")
    assert main(["config", "show", "-C", str(tmp_path)]) == ExitCode.OK
    assert "Not offered without a git repository: release-freeze" in capsys.readouterr().err


def test_a_typo_ends_with_exit_2_and_three_lines(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (workspace / "distill.toml").write_text("[scoring]\nacept_at = 1.0\n")
    assert main(["config", "show", "-C", str(workspace)]) == ExitCode.USAGE
    printed = capsys.readouterr()
    assert printed.out == ""
    lines = printed.err.splitlines()
    assert lines[0] == (
        'what happened  distill.toml:2: scoring.acept_at = 1.0: unknown key. Nearest valid key: "accept_at".'
    )
    assert [line.split("  ")[0] for line in lines] == ["what happened", "kept safe", "do next"]


def test_hostile_settings_are_shown_harmlessly(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (workspace / "distill.toml").open("a") as settings_file:
        settings_file.write(
            '[[stream]]\nname = "x"\npath = "a\\u001b]0;x\\u0007.jsonl"\nfields."\\u202ek" = "\\u001b[31m"\n'
        )
    main(["config", "show", "-C", str(workspace)])
    printed = capsys.readouterr()
    assert not {"\x1b", "\x07", "\u202e"} & set(printed.out + printed.err)


def test_an_error_of_init_is_an_operator_error_with_its_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("x")
    assert main(["init", str(tmp_path / "file")]) == OperatorError.exit_code
    assert "do next        Name another directory" in capsys.readouterr().err


def test_the_places_of_the_template_are_the_names_the_engine_uses(workspace: Path) -> None:
    assert (workspace / paths.SETTINGS).is_file()
    assert (workspace / paths.RECON_DOC).is_file()
    assert (workspace / paths.KNOWLEDGE_BASE).is_dir()
    assert (workspace / paths.KNOWLEDGE_BASE).stat().st_mode & 0o077 == 0
    source = (workspace / "tests" / "test_workspace_contract.py").read_text()
    for place in (paths.SFT_EXPORT, paths.PREFERENCE_EXPORT, paths.SCORED_RUNS, paths.REPORTS):
        assert " / ".join(f'"{part}"' for part in place.parts) in source
