"""Four runs and the three exports of them, to be falsified: a text, a turn, a side of a pair."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.contracts import paths
from pipeline.firewall.places import Places
from pipeline.firewall.report import Report
from pipeline.firewall.scan import scan
from pipeline.stages.export_preference import preference_row
from pipeline.stages.export_rag import rag_row
from pipeline.stages.export_sft import sft_row
from tests.pipeline.firewall.corpus import BAD, GOOD, Corpus, Run, line, turn
from tests.pipeline.stages.builders import OPTIONS

Row = dict[str, Any]
SFT, RAG, PAIRS = paths.SFT_EXPORT, paths.RAG_EXPORT, paths.PREFERENCE_EXPORT
CHAT = [
    turn("system", "Be brief."),
    turn("user", "Is it up?"),
    turn("assistant", "Let me look.", [("look", '{"host": "a", "n": 1}')]),
    turn("tool", "up"),
    turn("assistant", "It is up."),
    turn("user", "Thanks"),
]
LAZY = [*CHAT[:2], turn("assistant", "No idea, sorry.")]


def flat(name: str, category: str, response: str, **more: Any) -> Run:
    run = Run(name, category, response, task="flat", **more)
    run.context = "The year is 2026."
    return run


def written_exports(tmp_path: Path) -> Path:
    """Four runs, and the three exports as the exporters write them."""
    good, bad = flat("good", GOOD, "Forty-two,\nI think."), flat("bad", BAD, "Forty-three.")
    chat, lazy = (
        Run(name, category, None, task="chat", instruction=None, messages=messages)
        for name, category, messages in (("chat", GOOD, CHAT), ("lazy", BAD, LAZY))
    )
    corpus = Corpus(tmp_path)
    corpus.runs(good, bad, chat, lazy)
    rows: dict[PurePosixPath, list[Row]] = {}
    for run in (good, chat):
        rows.setdefault(paths.SFT_EXPORT, []).append(made(sft_row(run.evidence(), run.scored(), OPTIONS)))
        rows.setdefault(paths.RAG_EXPORT, []).append(made(rag_row(run.evidence(), run.scored(), OPTIONS)))
    for better, worse in ((good, bad), (chat, lazy)):
        pair = preference_row(better.evidence(), better.scored(), worse.evidence(), worse.scored(), OPTIONS)
        rows.setdefault(paths.PREFERENCE_EXPORT, []).append(made(pair))
    for place, written in rows.items():
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_bytes(b"".join(map(line, written)))
    manifest = {"schemas": {"sft": 2, "rag": 2, "preference": 2}}
    (tmp_path / paths.EXPORTS / "manifest.json").write_text(json.dumps(manifest))
    return tmp_path


def made(row: Any) -> Row:
    assert isinstance(row, dict), row
    return row


def look(root: Path) -> Report:
    return scan(Places.of(root, None, (), ()))


def edited(root: Path, place: PurePosixPath, number: int, change: Callable[[Row], None]) -> Report:
    path = root / place
    lines = path.read_bytes().splitlines(keepends=True)
    row = json.loads(lines[number])
    change(row)
    lines[number] = line(row)
    path.write_bytes(b"".join(lines))
    return look(root)


def said(at: int, name: str, text: str, where: str = "messages") -> Callable[[Row], None]:
    def change(row: Row) -> None:
        row[where][at][name] = text

    return change


def member(name: str, text: str) -> Callable[[Row], None]:
    return lambda row: row.__setitem__(name, text)


def both(*changes: Callable[[Row], None]) -> Callable[[Row], None]:
    def change(row: Row) -> None:
        for each in changes:
            each(row)

    return change
