"""Each wall sees what it must, also where it stands alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.firewall.places import Places
from pipeline.firewall.report import Report, State
from pipeline.firewall.scan import scan
from pipeline.firewall.walls import ALL_WALLS, Wall
from tests.pipeline.firewall.corpus import BAD, GOOD, OPEN, PARTLY, Corpus, Run, honest, line, turn

# Rows of these tests are made up, which the wall of fidelity would say of each.
TOLD_APART = tuple(wall for wall in ALL_WALLS if wall is not Wall.FIDELITY)


def look(corpus: Corpus, *standing: Wall) -> Report:
    return scan(Places.of(corpus.root, None, (), ()), standing or TOLD_APART)


def found(report: Report) -> list[tuple[str, int, str]]:
    return [(finding.wall, finding.line, finding.detail) for finding in report.findings.first]


def test_an_honest_export_is_clear(tmp_path: Path) -> None:
    corpus, _ = honest(tmp_path)
    report = look(corpus)
    assert (report.state, report.rows_read, report.findings.count) == (State.CLEAR, 2, 0)
    assert report.index["runs"] == 5
    assert report.index["rejected"] == 2


@pytest.mark.parametrize(
    ("label", "said"),
    [
        (BAD, "quality_score is 'rejected'"),
        (OPEN, "quality_score is 'needs_human_review'"),
        ("Accepted", "quality_score is 'Accepted'"),
        ("accepted ", "quality_score is 'accepted '"),
        ("", "quality_score is ''"),
        ("\x1b[2J", r"quality_score is '\x1b[2J'"),
        (None, "quality_score is not a text but NoneType"),
        (1, "quality_score is not a text but int"),
        (True, "quality_score is not a text but bool"),
        (["accepted"], "quality_score is not a text but list"),
        ({"accepted": 1}, "quality_score is not a text but dict"),
    ],
)
@pytest.mark.parametrize("standing", [ALL_WALLS, (Wall.LABEL,)])
def test_a_label_other_than_the_two_is_found(
    tmp_path: Path, label: Any, said: str, standing: tuple[Wall, ...]
) -> None:
    corpus, runs = honest(tmp_path)
    corpus.export(runs["good"].row(), runs["partly"].row(quality_score=label))
    assert found(look(corpus, *standing)) == [("label", 2, said)]


@pytest.mark.parametrize("standing", [ALL_WALLS, (Wall.LABEL,)])
def test_a_missing_label_is_found(tmp_path: Path, standing: tuple[Wall, ...]) -> None:
    corpus, runs = honest(tmp_path)
    row = runs["good"].row()
    del row["quality_score"]
    corpus.export(row)
    assert found(look(corpus, *standing)) == [("label", 1, "quality_score is missing")]


def test_an_escaped_spelling_of_an_allowed_label_is_allowed(tmp_path: Path) -> None:
    corpus, runs = honest(tmp_path)
    data = corpus.export(runs["good"].row()).read_bytes()
    corpus.export(data.replace(b'"accepted"', rb'"\u0061ccepted"'))
    assert look(corpus).state is State.CLEAR


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("bad", "the run was scored rejected"),
        ("open", "the run was scored needs_human_review"),
    ],
)
@pytest.mark.parametrize("standing", [(Wall.LABEL, Wall.LINEAGE, Wall.READABLE), (Wall.LINEAGE,)])
def test_a_relabelled_row_is_found_by_lineage(
    tmp_path: Path, name: str, said: str, standing: tuple[Wall, ...]
) -> None:
    corpus, runs = honest(tmp_path)
    corpus.export(runs["good"].row(), runs[name].row(quality_score=GOOD))
    assert found(look(corpus, *standing)) == [("lineage", 2, said)]


@pytest.mark.parametrize(
    ("run_id", "said"),
    [
        ("chat/nobody", "source_run_id is unknown"),
        ("", "source_run_id is unknown"),
        (None, "source_run_id is not a text but NoneType"),
        (7, "source_run_id is not a text but int"),
        (["chat/good"], "source_run_id is not a text but list"),
    ],
)
def test_a_row_of_an_unknown_run_is_found(tmp_path: Path, run_id: Any, said: str) -> None:
    corpus, runs = honest(tmp_path)
    corpus.export(runs["good"].row(source_run_id=run_id))
    assert found(look(corpus)) == [("lineage", 1, said)]


def test_a_run_without_a_verdict_or_without_evidence_or_of_no_category_is_found(tmp_path: Path) -> None:
    unscored, ghost, odd = Run("unscored", GOOD, "a"), Run("ghost", GOOD, "b"), Run("odd", "perfect", "c")
    corpus = Corpus(tmp_path)
    corpus.runs(unscored, ghost, odd)
    rows = (run.row(quality_score=GOOD) for run in (unscored, ghost, odd))
    corpus.export(*rows)
    for place, run in (("data/scored-runs/chat.jsonl", unscored), ("data/evidence/chat.jsonl", ghost)):
        lines = (tmp_path / place).read_bytes().splitlines(keepends=True)
        kept = [line for line in lines if f'"{run.run_id}"'.encode() not in line]
        (tmp_path / place).write_bytes(b"".join(kept))
    assert found(look(corpus)) == [
        ("lineage", 1, "the run was never scored"),
        ("lineage", 2, "the run has a verdict but no evidence"),
        ("lineage", 3, "the run was scored with a category that does not exist"),
    ]


def test_of_a_run_scored_twice_the_worst_verdict_counts(tmp_path: Path) -> None:
    corpus, runs = honest(tmp_path)
    scored = tmp_path / "data/scored-runs/later.jsonl"
    forged = Run("bad", GOOD)
    scored.write_bytes(line(forged.scored()))
    corpus.export(runs["bad"].row(quality_score=GOOD))
    assert ("lineage", 1, "the run was scored rejected") in found(look(corpus))


COPIES = [
    pytest.param("It is forty-three,  I am sure.", id="as it is"),
    pytest.param("\r\nIt is forty-three,  I am sure.\t \r\n", id="line ends"),
    pytest.param("It is\u200b forty\u200d-three,  I am\u00ad sure.", id="hidden characters"),
    pytest.param("\u200b`\u200b``text\rIt is forty-three,  I am sure.\r```", id="a fence"),
]
LOOSE_COPIES = [
    pytest.param("  It is\tforty-three,\n\nI am sure. ", id="white space"),
    pytest.param("It is forty-three,\u00a0I am sure.", id="no-break space"),
    pytest.param("Ｉｔ ｉｓ forty-three, I am sure!", id="full width and another mark"),
    pytest.param("It is forty-three, I am sure\n\n* * *\n", id="a rule at the end"),
]


@pytest.mark.parametrize("standing", [ALL_WALLS, (Wall.CONTENT,)])
@pytest.mark.parametrize("response", COPIES)
def test_the_answer_of_a_rejected_run_under_another_run_is_found(
    tmp_path: Path, response: str, standing: tuple[Wall, ...]
) -> None:
    corpus, runs = honest(tmp_path)
    corpus.export(runs["partly"].row(), runs["good"].row(response=response))
    ((wall, at, detail),) = found(look(corpus, *standing))
    assert (wall, at) == ("content", 2)
    assert detail.startswith("same answer as the rejected run chat/bad (chat.jsonl, byte ")


@pytest.mark.parametrize("response", LOOSE_COPIES)
def test_what_is_loosely_the_same_is_a_warning_and_no_breach(tmp_path: Path, response: str) -> None:
    corpus, runs = honest(tmp_path)
    corpus.export(runs["partly"].row(), runs["good"].row(response=response))
    report = look(corpus)
    assert (report.state, report.findings.count, report.exit_code) == (State.CLEAR, 0, 0)
    (warning,) = report.warnings.first
    assert (warning.wall, warning.line) == ("content", 2)
    assert warning.detail.startswith("loosely, same answer as the rejected run chat/bad (chat.jsonl, byte ")
    said = report.to_dict()
    assert (said["warnings_count"], said["warnings"]) == (1, [warning.to_dict()])
    assert "warning   exports/sft/instruction_response.jsonl:2" in report.as_text()


def test_code_compares_strictly_only(tmp_path: Path) -> None:
    bad = Run("bad", BAD, "```python\nx = 10²  # total of all\n```")
    good = Run("good", GOOD, "```\nx = 10² # total of all\n```")
    corpus = Corpus(tmp_path)
    corpus.runs(bad, good)
    corpus.export(good.row())
    report = look(corpus)
    assert (report.state, report.warnings.count) == (State.CLEAR, 0)
    corpus.export(good.row(response="x = 10²  # total of all"))
    assert look(corpus).state is State.BREACH


def test_one_constant_instruction_spoils_only_what_was_contradicted(tmp_path: Path) -> None:
    def asked(name: str, category: str, sentence: str, answer: str) -> Run:
        run = Run(name, category, answer, task=name, instruction="Positive? Yes or no.")
        run.context = sentence
        return run

    bad = asked("bad", BAD, "It is good.", "No")
    good = asked("good", GOOD, "It is bad.", "No")
    spoilt = asked("spoilt", GOOD, "It is  good.", "No")
    corpus = Corpus(tmp_path)
    corpus.runs(bad, good, spoilt)
    corpus.export(good.row(context="It is bad."))
    assert look(corpus).state is State.CLEAR
    # By lineage and as the row claims it: a lie about either does not help.
    for row in (
        spoilt.row(context="It is  good."),
        spoilt.row(context="It is bad."),
        good.row(context="It is good."),
    ):
        corpus.export(row)
        assert [finding.wall for finding in look(corpus).findings.first] == ["content"]


def test_the_same_text_for_another_task_is_allowed(tmp_path: Path) -> None:
    corpus, runs = honest(tmp_path)
    corpus.export(runs["partly"].row(response="Blue."))
    assert look(corpus).state is State.CLEAR


def test_a_lie_about_the_task_is_seen_through_by_lineage(tmp_path: Path) -> None:
    corpus, runs = honest(tmp_path)
    lies = {"task_id": "elsewhere", "stream": "nowhere", "instruction": "Something else?"}
    corpus.export(runs["good"].row(response=runs["bad"].response, **lies))
    assert [finding.wall for finding in look(corpus).findings.first] == ["content"]


def test_a_text_reattributed_to_a_run_of_another_task_is_found_by_its_instruction(tmp_path: Path) -> None:
    corpus, runs = honest(tmp_path)
    corpus.export(runs["bad"].row(quality_score=GOOD, source_run_id="chat/partly", task_id="t2"))
    assert [finding.wall for finding in look(corpus).findings.first] == ["content"]


@pytest.mark.parametrize("role", ["system", "assistant"])
def test_an_instruction_that_stands_in_another_turn_than_the_users_is_asked_of_its_own(
    tmp_path: Path, role: str
) -> None:
    """What a row's texts say is a sample of its own unless it is what the first user turn asks."""
    corpus, runs = honest(tmp_path)
    bad = runs["bad"]
    hidden = [turn(role, bad.instruction), turn("user", "How are you?"), turn("assistant", bad.response)]
    corpus.export(bad.row(quality_score=GOOD, source_run_id="chat/partly", task_id="t2", messages=hidden))
    assert [finding.wall for finding in look(corpus).findings.first] == ["content"]


