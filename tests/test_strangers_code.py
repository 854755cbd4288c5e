"""Looking at a stranger's workspace runs no code of it; what would change something asks first."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import pipeline
from console.cli.commands import COMMANDS
from pipeline.contracts.command import Command
from pipeline.contracts.commands import ENGINE_COMMANDS
from pipeline.contracts.faults import ExitCode
from pipeline.platform.command_line import parser_of
from pipeline.platform.engine_choice import stakes_of
from tests.warm_processes import COLD_VARIABLE, REPOSITORY

PLANTED = ("pipeline/__init__.py", "sitecustomize.py", "usercustomize.py", "hashlib.py", "textual.py")
SETTINGS = """\
[engine]
source = "workspace"

[[stream]]
name = "runs"
path = "data/_kb/runs*.jsonl"
[stream.fields]
task_id = "task"
instruction = "ask"
response = "said"
reward = "score"
"""
# As an operator starts it, where what an interpreter imports by itself is tried as well.
COLD = {COLD_VARIABLE: "1"}
# Calls that only look, beside the example of each command that does by its table.
LOOKS = (
    ["status", "--firewall-seconds", "0"],
    ["runbook", "detect"],
    ["doctor"],
    ["config", "show"],
    ["baseline", "list"],
    ["verify-export", "exports"],
    ["materialize", "--dry-run"],
    ["schema", "check"],
    ["run-all", "--help"],
    ["console", "--plain"],
)


@dataclass(frozen=True)
class Cloned:
    """A workspace that somebody else wrote, and a user who has seen none of it."""

    root: Path
    home: Path
    marks: Path
    more: dict[str, str] = field(default_factory=dict)

    def distill(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("DISTILL_")},
            "HOME": str(self.home),
            "XDG_STATE_HOME": str(self.home / "state"),
            "PYTHONPATH": str(REPOSITORY),
            **more,
        }
        return subprocess.run(
            [sys.executable, "-P", "-m", "console", "-C", str(self.root), *words],
            env=environment,
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def digest(self) -> str:
        return str(json.loads(self.distill("--json", "trust", "--show").stdout)["digest"])

    def who_ran(self) -> list[str]:
        return sorted(each.name for each in self.marks.iterdir())


def marker(place: Path, name: str) -> str:
    return f"open({str(place / name.replace('/', '_'))!r}, 'a').close()\n"


@pytest.fixture
def cloned(tmp_path: Path) -> Iterator[Cloned]:
    root, marks, home = tmp_path / "w", tmp_path / "marks", tmp_path / "home"
    for folder in (root / "data/_kb", root / "docs/recon", marks, home):
        folder.mkdir(parents=True)
    (root / "distill.toml").write_text(SETTINGS)
    (root / "docs/recon/local-distillation-recon.md").write_text("# Recon\n")
    row = {"task": "t", "ask": "How?", "said": "So.", "score": 1.0}
    (root / "data/_kb/runs-1.jsonl").write_text(json.dumps(row) + "\n")
    shutil.copytree(
        Path(pipeline.__path__[0]), root / "pipeline", ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
    )
    for name in PLANTED:
        path = root / name
        path.write_text(marker(marks, name) + (path.read_text() if path.exists() else ""))
    yield Cloned(root, home, marks)
    for path in (home, marks):
        shutil.rmtree(path, ignore_errors=True)


def example_changes(command: Command) -> bool:
    return command.changes(parser_of(command).parse_args(list(command.example)))


def test_no_command_that_looks_runs_what_was_cloned(cloned: Cloned) -> None:
    for words in LOOKS:
        ended = cloned.distill(*words, **COLD)
        assert ended.returncode not in (ExitCode.APPROVAL_NEEDED, None), (words, ended.stderr)
        assert cloned.who_ran() == [], (words, ended.stderr)
        assert "Traceback" not in ended.stderr


def test_no_example_of_a_command_runs_what_was_cloned(cloned: Cloned) -> None:
    """Those that change something end with 11, whatever they are; the table says which do."""
    tried = 0
    for command in COMMANDS:
        if command.name in ("demo", "drill", "console", "runbook"):
            continue  # they build their own, or are tried above
        ended = cloned.distill(command.name, *command.example, **COLD)
        assert cloned.who_ran() == [], (command.name, ended.stderr)
        if command in ENGINE_COMMANDS and command.needs_workspace and command.owner == "engine":
            needs = example_changes(command)
            assert (ended.returncode == ExitCode.APPROVAL_NEEDED) == needs, (command.name, ended.stderr)
            tried += 1
    assert tried > 15


def test_what_the_workspaces_code_would_answer_is_unknown(cloned: Cloned) -> None:
    status = json.loads(cloned.distill("--json", "status", "--firewall-seconds", "0").stdout)
    assert "not trusted" in status["engine"]["refused"]
    doctor = cloned.distill("doctor").stdout
    line = next(each for each in doctor.splitlines() if "engine" in each and "unknown" in each)
    assert "not trusted" in line
    found = json.loads(cloned.distill("--json", "runbook", "detect").stdout)
    verdicts = {each["id"]: each["verdict"] for each in found["symptoms"]}
    assert verdicts["ENGINE.wont-start"] == verdicts["S1.P1.schema"] == "unknown"


def test_a_headless_change_needs_the_digest_and_runs_the_package_alone(cloned: Cloned) -> None:
    refused = cloned.distill("run-all")
    assert refused.returncode == ExitCode.APPROVAL_NEEDED
    assert f"--trust {cloned.digest()}" in refused.stderr
    wrong = cloned.distill("--trust", "0" * 64, "run-all")
    assert (wrong.returncode, cloned.who_ran()) == (ExitCode.APPROVAL_NEEDED, [])
    named = cloned.distill("run-all", "--trust", cloned.digest())
    assert named.returncode == ExitCode.OK, named.stderr
    assert cloned.who_ran() == ["pipeline___init__.py"]
    again = cloned.distill("run-all")
    assert again.returncode == ExitCode.APPROVAL_NEEDED, "named once is not remembered"


def test_trusted_code_runs_until_a_byte_of_it_changes(cloned: Cloned) -> None:
    trusted = cloned.distill("trust", "--trust", cloned.digest())
    assert trusted.returncode == ExitCode.OK, trusted.stderr
    book = cloned.home / "state/distill/trust.json"
    assert book.stat().st_mode & 0o777 == 0o600
    assert cloned.distill("run-all").returncode == ExitCode.OK
    assert cloned.who_ran() == ["pipeline___init__.py"]
    (cloned.root / "pipeline/cli.py").write_text("print('other')\n")
    changed = cloned.distill("run-all")
    assert changed.returncode == ExitCode.APPROVAL_NEEDED
    assert "what you trusted last: 1 changed" in changed.stderr
    assert "--- a/pipeline/cli.py" in changed.stderr
    assert "more lines: distill trust --show" in changed.stderr
    shown = cloned.distill("trust", "--show").stdout
    assert "what you trusted last: 1 changed" in shown
    assert "+print('other')" in shown
    assert "engine     not trusted" in shown


def test_what_was_revoked_is_trusted_no_more(cloned: Cloned) -> None:
    cloned.distill("trust", "--trust", cloned.digest())
    assert cloned.distill("run-all").returncode == ExitCode.OK
    assert cloned.distill("trust", "--revoke").returncode == ExitCode.OK
    assert cloned.distill("run-all").returncode == ExitCode.APPROVAL_NEEDED


def test_a_lock_is_written_into_the_workspace_and_trust_follows_it(cloned: Cloned) -> None:
    lock = cloned.root / "pipeline/schemas/schemas.lock.json"
    whole = lock.read_bytes()
    lock.unlink()
    named = cloned.distill("schema", "lock", "--trust", cloned.digest())
    assert named.returncode == ExitCode.OK, named.stderr
    assert str(lock) in named.stdout
    assert lock.read_bytes() == whole
    again = cloned.distill("schema", "lock")
    assert again.returncode == ExitCode.APPROVAL_NEEDED, "named once is not remembered"
    lock.unlink()
    cloned.distill("trust", "--trust", cloned.digest())
    locked = cloned.distill("schema", "lock")
    assert (locked.returncode, lock.read_bytes()) == (ExitCode.OK, whole), locked.stderr
    nothing = cloned.distill("schema", "lock")
    assert (nothing.returncode, "nothing to change" in nothing.stdout) == (ExitCode.OK, True), nothing.stderr
    assert cloned.who_ran() == ["pipeline___init__.py"]


def test_a_lock_trusts_nothing_else_that_changed_meanwhile(cloned: Cloned) -> None:
    """The engine that locks changes a module of its workspace first, as somebody else might just then."""
    (cloned.root / "pipeline/schemas/schemas.lock.json").unlink()
    command = cloned.root / "pipeline/commands/schema.py"
    other = cloned.root / "pipeline/stages/__init__.py"
    command.write_text(f"{command.read_text()}\nPath({str(other)!r}).write_text('# other\\n')\n")
    cloned.distill("trust", "--trust", cloned.digest())
    locked = cloned.distill("schema", "lock")
    assert locked.returncode == ExitCode.OK, locked.stderr
    assert "distill trust" in locked.stderr
    assert cloned.distill("run-all").returncode == ExitCode.APPROVAL_NEEDED


def test_a_copy_that_was_spoiled_is_made_anew(cloned: Cloned) -> None:
    cloned.distill("trust", "--trust", cloned.digest())
    (copy,) = (cloned.home / "state/distill/engines").iterdir()
    module = copy / "pipeline/commands/schema.py"
    whole = module.read_bytes()
    for spoiled in (whole + marker(cloned.marks, "spoiled").encode(), whole[:-1] + b" "):
        module.write_bytes(spoiled)
        ended = cloned.distill("schema", "check")
        assert (ended.returncode, module.read_bytes()) == (ExitCode.OK, whole), ended.stderr
    assert cloned.who_ran() == ["pipeline___init__.py"]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("pipeline/cli.so", b"\x7fELF"),
        ("pipeline/other.pyc", b"\0"),
        ("pipeline/__pycache__/__init__.py", b""),
        ("pipeline/stages/data.bin", b"\0"),
    ],
)
def test_whatever_an_import_could_reach_is_digested(cloned: Cloned, name: str, data: bytes) -> None:
    before = stakes_of(cloned.root).digest
    (cloned.root / name).parent.mkdir(exist_ok=True)
    (cloned.root / name).write_bytes(data)
    assert stakes_of(cloned.root).digest != before


def test_compiled_files_that_came_along_are_not_run(cloned: Cloned) -> None:
    """An unchecked compiled file beside a harmless source would be run in its place."""
    import py_compile

    source = cloned.root / "pipeline/commands/config.py"
    harmless = source.read_text()
    evil = cloned.root / "evil.py"
    evil.write_text(marker(cloned.marks, "compiled"))
    cache = source.parent / "__pycache__" / f"config.{sys.implementation.cache_tag}.pyc"
    py_compile.compile(
        str(evil), cfile=str(cache), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
    )
    assert source.read_text() == harmless
    assert cloned.distill("config", "show", "--trust", cloned.digest()).returncode == ExitCode.OK
    assert cloned.who_ran() == ["pipeline___init__.py"]


def test_a_link_in_the_package_cannot_be_trusted(cloned: Cloned) -> None:
    (cloned.root / "pipeline/more.py").symlink_to(cloned.root / "hashlib.py")
    assert cloned.distill("run-all").returncode == ExitCode.APPROVAL_NEEDED
    refused = cloned.distill("trust", "--trust", "0" * 64)
    assert refused.returncode == ExitCode.APPROVAL_NEEDED
    assert "is a link" in refused.stderr


def test_a_book_that_others_may_write_is_not_believed(cloned: Cloned) -> None:
    cloned.distill("trust", "--trust", cloned.digest())
    (cloned.home / "state/distill/trust.json").chmod(0o666)
    assert cloned.distill("run-all").returncode == ExitCode.APPROVAL_NEEDED


def test_an_alert_command_is_called_when_it_is_trusted(cloned: Cloned) -> None:
    shutil.rmtree(cloned.root / "pipeline")
    called = cloned.marks / "alert"
    (cloned.root / "distill.toml").write_text(
        SETTINGS.replace('"workspace"', '"installed"') + f'\n[alert]\ncommand = ["touch", "{called}"]\n'
    )
    assert cloned.distill("watch", "--once").returncode == ExitCode.APPROVAL_NEEDED
    assert cloned.who_ran() == []
    cloned.distill("trust", "--trust", cloned.digest())
    assert cloned.distill("watch", "--once").returncode != ExitCode.APPROVAL_NEEDED


@pytest.mark.parametrize("words", [["status", "--firewall-seconds", "0"], ["config", "show"], ["trust"]])
def test_settings_without_end_are_refused_by_their_size(cloned: Cloned, words: list[str]) -> None:
    keys = "".join(f"k{number} = 1\n" for number in range(400_000))
    (cloned.root / "distill.toml").write_text(keys)
    began = os.times().children_user
    ended = cloned.distill(*words)
    assert os.times().children_user - began < 8.0, "parsed before it was refused"
    assert "Traceback" not in ended.stderr
    if words[0] == "config":
        assert ended.returncode == ExitCode.USAGE
        assert "is larger than 1048576 bytes" in ended.stderr
