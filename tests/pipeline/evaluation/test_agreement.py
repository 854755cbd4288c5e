"""Exporter and firewall agree on generated texts, and share no line of code.

What the exporter lets through the firewall calls clear, or no run could end; what it refuses for
``evaluation_overlap`` the firewall finds when it is put back.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts.faults import InputError
from pipeline.engine.chunk_entries import LineEntry
from pipeline.engine.chunk_index import ChunkIndex
from pipeline.engine.reduce import Reducer, pair_options
from pipeline.engine.row_builder import RowBuilder
from pipeline.evaluation.sets import load_sets
from pipeline.evaluation.tokens import tokens
from pipeline.firewall import evaluation_wall
from pipeline.firewall.evaluation_sets import cut_code, cut_words
from pipeline.settings.model import Settings
from tests.pipeline.engine.workspaces import encoded
from tests.pipeline.firewall.corpus import BAD, GOOD, OPEN, PARTLY, Run, line, turn

DECLARED = """\
[[evaluation]]
name = "quiz"
path = "quiz.jsonl"
prompt = "q"
"""
ANSWERED = 'answer = "a"\n'
STREAM = '[[stream]]\nname = "chat"\npath = "data/_kb/chat.jsonl"\nfields = { task_id = "t" }\n'
_VOCABULARY = [f"word{number}" for number in range(20)]
# Inside of words, where nobody sees them: ignorable ones, joiners, marks of annotation, controls.
_HIDDEN = (
    "\u200b\u00ad\u034f\u200c\u200d\u2060\ufeff\ufe0f\u3164\U000e0041\ufff9\x00\x01\x1b\x1c\x1f\x7f\x80\x9f"
)
_SPELLINGS: st.SearchStrategy[Callable[[str], str]] = st.one_of(
    st.sampled_from([str, str.upper, lambda text: text.replace(" ", ", "), lambda text: f"({text})"]),
    st.sampled_from(_HIDDEN).map(lambda hidden: lambda text: text.replace("ord", f"o{hidden}rd")),
)


@st.composite
def phrases(draw: st.DrawFn) -> str:
    """A run of the vocabulary's words, spelt somehow: 7 to 9 and 15 to 17 lie around the boundaries."""
    count = draw(st.sampled_from([3, 7, 8, 9, 12, 15, 16, 17, 20]))
    start = draw(st.integers(0, len(_VOCABULARY) - count))
    return draw(_SPELLINGS)(" ".join(_VOCABULARY[start : start + count]))


TEXTS = st.one_of(
    phrases(),
    st.tuples(phrases(), phrases()).map(" and ".join),
    st.sampled_from(["", "Nothing of it.", "def f(a, b): return a + b", "今日は雨が降る、明日も"]),
)
ITEMS = st.lists(st.fixed_dictionaries({"q": phrases()}, optional={"a": TEXTS}), min_size=1, max_size=4)
TURNS = st.lists(st.tuples(st.sampled_from(["system", "user", "assistant", "tool"]), TEXTS), max_size=4)
RUNS = st.lists(
    st.fixed_dictionaries(
        {
            "category": st.sampled_from([GOOD, GOOD, GOOD, PARTLY, OPEN, BAD]),
            "task": st.integers(0, 14),
            "ask": TEXTS,
            "context": TEXTS | st.none(),
            "said": TEXTS,
            "turns": TURNS | st.none(),
        }
    ),
    min_size=1,
    max_size=20,
)


def runs_of(drawn: Sequence[dict[str, Any]]) -> list[Run]:
    runs = []
    for number, one in enumerate(drawn):
        turns = one["turns"] and [turn(role, text) for role, text in one["turns"]]
        run = Run(
            f"run-{number}",
            one["category"],
            one["said"],
            task=f"t{one['task']}",
            instruction=one["ask"],
            messages=turns or None,
        )
        run.context = one["context"]
        runs.append(run)
    return runs


def exported(root: Path, runs: Sequence[Run]) -> tuple[list[bytes], list[bytes]]:
    """SFT rows that the exporter lets through, and those that the sets keep out."""
    made = Settings.model_validate(tomllib.loads((root / "distill.toml").read_text(encoding="utf-8")))
    index = load_sets(root, made)
    builder = RowBuilder(made, made.streams[0], index, None)
    entries = [builder.add(run.evidence(), run.scored()) for run in runs]
    sections = builder.sections()
    lines = [
        LineEntry(number, number, bytes([number]) * 32, [entry]) for number, entry in enumerate(entries, 1)
    ]
    reducer = Reducer(pair_options(made.export), index)
    reducer.add(
        0,
        "chat",
        "evidence",
        ChunkIndex.made_of(sections, lines_read=len(lines), lines=lines, skips=[], counts={}),
    )
    overlapping = reducer.finish().overlapping
    through: list[bytes] = []
    refused: list[bytes] = []
    rows = iter(bytes(sections[3]).splitlines(keepends=True))
    for ordinal, entry in enumerate(entries):
        if entry.lengths[3]:
            (refused if (0, ordinal) in overlapping else through).append(next(rows))
    return through, refused


def found(root: Path, rows: Sequence[bytes], runs: Sequence[Run]) -> list[int]:
    """Lines of the rows that the firewall has a finding for."""
    (root / "rows.jsonl").write_bytes(b"".join(rows))
    (root / "evidence.jsonl").write_bytes(b"".join(line(run.evidence()) for run in runs))
    examined = evaluation_wall.examine(root, [("rows", root / "rows.jsonl")], [root / "evidence.jsonl"])
    assert examined.doubt is None
    assert examined.sets == 1
    return [finding.line for finding in examined.findings.first]