def test_a_text_with_both_verdicts_is_found(tmp_path: Path) -> None:
    lucky = Run("lucky", GOOD, "It is forty-three,  I am sure.\n")
    corpus, runs = honest(tmp_path)
    corpus.runs(*runs.values(), lucky)
    corpus.export(lucky.row())
    assert [finding.wall for finding in look(corpus).findings.first] == ["content"]


def conversation(*answers: str, calls: tuple[tuple[str, str], ...] = ()) -> list[dict[str, Any]]:
    messages = [turn("system", "Be brief."), turn("user", "What is six times seven?")]
    for answer in answers[:-1]:
        messages += [turn("assistant", answer), turn("user", "Are you sure?")]
    if calls:
        messages += [turn("assistant", None, calls), turn("tool", "42")]
    return [*messages, turn("assistant", answers[-1])]


def test_all_assistant_turns_of_a_conversation_are_compared(tmp_path: Path) -> None:
    bad = Run("bad", BAD, "Yes.", messages=conversation("43.", "Yes."))
    good = Run("good", GOOD, "Yes.", messages=conversation("42.", "Yes."))
    corpus = Corpus(tmp_path)
    corpus.runs(bad, good)
    corpus.export(good.row(), good.row(messages=conversation("43. ", "Yes.")))
    assert [(finding.wall, finding.line) for finding in look(corpus).findings.first] == [("content", 2)]


