"""Not one control byte reaches the terminal that did not come from us, whatever data says.

A console on a pseudo-terminal walks through its screens on a workspace in which every text that
somebody else may write is hostile. What it wrote is compared with what it writes on a harmless one.
"""

from __future__ import annotations

import base64
import fcntl
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.contracts import paths
from pipeline.contracts.untrusted import visible_lines
from tests.console.terminals import ARGV, DIALOGUE_LOOKS, Terminal, environment
from tests.git_commands import git

AT = "2026-04-27T06:00:00Z"
RUN_ID = "20260427T060000Z-3f2a"
STOLEN = "cm0gLXJmIC8="
HOSTILE = (
    f"\x1b]52;c;{STOLEN}\x07",
    f"\x1bPtmux;\x1b\x1b]52;c;{STOLEN}\x07\x1b\\",
    "\x1b[2J\x1b[H\x1b[41;5m",
    "\x1b]0;owned\x07\x1b]8;;http://owned\x1b\\link\x1b]8;;\x1b\\",
    "\x9b31m\x9d0;owned\x9c\x85\x90q",
    "\x00\x07\x08\x0b\x0c\x0e\x0f\x7f",
    "\x1b(0\x1b#8\x1bc\x1b[?1049l\x1b[6n\x1b[c\x1b[21t",
    "\u202egnp.elif\u202c\u2066x\u2069\u200e\u200f\u061c",
    "\u2028\u2029\u200b\u200d\ufeff\u2060",
    "\ud800\udfff",
    "\U000e0041\ue000",
    "[/red][bold]x[/bold][@click=app.quit]y[/] [/tmp/x]",
    "a\r\nb\tc\x1bM",
)
# What a folder's name may hold: all but slashes and what is no name in any encoding.
_FOLDER = "".join(HOSTILE).replace("/", "").replace("\0", "").replace("\ud800\udfff", "\udcff")[:120]
_HARMLESS = tuple(f"text number {number}" for number in range(len(HOSTILE)))
# What must never be sent: C0 and C1 controls but for line ends, bidirectional and invisible ones.
_LEFT_OVER = re.compile(
    "[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200d-\u200f\u2028-\u202e\u2060-\u2069\ufeff"
    "\ue000-\uf8ff\U000e0000-\U000e007f]"
)
_SEQUENCE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|P[^\x1b]*\x1b\\|[ -/]*[0-~])"
)
_OF_PLACE_OR_INK = re.compile(r"\x1b\[[0-9;]*[Hm]")


