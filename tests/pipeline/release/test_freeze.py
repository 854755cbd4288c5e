"""A freeze from the first gate to the three files, and every way in which it must not pass."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline import cli
from pipeline.checks.runner import Outcome
from pipeline.checks.session import check_session
from pipeline.contracts import paths
from pipeline.contracts.checks import CheckStatus
from pipeline.contracts.faults import ExitCode
from pipeline.engine.event_writer import EventWriter
from pipeline.engine.run_session import Request
from pipeline.release import gates
from pipeline.release.freeze import STATEMENT, Freeze, freeze
from pipeline.release.git_gates import PHASES
from pipeline.settings.load import load_settings
from pipeline.storage.digests import sha256_of_file
from tests.git_commands import git
from tests.pipeline.engine.workspaces import engine, run_all
from tests.pipeline.release.repositories import commit_all, repository

SUITE = f"""
[release]
tests = [{json.dumps(sys.executable)}, "-c", "print('Ran 1 test in 0.0s')"]
"""


def ready(root: Path, suite: str = SUITE) -> Path:
    """A workspace that every gate should pass: run, recon written, phases recorded, committed."""
    workspace = repository(root)
    recon = workspace / paths.RECON_DOC
    recon.parent.mkdir(parents=True)
    recon.write_text("What was found about the sources.\n", encoding="utf-8")
    commits = "".join(f'{phase} = "{git(workspace, "rev-parse", "HEAD")}"\n' for phase in PHASES)
    settings = workspace / "distill.toml"
    settings.write_text(f"{settings.read_text()}\n[phases]\n{commits}{suite}", encoding="utf-8")
    commit_all(workspace, "release: name the commit of each phase")
    run_all(workspace)
    return workspace


def frozen(workspace: Path) -> Freeze:
    request = Request("release-freeze", (), "2026-01-01T00:00:00Z", EventWriter(), "installed")
    with check_session(workspace, paths.RELEASE_FREEZE_EVENTS, request, ("P9",)) as session:
        return freeze(workspace, load_settings(workspace).settings, session, None)


@pytest.fixture
def quick_gates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Acceptance and audit are shown for real once, below; here the freeze around them is meant."""
    monkeypatch.setattr(gates.GateRun, "_command", lambda *_: Outcome(22, 0, "22/22"))


