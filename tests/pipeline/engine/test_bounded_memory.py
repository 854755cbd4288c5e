"""What a run holds a line: partitions on disk decide as memory would, and memory grows by a stated number."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.cli import main
from pipeline.contracts import paths
from pipeline.engine import commit_points, spool
from pipeline.engine.candidates import unpacked
from pipeline.engine.chunk_entries import CATEGORY_CODE, RAG, LineEntry, RowEntry
from pipeline.engine.chunk_index import ChunkIndex
from pipeline.engine.evidence_builder import EvidenceBuilder
from pipeline.engine.reduce import Decisions, Reducer
from pipeline.engine.row_builder import RowBuilder
from pipeline.engine.row_decision import DecidedChunk, RowDecision, held_rows
from pipeline.evaluation.sets import EvaluationIndex
from pipeline.settings.model import ExportSettings, from_document
from pipeline.stages.pairing import PairOptions
from tests.pipeline.engine.test_spool import WAYS, digest, key
from tests.pipeline.engine.workspaces import RECORDED_AT, make_workspace, output_bytes, run_all
from tests.pipeline.stages.builders import evidence

MOST_BYTES_A_LINE = 26
"""What a run may hold for each further line of the log below; docs/scaling.md has what runs took."""
MOST_BYTES_AN_ENTRY = 2_500
"""What a worker may hold of a row of its chunk beside the row's bytes: its facts for the index."""


ROWS = st.lists(
    st.tuples(
        st.integers(0, 4),  # task
        st.integers(0, 4),  # question
        st.integers(0, 6),  # answer
        st.sampled_from(["accepted", "partially_accepted", "needs_human_review", "rejected"]),
        st.integers(0, 30),  # the line's digest: some are there twice
    ),
    max_size=40,
)


def index_of(rows: Sequence[tuple[int, int, int, str, int]], first: int = 0) -> ChunkIndex:
    lines = []
    for number, (task, question, answer, category, line) in enumerate(rows, first):
        row = RowEntry(
            f"runs/{number:09d}",
            f"t{task}",
            0,
            CATEGORY_CODE[category],
            number % 3 / 2,
            (9, 9, 0, 0),
            bytes(64),
            task_key=key("task", task),
            question_key=key("question", question),
            task_question_key=key(task, question),
            response_key=key("answer", answer),
            prompt_key=key(task, question),
            rag_sample=key("sample", line),
            sft_sample=key("sample", line),
            tokens=9,
            preference_refusal="category_not_allowed" if category == "needs_human_review" else "",
        )
        lines.append(LineEntry(number, 0, digest(line), [row]))
    return ChunkIndex.made_of([b""] * 4, lines_read=len(lines), lines=lines, skips=[], counts={})


def told(decisions: Decisions) -> dict[str, Any]:
    return {
        "duplicates": {chunk: list(lines) for chunk, lines in decisions.duplicate_lines.items()},
        "conflicting": sorted(decisions.conflicting),
        "pairs": [
            [candidate.run_id for record in pair for candidate, _ in unpacked(record)]
            for pair in decisions.pairs
        ],
        "unpaired": sorted(decisions.unpaired.items()),
        "rates": sorted(decisions.pass_rates.items()),
    }


def reduced(chunks: Sequence[ChunkIndex], scratch: Path | None) -> Decisions:
    reducer = Reducer(PairOptions(), EvaluationIndex(), scratch)
    for number, index in enumerate(chunks):
        reducer.add(number, "runs", "source", index)
    return reducer.finish()