def make(root: Path, texts: tuple[str, ...]) -> None:
    """A workspace whose every foreign text is one of ``texts``, or all of them."""
    every = " ".join(texts)
    (root / paths.STATE).mkdir(parents=True)
    # Short ones leave room on the line at the top for what stands beside them.
    name, short = in_toml(every), texts[2][:5]
    (root / "distill.toml").write_text(
        f"[workspace]\nname = {in_toml(short)}\n"
        f"last_good_tag = {in_toml(f'tagged-{short}')}\n\n[console]\nkeys = {{ {name} = [{name}] }}\n\n"
        f"[[stream]]\nname = {name}\ntier = 1\npath = [{name}]\n",
        encoding="utf-8",
    )
    repository(root, texts)
    row: dict[str, object] = {
        "id": every,
        "run_id": every,
        "task_id": every,
        "stream": every,
        "quality_score": every,
    }
    row |= {"messages": [{"role": "user", "content": every}], "provenance": {"source_file": every, "line": 1}}
    check = {"id": every, "phase": "P4", "status": "fail", "title": every, "observed": every, "detail": every}
    summary = {"pipeline_run_id": RUN_ID, "command": every, "ok": True, "run_hash": every, "warnings": texts}
    summary |= {
        "counts": {"lines": 3, every: 4},
        "streams": {every: {"lines": 3, "accepted": 1, "evidence": 3}},
    }
    skips = [{"stream": text, "file": text, "line": 1, "reason": text, "detail": text} for text in texts]
    write(root, paths.SFT_EXPORT, row)
    write(root, paths.EVIDENCE / "a.jsonl", row)
    write(root, paths.DISTILLATION_SKIPS, *skips)
    write(root, paths.summary_file(RUN_ID), summary)
    drift: list[dict[str, object]] = [drifted(text, "warn") for text in texts]
    drift += [drifted(text, "missing") for text in texts]
    audit: dict[str, object] = {
        "checks": [check],
        "verdict": every,
        "notes": texts,
        "drift": drift,
        "finished_at": AT,
    }
    write(root, paths.AUDIT_REPORT.with_suffix(".json"), audit)
    freeze: dict[str, object] = {
        "checks": [check],
        "notes": texts,
        "verdict": every,
        "tag": every,
        "finished_at": AT,
    }
    freeze |= {"git": {"head": every, "branch": every}}
    write(root, paths.RELEASE_FREEZE.with_suffix(".json"), freeze)
    manifest = {"tag": every, "git_branch": every, "released_at": AT, "gates": [{"name": every}]}
    write(root, paths.RELEASE_MANIFEST, manifest)
    started = {"pipeline_run_id": RUN_ID, "command": every, "workspace": every, "pid": 1, "host": every}
    events = [{"type": "run.started", **started, "user": every, "stages": [every]}]
    events += [
        {"type": "log", "level": "error", "message": text, "fault": {"do_next": text}} for text in texts
    ]
    events += [{"type": text, "raw": text} for text in texts]
    events += [{"type": "drift.row", "row": drifted(text, "warn")} for text in texts]
    events += [{"type": "stage.progress", "stage": text, "by_stream": {text: {text: 3}}} for text in texts]
    lines = [{"seq": number, "at": AT, **event} for number, event in enumerate(events, start=1)]
    write(root, paths.events_file(RUN_ID), *lines)


def in_toml(text: str) -> str:
    whole = text.encode("utf-8", "replace").decode()  # TOML has no lone surrogates
    return json.dumps(whole, ensure_ascii=False).replace("\x7f", "\\u007f")


def drifted(name: str, status: str) -> dict[str, object]:
    """A metric whose every text is ``name``; its number is one that any table has room for."""
    cause = {"dimension": "stream", "name": name, "baseline": 1, "current": 2, "share": 1.0}
    return {
        "metric": f"metric-{name}", "phase": "P3", "baseline": 1, "current": 2, "delta_ratio": 1.0, "z": 4.0,
        "status": status, "trend": [1, 2], "since": name, "causes": [cause], "kind": name, "dismissed": name,
    }  # fmt: skip


def repository(root: Path, texts: tuple[str, ...]) -> None:
    """A branch and a tag named by what git lets through: all but controls, spaces and some marks.

    ``HEAD`` is a file that anybody can write, so that it is written, and git has to make of it what it can.
    """
    git(root, "init", "-q", "-b", "main")
    git(root, "commit", "-q", "--allow-empty", "-m", texts[0].encode("utf-8", "replace").decode())
    allowed = re.sub(r"[\x00-\x20\x7f~^:?*\[\\/]|\.\.|@\{", "", "".join(texts[4:8]))
    name = f"branch-{allowed}".encode("utf-8", "ignore")[:22].decode(errors="ignore").strip(".").encode()
    git(root, "update-ref", b"refs/tags/" + name, "HEAD")
    git(root, "update-ref", b"refs/heads/" + name, "HEAD")
    git(root, "symbolic-ref", "HEAD", b"refs/heads/" + name)


