"""Ask the engine for a row's lineage, as a subprocess; the answer as links from the top down.

The console imports no engine code: ``distill lineage ID --json`` is run and its answer read as
leniently as any report. The query ends with the task that awaits it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pipeline.contracts.discovery import engine_argv
from pipeline.contracts.plurals import plural
from pipeline.platform.async_process import run_async
from pipeline.platform.engine_choice import choose_engine
from pipeline.platform.lenient_json import (
    Json,
    count_of,
    flag_of,
    number_of,
    object_of,
    object_or_none,
    objects_of,
    text_of,
    texts_of,
)

LIMIT_SECONDS = 120.0
MOST_ANSWER_BYTES = 16 * 1024 * 1024
_EXPORT_ID = re.compile(r"(rag|sft|pref)-[0-9a-f]{16}\Z")

State = Literal["ok", "break", "missing", "unchecked", "gone", "note"]


@dataclass(frozen=True, slots=True)
class Link:
    """One place on the way. ``breaks`` are what it and the link above it do not agree on."""

    what: str
    state: State
    file: str = ""
    line: int | None = None
    byte_offset: int | None = None
    words: tuple[str, ...] = ()
    breaks: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class Lineage:
    """``trouble`` says why there is no chain; then ``links`` are empty."""

    asked: str
    ok: bool | None = None
    links: tuple[Link, ...] = ()
    trouble: tuple[str, ...] = ()


def asked_of(relative: str, line: int | None, row: Mapping[str, Any] | None) -> str | None:
    """What to ask about a row: its id, its run, or its place; None when none of them is known."""
    for name in ("id", "run_id", "source_run_id"):
        value = (row or {}).get(name)
        if isinstance(value, str) and value and (name != "id" or _EXPORT_ID.match(value)):
            return value
    file, number = (row or {}).get("file"), (row or {}).get("line")
    if isinstance(file, str) and isinstance(number, int):
        return f"{file}:{number}"
    return f"{relative}:{line}" if line is not None else None


def lineage_argv(root: Path, asked: str) -> list[str]:
    return engine_argv(["lineage", "-C", str(root), "--json", "--", asked])


def _from_anywhere(root: Path) -> Path:
    """An absolute root: the engine works in another directory, where a relative one is another."""
    return root.absolute()


async def ask(root: Path, asked: str) -> Lineage:
    """The lineage of ``asked``. Raises what ``choose_engine`` raises for an engine that may not run."""
    root = _from_anywhere(root)
    ended = await run_async(
        lineage_argv(root, asked),
        limit_seconds=LIMIT_SECONDS,
        cwd=root,
        env=choose_engine(root).environment(),
        keep_bytes=MOST_ANSWER_BYTES,
    )
    if ended.exit_code is None:
        return Lineage(asked, trouble=(ended.why,))
    return read_answer(asked, ended.stdout, ended.narration, ended.exit_code)


def read_answer(asked: str, answer: bytes, said: str, exit_code: int | None) -> Lineage:
    """The engine's JSON as links; its words on stderr where it gave none."""
    data = object_or_none(answer)
    if data is None:
        lines = tuple(text for text in said.splitlines() if text.strip())[:6]
        return Lineage(asked, trouble=lines or (f"the engine gave no answer, exit {exit_code}",))
    links: list[Link] = []
    if row := object_of(data, "row"):
        links.append(_found("row", row))
    if skip := object_of(data, "skip"):
        links.append(_found("skipped", skip))
    if source := object_of(data, "skipped_source"):
        links.append(_source(source))
    for chain in objects_of(data, "chains"):
        links += _chain(chain)
    return Lineage(asked, flag_of(data, "ok"), tuple(links))


def _chain(chain: Json) -> list[Link]:
    broken = texts_of(chain, "broken")
    parts = {part: tuple(text for text in broken if _part_of(text) == part) for part in _PARTS}
    role = text_of(chain, "role") or "run"
    links = [Link(role, "note", words=(text_of(chain, "run_id") or "?",))]
    for part in ("scored", "evidence"):
        found = object_of(chain, part)
        link = _found(part, found) if found else Link(part, "missing")
        links.append(_with_breaks(link, parts[part]))
    source = object_of(chain, "source")
    link = _source(source) if source else Link("source", "missing", words=("no row names its line",))
    links.append(_with_breaks(link, parts["source"]))
    links += [_found("elsewhere", other) for other in objects_of(chain, "elsewhere")[:50]]
    return links


_PARTS = ("scored", "evidence", "source")


def _part_of(sentence: str) -> str:
    """The link above which a broken claim is shown: the first of the two that it speaks of, downwards."""
    if sentence.startswith(("the row says", "no scored")) or "row and scored" in sentence:
        return "scored"
    if sentence.startswith(("no evidence", "the run id")) or sentence.endswith("different source lines"):
        return "evidence"
    return "source"


def _with_breaks(link: Link, breaks: tuple[str, ...]) -> Link:
    if not breaks:
        return link
    state: State = "missing" if link.state == "missing" else "break"
    return Link(link.what, state, link.file, link.line, link.byte_offset, link.words, breaks, link.text)


def _found(what: str, found: Json) -> Link:
    names = ["what", "id", "quality_score", "source_category", "category"]
    # What stands elsewhere says in ``what`` why it does.
    names += ["reason"] if what != "elsewhere" else []
    words = [text_of(found, name) or "" for name in names]
    score = number_of(found, "score")
    words += [f"score {score:.2f}"] if score is not None else []
    words += [
        ", ".join(texts_of(found, "reasons")),
        f"task {text_of(found, 'task_id')}" if text_of(found, "task_id") else "",
    ]
    return Link(
        what,
        "note" if what == "elsewhere" else "ok",
        text_of(found, "file") or "",
        count_of(found, "line"),
        count_of(found, "byte_offset"),
        tuple(dict.fromkeys(word for word in words if word)),
    )


def _source(source: Json) -> Link:
    states: dict[str, State] = {"ok": "ok", "disagree": "break", "source_gone": "gone"}
    state = states.get(text_of(source, "state") or "", "unchecked")
    size = count_of(source, "bytes")
    words = {
        "ok": "sha256 equal, recomputed now",
        "break": "sha256 differs: these are not the bytes that were read",
        "gone": "source gone, digest kept",
    }.get(state, "not checked")
    offset = count_of(source, "byte_offset") or 0
    told = ((f"offset {offset}", plural(size, "byte")) if size is not None else ()) + (words,)
    return Link(
        "source",
        state,
        text_of(source, "file") or "",
        count_of(source, "line"),
        count_of(source, "byte_offset"),
        tuple(word for word in (*told, text_of(source, "why") or "") if word),
        text=text_of(source, "text") or "",
    )
