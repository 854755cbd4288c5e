"""The README's commands set up what they need, and say so when they cannot."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]


def _make(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=CHECKOUT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def _versions() -> str:
    command = "cat pyproject.toml constraints.txt | cksum"
    done = subprocess.run(["sh", "-c", command], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """A virtual environment whose `distill` is this checkout's, recorded as installed for it."""
    venv = tmp_path / "venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin/distill").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -P -m console "$@"\n')
    (venv / "bin/distill").chmod(0o755)
    (venv / "installed-for").write_text(f"{CHECKOUT} {_versions()}\n")
    return venv


def test_make_demo_without_a_terminal_prints_the_status_and_ends_well(
    environment: Path, tmp_path: Path
) -> None:
    done = _make("demo", f"VENV={environment}", f"DEMO={tmp_path / 'demo'}")
    assert done.returncode == 0, done.stderr
    assert "FIREWALL" in done.stdout
    assert "run_hash" in done.stderr


def test_an_environment_that_fits_is_not_installed_again(environment: Path) -> None:
    assert _make("setup", f"VENV={environment}").stdout == ""


@pytest.mark.parametrize("record", ["/somewhere/else 1 2", ""])
def test_a_moved_or_outdated_environment_is_installed_again(environment: Path, record: str) -> None:
    (environment / "installed-for").write_text(record)
    # Neither its python nor the one to make a new one works: an attempt to install is seen.
    (environment / "bin/python").write_text("#!/bin/sh\nexit 1\n")
    (environment / "bin/python").chmod(0o755)
    assert _make("setup", f"VENV={environment}", "PYTHON=false").returncode != 0
    assert not (environment / "installed-for").read_text().startswith(str(CHECKOUT))


def test_without_a_usable_python_make_says_what_to_do_in_three_lines(tmp_path: Path) -> None:
    done = _make("setup", f"VENV={tmp_path / 'venv'}", "PYTHON=")
    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert [line.split("  ")[0] for line in lines[:3]] == ["what happened", "kept safe", "do next"]
    assert not (tmp_path / "venv").exists()