def manifest(workspace: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((workspace / paths.RELEASE_MANIFEST).read_bytes())
    return data


@pytest.mark.slow
def test_a_ready_workspace_passes_six_gates_and_nothing_is_tagged(tmp_path: Path) -> None:
    workspace = ready(tmp_path / "w")
    before = git(workspace, "show-ref"), git(workspace, "rev-parse", "HEAD")
    finished = engine(workspace, "release-freeze", "--json")
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert [check["status"] for check in json.loads(finished.stdout)["checks"]] == ["pass"] * 6
    assert (git(workspace, "show-ref"), git(workspace, "rev-parse", "HEAD")) == before
    data = manifest(workspace)
    assert data["ok"] is True
    assert data["git_head"] == before[1]
    assert data["dataset_counts"]["evidence"] == 122
    assert data["exports"][str(paths.SFT_EXPORT)] == sha256_of_file(workspace / paths.SFT_EXPORT)
    statement = json.loads((workspace / STATEMENT).read_bytes())
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert all(subject["digest"] for subject in statement["subject"])
    assert statement["predicate"]["result"] == "PASSED"
    assert not (workspace / paths.AUDIT_BASELINES).exists(), "an audit inside a freeze appends nothing"


@pytest.mark.usefixtures("quick_gates")
def test_the_printed_command_names_the_commit_and_survives_a_shell(tmp_path: Path) -> None:
    workspace = ready(tmp_path / "w")
    result = frozen(workspace)
    assert result.exit_code == 0
    assert result.tag_command is not None
    argv = shlex.split(result.tag_command)
    assert argv[:3] == ["git", "tag", "-a"]
    assert argv[-2:] == ["distillation-v1.0.1", git(workspace, "rev-parse", "HEAD")]
    git(workspace, *argv[1:])
    assert git(workspace, "rev-parse", "distillation-v1.0.1^{commit}") == argv[-1]
    assert frozen(workspace).tag == "distillation-v1.0.2"


@pytest.mark.usefixtures("quick_gates")
def test_a_dirty_tree_fails_and_takes_the_old_manifests_word_away(tmp_path: Path) -> None:
    workspace = ready(tmp_path / "w")
    assert frozen(workspace).exit_code == 0
    (workspace / "stray").write_text("x", encoding="utf-8")
    result = frozen(workspace)
    assert result.exit_code == 1
    assert result.tag_command is None
    assert manifest(workspace)["ok"] is False
    assert json.loads((workspace / STATEMENT).read_bytes())["predicate"]["result"] == "FAILED"
    assert "git_clean" in (workspace / paths.RELEASE_FREEZE).read_text(encoding="utf-8")


@pytest.mark.usefixtures("quick_gates")
@pytest.mark.parametrize("how", ["commit", "dirty"])
def test_a_tree_that_moves_while_the_gates_run_voids_the_freeze(tmp_path: Path, how: str) -> None:
    identity = ["-c", "user.name=m", "-c", "user.email=m@example.com"]
    act = f"subprocess.run({['git', *identity, 'commit', '-q', '--allow-empty', '-m', 'x']})"
    if how == "dirty":
        act = "open('planted','w').write('x')"
    code = f"import subprocess; {act}; print('Ran 1 test in 0.0s')"
    suite = f"[release]\ntests = {json.dumps([sys.executable, '-c', code])}\n"
    workspace = ready(tmp_path / "w", suite)
    result = frozen(workspace)
    assert result.exit_code == 1
    assert "while the gates ran" in result.report["checks"][0]["detail"]
    assert manifest(workspace)["ok"] is False


@pytest.mark.usefixtures("quick_gates")
def test_each_git_gate_can_fail_alone(tmp_path: Path) -> None:
    workspace = ready(tmp_path / "w")
    settings = workspace / "distill.toml"
    whole = settings.read_text()
    settings.write_text(whole.replace('P3 = "', 'P3 = "0000'), encoding="utf-8")
    commit_all(workspace, "name a commit that is none")
    statuses = {check["id"]: check["status"] for check in frozen(workspace).report["checks"]}
    assert statuses["phase_commits"] == "fail"
    assert [name for name, status in statuses.items() if status != "pass"] == ["phase_commits"]


@pytest.mark.parametrize("json_too", [(), ("--json",)])
def test_a_gate_that_could_not_look_says_so_in_three_lines(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    json_too: tuple[str, ...],
) -> None:
    blind = Outcome(0, 0, "could not look", "no memory", status=CheckStatus.ERROR)
    monkeypatch.setattr(gates.GateRun, "_command", lambda *_: blind)
    workspace = ready(tmp_path / "w")
    assert cli.main(["release-freeze", "-C", str(workspace), *json_too]) == ExitCode.NOT_EVALUABLE
    said = capsys.readouterr().err
    for line in ("what happened", "kept safe", "do next"):
        assert line in said
    assert "no memory" in said


@pytest.mark.usefixtures("quick_gates")
def test_the_statement_is_one_by_the_library_of_its_format(tmp_path: Path) -> None:
    """Strictly: a member that its schema does not know is an error there."""
    from google.protobuf.json_format import ParseDict
    from in_toto_attestation.predicates.test_result.v0.test_result_pb2 import TestResult
    from in_toto_attestation.v1.statement import Statement
    from in_toto_attestation.v1.statement_pb2 import Statement as Message

    workspace = ready(tmp_path / "w")
    assert frozen(workspace).exit_code == 0
    data = json.loads((workspace / STATEMENT).read_bytes())
    Statement.copy_from_pb(ParseDict(data, Message())).validate()
    assert ParseDict(data["predicate"], TestResult()).result == "PASSED"
    (subject,) = [each for each in data["subject"] if each["name"] == str(paths.RELEASE_MANIFEST)]
    assert subject["digest"]["sha256"] == sha256_of_file(workspace / paths.RELEASE_MANIFEST)
    assert subject["annotations"]["manifest"] == manifest(workspace)


def test_outside_a_repository_no_manifest_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.pipeline.engine.workspaces import make_workspace

    monkeypatch.setattr(gates.GateRun, "_command", lambda *_: Outcome(22, 0, "22/22"))
    workspace = make_workspace(tmp_path / "w")
    result = frozen(workspace)
    assert result.exit_code == 1
    assert not (workspace / paths.RELEASE_MANIFEST).exists()
