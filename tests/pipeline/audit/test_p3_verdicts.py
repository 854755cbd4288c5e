"""P3 on rows as they lie: every evidence row has one verdict or one skip, and nothing has more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.audit.failures import Failures
from pipeline.audit.p3_verdicts import coverage, distribution
from pipeline.checks.runner import Outcome
from pipeline.contracts.checks import Example


class Rows:
    """Stands for a file of rows, numbered from 1."""

    def __init__(self, shown: str, rows: Sequence[object], bad: Sequence[Example] = ()) -> None:
        self.shown, self.rows, self.bad, self.bad_count = shown, rows, [*bad], len(bad)

    def __iter__(self) -> Iterator[tuple[int, object]]:
        return iter(enumerate(self.rows, 1))


def verdict(run_id: str, category: str = "accepted", version: str = "3") -> object:
    return SimpleNamespace(run_id=run_id, category=category, scorer_version=version)


def view(evidence: str = "", verdicts: Sequence[object] = (), skips: Sequence[int] | None = None) -> Any:
    """``evidence`` are the run ids of its rows, a letter each; ``skips`` the lines that were not scored."""
    skipped = [SimpleNamespace(file="e.jsonl", line=line) for line in skips or ()]
    found = [SimpleNamespace(run_id=each) for each in evidence]
    return SimpleNamespace(
        evidence_files=lambda: [Rows("e.jsonl", found)],
        scored_files=lambda: [Rows("s.jsonl", verdicts)],
        scoring_skips=lambda: None if skips is None else Rows("k.jsonl", skipped),
    )


def told(outcome: Outcome) -> list[tuple[str | None, int | None, str]]:
    assert outcome.failed == len(outcome.examples)
    return [(each.file, each.line, each.text) for each in outcome.examples]


# Kinds of verdicts


def test_known_verdicts_are_counted_by_kind() -> None:
    kinds = ("accepted", "accepted", "partially_accepted", "needs_human_review", "rejected")
    outcome = distribution(view(verdicts=[verdict(str(number), kind) for number, kind in enumerate(kinds)]))
    assert (outcome.examined, outcome.failed) == (5, 0)
    assert outcome.observed == "accepted 2, partially_accepted 1, needs_human_review 1, rejected 1"


def test_a_kind_that_nobody_knows_is_named_where_it_stands() -> None:
    assert told(distribution(view(verdicts=[verdict("a"), verdict("b", "Accepted")]))) == [
        ("s.jsonl", 2, "unknown category Accepted")
    ]


@pytest.mark.parametrize(
    ("verdicts", "words"),
    [((), "there is no scored run"), ((verdict("a", "rejected"),), "no run was accepted")],
)
def test_no_verdict_and_no_accepted_one_are_failures(verdicts: Sequence[object], words: str) -> None:
    outcome = distribution(view(verdicts=verdicts))
    assert told(outcome) == [(None, None, words)]
    assert outcome.examined == 1


# One verdict, or one skip


@pytest.mark.parametrize(
    ("verdicts", "skips", "words"),
    [
        (0, 0, "has no verdict"),
        (1, 0, ""),
        (0, 1, ""),
        (1, 1, "has a verdict and a scoring skip"),
        (2, 0, "has 2 verdicts"),
        (3, 1, "has 3 verdicts"),
        (1, 2, "has a verdict and a scoring skip"),
        (0, 2, "has 2 scoring skips"),
    ],
)
def test_a_row_has_one_verdict_or_one_skip(verdicts: int, skips: int, words: str) -> None:
    outcome = coverage(view("a", [verdict("a")] * verdicts, [1] * skips))
    assert told(outcome) == ([("e.jsonl", 1, words)] if words else [])
    assert outcome.examined == max(1, verdicts)


def test_a_verdict_and_a_skip_of_nothing_are_orphans() -> None:
    assert told(coverage(view("ab", [verdict("a"), verdict("gone"), verdict("b")], [7]))) == [
        ("s.jsonl", 2, "a verdict without evidence (orphan)"),
        ("e.jsonl", 7, "a scoring skip without evidence (orphan)"),
    ]


def test_a_run_id_that_comes_twice_is_named_the_second_time_unless_it_was_skipped() -> None:
    assert told(coverage(view("aab", [verdict("a"), verdict("b")], None))) == [
        ("e.jsonl", 2, "a second evidence row has the same run_id")
    ]
    assert told(coverage(view("aab", [verdict("a"), verdict("b")], [2]))) == []


def test_verdicts_of_two_scorers_are_a_failure_and_the_version_is_told() -> None:
    same = coverage(view("ab", [verdict("a"), verdict("b")]))
    assert (same.failed, same.detail) == (0, "2 evidence rows, 2 verdicts, scorer version 3")
    mixed = coverage(view("ab", [verdict("a"), verdict("b", version="10")]))
    assert told(mixed) == [(None, None, "several scorer versions: 10, 3")]
    assert coverage(view()).detail == "0 evidence rows, 0 verdicts, scorer version none"


@pytest.mark.parametrize("where", ["evidence_files", "scored_files", "scoring_skips"])
def test_a_line_that_is_no_row_fails_wherever_it_lies(where: str) -> None:
    found = view("a", [verdict("a")], [])
    of_both = [distribution, coverage] if where == "scored_files" else [coverage]
    kept = getattr(found, where)()
    (kept if where == "scoring_skips" else kept[0]).bad_count = 2
    setattr(found, where, lambda: kept)
    assert [look(found).failed for look in of_both] == [2] * len(of_both)


# How failures are told


def test_ten_failures_are_shown_all_are_counted_and_the_first_is_the_detail() -> None:
    failures = Failures()
    for number in range(1, 12):
        failures.add(f"fault {number}", file="f.jsonl", line=number)
    outcome = failures.outcome(3, "3 rows")
    assert (outcome.examined, outcome.failed, outcome.observed) == (3, 11, "11 failed")
    assert [example.line for example in outcome.examples] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert outcome.detail == "f.jsonl:1 fault 1 (first of 11). 3 rows"


def test_one_failure_has_no_number_and_counts_as_examined() -> None:
    failures = Failures()
    failures.add("fault", file="f.jsonl", line=2)
    outcome = failures.outcome(0, "0 rows", observed="none")
    assert (outcome.examined, outcome.failed, outcome.observed) == (1, 1, "none")
    assert outcome.detail == "f.jsonl:2 fault. 0 rows"
    failures.add("another")
    assert failures.outcome(0, "0 rows").detail == "f.jsonl:2 fault (first of 2). 0 rows"
    assert Failures().outcome(0, "0 rows") == Outcome(0, 0, "0 failed", "0 rows")


def test_lines_that_are_no_rows_are_failures_too() -> None:
    failures = Failures()
    failures.add("fault")
    bad = [Example(file="f.jsonl", line=number, text="no row") for number in range(12)]
    many: Any = [Rows("f.jsonl", (), bad[:4]), Rows("g.jsonl", (), bad[4:])]
    failures.add_bad_rows(many)
    assert failures.count == 13
    assert [example.text for example in failures.examples] == ["fault", *["no row"] * 9]
