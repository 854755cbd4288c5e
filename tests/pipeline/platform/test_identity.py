"""Who acts: one answer, whoever asks."""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import time
from pathlib import Path

import pytest

from console.control.lease import LEASE, ControlLease
from pipeline.contracts import paths
from pipeline.platform.identity import is_running, user_name, who_acts
from pipeline.platform.lock import hold_workspace, holder_of
from pipeline.reading.lock_facts import read_lock
from runbook.change.incident import open_incident

NOBODY = 65534


def _account() -> str:
    return pwd.getpwuid(os.getuid()).pw_name


def test_under_sudo_person_and_account_are_named_and_every_asker_says_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_USER", "maria")
    for name in ("USER", "LOGNAME"):
        monkeypatch.setenv(name, "somebody-else")
    expected = f"maria (as {_account()})"
    assert user_name() == expected
    incident = open_incident(tmp_path, None, "by hand")
    entry = incident.journal.append("opened", "detected")
    console = ControlLease(tmp_path, user_name())
    assert console.acquire() is None
    with hold_workspace(tmp_path, command="run-all"), incident.lease():
        told = {
            "journal": entry.actor,
            "opened by": incident.facts["opened_by"],
            "run lock": json.loads((tmp_path / paths.LOCK).read_bytes())["user"],
            "screens": read_lock(tmp_path, 0.0).user,
            "console's lease": getattr(holder_of(tmp_path, LEASE), "user", None),
            "incident's lease": getattr(incident.lease_holder(), "user", None),
        }
    assert set(told.values()) == {expected}, told
    console.leave()


def test_the_account_is_told_by_the_kernel_and_not_by_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)
    for name in ("USER", "LOGNAME"):
        monkeypatch.setenv(name, "somebody-else")
    assert user_name() == _account()
    monkeypatch.setenv("SUDO_USER", _account())
    assert user_name() == _account()


def test_an_account_without_a_name_is_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_000)
    assert user_name() == "uid 4000000000"


def test_a_hostile_name_reaches_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "\x1b[2Jmaria" + "x" * 500)
    assert "\x1b" not in user_name()
    assert len(user_name()) < 120


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
def test_another_account_is_named_by_its_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "maria")
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.setuid(NOBODY)
        me = who_acts()
        os.write(writing, f"{me.user}|{me.pid}".encode())
        os._exit(0)
    os.waitpid(child, 0)
    said = os.read(reading, 200).decode()
    os.close(reading)
    os.close(writing)
    assert said == f"maria (as {pwd.getpwuid(NOBODY).pw_name})|{child}"


def test_a_process_runs_on_until_its_end_and_its_number_is_not_taken_for_it() -> None:
    began = time.time()
    child = subprocess.Popen(["sleep", "60"])
    try:
        assert is_running(child.pid, began)
        assert is_running(child.pid, None)
        assert not is_running(child.pid, began - 3600), "the number was another process's then"
    finally:
        child.kill()
        child.wait()
    assert not is_running(child.pid, began)