@given(rows=ROWS, cuts=st.sets(st.integers(1, 39), max_size=3))
@settings(max_examples=60)
def test_partitions_and_chunks_decide_nothing(
    rows: list[tuple[int, int, int, str, int]], cuts: set[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    ends = [0, *sorted(cut for cut in cuts if cut < len(rows)), len(rows)]
    chunks = [index_of(rows[start:end], start) for start, end in itertools.pairwise(ends)]
    expected = told(reduced(chunks, None))
    for partitions, kept_bytes in WAYS:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(spool, "PARTITIONS", partitions)
            patched.setattr(spool, "KEPT_BYTES", kept_bytes)
            assert told(reduced(chunks, tmp_path_factory.mktemp("scratch"))) == expected


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    workspace = make_workspace(tmp_path_factory.mktemp("straight") / "w")
    run_all(workspace)
    return workspace


@pytest.mark.parametrize("way", WAYS)
def test_a_run_writes_the_same_bytes_for_any_partitions(
    straight: Path, tmp_path: Path, way: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in zip(("PARTITIONS", "KEPT_BYTES"), way, strict=True):
        monkeypatch.setattr(spool, name, value)
    workspace = make_workspace(tmp_path / "w")
    arguments = ["run-all", "--recorded-at", RECORDED_AT, "-C", str(workspace), "--chunk-bytes", "2000"]
    assert main(arguments) == 0
    assert output_bytes(workspace) == output_bytes(straight)
    assert not list((workspace / paths.STAGING).glob("*"))


def test_what_a_killed_run_left_of_the_reduce_is_removed_by_the_next(straight: Path, tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    program = (
        "import sys; from pipeline.engine import spool; spool.KEPT_BYTES = 0;"
        "from pipeline.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    for point in ("all-chunks-mapped", "outputs-staged"):
        killed = subprocess.run(
            [sys.executable, "-c", program, "run-all", "--recorded-at", RECORDED_AT, "-C", str(workspace)],
            env={**os.environ, commit_points.VARIABLE: point},
            check=False,
            capture_output=True,
        )
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert list((workspace / paths.STAGING).rglob("scratch/*")), "it held nothing"
    run_all(workspace)
    assert output_bytes(workspace) == output_bytes(straight)
    assert not list((workspace / paths.STAGING).glob("*"))


def chunks_of(lines: int, lines_a_chunk: int = 500) -> Iterator[ChunkIndex]:
    """A log in which nearly nothing repeats but the tasks, five attempts each over the whole log."""
    verdicts = ("accepted", "rejected", "partially_accepted", "accepted", "needs_human_review")
    tasks = lines // 5
    for first in range(0, lines, lines_a_chunk):
        yield index_of(
            [
                (number % tasks, number % tasks, number, verdicts[number // tasks], number)
                for number in range(first, first + lines_a_chunk)
            ],
            first,
        )


def most_held(lines: int, scratch: Path) -> tuple[int, int]:
    """Bytes that were held at most: by the reduce, and by the limits of an export and its decisions."""
    tracemalloc.start()
    try:
        reducer = Reducer(PairOptions(), EvaluationIndex(), scratch)
        for number, index in enumerate(chunks_of(lines)):
            reducer.add(number, "runs", "source", index)
        decisions = reducer.finish()
        assert sum(1 for _ in decisions.pairs) == len(decisions.pairs) >= lines // 5
        of_reduce = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()

        def chunks() -> Iterator[DecidedChunk]:
            for number, index in enumerate(chunks_of(lines)):
                yield DecidedChunk(number, "runs", index, decisions.dropped_lines(number))

        held = held_rows(RAG, decisions, chunks, ExportSettings(), None, scratch / "tasks")
        decision = RowDecision(RAG, decisions, held)
        taken = sum(decision.refusals(chunk).count(None) for chunk in chunks())
        assert lines // 5 <= taken + len(held) <= lines
        return of_reduce, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("depth", ["all", "evidence"])
def test_a_worker_holds_the_rows_of_a_chunk_once(depth: str) -> None:
    """What orjson returns holds up to eight times its bytes, so that no line may be kept as it came."""
    chosen = from_document({"stream": [{"name": "shell", "path": "a.jsonl", "fields": {"task_id": "id"}}]})
    builder = (
        RowBuilder(chosen, chosen.streams[0], EvaluationIndex(), None)
        if depth == "all"
        else EvidenceBuilder()
    )
    run = evidence(instruction="What is wrong with it?", response="word " * 40, verdict="pass")
    builder.add(run)
    tracemalloc.start()
    try:
        entries = [builder.add(run) for _ in range(1_000)]
        held = tracemalloc.get_traced_memory()[0] / len(entries)
    finally:
        tracemalloc.stop()
    rows = sum(map(len, builder.sections())) / (len(entries) + 1)
    assert rows < held < rows + MOST_BYTES_AN_ENTRY


def test_a_run_holds_few_bytes_for_each_further_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # What does not grow is made small, so that a short log shows what does.
    monkeypatch.setattr(spool, "KEPT_BYTES", 1 << 16)
    monkeypatch.setattr(spool, "PIECE_BYTES", 1 << 9)
    small, large = (most_held(lines, tmp_path / str(lines)) for lines in (2_500, 10_000))
    growth = [(more - less) / 7_500 for less, more in zip(small, large, strict=True)]
    assert max(growth) < MOST_BYTES_A_LINE, growth
