"""The draft that docs/streams.md shows is the draft that is printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipeline.cli import main
from pipeline.contracts.faults import ExitCode

PAGE = (Path(__file__).parents[3] / "docs" / "streams.md").read_text(encoding="utf-8")


def test_the_draft_on_the_page_is_what_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    section = PAGE.split("## A draft for a new log\n")[1].split("\n## ")[0]
    text, shown = section.split("\nit prints\n")
    shown, tried = shown.split("\nand on stderr what came of it:\n")
    log = re.findall(r"^    (\{.*\})$", text, re.MULTILINE)
    file = tmp_path / "data" / "_kb" / "quiz.jsonl"
    file.parent.mkdir(parents=True)
    file.write_text("\n".join(log) + "\n", encoding="utf-8")
    (tmp_path / "distill.toml").write_text('[workspace]\nname = "w"\n')
    assert len(log) == 3
    assert main(["streams", "suggest", "data/_kb/quiz.jsonl", "-C", str(tmp_path)]) == ExitCode.OK
    printed, told = capsys.readouterr()
    assert printed.strip("\n").splitlines() == _unindented(shown)
    assert told.splitlines()[:-1] == _unindented(tried)


def _unindented(shown: str) -> list[str]:
    return [line.removeprefix("    ") for line in shown.strip("\n").splitlines()]
