"""The fenced blocks of a page, and a workspace in which they are carried out in their order."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from pipeline.contracts import paths

_BLOCK = re.compile(r"^( *)```([^\s`]*)(?: ([^\s`]+))?\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_FENCE = re.compile(r"^ *```", re.MULTILINE)
_TELLS = "; echo $?"
# What an example of a page may start beside our own program.
_TOOLS = ("cp", "rm", "sed")
DISTILL = Path(sys.executable).with_name("distill")


class Block(NamedTuple):
    """``word`` follows the language: the workspace's file that the text is of. ``line`` counts from 1."""

    language: str
    word: str
    text: str
    line: int


def blocks(page: str) -> list[Block]:
    """Every fenced block. Raises ValueError for a fence that opens or closes none of them."""
    found = [
        Block(
            match[2],
            match[3] or "",
            textwrap.dedent(match[4]),
            page.count("\n", 0, match.start()) + 1,
        )
        for match in _BLOCK.finditer(page)
    ]
    if len(_FENCE.findall(page)) != 2 * len(found):
        raise ValueError("a fence stands alone")
    return found


def put(workspace: Path, block: Block) -> None:
    """Write what a block says a file holds."""
    path = workspace / block.word
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(block.text, encoding="utf-8")


def holds(workspace: Path, block: Block) -> bool:
    """Whether the file holds each line as a row; when a run was is told by no page."""
    rows = _timeless((workspace / block.word).read_text(encoding="utf-8"))
    shown = _timeless(block.text)
    return bool(shown) and all(row in rows for row in shown)


def _timeless(text: str) -> list[dict[str, object]]:
    return [{**json.loads(line), "recorded_at": ""} for line in text.splitlines()]


def carry_out(workspace: Path, command: str) -> tuple[str, int]:
    """What a command of a page prints to standard output, and how it ends. No shell reads it."""
    program, *arguments = shlex.split(command)
    if program not in ("distill", *_TOOLS):
        raise ValueError(f"a page starts {program}")
    argv = [DISTILL if program == "distill" else program, *arguments]
    ended = subprocess.run(argv, cwd=workspace, capture_output=True, text=True, check=False)
    return ended.stdout, ended.returncode


def sessions(block: Block) -> Iterator[tuple[str, bool, str]]:
    """Each command of a ``console`` block, whether its exit code is told, and what is printed."""
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, _, printed = part.partition("\n")
        yield command.removesuffix(_TELLS), command.endswith(_TELLS), printed


def is_as_shown(printed: str, shown: str) -> bool:
    """``…`` stands for the rest of a line, and alone on the last one for all that follows."""
    head = shown.removesuffix("…\n")
    pattern = re.escape(head).replace("…", "[^\n]*") + ("" if head == shown else "(?:.|\n)*")
    return re.fullmatch(pattern, printed) is not None


def copied(workspace: Path, made: Path, files: Mapping[str, str], settings: str) -> Path:
    """A copy at ``made`` with more files (or more lines of a file) and more settings."""
    shutil.copytree(workspace, made, symlinks=True)
    for name, text in {**files, str(paths.SETTINGS): settings}.items():
        path = made / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    return made
