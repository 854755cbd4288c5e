"""What ships beside the code says what is true: README, man page, metadata, container, hooks."""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
import tomllib

import pytest

from console import keymap
from console.cli.commands import BY_NAME
from tests.docs import commands_page
from tests.docs.pages import CHECKOUT

PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")


def test_the_readme_has_ten_keys_that_there_are() -> None:
    keys = re.findall(r"^\| `(\S+)` \| ", README, re.MULTILINE)
    assert len(keys) == len(set(keys)) == 10
    known = {keymap.shown(key) for action in keymap.ACTIONS for key in action.keys}
    assert set(keys) <= known


def test_the_story_of_the_readme_is_told_in_pictures_in_order() -> None:
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
    assert pictures == ["docs/images/alarm.svg", "docs/tour/wizard.svg", "docs/tour/replay.svg"]
    assert all((CHECKOUT / picture).is_file() for picture in pictures)


@pytest.mark.skipif(shutil.which("groff") is None, reason="no groff on PATH")
def test_the_man_page_is_drawn_without_a_warning() -> None:
    argv = ["groff", "-man", "-Tascii", "-ww", str(CHECKOUT / "docs/man/distill.1")]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    plain = re.sub(r"\x1b\[[0-9;]*m|.\x08", "", done.stdout)
    assert all(f"distill {name}" in plain for name in BY_NAME)


def test_no_line_of_the_man_page_is_taken_for_a_request() -> None:
    for line in commands_page.man_page().splitlines():
        assert not line.startswith("'")
        if line.startswith("."):
            assert re.match(r"\.(\\\"|TH|SH|SS|TP|PP|B)( |$)", line)


def test_the_metadata_names_no_address_and_what_the_code_needs() -> None:
    assert PROJECT["readme"] == "README.md"
    assert PROJECT["license"] == "MIT"
    assert "urls" not in PROJECT
    assert all("name" in author and "email" not in author for author in PROJECT["authors"])
    lowest = PROJECT["requires-python"].removeprefix(">=")
    assert f"Programming Language :: Python :: {lowest}" in PROJECT["classifiers"]


def test_the_container_installs_by_the_pins_for_a_user_without_rights() -> None:
    text = (CHECKOUT / "Dockerfile").read_text(encoding="utf-8")
    assert "--constraint constraints.txt ." in text
    assert re.search(r"^USER [1-9]\d+$", text, re.MULTILINE)
    tag = PROJECT["requires-python"].removeprefix(">=")
    assert set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) == {f"python:{tag}-slim-bookworm"}
    assert {".git", ".venv"} <= set((CHECKOUT / ".dockerignore").read_text(encoding="utf-8").split())


def test_a_hook_runs_a_command_that_there_is() -> None:
    hooks = importlib.import_module("yaml").safe_load(
        (CHECKOUT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    )
    assert [hook["id"] for hook in hooks] == ["distill-firewall", "distill-streams"]
    for hook in hooks:
        program, name, *_ = hook["entry"].split()
        assert (program, name in BY_NAME, hook["pass_filenames"]) == ("distill", True, False)
        assert re.search(hook["files"], "exports/sft/x.jsonl") or re.search(hook["files"], "distill.toml")
