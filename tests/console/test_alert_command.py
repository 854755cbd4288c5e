from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from console.watch.alert_command import alert_command, call_alert_command
from pipeline.contracts.faults import SettingsError
from tests.console.polling import wait_until

ALERT = {"kind": "raised", "symptom": {"id": "S1"}}


def script(code: str) -> list[str]:
    return [sys.executable, "-c", code]


async def test_the_alert_arrives_on_standard_input_and_arguments_stay_as_they_are(tmp_path: Path) -> None:
    code = "import sys; open('got', 'w').write(sys.argv[1] + sys.stdin.read())"
    assert await call_alert_command([*script(code), "$(id) ; rm -rf *"], ALERT, tmp_path) is None
    got = (tmp_path / "got").read_text()
    assert got.startswith("$(id) ; rm -rf *")
    assert json.loads(got.removeprefix("$(id) ; rm -rf *")) == ALERT


async def test_a_failing_command_is_told_with_its_first_words(tmp_path: Path) -> None:
    why = await call_alert_command(script("import sys; sys.exit('no\\x1b pager')"), ALERT, tmp_path)
    assert why is not None
    assert why.endswith("ended with 1: no\\x1b pager")


async def test_a_command_that_is_not_there_is_told(tmp_path: Path) -> None:
    why = await call_alert_command(["/no/such/pager"], ALERT, tmp_path)
    assert why == "/no/such/pager could not be started: No such file or directory"


async def test_a_command_that_hangs_is_ended_with_what_it_started(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "open('child', 'w').write(str(child.pid)); time.sleep(600)\n"
    )
    why = await call_alert_command(script(code), ALERT, tmp_path, timeout_seconds=2.0)
    assert why is not None
    assert "took longer than 2 s" in why
    child = int((tmp_path / "child").read_text())
    wait_until(lambda: _is_gone(child), "the end of what the command started")


def _is_gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state == "Z"


async def test_a_command_that_reads_nothing_is_no_failure(tmp_path: Path) -> None:
    big = {**ALERT, "padding": "x" * 1_000_000}
    assert await call_alert_command(script("pass"), big, tmp_path) is None


def workspace(tmp_path: Path, text: str) -> Path:
    (tmp_path / "distill.toml").write_text(text)
    return tmp_path


def test_the_command_is_the_list_of_the_settings(tmp_path: Path) -> None:
    assert alert_command(workspace(tmp_path, '[alert]\ncommand = ["page", "me"]\n')) == ("page", "me")
    assert alert_command(workspace(tmp_path, "")) == ()


@pytest.mark.parametrize("text", ["[alert]\ncommand = 3\n", "[alert]\ncommand = [3]\n", "not toml"])
def test_a_command_that_cannot_be_used_is_a_settings_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError):
        alert_command(workspace(tmp_path, text))


def test_settings_that_everybody_may_write_run_nothing(tmp_path: Path) -> None:
    root = workspace(tmp_path, '[alert]\ncommand = ["page"]\n')
    (root / "distill.toml").chmod(0o666)
    with pytest.raises(SettingsError, match="anybody may write it"):
        alert_command(root)