def write(root: Path, name: object, *rows: object) -> None:
    path = root / str(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


@contextmanager
def held_by(root: Path, words: str) -> Iterator[None]:
    """The workspace's lock, held by somebody who calls himself ``words``."""
    holder = {
        "pid": 1,
        "host": words,
        "user": words,
        "command": words,
        "pipeline_run_id": RUN_ID,
        "since": AT,
    }
    with (root / paths.LOCK).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(json.dumps(holder) + "\n")
        file.flush()
        yield


def walk(root: Path, texts: tuple[str, ...], size: tuple[int, int]) -> str:
    """All that a console writes on its way through every screen, dialogue and notice."""
    make(root, texts)
    with (
        held_by(root, " ".join(texts)),
        Terminal([*ARGV, "-C", str(root)], environment(), size=size) as terminal,
    ):
        terminal.read_until(lambda written: b"quit" in written and b"BREACH" in written, "the alarm")
        terminal.settle()
        terminal.answer(b"b", b"\x1b", b"e", b"\x1b", b"?", b"\x1b", b":", b"\x1b")
        terminal.answer(b"y", b"c", b"2", b"y", b"4", b"z", b"y", b"G", b"z", b"v", b"\x13")
        for title in ("Audit", "Runs", "D Rows", "Skips", "F Release", "W Runbook", "Incidents"):
            seen = len(terminal.written)
            terminal.answer(title[:1].encode())
            drawn = _SEQUENCE.sub("", terminal.written[seen:].decode(errors="surrogateescape"))
            assert f"› {title.split()[-1]}" in drawn
            terminal.answer(b"\r", b"y", b"c")  # opens what is marked, where something is
        terminal.answer(b"\x1b\x1b", b"a", b"because\r", b"x", b"\x1b", looks=DIALOGUE_LOOKS)
        terminal.send(b"q")
        terminal.wait()
        return bytes(terminal.written).decode(errors="surrogateescape")


def kinds(written: str) -> set[str]:
    """Sequences that neither move the cursor nor change the ink; copies that we made are one kind."""
    found = {match.group() for match in _SEQUENCE.finditer(written)}
    found = {text for text in found if not _OF_PLACE_OR_INK.fullmatch(text)}
    return {"copy" if text.startswith("\x1b]52;c;") and STOLEN not in text else text for text in found}


def copies(written: str) -> list[str]:
    """What was put on the clipboard, on the way out of tmux or not."""
    found = re.findall(r"\x1b\]52;c;([A-Za-z0-9+/=]+)\x07", written)
    return [base64.b64decode(text).decode("utf-8", "surrogatepass") for text in found]


def test_on_a_hostile_workspace_only_our_own_bytes_are_written(tmp_path: Path) -> None:
    expected = kinds(walk(tmp_path / "harmless", _HARMLESS, (120, 40)))
    for size in ((120, 40), (80, 24)):
        root = tmp_path / f"{size[0]}{_FOLDER}"
        written = walk(root, HOSTILE, size)
        assert len(copies(written)) >= 6
        for text in copies(written):
            assert visible_lines(text) == text.split("\n")
            assert "\n" not in text or not text.startswith("distill")  # a command is one line
        assert kinds(written) <= expected
        rest = _SEQUENCE.sub("", written)
        assert _LEFT_OVER.findall(rest) == ["\x07"]  # the alarm's bell, once
        assert STOLEN in rest  # the texts were on the screen, visibly
        for seen in ("metric-", *(("branch-", "tagged-") if size[0] > 80 else ())):
            assert seen in rest
        for saved in (root / "reports/console").iterdir():
            assert re.findall("[\x00-\x09\x0b-\x1f\x7f-\x9f]", saved.read_text(encoding="utf-8")) == []


def test_hostile_text_in_the_plain_console_is_only_text(tmp_path: Path) -> None:
    make(tmp_path, HOSTILE)
    with Terminal([*ARGV, "--plain", "-C", str(tmp_path)], environment()) as terminal:
        terminal.read_until(lambda written: b"number or name" in written, "the prompt")
        for choice in (b"1", b"2", b"7", b"8", b"\x1b[2J"):
            terminal.answer(choice + b"\n")
        terminal.send(b"0\n")
        assert terminal.wait() == 0
    text = bytes(terminal.written).decode().replace("^[[2J", "")
    assert _LEFT_OVER.findall(text) == []
