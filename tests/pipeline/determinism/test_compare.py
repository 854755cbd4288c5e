"""What is compared of each trial, and what is said of it; the runs themselves are stood in for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline.contracts import paths
from pipeline.contracts.faults import ExitCode
from pipeline.determinism import compare as module
from pipeline.determinism import trial
from pipeline.determinism.compare import Comparison, compare
from pipeline.determinism.trial import Trial
from pipeline.determinism.variants import Variant, variants
from pipeline.platform.process_end import Ended
from pipeline.settings.model import Settings

SETTINGS = Settings.model_validate(
    {
        "stream": [
            {"name": "chats", "path": "data/_kb/chats.jsonl", "preset": "openai-chat"},
            {"name": "prices", "path": "data/_kb/prices.jsonl", "role": "lookup", "key": "/id"},
        ]
    }
)
PRICES, CHATS = paths.evidence_file("prices"), paths.evidence_file("chats")


@dataclass
class Run:
    """How one trial goes: what it ends with, and the one row of each output."""

    exit_code: int = 0
    run_hash: str = "a" * 64
    killed: bool | None = None
    chats: str = '{"line":1}'
    scored: str = '{"score":1}'

    def written(self, copy: Path, variant: Variant) -> Trial:
        for relative, row in ((CHATS, self.chats), (paths.scored_file("chats"), self.scored)):
            (copy / relative).parent.mkdir(parents=True, exist_ok=True)
            (copy / relative).write_text(row + "\n")
        return Trial(variant, copy, self.exit_code, self.run_hash, 0.1, self.killed, "its words")


def compared(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *runs: Run) -> tuple[Comparison, list[str]]:
    """The comparison, and the names of the trials that were begun and told of."""
    left, told = list(runs), list[str]()
    monkeypatch.setattr(module, "copy_workspace", lambda workspace, settings, place: place / "copy")
    monkeypatch.setattr(module, "run_trial", lambda copy, variant: left.pop(0).written(copy, variant))
    comparison = compare(
        tmp_path,
        SETTINGS,
        variants(len(runs)),
        on_begin=lambda variant: told.append(variant.name),
        on_trial=lambda trial: told.append(trial.variant.name),
    )
    return comparison, told


def test_equal_trials_are_all_run_and_equal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    comparison, told = compared(monkeypatch, tmp_path, Run(), Run(), Run(killed=True))
    assert (comparison.exit_code, comparison.difference) == (ExitCode.OK, None)
    assert comparison.verdict == f"equal: 3 runs from scratch, run_hash {'a' * 64}"
    assert told == [each.name for each in variants(3) for _ in range(2)]
    assert list(comparison.to_dict()) == ["verdict", "runs", "difference"]


@pytest.mark.parametrize(
    ("second", "stage", "file", "field"),
    [
        (Run(chats='{"line":2}'), "materialize", CHATS, "line"),
        (Run(scored='{"score":2}'), "score", paths.scored_file("chats"), "score"),
        # The earlier one explains the later one.
        (Run(chats='{"line":2}', scored='{"score":2}'), "materialize", CHATS, "line"),
    ],
    ids=["evidence", "verdicts", "both"],
)
def test_a_row_of_a_source_that_differs_is_found_though_the_hash_is_equal(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, second: Run, stage: str, file: Path, field: str
) -> None:
    comparison, told = compared(monkeypatch, tmp_path, Run(), second, Run())
    found = comparison.difference
    assert found is not None
    assert (found.stage, found.file, found.line, found.fields) == (stage, str(file), 1, (field,))
    assert comparison.exit_code == ExitCode.CHECK_FAILED
    assert (
        comparison.verdict
        == f"different: straight and divided differ from stage {stage} on: {file}:1 in {field}"
    )
    assert len(comparison.trials) == 2, "it stops at the first difference"
    assert told == ["straight", "straight", "divided", "divided"]


def test_a_lookup_has_no_outputs_to_compare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked = list[object]()
    monkeypatch.setattr(
        module, "first_difference", lambda first, second, outputs: asked.extend(path for _, path in outputs)
    )
    compared(monkeypatch, tmp_path, Run(), Run())
    assert CHATS in asked
    assert PRICES not in asked


@pytest.mark.parametrize(
    ("runs", "code", "verdict", "made"),
    [
        ((Run(exit_code=2), Run()), 2, "the run straight ended with 2: its words", 1),
        # A number that is no exit code of ours, as of a signal.
        ((Run(exit_code=137), Run()), 3, "the run straight ended with 137: its words", 1),
        ((Run(run_hash=""), Run(run_hash="b")), 1, "different: the outputs of straight and divided are", 2),
        ((Run(), Run(exit_code=3), Run()), 1, "the run divided ended with 3, straight with 0: its words", 2),
        (
            (Run(), Run(), Run(killed=False)),
            5,
            "equal, but killed-while-mapping was never killed: it passed no such commit point",
            3,
        ),
    ],
    ids=["no first run", "an end of no meaning", "another hash", "a run that fails", "never killed"],
)
def test_what_else_is_told_of_trials(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    runs: tuple[Run, ...],
    code: int,
    verdict: str,
    made: int,
) -> None:
    comparison, _ = compared(monkeypatch, tmp_path, *runs)
    assert (int(comparison.exit_code), len(comparison.trials)) == (code, made)
    assert comparison.verdict.startswith(verdict)


@pytest.mark.parametrize(
    ("said", "run_hash"),
    [(b'{"run_hash":"a"}', "a"), (b'{"run_hash":1}', None), (b"{}", None), (b"[1]", None), (b"broken", None)],
)
def test_only_a_summary_with_a_run_hash_is_an_answer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: bytes, run_hash: str | None
) -> None:
    (variant,) = variants(1)
    monkeypatch.setattr(trial, "_run", lambda *_, **__: Ended(0, stdout=said))
    ended = trial.run_trial(tmp_path, variant)
    assert (ended.run_hash, ended.ok) == (run_hash, run_hash is not None)
