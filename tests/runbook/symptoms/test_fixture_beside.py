"""The kept root beside the expected: only what differs, each with what the real data have of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from runbook.symptoms.fixture_beside import PREFIX, Beside, beside, is_kept_root

EXPECTED: dict[str, Any] = {
    "categories": {
        "attempts": {"accepted": 2, "partially_accepted": 0, "needs_human_review": 0, "rejected": 1}
    },
    "thresholds": {"just-below": "rejected", "just-at": "accepted"},
    "contradictions": ["pass-without-reward"],
    "distinct_repeats": 1,
    "pairs": {"attempts": 1},
    "hostile": [
        {"file": "hostile_lines.jsonl", "line": 1, "outcome": "mapped"},
        {"file": "hostile_lines.jsonl", "line": 2, "outcome": "malformed_json"},
        {"file": "hostile_torn.jsonl", "line": 1, "outcome": "torn_tail"},
    ],
}


def write(root: Path, path: str, *rows: dict[str, Any]) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text("".join(json.dumps(row) + "\n" for row in rows) + "no JSON\n")


def scored(root: Path, stream: str, *categories: str) -> None:
    rows = [{"run_id": f"{stream}/{n}", "category": each} for n, each in enumerate(categories)]
    write(root, f"data/scored-runs/{stream}.jsonl", *rows)
    evidence = [
        {"run_id": f"{stream}/{n}", "task_id": ("just-below", "just-at", "pass-without-reward")[n]}
        for n in range(len(categories))
    ]
    write(root, f"data/evidence/{stream}.jsonl", *evidence)


@pytest.fixture
def real(tmp_path: Path) -> Path:
    root = tmp_path / "real"
    scored(root, "runs", "accepted", "accepted")
    write(root, "data/evidence/runs.jsonl", {"reward": 0.52}, {"reward": 1.0}, {"reward": None})
    write(root, "data/_kb/distillation_skips.jsonl", {"reason": "duplicate_line"}, {"reason": "torn_tail"})
    write(root, "exports/preference/chosen_rejected.jsonl", {"stream": "runs"})
    return root


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "kept"


def test_categories_are_counted_by_stream(root: Path, real: Path) -> None:
    scored(root, "attempts", "accepted", "rejected", "rejected")
    assert beside("A09", EXPECTED, root, real) == [
        Beside("attempts: accepted", "2", "1", "2 runs accepted"),
        Beside("attempts: rejected", "1", "2", "0 runs rejected"),
    ]


def test_single_runs_are_asked_one_by_one(root: Path, real: Path) -> None:
    scored(root, "probes", "rejected", "rejected", "accepted")
    near = "1 run within 0.05 of 0.5, 0.9 or 1.0, but not on it"
    assert beside("A10", EXPECTED, root, real) == [Beside("just-at", "accepted", "rejected", near)]
    assert [row.seen for row in beside("A12", EXPECTED, root, real) or ()] == ["accepted"]


def test_hostile_lines_are_known_under_the_name_they_are_installed_by(root: Path, real: Path) -> None:
    write(
        root,
        "data/evidence/hostile.jsonl",
        {"provenance": {"source_file": "x/hostile_lines.jsonl", "line": 1}},
    )
    skips = [
        {"file": "x/hostile_lines.jsonl", "line": 2, "reason": "too_long"},
        {"file": "x/hostile_\x1b[2J.jsonl", "line": 1, "reason": "torn_tail"},
    ]
    write(root, "data/_kb/distillation_skips.jsonl", *skips)
    assert beside("A05", EXPECTED, root, real) == [
        Beside("hostile_lines.jsonl:2", "malformed_json", "too_long", "0 lines malformed_json")
    ]


def test_repeats_pairs_and_walls_are_counted(root: Path, real: Path) -> None:
    write(root, "data/evidence/repeats.jsonl", {}, {})
    write(root, "variants/shuffled/data/evidence/repeats.jsonl", {})
    assert beside("A07", EXPECTED, root, real) == [
        Beside("different lines, in order", "1", "2", "1 repeated lines")
    ]
    assert beside("A15", EXPECTED, root, real) == [Beside("attempts: pairs", "1", "0", "1 pair")]
    for wall in ("never_list", "none"):
        scored(root / f"variants/wall-{wall}", "attempts", "rejected", "accepted")
        sft = f"variants/wall-{wall}/exports/sft/instruction_response.jsonl"
        write(root, sft, {"source_run_id": "attempts/0"}, {"source_run_id": "attempts/1"})
    assert [(row.what, row.expected, row.seen) for row in beside("A13", EXPECTED, root, real) or ()] == [
        ("never_list alone: forbidden rows", "0", "1"),
        ("no wall at all: forbidden rows", "some", "1"),
    ]


def test_run_hashes_of_the_same_input_are_compared_and_of_another_one_not(root: Path, real: Path) -> None:
    for place, run_hash in ((".", "aa"), ("variants/factors_1", "bb"), ("variants/one-byte", "cc")):
        summary = root / place / "reports/distillation/1/summary.json"
        summary.parent.mkdir(parents=True)
        summary.write_text(json.dumps({"run_hash": run_hash}))
    assert beside("A19", EXPECTED, root, real) == [Beside("factors_1", "aa", "bb", "one run, None")]


def test_an_invariant_without_counts_has_nothing_to_lay_side_by_side(root: Path, real: Path) -> None:
    assert beside("A22", EXPECTED, root, real) is None


def test_only_what_acceptance_keeps_is_read(tmp_path: Path) -> None:
    kept = tmp_path / f"{PREFIX}abc"
    kept.mkdir(mode=0o700)
    assert is_kept_root(kept)
    (tmp_path / f"{PREFIX}link").symlink_to(kept)
    others = tmp_path / "data"
    others.mkdir(mode=0o700)
    assert not any(map(is_kept_root, (tmp_path / f"{PREFIX}link", others, tmp_path / f"{PREFIX}gone")))
    kept.chmod(0o755)
    assert not is_kept_root(kept)
