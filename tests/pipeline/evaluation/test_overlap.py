"""Which rows hold too much of a test set's item: each rule on both sides of its boundary."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import orjson
import pytest

from pipeline.contracts.faults import InputError
from pipeline.evaluation.overlap import Matcher, Overlap, Overlaps, refusal_detail
from pipeline.evaluation.sets import EvaluationIndex, load_sets
from pipeline.evaluation.tokens import tokens
from pipeline.settings.model import EvaluationSettings, Settings

WORDS = [f"word{number}" for number in range(16)]


def words(count: int, start: int = 0) -> str:
    return " ".join(WORDS[start : start + count])


def index_of(tmp_path: Path, items: Iterable[dict[str, object]], **declared: object) -> EvaluationIndex:
    items = list(items)
    (tmp_path / "set.jsonl").write_bytes(b"".join(orjson.dumps(item) + b"\n" for item in items))
    sides = {
        side: path for side, path in (("prompt", "q"), ("answer", "a")) if any(path in one for one in items)
    }
    fields = {"name": "quiz", "path": "set.jsonl", **sides, **declared}
    return load_sets(tmp_path, Settings(evaluations=(EvaluationSettings.model_validate(fields),)))


def judge(
    index: EvaluationIndex, rows: list[tuple[list[str], list[str]]], tasks: list[bytes] | None = None
) -> dict[int, list[Overlap]]:
    """Ordinal of the row → its overlaps; every row is of a task of its own unless ``tasks`` says so."""
    matcher, overlaps = Matcher(index), Overlaps(index)
    of_row = tasks or [b"task %d" % number for number in range(len(rows))]
    for number, (asked, answered) in enumerate(rows):
        facts = matcher.facts(asked, answered)
        if facts:
            overlaps.count(of_row[number], facts)
            overlaps.add((0, number), f"run-{number}", facts)
    return {row: found for (_, row), (_, found) in overlaps.finish(len(set(of_row))).items()}


def test_words_lose_case_and_punctuation_and_code_keeps_both() -> None:
    assert tokens("Don't SHOUT, \uff21bc_d!", "words") == ["don", "t", "shout", "abc", "d"]
    assert tokens("x1 += C.f(y)", "code") == ["x1", "+", "=", "C", ".", "f", "(", "y", ")"]
    assert tokens("今日は rain", "words") == ["今", "日", "は", "rain"]


@pytest.mark.parametrize(("shared", "refused"), [(7, False), (8, True), (9, True)])
def test_a_row_that_holds_half_of_a_prompt_is_refused(tmp_path: Path, shared: int, refused: bool) -> None:
    index = index_of(tmp_path, [{"q": words(16)}])
    found = judge(index, [([f"Say: {words(shared)} instead"], [])])
    assert bool(found) is refused
    if refused:
        assert found[0][0].is_refused
        assert refusal_detail(found[0][0]).startswith("quiz:1 prompt, 5")


def test_less_than_half_is_not_refused_and_thirteen_in_a_row_are_told(tmp_path: Path) -> None:
    long = " ".join(f"w{number}" for number in range(40))
    index = index_of(tmp_path, [{"q": long}])
    row_of = [" ".join(f"w{number}" for number in range(count)) for count in (12, 13, 19, 20)]
    found = judge(index, [([text], []) for text in row_of])
    assert {number: overlaps[0].is_refused for number, overlaps in found.items()} == {
        1: False,
        2: False,
        3: True,
    }
    assert all(overlaps[0].long_gram for overlaps in found.values())


def test_answers_are_held_against_answers_only(tmp_path: Path) -> None:
    index = index_of(tmp_path, [{"q": "What is asked here?", "a": words(10)}])
    assert not judge(index, [([words(10)], ["nothing"])])
    assert judge(index, [(["other"], [words(10)])])[0][0].target.side == "answer"


@pytest.mark.parametrize(
    ("asked", "refused"),
    [("what IS the capital of Norway", True), ("What is the capital of Norway, and why?", False)],
)
def test_a_short_prompt_counts_as_a_whole(tmp_path: Path, asked: str, refused: bool) -> None:
    index = index_of(tmp_path, [{"q": "What is the capital of Norway?"}])
    assert bool(judge(index, [([asked], [])])) is refused


def test_a_prompt_of_less_than_twenty_characters_is_counted_as_unchecked(tmp_path: Path) -> None:
    index = index_of(tmp_path, [{"q": "What is 2 + 2?"}, {"q": "What is the capital of Norway?"}])
    assert index.sets[0].unchecked == 1
    assert not judge(index, [(["What is 2 + 2?"], [])])


def test_what_more_than_ten_items_share_is_ignored_and_counted(tmp_path: Path) -> None:
    phrase = words(8)
    for items, ignored in ((10, 0), (11, 1)):
        index = index_of(tmp_path, [{"q": f"{phrase} {number} tail"} for number in range(items)])
        assert index.sets[0].common_grams == ignored
        assert bool(judge(index, [([phrase], [])])) is not ignored


@pytest.mark.parametrize(("tasks_with", "tasks", "refused"), [(10, 20, True), (11, 20, False)])
def test_what_many_tasks_share_is_ignored(tmp_path: Path, tasks_with: int, tasks: int, refused: bool) -> None:
    index = index_of(tmp_path, [{"q": words(16)}])
    rows = [([words(8)], list[str]()) for _ in range(tasks_with)]
    rows += [(["unrelated"], list[str]()) for _ in range(tasks - tasks_with)]
    assert bool(judge(index, rows)) is refused


def test_attempts_of_one_task_are_one_task(tmp_path: Path) -> None:
    index = index_of(tmp_path, [{"q": words(16)}])
    found = judge(index, [([words(8)], []) for _ in range(30)], [b"task"] * 30)
    assert len(found) == 30


def test_a_whole_prompt_counts_even_where_its_phrases_are_common(tmp_path: Path) -> None:
    index = index_of(tmp_path, [{"q": words(16)}])
    assert len(judge(index, [([words(16)], []) for _ in range(40)])) == 40


def test_code_is_compared_by_its_tokens(tmp_path: Path) -> None:
    index = index_of(tmp_path, [{"a": "def f(a, b):\n    return a + b"}], code=("answer",))
    same = "Here:\n```python\ndef f(a,b):\n  return a+b\n```"
    assert judge(index, [([], [same])])
    assert not judge(index, [([], ["DEF F(A, B): RETURN A + B"])])


def test_turns_are_not_joined(tmp_path: Path) -> None:
    index = index_of(tmp_path, [{"q": words(8)}])
    assert not judge(index, [([words(4), words(4, 4)], [])])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "holds no item"),
        (b"[1]\n", "set.jsonl:1 is no JSON object"),
        (b'{"q": "fine question of words"}\n{"z": 1}\n', "set.jsonl:2 has no text at q and a"),
    ],
)
def test_a_set_that_cannot_be_read_whole_stops_the_run(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "set.jsonl").write_bytes(content)
    declared = EvaluationSettings(name="quiz", path=("set.jsonl",), prompt="q", answer="a")
    with pytest.raises(InputError) as caught:
        load_sets(tmp_path, Settings(evaluations=(declared,)))
    assert says in caught.value.fault.what_happened


def test_the_digest_is_that_of_the_items(tmp_path: Path) -> None:
    one = index_of(tmp_path, [{"q": words(8), "id": 1}]).digests
    assert one == index_of(tmp_path, [{"id": 2, "q": words(8)}]).digests
    assert one != index_of(tmp_path, [{"q": words(9)}]).digests


def test_a_set_may_be_parquet(tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    parquet.write_table(pa.table({"q": [words(16), words(9)]}), tmp_path / "set.parquet")
    declared = EvaluationSettings(name="quiz", path=("set.parquet",), prompt="q")
    index = load_sets(tmp_path, Settings(evaluations=(declared,)))
    assert index.sets[0].items == 2
    (tmp_path / "set.parquet").write_bytes(b"PAR1 but not really")
    with pytest.raises(InputError):
        load_sets(tmp_path, Settings(evaluations=(declared,)))