def check(root: Path, items: Sequence[dict[str, str]], code: Sequence[str], drawn: Any) -> int:
    """How many rows were refused."""
    declared = DECLARED + (ANSWERED if any(item.get("a") for item in items) else "")
    (root / "distill.toml").write_text(f"{declared}code = {json.dumps(code)}\n{STREAM}", encoding="utf-8")
    (root / "quiz.jsonl").write_bytes(encoded(list(items)))
    runs = runs_of(drawn)
    through, refused = exported(root, runs)
    assert found(root, through, runs) == []
    assert found(root, refused, runs) == list(range(1, len(refused) + 1))
    return len(refused)


@given(items=ITEMS, code=st.sampled_from([[], ["answer"], ["prompt", "answer"]]), drawn=RUNS)
def test_the_firewall_finds_exactly_what_the_exporter_refuses(
    tmp_path_factory: pytest.TempPathFactory, items: list[dict[str, str]], code: list[str], drawn: Any
) -> None:
    check(tmp_path_factory.mktemp("w"), items, code, drawn)


def run(said: str = "Nothing.", ask: str = "", **more: Any) -> dict[str, Any]:
    return {"category": GOOD, "task": 0, "ask": ask, "context": None, "said": said, "turns": None, **more}


ITEM = " ".join(_VOCABULARY[:16])
HALF = " ".join(_VOCABULARY[:8])


def test_what_is_asked_in_the_context_of_a_flat_run_counts_on_both_sides(tmp_path: Path) -> None:
    assert check(tmp_path, [{"q": ITEM}], [], [run(ask="Read on.", context=f"Told: {HALF}.")]) == 1


@pytest.mark.parametrize("hidden", [*_HIDDEN], ids=ascii)
@pytest.mark.parametrize("code", [[], ["prompt"]])
@pytest.mark.parametrize("in_item", [False, True])
def test_what_nobody_sees_hides_no_item(tmp_path: Path, hidden: str, code: list[str], in_item: bool) -> None:
    plain = " ".join(_VOCABULARY[:13])
    spelt = plain.replace("ord", f"o{hidden}rd")
    item, asked = (spelt, plain) if in_item else (plain, spelt)
    assert check(tmp_path, [{"q": item}], code, [run(ask=asked)]) == 1


@pytest.mark.parametrize(
    "text", ["one\ttwo\nthree\r\nfour\x0bfive\x0csix\x85seven", "one two\u3000three\u2028four"]
)
def test_white_space_still_parts_words(text: str) -> None:
    assert tokens(text, "words") == cut_words(text) == text.split()
    assert tokens(text, "code") == cut_code(text) == text.split()


def test_a_side_that_no_item_has_cannot_be_used_on_either_side(tmp_path: Path) -> None:
    (tmp_path / "quiz.jsonl").write_bytes(encoded([{"q": ITEM, "a": HALF}]))
    for misspelt in ('prompt = "q"\nanswer = "anwser"\n', 'prompt = "qq"\nanswer = "a"\n', 'prompt = "qq"\n'):
        text = f'[[evaluation]]\nname = "quiz"\npath = "quiz.jsonl"\n{misspelt}{STREAM}'
        (tmp_path / "distill.toml").write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match="has no"):
            load_sets(tmp_path, Settings.model_validate(tomllib.loads(text)))
        (tmp_path / "rows.jsonl").write_bytes(b"")
        examined = evaluation_wall.examine(tmp_path, [("rows", tmp_path / "rows.jsonl")], [])
        assert examined.doubt is not None


@pytest.mark.parametrize(("category", "refused"), [(OPEN, 0), (GOOD, 1), (BAD, 0)])
def test_a_phrase_is_as_common_as_all_tasks_say(tmp_path: Path, category: str, refused: int) -> None:
    """Ten tasks of runs in review, or of a failed answer, beside the one that would be an example."""
    others = [run(ask=HALF, category=category, task=1 + number) for number in range(9 if refused else 10)]
    assert check(tmp_path, [{"q": ITEM}], [], [run(ask=HALF), *others]) == refused * 10


def test_a_phrase_that_is_answered_often_is_no_common_question(tmp_path: Path) -> None:
    others = [run(said=HALF, task=1 + number) for number in range(12)]
    assert check(tmp_path, [{"q": ITEM}], [], [run(ask=HALF), *others]) == 1


def test_a_pair_is_held_against_items_one_run_at_a_time(tmp_path: Path) -> None:
    """Each run holds a quarter of the item: neither is refused, so that their pair is clear."""
    (tmp_path / "distill.toml").write_text(DECLARED + ANSWERED, encoding="utf-8")
    (tmp_path / "quiz.jsonl").write_bytes(
        encoded([{"q": "Which?", "a": " ".join(f"a{n}" for n in range(40))}])
    )
    quarters = [" ".join(f"a{n}" for n in range(start, start + 10)) for start in (0, 20)]
    chosen, rejected = ([turn("assistant", text)] for text in quarters)
    pair = {"shape": "flat", "prompt": [turn("user", "Why?")], "chosen": chosen, "rejected": rejected}
    assert found(tmp_path, [line(pair)], []) == []
    both = {**pair, "rejected": [turn("assistant", " ".join(quarters))]}
    assert found(tmp_path, [line(both)], []) == [1]
    assert found(tmp_path, [line({**both, "chosen": both["rejected"]})], []) == [1], "one finding a row"
