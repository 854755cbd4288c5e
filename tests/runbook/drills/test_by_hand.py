"""The lines of the runbook's pages, carried out as printed, in a workspace with an engine of its own."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.contracts import paths
from pipeline.contracts.faults import ExitCode
from runbook.symptom import Symptom
from runbook.symptoms import SYMPTOMS
from runbook.symptoms.s1_p0_recon_doc import DEFINITION as RECON
from tests.runbook.drills.sound import sound_copy
from tests.runbook.drills.walk import SEED

DISTILL = Path(sys.executable).with_name("distill")
# What a person puts in for the words in capitals, and for what stands outside of the workspace.
_FILL = {
    "TASK THAT USED TO PASS": "How is a job started?",
    "pipeline/FILE": "pipeline/stages/score.py",
    "METRIC": "evidence_rows",
    "BRANCH": "main",
    "WHY": "tried",
}
# A line may find something, and a preview ends without consent; none is refused for how it is written.
_ENDS = {
    ExitCode.OK,
    ExitCode.CHECK_FAILED,
    ExitCode.NOT_EVALUATED,
    ExitCode.APPROVAL_NEEDED,
}


# What a whole gate and four runs come to is for their own tests to say: here the words count.
_SHORTER = f"""
distill() {{
  case "$*" in
    acceptance | "acceptance --keep") set -- "$@" --check A09 ;;
    audit-full | "audit-full --no-append") set -- "$@" --acceptance-report {paths.ACCEPTANCE_DATA} ;;
    determinism) set -- "$@" --runs 2 ;;
  esac
  command distill "$@"
}}
"""


def shell(root: Path, command: str, tag: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "TAG": tag, "PATH": f"{DISTILL.parent}:{os.environ['PATH']}"}
    argv = ["bash", "-o", "pipefail", "-c", f"{_SHORTER}{command}"]
    return subprocess.run(
        argv, cwd=root, env=environment, capture_output=True, text=True, timeout=600, check=False
    )


def empty_files(root: Path) -> set[str]:
    kept = (".git/", f"{paths.STATE}/")
    names = (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    return {name for name in names if not name.startswith(kept) and not (root / name).stat().st_size}


def filled(command: str, root: Path, outside: Path) -> str:
    first = min((root / paths.EVIDENCE).glob("*.jsonl")).read_text(encoding="utf-8").splitlines()[0]
    told = {**_FILL, "RUN_ID": json.loads(first)["run_id"], "/tmp/bisect": str(outside)}  # noqa: S108
    for words, value in told.items():
        command = command.replace(words, value)
    return command


def break_what_is_restored(root: Path, command: str) -> None:
    """A file that is as in the tag is not restored: that would repair nothing."""
    words = shlex.split(command)
    if words[:2] == ["distill", "restore"]:
        place = root / words[2]
        broken = place if place.is_file() else min(each for each in place.rglob("*") if each.is_file())
        broken.write_bytes(broken.read_bytes() + b"\n")


@pytest.mark.slow
@pytest.mark.parametrize("symptom", SYMPTOMS, ids=lambda each: each.id)
def test_every_line_is_carried_out(symptom: Symptom, template: Path, tmp_path: Path) -> None:
    scene = sound_copy(template, tmp_path / "w", SEED)
    root, before = scene.root, ""
    for line in symptom.by_hand:
        if not line.command or ("jq " in line.command and shutil.which("jq") is None):
            continue
        # Variables of an earlier line are there in the shell of whoever types them.
        command = filled(line.command, root, tmp_path / "beside")
        break_what_is_restored(root, command)
        empty = empty_files(root)
        ended = shell(root, f"{before}{command}", scene.workspace.last_good_tag)
        assert ended.returncode in _ENDS, f"{command}\n{ended.stdout[-2000:]}\n{ended.stderr[-2000:]}"
        assert empty_files(root) <= empty, command
        if command.startswith("LATEST="):
            before = f"{command.split(';', 1)[0]}; "


def test_a_line_whose_git_fails_leaves_what_was_there(template: Path, tmp_path: Path) -> None:
    root = sound_copy(template, tmp_path / "w", SEED).root
    doc = root / paths.RECON_DOC
    good = doc.read_bytes()
    writes = [line.command for line in RECON.by_hand if ">" in line.command]
    assert writes
    for command in writes:
        assert shell(root, command, "no-such-tag").returncode != 0
        assert doc.read_bytes() == good