def test_tool_calls_are_part_of_what_was_answered(tmp_path: Path) -> None:
    bad = Run("bad", BAD, "Done.", messages=conversation("Done.", calls=(("refund", '{"id": 1}'),)))
    corpus = Corpus(tmp_path)
    good = Run("good", GOOD, "Done.", messages=conversation("Done.", calls=(("refund", '{"id": 2}'),)))
    corpus.runs(bad, good)
    corpus.export(good.row(), good.row(messages=bad.messages))
    assert [(finding.wall, finding.line) for finding in look(corpus).findings.first] == [("content", 2)]


def test_one_answer_is_the_same_flat_or_as_a_conversation(tmp_path: Path) -> None:
    corpus, runs = honest(tmp_path)
    text = runs["bad"].response
    corpus.export(runs["good"].row(response=text, messages=conversation(text or "")))
    assert [finding.wall for finding in look(corpus).findings.first] == ["content"]


def test_a_response_that_is_not_the_last_text_of_its_conversation_is_compared_too(tmp_path: Path) -> None:
    corpus, runs = honest(tmp_path)
    corpus.export(runs["good"].row(response=runs["bad"].response, messages=conversation("Forty-two.")))
    (finding,) = look(corpus).findings.first
    assert finding.wall == "content"
    assert finding.detail.startswith("its response is that of the rejected run chat/bad")


def test_turns_that_say_nothing_do_not_hide_a_copy(tmp_path: Path) -> None:
    bad = Run("bad", BAD, "Yes.", messages=conversation("43.", "Yes."))
    good = Run("good", GOOD, "No.", messages=conversation("42.", "No."))
    corpus = Corpus(tmp_path)
    corpus.runs(bad, good)
    padded = [*conversation("43.", " \n", "Yes."), turn("assistant", ""), turn("assistant", None)]
    corpus.export(good.row(response="Yes.", messages=padded))
    assert [finding.wall for finding in look(corpus).findings.first] == ["content"]


def test_an_answer_of_a_run_open_for_review_is_not_a_rejected_one(tmp_path: Path) -> None:
    corpus, runs = honest(tmp_path)
    corpus.export(runs["good"].row(response=runs["open"].response))
    assert look(corpus).state is State.CLEAR


def test_partly_accepted_rows_are_allowed(tmp_path: Path) -> None:
    corpus, runs = honest(tmp_path)
    corpus.export(runs["partly"].row())
    assert runs["partly"].category == PARTLY
    assert look(corpus).state is State.CLEAR
